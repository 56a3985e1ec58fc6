"""Collecting what one exchange shows: requirements that held and findings."""

from __future__ import annotations

from collections.abc import Callable

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.finding import Finding, Judgement
from atlas_conformance.contracts.outcomes import Failure, ValueFailure, shown
from atlas_conformance.contracts.resources import RESOURCES

__all__ = ["Verdicts", "shown"]

_COMPARING = frozenset(
    requirement
    for resource in RESOURCES.values()
    for common, requirement in resource.carries
    if common in ("fixed", "same")
)
"""Requirements that hold one answer against another."""


class Verdicts:
    """A builder of one `Judgement`; it lives for one exchange only."""

    def __init__(self, operation: str, contract: Contract | None = None) -> None:
        """Collect what is found on the operation with this id, by the contract that the package brings or another."""
        self.operation = operation
        self._contract = contract if contract is not None else Contract.load()
        self._held: set[str] = set()
        self.held: Callable[[str], None] = self._held.add
        """Note that the exchange covers a requirement and that it held."""
        self._failed: set[str] = set()
        self._findings: list[Finding] = []
        self._mistyped: set[str] = set()
        self._malformed: set[str] = set()

    @property
    def findings(self) -> int:
        """The number of findings so far."""
        return len(self._findings)

    @property
    def upheld(self) -> frozenset[str]:
        """The requirements that were noted as held so far."""
        return frozenset(self._held)

    def include(self, other: Verdicts) -> None:
        """Take over everything that `other` has noted."""
        self._held |= other._held
        self._failed |= other._failed
        self._mistyped |= other._mistyped
        self._malformed |= other._malformed
        self._findings += [finding for finding in other._findings if finding not in self._findings]

    def take(self, requirement: str, outcome: Failure | ValueFailure) -> None:
        """Add a finding for what a rule found.

        A value of the wrong JSON type says nothing of the finer rules: where C-SCHEMA or E-SCHEMA has found one,
        nothing else is found there. A value that the schema does not admit is not compared with others.
        """
        pointer = outcome.pointer
        if isinstance(outcome, Failure):
            if pointer not in self._mistyped and not (pointer in self._malformed and requirement in _COMPARING):
                self._add(requirement, outcome.expected, outcome.seen, pointer, None)
            return
        departure = self._contract.departure_for(
            requirement, self.operation, outcome.inner, outcome.value, outcome.document
        )
        known = departure.id if departure is not None else None
        self._add(requirement, outcome.expected, shown(outcome.value), pointer, known)
        if outcome.mistyped:
            self._mistyped.add(pointer)
        if outcome.malformed:
            self._malformed.add(pointer)

    def _add(self, requirement: str, expected: str, seen: str, pointer: str, departure: str | None) -> None:
        known = self._contract.requirements.get(requirement)
        source = known.source_on(self.operation) if known is not None else ""
        advice = departure is None and known is not None and known.force == "should"
        finding = Finding(requirement, self.operation, expected, seen, pointer, departure, source, advice)
        if finding not in self._findings:
            if departure is None:
                self._failed.add(requirement)
            self._findings.append(finding)

    def failed(self, requirement: str, expected: str, seen: str, pointer: str) -> None:
        """Add a finding at `pointer`, a JSON pointer into the exchange."""
        self.take(requirement, Failure(expected, seen, pointer))

    def check(self, requirement: str, holds: bool, expected: str, seen: object, pointer: str) -> bool:
        """Note `requirement` as held, or add a finding; return `holds`."""
        if holds:
            self._held.add(requirement)
        else:
            self.failed(requirement, expected, shown(seen), pointer)
        return holds

    def judgement(self) -> Judgement:
        """Everything noted so far, the most specific finding first."""
        findings = sorted(self._findings, key=self._lead) if len(self._findings) > 1 else self._findings
        held = frozenset((r, self.operation) for r in self._held - self._failed)
        return Judgement(held, tuple(findings))

    def _lead(self, finding: Finding) -> int:
        known = self._contract.requirements.get(finding.requirement)
        return -known.specificity if known is not None else 0
