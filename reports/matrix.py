"""From the records of a journal to a report: the matrix of requirement and operation, verdicts, groups of findings."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.departure import KnownDeparture
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.requirement import Requirement
from atlas_conformance.reports.contrasts import by_key
from atlas_conformance.reports.counted import Counted
from atlas_conformance.reports.diagnosis import defects_of
from atlas_conformance.reports.evidence import Evidence, Grouped
from atlas_conformance.reports.grouping import Group, Key, Rank, heads
from atlas_conformance.reports.journal import Journal
from atlas_conformance.reports.model import (
    ADVICE,
    DEPARTURE,
    ERROR,
    EVERY_CREATE,
    EXCLUDED,
    EXIT_CODES,
    FAILED,
    INCOMPLETE,
    LADDER,
    NOT_EXERCISED,
    NOT_OFFERED,
    PASSED,
    UNREACHABLE,
    WITHHELD,
    Cell,
    DepartureUse,
    FindingGroup,
    Repeat,
    Report,
    Row,
    SuiteError,
    Unexercised,
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

Pair = tuple[str, str]

NO_EXCHANGE = "no request of this run exercised it"
NO_SUCH_ANSWER = "the endpoint gave no {}"
UNSELECTED = "left out by --requirement"
EXCLUSION = "left out by --exclude"


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
        self._held_of = array("L")
        self._held_sets: dict[tuple[Pair, ...], int] = {}
        self._held_counts: list[int] = []
        self._failed: defaultdict[Pair, set[int]] = defaultdict(set)
        self._advised: defaultdict[Pair, set[int]] = defaultdict(set)
        self._departed: defaultdict[Pair, set[int]] = defaultdict(set)
        self._groups: defaultdict[Grouped, Group] = defaultdict(Group)
        self._leads: dict[int, tuple[tuple[bool, int, bool], Grouped]] = {}
        self._uses: dict[str, tuple[Rank, Finding, defaultdict[str, set[int]]]] = {}
        self._statuses: dict[tuple[str | None, str | None], StatusRecord] = {}
        self._errors: list[SuiteError] = []
        self._contrasts: list[ContrastRecord] = []
        self._jobs: list[JobRecord] = []
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
        elif isinstance(record, ContrastRecord):
            self._contrasts.append(record)
        elif isinstance(record, StatusRecord):
            self._add_status(record)
        elif isinstance(record, JobRecord):
            self._jobs.append(record)
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
        shown = {pair for pairs in self._held_sets for pair in pairs} | self._departed.keys() | self._advised.keys()
        exercised = any(self._selected(id) and id not in self.header.excluded for id, _ in shown)
        return PASSED if exercised else NOT_EXERCISED

    def report(
        self, exchanges: Callable[[Iterable[int]], Mapping[int, ExchangeRecord]], partial: str | None = None
    ) -> Report:
        """Return the report of all records so far.

        `exchanges` fetches records by number (`Journal.exchanges`); `partial` says why the journal is no whole run.
        """
        rows = self._rows()
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
            operations=tuple(
                self._in_order((o for row in rows.values() for o in row.cells), Contract.load().operations)
            ),
            rows=rows,
            groups=groups,
            headlines=_under_their_leads(groups),
            departures=self._departure_uses(),
            errors=tuple(self._errors),
            unexercised=_by_reason(rows.values()),
            jobs=tuple(self._jobs),
            latencies=self._watch.latencies(),
            timelines=self._watch.timelines(),
            lost_connections=self._closing.lost_connections if self._closing else 0,
            advice=tuple(group for group in every if group.advice),
            defects=defects_of(
                every, self._evidence, rows, self._requirements, self._counted.count, self._first, exchanges
            ),
            contrasts=by_key(self._contrasts),
        )

    def _add_exchange(self, record: ExchangeRecord) -> None:
        self._counted.add(record)
        self._watch.add(record)
        self._evidence.add_exchange(record)
        number = self._held_sets.setdefault(record.held, len(self._held_sets))
        if number == len(self._held_counts):
            self._held_counts.append(0)
        self._held_counts[number] += 1
        self._held_of.append(number)
        self._first = record.exchange.started if self._first is None else min(self._first, record.exchange.started)
        self._last = max(self._last, record.exchange.ended)

    def _add_finding(self, record: FindingRecord) -> None:
        n, finding = record.n, record.finding
        if finding.requirement in self.header.excluded:
            return
        self._counted.add_finding(n, finding)
        pair = (finding.requirement, finding.operation)
        if finding.departure is not None:
            self._departed[pair].add(n)
            first = (self._counted.rank(n), finding, defaultdict[str, set[int]](set))
            use = self._uses.setdefault(finding.departure, first)
            use[2][finding.operation].add(n)
            if first[0] < use[0]:
                self._uses[finding.departure] = (*first[:2], use[2])
            return
        advice = finding.advice and not self.header.strict
        (self._advised if advice else self._failed)[pair].add(n)
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
        key = (record.requirement, record.operation)
        known = self._statuses.get(key)
        # Of two reasons the first by the alphabet stays, so that the order of shards makes no difference.
        if known is None or _standing(record) < _standing(known):
            self._statuses[key] = record

    def _rows(self) -> dict[str, Row]:
        passed = self._passed()
        bound: defaultdict[str, set[str]] = defaultdict(set)
        for requirement in self._requirements.values():
            bound[requirement.id].update(requirement.operations)
        for requirement_id, operation in (*passed, *self._failed, *self._advised, *self._departed, *self._statuses):
            if requirement_id is not None and operation is not None:
                bound[requirement_id].add(operation)
        rows = {}
        for requirement_id in self._in_order(bound, self._requirements):
            cells = {
                operation: self._cell((requirement_id, operation), passed[requirement_id, operation])
                for operation in self._in_order(bound[requirement_id], Contract.load().operations)
            }
            known = self._requirements.get(requirement_id)
            statuses = {cell.status for cell in cells.values()} or {NOT_EXERCISED}
            rows[requirement_id] = Row(
                id=requirement_id,
                statement=known.statement if known else "(A requirement that this version does not know.)",
                source=known.source if known else "",
                verdict=next(status for status in LADDER if status in statuses),
                cells=cells,
                selected=self._selected(requirement_id),
                basis=known.basis if known else "",
                force=known.force if known else "",
                sources=known.sources if known else (),
            )
        return rows

    def _passed(self) -> Counter[Pair]:
        """Return, for each pair, the number of exchanges in which it held without a finding."""
        passed: Counter[Pair] = Counter()
        held_sets = list(self._held_sets)
        for held, count in zip(held_sets, self._held_counts, strict=True):
            for pair in held:
                passed[pair] += count
        members = [frozenset(held) for held in held_sets]
        broken = (self._failed, self._advised, self._departed)
        for pair in {pair for numbers in broken for pair in numbers}:
            spoilt = {number for numbers in broken for number in numbers.get(pair, ())}
            passed[pair] -= sum(pair in members[self._held_of[n - 1]] for n in spoilt)
        return passed

    def _cell(self, pair: Pair, passed: int) -> Cell:
        if pair[0] in self.header.excluded:
            return Cell(*pair, status=EXCLUDED, reason=EXCLUSION)
        failed = self._failed.get(pair, set())
        advised = self._advised.get(pair, set()) - failed
        departed = self._counted.count(self._departed.get(pair, set()) - failed - advised)
        status, reason = self._recorded_status(pair)
        if failed:
            status, reason = FAILED, None
        elif status != ERROR and (advised or departed or passed):
            status, reason = (ADVICE if advised else DEPARTURE if departed else PASSED), None
        count = self._counted.count
        return Cell(
            *pair,
            status=status,
            passed=passed,
            failed=count(failed),
            departed=departed,
            reason=reason,
            advised=count(advised),
        )

    def _recorded_status(self, pair: Pair) -> tuple[str, str | None]:
        """Return the status and the reason of a pair as far as they don't rest on exchanges."""
        requirement, operation = pair
        recorded = [self._statuses.get(key) for key in (pair, (requirement, None), (None, operation), (None, None))]
        if error := next((status for status in recorded if status and status.status == ERROR), None):
            return ERROR, error.reason
        if not self._selected(requirement):
            return NOT_EXERCISED, UNSELECTED
        offered = self.header.offered.get(operation, True)
        if offered is not True:
            return NOT_OFFERED, offered if isinstance(offered, str) else "the endpoint does not offer the operation"
        known = self._requirements.get(requirement)
        if known is not None and known.needs and not any(self.header.offered.get(n, True) is True for n in known.needs):
            return NOT_OFFERED, f"the endpoint offers none of {', '.join(known.needs)}"
        if status := next((status for status in recorded if status), None):
            return status.status, status.reason
        if known is not None and known.rests_on is not None:
            return NOT_EXERCISED, NO_SUCH_ANSWER.format(known.rests_on)
        return NOT_EXERCISED, NO_EXCHANGE

    def _selected(self, requirement: str) -> bool:
        return self.header.requirements is None or requirement in self.header.requirements

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
        for id in self._in_order(self._uses, self._departures):
            _, finding, operations = self._uses[id]
            known = self._departures.get(id)
            uses.append(
                DepartureUse(
                    id=id,
                    requirement=finding.requirement,
                    statement=known.statement if known else "(A departure that this version does not know.)",
                    operations={
                        o: self._counted.count(operations[o])
                        for o in self._in_order(operations, Contract.load().operations)
                    },
                    place=finding.place,
                    expected=finding.expected,
                    seen=finding.seen,
                )
            )
        return tuple(uses)

    @staticmethod
    def _in_order(names: Iterable[str], catalogue: Iterable[str]) -> list[str]:
        """Return the distinct names: those of the catalogue in its order, then the others sorted."""
        wanted = set(names)
        known = [name for name in catalogue if name in wanted]
        return known + sorted(wanted.difference(known))

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


def _standing(record: StatusRecord) -> tuple[int, str]:
    return LADDER.index(record.status), record.reason


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


def _by_reason(rows: Iterable[Row]) -> tuple[Unexercised, ...]:
    """Return the cells without exchanges by status and reason, withheld ones first."""
    found: defaultdict[tuple[str, str], defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for cell in row.cells.values():
            if cell.status in (WITHHELD, NOT_EXERCISED, NOT_OFFERED, EXCLUDED):
                found[cell.status, cell.reason or ""][row.id].append(cell.operation)
    return tuple(
        Unexercised(status, reason, {id: tuple(operations) for id, operations in cells.items()})
        for (status, reason), cells in sorted(found.items(), key=lambda item: (LADDER.index(item[0][0]), item[0][1]))
    )
