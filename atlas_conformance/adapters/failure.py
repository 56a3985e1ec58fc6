"""A requirement that does not hold, with all that a reader of a red test needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Finding


@dataclass(frozen=True)
class Failure:
    """One requirement that does not hold on one operation.

    `statement` is the requirement's sentence and `source` the pages that it comes from; `expected` and `seen` say what
    is wrong, and `place` where: a JSON pointer into the exchange. `exchange` shows it, its credentials masked.
    `departure` is the id of the known departure of the real service that covers it, or None.
    """

    requirement: str
    operation: str
    statement: str
    expected: str
    seen: str
    place: str
    source: str
    exchange: Exchange
    departure: str | None = None

    @classmethod
    def of(cls, finding: Finding, exchange: Exchange, contract: Contract) -> Failure:
        """Make a failure of a finding and the exchange that shows it, which must be free of credentials."""
        described = contract.requirements[finding.requirement]
        return cls(
            requirement=finding.requirement,
            operation=finding.operation,
            statement=described.statement,
            expected=finding.expected,
            seen=finding.seen,
            place=finding.pointer,
            source=described.source_on(finding.operation),
            exchange=exchange,
            departure=finding.departure,
        )

    def __str__(self) -> str:
        request, response = self.exchange.request, self.exchange.response
        return "\n".join(
            (
                f"{self.requirement} does not hold on {self.operation}: {self.statement}",
                f"  Expected  {self.expected}",
                f"  Seen      {self.seen}",
                f"  Place     {self.place}",
                f"  Source    {self.source}",
                f"  Exchange  {request.method} {request.target}: {response.status}",
            )
        )


class RequirementFailed(AssertionError):
    """Raised on an exchange that fails requirements; it is an assertion, so a test that meets it fails.

    `failures` are all failures of the exchange, the most specific first. The first one is also at hand as `failure`,
    and as `requirement`, `operation`, `expected`, `seen`, `place` and `source`.
    """

    def __init__(self, failures: tuple[Failure, ...]) -> None:
        super().__init__("\n".join(map(str, failures)))
        self.failures = failures
        self.failure = failures[0]
        self.requirement = self.failure.requirement
        self.operation = self.failure.operation
        self.expected = self.failure.expected
        self.seen = self.failure.seen
        self.place = self.failure.place
        self.source = self.failure.source

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.failures,), vars(self)
