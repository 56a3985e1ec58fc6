"""What a rule says of what it looked at: it held, or what was expected, seen, and where."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

_LONGEST_VALUE = 120


def shown(value: object) -> str:
    """Render a JSON value for a person, shortened to a length that fits a report line."""
    text = value if isinstance(value, str) and not value else repr(value)
    if isinstance(value, dict | list):
        try:
            text = json.dumps(value, ensure_ascii=False)
        except (RecursionError, TypeError):
            text = "what is nested too deeply to be shown"
    if value is True or value is False or value is None:
        text = {True: "true", False: "false", None: "null"}[value]
    if text == "":
        text = "an empty string"
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"


class Held(Enum):
    """The rule was exercised, and held."""

    HELD = "held"


@dataclass(frozen=True, slots=True)
class Failure:
    """The rule did not hold: `pointer` is a JSON pointer into the exchange."""

    expected: str
    seen: str
    pointer: str


@dataclass(frozen=True, slots=True)
class ValueFailure:
    """A value of an answer's body did not hold, unless the real service is known to answer so.

    `inner` leads to the value inside `document`, the unwrapped body. `mistyped`: the value is of the wrong JSON type,
    so that nothing finer is said of it; `malformed`: the schema does not admit it, so that comparing it says
    nothing.
    """

    expected: str
    value: Any
    pointer: str
    inner: str
    document: Any
    mistyped: bool = False
    malformed: bool = False


Outcome: TypeAlias = Held | Failure | ValueFailure

HELD: Final = Held.HELD


def summed(failures: Sequence[Outcome], looked: int) -> Outcome | Sequence[Outcome] | None:
    """Return what a rule found that looked at several things; None where there was nothing to look at.

    It costs less than to yield an outcome for each one: nearly always, all of them held.
    """
    if not failures:
        return HELD if looked else None
    return [*failures, HELD] if len(failures) < looked else failures


def holds(condition: bool, expected: str, seen: object, pointer: str) -> Outcome:
    """Return that the rule held, or its failure with `seen` rendered for a person."""
    return HELD if condition else Failure(expected, shown(seen), pointer)
