"""One difference between the contract and a vendor's description."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

Side: TypeAlias = Literal["clients", "endpoints"]
"""Whom a difference breaks: clients that keep to the contract, or endpoints that do."""

REQUEST, RESPONSE = "request", "response"


@dataclass(frozen=True, slots=True)
class Difference:
    """What the vendor's description says otherwise.

    `kind` is one word or two: operation, parameter, property, required, type, pattern, enum, bound, format, status,
    media type, deprecated. `breaks` is empty where nobody need do anything. `ours` and `theirs` are places in the two
    descriptions, file and JSON pointer.
    """

    kind: str
    operation: str
    sentence: str
    breaks: tuple[Side, ...]
    ours: str
    theirs: str

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {**asdict(self), "breaking": bool(self.breaks), "breaks": list(self.breaks)}


def narrowed(direction: str) -> tuple[Side, ...]:
    """Return whom it breaks that fewer values are allowed: who sends them."""
    return ("clients",) if direction == REQUEST else ("endpoints",)


def widened(direction: str) -> tuple[Side, ...]:
    """Return whom it breaks that more values are allowed: who reads them."""
    return ("endpoints",) if direction == REQUEST else ("clients",)


BOTH: tuple[Side, ...] = ("clients", "endpoints")
