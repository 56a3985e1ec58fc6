"""Envelope, pretty, versions and media types, and the freedoms in all of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reference.freedoms import FREEDOMS, resolve
from tests.reference.calling import Caller, error, schema

OPERATIONS = Contract.load().operations

FLEX = "application/vnd.atlas.2024-11-13+json"


def test_envelopes(caller: Caller) -> None:
    job = caller.create("flex-create", query="?envelope=true")
    assert job["status"] == 200
    schema("flex-restore-job.json").validate(job["content"])
    schema("envelope-flex-restore-job.json").validate(job)
    listed = caller.call("flex-list", query="?envelope=true").json()
    assert listed["status"] == 200
    assert job["content"]["id"] in {one["id"] for one in listed["results"]}
    assert "envelope" not in error(caller.call("flex-get", query="?envelope=true", at={"job": "0" * 24}), 404)
    caller.server.reset(freedoms={"envelope-on-error": "wrapped", "envelope-key": "envelope"})
    answer = caller.call("flex-get", query="?envelope=true", at={"job": "0" * 24})
    assert answer.status_code == 404
    assert answer.json()["status"] == answer.json()["envelope"]["error"] == 404


def test_pretty_is_the_same_document_on_lines(caller: Caller) -> None:
    plain, pretty = caller.call("flex-list"), caller.call("flex-list", query="?pretty=true")
    assert b"\n" not in plain.content
    assert b"\n  " in pretty.content
    results = plain.json()["results"]
    assert pretty.json()["results"] == results


@pytest.mark.parametrize("junk", ["", "1", "TRUE", "yes", "%00", "true&envelope=false", "%ff", "💥"])
def test_junk_flags_are_no_error(caller: Caller, junk: str) -> None:
    for name in ("envelope", "pretty"):
        assert caller.call("flex-list", query=f"?{name}={junk}").status_code == 200
    caller.server.reset(freedoms={"junk-flag": "refused"})
    assert caller.call("flex-list", query="?envelope=1").status_code == 400


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (FLEX, 200),
        ("application/vnd.atlas.2025-03-12+json", 200),
        ("application/vnd.atlas.9999-12-31+json", 200),
        ("APPLICATION/VND.ATLAS.2025-03-12+JSON; charset=utf-8", 200),
        ("text/html, application/vnd.atlas.2025-03-12+json;q=0.1", 200),
        ("*/*", 200),
        ("application/*", 200),
        ("application/json", 200),
        ("", 200),
        ("application/vnd.atlas.2024-11-12+json", 406),
        ("application/vnd.atlas.2025-02-30+json", 406),
        ("application/vnd.atlas.2025-03-12+csv", 406),
        ("application/vnd.atlas.\uff12\uff10\uff12\uff15-03-12+json", 406),
        (f"{FLEX};q=0", 406),
        ("text/html", 406),
        (";;;,,,", 406),
        ("application/vnd.atlas.20250312+json", 406),
    ],
)
def test_the_version_is_the_newest_not_later(caller: Caller, accept: str, status: int) -> None:
    answer = caller.http.get(
        caller.path("flex-list"), headers={"Accept": accept.encode(), "Authorization": f"Bearer {caller.token}"}
    )
    if status == 200:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == f"{FLEX};charset=utf-8"
    else:
        error(answer, status)


def test_v1_answers_plain_json(caller: Caller) -> None:
    assert caller.call("tenant-create").headers["content-type"] == "application/json;charset=utf-8"
    error(caller.call("tenant-create", headers={"Accept": "text/html"}), 406)


def test_the_known_departures_can_be_imitated(caller: Caller) -> None:
    caller.server.reset(imitate={"K-TIMESTAMP", "K-PARAMETERS", "K-EMPTY-URL"})
    job = caller.create("cluster-create")
    assert job["desiredTimestamp"] == {"increment": None, "time": None, "date": None}
    assert job["deliveryUrl"] == []
    refused = caller.call("cluster-create", body={}).json()
    assert refused["parameters"] is None
    assert caller.call("cluster-get", at={"job": "0" * 24}).json()["parameters"] is None


def transcript(caller: Caller) -> Iterator[httpx.Response]:
    """A fixed run through everything that a freedom may change, each answer in turn."""
    absent = caller.server.inventory.absent
    assert absent is not None
    flex, dedicated = caller.body("flex-create"), caller.body("cluster-create")
    download, point = caller.body("cluster-create", "download"), caller.body("cluster-create", "pointInTime")
    seconds = point["pointInTimeUTCSeconds"]
    wrong_kind = next(one for one in caller.server.inventory.targets if one.name == "z")
    foreign = caller.cluster("cluster", sharded=True).snapshots[0]
    target = {key: dedicated[key] for key in ("targetClusterName", "targetGroupId")}
    yield caller.http.get(caller.path("flex-list"))
    yield caller.call("flex-create", body=flex)
    yield caller.call("flex-create", body=flex, headers={"Accept": "application/json"})
    for body in (
        flex | {"targetProjectId": None},
        flex | {"more": 1},
        flex | {"targetDeploymentItemName": absent.target},
        flex | {"snapshotId": absent.snapshot},
        flex | {"snapshotId": absent.snapshot, "targetDeploymentItemName": absent.target},
        flex | {"snapshotId": foreign},
        {},
    ):
        yield caller.call("flex-create", body=body)
    for body in (
        dedicated | {"targetClusterName": wrong_kind.name},
        dedicated | {"oplogTs": seconds},
        download,
        download | target,
        point,
        point | {"pointInTimeUTCSeconds": float(seconds)},
        point | {"oplogTs": seconds, "oplogInc": 1},
        point | {"oplogTs": seconds},
        point | {"snapshotId": dedicated["snapshotId"]},
        point | {"pointInTimeUTCSeconds": 1_199_145_600},
        point | {"pointInTimeUTCSeconds": 2**31 - 1},
        dedicated,
    ):
        yield caller.call("cluster-create", body=body)
    yield caller.call("tenant-create", at={"cluster": caller.cluster("flex")}, body=flex)
    yield caller.call("flex-create", at={"cluster": caller.cluster("cluster")}, body=flex)
    yield caller.call("flex-create", headers={"Content-Type": "text/plain"})
    yield caller.call("flex-create", headers={"Content-Type": FLEX})
    yield caller.call("flex-create", at={"name": absent.cluster}, raw=b"{")
    yield caller.send("POST", caller.path("cluster-create-v1").rstrip("/"), body=dedicated)
    caller.settle()  # so what lists show of the jobs is the same in every run
    yield caller.call("flex-list", headers={"Accept": "application/vnd.atlas.2020-01-01+json"})
    yield caller.call("flex-list", headers={"Accept": "application/vnd.atlas.2026-01-15+json"})
    yield caller.call("flex-list", query="?x=" + "a" * 9_000)
    yield caller.call("flex-list", at={"project": absent.project})
    yield caller.call("flex-list", at={"project": "x"}, token=None)
    yield caller.call("flex-create", body=flex | {"targetDeploymentItemName": "Encrypted0"})
    yield caller.call("flex-create", body=flex | {"snapshotId": "x"})
    yield caller.call("flex-create", token=caller.token_of(caller.server.credentials.reader_account))
    yield caller.call("flex-list", token=caller.token_of(caller.server.credentials.off_list_account))
    yield caller.call("flex-list", query="?envelope=maybe")
    yield caller.call("flex-list", query="?itemsPerPage=1000")
    yield caller.call("flex-list", query="?includeCount=false")
    yield caller.call("flex-list", token=caller.token_of(caller.server.credentials.reader_account))
    yield caller.call("flex-list", at={"project": "x"})
    yield caller.call("flex-list", at={"name": "-"})
    yield caller.call("flex-get", at={"job": "x"})
    yield caller.send("PATCH", caller.path("flex-list"))
    yield caller.call("flex-get", at={"job": "0" * 24}, query="?envelope=true")
    yield caller.call("flex-list", query="?envelope=true")
    last = yield_last = caller.call("cluster-create", body=download, query="?envelope=true")
    yield yield_last
    shown = last.json()
    job = next(value for key, value in shown.items() if key in {"content", "envelope"})["id"]
    other = caller.cluster("cluster", other=True)
    yield caller.call("cluster-get", at={"job": job, "cluster": other})
    sharded = caller.cluster("cluster", sharded=True)
    yield caller.call(
        "cluster-create", at={"cluster": sharded}, body=caller.body("cluster-create", "download", cluster=sharded)
    )
    caller.settle()
    yield caller.call("cluster-get", at={"job": job})
    yield caller.call("cluster-cancel", at={"job": job})
    yield caller.call("cluster-list", at={"cluster": sharded}, query="?itemsPerPage=5")
    yield from around(caller, absent.snapshot)


def around(caller: Caller, absent: str) -> Iterator[httpx.Response]:
    """Snapshots and downloads around a restore."""
    yield caller.call("flex-snapshot-get", at={"job": "x"})
    yield caller.call("sharded-snapshot-list")
    yield caller.call("flex-download")
    first = caller.call("snapshot-take")
    yield caller.call(
        "cluster-create", body=caller.body("cluster-create") | {"snapshotId": first.json().get("id", absent)}
    )
    yield caller.call("snapshot-take", body={"retentionInDays": 5})
    yield first
    caller.settle()
    yield caller.call("snapshot-take", body={})
    caller.settle()
    yield caller.call("snapshot-take", body={"description": "For long", "retentionInDays": 366})


def marks(caller: Caller) -> list[str]:
    """The transcript without what differs from run to run."""
    found = []
    for answer in transcript(caller):
        assert answer.status_code < 500
        body = json.loads(answer.content) if answer.content else None
        place = answer.request.url.path
        if answer.is_error:
            inner = body.get("content", body.get("envelope", body)) if "error" not in body else body
            schema("error.json").validate(inner)
            assert inner["error"] == answer.status_code
        elif answer.request.method != "DELETE" and "envelope=true" not in str(answer.request.url):
            listing = "results" in body
            snapshot = "/backup/snapshots" in place
            dedicated = "dedicated" if snapshot else "cluster"
            name = "flex" if "/flexClusters/" in place else "tenant" if "/tenant/" in place else dedicated
            name += "-snapshot" if snapshot else "-restore-job"
            schema(f"{name}-list.json" if listing else f"{name}.json").validate(body)
        headers = sorted(
            (key, value.partition(" ")[0] + ("SHA" if "SHA" in value else ""))
            for key, value in answer.headers.multi_items()
            if key not in {"date", "content-length", "connection"}
        )
        scheduled = (body or {}).get("restoreScheduledDate", "")
        dates = [mark in scheduled for mark in (".", "+")] + [(body or {}).get("expirationDate") == scheduled]
        total = (body or {}).get("totalCount")
        shown = [sorted(job) for job in body["results"]] if body and "results" in body else []
        parts = [sorted(p) for job in (body or {}).get("results", ()) for p in job.get("components", ())]
        parameters = json.dumps(body.get("parameters")) if body and "error" in body else ""
        order = json.dumps([job.get("deliveryType") for job in body["results"]]) if body and "results" in body else ""
        found.append(
            str((answer.status_code, headers, sorted(body or ()), dates, order, (body or {}).get("status"), parameters))
            + str((total, shown, parts))
        )
    return found


@pytest.fixture(scope="module")
def usual(one_caller: Caller) -> list[str]:
    one_caller.server.reset()
    return marks(one_caller)


ELSEWHERE = {"extended-absent", "queued", "retry-after"}
"""Freedoms that have a test of their own: they show at the core level only, over time, or at a limit."""
MOVING = {("expiration", "moving"), ("expires-at", "moving")}


@pytest.mark.parametrize(
    ("name", "choice"),
    [
        (name, choice)
        for name, choices in FREEDOMS.items()
        for choice in choices[1:]
        if name not in ELSEWHERE and (name, choice) not in MOVING
    ],
)
def test_every_choice_conforms_and_changes_something(caller: Caller, usual: list[str], name: str, choice: str) -> None:
    caller.server.reset(freedoms={name: choice})
    assert marks(caller) != usual


@pytest.mark.parametrize(("name", "field"), [("expiration", "expirationDate"), ("expires-at", "expiresAt")])
def test_an_expiration_may_move(caller: Caller, name: str, field: str) -> None:
    caller.server.reset(freedoms={name: "moving", "date-fraction": "milliseconds"})
    family = "flex" if name == "expiration" else "cluster"
    job = caller.create(f"{family}-create", body=caller.body(f"{family}-create", "download"))["id"]
    caller.settle()
    first = caller.call(f"{family}-get", at={"job": job}).json()
    caller.settle(1)
    assert first[field] < caller.call(f"{family}-get", at={"job": job}).json()[field]


@pytest.mark.parametrize(("choice", "form"), [("seconds", r"\d+"), ("date", r"\w{3}, .* GMT"), ("absent", "None")])
def test_a_limit_may_say_how_long_to_wait(choice: str, form: str) -> None:
    from atlas_conformance.reference.server import ReferenceServer

    with ReferenceServer(in_process=True, rate=1, freedoms={"retry-after": choice}) as server:
        calling = Caller(server)
        calling.call("flex-list")
        waits = error(calling.call("flex-list"), 429), calling.call("flex-list").headers.get("retry-after")
        assert re.fullmatch(form, str(waits[1]))
        calling.http.close()


@pytest.mark.parametrize("first", ["PENDING", "QUEUED"])
def test_queued_may_go_unseen(caller: Caller, first: str) -> None:
    caller.server.reset(freedoms={"queued": "skipped", "first-status": first})
    job = caller.create("flex-create")
    seen = {job["status"]}
    while "COMPLETED" not in seen:
        seen.add(caller.call("flex-get", at={"job": job["id"]}).json()["status"])
    assert job["status"] == first
    assert ("QUEUED" in seen) == (first == "QUEUED")


def test_all_last_choices_together_conform(caller: Caller) -> None:
    kept = {"unversioned-accept", "unknown-properties"}
    free = {name: choices[-1] for name, choices in FREEDOMS.items() if name not in kept}
    caller.server.reset(freedoms=free, imitate={"K-TIMESTAMP", "K-EMPTY-URL"})
    # Most creates are refused now; what matters is that nothing breaks.
    assert caller.call("flex-list", headers={"Accept": FLEX}).status_code == 200
    assert caller.call("flex-create", headers={"Accept": FLEX}).status_code == 200


@pytest.mark.parametrize("choice", ["404", "405", "410", "501"])
def test_the_core_alone(choice: str) -> None:
    from atlas_conformance.reference.server import ReferenceServer

    with ReferenceServer(in_process=True, level="core", freedoms={"extended-absent": choice}) as server:
        calling = Caller(server)
        for operation in OPERATIONS.values():
            answer = calling.call(operation.id, at={"job": "0" * 24})
            if operation.level == "workflow":
                continue  # lists of snapshots are there for clients that look around first
            if operation.level == "extended":
                error(answer, int(choice))
            else:
                assert answer.status_code == (404 if operation.kind == "get" else 200)
        calling.http.close()


def test_unknown_freedoms_are_reported_in_one_sentence() -> None:
    with pytest.raises(ValueError, match="did you mean 'busy-target'"):
        resolve({"busy-targets": "409"})
    with pytest.raises(ValueError, match="choice of the freedom 'busy-target'"):
        resolve({"busy-target": "410"})
