"""Collecting what one exchange shows: requirements that held and findings."""

from __future__ import annotations

import json

from atlas_conformance.contracts.catalogue import REQUIREMENTS, departure_for
from atlas_conformance.contracts.finding import Finding, Judgement

_COMPARING = frozenset({"S-FIXED", "S-SAME", "T-FLAGS"})
"""Requirements that hold one answer against another."""
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


class Verdicts:
    """A builder of one `Judgement`; it lives for one exchange only."""

    def __init__(self, operation: str) -> None:
        self.operation = operation
        self._held: set[str] = set()
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

    def held(self, requirement: str) -> None:
        """Note that the exchange put `requirement` to the test and that it held."""
        self._held.add(requirement)

    def include(self, other: Verdicts) -> None:
        """Take over everything that `other` has noted."""
        self._held |= other._held
        self._failed |= other._failed
        self._mistyped |= other._mistyped
        self._malformed |= other._malformed
        self._findings += [finding for finding in other._findings if finding not in self._findings]

    def failed(self, requirement: str, expected: str, seen: str, pointer: str) -> None:
        """Add a finding at `pointer`, a JSON pointer into the exchange.

        A value of the wrong JSON type says nothing of the finer rules: where C-SCHEMA or E-SCHEMA has found one,
        nothing else is found.
        """
        if pointer in self._mistyped or (pointer in self._malformed and requirement in _COMPARING):
            return
        finding = Finding(requirement, self.operation, expected, seen, pointer)
        if finding not in self._findings:
            self._failed.add(requirement)
            self._findings.append(finding)

    def mistyped(self, pointer: str) -> None:
        """Note that the value at `pointer` is of the wrong JSON type."""
        self._mistyped.add(pointer)

    def malformed(self, pointer: str) -> None:
        """Note that the value at `pointer` is none that the schema admits: that it also differs from earlier says
        nothing.
        """
        self._malformed.add(pointer)

    def value_failed(
        self, requirement: str, expected: str, pointer: str, inner: str, value: object, document: object
    ) -> None:
        """Add a finding on a value of a response body.

        `inner` is the pointer inside `document`, the unwrapped answer (a job, a list page, an error), by which the
        register
        of known departures is consulted; `pointer` the pointer into the exchange.
        """
        departure = departure_for(requirement, self.operation, inner, value, document)
        finding = Finding(
            requirement,
            self.operation,
            expected,
            shown(value),
            pointer,
            departure.id if departure is not None else None,
        )
        if finding not in self._findings:
            if departure is None:
                self._failed.add(requirement)
            self._findings.append(finding)

    def check(self, requirement: str, holds: bool, expected: str, seen: object, pointer: str) -> bool:
        """Note `requirement` as held, or add a finding; return `holds`."""
        if holds:
            self._held.add(requirement)
        else:
            self.failed(requirement, expected, shown(seen), pointer)
        return holds

    def judgement(self) -> Judgement:
        """Everything noted so far, the most specific finding first."""
        findings = sorted(self._findings, key=lambda f: -REQUIREMENTS[f.requirement].specificity)
        held = frozenset((r, self.operation) for r in self._held - self._failed)
        return Judgement(held, tuple(findings))
