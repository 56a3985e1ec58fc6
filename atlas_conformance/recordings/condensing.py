"""A report of any number of exchanges in memory that does not grow with them.

Exchanges that show the same are counted, not kept: the tally gets the first few of each kind in full, and the numbers
of all are put into the report that it makes of those.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Finding, Judgement
from atlas_conformance.contracts.operations import OPERATIONS
from atlas_conformance.reports.matrix import Tally
from atlas_conformance.reports.model import Cell, DepartureUse, FindingGroup, Report, Row
from atlas_conformance.reports.records import Closing, ExchangeRecord, FindingRecord, Header, StatusRecord

Pair = tuple[str, str]
Key = tuple[str, str, str]
Kind = tuple[frozenset[Pair], tuple[tuple[str, str, str, str | None], ...]]

KEPT = 50
"""So many exchanges of each kind that breaks something are kept, for the one with the smallest request to be shown."""


@lru_cache(maxsize=16_384)
def _place(pointer: str) -> str:
    return Finding("", "", "", "", pointer).place


class Condenser:
    """Takes judged exchanges in their order, keeps a few, counts all, and makes the report."""

    def __init__(self, header: Header) -> None:
        self.exchanges = 0
        self.findings = 0
        self._tally = Tally(header)
        self._numbers: list[int] = []
        self._records: dict[int, ExchangeRecord] = {}
        self._kinds: Counter[Kind] = Counter()
        self._kept: Counter[Kind] = Counter()

    @property
    def failures(self) -> int:
        """The number of groups of findings so far that are no known departures."""
        return self._tally.failures

    def add(self, judgement: Judgement) -> tuple[int, bool, tuple[Finding, ...]]:
        """Count one exchange.

        Return its number, whether it should be kept, and its findings without those that tell the same of the same
        place of a list. One that should be kept must be given to `keep` before the next one is added.
        """
        self.exchanges += 1
        findings = judgement.findings
        if not findings:
            kind: Kind = (judgement.held, ())
        else:
            keys = [(f.requirement, f.operation, _place(f.pointer), f.departure) for f in findings]
            distinct = dict.fromkeys(keys)
            if len(distinct) < len(keys):
                findings = tuple(dict(zip(reversed(keys), reversed(findings), strict=True))[key] for key in distinct)
            kind = (judgement.held, tuple(distinct))
        self.findings += len(findings)
        self._kinds[kind] += 1
        broken = any(finding.departure is None for finding in findings)
        wanted = self._kept[kind] < (KEPT if broken else 1)
        if wanted:
            self._kept[kind] += 1
        return self.exchanges, wanted, findings

    def keep(
        self, number: int, exchange: Exchange, test: str, held: Iterable[Pair], findings: Iterable[Finding]
    ) -> None:
        """Keep an exchange, redacted, with its findings."""
        self._numbers.append(number)
        n = len(self._numbers)
        record = ExchangeRecord(n, test, None, exchange, tuple(sorted(held)))
        self._tally.add(record)
        lead: str | None = None
        broken = False
        for finding in findings:
            led_by = None
            if finding.departure is None:
                broken = True
                lead = lead or finding.requirement
                led_by = None if lead == finding.requirement else lead
            self._tally.add(FindingRecord(n, finding, (), led_by))
        if broken:
            self._records[n] = replace(record, n=number)

    def status(self, record: StatusRecord) -> None:
        """Note why something was not exercised."""
        self._tally.add(record)

    def report(self, ended: str, partial: str | None) -> Report:
        """Return the report of everything; `ended` is RFC 3339 in UTC, `partial` why a recording is not whole."""
        verdict = self._tally.verdict(partial=partial is not None)
        self._tally.add(Closing(ended, self.exchanges, self.findings, verdict, 0, partial is not None))
        base = self._tally.report(lambda numbers: {n: self._records[n] for n in numbers}, partial)
        passed, departed, failed = self._counts()
        groups = self._group_counts()
        return replace(
            base,
            exchanges=self.exchanges,
            findings=self.findings,
            rows={id: _row(row, passed, departed, failed) for id, row in base.rows.items()},
            groups=tuple(self._group(group, groups) for group in base.groups),
            headlines=tuple(self._group(group, groups) for group in base.headlines),
            departures=tuple(self._departure(use) for use in base.departures),
            latencies=(),
            timelines=(),
        )

    def _counts(self) -> tuple[Counter[Pair], Counter[Pair], Counter[Pair]]:
        """Return how many exchanges upheld each pair, departed from it as is known, and broke it."""
        passed: Counter[Pair] = Counter()
        departed: Counter[Pair] = Counter()
        failed: Counter[Pair] = Counter()
        for (held, keys), count in self._kinds.items():
            broken = {(requirement, operation) for requirement, operation, _, departure in keys if departure is None}
            known = {(requirement, operation) for requirement, operation, _, departure in keys} - broken
            for pairs, counter in ((held - broken - known, passed), (known, departed), (broken, failed)):
                for pair in pairs:
                    counter[pair] += count
        return passed, departed, failed

    def _group_counts(self) -> Counter[Key]:
        counts: Counter[Key] = Counter()
        for (_, keys), count in self._kinds.items():
            for requirement, operation, place, departure in keys:
                if departure is None:
                    counts[requirement, operation, place] += count
        return counts

    def _group(self, group: FindingGroup, counts: Counter[Key]) -> FindingGroup:
        also = tuple(self._group(inner, counts) for inner in group.also)
        return replace(group, count=counts[group.key], first=self._numbers[group.first - 1], also=also)

    def _departure(self, use: DepartureUse) -> DepartureUse:
        counts: defaultdict[str, int] = defaultdict(int)
        for (_, keys), count in self._kinds.items():
            for operation in {operation for _, operation, _, departure in keys if departure == use.id}:
                counts[operation] += count
        return replace(use, operations={id: counts[id] for id in OPERATIONS if id in counts})


def _row(row: Row, passed: Counter[Pair], departed: Counter[Pair], failed: Counter[Pair]) -> Row:
    def counted(cell: Cell) -> Cell:
        pair = (cell.requirement, cell.operation)
        return replace(cell, passed=passed[pair], departed=departed[pair], failed=failed[pair])

    return replace(row, cells={operation: counted(cell) for operation, cell in row.cells.items()})
