"""A report: what a journal says, as values that every format is rendered from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.requirement import Citation, cited_for
from atlas_conformance.reports.records import ContrastRecord, ExchangeRecord, Header, JobRecord
from atlas_conformance.reports.watching import Latency, Timeline

PASSED = "passed"
EVERY_CREATE = "every create"
"""Stands in place of a test for what is found of all creates of an operation at once: what else fails may follow."""
CONTRAST = "contrast"
"""Stands in place of a test for what is sent to find the smallest request of a failure, and the nearest one that does
not fail: it does not count, and its failing requests are shown where they are the smallest."""
FAILED = "failed"
ERROR = "error"
ADVICE = "advice"
DEPARTURE = "known departure"
WITHHELD = "withheld"
NOT_EXERCISED = "not exercised"
NOT_OFFERED = "not offered"
EXCLUDED = "excluded"
INCOMPLETE = "incomplete"
UNREACHABLE = "unreachable"

REPEATED = "repeated"
HELD = "held"
UNTOLD = "untold"

LADDER = (FAILED, ERROR, ADVICE, DEPARTURE, PASSED, WITHHELD, NOT_EXERCISED, NOT_OFFERED, EXCLUDED)
"""The statuses of a cell, the status that decides for its requirement first."""

EXIT_CODES: Mapping[str, int] = {
    PASSED: 0, FAILED: 1, UNREACHABLE: 3, ERROR: 4, INCOMPLETE: 4, NOT_EXERCISED: 4,
}  # fmt: skip
"""The exit code of each overall verdict."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One requirement on one operation: its status, and how many exchanges kept it, broke it or departed from it.

    An exchange counts once: as failed, else as advice (`advised`), else as a known departure, else as passed. Exchanges
    in passing (ExchangeRecord) do not count; a failure that only they show counts as one. `reason` says why there are
    none, or what went wrong in the suite.
    """

    requirement: str
    operation: str
    status: str
    passed: int = 0
    failed: int = 0
    departed: int = 0
    reason: str | None = None
    advised: int = 0

    @property
    def exercised(self) -> int:
        """The number of exchanges that exercised the requirement on the operation."""
        return self.passed + self.failed + self.departed + self.advised

    @property
    def shown_count(self) -> int:
        """The number that belongs to the status: of exchanges that passed, failed, and so on; else 0."""
        counts = {PASSED: self.passed, FAILED: self.failed, ADVICE: self.advised, DEPARTURE: self.departed}
        return counts.get(self.status, 0)


@dataclass(frozen=True, slots=True)
class Row:
    """A requirement: its words, its verdict (the worst of its cells by LADDER), and its cells.

    `source` is the first place where it can be looked up, in words; `sources` are all of them. `basis` and `force` are
    empty for a requirement that this version does not know. `selected` is false where an option left the
    requirement out.
    """

    id: str
    statement: str
    source: str
    verdict: str
    cells: Mapping[str, Cell]
    selected: bool = True
    basis: str = ""
    force: str = ""
    sources: tuple[Citation, ...] = ()

    @property
    def address(self) -> str | None:
        """The first public address among the sources, None where there is none."""
        return next((citation.page.address for citation in self.sources if citation.page.address), None)

    def cited_on(self, operation: str) -> Citation | None:
        """Return the place where it can be looked up for an operation; None where no source is known."""
        return cited_for(self.sources, operation) if self.sources else None

    def source_on(self, operation: str) -> str:
        """Return the same in words."""
        return f"{self.cited_on(operation)} ({self.basis})" if self.sources else self.source

    @property
    def exercised(self) -> int:
        """The number of exchanges that exercised the requirement, over all operations."""
        return sum(cell.exercised for cell in self.cells.values())

    @property
    def family(self) -> str:
        """The letter before the first hyphen of the id."""
        return self.id.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A finding's request, repeated: the outcome (see RepeatRecord), and the exchange, None where there was none."""

    outcome: str
    again: ExchangeRecord | None


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """All findings of one requirement on one operation at one place.

    `count` is the number of exchanges, `first` the number of the first of them; `sample` is the one with the smallest
    request (of an unstable group: the repeated one) and `finding` what was found on it. `repeat` is what
    came of repeating the request, or None where the finding rests on several exchanges. `lead` is the
    key of the group that explains this one, or None where it stands for itself; `also` are the groups that this one
    explains. `advice` says that the requirement is a "should" and nobody was strict.
    """

    requirement: str
    operation: str
    place: str
    count: int
    first: int
    finding: Finding
    sample: ExchangeRecord
    lead: tuple[str, str, str] | None = None
    also: tuple[FindingGroup, ...] = ()
    repeat: Repeat | None = None
    advice: bool = False

    @property
    def unstable(self) -> bool:
        """Whether the requirement held each time that the request of such a finding was repeated."""
        return self.repeat is not None and self.repeat.outcome == HELD

    @property
    def key(self) -> tuple[str, str, str]:
        """Requirement, operation, place."""
        return (self.requirement, self.operation, self.place)


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong with the endpoint: the groups of findings that come of one cause.

    `headline` is the group to look at first, `sentence` says what is wrong in plain words. `same` are the groups that
    show the same elsewhere, `explains` those of other requirements that come of it. `operations` are those on which the
    headline's requirement fails by it, `count` is on how many exchanges, of `exercised` that cover it there; `first` is
    the number of the first of them, `since` the seconds from the run's start to it, where that is known.
    """

    headline: FindingGroup
    sentence: str
    operations: tuple[str, ...]
    count: int
    exercised: int
    first: int
    since: float | None = None
    same: tuple[FindingGroup, ...] = ()
    explains: tuple[FindingGroup, ...] = ()

    @property
    def groups(self) -> tuple[FindingGroup, ...]:
        """All of its groups, the headline first."""
        return (self.headline, *self.same, *self.explains)

    @property
    def requirement(self) -> str:
        """The id of the requirement that does not hold."""
        return self.headline.requirement

    @property
    def advice(self) -> bool:
        """Whether nothing of it is a failure."""
        return all(group.advice for group in self.groups)

    @property
    def unstable(self) -> bool:
        """Whether none of its failures was seen to repeat, and one of them was seen to hold."""
        failing = [group for group in self.groups if not group.advice]
        return bool(failing) and all(group.unstable for group in failing)


@dataclass(frozen=True, slots=True)
class DepartureUse:
    """A known departure of the real service that showed in the run.

    `operations` maps each operation to the number of exchanges; `place`, `expected` and `seen` are of the first one.
    """

    id: str
    requirement: str
    statement: str
    operations: Mapping[str, int]
    place: str
    expected: str
    seen: str

    @property
    def count(self) -> int:
        """The number of exchanges over all operations."""
        return sum(self.operations.values())


@dataclass(frozen=True, slots=True)
class SuiteError:
    """An error of the suite itself: where, and its message; the requirement and operation that it spoilt, if known."""

    where: str
    message: str
    requirement: str | None = None
    operation: str | None = None


@dataclass(frozen=True, slots=True)
class Unexercised:
    """A reason for which cells have no exchanges, with the operations of each requirement that it keeps so."""

    status: str
    reason: str
    cells: Mapping[str, tuple[str, ...]]

    @property
    def count(self) -> int:
        """The number of cells."""
        return sum(len(operations) for operations in self.cells.values())


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a journal says.

    `defects` are what is wrong, the one to look at first in front and those that are advice last; each group of
    findings is in one of them. `groups` are all groups of findings that are failures; `headlines` those that no other
    finding of their exchanges explains, with the others under them. `advice` are the groups of findings that are
    advice. `partial` says why the journal is no whole run, or is None. `seconds` is the time from the header to the
    closing line, or to the end of the last exchange in a partial journal. `latencies` are in the order of the
    operations, `timelines` those of the jobs that were followed. Of the `exchanges`, `passing` were had in passing and
    do not count; `findings` are those of the others, a place in several jobs of a list taken once.
    `contrasts` tell failing requests from the nearest other ones, by the groups' keys.
    """

    header: Header
    verdict: str
    exit_code: int
    partial: str | None
    ended: str | None
    seconds: float
    exchanges: int
    findings: int
    operations: tuple[str, ...]
    rows: Mapping[str, Row]
    groups: tuple[FindingGroup, ...]
    headlines: tuple[FindingGroup, ...]
    departures: tuple[DepartureUse, ...]
    errors: tuple[SuiteError, ...]
    unexercised: tuple[Unexercised, ...]
    jobs: tuple[JobRecord, ...] = ()
    latencies: tuple[Latency, ...] = ()
    timelines: tuple[Timeline, ...] = ()
    passing: int = 0
    lost_connections: int = 0
    advice: tuple[FindingGroup, ...] = ()
    contrasts: Mapping[tuple[str, str, str], ContrastRecord] = field(default_factory=dict)
    defects: tuple[Defect, ...] = ()

    @property
    def failing_defects(self) -> tuple[Defect, ...]:
        """The defects that are no mere advice."""
        return tuple(defect for defect in self.defects if not defect.advice)

    @property
    def unstable(self) -> tuple[FindingGroup, ...]:
        """The groups of findings that did not repeat."""
        return tuple(group for group in self.groups if group.unstable)

    def count(self, status: str) -> int:
        """Return the number of cells of the given status."""
        return sum(cell.status == status for row in self.rows.values() for cell in row.cells.values())

    def requirements(self, verdict: str) -> tuple[Row, ...]:
        """Return the rows of the given verdict, in the catalogue's order."""
        return tuple(row for row in self.rows.values() if row.verdict == verdict)
