"""Bodies of creates: conforming ones, and every one-step departure from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import islice
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.inventory import Inventory
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.strategies.boundaries import accepted_values, refused_values
from atlas_conformance.strategies.disguises import disguises
from atlas_conformance.strategies.scenes import Scene

_ENUM_NEAR = {"automated": "Automated", "download": "DOWNLOAD", "pointInTime": "pointintime"}

_UNKNOWN_TARGETS = 12
"""How many well-formed names of targets that nobody knows are tried."""


@dataclass(frozen=True)
class Body:
    """A JSON body, the requirement that it breaks (None: it conforms), and what is particular to it."""

    document: Any
    breaks: str | None
    what: str


def schema_of(operation: Operation) -> Mapping[str, Any]:
    """The request schema of a create."""
    assert operation.request_schema is not None
    return Contract.load().validator(operation.request_schema).schema


def conforming_bodies(operation: Operation, scene: Scene) -> Iterator[Body]:
    """Yield conforming bodies: the plainest of each kind first, then every snapshot and every target."""
    if operation.resource.what == "snapshot":
        yield from _taken()
    elif operation.delivery is not None:
        yield from _delivered(scene)
    else:
        yield from _dedicated(scene) if has_table(operation) else _shared(scene)


def has_table(operation: Operation) -> bool:
    """Whether the decision table says what a create's body needs."""
    return "deliveryType" in schema_of(operation)["properties"]


def _taken() -> Iterator[Body]:
    yield Body({"description": "taken to be tested", "retentionInDays": 1}, None, "a description and a retention")
    yield Body({"description": 'Größe, Кластер, 数据, 😀 "x" \\ \n'}, None, "a description in several scripts")
    yield Body({"retentionInDays": 365}, None, "the longest retention that must be taken")
    yield Body({"description": "x" * 200, "retentionInDays": 2}, None, "a long description")


def _delivered(scene: Scene) -> Iterator[Body]:
    for number, snapshot in enumerate(scene.snapshots):
        yield Body({"snapshotId": snapshot}, None, "another snapshot" if number else "a snapshot")


def _shared(scene: Scene) -> Iterator[Body]:
    snapshot, (project, name) = scene.snapshots[0], scene.targets[0]
    full = {"snapshotId": snapshot, "targetDeploymentItemName": name, "targetProjectId": project}
    yield Body(full, None, "every property")
    if project == scene.project:
        yield Body({k: full[k] for k in ("snapshotId", "targetDeploymentItemName")}, None, "no targetProjectId")
    for other in scene.snapshots[1:]:
        yield Body(full | {"snapshotId": other}, None, "another snapshot")
    for target_project, target_name in scene.targets[1:]:
        body = full | {"targetDeploymentItemName": target_name, "targetProjectId": target_project}
        yield Body(body, None, f"the target {target_name!r}")


def _dedicated(scene: Scene) -> Iterator[Body]:
    snapshot, (project, name) = scene.snapshots[0], scene.targets[0]
    target = {"targetClusterName": name, "targetGroupId": project}
    automated = {"deliveryType": "automated", "snapshotId": snapshot, **target}
    yield Body(automated, None, "automated")
    yield Body({"deliveryType": "download", "snapshotId": snapshot}, None, "download")
    for moment in moments(scene):
        yield Body({"deliveryType": "pointInTime", **moment, **target}, None, f"pointInTime by {' and '.join(moment)}")
    for other in scene.snapshots[1:]:
        yield Body(automated | {"snapshotId": other}, None, "automated, another snapshot")
        yield Body({"deliveryType": "download", "snapshotId": other}, None, "download, another snapshot")
    for target_project, target_name in scene.targets[1:]:
        body = automated | {"targetClusterName": target_name, "targetGroupId": target_project}
        yield Body(body, None, f"automated, the target {target_name!r}")


def moments(scene: Scene) -> list[dict[str, int]]:
    """Return the moment of the scene's restore window in each notation that is known."""
    moment, found = scene.moment, []
    if moment is not None and moment.utc_seconds is not None:
        found.append({"pointInTimeUTCSeconds": moment.utc_seconds})
    if moment is not None and moment.oplog_ts is not None and moment.oplog_inc is not None:
        found.append({"oplogTs": moment.oplog_ts, "oplogInc": moment.oplog_inc})
    return found


