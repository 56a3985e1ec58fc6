"""Breaking one thing in one recorded response, and asking the judge whether it sees it."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from atlas_conformance.contracts.chronicle import Chronicle
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.recordings.entries import Recorded
from atlas_conformance.recordings.har import recorded

OTHER_ID = "feedfacefeedfacefeedface"
EARLY, LATE = "2001-01-01T00:00:00Z", "2126-01-01T00:00:00Z"
DRAW = Callable[[int], int]


@dataclass(frozen=True)
class Breakage:
    """One way to break a document in place; `owed` are the requirements any of which names it rightly."""

    what: str
    owed: frozenset[str]
    apply: Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Corruption:
    """A breakage of one response: the number of its entry, where, what, and the whole entry as it then reads."""

    entry: int
    where: str
    what: str
    owed: frozenset[str]
    changed: dict[str, Any]

    def __str__(self) -> str:
        return f"entry {self.entry}, {self.where}: {self.what}; owed {', '.join(sorted(self.owed))}"


def _set(field: str, value: Any, *owed: str) -> Breakage:
    def apply(document: dict[str, Any]) -> None:
        document[field] = value

    return Breakage(f"{field} set to {json.dumps(value)[:60]}", frozenset(owed), apply)


def _drop(field: str, *owed: str) -> Breakage:
    return Breakage(f"{field} left out", frozenset(owed), lambda document: document.pop(field))


def shared_job(job: dict[str, Any], kind: str, seen_again: bool) -> Iterator[Breakage]:
    """Yield what breaks a flex job. `seen_again` says that another response shows the same job."""
    for field in ("id", "projectId", "snapshotId"):
        yield _set(field, 7, "C-SCHEMA", "S-ECHO")
        yield _set(field, "7", "C-SCHEMA", "S-ECHO")
    yield _set("id", OTHER_ID.upper(), "C-SCHEMA")
    yield _set("projectId", OTHER_ID, "S-ECHO")
    yield _drop("projectId", "S-ECHO", "C-SCHEMA")
    yield _set("instanceName", "another", "S-ECHO")
    yield _set("status", "DONE", "S-STATUS", "C-SCHEMA")
    yield _drop("status", "S-STATUS", "C-SCHEMA")
    terminal = job["status"] in ("COMPLETED", "FAILED")
    yield _set("status", "RUNNING" if terminal else "COMPLETED", "S-FINISHED")
    if terminal:
        yield _drop("restoreFinishedDate", "S-FINISHED")
        yield _set("restoreFinishedDate", EARLY, "S-TIME")
        yield _set("restoreFinishedDate", "soon", "C-SCHEMA", "S-TIME")
    else:
        yield _set("restoreFinishedDate", job["restoreScheduledDate"], "S-FINISHED")
    yield _set("deliveryType", "restore", "S-DELIVERY", "C-SCHEMA")
    if job["deliveryType"] == "RESTORE":
        yield _set("snapshotUrl", "https://a.example/x", "S-URL")
    yield _set("expirationDate", EARLY, "S-TIME")
    yield _set("snapshotFinishedDate", LATE, "S-TIME")
    yield _set("restoreScheduledDate", LATE, "S-TIME")
    yield _set("restoreScheduledDate", job["restoreScheduledDate"].replace("T", " "), "C-SCHEMA", "S-TIME")
    yield _set("restoreScheduledDate", job["restoreScheduledDate"].replace("Z", "+01:00"), "S-TIME", "C-SCHEMA")
    yield _set("targetDeploymentItemName", "a b", "C-SCHEMA")
    yield _set("targetDeploymentItemName", "x" * 65, "C-SCHEMA")
    if kind == "get":
        yield _set("id", OTHER_ID, "S-FIXED", "S-SAME")
    if seen_again:
        changed = ("S-FIXED", "S-SAME", "L-STABLE")
        yield _set("snapshotId", OTHER_ID, *changed)
        yield _set("targetProjectId", OTHER_ID, *changed)
        yield _set("targetDeploymentItemName", "another", *changed)


def dedicated_job(job: dict[str, Any], kind: str, seen_again: bool) -> Iterator[Breakage]:
    """Yield what breaks a dedicated cluster's job."""
    delivery = job["deliveryType"]
    yield _set("id", 7, "C-SCHEMA")
    yield _set("id", "7", "C-SCHEMA")
    yield _set("snapshotId", "7", "C-SCHEMA")
    yield _set("deliveryType", delivery.upper(), "C-SCHEMA")
    yield _drop("deliveryType", "C-SCHEMA")
    for flag in ("cancelled", "failed", "expired"):
        yield _set(flag, "false", "C-SCHEMA")
    yield _set("timestamp", "yesterday", "C-SCHEMA")
    yield _set("oplogTs", 1_764_547_200, "T-ONLY-POINT")
    yield _set("pointInTimeUTCSeconds", 1_764_547_200, "T-ONLY-POINT")
    both = _set("failed", True, "T-FLAGS", "T-NEW")
    yield Breakage("failed and cancelled", both.owed, lambda d: d.update(failed=True, cancelled=True))
    yield _set("desiredTimestamp", {"increment": 0, "date": None, "time": None}, "C-SCHEMA")
    yield _set("desiredTimestamp", {"increment": "1", "date": None, "time": None}, "C-SCHEMA")
    yield _set("desiredTimestamp", {"increment": None, "date": "soon", "time": None}, "C-SCHEMA")
    if delivery == "download":
        yield _set("targetClusterName", "somewhere", "T-ONLY-TARGET")
        yield _set("targetGroupId", OTHER_ID, "T-ONLY-TARGET")
        yield _set("deliveryUrl", ["http://a.example/x"], "T-ONLY-URL", "C-SCHEMA")
        yield _set("deliveryUrl", ["nowhere"], "T-ONLY-URL", "C-SCHEMA")
    else:
        yield _set("deliveryUrl", ["https://a.example/x"], "T-ONLY-URL")
        yield _set("deliveryUrl", [None], "T-ONLY-URL", "C-SCHEMA")
        yield _set("deliveryUrl", "", "C-SCHEMA")
        yield _set("expiresAt", LATE, "T-FLAGS")
        yield _set("components", [{"downloadUrl": "https://a.example/x"}], "T-ONLY-URL")
    if kind == "create":
        yield _set("finishedAt", LATE, "T-NEW")
        for flag in ("cancelled", "failed", "expired"):
            yield _set(flag, True, "T-NEW")
    if kind == "get":
        yield _set("id", OTHER_ID, "T-FLAGS")
    if seen_again:
        yield _set("snapshotId", OTHER_ID, "T-FLAGS")
        yield _set("timestamp", EARLY, "T-FLAGS")


