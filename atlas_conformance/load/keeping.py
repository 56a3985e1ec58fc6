"""The histories of a run that does not end: jobs are kept while they are open, then summed up and forgotten.

What is kept has a fixed size: open jobs, the last that settled in full, of the last that were closed a few values, and
of ids that were seen before their create a moment.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.history import JobHistory, JobKey
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
        self.alone = alone
        self._tell_closed = closed
        self.open: OrderedDict[JobKey, JobHistory] = OrderedDict()
        """The jobs that have not ended yet, as far as was seen, the oldest first."""
        self.settled: OrderedDict[JobKey, JobHistory] = OrderedDict()
        """The jobs that have ended and are still followed, the longest settled first."""
        self.summaries = 0
        self.under_way: Counter[Target] = Counter()
        """How many creates are under way to each target."""
        self._closed: OrderedDict[JobKey, Summary] = OrderedDict()
        self._closed_at: dict[tuple[str, str], dict[Place, Summary]] = {}
        """The closed jobs by place, under their resource's name and id."""
        self._ids: defaultdict[str, Identities] = defaultdict(Identities)
        self._strangers: OrderedDict[JobKey, float] = OrderedDict()
        self._trails: dict[JobKey, deque[Exchange]] = {}
        self._creates: dict[JobKey, Exchange] = {}
        self._reads: Counter[JobKey] = Counter()
        self._released: dict[Target, float] = {}
        self._adopted: set[JobKey] = set()

    def follow(self, job_id: str, resource: Resource, place: Place, *, created: bool) -> JobHistory:
        """Return the history of a job, as `JobStore` does; the oldest job is closed where there are too many."""
        known = self.get(job_id, resource, place)
        if known is not None:
            if created:
                self._adopted.discard(known.key)
            return known
        if len(self._jobs) >= OPEN:
            self.close(next(iter(self._jobs.values())))
        known = super().follow(job_id, resource, place, created=created)
        self.open[known.key] = known
        if not created:
            self._adopted.add(known.key)
        return known

    def past(self, job_id: str, resource: Resource, place: Place) -> Summary | None:
        """The summary of a closed job of this id: the one of this place if there is one; None where there is none."""
        if any(True for _ in self.namesakes(job_id, resource)):
            return None
        places = self._closed_at.get((resource.name, job_id), {})
        return places.get(place) or next(iter(places.values()), None)

    def had(self, job_id: str, resource: Resource, place: Place, started: float) -> bool:
        """Whether a closed job, or one that was seen and never followed, had this id before a create started."""
        followed = any(True for _ in self.namesakes(job_id, resource))
        closed = self.past(job_id, resource, place)
        stranger = self._strangers.get((resource.name, *place, job_id), float("inf"))
        first = closed.first_ended if closed is not None else stranger
        return (not followed and job_id in self._ids[resource.name]) or first <= started

    def welcomes(self, job_id: str, resource: Resource, place: Place, ended: float) -> bool:
        """Whether there is room to follow one more job of another process; its first sight is kept if
        not.
        """
        if len(self._adopted) < ADOPTED:
            return True
        key = (resource.name, *place, job_id)
        if key not in self._strangers:
            self._strangers[key] = ended
            if len(self._strangers) > STRANGERS:
                self._strangers.popitem(last=False)
        return False

    # Targets

    def busy(self, target: Target, started: float) -> bool:
        """Whether a job may have held a target at `started`.

        Creates under way count, as do those whose answer is being judged: of the one asked about, one is under way too.
        """
        if not self.alone or self.under_way[target] > 1:
            return True
        if any(self._released.get(held, float("-inf")) >= started for held in (target, ANY)):
            return True
        return self.held(target, started)

    def lose(self, target: Target) -> None:
        """Note that a create's answer never came: from now on its target may be held for good."""
        self._released[target] = float("inf")

    # Evidence

    def evidence_of(self, keys: Iterable[JobKey]) -> tuple[Exchange, ...]:
        """Return the exchanges that are kept of these jobs, the earliest first."""
        found = []
        for key in keys:
            created = self._creates.get(key)
            if created is not None:
                found.append(created)
            found += self._trails.get(key, ())
        return tuple(found)

    def keep_create(self, job: JobHistory, exchange: Exchange, *, readable: bool) -> None:
        """Keep the create of a job as evidence; one that is not `readable` is not open, as nobody can look after it."""
        self._creates[job.key] = exchange
        if not readable:
            self.open.pop(job.key, None)

    def keep_read(self, job: JobHistory, exchange: Exchange) -> None:
        """Keep a later exchange on a job as evidence."""
        self._trails.setdefault(job.key, deque(maxlen=TRAIL)).append(exchange)

    def count_read(self, job: JobHistory) -> None:
        """Count a read; a job that was seen ended by two of them has settled."""
        if job.key in self.settled or not (job.finished_ended < float("inf") or job.delivered):
            return
        self._reads[job.key] += 1
        if self._reads[job.key] >= 2:
            self.open.pop(job.key, None)
            self.settled[job.key] = job
            if len(self.settled) > SETTLED:
                self.close(next(iter(self.settled.values())))

    # Closing

    def close(self, job: JobHistory) -> None:
        """Tell a job's summary, and forget it: from now on what is shown of it is held to the summary."""
        summary, key, target = summary_of(job, self._reads[job.key]), job.key, held_by(job)
        held = target is not None and key in self._holding.get(target, {})
        self.forget(job)
        for kept in (self.open, self.settled, self._trails, self._creates, self._reads):
            kept.pop(key, None)
        if held and target is not None:
            self._released[target] = max(self._released.get(target, job.finished_ended), job.finished_ended)
        self._adopted.discard(key)
        self._closed[key] = summary
        self._closed_at.setdefault((job.resource.name, job.job), {})[job.place] = summary
        if summary.created:
            self._ids[job.resource.name].add(job.job)
        if len(self._closed) > CLOSED:
            self._drop_closed()
        self.summaries += 1
        if self._tell_closed is not None:
            self._tell_closed(summary)

    def _drop_closed(self) -> None:
        """Forget the job that was closed longest ago."""
        (resource, project, cluster, job_id), _ = self._closed.popitem(last=False)
        places = self._closed_at.get((resource, job_id), {})
        places.pop((project, cluster), None)
        if not places:
            self._closed_at.pop((resource, job_id), None)