def odd_moments(scene: Scene) -> list[dict[str, int]]:
    """Return moments shortly before the scene's that no clock's rounding leaves as they are, in each notation known.

    Their seconds lie within a minute, their increments are neither 1 nor fit a byte. Nobody knows whether the restore
    window holds them.
    """
    found: list[dict[str, int]] = []
    for moment in moments(scene):
        odd = {name: value - value % 60 - 23 for name, value in moment.items() if name != "oplogInc"}
        if all(value > 1_199_145_600 for value in odd.values()):
            found += [odd] if "oplogInc" not in moment else [odd | {"oplogInc": inc} for inc in (7, 70_003)]
    return found


def base_bodies(operation: Operation, scene: Scene) -> list[Body]:
    """Return the bodies that departures start from: one a deliveryType and notation; one where there is no choice."""
    if not has_table(operation):
        return list(islice(conforming_bodies(operation, scene), 1))
    return list(islice(_dedicated(scene), 2 + len(moments(scene))))


def departing_bodies(operation: Operation, scene: Scene, per_property: int | None = None) -> Iterator[Body]:
    """Yield bodies that break exactly one rule, each one step from a conforming body.

    `per_property` limits how many departing values each property of each base body gets; None takes them all.
    """
    for base in base_bodies(operation, scene):
        yield from absences(operation, base)
        yield from departing_values(operation, base, per_property)
    if has_table(operation):
        yield from half_pairs(scene)
        yield from wrong_delivery_types(scene)


def absences(operation: Operation, base: Body) -> Iterator[Body]:
    """Yield the base without each property that it needs, then with null in its place (B-REQUIRED, T-*)."""
    for name, requirement in _needed(operation, base.document):
        rest = {k: v for k, v in base.document.items() if k != name}
        yield Body(rest, requirement, f"{base.what}: {name} missing")
        yield Body(rest | {name: None}, requirement, f"{base.what}: {name} null")


