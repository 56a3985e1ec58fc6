"""The catalogue of requirements and the register of known departures, read from their TOML files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from atlas_conformance.contracts.operations import OPERATIONS, Level
from atlas_conformance.contracts.validation import InlineSchema

_INDEX = frozenset("0123456789")

UNKNOWN: Any = object()
"""Stands for a document that is not at hand."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One sentence that an endpoint is held to.

    `source` are the pages it comes from, joined by blanks; `operations` are the ids of those it binds; `technique`
    says how it is put to the test; `level` is "extended" where only extended operations can show it. Where one
    broken thing trips several requirements, that of the highest `specificity` leads.
    """

    id: str
    statement: str
    source: str
    operations: tuple[str, ...]
    technique: str
    level: Level
    specificity: int

    def binds(self, operation: str) -> bool:
        """Tell whether the requirement binds the operation with this id."""
        return operation in self.operations


@dataclass(frozen=True)
class Place:
    """One location that a departure relaxes.

    `pointer` leads into a subject (a job, an error), `*` standing for any index. `schema` names the relaxed
    location, file and fragment. `value` is the JSON schema of what is let through there, `when` that of the
    subjects it is let through in.
    """

    pointer: str
    schema: str
    value: Mapping[str, Any]
    when: Mapping[str, Any]

    @cached_property
    def value_schema(self) -> InlineSchema:
        """What is let through, ready to judge."""
        return InlineSchema(self.value)

    @cached_property
    def subject_schema(self) -> InlineSchema:
        """The subjects that it is let through in, ready to judge."""
        return InlineSchema(self.when)


@dataclass(frozen=True)
class Departure:
    """A place where the real service is known to depart from its own pages.

    `requirement` is what is relaxed, on the operations with the ids in `operations`; `subjects` are pointers to
    where the subject of a place may stand in a document.
    """

    id: str
    statement: str
    evidence: str
    requirement: str
    operations: tuple[str, ...]
    subjects: tuple[str, ...]
    places: tuple[Place, ...]

    def covers(self, pointer: str, value: Any, document: Any = UNKNOWN) -> bool:
        """Tell whether a value at a JSON pointer of a document is exactly what this departure describes.

        The document is a job, a page of jobs or an error, outside any envelope. Without it, the value alone decides, so
        that what stands around it is not looked at.
        """
        steps = pointer.split("/")[1:]
        for place in self.places:
            inner = place.pointer.split("/")[1:]
            for subject in self.subjects:
                outer = subject.split("/")[1:]
                if _leads(outer + inner, steps) and place.value_schema.takes(value):
                    if document is UNKNOWN:
                        return True
                    found, whole = _at(document, steps[: len(outer)])
                    if found and place.subject_schema.takes(whole):
                        return True
        return False


def _leads(wanted: list[str], steps: list[str]) -> bool:
    """Tell whether the steps of a pointer are those of a pattern."""
    return len(wanted) == len(steps) and all(
        step == want or (want == "*" and step != "" and _INDEX.issuperset(step))
        for want, step in zip(wanted, steps, strict=True)
    )


def _at(document: Any, steps: list[str]) -> tuple[bool, Any]:
    """Follow the steps of a pointer; return whether they lead anywhere, and where."""
    for step in steps:
        if isinstance(document, Mapping) and step in document:
            document = document[step]
        elif isinstance(document, list) and _INDEX.issuperset(step) and int(step) < len(document):
            document = document[int(step)]
        else:
            return False, None
    return True, document


def _load(name: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name(name).read_text("utf-8"))


def _requirement(requirement_id: str, described: Mapping[str, Any]) -> Requirement:
    operations = tuple(described["operations"])
    core = any(OPERATIONS[operation].level == "core" for operation in operations)
    return Requirement(
        id=requirement_id,
        statement=described["statement"],
        source=" ".join(described["source"]),
        operations=operations,
        technique=described["technique"],
        level="core" if core else "extended",
        specificity=described["specificity"],
    )


def _departure(departure_id: str, described: Mapping[str, Any]) -> Departure:
    return Departure(
        id=departure_id,
        statement=described["statement"],
        evidence=described["evidence"],
        requirement=described["requirement"],
        operations=tuple(described["operations"]),
        subjects=tuple(described["subjects"]),
        places=tuple(Place(**place) for place in described["places"]),
    )


REQUIREMENTS: Mapping[str, Requirement] = MappingProxyType(
    {key: _requirement(key, described) for key, described in _load("requirements.toml").items()}
)
"""Every requirement by its id, in the order of the contract page."""

DEPARTURES: Mapping[str, Departure] = MappingProxyType(
    {key: _departure(key, described) for key, described in _load("departures.toml").items()}
)
"""Every known departure of the real service by its id."""


def departure_for(
    requirement: str, operation: str, pointer: str, value: Any, document: Any = UNKNOWN
) -> Departure | None:
    """Return the known departure that explains a finding, or None.

    `requirement` and `operation` are ids; `pointer` leads to `value` inside `document`: a job, a page of jobs or an
    error, outside any envelope. With the document at hand a departure is held to its circumstances too: pass it
    wherever it is known.
    """
    for departure in DEPARTURES.values():
        bound = departure.requirement == requirement and operation in departure.operations
        if bound and departure.covers(pointer, value, document):
            return departure
    return None
