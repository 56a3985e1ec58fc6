"""Which exchanges count, and which one of several is shown: the same in every run, whatever order the tests came in."""

from __future__ import annotations

from array import array
from collections.abc import Set

from atlas_conformance.contracts.finding import Finding
from atlas_conformance.reports.grouping import Rank
from atlas_conformance.reports.model import CONTRAST, EVERY_CREATE
from atlas_conformance.reports.records import ExchangeRecord


def request_size(record: ExchangeRecord) -> int:
    """Return the size by which requests are compared: characters of target and headers, bytes of the body."""
    request = record.exchange.request
    headers = sum(len(name) + len(value) for name, value in request.headers or ())
    return len(request.target) + len(request.body or b"") + headers


class Counted:
    """The exchanges of a journal as far as counting goes, added in their order."""

    def __init__(self) -> None:
        self.passing: set[int] = set()
        """The numbers of the exchanges in passing, which do not count."""
        self.findings = 0
        """How many findings the others have."""
        self._sizes = array("Q")
        self._test_of = array("L")
        self._numbers: dict[str, int] = {}
        self._tests: list[str] = []
        self._told: tuple[int, set[tuple[str, str, str]]] = (0, set())

    def __len__(self) -> int:
        return len(self._sizes)

    def add(self, record: ExchangeRecord) -> None:
        """Take in one more exchange."""
        number = self._numbers.setdefault(record.test, len(self._tests))
        if number == len(self._tests):
            self._tests.append(record.test)
        self._sizes.append(request_size(record))
        self._test_of.append(number)
        if record.passing:
            self.passing.add(record.n)

    def add_finding(self, n: int, finding: Finding) -> None:
        """Count a finding of exchange `n`; the same place in several jobs of a list counts once."""
        if n in self.passing:
            return
        if n != self._told[0]:
            self._told = (n, set())
        told = self._told[1]
        self.findings += finding.key not in told
        told.add(finding.key)

    def rank(self, n: int) -> Rank:
        """Return by what the exchange that is shown is chosen: what is found of every create, then counted ones, then
        small requests come first.
        """
        test = self._tests[self._test_of[n - 1]]
        if test == EVERY_CREATE:
            return (False, 0, "", n)
        return (n in self.passing and test != CONTRAST, self._sizes[n - 1], test, n)

    def count(self, exchanges: Set[int]) -> int:
        """Return how many of these exchanges count; those in passing stand for one where there is no other."""
        return len(exchanges - self.passing) or min(1, len(exchanges))
