"""A requirement: one sentence that an endpoint is held to, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from atlas_conformance.contracts.operation import Level, Operation
from atlas_conformance.contracts.selector import selected


@dataclass(frozen=True, slots=True)
class Source:
    """A page that requirements come from: its short id, its title and its public address, where it has one."""

    id: str
    title: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """One sentence that an endpoint is held to.

    `sources` are the ids of the pages it comes from; `operations` are the ids of those it binds; `technique`
    says how it is exercised; `level` is "extended" where only extended operations can show it. Where one
    broken thing trips several requirements, that of the highest `specificity` leads.
    """

    id: str
    statement: str
    sources: tuple[str, ...]
    operations: tuple[str, ...]
    technique: str
    level: Level
    specificity: int

    @property
    def source(self) -> str:
        """The ids of the pages it comes from, joined by blanks."""
        return " ".join(self.sources)

    def binds(self, operation: str) -> bool:
        """Tell whether the requirement binds the operation with this id."""
        return operation in self.operations


def read_sources(document: Mapping[str, Any]) -> Mapping[str, Source]:
    """Return the sources that `sources.toml` describes, by id."""
    return MappingProxyType({key: Source(key, **described) for key, described in document.items()})


def read_requirements(
    document: Mapping[str, Any], operations: Mapping[str, Operation], sources: Mapping[str, Source]
) -> Mapping[str, Requirement]:
    """Return the requirements that `requirements.toml` describes, by id and in its order.

    Raises ValueError for a selector that names nothing, and for a source that is not there.
    """
    return MappingProxyType(
        {key: _requirement(key, described, operations, sources) for key, described in document.items()}
    )


def _requirement(
    requirement_id: str,
    described: Mapping[str, Any],
    operations: Mapping[str, Operation],
    sources: Mapping[str, Source],
) -> Requirement:
    try:
        bound = selected(described["on"], operations.values())
    except ValueError as error:
        raise ValueError(f"requirements.toml: {requirement_id}: {error}") from None
    unknown = [source for source in described["source"] if source not in sources]
    if unknown:
        raise ValueError(f"requirements.toml: {requirement_id}: sources.toml has no {', '.join(unknown)}")
    core = any(operations[operation].level == "core" for operation in bound)
    return Requirement(
        id=requirement_id,
        statement=described["statement"],
        sources=tuple(described["source"]),
        operations=bound,
        technique=described["technique"],
        level="core" if core else "extended",
        specificity=described["specificity"],
    )
