"""The register of rules: each a small function under the id of the requirement that it judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.outcomes import HELD, Failure, Outcome, ValueFailure
from atlas_conformance.contracts.resources import RESOURCES, Common, Resource
from atlas_conformance.contracts.verdicts import Verdicts

V = TypeVar("V")
F = TypeVar("F", bound=Callable[..., Any])
Judging: TypeAlias = Callable[[V], Outcome | Iterable[Outcome] | None]
"""A rule returns its outcome, yields several, or returns None where it has nothing to say."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A function that judges one kind of view for one or several requirements.

    A `common` rule has no ids of its own: each resource says which requirement carries it.
    """

    ids: tuple[str, ...]
    common: Common | None
    view: type[Any]
    judge: Judging[Any]

    def requirements(self, resource: Resource) -> tuple[str, ...]:
        """The ids of the requirements under which it may judge a resource."""
        if self.common is None:
            return self.ids
        carried = resource.common.get(self.common)
        return () if carried is None else (carried,)


_OF_OPERATIONS = frozenset({"A", "B", "C", "E", "N", "P"})
"""The families of requirements that say what an operation does with requests; the others say what a resource shows."""

_RULES: list[Rule] = []
_READERS: dict[str, list[Callable[..., Any]]] = {}


def rule(*requirements: str, on: type[V]) -> Callable[[Judging[V]], Judging[V]]:
    """Register a function as a rule of these requirements, to be called with every view of the type `on`.

    It returns or yields what it found. `RuleBook.judges` says which operations it judges.
    """
    return _registered(requirements, None, on)


def common_rule(common: Common, *, on: type[V]) -> Callable[[Judging[V]], Judging[V]]:
    """Register a rule that each resource carries under a requirement id of its own."""
    return _registered((), common, on)


def _registered(ids: tuple[str, ...], common: Common | None, on: type[V]) -> Callable[[Judging[V]], Judging[V]]:
    def register(judge: Judging[V]) -> Judging[V]:
        _RULES.append(Rule(ids, common, on, judge))
        return judge

    return register


def reads(*requirements: str) -> Callable[[F], F]:
    """Register a function as one that reads from a request by which of these requirements it must be refused."""

    def register(read: F) -> F:
        for requirement in requirements:
            _READERS.setdefault(requirement, []).append(read)
        return read

    return register


def rules_of(requirement: str) -> list[Callable[..., Any]]:
    """Return the functions that judge a requirement, by its id: rules on answers, and readers of requests."""
    carried = {common for resource in RESOURCES.values() for common, name in resource.carries if name == requirement}
    rules = [found.judge for found in _RULES if requirement in found.ids or found.common in carried]
    return rules + _READERS.get(requirement, [])


class RuleBook:
    """The rules that a contract needs, ready to be applied to views of its operations."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._operations = contract.operations
        self._bound = {
            requirement.id: {contract.operations[operation].resource.name for operation in requirement.operations}
            for requirement in contract.requirements.values()
        }
        self._known: dict[tuple[type[Any], str], tuple[tuple[str, Judging[Any]], ...]] = {}

    def judges(self, requirement: str, operation: str) -> bool:
        """Tell whether a requirement judges an operation; both are ids.

        What an operation does with requests is judged only where the requirement binds the operation. What a resource
        shows is judged on every operation of a resource that the requirement binds: a job is the same job in the
        answer to its create as in a read.
        """
        if requirement.partition("-")[0] in _OF_OPERATIONS:
            return self._contract.binds(requirement, operation)
        return self._operations[operation].resource.name in self._bound.get(requirement, ())

    def apply(self, view: object, operation: str, verdicts: Verdicts, kind: type[Any] | None = None) -> None:
        """Judge a view of an exchange with an operation by every rule on views of its type, or of `kind` that it is
        too.
        """
        kind = kind if kind is not None else type(view)
        chosen = self._known.get((kind, operation))
        if chosen is None:
            chosen = self._known[kind, operation] = tuple(self._chosen(kind, operation))
        for requirement, judge in chosen:
            found = judge(view)
            if found is None:
                continue
            if found is HELD:
                verdicts.held(requirement)
            elif isinstance(found, (Failure, ValueFailure)):
                verdicts.take(requirement, found)
            else:
                for outcome in found:
                    if outcome is HELD:
                        verdicts.held(requirement)
                    else:
                        verdicts.take(requirement, outcome)

    def _chosen(self, kind: type[Any], operation: str) -> Iterator[tuple[str, Judging[Any]]]:
        resource = self._operations[operation].resource
        for found in _RULES:
            if found.view is kind:
                for requirement in found.requirements(resource):
                    if self.judges(requirement, operation):
                        yield requirement, found.judge


@lru_cache(maxsize=8)
def rule_book(contract: Contract) -> RuleBook:
    """Return the rules of a contract, which its judges share."""
    return RuleBook(contract)
