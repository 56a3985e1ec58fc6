"""Known departures: places where the real service is known not to do what its own pages say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from atlas_conformance.contracts.contract_error import ContractError
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.schema_check import check_schema
from atlas_conformance.contracts.selector import selected
from atlas_conformance.contracts.validation import InlineSchema

_INDEX = frozenset("0123456789")

UNKNOWN: Any = object()
"""Stands for a document that is not at hand."""


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
class KnownDeparture:
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


def read_departures(document: Mapping[str, Any], operations: Iterable[Operation]) -> Mapping[str, KnownDeparture]:
    """Return the departures that `departures.toml` describes, by id.

    The document has the form of `departures.toml`. Raises ContractError where a selector names nothing, or a schema
    is invalid.
    """
    known = list(operations)
    return MappingProxyType({key: _departure(key, described, known) for key, described in document.items()})


def _departure(departure_id: str, described: Mapping[str, Any], operations: list[Operation]) -> KnownDeparture:
    where = f"departures.toml: {departure_id}"
    for number, place in enumerate(described["places"], 1):
        for name in ("value", "when"):
            check_schema(place[name], f"{where} › places › number {number} › {name}")
    try:
        bound = selected(described["on"], operations)
    except ValueError as error:
        raise ContractError(f"{where}: {error}") from None
    return KnownDeparture(
        id=departure_id,
        statement=described["statement"],
        evidence=described["evidence"],
        requirement=described["requirement"],
        operations=bound,
        subjects=tuple(described["subjects"]),
        places=tuple(Place(**place) for place in described["places"]),
    )
