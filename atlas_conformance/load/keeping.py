"""The histories of a run that does not end: jobs are kept while they are open, then summed up and forgotten.

What is kept has a fixed size: open jobs, the last that settled in full, of the last that were closed a few values, and
of ids that were seen before their create a moment.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.history import JobHistory
from atlas_conformance.contracts.resources import Resource
from atlas_conformance.contracts.store import ANY, JobStore, Place, Target, held_by
from atlas_conformance.load.identities import Identities
from atlas_conformance.load.summary import Summary, summary_of

OPEN = 5_000
"""How many jobs are followed at most at the same time; the oldest is forgotten where there are more."""

SETTLED = 500
"""How many jobs that have ended are kept in full, to be read again, before they are closed."""

CLOSED = 2_000
"""Of how many closed jobs the summary is kept."""

STRANGERS = 2_000
"""Of how many ids that nobody of this process created the moment of their first sight is kept."""

ADOPTED = 200
"""How many jobs that were there before, or are another's, are followed from the lists that show them."""

TRAIL = 2
"""How many of the last exchanges of each followed job are kept, besides its create, as evidence."""


class ClosingStore(JobStore):
    """Keeps the histories of open jobs, and closes those that have settled.

    `alone` says that nobody else sends to the endpoint, so that a target that no job of this process holds is free.
    `closed` is called with the summary of each job on its way out.
    """

    def __init__(self, *, alone: bool, closed: Callable[[Summary], object] | None) -> None:
        super().__init__(OPEN)
        self._alone = alone
        self._tell_closed = closed
        self.open: OrderedDict[str, JobHistory] = OrderedDict()
        """The jobs that have not ended yet, as far as was seen, the oldest first."""
        self.settled: OrderedDict[str, JobHistory] = OrderedDict()
        """The jobs that have ended and are still followed, the one that settled longest ago first."""
        self.summaries = 0
        self.under_way: Counter[Target] = Counter()
        """How many creates are under way to each target."""
        self._closed: OrderedDict[str, Summary] = OrderedDict()
        self._ids = Identities()
        self._strangers: OrderedDict[str, float] = OrderedDict()
        self._trails: dict[str, deque[Exchange]] = {}
        self._creates: dict[str, Exchange] = {}
        self._reads: Counter[str] = Counter()
        self._released: dict[Target, float] = {}
        self._adopted: set[str] = set()

    def follow(self, job_id: str, resource: Resource, place: Place, *, created: bool) -> JobHistory:
        """Return the history of a job, as `JobStore` does; the oldest job is closed where there are too many."""
        known = self._jobs.get(job_id)
        if known is not None:
            if created:
                self._adopted.discard(job_id)
            return known
        if len(self._jobs) >= OPEN:
            self.close(next(iter(self._jobs.values())))
        known = self.open[job_id] = super().follow(job_id, resource, place, created=created)
        if not created:
            self._adopted.add(job_id)
        return known

    def past(self, job_id: str) -> Summary | None:
        """The summary of a closed job, or None."""
        return self._closed.get(job_id)

    def had(self, job_id: str, started: float) -> bool:
        """Whether a closed job, or one that was seen and never followed, had this id before a create started."""
        closed = self._closed.get(job_id)
        first = closed.first_ended if closed is not None else self._strangers.get(job_id, float("inf"))
        return (job_id not in self._jobs and job_id in self._ids) or first <= started

    def welcomes(self, job_id: str, ended: float) -> bool:
        """Whether there is room to follow one more job that is none of this process's; its first sight is kept if
        not.
        """
        if len(self._adopted) < ADOPTED:
            return True
        if job_id not in self._strangers:
            self._strangers[job_id] = ended
            if len(self._strangers) > STRANGERS:
                self._strangers.popitem(last=False)
        return False

    # Targets

    def busy(self, target: Target, started: float) -> bool:
        """Whether a job may have held a target at `started`.

        Creates under way count, as do those whose answer is being judged: of the one asked about, one is under way too.
        """
        if not self._alone or self.under_way[target] > 1:
            return True
        if any(self._released.get(held, float("-inf")) >= started for held in (target, ANY)):
            return True
        return self.held(target, started)

    def lose(self, target: Target) -> None:
        """Note that a create's answer never came: from now on its target may be held for good."""
        self._released[target] = float("inf")

    # Evidence

    def evidence_of(self, job_ids: Iterable[str]) -> tuple[Exchange, ...]:
        """Return the exchanges that are kept of these jobs, the earliest first."""
        found = []
        for job_id in job_ids:
            created = self._creates.get(job_id)
            if created is not None:
                found.append(created)
            found += self._trails.get(job_id, ())
        return tuple(found)

    def keep_create(self, job: JobHistory, exchange: Exchange, *, readable: bool) -> None:
        """Keep the create of a job as evidence; one that is not `readable` is not open, as nobody can look after it."""
        self._creates[job.job] = exchange
        if not readable:
            self.open.pop(job.job, None)

    def keep_read(self, job: JobHistory, exchange: Exchange) -> None:
        """Keep a later exchange on a job as evidence."""
        self._trails.setdefault(job.job, deque(maxlen=TRAIL)).append(exchange)

    def count_read(self, job: JobHistory) -> None:
        """Count a read; a job that was seen ended by two of them has settled."""
        if job.job in self.settled or not (job.finished_ended < float("inf") or job.delivered):
            return
        self._reads[job.job] += 1
        if self._reads[job.job] >= 2:
            self.open.pop(job.job, None)
            self.settled[job.job] = job
            if len(self.settled) > SETTLED:
                self.close(next(iter(self.settled.values())))

    # Closing

    def close(self, job: JobHistory) -> None:
        """Tell a job's summary, and forget it: from now on what is shown of it is held to the summary."""
        summary, name, target = summary_of(job, self._reads[job.job]), job.job, held_by(job)
        held = target is not None and name in self._holding.get(target, {})
        self.forget(job)
        for kept in (self.open, self.settled, self._trails, self._creates, self._reads):
            kept.pop(name, None)
        if held and target is not None:
            self._released[target] = max(self._released.get(target, job.finished_ended), job.finished_ended)
        self._adopted.discard(name)
        self._closed[name] = summary
        if summary.created:
            self._ids.add(name)
        if len(self._closed) > CLOSED:
            self._closed.popitem(last=False)
        self.summaries += 1
        if self._tell_closed is not None:
            self._tell_closed(summary)
