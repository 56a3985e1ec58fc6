"""What comes of a request, and what ends a test or a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Finding, Judgement
from atlas_conformance.http.failures import NoAnswer

__all__ = ["EndpointLost", "Judged", "NewFailure", "NoAnswer", "ReferenceFailed", "RunEnded"]


class NewFailure(AssertionError):
    """The endpoint fails a requirement in a way that no earlier test of the run has shown."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        lines = [
            f"{f.requirement} on {f.operation}: expected {f.expected}, seen {f.seen} ({f.pointer})" for f in findings
        ]
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.findings,), vars(self)


class EndpointLost(RuntimeError):
    """The endpoint no longer answers at all: nothing more can be said of it.

    `found` tells whether a finding already names the request after which it was gone.
    """

    def __init__(self, reason: str, *, found: bool = False) -> None:
        super().__init__(reason)
        self.found = found


class ReferenceFailed(RuntimeError):
    """The reference endpoint cannot be started; the message is one sentence."""


class RunEnded(RuntimeError):
    """The run was ended from outside before it was done; the message says why."""


@dataclass(frozen=True)
class Judged:
    """One exchange, its number in the journal, and what the judge said of it."""

    exchange: Exchange
    judgement: Judgement
    number: int

    @property
    def status(self) -> int:
        """The status code of the answer."""
        return self.exchange.response.status
