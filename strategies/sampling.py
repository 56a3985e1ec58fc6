"""A share of many cases, where a run is to be light: another one for each operation, so that all are sent somewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.strategies.requests import Case

CaseOrRequest = TypeVar("CaseOrRequest", Case, Request)


def sample(cases: Iterable[CaseOrRequest], share: int, turn: int) -> list[CaseOrRequest]:
    """Return one in `share` of the cases that break the same requirement, in their order, at least one of each.

    `turn` says which: `share` turns in a row return every case.
    """
    found = list(cases)
    if share <= 1:
        return found
    places: dict[str | None, list[int]] = {}
    for place, case in enumerate(found):
        places.setdefault(case.breaks if isinstance(case, Case) else None, []).append(place)
    kept = {place for group in places.values() for place in group[turn % min(share, len(group)) :: share]}
    return [case for place, case in enumerate(found) if place in kept]
