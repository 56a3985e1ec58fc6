"""What could not be exercised, and why."""

from __future__ import annotations

from collections.abc import Iterator


class Untested:
    """Reasons, as tests come upon them. Of several for the same the first by the alphabet stays, whatever the order."""

    def __init__(self) -> None:
        self._unexercised: dict[tuple[str, str], str] = {}
        self._withheld: dict[tuple[str, str], str] = {}

    def note(self, requirement: str, operation: str, reason: str) -> None:
        """Note why a requirement could not be exercised on an operation."""
        known = self._unexercised.get((requirement, operation), reason)
        self._unexercised[requirement, operation] = min(reason, known)

    def withhold(self, test: str, operation: str, reason: str) -> None:
        """Note why a request of an operation was not sent in a test."""
        self._withheld.setdefault((test, operation), reason)

    def reasons(self) -> Iterator[tuple[str, str, str]]:
        """Every (requirement, operation, reason) noted."""
        for (requirement, operation), reason in self._unexercised.items():
            yield requirement, operation, reason

    def withheld(self) -> dict[str, str]:
        """For each operation of which something was withheld, the first reason by the alphabet."""
        found: dict[str, str] = {}
        for (_, operation), reason in self._withheld.items():
            found[operation] = min(reason, found.get(operation, reason))
        return found
