"""Which operations of an endpoint are judged, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.operation import takes_in
from atlas_conformance.http.target import Target
from atlas_conformance.targets.preflight import PreflightReport


def offered_operations(
    target: Target, found: PreflightReport, learnt: Mapping[str, bool | str] = MappingProxyType({})
) -> tuple[frozenset[str], dict[str, bool | str]]:
    """Decide which operations are judged: what the target claims, else what was found to be there.

    `learnt` says of operations what creates taught: True, or why they are not offered. Return the operations, and for
    each of them all True or the reason why it is not among them.
    """
    offered: set[str] = set()
    reasons: dict[str, bool | str] = {}
    for operation in Contract.load().operations.values():
        name = operation.id
        if target.operations is not None:
            there, reason = name in target.operations, "the target does not list it"
        elif target.level is None and name in learnt:
            there, reason = learnt[name] is True, str(learnt[name])
        elif target.level is None and operation.level == "core" and found.offered.get(name) == "no":
            there, reason = False, found.reasons.get(name, "the endpoint does not have it")
        elif operation.level == "core":
            there, reason = True, ""
        elif target.level is not None:
            there, reason = takes_in(target.level, operation.level), f"the target claims the level {target.level} alone"
        else:
            there = found.offered.get(name) == "yes"
            reason = found.reasons.get(name, "the endpoint does not have it, or reads alone could not show it")
        if there:
            offered.add(name)
        reasons[name] = True if there else reason
    return frozenset(offered), reasons
