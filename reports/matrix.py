"""From the records of a journal to a report: the matrix of requirement and operation, verdicts, groups of findings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.departure import KnownDeparture
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.requirement import Requirement
from atlas_conformance.reports.cells import Cells, by_reason, in_order
from atlas_conformance.reports.contrasts import by_key
from atlas_conformance.reports.counted import Counted
from atlas_conformance.reports.diagnosis import defects_of
from atlas_conformance.reports.evidence import Evidence, Grouped
from atlas_conformance.reports.grouping import Group, Key, Rank, heads
from atlas_conformance.reports.journal import Journal
from atlas_conformance.reports.model import (
    ERROR,
    EVERY_CREATE,
    EXIT_CODES,
    FAILED,
    INCOMPLETE,
    NOT_EXERCISED,
    PASSED,
    UNREACHABLE,
    DepartureUse,
    FindingGroup,
    Repeat,
    Report,
    SuiteError,
)
from atlas_conformance.reports.records import (
    Closing,
    ContrastRecord,
    ExchangeRecord,
    FindingRecord,
    Header,
    JobRecord,
    Record,
    RepeatRecord,
    StatusRecord,
)
from atlas_conformance.reports.watching import Watch


class Tally:
    """Counts records as they come, live or from a file, and makes the report of all records so far."""

    def __init__(
        self,
        header: Header,
        requirements: Mapping[str, Requirement] = Contract.load().requirements,
        departures: Mapping[str, KnownDeparture] = Contract.load().departures,
    ) -> None:
        """Count nothing yet; `requirements` and `departures` give the words, the order and the specificity."""
        self.header = header
        self._requirements = requirements
        self._departures = departures
        self._counted = Counted()
        self._cells = Cells(header, requirements, self._counted)
        self._groups: defaultdict[Grouped, Group] = defaultdict(Group)
        self._leads: dict[int, tuple[tuple[bool, int, bool], Grouped]] = {}
        self._uses: dict[str, tuple[Rank, Finding, defaultdict[str, set[int]]]] = {}
        self._errors: list[SuiteError] = []
        self._jobs: list[JobRecord] = []
        self._contrasts: list[ContrastRecord] = []
        self._watch = Watch()
        self._evidence = Evidence()
        self._last = 0.0
        self._first: float | None = None
        self._closing: Closing | None = None

    @property
    def exchanges(self) -> int:
        """The number of exchanges so far, those in passing included."""
        return len(self._counted)

    @property
    def failures(self) -> int:
        """The number of groups of findings so far that are failures."""
        return sum(not advice for advice, _ in self._groups)

    def add(self, record: Record) -> None:
        """Count one record; records come in the order of the journal."""
        if isinstance(record, ExchangeRecord):
            self._add_exchange(record)
        elif isinstance(record, FindingRecord):
            self._add_finding(record)
        elif isinstance(record, RepeatRecord):
            key = (record.requirement, record.operation, record.place)
            for grouped in ((False, key), (True, key)):
                if grouped in self._groups:
                    self._groups[grouped].repeats.append(record)
        elif isinstance(record, StatusRecord):
            self._add_status(record)
        elif isinstance(record, JobRecord):
            self._jobs.append(record)
        elif isinstance(record, ContrastRecord):
            self._contrasts.append(record)
        elif isinstance(record, Closing):
            self._closing = record

    def verdict(self, *, partial: bool, lost: bool = False) -> str:
        """Return the overall verdict of all records so far: failed, error, incomplete, not exercised or passed.

        It is unreachable, whatever was found before, where the run ended because the endpoint was `lost`.
        """
        if lost or (self._closing is not None and self._closing.verdict == UNREACHABLE):
            return UNREACHABLE
        if self.failures:
            return FAILED
        if self._errors:
            return ERROR
        if partial:
            return INCOMPLETE
        selected, excluded = self._cells.selected, self.header.excluded
        exercised = any(selected(id) and id not in excluded for id, _ in self._cells.shown)
        return PASSED if exercised else NOT_EXERCISED

    def report(
        self, exchanges: Callable[[Iterable[int]], Mapping[int, ExchangeRecord]], partial: str | None = None
    ) -> Report:
        """Return the report of all records so far.

        `exchanges` fetches records by number (`Journal.exchanges`); `partial` says why the journal is no whole run.
        """
        rows = self._cells.rows()
        every = self._finding_groups(exchanges)
        groups = tuple(group for group in every if not group.advice)
        verdict = self.verdict(partial=partial is not None)
        return Report(
            header=self.header,
            verdict=verdict,
            exit_code=EXIT_CODES[verdict],
            partial=partial,
            ended=self._closing.ended if self._closing else None,
            seconds=self._seconds(),
            exchanges=len(self._counted),
            passing=len(self._counted.passing),
            findings=self._counted.findings,
            operations=tuple(in_order((o for row in rows.values() for o in row.cells), Contract.load().operations)),
            rows=rows,
            groups=groups,
            headlines=_under_their_leads(groups),
            departures=self._departure_uses(),
            errors=tuple(self._errors),
            unexercised=by_reason(rows.values()),
            jobs=tuple(self._jobs),
            latencies=self._watch.latencies(),
            timelines=self._watch.timelines(),
            lost_connections=self._closing.lost_connections if self._closing else 0,
            advice=tuple(group for group in every if group.advice),
            contrasts=by_key(self._contrasts),
            defects=defects_of(
                every, self._evidence, rows, self._requirements, self._counted.count, self._first, exchanges
            ),
        )

    def _add_exchange(self, record: ExchangeRecord) -> None:
        self._counted.add(record)
        self._watch.add(record)
        self._evidence.add_exchange(record)
        self._cells.add_held(record.held)
        self._first = record.exchange.started if self._first is None else min(self._first, record.exchange.started)
        self._last = max(self._last, record.exchange.ended)

    def _add_finding(self, record: FindingRecord) -> None:
        n, finding = record.n, record.finding
        if finding.requirement in self.header.excluded:
            return
        self._counted.add_finding(n, finding)
        pair = (finding.requirement, finding.operation)
        if finding.departure is not None:
            self._cells.departed[pair].add(n)
            first = (self._counted.rank(n), finding, defaultdict[str, set[int]](set))
            use = self._uses.setdefault(finding.departure, first)
            use[2][finding.operation].add(n)
            if first[0] < use[0]:
                self._uses[finding.departure] = (*first[:2], use[2])
            return
        advice = finding.advice and not self.header.strict
        (self._cells.advised if advice else self._cells.failed)[pair].add(n)
        grouped = (advice, finding.key)
        group = self._groups[grouped]
        anew = n not in group.exchanges
        group.add(n, self._counted.rank(n), finding)
        self._evidence.add_finding(record, grouped, group.exchanges, anew=anew)
        known = self._requirements.get(finding.requirement)
        # Advice explains no failure.
        rank = (not advice, known.specificity if known else 0, record.led_by is None)
        if n not in self._leads or rank > self._leads[n][0]:
            self._leads[n] = (rank, grouped)

    def _add_status(self, record: StatusRecord) -> None:
        if record.status == ERROR:
            error = SuiteError(record.where or "the suite", record.reason, record.requirement, record.operation)
            if error not in self._errors:
                self._errors.append(error)
            if record.requirement is None and record.operation is None:
                return
        self._cells.add_status(record)

    def _finding_groups(
        self, exchanges: Callable[[Iterable[int]], Mapping[int, ExchangeRecord]]
    ) -> tuple[FindingGroup, ...]:
        repeats = {key: group.repeat() for key, group in self._groups.items()}
        wanted = {group.shown()[0] for group in self._groups.values()}
        wanted |= {repeat.again for repeat in repeats.values() if repeat is not None and repeat.again is not None}
        samples = exchanges(wanted)
        requirements = {id: index for index, id in enumerate(self._requirements)}
        operations = {id: index for index, id in enumerate(Contract.load().operations)}

        first = {grouped for grouped, group in self._groups.items() if samples[group.shown()[0]].test == EVERY_CREATE}

        def place(grouped: Grouped) -> tuple[bool, int, int, Key, bool]:
            advice, key = grouped
            requirement = requirements.get(key[0], len(requirements))
            return (grouped not in first, requirement, operations.get(key[1], len(operations)), key, advice)

        leads = heads({grouped: self._lead_of(grouped, group) for grouped, group in self._groups.items()})
        groups = []
        for grouped in sorted(self._groups, key=place):
            group = self._groups[grouped]
            advice, key = grouped
            n, finding = group.shown()
            repeat, lead = repeats[grouped], leads[grouped]
            counted = group.exchanges - self._counted.passing or group.exchanges
            groups.append(
                FindingGroup(
                    *key,
                    count=self._counted.count(group.exchanges),
                    first=min(counted),
                    finding=finding,
                    sample=samples[n],
                    lead=None if lead is None else lead[1],
                    advice=advice,
                    repeat=None if repeat is None else Repeat(repeat.outcome, samples.get(repeat.again or 0)),
                )
            )
        return tuple(groups)

    def _lead_of(self, grouped: Grouped, group: Group) -> Grouped | None:
        """Return the group that leads most of a group's exchanges; None where it leads one of them itself."""
        counted = group.exchanges - self._counted.passing or group.exchanges
        leads = Counter(self._leads[number][1] for number in counted)
        return None if grouped in leads else min(leads, key=lambda lead: (-leads[lead], lead))

    def _departure_uses(self) -> tuple[DepartureUse, ...]:
        uses = []
        for id in in_order(self._uses, self._departures):
            _, finding, operations = self._uses[id]
            known = self._departures.get(id)
            uses.append(
                DepartureUse(
                    id=id,
                    requirement=finding.requirement,
                    statement=known.statement if known else "(A departure that this version does not know.)",
                    operations={
                        o: self._counted.count(operations[o]) for o in in_order(operations, Contract.load().operations)
                    },
                    place=finding.place,
                    expected=finding.expected,
                    seen=finding.seen,
                )
            )
        return tuple(uses)

    def _seconds(self) -> float:
        if self._closing is not None:
            started, ended = (datetime.fromisoformat(at) for at in (self.header.started, self._closing.ended))
            return max(0.0, (ended - started).total_seconds())
        return 0.0 if self._first is None else max(0.0, self._last - self._first)


def build(
    journal: Journal,
    requirements: Mapping[str, Requirement] = Contract.load().requirements,
    departures: Mapping[str, KnownDeparture] = Contract.load().departures,
    *,
    strict: bool = False,
) -> Report:
    """Return the report of a journal on disk; raise JournalError where it cannot be read.

    With `strict` advice is failure, as it is where the run itself was strict.
    """
    header = replace(journal.header, strict=journal.header.strict or strict)
    tally = Tally(header, requirements, departures)
    for record in journal:
        tally.add(record)
    partial = journal.partial
    return tally.report(journal.exchanges, partial)


def _under_their_leads(groups: Iterable[FindingGroup]) -> tuple[FindingGroup, ...]:
    """Return the groups that stand for themselves, each with the groups that it explains."""
    explained: defaultdict[Key, list[FindingGroup]] = defaultdict(list)
    leads = []
    for group in groups:
        if group.lead is None:
            leads.append(group)
        else:
            explained[group.lead].append(group)
    return tuple(replace(group, also=tuple(explained[group.key])) for group in leads)
