"""What a defect is, in one sentence of plain words."""

from __future__ import annotations

from collections.abc import Sequence

from atlas_conformance.contracts.requirement import Requirement
from atlas_conformance.reports.evidence import OUTCOME, Place
from atlas_conformance.reports.model import FindingGroup
from atlas_conformance.reports.wording import one_line, plural

_MOST = 240


def sentence(known: Requirement | None, group: FindingGroup, place: Place) -> str:
    """Return what is wrong, by the words that the requirement has for it, else as expected and seen."""
    finding = group.finding
    name = f"`{one_line(place.field, 60)}`" if place.field else ""
    expected, seen = one_line(finding.expected, _MOST), one_line(finding.seen, _MOST)
    if known is not None and known.says is not None and (name or "{field}" not in known.says):
        return known.says.format(field=name, expected=expected, seen=seen, operations=group.operation)
    if place.part == OUTCOME:
        what = f"{name}: " if name and place.field not in expected else ""
        return f"{what}expected {expected}; answered {seen}"
    return f"{name}: expected {expected}, seen {seen}" if name else f"expected {expected}, seen {seen}"


def extent(count: int, exercised: int, operations: Sequence[str]) -> str:
    """Return how far a defect reaches: `69 of 70 exchanges of flex-get and flex-list`."""
    return f"{reach(count, exercised)} of {named(operations)}"


def reach(count: int, exercised: int) -> str:
    """Return on how many exchanges a defect shows: `69 of 70 exchanges`."""
    return f"{count:,} of {exercised:,} exchanges" if exercised > count else plural(count, "exchange")


def named(operations: Sequence[str], most: int = 3) -> str:
    """Return operations in words, of many the first ones: `flex-get and flex-list`."""
    if len(operations) > most:
        return f"{', '.join(operations[: most - 1])} and {len(operations) - most + 1} more operations"
    return " and ".join([*([", ".join(operations[:-1])] if operations[1:] else []), *operations[-1:]])
