"""What a description says otherwise than the contract, or than an earlier description."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from atlas_conformance.contracts.drift.documents import Node

Side: TypeAlias = Literal["clients", "endpoints"]
"""Whom a difference breaks: clients that keep to the contract, or endpoints that do."""

Severity: TypeAlias = Literal["clients", "endpoints", "notice", "minor"]
"""How much a difference matters: it breaks clients, it breaks endpoints alone, it breaks nobody but should be known, or
it breaks nobody and tells nothing about the contract."""

SEVERITIES: tuple[Severity, ...] = ("clients", "endpoints", "notice", "minor")
KINDS = (
    "operation",
    "parameter",
    "status",
    "media type",
    "required",
    "property",
    "type",
    "enum",
    "pattern",
    "format",
    "bound",
    "default",
    "deprecated",
)
"""All kinds of difference, in the order in which they are shown."""

REQUEST, RESPONSE = "request", "response"
BOTH: tuple[Side, ...] = ("clients", "endpoints")

_OF_STATUS = re.compile(r"(?<=^the body of )[0-9]{3}")


@dataclass(frozen=True, slots=True)
class Spot:
    """One difference at one place of one operation.

    `subject` is what a person calls the place, `says` how it differs. `breaks` is empty where nobody need do anything;
    `matters` then tells whether it should be known nevertheless.
    """

    kind: str
    subject: str
    says: str
    breaks: tuple[Side, ...]
    ours: Node
    theirs: Node
    matters: bool = False

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        if self.breaks:
            return "clients" if "clients" in self.breaks else "endpoints"
        return "notice" if self.matters else "minor"

    @property
    def about(self) -> str:
        """The last part of the subject, such as a property's name, whatever body it stands in."""
        plain = _OF_STATUS.sub("an answer", self.subject)
        return plain.rpartition(".")[2] if "." in plain else plain


@dataclass(frozen=True, slots=True)
class Place:
    """Where a difference shows: the operation, whom it breaks there, and file and JSON pointer in both descriptions."""

    operation: str
    subject: str
    breaks: tuple[Side, ...]
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What a description says otherwise: the same of one thing, at one or several places."""

    kind: str
    about: str
    says: str
    breaks: tuple[Side, ...]
    severity: Severity
    places: tuple[Place, ...]

    @property
    def sentence(self) -> str:
        """The difference in words, with its first place."""
        return f"{self.places[0].subject} {self.says}".strip()

    @property
    def ours(self) -> str:
        """File and pointer of the first place in the contract, or in the old description."""
        return self.places[0].ours

    @property
    def theirs(self) -> str:
        """File and pointer of the first place in the description."""
        return self.places[0].theirs

    @property
    def operation(self) -> str:
        """The operation of the first place."""
        return self.places[0].operation

    @property
    def short(self) -> str:
        """The difference in words, without its place."""
        return f"{self.about} {self.says}".strip()

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that it concerns, each once."""
        return tuple(dict.fromkeys(each.operation for each in self.places if each.operation))

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        first = self.places[0]
        return {
            "kind": self.kind,
            "severity": self.severity,
            "sentence": self.sentence,
            "operation": first.operation,
            "operations": list(self.operations),
            "breaking": bool(self.breaks),
            "breaks": list(self.breaks),
            "ours": first.ours,
            "theirs": first.theirs,
            "places": [
                {
                    "operation": each.operation,
                    "subject": each.subject,
                    "breaks": list(each.breaks),
                    "ours": each.ours,
                    "theirs": each.theirs,
                }
                for each in self.places
            ],
        }


def grouped(spots: Iterable[tuple[str, Spot]]) -> list[Difference]:
    """Return the differences, the worst first: what is said alike of things of one name counts as one.

    `spots` are pairs of the operation's name and what was found there, in the contract's order.
    """
    groups: dict[tuple[str, str, str], list[tuple[str, Spot]]] = {}
    for operation, spot in spots:
        groups.setdefault((spot.kind, spot.about, spot.says), []).append((operation, spot))
    found = [_difference(kind, about, says, members) for (kind, about, says), members in groups.items()]
    return sorted(found, key=lambda each: (SEVERITIES.index(each.severity), KINDS.index(each.kind)))


def _difference(kind: str, about: str, says: str, members: list[tuple[str, Spot]]) -> Difference:
    sides = {side for _, spot in members for side in spot.breaks}
    places = (
        Place(operation, spot.subject, spot.breaks, spot.ours.shown, spot.theirs.shown) for operation, spot in members
    )
    return Difference(
        kind,
        about,
        says,
        tuple(side for side in BOTH if side in sides),
        min((spot.severity for _, spot in members), key=SEVERITIES.index),
        tuple(dict.fromkeys(places)),
    )


def narrowed(direction: str) -> tuple[Side, ...]:
    """Return whom it breaks that fewer values are allowed: who sends them."""
    return ("clients",) if direction == REQUEST else ("endpoints",)


def widened(direction: str) -> tuple[Side, ...]:
    """Return whom it breaks that more values are allowed: who reads them."""
    return ("endpoints",) if direction == REQUEST else ("clients",)
