"""The differences as a person reads them on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from atlas_conformance.contracts.drift.baseline import Accepted
from atlas_conformance.contracts.drift.difference import SEVERITIES, Difference, Severity
from atlas_conformance.contracts.phrases import one_line, plural, visible

_INDENT = " " * 4
_MOST_SUBJECTS = 4
_TITLES: dict[Severity, str] = {
    "clients": "Breaks clients that keep to {what}",
    "endpoints": "Breaks endpoints that keep to {what}, and no client",
    "notice": "Breaks nobody, but is good to know",
    "minor": "Breaks nobody",
}

Line = tuple[str, str]
"""A line and its style: "title", "bad", "good", "plain" or "dim"."""


def lines(found: Iterable[Difference], what: str, sides: tuple[str, str]) -> Iterator[Line]:
    """Yield the lines on differences that are sorted by severity.

    `what` names what clients and endpoints keep to, `sides` the two descriptions.
    """
    for severity, group in groupby(found, key=lambda each: each.severity):
        members = list(group)
        yield f"\n{_TITLES[severity].format(what=what)} ({len(members):,})", "title"
        for each in members:
            yield "", "plain"
            yield from _difference(each, sides)


def _difference(each: Difference, sides: tuple[str, str]) -> Iterator[Line]:
    style = {"clients": "bad", "endpoints": "bad"}.get(each.severity, "plain")
    yield f"  {each.kind}: {one_line(each.short, 600)}", style
    for subject, operations in _subjects(each):
        where = ", ".join(operations)
        if subject not in ("", each.about):
            where = f"{subject} of {where}" if where else subject
        if where:
            yield f"{_INDENT}{one_line(where, 600)}", "plain"
    if each.kind == "operation":
        return  # Method and path say where it stands.
    pairs = list(dict.fromkeys((place.ours, place.theirs) for place in each.places))
    width = max(map(len, sides))
    for side, place in zip(sides, pairs[0], strict=True):
        yield f"{_INDENT}{side:<{width}}  {visible(place)}", "dim"
    if len(pairs) > 1:
        yield f"{_INDENT}and {plural(len(pairs) - 1, 'more pair')} of places, which --json lists", "dim"


def _subjects(each: Difference) -> list[tuple[str, list[str]]]:
    """Return the subjects with their operations; where there are many, the first ones."""
    subjects: dict[str, dict[str, None]] = {}
    for place in each.places:
        subjects.setdefault(place.subject, {}).setdefault(place.operation)
    listed = [(subject, [name for name in names if name]) for subject, names in subjects.items()]
    if len(listed) > _MOST_SUBJECTS:
        return [*listed[: _MOST_SUBJECTS - 1], (f"and {len(listed) - _MOST_SUBJECTS + 1} more", [])]
    return listed


def summary(shown: list[Difference], minor: int, accepted: int | None, gone: tuple[Accepted, ...]) -> Iterator[Line]:
    """Yield the lines on what a baseline lists that is gone, and the counts.

    `accepted` is how many differences the baseline accepts, None without a baseline.
    """
    if gone:
        yield f"\nGone since the baseline ({len(gone):,}); --update-baseline takes them out", "title"
        for entry in gone:
            where = f"{entry.operation}: " if entry.operation else ""
            yield f"  {entry.kind}: {where}{one_line(entry.sentence, 400)}", "good"
            yield f"{_INDENT}{visible(entry.pointer)}", "dim"
    new = "" if accepted is None else "new "
    breaking = sum(bool(each.breaks) for each in shown)
    if shown:
        parts = [f"{plural(len(shown), f'{new}difference')}, {breaking:,} of them breaking"]
    else:
        parts = [f"No {new}difference"]
    if accepted:
        parts.append(f"{accepted:,} accepted by the baseline")
    if minor:
        parts.append(f"{minor:,} that {'breaks' if minor == 1 else 'break'} nobody: see --all")
    more = bool(shown or gone)
    yield ("\n" if more else "") + "; ".join(parts) + ".", "plain"


def is_minor(each: Difference) -> bool:
    """Whether a difference tells nothing that matters to clients, endpoints or the contract."""
    return each.severity == SEVERITIES[-1]
