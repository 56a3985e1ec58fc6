"""A requirement: one sentence that an endpoint is held to, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args

from atlas_conformance.contracts.contract_error import ContractError
from atlas_conformance.contracts.data_form import brief
from atlas_conformance.contracts.operation import LEVELS, Level, Operation
from atlas_conformance.contracts.selector import selected

Basis = Literal["documented", "recorded", "inferred", "project rule"]
"""Why a requirement is one: a page says so; every recording shows it; it follows from what a job is; it is our own."""

Force = Literal["must", "should"]
"""Whether a requirement that does not hold is a failure (must) or advice (should)."""

BASES: tuple[Basis, ...] = get_args(Basis)
"""Every basis, the firmest first."""

BASIS_WORDS: Mapping[Basis, str] = {
    "documented": "a page of the vendor's, or a standard that it names, says so",
    "recorded": "no page says so, and every recording of the real service shows it",
    "inferred": "it follows from what a restore job is",
    "project rule": "ours: robust services do it, and no page asks for it",
}
"""What each basis of a requirement means."""

FAMILIES: Mapping[str, str] = {
    "C": "Every operation",
    "V": "Representation",
    "E": "Errors",
    "P": "Path parameters",
    "N": "What does not exist",
    "B": "Request bodies",
    "T": "Dedicated clusters: deliveryType",
    "S": "Flex and tenant: status",
    "SNAP": "Snapshots",
    "L": "Reading and listing",
    "A": "Authentication",
}
"""The heading of each family of requirements, by the letter that its ids begin with."""


@dataclass(frozen=True, slots=True)
class Source:
    """A page that requirements come from: its short id, its title, what it is, and its public address if it has one.

    `describes` are the ids of the operations that it is about, or comes nearest to.
    """

    id: str
    title: str
    kind: str
    address: str | None = None
    describes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A page that a requirement comes from, and the place within it, such as "Responses › 200 › deliveryUrl"."""

    page: Source
    place: str

    def __str__(self) -> str:
        """Return title, place and public address (what the page is, where it has none) as one line."""
        return f"{self.page.title}, {self.place}, {self.page.address or self.page.kind}"


def cited_for(sources: Sequence[Citation], operation: str) -> Citation:
    """Return the citation of the page that is most about an operation; the first one where none is about it."""
    about = [citation for citation in sources if operation in citation.page.describes]
    return min(about, key=lambda citation: len(citation.page.describes), default=sources[0])


@dataclass(frozen=True, slots=True)
class Requirement:
    """One sentence that an endpoint is held to.

    `basis` says why, `sources` where that can be looked up; a requirement of the force "should" that does not hold is
    advice. `operations` are the ids of those it binds; of `needs`, which it takes besides, an endpoint must offer one.
    `technique` says how it is exercised, `rests_on` which answer that takes where an endpoint need not give it. `level`
    is the least level of which an operation can show it. Where one broken thing trips several requirements, that of the
    highest `specificity` leads, unless another one names it in `before`,
    or in `outright` and holds on no exchange at all.
    If `by_field`, what is wrong with each field is a mistake of its own.
    One that `compares` holds an answer against another one, which may be the one at fault. `mark` is the query
    parameter that it blames, as `name` or `name=value`: it leads only where every request had that. `says` is what is
    wrong in a few words, with `{field}`, `{expected}`, `{seen}` and `{operations}` to fill in.
    """

    id: str
    statement: str
    basis: Basis
    force: Force
    sources: tuple[Citation, ...]
    operations: tuple[str, ...]
    technique: str
    level: Level
    specificity: int
    needs: tuple[str, ...] = ()
    compares: bool = False
    before: tuple[str, ...] = ()
    outright: tuple[str, ...] = ()
    by_field: bool = False
    mark: str | None = None
    says: str | None = None
    rests_on: str | None = None

    @property
    def source(self) -> str:
        """The first place that it comes from, in words: title, place within the page, address, basis."""
        return f"{self.sources[0]} ({self.basis})"

    def source_on(self, operation: str) -> str:
        """Return the place that it comes from for an operation, by its id, in the same words."""
        return f"{cited_for(self.sources, operation)} ({self.basis})"

    def binds(self, operation: str) -> bool:
        """Tell whether the requirement binds the operation with this id."""
        return operation in self.operations


def read_sources(document: Mapping[str, Any]) -> Mapping[str, Source]:
    """Return the sources that `sources.toml` describes, by id."""
    return MappingProxyType(
        {
            key: Source(key, **{**described, "describes": tuple(described.get("describes", ()))})
            for key, described in document.items()
        }
    )


def read_requirements(
    document: Mapping[str, Any], operations: Mapping[str, Operation], sources: Mapping[str, Source]
) -> Mapping[str, Requirement]:
    """Return the requirements that `requirements.toml` describes, by id and in its order.

    The document has the form of `requirements.toml`. Raises ContractError for a selector that names nothing, and for a
    requirement or source that does not exist.
    """
    for key, described in document.items():
        for list_ in ("before", "outright"):
            for named in described.get(list_, ()):
                if named not in document:
                    raise ContractError(f"requirements.toml: {key}: {list_} names {named}, which is no requirement")
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
        needs = selected(described["needs"], operations.values()) if "needs" in described else ()
    except ValueError as error:
        raise ContractError(f"requirements.toml: {requirement_id}: {error}") from None
    citations = _citations(requirement_id, described["sources"], sources)
    levels = {operations[operation].level for operation in needs or bound}
    return Requirement(
        id=requirement_id,
        statement=described["statement"],
        basis=described["basis"],
        force=described.get("force", "must"),
        sources=citations,
        operations=bound,
        technique=described["technique"],
        level=min(levels, key=LEVELS.index, default="core"),
        specificity=described["specificity"],
        needs=needs,
        compares=described.get("compares", False),
        before=tuple(described.get("before", ())),
        outright=tuple(described.get("outright", ())),
        by_field=described.get("by_field", False),
        mark=described.get("mark"),
        says=described.get("says"),
        rests_on=described.get("rests_on"),
    )


def _citations(requirement_id: str, described: list[Any], sources: Mapping[str, Source]) -> tuple[Citation, ...]:
    """Return what `sources` of a requirement names: a list of page and place."""
    found = []
    for entry in described:
        match entry:
            case [str(page), str(place)] if place:
                if page not in sources:
                    raise ContractError(f"requirements.toml: {requirement_id}: sources.toml has no {page}")
                found.append(Citation(sources[page], place))
            case _:
                where = f"requirements.toml: {requirement_id}"
                raise ContractError(f"{where}: {brief(entry)} is not [page, place within the page]")
    return tuple(found)