def _needed(operation: Operation, document: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not has_table(operation):
        return [(name, "B-REQUIRED") for name in schema_of(operation).get("required", ())]
    delivery = Contract.load().deliveries[document["deliveryType"]]
    needed = list(delivery.required.items())
    if delivery.alternatives_requirement is not None:
        given = [name for name in document if any(name in group for group in delivery.alternatives)]
        needed += [(name, delivery.alternatives_requirement) for name in given]
    return needed


def departing_values(
    operation: Operation, base: Body, per_property: int | None, known: Set[str] = frozenset()
) -> Iterator[Body]:
    """Yield the base with one property's value replaced by one that its schema refuses (B-TYPE, B-PATTERN, B-RANGE).

    Of the `known` properties, which another base has had, there are a third of `per_property`.
    """
    properties = schema_of(operation)["properties"]
    for name, good in base.document.items():
        if name == "deliveryType":
            continue
        most = per_property // 3 if per_property is not None and name in known else per_property
        for value in islice(refused_values(properties[name], good), most):
            yield Body(base.document | {name: value.value}, value.breaks, f"{base.what}: {name} with {value.what}")


def all_departing_values(operation: Operation, scene: Scene, per_property: int | None) -> Iterator[Body]:
    """Yield what `departing_values` does of each base, most of it for the first base that has a property."""
    known: set[str] = set()
    for base in base_bodies(operation, scene):
        yield from departing_values(operation, base, per_property, known)
        known.update(base.document)


def half_pairs(scene: Scene) -> Iterator[Body]:
    """Yield pointInTime bodies with no moment, or with half of an oplog pair (T-POINT)."""
    project, name = scene.targets[0]
    base = {"deliveryType": "pointInTime", "targetClusterName": name, "targetGroupId": project}
    yield Body(base, "T-POINT", "pointInTime without a moment")
    yield Body(base | {"snapshotId": scene.snapshots[0]}, "T-POINT", "pointInTime with a snapshot for a moment")
    if scene.moment is not None and scene.moment.oplog_ts is not None:
        yield Body(base | {"oplogTs": scene.moment.oplog_ts}, "T-POINT", "pointInTime with oplogTs alone")
        yield Body(base | {"oplogInc": scene.moment.oplog_inc}, "T-POINT", "pointInTime with oplogInc alone")


def wrong_delivery_types(scene: Scene) -> Iterator[Body]:
    """Yield otherwise complete bodies whose deliveryType is not one of the three (T-ENUM, B-TYPE)."""
    project, name = scene.targets[0]
    everything: dict[str, Any] = {"snapshotId": scene.snapshots[0], "targetClusterName": name, "targetGroupId": project}
    moment = moments(scene)[0] if moments(scene) else {}
    bases = {good: everything | (moment if good == "pointInTime" else {}) for good in _ENUM_NEAR}
    for good, near in _ENUM_NEAR.items():
        yield Body(bases[good] | {"deliveryType": near}, "T-ENUM", f"deliveryType {near!r}")
    for good, disguised in (("automated", "automated "), ("download", " download"), ("pointInTime", "pointInTime\n")):
        yield Body(bases[good] | {"deliveryType": disguised}, "T-ENUM", f"deliveryType {disguised!r}")
    for odd in (1, True, ["automated"], {"type": "automated"}):
        yield Body(everything | {"deliveryType": odd}, "B-TYPE", f"deliveryType {odd!r}")
    for wrong in ("", "RESTORE", "automated\n", "point_in_time", "oplog"):
        yield Body(everything | {"deliveryType": wrong}, "T-ENUM", f"deliveryType {wrong!r}")
    for good, base in bases.items():
        for text, _ in disguises(good):
            if text not in (*_ENUM_NEAR.values(), f"{good} "):
                yield Body(base | {"deliveryType": text}, "T-ENUM", f"deliveryType {text!r}")


def impossible_targets(operation: Operation, scene: Scene, inventory: Inventory) -> Iterator[Body]:
    """Yield each conforming body that names a target, with each one in its place that takes no restore (N-TARGET)."""
    fields = operation.resource.target
    if fields is None:
        return
    project_field, name_field = fields
    for target in inventory.targets:
        if target.impossible is not None and operation.resource.cluster_kind in target.accepts:
            for base in base_bodies(operation, scene):
                if name_field in base.document:
                    body = base.document | {name_field: target.name, project_field: target.project}
                    yield Body(body, "N-TARGET", f"{base.what}: the impossible target {target.name!r}")


def undocumented_properties(base: Body) -> Iterator[Body]:
    """Yield the base with an undocumented property (B-UNKNOWN), after the others and before them."""
    yield Body(base.document | {"unheardOf": 1}, "B-UNKNOWN", f"{base.what}: a property that nobody names")
    yield Body({"comment": "x"} | base.document, "B-UNKNOWN", f"{base.what}: another one, before all others")


def free_bodies(operation: Operation, scene: Scene) -> Iterator[Body]:
    """Yield bodies on which the contract leaves an endpoint free: whatever the answer, it must hold to C-* and E-*."""
    properties = schema_of(operation)["properties"]
    for base in base_bodies(operation, scene):
        document = base.document
        for name in properties:
            if name not in document:
                yield Body(document | {name: None}, None, f"{base.what}: {name} null")
        needed = {name for name, _ in _needed(operation, document)} | {"deliveryType"}
        for name, value in document.items():
            if name not in needed:
                yield Body(document | {name: None}, None, f"{base.what}: {name} null")
            if isinstance(value, int):
                yield Body(document | {name: float(value)}, None, f"{base.what}: {name} with a fraction of zero")
        if has_table(operation):
            yield from _free_combinations(base, scene)
        elif operation.takes_no_body:
            yield Body({}, None, "no property")
            yield Body(document | {"retentionInDays": 366}, None, "a retention of more than a year")
        elif operation.delivery is None:
            name = document["targetDeploymentItemName"]
            for value in islice(accepted_values(properties["targetDeploymentItemName"], name), _UNKNOWN_TARGETS):
                body = document | {"targetDeploymentItemName": value.value}
                yield Body(body, None, f"an unknown target with {value.what}")


def _free_combinations(base: Body, scene: Scene) -> Iterator[Body]:
    document = base.document
    delivery = document["deliveryType"]
    for moment in moments(scene):
        if not moment.keys() <= document.keys():
            yield Body(document | moment, None, f"{base.what}: also {' and '.join(moment)}")
    if delivery == "pointInTime":
        yield Body(document | {"snapshotId": scene.snapshots[0]}, None, f"{base.what}: also a snapshot")
        for moment in odd_moments(scene):
            if moment.keys() <= document.keys():
                yield Body(document | moment, None, f"{base.what}: another moment")
    if delivery == "download":
        project, name = scene.targets[0]
        yield Body(document | {"targetClusterName": name, "targetGroupId": project}, None, "download: also a target")