def error(document: dict[str, Any]) -> Iterator[Breakage]:
    """Yield what breaks an error."""
    yield _set("error", document["error"] + 1, "E-STATUS")
    yield _set("error", str(document["error"]), "E-SCHEMA")
    yield _drop("error", "E-SCHEMA")
    yield _set("errorCode", document["errorCode"].lower(), "E-CODE")
    yield _set("errorCode", document["errorCode"] + "_", "E-CODE")
    yield _set("errorCode", None, "E-SCHEMA")
    yield _drop("errorCode", "E-SCHEMA")
    yield _set("reason", "Bad", "E-REASON")
    yield _set("reason", 400, "E-SCHEMA")
    yield _set("detail", ["x"], "E-SCHEMA")
    yield _set("parameters", [1], "E-SCHEMA")
    yield _set("parameters", ["x", 1], "E-SCHEMA")
    yield _set("parameters", "x", "E-SCHEMA")
    yield _set("badRequestDetail", {"fields": [{"description": 1}]}, "E-FIELDS", "E-SCHEMA")


def page(document: dict[str, Any]) -> Iterator[Breakage]:
    """Yield what breaks a page of a list, but for the jobs on it."""
    yield _set("totalCount", max(0, len(document["results"]) - 1), "L-PAGE")
    yield _set("totalCount", "many", "L-PAGE", "C-SCHEMA")
    yield _drop("totalCount", "L-PAGE")
    yield _set("links", [], "L-PAGE")
    yield _set("results", {}, "C-SCHEMA")
    if document["results"]:
        doubled = document["results"] + document["results"][:1]
        yield Breakage("a job twice", frozenset({"L-PAGE"}), lambda d: d.update(results=doubled))


