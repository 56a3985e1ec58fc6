"""The chronicle of a run that does not end: jobs are followed across users, summed up when they have closed, and
forgotten.

What is kept has a fixed size: open jobs, the last that settled in full, of the last that were closed a few values, and
of ids that were seen before their create a moment.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from atlas_conformance.contracts import listing
from atlas_conformance.contracts.chronicle import (
    ANY,
    FAMILIES,
    LIST_OF,
    LISTED_WITHIN,
    READ_OF,
    Chronicle,
    JobKey,
    Place,
    Target,
    held_by,
    key_of,
    place_of,
)
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.history import RANK, JobHistory
from atlas_conformance.contracts.jobs import TERMINAL
from atlas_conformance.contracts.judge import AnswerMemory, Examined
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.reading import Reading
from atlas_conformance.contracts.verdicts import Verdicts
from atlas_conformance.load.identities import Identities
from atlas_conformance.load.pages import ListMemory, is_settled
from atlas_conformance.load.summary import Summary, summary_of

OPEN = 5_000
"""So many jobs are followed at most at the same time; the oldest is forgotten where there are more."""

SETTLED = 500
"""So many jobs that have ended are kept in full, to be read again, before they are closed."""

CLOSED = 2_000
"""Of so many closed jobs the summary is kept."""

STRANGERS = 2_000
"""Of so many ids that nobody of this process created, the moment of their first sight is kept."""

ADOPTED = 200
"""So many jobs that were there before, or are another's, are followed from the lists that show them."""

TRAIL = 2
"""So many of the last exchanges of each followed job are kept, besides its create, as evidence."""


