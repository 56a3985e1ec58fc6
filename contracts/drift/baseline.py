"""Differences that are accepted: a file that names them by JSON pointer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from atlas_conformance.contracts.drift.difference import Difference, Place
from atlas_conformance.contracts.drift.drift_error import DriftError

_FORMAT = 1
_LARGEST = 16 * 1024 * 1024
_KEYS = ("kind", "operation", "pointer", "sentence")


@dataclass(frozen=True, order=True, slots=True)
class Accepted:
    """One accepted difference: its kind, the operation, the pointer into the contract, and what was said."""

    kind: str
    operation: str
    pointer: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Judged:
    """The differences that are new, with their new places alone, how many are accepted, and what is gone."""

    new: tuple[Difference, ...]
    accepted: tuple[Difference, ...]
    gone: tuple[Accepted, ...]


def entries(difference: Difference) -> dict[Place, Accepted]:
    """Return what a baseline says of a difference, by place."""
    return {
        place: Accepted(difference.kind, place.operation, place.ours, difference.short) for place in difference.places
    }


def judged(found: Iterable[Difference], baseline: frozenset[Accepted]) -> Judged:
    """Return which differences a baseline accepts. A difference with one new place is new, with that place."""
    new: list[Difference] = []
    accepted: list[Difference] = []
    seen: set[Accepted] = set()
    for difference in found:
        known = entries(difference)
        seen.update(known.values())
        places = tuple(place for place, entry in known.items() if entry not in baseline)
        if places:
            new.append(replace(difference, places=places))
        if len(places) < len(known):
            rest = tuple(place for place, entry in known.items() if entry in baseline)
            accepted.append(replace(difference, places=rest))
    return Judged(tuple(new), tuple(accepted), tuple(sorted(baseline - seen)))


def read_baseline(path: Path) -> frozenset[Accepted]:
    """Return the accepted differences. Raises DriftError where the file cannot be read or is no such file."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise DriftError(f"{path} does not exist; --update-baseline writes it") from None
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or str(problem)
        raise DriftError(f"{path} cannot be read: {why.lower()}") from None
    if len(data) > _LARGEST:
        raise DriftError(f"{path} is no baseline of drift: it is larger than {_LARGEST // 1024 // 1024} MB")
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError as problem:
        raise DriftError(f"{path} is no JSON at line {problem.lineno}; --update-baseline writes it") from None
    listed = content.get("accepted") if isinstance(content, dict) and content.get("drift-baseline") == _FORMAT else None
    if not isinstance(listed, list):
        raise DriftError(f"{path} is no baseline of drift, as --update-baseline writes it")
    return frozenset(_entry(path, place, each) for place, each in enumerate(listed))


def _entry(path: Path, place: int, value: Any) -> Accepted:
    texts = [value.get(key) for key in _KEYS] if isinstance(value, dict) else [None]
    if not all(isinstance(each, str) for each in texts):
        raise DriftError(f"{path}: entry {place + 1} of accepted needs {', '.join(_KEYS)}, each a text")
    return Accepted(*texts)


def baseline_content(found: Iterable[Difference]) -> bytes:
    """Return what a baseline file that accepts these differences holds."""
    listed = {entry: place.theirs for each in found for place, entry in entries(each).items()}
    accepted = [
        {**{key: getattr(entry, key) for key in _KEYS}, "theirs": theirs} for entry, theirs in sorted(listed.items())
    ]
    content = {"drift-baseline": _FORMAT, "accepted": accepted}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
