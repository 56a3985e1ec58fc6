"""Bodies that must be refused: no JSON, something missing, of the wrong type, or outside its pattern or range."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from atlas_conformance.contracts.operation import Operation
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.expectations import expect_refused
from atlas_conformance.runner.marks import CREATES, DEDICATED_CREATES, covers, on
from atlas_conformance.runner.nothing_created import send_watched
from atlas_conformance.strategies.bodies import (
    Body,
    absences,
    all_departing_values,
    base_bodies,
    half_pairs,
    impossible_targets,
    undocumented_properties,
    wrong_delivery_types,
)
from atlas_conformance.strategies.malformed import not_objects
from atlas_conformance.strategies.requests import Case
from atlas_conformance.strategies.scenes import Scene, request_in


@covers("B-JSON")
@on(CREATES)
def test_a_body_that_is_no_json_object_is_refused(endpoint: Endpoint, operation: Operation) -> None:
    """Broken JSON, JSON of other types, other formats, nothing at all."""
    scene = endpoint.scenes_of(operation)[0]
    good = request_in(operation, scene, document=base_bodies(operation, scene)[0].document)
    bodies = not_objects(good, optional=operation.takes_no_body)
    answers = send_watched(endpoint, operation, scene, islice(bodies, _limit(endpoint, 16)))
    expect_refused(endpoint, answers, by="B-JSON")


@covers("B-REQUIRED", "T-ENUM", "T-TARGET", "T-SNAPSHOT", "T-POINT")
@on(CREATES)
def test_a_needed_property_missing_or_null_is_refused(endpoint: Endpoint, operation: Operation) -> None:
    """Each property that the operation or the deliveryType needs is left out, then null."""
    scene = endpoint.scenes_of(operation)[0]
    bodies = [body for base in base_bodies(operation, scene) for body in absences(operation, base)]
    answers = send_watched(endpoint, operation, scene, _cases(operation, scene, bodies))
    expect_refused(endpoint, answers, by=("B-REQUIRED", "T-ENUM", "T-TARGET", "T-SNAPSHOT", "T-POINT"))


@covers("T-POINT", "T-ENUM", "B-TYPE")
@on(DEDICATED_CREATES)
def test_delivery_types_and_moments_beside_the_table_are_refused(endpoint: Endpoint, operation: Operation) -> None:
    """Half an oplog pair, no moment at all, an unknown deliveryType."""
    scene = endpoint.scenes_of(operation)[0]
    wrong = islice(wrong_delivery_types(scene), _limit(endpoint, 14))
    answers = send_watched(endpoint, operation, scene, _cases(operation, scene, [*half_pairs(scene), *wrong]))
    expect_refused(endpoint, answers, by=("T-POINT", "T-ENUM", "B-TYPE"))


@covers("B-TYPE", "B-PATTERN", "B-RANGE", "E-FIELDS")
@on(CREATES)
def test_a_value_of_the_wrong_type_pattern_or_range_is_refused(endpoint: Endpoint, operation: Operation) -> None:
    """Each property of each kind of request, just beyond each boundary and in each other JSON type."""
    scene = endpoint.scenes_of(operation)[0]
    most = endpoint.profile.per_property
    if operation.resource.moments and scene.moment is None:
        endpoint.not_exercised("B-RANGE", operation.id, "the target names no point in time to restore to")
    bodies = all_departing_values(operation, scene, most)
    answers = send_watched(endpoint, operation, scene, _cases(operation, scene, bodies))
    expect_refused(endpoint, answers, by=("B-TYPE", "B-PATTERN", "B-RANGE"))


@covers("N-TARGET")
@on(CREATES)
def test_a_restore_to_an_impossible_target_is_refused(endpoint: Endpoint, operation: Operation) -> None:
    """Each target that the target file marks as impossible, for each kind of request that names one."""
    scene = endpoint.scenes(operation.cluster_kind)[0]
    bodies = list(impossible_targets(operation, scene, endpoint.knowledge.inventory))
    if not bodies:
        reason = "the target file marks no restore target of this kind as impossible"
        endpoint.not_exercised("N-TARGET", operation.id, reason)
        return
    answers = send_watched(endpoint, operation, scene, _cases(operation, scene, bodies))
    expect_refused(endpoint, answers, by="N-TARGET")


@covers("B-UNKNOWN")
@on(CREATES)
def test_an_undocumented_property_is_refused(endpoint: Endpoint, operation: Operation) -> None:
    """An undocumented property, first and last, in an otherwise good body of each kind."""
    scene = endpoint.scenes(operation.cluster_kind)[0]
    bodies = [body for base in base_bodies(operation, scene) for body in undocumented_properties(base)]
    requests = [case.request for case in _cases(operation, scene, bodies)]
    answers = endpoint.send_sample(operation, requests)
    expect_refused(endpoint, answers, by="B-UNKNOWN")


def _cases(operation: Operation, scene: Scene, bodies: Iterable[Body]) -> Iterator[Case]:
    for body in bodies:
        yield Case(request_in(operation, scene, document=body.document), body.breaks, body.what)


def _limit(endpoint: Endpoint, quick: int) -> int | None:
    return quick if endpoint.profile.odd_inputs is not None else None