class Corruptions:
    """Every corruption of the responses of one HAR file; draw one, and see whether it is found."""

    def __init__(self, sample: Path) -> None:
        self._entries: list[dict[str, Any]] = json.loads(sample.read_text("utf-8"))["log"]["entries"]

    @cached_property
    def _sound(self) -> list[Recorded]:
        read = [recorded(entry) for entry in self._entries]
        return [entry for entry in read if isinstance(entry, Recorded)]

    @cached_property
    def _observations(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for entry in self._sound:
            document = json.loads(entry.exchange.response.body)
            counts.update(str(job.get("id")) for job in document.get("results", [document]))
        return counts

    def draw(self, randrange: DRAW) -> Corruption:
        """Draw an entry, a place in its response, and what breaks it; `randrange(n)` draws from 0 to n - 1."""
        number = randrange(len(self._entries))
        entry = copy.deepcopy(self._entries[number])
        part = randrange(6)
        if part == 0:
            return self._of_status(number, entry, randrange)
        if part == 1:
            return self._of_headers(number, entry, randrange)
        if part == 2:
            return self._of_text(number, entry, randrange)
        return self._of_document(number, entry, randrange)

    def finds(self, corruption: Corruption) -> bool:
        """Whether the judge, reading the whole recording with this one response changed, names a requirement owed."""
        return bool(self.judged(corruption) & corruption.owed)

    def judged(self, corruption: Corruption | None = None) -> set[str]:
        """Return the requirements that fail in the recording, with one response changed or as it is."""
        chronicle = Chronicle(Knowledge(), remember=1_000)
        entries = list(self._sound)
        if corruption is not None:
            changed = recorded(corruption.changed)
            assert isinstance(changed, Recorded)
            entries[corruption.entry] = changed
        judgements = [chronicle.feed(entry.exchange) for entry in entries]
        return {f.requirement for judgement in judgements for f in judgement.findings if f.departure is None}

    def _of_status(self, number: int, entry: dict[str, Any], randrange: DRAW) -> Corruption:
        status = entry["response"]["status"]
        ways = [(418, "C-STATUS"), (302, "C-STATUS"), (201, "C-STATUS"), (500, "C-5XX"), (502, "C-5XX")]
        ways += [(401, "E-STATUS")] if status >= 400 else [(404, "E-SCHEMA")]
        new, owed = ways[randrange(len(ways))]
        entry["response"]["status"] = new
        return Corruption(number, "status", f"{status} to {new}", frozenset({owed}), entry)

    def _of_headers(self, number: int, entry: dict[str, Any], randrange: DRAW) -> Corruption:
        headers = entry["response"]["headers"]
        by_name = {header["name"].lower(): header for header in headers}
        ways: list[tuple[str, str, str]] = [("content-type", "text/html", "C-MEDIA")]
        if entry["response"]["status"] == 200:
            ways += [("content-type", "application/json", "C-MEDIA"), ("content-type", "", "C-MEDIA")]
            ways.append(("content-type", "application/vnd.atlas.2024-11-13+xml", "C-MEDIA"))
        ways += [
            (name, value, "A-RATE")
            for name in ("ratelimit-limit", "ratelimit-remaining")
            if name in by_name
            for value in ("-1", "many")
        ]
        if "x-error-code" in by_name:
            ways.append(("x-error-code", "ANOTHER_CODE", "E-CODE"))
        name, value, owed = ways[randrange(len(ways))]
        by_name[name]["value"] = value
        return Corruption(number, f"header {name}", f"set to {value!r}", frozenset({owed}), entry)

    def _of_text(self, number: int, entry: dict[str, Any], randrange: DRAW) -> Corruption:
        content = entry["response"]["content"]
        document = json.loads(content["text"])
        good = entry["response"]["status"] == 200
        schema = "C-SCHEMA" if good else "E-SCHEMA"
        ways = [("cut in half", content["text"][: len(content["text"]) // 2], schema), ("an array", "[1]", schema)]
        ways.append(("markup", "<html></html>", schema))
        if good:
            ways.append(("indented", json.dumps(document, indent=2), "V-PRETTY"))
            if "results" not in document:
                wrapped = json.dumps({"status": 200, "content": document}, separators=(",", ":"))
                ways.append(("in an envelope", wrapped, "V-ENVELOPE"))
        what, content["text"], owed = ways[randrange(len(ways))]
        content["size"] = len(content["text"].encode())
        return Corruption(number, "body", what, frozenset({owed}), entry)

    def _of_document(self, number: int, entry: dict[str, Any], randrange: DRAW) -> Corruption:
        content = entry["response"]["content"]
        document = json.loads(content["text"])
        found = Contract.load().match(entry["request"]["method"], self._sound[number].exchange.request.path)
        assert found is not None
        operation = found[0]
        subject, where = document, "body"
        if entry["response"]["status"] >= 400:
            ways = list(error(document))
        elif operation.kind == "list" and (not document["results"] or randrange(2)):
            ways = list(page(document))
        else:
            if operation.kind == "list":
                place = randrange(len(document["results"]))
                subject, where = document["results"][place], f"body/results/{place}"
            again = self._observations[subject["id"]] > 1
            of_family = dedicated_job if operation.resource.label == "cluster" else shared_job
            ways = list(of_family(subject, operation.kind, again))
        way = ways[randrange(len(ways))]
        way.apply(subject)
        content["text"] = json.dumps(document, separators=(",", ":"))
        content["size"] = len(content["text"].encode())
        return Corruption(number, where, way.what, way.owed, entry)