class Ledger(Chronicle):
    """Judges exchanges as they come in from any number of users, and forgets jobs that have closed.

    Its memory is bounded, whatever the number of exchanges. `alone` says that nobody else sends to the endpoint, so
    that a target that no job of this process holds is free. `closed` is called with the summary of each job on its way
    out.
    """

    def __init__(
        self, knowledge: Knowledge, *, alone: bool = True, closed: Callable[[Summary], object] | None = None
    ) -> None:
        super().__init__(knowledge, remember=OPEN)
        self._answers = AnswerMemory(1_024, 2_048)
        self._alone = alone
        self._tell_closed = closed
        self.open: OrderedDict[JobKey, JobHistory] = OrderedDict()
        """The jobs that have not ended yet, as far as was seen, the oldest first."""
        self.settled: OrderedDict[JobKey, JobHistory] = OrderedDict()
        """The jobs that have ended and are still followed, the one that settled longest ago first."""
        self.evidence: tuple[Exchange, ...] = ()
        """The earlier exchanges that the latest judgement rests on, where it has findings."""
        self.summaries = 0
        self._closed: OrderedDict[JobKey, Summary] = OrderedDict()
        self._closed_at: dict[tuple[str, str], dict[Place, Summary]] = {}
        """The closed jobs by place, under their family and id."""
        self._ids = {family: Identities() for family in FAMILIES}
        self._strangers: OrderedDict[JobKey, float] = OrderedDict()
        self._trails: dict[JobKey, deque[Exchange]] = {}
        self._creates: dict[JobKey, Exchange] = {}
        self._reads: Counter[JobKey] = Counter()
        self._lists: dict[tuple[str, Place], ListMemory] = {}
        self._at: dict[tuple[str, Place], dict[JobKey, JobHistory]] = {}
        self._released: dict[Target, float] = {}
        self._under_way: Counter[Target] = Counter()
        self._adopted = 0

    # Targets that may be busy

    @contextmanager
    def sending(self, request: Request) -> Iterator[None]:
        """Count the target of a create as possibly busy from before it is sent until its answer has been judged."""
        target = self.target(request) if request.method == "POST" else None
        if target is None:
            yield
            return
        self._under_way[target] += 1
        try:
            yield
        finally:
            self._under_way[target] -= 1
            if not self._under_way[target]:
                del self._under_way[target]

    def unanswered(self, request: Request) -> None:
        """Note that a create was sent and no answer came: from now on its target may be busy for good."""
        target = self.target(request) if request.method == "POST" else None
        if target is not None:
            self._released[target] = float("inf")

    def busy(self, request: Request, started: float = float("inf")) -> bool:
        """Whether a job may have held the target that `request` names when it was sent, at `started`.

        Creates under way count, as do those whose answer is being judged: of the request's own, one is under way too.
        """
        target = self.target(request)
        if target is None:
            return False
        if not self._alone or self._under_way[target] > 1:
            return True
        for held in (target, ANY):
            if self._released.get(held, float("-inf")) >= started:
                return True
            if any(not job.finished_ended < started for job in self._holding.get(held, {}).values()):
                return True
        return False

    # One exchange

    def evidence_of(self, jobs: Iterable[JobKey]) -> tuple[Exchange, ...]:
        """Return the exchanges that are kept of these jobs, the earliest first."""
        found = []
        for key in jobs:
            created = self._creates.get(key)
            if created is not None:
                found.append(created)
            found += self._trails.get(key, ())
        return tuple(found)

    def _follow(self, exchange: Exchange, examined: Examined) -> None:
        before = examined.verdicts.findings
        self.evidence = ()
        super()._follow(exchange, examined)
        job_id = _job_of(examined)
        if job_id is None:
            return
        job = self._jobs.get(key_of(examined.reading, job_id)) or self._elsewhere(examined.reading, job_id)
        if examined.verdicts.findings > before and job is not None:
            self.evidence = tuple(e for e in self.evidence_of([job.key]) if e is not exchange)
        if job is not None:
            self._keep(job, exchange, examined)

    def _keep(self, job: JobHistory, exchange: Exchange, examined: Examined) -> None:
        """Keep an exchange on a followed job as evidence, and see whether the job has settled."""
        created = examined.reading.operation.kind == "create"
        if created and job.created is not None and job.created.started == exchange.started:
            self._creates[job.key] = exchange
            if READ_OF[examined.reading.operation.id] not in self.knowledge.offered:
                self.open.pop(job.key, None)  # nobody can look after it
        elif not created:
            self._trails.setdefault(job.key, deque(maxlen=TRAIL)).append(exchange)
            if examined.document is not None:
                self._count_read(job)

    def _count_read(self, job: JobHistory) -> None:
        """Count a read; a job that was seen ended by two of them has settled."""
        if job.key in self.settled or not (job.finished_ended < float("inf") or job.delivered):
            return
        self._reads[job.key] += 1
        if self._reads[job.key] >= 2:
            self.open.pop(job.key, None)
            self.settled[job.key] = job
            if len(self.settled) > SETTLED:
                self._close(next(iter(self.settled.values())))

    def _close(self, job: JobHistory) -> None:
        """Tell a job's summary, and forget it: from now on what is shown of it is held to the summary."""
        key, place = job.key, (job.project, job.cluster)
        summary = summary_of(job, self._reads[key])
        self._forget(job)
        for kept in (self.open, self.settled, self._trails, self._creates, self._reads):
            kept.pop(key, None)
        self._at.get((job.family, place), {}).pop(key, None)
        target = held_by(job)
        if self._release(job) and target is not None:
            self._released[target] = max(self._released.get(target, job.finished_ended), job.finished_ended)
        if job.created is None:
            self._adopted -= 1
        self._closed[key] = summary
        self._closed_at.setdefault((job.family, job.job), {})[place] = summary
        if summary.created:
            self._ids[job.family].add(job.job)
        if len(self._closed) > CLOSED:
            self._drop_closed()
        self.summaries += 1
        if self._tell_closed is not None:
            self._tell_closed(summary)

    def _drop_closed(self) -> None:
        """Forget the job that was closed longest ago."""
        (family, project, cluster, job_id), _ = self._closed.popitem(last=False)
        places = self._closed_at.get((family, job_id), {})
        places.pop((project, cluster), None)
        if not places:
            self._closed_at.pop((family, job_id), None)

    def _closed_job(self, reading: Reading, job_id: str) -> Summary | None:
        """Return what is kept of a closed job of this id: the one of the request's own place if there is one."""
        places = self._closed_at.get((reading.operation.family, job_id), {})
        return places.get(place_of(reading)) or next(iter(places.values()), None)

    def close_all(self) -> None:
        """Close every job that is still followed."""
        for job in list(self._jobs.values()):
            self._close(job)

    def _history(self, job_id: str, reading: Reading) -> JobHistory:
        key = key_of(reading, job_id)
        known = self._jobs.get(key)
        if known is None:
            if len(self._jobs) >= OPEN:
                self._close(next(iter(self._jobs.values())))
            project, cluster = place_of(reading)
            known = self.open[key] = self._remembered(JobHistory(job_id, reading.operation.family, project, cluster))
            self._at.setdefault((known.family, (project, cluster)), {})[key] = known
            if reading.operation.kind != "create":
                self._adopted += 1
        return known

    # Creates

    def _follow_create(self, exchange: Exchange, examined: Examined) -> None:
        job_id = examined.document.get("id") if examined.document is not None else None
        if isinstance(job_id, str):
            reading = examined.reading
            key = key_of(reading, job_id)
            closed = self._closed_job(reading, job_id)
            first = closed.first_ended if closed is not None else self._strangers.get(key, float("inf"))
            followed = (reading.operation.family, job_id) in self._places
            forgotten = not followed and job_id in self._ids[reading.operation.family]
            if forgotten or first <= exchange.started:
                verdicts = Verdicts(reading.operation.id) if reading.must_be_refused else examined.verdicts
                requirement = "T-NEW" if reading.operation.family == "cluster" else "S-NEW"
                verdicts.check(requirement, False, "an id that no earlier job has", job_id, f"{examined.pointer}/id")
                return
            adopted = self._jobs.get(key)
            if adopted is not None and adopted.created is None:
                self._adopted -= 1
        super()._follow_create(exchange, examined)

    # Reads

    def _follow_get(self, exchange: Exchange, examined: Examined) -> None:
        job_id = _job_of(examined)
        reading = examined.reading
        closed = self._closed_job(reading, job_id) if job_id is not None else None
        if closed is None or (reading.operation.family, job_id) in self._places:
            super()._follow_get(exchange, examined)
        elif examined.document is not None:
            self._revisit(closed, exchange, examined, examined.document, examined.pointer)

    def _revisit(
        self, closed: Summary, exchange: Exchange, examined: Examined, document: Mapping[str, Any], pointer: str
    ) -> None:
        """Hold what is shown of a forgotten job against its summary (L-SCOPE, S-FLOW, T-FLAGS)."""
        verdicts = examined.verdicts
        if (closed.project, closed.cluster) != place_of(examined.reading):
            expected = "a job only through its own cluster and project"
            verdicts.check("L-SCOPE", False, expected, f"the job of {closed.cluster}", pointer)
            return
        if not closed.finished_ended < exchange.started:
            return
        status = document.get("status")
        if closed.state in TERMINAL and status in RANK:
            verdicts.check("S-FLOW", status == closed.state, f"{closed.state} for good", status, f"{pointer}/status")
        if closed.family == "cluster" and closed.state in ("cancelled", "failed"):
            shown = document.get(closed.state)
            verdicts.check("T-FLAGS", shown is True, f"{closed.state}, once true, stays", shown,
                           f"{pointer}/{closed.state}")  # fmt: skip

    # Lists

    def _follow_list(self, exchange: Exchange, examined: Examined) -> None:
        reading, document, verdicts = examined.reading, examined.document, examined.verdicts
        if document is None:
            return
        place, family = place_of(reading), reading.operation.family
        memory = self._lists.setdefault((reading.operation.id, place), ListMemory())
        seen: set[str] = set()
        settled: list[str] = []
        fresh = 0
        for pointer, job in listing.listed(document, examined.pointer):
            job_id = job.get("id")
            if not isinstance(job_id, str) or job_id in seen:
                continue
            seen.add(job_id)
            if is_settled(job):
                settled.append(job_id)
            fresh += self._see_listed(job_id, job, pointer, exchange, examined)
        if any(other != place and jobs for (kind, other), jobs in self._at.items() if kind == family):
            verdicts.held("L-SCOPE")
        if fresh:
            memory.count(fresh, exchange.ended)
        lost = memory.see(settled, frozenset(seen), exchange)
        if lost is not None:
            expected = "a page that shows what stands on both sides of a job shows the job"
            verdicts.failed("L-PAGE", expected, f"{len(lost.jobs)} lost: {lost.jobs[0]}", f"{examined.pointer}/results")
            keys = [key_of(reading, job_id) for job_id in lost.jobs[:2]]
            self.evidence = (*self.evidence_of(keys), lost.before)
        total = document.get("totalCount")
        if isinstance(total, int) and not isinstance(total, bool) and total >= 0:
            floor = memory.floor(exchange.started)
            expected = f"totalCount at least {floor}, as so many jobs of this run were listed before"
            verdicts.check("L-PAGE", total >= floor, expected, total, f"{examined.pointer}/totalCount")
        self._check_whole_list(exchange, examined, place, seen)

    def _see_listed(
        self, job_id: str, job: Mapping[str, Any], pointer: str, exchange: Exchange, examined: Examined
    ) -> int:
        """Follow a job that a list shows; return 1 where it is one of the run's that is listed for the first time."""
        reading = examined.reading
        key, followed = key_of(reading, job_id), (reading.operation.family, job_id) in self._places
        closed = self._closed_job(reading, job_id)
        if closed is not None and not followed:
            self._revisit(closed, exchange, examined, job, pointer)
            return 0
        if not followed and self._adopted >= ADOPTED:
            if key not in self._strangers:
                self._strangers[key] = exchange.ended
                if len(self._strangers) > STRANGERS:
                    self._strangers.popitem(last=False)
            return 0
        self._observe(exchange, examined, job, pointer, job_id)
        history = self._jobs.get(key)
        if history is None:
            return 0
        first = history.listed_ended == float("inf")
        history.listed_ended = min(exchange.ended, history.listed_ended)
        self._count_read(history)
        listed_by = LIST_OF.get(history.create_operation or "")
        return int(first and history.created is not None and listed_by == examined.reading.operation.id)

    def _check_whole_list(self, exchange: Exchange, examined: Examined, place: Place, seen: set[str]) -> None:
        """L-FOUND where one page holds the whole list: every created job is on it."""
        page = listing.page_of(exchange.request)
        if page is None or page[1] != 1 or len(seen) >= page[0]:
            return
        reading = examined.reading
        owed = [
            job
            for job in self._at.get((reading.operation.family, place), {}).values()
            if job.created is not None
            and LIST_OF.get(job.create_operation or "") == reading.operation.id
            and (job.created.ended + LISTED_WITHIN <= exchange.started or job.listed_ended <= exchange.started)
        ]
        if not owed:
            return
        lost = [job.job for job in owed if job.job not in seen]
        expected = "every created job in the list"
        pointer = f"{examined.pointer}/results"
        examined.verdicts.check("L-FOUND", not lost, expected, f"{len(lost)} missing", pointer)
        if lost:
            self.evidence = self.evidence_of(key_of(reading, job_id) for job_id in lost[:2])


def _job_of(examined: Examined) -> str | None:
    """Return the id of the job that an exchange is about, or None."""
    reading = examined.reading
    if reading.operation.kind == "create":
        shown = examined.document.get("id") if examined.document is not None else None
        return shown if isinstance(shown, str) else None
    return reading.parameters.get("restoreJobId") or reading.parameters.get("restoreId")
