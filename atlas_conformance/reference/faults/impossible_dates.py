"""Faults in dates that cannot be true: the zero of some clock, and what has happened dated in the future."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.reference.fault import Fault
from atlas_conformance.reference.fault_parts import shifted
from atlas_conformance.reference.fixtures import DAY

_SHARED = ("restoreFinishedDate", ("expirationDate",), "expirationDate")
_PAST: Mapping[str, tuple[str, tuple[str, ...], str]] = {
    "flex job": _SHARED,
    "tenant job": _SHARED,
    "dedicated job": ("finishedAt", ("expiresAt",), "timestamp"),
    "flex snapshot": ("finishTime", ("expiration",), ""),
    "dedicated snapshot": ("createdAt", ("expiresAt",), "expiresAt"),
}
"""By resource: the date of what has happened once it shows, the dates that may not be before it, and a date that a
fresh one shows."""
_ZERO = "0001-01-01T00:00:00Z"
_YEAR = 365 * DAY


def _zero(names: Iterable[str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda document: document | {name: _ZERO for name in names if name in document}


def _future(names: Iterable[str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    moved = shifted(_YEAR)
    return lambda document: document | {name: moved(document[name]) for name in names if name in document}


def _hook(operation: Operation, change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """Return what shows a job or a snapshot with the change, whatever else it shows."""
    name = "view" if operation.resource.what == "job" else "snapshot_view"
    return {name: lambda backend, call, item, document: change(document)}


def _faults() -> Iterator[Fault]:
    for operation in Contract.load().operations.values():
        resource = operation.resource
        if resource.name not in _PAST or operation.media_type is None:
            continue
        requirement = resource.common["dated"]
        past, later, shown_first = _PAST[resource.name]
        fresh = operation.kind == "create"
        # Of a snapshot all dates are zero, so that they are still in order.
        zero = resource.dates if resource.what == "snapshot" and not fresh else (shown_first if fresh else past,)
        sentence = "Every date is a zero time." if len(zero) > 1 else f"{zero[0]} is a zero time."
        where = (operation.id,)
        yield Fault(f"{operation.id}/date-zero", requirement, where, sentence, "shape",
                    **_hook(operation, _zero(zero)))  # fmt: skip
        if not fresh:
            yield Fault(f"{operation.id}/date-in-future", requirement, where, f"{past} is a year ahead.", "shape",
                        **_hook(operation, _future((past, *later))))  # fmt: skip


FAULTS = tuple(_faults())
