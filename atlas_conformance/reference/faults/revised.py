"""Faults in what the general pages ask for: which status refuses what, and what lists, downloads and headers show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.fault import NOWHERE, Class, Fault, Page
from atlas_conformance.reference.fault_parts import (
    ALL,
    CREATES,
    DEDICATED,
    DEDICATED_READS,
    READS,
    SHARED,
    both,
    changing,
    hiding,
    on_success,
    restated,
    sound,
    steps_of,
    when,
)
from atlas_conformance.reference.jobs import Job
from atlas_conformance.reference.messages import Answer, Call, Refusal
from atlas_conformance.reference.negotiation import media_range

LISTS = ("flex-list", "cluster-list")
_DEDICATED_SHOWN = (*DEDICATED, *DEDICATED_READS, "cluster-list")
_DOWNLOADS_SHOWN = (*DEDICATED_READS, "cluster-list")


def _fault(operation: str, what: str, requirement: str, sentence: str, kind: Class, **hooks: Any) -> Fault:
    return Fault(f"{operation}/{what}", requirement, (operation,), sentence, kind, **hooks)


# Headers


def _with_headers(*headers: tuple[str, str]) -> Callable[[Backend, Call, Answer], Answer]:
    return lambda backend, call, answer: replace(answer, headers=[*answer.headers, *headers])


def _allow(value: str | None) -> Callable[[Backend, Call, Answer], Answer]:
    def answer(backend: Backend, call: Call, answer: Answer) -> Answer:
        if answer.status != 405:
            return answer
        kept = [(name, shown) for name, shown in answer.headers if name.lower() != "allow"]
        headers = kept if value is None else [*kept, ("Allow", value.replace("METHOD", call.method))]
        return replace(answer, headers=headers)

    return answer


_2025, _2027 = "Wed, 01 Jan 2025 00:00:00 GMT", "Fri, 01 Jan 2027 00:00:00 GMT"


def _headers() -> Iterator[Fault]:
    quiet = {"deprecation": "absent"}
    for operation in ALL:
        swapped = _with_headers(("Deprecation", _2027), ("Sunset", _2025))
        sentence = "The operation is removed before it is deprecated."
        yield _fault(operation, "sunset-first", "V-SUNSET", sentence, "shape", freedoms=quiet, answer=swapped)
        stamped = _with_headers(("Deprecation", _2025), ("Sunset", "2027-01-01T00:00:00Z"))
        sentence = "Sunset is a date in ISO 8601."
        yield _fault(operation, "sunset-iso", "V-SUNSET", sentence, "shape", freedoms=quiet, answer=stamped)
    for what, value, sentence in (
        ("missing", None, "A 405 names no methods."),
        ("refused", "METHOD", "A 405 names the method that it refuses."),
        ("other", "TRACE", "A 405 names none of the methods that the path has."),
    ):
        yield Fault(f"allow/{what}", "C-ALLOW", (NOWHERE,), sentence, "negative", answer=_allow(value))
    yield _fault(
        "cluster-cancel",
        "ended-405-without-allow",
        "C-ALLOW",
        "A job that has ended cannot be cancelled, and the 405 names no methods.",
        "stateful",
        freedoms={"cancel-finished": "405"},
        answer=_allow(None),
    )
    yield Fault(
        "rate/retry-after-words",
        "A-RATE",
        READS,
        "A 429 says in words when to come again.",
        "stateful",
        replace={"A-RATE": _fifth_refused(429, "RATE_LIMITED", ("Retry-After", "soon"))},
    )
    for operation in CREATES:
        sentence = "A body that is no JSON is answered with a 503 that does not say when to come again."
        bare = {"B-JSON/parse": restated(sound(operation, "B-JSON/parse"), 503)}
        yield _fault(operation, "malformed-503", "C-5XX", sentence, "negative", replace=bare)


def _fifth_refused(status: int, code: str, *headers: tuple[str, str]) -> Callable[[Backend, Call], None]:
    def check(backend: Backend, call: Call) -> None:
        backend.notes["calls"] = backend.notes.get("calls", 0) + 1
        if backend.notes["calls"] % 5 == 0:
            raise Refusal(status, code, "Come again later.", headers=headers)

    return check


# Refusals


_OTHER_STATUSES = (
    ("B-JSON", ("B-JSON/parse", "B-JSON/object"), 409),
    ("B-TYPE", ("B-TYPE/snapshotId",), 403),
    ("B-PATTERN", ("B-PATTERN/snapshotId",), 403),
    ("B-RANGE", ("B-RANGE/oplogTs/minimum", "B-RANGE/oplogInc/minimum"), 404),
    ("T-ENUM", ("T-ENUM", "B-REQUIRED/deliveryType"), 404),
    ("T-TARGET", ("T-TARGET/automated/targetClusterName", "T-TARGET/pointInTime/targetClusterName"), 409),
    ("T-SNAPSHOT", ("T-SNAPSHOT/automated", "T-SNAPSHOT/download"), 403),
    ("T-POINT", ("T-POINT/none", "T-POINT/oplogTs-alone"), 409),
    ("B-REQUIRED", ("B-REQUIRED/targetDeploymentItemName",), 409),
)
"""What is refused with another status, where an operation has such steps: (requirement, steps, status)."""


def _statuses() -> Iterator[Fault]:
    for operation in CREATES:
        there = steps_of(operation)
        for requirement, steps, status in _OTHER_STATUSES:
            if not there.keys() >= set(steps):
                continue
            yield _fault(
                operation,
                f"{requirement.lower()}-{status}",
                requirement,
                f"What {requirement} refuses is answered with {status}.",
                "negative",
                replace={step: restated(there[step], status) for step in steps},
            )
        impossible = sound(operation, "N-TARGET")
        for what, sentence, check in (
            ("impossible-taken", "A target that takes no restore is restored to.", None),
            ("impossible-404", "A target that takes no restore is not found.", restated(impossible, 404)),
            (
                "older-taken",
                "Of the targets that take no restore, one is restored to.",
                _unless_named("Older0", impossible),
            ),
        ):
            hooks: dict[str, Any] = (
                {"skip": frozenset({"N-TARGET"})} if check is None else {"replace": {"N-TARGET": check}}
            )
            yield _fault(operation, what, "N-TARGET", sentence, "negative", **hooks)
        sentence = "An undocumented property is taken."
        yield _fault(operation, "undocumented-taken", "B-UNKNOWN", sentence, "negative", skip=frozenset({"B-UNKNOWN"}))
        unknown = sound(operation, "B-UNKNOWN")
        if "T-ENUM" in there:  # to any other body a target that is busy may be an answer too
            forbidden = {"B-UNKNOWN": restated(unknown, 403)}
            sentence = "An undocumented property is refused with 403."
            yield _fault(operation, "undocumented-403", "B-ACCEPT", sentence, "negative", replace=forbidden)
        sentence = "An undocumented property ends in a 500."
        yield _fault(
            operation, "undocumented-500", "C-5XX", sentence, "negative", replace={"B-UNKNOWN": restated(unknown, 500)}
        )
        if Contract.load().operations[operation].api == "v2":
            typed = both(_refusing_versioned, sound(operation, "B-JSON/content-type"))
            sentence = "A body of the versioned media type is refused."
            yield _fault(
                operation, "versioned-body-415", "B-ACCEPT", sentence, "rule", replace={"B-JSON/content-type": typed}
            )
    for operation in ("flex-get", "cluster-get", *LISTS):
        strict = {"V-FLOOR": both(_refusing_any, sound(operation, "V-FLOOR"))}
        sentence = "Accept: */* is refused with 400."
        requirement = "L-PAGE" if operation in LISTS else "L-STABLE"
        yield _fault(operation, "any-accept-400", requirement, sentence, "rule", replace=strict)
    slash = {"V-QUERY": both(_refusing_slashless, sound("cluster-create-v1", "V-QUERY"))}
    sentence = "The path without its trailing slash is not there."
    yield _fault("cluster-create-v1", "slash-needed", "B-ACCEPT", sentence, "rule", replace=slash)
    sentence = "A reader may cancel a job."
    yield _fault("cluster-cancel", "reader-cancels", "A-ROLE", sentence, "negative", skip=frozenset({"A-ROLE"}))


def _unless_named(name: str, check: Callable[[Backend, Call], None]) -> Callable[[Backend, Call], None]:
    def checked(backend: Backend, call: Call) -> None:
        if backend.target_of(call)[1] != name:
            check(backend, call)

    return checked


def _refusing_versioned(backend: Backend, call: Call) -> None:
    if (call.header(b"content-type") or "").lower().startswith("application/vnd.atlas."):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "Send application/json.")


def _refusing_any(backend: Backend, call: Call) -> None:
    if "*/*" in map(media_range, (call.accept or "").split(",")):
        raise Refusal(400, "INVALID_ACCEPT", "Ask for a version.")


def _refusing_slashless(backend: Backend, call: Call) -> None:
    if not call.path.endswith("/"):
        raise Refusal(404, "RESOURCE_NOT_FOUND", "There is no such resource.")


# Jobs

View = Callable[[Backend, Call, Job, dict[str, Any]], dict[str, Any]]


def _parts(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> View:
    return changing("components", lambda parts: change([dict(part) for part in parts]))


def _all_called(name: str) -> View:
    return _parts(lambda parts: [part | {"replicaSetName": name} for part in parts])


def _without_address(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
    document = {name: value for name, value in document.items() if name != "deliveryUrl"}
    if "components" in document:
        document["components"] = [{"replicaSetName": part["replicaSetName"]} for part in document["components"]]
    return document


def _first_address_only(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
    parts = document.get("components", [])
    if not parts:
        return document
    rest = [{"replicaSetName": part["replicaSetName"]} for part in parts[1:]]
    return {name: value for name, value in document.items() if name != "deliveryUrl"} | {
        "components": [parts[0], *rest]
    }


def _elsewhere(text: str) -> str:
    return text.replace("Z", "+02:00")


def _delivers(job: Job) -> bool:
    return bool(job.delivery == "DOWNLOAD")


def _desired_elsewhere(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
    desired = document.get("desiredTimestamp")
    return document | {"desiredTimestamp": desired | {"date": _elsewhere(desired["date"])}} if desired else document


def _jobs() -> Iterator[Fault]:
    shown = {"download-finished": "shown"}
    for operation in _DOWNLOADS_SHOWN:
        sentence = "A finished download shows no address."
        yield _fault(
            operation, "download-without-url", "T-URL", sentence, "stateful", freedoms=shown, view=_without_address
        )
        sentence = "Of a sharded cluster's finished download, one part alone shows an address."
        yield _fault(operation, "one-part-url", "T-URL", sentence, "stateful", freedoms=shown, view=_first_address_only)
    for operation in _DEDICATED_SHOWN:
        sentence = "timestamp is in another time zone."
        yield _fault(
            operation, "timestamp-elsewhere", "T-TIME", sentence, "shape", view=changing("timestamp", _elsewhere)
        )
        sentence = "Of a pointInTime job, the desired date is in another time zone."
        yield _fault(operation, "desired-elsewhere", "T-TIME", sentence, "rule", view=_desired_elsewhere)
        sentence = "All parts of a sharded cluster's job have the same name."
        yield _fault(operation, "parts-alike", "T-PARTS", sentence, "rule", view=_all_called("shard-0"))
        sentence = "The parts of a sharded cluster's job have empty names."
        yield _fault(operation, "parts-nameless", "T-PARTS", sentence, "rule", view=_all_called(""))
    for operation in DEDICATED_READS:
        sentence = "finishedAt is in another time zone."
        yield _fault(
            operation, "finished-elsewhere", "T-TIME", sentence, "stateful", view=changing("finishedAt", _elsewhere)
        )
    for operation in DEDICATED:
        for field in ("pointInTimeUTCSeconds", "oplogTs", "oplogInc"):
            sentence = f"A pointInTime job does not repeat {field}."
            yield _fault(operation, f"{field}-not-repeated", "T-ECHO", sentence, "rule", view=hiding(field))
    for operation in SHARED:
        sentence = "The restore is scheduled in another time zone."
        view = changing("restoreScheduledDate", _elsewhere)
        yield _fault(operation, "scheduled-elsewhere", "S-TIME", sentence, "shape", view=view)
    for what, sentence, view in (
        ("delivered-without-url", "A job that was delivered shows no address.", hiding("snapshotUrl")),
        (
            "http-url",
            "A download's address is of plain http.",
            changing("snapshotUrl", lambda url: url.replace("https:", "http:")),
        ),
        (
            "relative-url",
            "A download's address is relative.",
            changing("snapshotUrl", lambda url: "/snapshots/1.tar.gz"),
        ),
    ):
        yield _fault("flex-list", what, "S-URL", sentence, "shape", view=when(_delivers, view))


# Lists


def _no_empty_results(answer: Answer) -> Answer:
    document = answer.document
    if not isinstance(document, dict) or document.get("results"):
        return answer
    return replace(answer, document={name: value for name, value in document.items() if name != "results"})


def _always_counted(backend: Backend, call: Call, page: Page) -> Page:
    return replace(page, counted=True)


def _lists() -> Iterator[Fault]:
    for operation in LISTS:
        sentence = "A page on which nothing stands has no results."
        yield _fault(operation, "no-empty-results", "L-PAGE", sentence, "subtle", answer=on_success(_no_empty_results))
        sentence = "includeCount=false has no effect."
        yield _fault(operation, "count-declined-shown", "L-PAGE", sentence, "rule", listing=_always_counted)


FAULTS: tuple[Fault, ...] = (*_headers(), *_statuses(), *_jobs(), *_lists())
"""Faults of this family."""
