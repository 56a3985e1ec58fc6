"""The deliveryType decision table."""

from __future__ import annotations

from itertools import combinations

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.decision import Delivery

FIELDS = tuple(
    f for part in ("required", "meaningless") for f in getattr(Contract.load().deliveries["automated"], part)
)
DELIVERIES = Contract.load().deliveries
OPERATIONS = Contract.load().operations
REQUIREMENTS = Contract.load().requirements

HEX = "5f0c1e2d3a4b5c6d7e8f9a0b"
GOOD = {
    "snapshotId": HEX,
    "targetClusterName": "Target0",
    "targetGroupId": HEX,
    "oplogTs": 1764547200,
    "oplogInc": 1,
    "pointInTimeUTCSeconds": 1764547200,
}
SUBSETS = [frozenset(subset) for size in range(len(FIELDS) + 1) for subset in combinations(FIELDS, size)]
TARGET = {"targetClusterName", "targetGroupId"}

each_delivery = pytest.mark.parametrize("delivery", DELIVERIES.values(), ids=DELIVERIES)


def test_the_table_knows_the_types_and_fields_of_the_schema() -> None:
    schema = Contract.load().schemas.documents["cluster-restore-request.json"]
    assert set(FIELDS) == set(schema["properties"])
    assert list(DELIVERIES) == schema["allOf"][0]["properties"]["deliveryType"]["enum"]


@each_delivery
def test_every_field_has_one_role(delivery: Delivery) -> None:
    alternatives = frozenset().union(*delivery.alternatives)
    groups = [set(delivery.required), set(delivery.allowed), set(delivery.meaningless), set(alternatives)]
    assert sum(map(len, groups)) == len(FIELDS)
    assert set().union(*groups) == set(FIELDS)
    assert all(delivery.role(field) for field in FIELDS)


@each_delivery
def test_requirements_of_the_table_bind_creates_of_dedicated_clusters(delivery: Delivery) -> None:
    named = {*delivery.required.values(), *delivery.meaningless.values(), delivery.alternatives_requirement} - {None}
    creates = {o.id for o in OPERATIONS.values() if (o.resource.name, o.kind) == ("dedicated job", "create")}
    assert all(creates <= set(REQUIREMENTS[requirement].operations) for requirement in named if requirement)


@each_delivery
@pytest.mark.parametrize("present", SUBSETS, ids=lambda present: "+".join(sorted(present)) or "nothing")
def test_schema_and_table_say_the_same(delivery: Delivery, present: frozenset[str]) -> None:
    document = {field: GOOD.get(field, delivery.type) for field in present}
    errors = Contract.load().validator("cluster-restore-request.json").explain(document)
    if "deliveryType" in present:
        assert {error.requirement for error in errors} == set(delivery.violations(present))
    else:
        assert {error.requirement for error in errors} == {"T-ENUM"}
        assert "T-ENUM" in delivery.violations(present)
    assert (delivery.standing(present) == "refused") is bool(errors)


@pytest.mark.parametrize(
    ("delivery_type", "present", "standing"),
    [
        ("automated", {"snapshotId"} | TARGET, "conforming"),
        ("automated", {"snapshotId", "oplogTs"} | TARGET, "free"),
        ("automated", {"snapshotId", "targetGroupId"}, "refused"),
        ("automated", {"pointInTimeUTCSeconds"} | TARGET, "refused"),
        ("download", {"snapshotId"}, "conforming"),
        ("download", {"snapshotId"} | TARGET, "free"),
        ("download", {"snapshotId", "pointInTimeUTCSeconds"}, "free"),
        ("download", TARGET, "refused"),
        ("pointInTime", {"pointInTimeUTCSeconds"} | TARGET, "conforming"),
        ("pointInTime", {"oplogTs", "oplogInc"} | TARGET, "conforming"),
        ("pointInTime", {"oplogTs", "oplogInc", "pointInTimeUTCSeconds"} | TARGET, "free"),
        ("pointInTime", {"oplogInc", "pointInTimeUTCSeconds"} | TARGET, "free"),
        ("pointInTime", {"snapshotId", "pointInTimeUTCSeconds"} | TARGET, "free"),
        ("pointInTime", {"oplogTs"} | TARGET, "refused"),
        ("pointInTime", {"snapshotId"} | TARGET, "refused"),
        ("pointInTime", {"pointInTimeUTCSeconds", "targetGroupId"}, "refused"),
    ],
)
def test_the_table_says_what_the_contract_says(delivery_type: str, present: set[str], standing: str) -> None:
    assert DELIVERIES[delivery_type].standing({"deliveryType", *present}) == standing


def test_an_unknown_field_has_no_role() -> None:
    with pytest.raises(KeyError):
        DELIVERIES["download"].role("snapshot")
