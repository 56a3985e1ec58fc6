"""The order in which each operation's checks run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from atlas_conformance.contracts.operation import Operation
from atlas_conformance.reference.bodies import Check, body_steps
from atlas_conformance.reference.callers import check_access_list, check_credentials, check_rate, check_role
from atlas_conformance.reference.existence import (
    check_cancellable,
    check_cluster_exists,
    check_cluster_kind,
    check_group_exists,
    check_sharded,
)
from atlas_conformance.reference.negotiation import check_sunset, negotiate
from atlas_conformance.reference.paths import (
    check_flags,
    check_group,
    check_job,
    check_length,
    check_name,
    check_snapshot_id,
)
from atlas_conformance.reference.resources import SERVED


@dataclass(frozen=True, slots=True)
class Step:
    """A named check of an operation's pipeline."""

    name: str
    check: Check


_WHO: Mapping[str, Check] = {
    "A-NONE": check_credentials,
    "A-LIST": check_access_list,
    "A-RATE": check_rate,
    "target-length": check_length,
}
_PATH: Mapping[str, Check] = {"P-GROUP": check_group, "P-NAME": check_name}
_SUNSET: Mapping[str, Check] = {"free/sunset": check_sunset}
_EXISTS: Mapping[str, Check] = {
    "A-ROLE": check_role,
    "N-GROUP": check_group_exists,
    "N-CLUSTER": check_cluster_exists,
    "N-CLUSTER/kind": check_cluster_kind,
}
_SAID: Mapping[str, Check] = {"V-QUERY": check_flags, "V-FLOOR": negotiate}
_ITEMS: Mapping[str, Mapping[str, Check]] = {"job": {"P-JOB": check_job}, "snapshot": {"P-SNAPSHOT": check_snapshot_id}}
"""The check of the path's last parameter, by what it names."""


def pipeline(operation: Operation | None, free: Mapping[str, str]) -> tuple[Step, ...]:
    """Return the steps of an operation, or of a path or method that no operation has (None).

    An operation on a resource that the endpoint does not serve has the steps of none.

    Of the freedoms count "check-order", mistakes in the body are reported before or after what does not exist, and
    "reference-order", which of the things that a body names is looked for first.
    """
    served = SERVED.get(operation.resource) if operation is not None else None
    if operation is None or served is None:
        return _steps(_WHO)
    path = dict(_PATH)
    for parameter in operation.parameters:
        path |= _ITEMS.get(parameter.role, {})
    first: list[Mapping[str, Check]] = [_WHO, path, _SUNSET]
    if free["malformed-path"] == "before-credentials":
        first = [path, _WHO, _SUNSET]
    if operation.kind == "create":
        parts = [_EXISTS, _SAID, body_steps(served.fields_of(operation), served.checks)]
        if free["check-order"] == "body-first":
            parts.reverse()
        references = served.references
        if free["reference-order"] == "target-first" and "free/target" in references:
            references = {"free/target": references["free/target"], **references}
        return _steps(*first, *parts, references)
    if operation.kind == "list":
        return _steps(*first, _EXISTS, _SAID, {"free/sharded": check_sharded} if operation.sharded else {})
    last = {"T-CANCEL/ended": check_cancellable} if operation.kind == "cancel" else {}
    return _steps(*first, _EXISTS, _SAID, served.lookup, last)


def _steps(*parts: Mapping[str, Check]) -> tuple[Step, ...]:
    return tuple(Step(name, check) for part in parts for name, check in part.items())
