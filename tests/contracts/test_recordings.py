"""The real service's recorded answers through the judge: its known departures alone; and any corruption is found."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_conformance.contracts.chronicle import Chronicle
from atlas_conformance.contracts.exchange import Exchange, Request, Response
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.knowledge import Knowledge
from tests.strategies.scenery import departures, encoded, failed

NAME = "atlas-sample.har"


def _file() -> Path | None:
    given_path = os.environ.get("ATLAS_RECORDINGS")
    folder = Path(given_path) if given_path else Path(__file__).resolve().parents[2].parent / "shared" / "recordings"
    found = folder if folder.is_file() else folder / NAME
    return found if found.is_file() else None


pytestmark = pytest.mark.skipif(
    _file() is None, reason="no recordings: ATLAS_RECORDINGS names the folder that holds them"
)


@cache
def recorded() -> tuple[Exchange, ...]:
    """The recorded exchanges in order; a recording tells when a request began, not its headers nor its body."""
    path = _file()
    assert path is not None
    entries = json.loads(path.read_bytes())["log"]["entries"]
    exchanges = []
    for entry in entries:
        began = datetime.datetime.fromisoformat(entry["startedDateTime"]).timestamp()
        url, response = entry["request"]["url"], entry["response"]
        sent = Request(entry["request"]["method"], url[url.index("/api/atlas") :], None, None, "unknown", "any", False)
        headers = tuple((header["name"], header["value"]) for header in response["headers"])
        body = response["content"].get("text", "").encode()
        exchanges.append(Exchange(sent, Response(response["status"], headers, body), began, began))
    return tuple(exchanges)


def told(exchanges: tuple[Exchange, ...]) -> list[Judgement]:
    chronicle = Chronicle(Knowledge())
    return [chronicle.feed(exchange) for exchange in exchanges]


def documents() -> list[tuple[int, dict[str, Any]]]:
    return [(i, json.loads(exchange.response.body)) for i, exchange in enumerate(recorded())]


def kind_of(document: dict[str, Any]) -> str:
    """What a recorded body is: an error, a flex job, a dedicated job, or a list of either."""
    if "errorCode" in document:
        return "error"
    if "results" in document:
        first = document["results"][0] if document["results"] else {}
        return "flex list" if "instanceName" in first else "cluster list"
    return "flex job" if "instanceName" in document else "cluster job"


def test_the_real_service_shows_its_known_departures_and_nothing_else() -> None:
    judgements = told(recorded())
    assert len(judgements) >= 40
    assert [finding for judgement in judgements for finding in judgement.findings if finding.departure is None] == []
    assert set().union(*map(departures, judgements)) == {"K-TIMESTAMP", "K-EMPTY-URL"}


def test_recordings_exercise_the_rules_on_jobs_over_time() -> None:
    held = {requirement for judgement in told(recorded()) for requirement, _ in judgement.held}
    owed = {"C-STATUS", "C-5XX", "C-MEDIA", "C-SCHEMA", "V-ENVELOPE", "V-PRETTY", "E-STATUS", "E-REASON", "E-CODE"}
    owed |= {
        "S-ECHO",
        "S-DELIVERY",
        "S-STATUS",
        "S-FINISHED",
        "S-TIME",
        "S-FIXED",
        "S-SAME",
        "S-FLOW",
        "T-FLAGS",
        "T-ONLY-URL",
    }
    owed |= {"L-PAGE", "L-STABLE", "A-RATE"}
    assert owed <= held


def test_recordings_are_judged_the_same_every_time() -> None:
    assert told(recorded()) == told(recorded())


def with_document(exchange: Exchange, document: Any) -> Exchange:
    return replace(exchange, response=replace(exchange.response, body=encoded(document)))


def with_header(exchange: Exchange, name: str, value: str) -> Exchange:
    headers = tuple((n, value if n.lower() == name else v) for n, v in exchange.response.headers)
    return replace(exchange, response=replace(exchange.response, headers=headers))


Corruption = tuple[str, str, Callable[[dict[str, Any]], None]]


def setting(field: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def corrupt(document: dict[str, Any]) -> None:
        document[field] = value

    return corrupt


def dropping(field: str) -> Callable[[dict[str, Any]], None]:
    def corrupt(document: dict[str, Any]) -> None:
        document.pop(field, None)

    return corrupt


def ending_early(document: dict[str, Any]) -> None:
    if document["status"] in ("COMPLETED", "FAILED"):
        del document["restoreFinishedDate"]
    else:
        document["restoreFinishedDate"] = document["restoreScheduledDate"]


JOB_CORRUPTIONS: list[Corruption] = [
    ("flex", "S-ECHO", setting("projectId", "0" * 24)),
    ("flex", "S-ECHO", setting("instanceName", "another")),
    ("flex", "S-ECHO", dropping("projectId")),
    ("flex", "S-STATUS", setting("status", "DONE")),
    ("flex", "S-STATUS", dropping("status")),
    ("flex", "S-DELIVERY", setting("deliveryType", "restore")),
    ("flex", "S-URL", setting("snapshotUrl", "https://a.example/")),
    ("flex", "S-FINISHED", ending_early),
    ("flex", "S-TIME", setting("expirationDate", "2001-01-01T00:00:00Z")),
    ("flex", "S-TIME", setting("snapshotFinishedDate", "2126-01-01T00:00:00Z")),
    ("flex", "S-TIME", setting("restoreScheduledDate", "2026-02-23 03:21:08")),
    ("flex", "C-SCHEMA", setting("id", "5F")),
    ("flex", "C-SCHEMA", setting("targetDeploymentItemName", "a b")),
    ("flex", "C-SCHEMA", setting("snapshotId", None)),
    ("cluster", "C-SCHEMA", dropping("deliveryType")),
    ("cluster", "C-SCHEMA", setting("deliveryType", "Automated")),
    ("cluster", "C-SCHEMA", setting("cancelled", "false")),
    ("cluster", "C-SCHEMA", setting("desiredTimestamp", {"increment": 1, "date": None})),
    ("cluster", "C-SCHEMA", setting("timestamp", "yesterday")),
    ("cluster", "T-ONLY-POINT", setting("oplogTs", 1_764_547_200)),
    ("cluster", "T-ONLY-POINT", setting("pointInTimeUTCSeconds", 1_764_547_200)),
    ("cluster", "T-ONLY-URL", setting("components", [{"downloadUrl": "http://a.example/"}])),
    ("cluster", "T-ONLY-URL", setting("deliveryUrl", ["nowhere"])),
]
ERROR_CORRUPTIONS: list[tuple[str, Callable[[dict[str, Any]], None]]] = [
    ("E-STATUS", setting("error", 499)),
    ("E-SCHEMA", setting("error", "400")),
    ("E-SCHEMA", dropping("errorCode")),
    ("E-SCHEMA", setting("parameters", [[1]])),
    ("E-SCHEMA", setting("parameters", [None])),
    ("E-SCHEMA", setting("detail", {})),
    ("E-REASON", setting("reason", "Bad request")),
    ("E-CODE", setting("errorCode", "cannot_use")),
    ("E-FIELDS", setting("badRequestDetail", {"fields": [{"field": "x"}]})),
]


@settings(max_examples=120, deadline=None)
@given(data=st.data(), corruption=st.sampled_from(JOB_CORRUPTIONS))
def test_one_corrupted_field_of_a_recorded_job_is_found_as_what_it_is(
    data: st.DataObject, corruption: Corruption
) -> None:
    family, requirement, corrupt = corruption
    places = [(i, d) for i, d in documents() if kind_of(d).startswith(family) and d.get("results", True)]
    index, document = data.draw(st.sampled_from(places))
    jobs = document.get("results", [document])
    corrupt(jobs[data.draw(st.integers(0, len(jobs) - 1))])
    exchanges = list(recorded())
    exchanges[index] = with_document(exchanges[index], document)
    assert requirement in failed(told(tuple(exchanges[: index + 1]))[index])


@settings(max_examples=40, deadline=None)
@given(data=st.data(), corruption=st.sampled_from(ERROR_CORRUPTIONS))
def test_one_corrupted_field_of_a_recorded_error_is_found_as_what_it_is(
    data: st.DataObject, corruption: tuple[str, Callable[[dict[str, Any]], None]]
) -> None:
    requirement, corrupt = corruption
    index, document = data.draw(st.sampled_from([(i, d) for i, d in documents() if kind_of(d) == "error"]))
    corrupt(document)
    judgement = told((with_document(recorded()[index], document),))[0]
    assert requirement in failed(judgement)
    assert failed(judgement) <= {requirement, "E-CODE" if requirement == "E-SCHEMA" else requirement}


def test_corrupted_headers_and_pages_are_found() -> None:
    for index, document in documents():
        exchange = recorded()[index]
        if kind_of(document) == "error":
            assert "C-MEDIA" in failed(told((with_header(exchange, "content-type", "text/html"),))[0])
            if exchange.response.header("x-error-code") is not None:
                assert "E-CODE" in failed(told((with_header(exchange, "x-error-code", "ANOTHER"),))[0])
                renamed = with_document(exchange, document | {"errorCode": "ANOTHER"})
                assert "E-CODE" in failed(told((renamed,))[0])
        else:
            assert "C-MEDIA" in failed(told((with_header(exchange, "content-type", "application/json"),))[0])
        if exchange.response.header("ratelimit-limit") is not None:
            assert "A-RATE" in failed(told((with_header(exchange, "ratelimit-limit", "many"),))[0])
        if document.get("results"):
            wrong: list[tuple[str, dict[str, Any]]] = [
                ("L-TOTAL", {"totalCount": 0}),
                ("L-PAGE", {"totalCount": -1}),
                ("L-PAGE", {"links": []}),
                ("L-PAGE", {"results": document["results"] * 2}),
            ]
            for requirement, changes in wrong:
                assert requirement in failed(told((with_document(exchange, document | changes),))[0])


def read_again(field: str, value: Any, kind: str) -> set[str]:
    """Change a field of the last recorded read of a job that was read before, and say what is found then."""
    found: set[str] = set()
    last: dict[str, int] = {}
    for index, document in documents():
        if kind_of(document) == kind and recorded()[index].request.method == "GET":
            job = str(document["id"])
            if job in last:
                exchanges = list(recorded())
                exchanges[index] = with_document(exchanges[index], document | {field: value})
                found |= failed(told(tuple(exchanges[: index + 1]))[index])
            last[job] = index
    return found


@pytest.mark.parametrize(
    ("kind", "field", "value", "requirement"),
    [
        ("flex job", "snapshotId", "0" * 24, "S-FIXED"),
        ("flex job", "restoreScheduledDate", "2026-02-23T03:21:09Z", "S-FIXED"),
        ("cluster job", "timestamp", "2020-01-01T00:00:00Z", "T-FLAGS"),
        ("cluster job", "snapshotId", "0" * 24, "T-FLAGS"),
    ],
)
def test_a_recorded_job_that_changes_between_reads_is_found(
    kind: str, field: str, value: Any, requirement: str
) -> None:
    assert requirement in read_again(field, value, kind)
