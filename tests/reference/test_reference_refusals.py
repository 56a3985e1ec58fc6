"""What must be refused is, with an error body that is whole, and nothing is created."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest

from atlas_conformance.contracts.contract import Contract
from tests.reference.calling import Caller, error

OPERATIONS = Contract.load().operations

SHARED = ("flex-create", "tenant-create")
DEDICATED = ("cluster-create", "cluster-create-v1")
HEX = "0123456789abcdef01234567"
GONE = Enum("Left", ["OUT"]).OUT  # type: ignore[attr-defined]
"""In place of a value: the field is left out."""


def names(family: tuple[str, ...]) -> tuple[str, ...]:
    if family is SHARED:
        return ("snapshotId", "targetDeploymentItemName", "targetProjectId")
    return ("snapshotId", "targetClusterName", "targetGroupId")


BAD_IDS = [HEX.upper(), HEX[:-1], HEX + "0", HEX + "\n", "\n" + HEX, "", "g" + HEX[1:], " " + HEX[1:]]
BAD_ITEMS = ["", "x" * 65, "𐐀" * 65, "a b", "a\n", "a/b", "a%b", "a*b", "e\u0301", "🙂", "a\u0000"]
BAD_CLUSTERS = ["", "-a", "x" * 65, "a_b", "Größe", "a\n", "a.b", "\uff41"]


def cases() -> list[Any]:
    found: list[Any] = []
    for family in (SHARED, DEDICATED):
        snapshot, target, project = names(family)
        changes: list[tuple[str, Any]] = [(field, bad) for field in (snapshot, project) for bad in BAD_IDS]
        changes += [(target, bad) for bad in (BAD_ITEMS if family is SHARED else BAD_CLUSTERS)]
        changes += [(field, bad) for field in (snapshot, target, project) for bad in (1, 1.5, True, [], {}, ["a"])]
        changes += [(field, missing) for field in (snapshot, target) for missing in (None, GONE)]
        if family is DEDICATED:
            changes += [
                ("deliveryType", bad) for bad in (None, GONE, "Automated", "DOWNLOAD", "", "automated\n", 1, [])
            ]
            changes += [(project, GONE), (project, None)]
        found += [
            pytest.param(op, {field: value}, id=f"{op}-{field}-{value!r:.30}")
            for op in family
            for field, value in changes
        ]
    point: dict[str, Any] = {"deliveryType": "pointInTime", "snapshotId": GONE}
    second = {"pointInTimeUTCSeconds": 1_700_000_000}
    pair = {"oplogTs": 1_700_000_000, "oplogInc": 1}
    points: list[dict[str, Any]] = [
        {},
        {"oplogTs": 1_700_000_000},
        {"oplogInc": 1},
        second | {"targetClusterName": GONE},
        second | {"targetGroupId": GONE},
        pair | {"oplogInc": 0},
        pair | {"oplogInc": 2**31},
        pair | {"oplogTs": 1_199_145_599},
        pair | {"oplogTs": 2**31},
        pair | {"oplogTs": "1700000000"},
        pair | {"oplogInc": True},
        pair | {"oplogInc": 1.5},
        {"pointInTimeUTCSeconds": 1_199_145_599},
        {"pointInTimeUTCSeconds": 2**31},
        {"pointInTimeUTCSeconds": 2**64},
        {"pointInTimeUTCSeconds": True},
        {"pointInTimeUTCSeconds": "1700000000"},
        {"pointInTimeUTCSeconds": None},
    ]
    found += [
        pytest.param(op, point | change, id=f"{op}-point-{number}")
        for op in DEDICATED
        for number, change in enumerate(points)
    ]
    found += [
        pytest.param(
            op, {"deliveryType": "download", "targetClusterName": GONE, "snapshotId": GONE}, id=f"{op}-no-snapshot"
        )
        for op in DEDICATED
    ]
    return found


@pytest.mark.parametrize(("operation", "change"), cases())
def test_a_broken_body_is_refused(caller: Caller, operation: str, change: dict[str, Any]) -> None:
    body = {key: value for key, value in (caller.body(operation) | change).items() if value is not GONE}
    listing = {"tenant-create": None, "flex-create": "flex-list"}.get(operation, "cluster-list")
    before = caller.call(listing).json()["totalCount"] if listing else 0
    document = error(caller.call(operation, body=body), 400)
    assert document["reason"] == "Bad Request"
    assert document["errorCode"].replace("_", "").isupper()
    if listing:
        assert caller.call(listing).json()["totalCount"] == before


@pytest.mark.parametrize("operation", [*SHARED, *DEDICATED])
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"a"',
        b"1",
        b"\xff",
        b"{}{}",
        b"NaN",
        b'{"a":NaN}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"'",
    ],
    ids=lambda raw: repr(raw[:12]),
)
def test_what_is_no_json_object_is_refused(caller: Caller, operation: str, raw: bytes) -> None:
    error(caller.call(operation, raw=raw), 400)


@pytest.mark.parametrize("operation", [operation.id for operation in OPERATIONS.values()])
def test_malformed_and_absent_places_are_refused(caller: Caller, operation: str) -> None:
    absent = caller.server.inventory.absent
    assert absent is not None
    for project in (HEX.upper(), HEX[:-1], HEX + "0", HEX + "\n", "%", "\uff46" * 24):
        error(caller.call(operation, at={"project": project, "job": HEX}), 400)
    for name in ("-a", "x" * 65, "a_b", "Größe", "a\n", "a b", "a/b"):
        error(caller.call(operation, at={"name": name, "job": HEX}), 400)
    error(caller.call(operation, at={"project": absent.project, "job": HEX}), 404)
    error(caller.call(operation, at={"name": absent.cluster, "job": HEX}), 404)
    if OPERATIONS[operation].kind in {"get", "cancel"}:
        for malformed in (HEX.upper(), HEX[:-1], HEX + "\n", "x"):
            error(caller.call(operation, at={"job": malformed}), 400)
        error(caller.call(operation, at={"job": absent.job}), 404)


@pytest.mark.parametrize("operation", [*SHARED, *DEDICATED])
def test_an_absent_snapshot_or_target_is_refused(caller: Caller, operation: str) -> None:
    absent = caller.server.inventory.absent
    assert absent is not None
    good = caller.body(operation)
    snapshot, target, project = names(SHARED if operation in SHARED else DEDICATED)
    for change in ({snapshot: absent.snapshot}, {target: absent.target}, {project: absent.project}):
        error(caller.call(operation, body=good | change), 404)
    foreign = next(c for c in caller.server.inventory.clusters if c.sharded).snapshots[0]
    error(caller.call(operation, body=good | {snapshot: foreign}), 404)


def test_a_cluster_of_another_kind_is_refused(caller: Caller) -> None:
    for operation in ("flex-create", "tenant-create", "cluster-create", "cluster-create-v1"):
        for family in ("flex", "tenant", "cluster"):
            if family != OPERATIONS[operation].resource.label:
                error(caller.call(operation, at={"cluster": caller.cluster(family)}, body=caller.body(operation)), 400)


def test_other_methods_and_paths_are_distinguished(caller: Caller) -> None:
    answer = caller.send("PATCH", caller.path("flex-create"))
    error(answer, 405)
    assert answer.headers["allow"] == "GET, POST"
    error(caller.send("GET", caller.path("flex-create") + "/a/b"), 404)
    error(caller.send("GET", "/"), 404)
    error(caller.send("GET", caller.path("tenant-create")), 405)


def test_size_type_and_length(caller: Caller) -> None:
    error(caller.call("flex-create", raw=b" " * 1_048_577), 413)
    error(caller.call("flex-create", raw=b'{"a":"' + b"x" * 5_000_000 + b'"}'), 413)
    error(caller.call("flex-create", body=caller.body("flex-create") | {"more": "x" * 900_000}), 400)
    assert caller.call("flex-create", body=caller.body("flex-create") | {"links": ["x" * 900_000]}).status_code == 200
    for wrong in ("text/plain", "application/xml", "application/json; charset=latin-1", "application/jsonx", ""):
        error(caller.call("flex-create", headers={"Content-Type": wrong}), 415)
    error(caller.call("flex-create", headers={"Content-Encoding": "gzip"}), 415)
    assert caller.call("flex-create", headers={"Content-Type": 'APPLICATION/JSON; charset="UTF-8"'}).status_code == 200
    error(caller.call("flex-list", query="?x=" + "a" * 9_000), 414)
