"""What tests find out about the endpoint, once for all."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from atlas_conformance.contracts.finding import Finding


class Traits:
    """Traits by their names, each looked for when it is first asked for, and what is not worth to wait for again."""

    def __init__(self) -> None:
        self._found: dict[str, bool] = {}
        self._stayed: set[tuple[str, str | None]] = set()

    def has(self, trait: str, find: Callable[[], bool]) -> bool:
        """Return whether the endpoint has the trait, as `find` says if nobody has asked before."""
        if trait not in self._found:
            self._found[trait] = find()
        return self._found[trait]

    def may_pass(self, findings: Iterable[Finding]) -> bool:
        """Tell whether it is worth to wait: some finding may pass with time, as none like it has stayed to the end."""
        return any(_sort(finding) not in self._stayed for finding in findings)

    def has_stayed(self, requirement: str) -> bool:
        """Tell whether a finding of the requirement has stayed, on whatever operation."""
        return any(name == requirement for name, _ in self._stayed)

    def stayed(self, findings: Iterable[Finding]) -> None:
        """Take in which findings stayed, however long somebody waited."""
        self._stayed.update(map(_sort, findings))


def _sort(finding: Finding) -> tuple[str, str | None]:
    """What one operation fails another one need not; what is only recommended is not worth to wait for twice."""
    return finding.requirement, finding.operation if finding.fails else None
