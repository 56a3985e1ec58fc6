"""A report of any number of exchanges in memory that does not grow with them.

Exchanges that show the same are counted, not kept: the tally gets the first few of each kind in full, and the numbers
of all are put into the report that it makes of those.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Finding, Judgement
from atlas_conformance.reports.diagnosis import recounted
from atlas_conformance.reports.matrix import Tally
from atlas_conformance.reports.model import Cell, DepartureUse, FindingGroup, Report, Row
from atlas_conformance.reports.records import Closing, ExchangeRecord, FindingRecord, Header, StatusRecord

Pair = tuple[str, str]
Key = tuple[str, str, str]
Told = tuple[str, str, str, str | None, bool]
"""What a finding tells: requirement, operation, place, known departure, and whether it is advice."""
Kind = tuple[frozenset[Pair], tuple[Told, ...]]

KEPT = 50
"""So many exchanges of each kind that breaks something are kept, for the one with the smallest request to be shown."""


@lru_cache(maxsize=16_384)
def _place(pointer: str) -> str:
    return Finding("", "", "", "", pointer).place


@dataclass
class Counts:
    """In how many exchanges a requirement held on an operation, failed, and so on."""

    passed: Counter[Pair] = field(default_factory=Counter)
    departed: Counter[Pair] = field(default_factory=Counter)
    failed: Counter[Pair] = field(default_factory=Counter)
    advised: Counter[Pair] = field(default_factory=Counter)


class Condenser:
    """Takes judged exchanges in their order, keeps a few, counts all, and makes the report."""

    def __init__(self, header: Header) -> None:
        self.exchanges = 0
        self.findings = 0
        self._strict = header.strict
        self._tally = Tally(header)
        self._numbers: list[int] = []
        self._records: dict[int, ExchangeRecord] = {}
        self._kinds: Counter[Kind] = Counter()
        self._kept: Counter[Kind] = Counter()

    @property
    def failures(self) -> int:
        """The number of groups of findings so far that are failures."""
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
            keys = [(f.requirement, f.operation, _place(f.pointer), f.departure, f.advice) for f in findings]
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
                if finding.fails:
                    lead = lead or finding.requirement
                led_by = None if lead in (None, finding.requirement) else lead
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
        counts = self._counts()
        groups = self._group_counts()
        every = [self._group(group, groups) for group in (*base.groups, *base.advice)]
        return replace(
            base,
            defects=recounted(base.defects, {(group.advice, group.key): group for group in every}),
            exchanges=self.exchanges,
            findings=self.findings,
            rows={id: _row(row, counts) for id, row in base.rows.items()},
            groups=tuple(self._group(group, groups) for group in base.groups),
            headlines=tuple(self._group(group, groups) for group in base.headlines),
            advice=tuple(self._group(group, groups) for group in base.advice),
            departures=tuple(self._departure(use) for use in base.departures),
            latencies=(),
            timelines=(),
        )

    def _counts(self) -> Counts:
        """Return in how many exchanges each pair held, failed, earned advice, or was a known departure."""
        counts = Counts()
        for (held, keys), count in self._kinds.items():
            broken = {(told[0], told[1]) for told in keys if self._fails(told)}
            advised = {(told[0], told[1]) for told in keys if told[4]} - broken
            known = {(told[0], told[1]) for told in keys} - broken - advised
            for pairs, counter in (
                (held - broken - advised - known, counts.passed), (known, counts.departed), (broken, counts.failed),
                (advised, counts.advised),
            ):  # fmt: skip
                for pair in pairs:
                    counter[pair] += count
        return counts

    def _fails(self, told: Told) -> bool:
        return told[3] is None and (self._strict or not told[4])

    def _group_counts(self) -> Counter[tuple[bool, Key]]:
        counts: Counter[tuple[bool, Key]] = Counter()
        for (_, keys), count in self._kinds.items():
            for told in keys:
                if told[3] is None:
                    counts[not self._fails(told), told[:3]] += count
        return counts

    def _group(self, group: FindingGroup, counts: Counter[tuple[bool, Key]]) -> FindingGroup:
        also = tuple(self._group(inner, counts) for inner in group.also)
        return replace(group, count=counts[group.advice, group.key], first=self._numbers[group.first - 1], also=also)

    def _departure(self, use: DepartureUse) -> DepartureUse:
        counts: defaultdict[str, int] = defaultdict(int)
        for (_, keys), count in self._kinds.items():
            for operation in {told[1] for told in keys if told[3] == use.id}:
                counts[operation] += count
        return replace(use, operations={id: counts[id] for id in Contract.load().operations if id in counts})


def _row(row: Row, counts: Counts) -> Row:
    def counted(cell: Cell) -> Cell:
        pair = (cell.requirement, cell.operation)
        return replace(
            cell,
            passed=counts.passed[pair],
            departed=counts.departed[pair],
            failed=counts.failed[pair],
            advised=counts.advised[pair],
        )

    return replace(row, cells={operation: counted(cell) for operation, cell in row.cells.items()})
