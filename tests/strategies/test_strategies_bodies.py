"""Bodies: what says that it breaks a rule breaks exactly that one, what says that it conforms must succeed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.inventory import KINDS, Inventory
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.reading import Reading, Readings
from atlas_conformance.reference.fixtures import make_fixtures
from atlas_conformance.strategies.bodies import (
    Body,
    absences,
    base_bodies,
    conforming_bodies,
    departing_bodies,
    departing_values,
    free_bodies,
    half_pairs,
    has_table,
    schema_of,
    wrong_delivery_types,
)
from atlas_conformance.strategies.boundaries import accepted_values, fits, refused_values
from atlas_conformance.strategies.requests import build, encode
from atlas_conformance.strategies.scenes import Scene, harmless_scene, invented_scene, path_parameters, scenes
from tests.strategies.scenery import ABSENT, INVENTORY, MOMENT, OPEN

OPERATIONS = Contract.load().operations
DELIVERIES = Contract.load().deliveries

CREATES = [o for o in OPERATIONS.values() if o.kind == "create"]
DEDICATED = [o for o in CREATES if o.resource.name == "dedicated job"]
INVENTORIES = {"by hand": INVENTORY, "reference": make_fixtures(3, 1_780_000_000).inventory}
each_create = pytest.mark.parametrize("operation", CREATES, ids=lambda o: o.id)
each_dedicated = pytest.mark.parametrize("operation", DEDICATED, ids=lambda o: o.id)
each_inventory = pytest.mark.parametrize("inventory", INVENTORIES.values(), ids=INVENTORIES)


def reading_of(operation: Operation, scene: Scene, body: Body, knowledge: Knowledge) -> Reading:
    reading = Readings(knowledge).of(build(operation, path_parameters(operation, scene, ""), body.document))
    assert reading is not None
    return reading


def in_scenes(operation: Operation, inventory: Inventory) -> Iterator[tuple[Scene, Knowledge]]:
    knowledge = Knowledge(inventory=inventory)
    found = scenes(inventory, operation.cluster_kind)
    assert found
    for scene in found:
        yield scene, knowledge


@each_create
@each_inventory
def test_conforming_bodies_must_succeed(operation: Operation, inventory: Inventory) -> None:
    for scene, knowledge in in_scenes(operation, inventory):
        bodies = list(conforming_bodies(operation, scene))
        assert bodies[: len(base_bodies(operation, scene))] == base_bodies(operation, scene)
        for body in bodies:
            assert body.breaks is None
            assert reading_of(operation, scene, body, knowledge).must_succeed, body


@each_create
@each_inventory
def test_every_snapshot_and_target_is_named_by_some_conforming_body(operation: Operation, inventory: Inventory) -> None:
    for scene, _ in in_scenes(operation, inventory):
        documents = [body.document for body in conforming_bodies(operation, scene)]
        if operation.resource.what == "snapshot":
            continue
        assert {d["snapshotId"] for d in documents if "snapshotId" in d} == set(scene.snapshots)
        names = [
            (
                d.get("targetGroupId") or d.get("targetProjectId", scene.project),
                d.get("targetClusterName") or d.get("targetDeploymentItemName"),
            )
            for d in documents
        ]
        assert operation.delivery is not None or set(scene.targets) <= set(names)


@each_create
@each_inventory
def test_departing_bodies_break_exactly_what_they_say(operation: Operation, inventory: Inventory) -> None:
    for scene, knowledge in in_scenes(operation, inventory):
        wrong = []
        for body in departing_bodies(operation, scene):
            assert body.breaks is not None
            broken = {v.requirement for v in reading_of(operation, scene, body, knowledge).violations}
            if broken != {body.breaks}:
                wrong.append((body.what, body.breaks, broken))
        assert wrong == []


@each_create
def test_departing_bodies_do_so_where_nothing_exists_too(operation: Operation) -> None:
    """In a scene that even a wrong acceptance cannot harm, the absent snapshot is one more reason at most."""
    knowledge = Knowledge(inventory=INVENTORY)
    scene = harmless_scene(INVENTORY, operation.cluster_kind, ABSENT)
    assert not scene.real
    for body in departing_bodies(operation, scene, 3):
        broken = {v.requirement for v in reading_of(operation, scene, body, knowledge).violations}
        assert body.breaks in broken
        assert broken <= {body.breaks, "N-SNAPSHOT"}


@each_create
@each_inventory
def test_free_bodies_are_neither_owed_a_success_nor_a_refusal(operation: Operation, inventory: Inventory) -> None:
    for scene, knowledge in in_scenes(operation, inventory):
        wrong = []
        for body in free_bodies(operation, scene):
            assert body.breaks is None
            reading = reading_of(operation, scene, body, knowledge)
            if reading.must_be_refused or reading.must_succeed:
                wrong.append((body.what, reading.violations))
        assert wrong == []


@each_create
def test_on_an_endpoint_that_takes_any_id_conforming_bodies_must_succeed(operation: Operation) -> None:
    scene = invented_scene(ABSENT, real=True)
    for body in conforming_bodies(operation, scene):
        assert reading_of(operation, scene, body, OPEN).must_succeed


@each_create
def test_base_bodies_are_one_of_each_kind(operation: Operation) -> None:
    (scene, *_) = scenes(INVENTORY, operation.cluster_kind)
    bases = base_bodies(operation, scene)
    if has_table(operation):
        assert [b.document["deliveryType"] for b in bases] == ["automated", "download", "pointInTime", "pointInTime"]
        assert {frozenset(b.document) & {"oplogTs", "oplogInc", "pointInTimeUTCSeconds"} for b in bases[2:]} == {
            frozenset({"oplogTs", "oplogInc"}),
            frozenset({"pointInTimeUTCSeconds"}),
        }
    else:
        assert len(bases) == 1
        assert set(bases[0].document) == set(schema_of(operation)["properties"])


@each_create
def test_every_needed_property_is_left_out_and_nulled(operation: Operation) -> None:
    (scene, *_) = scenes(INVENTORY, operation.cluster_kind)
    for base in base_bodies(operation, scene):
        found = list(absences(operation, base))
        if has_table(operation):
            row = DELIVERIES[base.document["deliveryType"]]
            needed = set(row.required) | ({"oplogTs", "oplogInc", "pointInTimeUTCSeconds"} & set(base.document))
        else:
            needed = set(schema_of(operation).get("required", ()))
        missing = {name for name in needed for b in found if name not in b.document}
        nulled = {name for name in needed for b in found if b.document.get(name, 0) is None}
        assert missing == nulled == needed


@each_dedicated
def test_every_requirement_of_the_table_is_broken(operation: Operation) -> None:
    (scene, *_) = scenes(INVENTORY, operation.cluster_kind)
    broken = {(str(b.document.get("deliveryType")), b.breaks) for b in departing_bodies(operation, scene)}
    for row in DELIVERIES.values():
        owed = {(row.type, requirement) for requirement in row.required.values() if requirement != "T-ENUM"}
        assert owed <= broken
    assert ("pointInTime", "T-POINT") in broken
    assert any(requirement == "T-ENUM" for _, requirement in broken)


def test_half_an_oplog_pair_is_generated_from_either_side() -> None:
    (scene, *_) = scenes(INVENTORY, "dedicated")
    halves = [set(b.document) & {"oplogTs", "oplogInc"} for b in half_pairs(scene)]
    assert {"oplogTs"} in halves
    assert {"oplogInc"} in halves
    assert set() in halves


def test_delivery_types_go_wrong_by_case_space_newline_and_type() -> None:
    (scene, *_) = scenes(INVENTORY, "dedicated")
    values = [b.document["deliveryType"] for b in wrong_delivery_types(scene)]
    for value in ("Automated", "automated\n", " download", "pointintime", "DOWNLOAD", "", "RESTORE", 1, True):
        assert value in values
    assert not set(DELIVERIES) & {v for v in values if isinstance(v, str)}


BOUNDARIES: dict[str, list[Any]] = {
    "oplogTs": [1_199_145_599, 2**31, 0, -1, "1764547201", True, False],
    "oplogInc": [0, 2**31, -1, "3", True],
    "pointInTimeUTCSeconds": [1_199_145_599, 2**31, 0, -1, "1764547200", True],
}


@pytest.mark.parametrize("field", BOUNDARIES)
def test_every_boundary_of_a_range_is_generated(field: str) -> None:
    schema = schema_of(OPERATIONS["cluster-create"])["properties"][field]
    good = {"oplogTs": MOMENT.oplog_ts, "oplogInc": MOMENT.oplog_inc, "pointInTimeUTCSeconds": MOMENT.utc_seconds}[
        field
    ]
    found = [(type(v.value), v.value) for v in refused_values(schema, good)]
    for value in BOUNDARIES[field]:
        assert (type(value), value) in found
    inner = [v.value for v in accepted_values(schema, good)]
    assert inner == [schema["minimum"], 2**31 - 1]


STRINGS = [("flex-create", name) for name in ("snapshotId", "targetDeploymentItemName", "targetProjectId")]
STRINGS += [("cluster-create", name) for name in ("snapshotId", "targetClusterName", "targetGroupId")]


@pytest.mark.parametrize(("name", "field"), STRINGS)
def test_every_boundary_of_a_pattern_is_generated(name: str, field: str) -> None:
    operation = OPERATIONS[name]
    (scene, *_) = scenes(INVENTORY, operation.cluster_kind)
    schema = schema_of(operation)["properties"][field]
    good = base_bodies(operation, scene)[0].document[field]
    refused = [v.value for v in refused_values(schema, good)]
    texts = [value for value in refused if isinstance(value, str)]
    assert {int, list, bool, dict, float} <= {type(value) for value in refused}
    assert good + "\n" in texts
    assert "" in texts
    longest = 24 if field.endswith("Id") else 64
    assert any(len(text) == longest + 1 for text in texts)
    if field.endswith("Id"):
        assert good.upper() in texts
        assert good[:-1] in texts
        assert any(text[-1:] == "g" and len(text) == 24 for text in texts)
    if field == "targetDeploymentItemName":
        assert any(len(text) == 65 and ord(text[0]) > 0xFFFF for text in texts)
        inner = [v.value for v in accepted_values(schema, good)]
        assert any(len(text) == 64 for text in inner)
        for letter in ("ß", "К", "数", "𝒳", "٣"):
            assert any(letter in text for text in inner)
    if field == "targetClusterName":
        assert any(text.startswith("-") for text in texts)
        assert any("_" in text for text in texts)
        assert any("ß" in text for text in texts)
    assert not any(fits(schema, text) for text in texts)


def test_the_number_of_values_of_each_property_is_limited_and_the_telling_ones_first() -> None:
    operation = OPERATIONS["cluster-create"]
    (scene, *_) = scenes(INVENTORY, operation.cluster_kind)
    for base in base_bodies(operation, scene):
        every = list(departing_values(operation, base, None))
        few = list(departing_values(operation, base, 3))
        properties = len(base.document) - 1
        assert len(few) == 3 * properties
        assert len(every) > len(few)
        assert {b.breaks for b in few} >= {"B-TYPE"}
        assert all(body in every for body in few)


@each_create
def test_bodies_come_the_same_every_time_and_none_twice(operation: Operation) -> None:
    (scene, *_) = scenes(INVENTORY, operation.cluster_kind)
    for source in (conforming_bodies, departing_bodies, free_bodies):
        first, second = list(source(operation, scene)), list(source(operation, scene))
        assert [encode(b.document) for b in first] == [encode(b.document) for b in second]
    sent = [encode(b.document) for b in conforming_bodies(operation, scene)]
    assert len(set(sent)) == len(sent)


def test_scenes_name_what_exists() -> None:
    for kind in KINDS:
        for scene in scenes(INVENTORY, kind):
            assert scene.real
            cluster = next(c for c in INVENTORY.clusters if (c.project, c.name) == (scene.project, scene.cluster))
            assert cluster.kind == kind
            assert scene.snapshots == cluster.snapshots
            accepted = {(t.project, t.name) for t in INVENTORY.targets if kind in t.accepts}
            assert set(scene.targets) == accepted
            assert scene.targets[0][0] == scene.project
    assert scenes(Inventory(), "flex") == ()


def test_a_harmless_scene_restores_nothing_to_nowhere() -> None:
    for kind in KINDS:
        scene = harmless_scene(INVENTORY, kind, ABSENT)
        assert scene.snapshots == (ABSENT.snapshot,)
        assert scene.targets == ((ABSENT.project, ABSENT.target),)
        assert scene.moment is not None
        assert harmless_scene(Inventory(), kind, ABSENT).cluster == ABSENT.cluster
