"""Dates that no job can have, properties named twice, and operations outside the contract."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.judge import Judge
from atlas_conformance.recordings.entries import Recorded, Unjudged
from atlas_conformance.recordings.har import recorded
from tests.recordings.samples import PROJECT, entry, job


def exchange(document: Any, date: str | None = None, **more: Any) -> Exchange:
    made = entry(document, **more)
    if date is not None:
        made["response"]["headers"].append({"name": "Date", "value": date})
    found = recorded(made)
    assert isinstance(found, Recorded), found
    return found.exchange


def failed(judgement: Judgement) -> set[str]:
    return {finding.requirement for finding in judgement.findings}


@pytest.mark.parametrize("zero", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1601-01-01T00:00:00.000Z"])
def test_a_zero_time_is_no_date_of_a_job(zero: str) -> None:
    assert failed(Judge().judge(exchange(job(snapshotFinishedDate=zero)))) == {"S-TIME"}
    listed = {"links": [{"rel": "self", "href": "x"}], "results": [job(snapshotFinishedDate=zero)], "totalCount": 1}
    path = f"/api/atlas/v2/groups/{PROJECT}/flexClusters/one/backup/restoreJobs"
    assert failed(Judge().judge(exchange(listed, path=path))) == {"S-TIME"}


@pytest.mark.parametrize(
    ("date", "finished", "fails"),
    [
        ("Mon, 23 Feb 2026 03:21:09 GMT", "2026-02-23T03:21:09Z", False),
        ("Mon, 23 Feb 2026 03:21:09 GMT", "2026-02-23T03:25:00Z", False),
        ("Mon, 23 Feb 2026 03:21:09 GMT", "2026-02-23T05:21:09Z", True),
        ("Sun, 22 Feb 2026 03:21:09 GMT", "2026-02-23T03:21:09Z", False),
        ("yesterday", "2026-02-23T05:21:09Z", False),
        (None, "2026-02-23T05:21:09Z", False),
        (None, "2030-01-01T00:00:00Z", True),
    ],
)
def test_what_has_happened_is_not_in_the_future(date: str | None, finished: str, fails: bool) -> None:
    shown = job(status="COMPLETED", restoreFinishedDate=finished, expirationDate="2031-01-01T00:00:00Z")
    assert failed(Judge().judge(exchange(shown, date))) == ({"S-TIME"} if fails else set())


def test_nothing_is_said_of_the_future_where_no_clock_is_known() -> None:
    shown = job(status="COMPLETED", restoreFinishedDate="2030-01-01T00:00:00Z", expirationDate="2031-01-01T00:00:00Z")
    assert not failed(Judge().judge(replace(exchange(shown), started=0.0, ended=0.0)))


@pytest.mark.parametrize("indent", [None, 2])
def test_a_property_that_is_named_twice_is_found(indent: int | None) -> None:
    text = json.dumps(job(), separators=None if indent else (",", ":"), indent=indent)
    assert "C-SCHEMA" not in failed(Judge().judge(exchange(text)))
    twice = text[:-1].rstrip() + ',"status":"PENDING"}'
    assert "C-SCHEMA" in failed(Judge().judge(exchange(twice)))
    error = '{"error":404,"errorCode":"X","reason":"Not Found","error":404}'
    assert failed(Judge().judge(exchange(error, status=404))) == {"E-SCHEMA"}


@pytest.mark.parametrize(
    ("method", "rest", "outside"),
    [
        ("GET", "", True),
        ("GET", "/", True),
        ("DELETE", "/699bc7a48decccf9757f82fc", True),
        ("GET", "/699bc7a48decccf9757f82fc", False),
        ("PATCH", "/", False),
    ],
)
def test_list_and_cancel_of_the_first_version_are_outside(method: str, rest: str, outside: bool) -> None:
    path = f"/api/atlas/v1.0/groups/{PROJECT}/clusters/one/backup/restoreJobs{rest}"
    found = recorded(entry({}, method=method, path=path))
    assert isinstance(found, Unjudged) == outside


def test_a_list_without_results_is_found() -> None:
    path = f"/api/atlas/v2/groups/{PROJECT}/flexClusters/one/backup/restoreJobs"
    assert failed(Judge().judge(exchange({"totalCount": 0, "links": []}, path=path))) == {"C-SCHEMA", "L-PAGE"}


def dedicated(**members: Any) -> set[str]:
    path = f"/api/atlas/v2/groups/{PROJECT}/clusters/one/backup/restoreJobs/699bc7a48decccf9757f82fc"
    made = entry({"id": "699bc7a48decccf9757f82fc", **members}, path=path)
    made["response"]["headers"][0]["value"] = "application/vnd.atlas.2023-01-01+json"
    found = recorded(made)
    assert isinstance(found, Recorded)
    return failed(Judge().judge(found.exchange))


def test_what_the_pages_leave_free_never_fails() -> None:
    moment = {"date": "2026-02-23T03:21:08Z", "increment": 4}
    point = {"deliveryType": "pointInTime", "oplogTs": 1_771_816_868, "oplogInc": 4, "desiredTimestamp": moment}
    assert not dedicated(**point)
    assert not dedicated(deliveryType="download", components=[{"replicaSetName": "a", "downloadUrl": None}])
    assert not dedicated(deliveryType="automated", expiresAt="2026-03-23T03:21:08Z")
    assert dedicated(deliveryType="automated", finishedAt="0001-01-01T00:00:00Z") == {"T-TIME"}
