"""The chronicle of a run that does not end: jobs are followed across users, summed up when they have closed, and
forgotten.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from atlas_conformance.contracts.chronicle import Chronicle, Told
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.history import JobHistory, JobKey
from atlas_conformance.contracts.judge import AnswerMemory, Examined
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.listing import listed
from atlas_conformance.contracts.reading import Reading
from atlas_conformance.contracts.resources import Resource
from atlas_conformance.contracts.store import Place, Target
from atlas_conformance.contracts.verdicts import Verdicts
from atlas_conformance.load.keeping import ClosingStore
from atlas_conformance.load.pages import ListMemory, is_settled
from atlas_conformance.load.summary import Summary


class Ledger:
    """Judges exchanges as they come in from any number of users, and forgets jobs that have closed.

    Its memory is bounded, whatever the number of exchanges. `alone` says that nobody else sends to the endpoint, so
    that a target that no job of this process holds is free. `closed` is called with the summary of each job on its way
    out.
    """

    def __init__(
        self, knowledge: Knowledge, *, alone: bool = True, closed: Callable[[Summary], object] | None = None
    ) -> None:
        self._store = ClosingStore(alone=alone, closed=closed)
        self._chronicle = Chronicle(knowledge, store=self._store, memory=AnswerMemory(1_024, 2_048))
        self._lists: dict[tuple[str, Place], ListMemory] = {}
        self._deletes: Counter[tuple[Place, str]] = Counter()
        """How many deletes were sent, by place and resource: as many may be gone from its lists."""
        self.evidence: tuple[Exchange, ...] = ()
        """The earlier exchanges that the latest judgement rests on, where it has findings."""

    @property
    def open(self) -> OrderedDict[JobKey, JobHistory]:
        """The jobs that have not ended yet, as far as was seen, the oldest first."""
        return self._store.open

    @property
    def settled(self) -> OrderedDict[JobKey, JobHistory]:
        """The jobs that have ended and are still followed, the longest settled first."""
        return self._store.settled

    @property
    def summaries(self) -> int:
        """How many jobs were closed."""
        return self._store.summaries

    def jobs(self) -> Iterator[JobHistory]:
        """Every job that is followed."""
        return self._store.jobs()

    def created(self) -> list[JobHistory]:
        """The followed jobs whose creation was part of the traffic."""
        return self._chronicle.created()

    def job(self, job_id: str, resource: Resource | None = None, place: Place | None = None) -> JobHistory | None:
        """The history of one job, as `Chronicle.job` finds it, or None where it is not followed."""
        return self._chronicle.job(job_id, resource, place)

    def target(self, request: Request) -> Target | None:
        """The target that a create names, or None if it is unknown or absent."""
        return self._chronicle.target(request) if request.method == "POST" else None

    @contextmanager
    def sending(self, request: Request) -> Iterator[None]:
        """Count the target of a create as possibly busy from before it is sent until its answer has been judged."""
        if request.method == "DELETE":
            self._begin_delete(request)
        target = self.target(request)
        if target is None:
            yield
            return
        under_way = self._store.under_way
        under_way[target] += 1
        try:
            yield
        finally:
            under_way[target] -= 1
            if not under_way[target]:
                del under_way[target]

    def _begin_delete(self, request: Request) -> None:
        """Note that something is about to be deleted: from now on lists may lose it, and count fewer."""
        self._chronicle.begin(request)
        reading = self._chronicle.reading(request)
        if reading is not None and reading.operation.kind == "delete":
            self._deletes[reading.place, reading.operation.resource.name] += 1

    def unanswered(self, request: Request) -> None:
        """Note that a create was sent and no answer came: from now on its target may be busy for good."""
        if request.method in ("POST", "DELETE"):
            self._chronicle.lose(request)

    def busy(self, request: Request, started: float = float("inf")) -> bool:
        """Whether a job may have held the target that `request` names when it was sent, at `started`."""
        return self._chronicle.busy(request, started)

    def close_all(self) -> None:
        """Close every job that is still followed."""
        for job in list(self._store.jobs()):
            self._store.close(job)

    def feed(self, exchange: Exchange) -> Judgement:
        """Judge one more exchange; `evidence` then holds the earlier ones that its findings rest on."""
        told = self._chronicle.tell(exchange)
        earlier = self._store.evidence_of(told.about)
        self.evidence = tuple(e for e in earlier if e is not exchange)
        if told.examined is None or exchange.request.credential not in ("owner", "reader", "unknown"):
            return told.judgement
        if told.examined.reading.operation.kind != "list":
            self._keep(exchange, told.examined)
            return told.judgement
        if told.examined.reading.must_be_refused:
            return told.judgement
        return self._judge_list(exchange, told, told.examined)

    def _keep(self, exchange: Exchange, examined: Examined) -> None:
        """Keep an exchange on a followed job as evidence, and see whether the job has settled."""
        operation, document = examined.reading.operation, examined.document
        if operation.kind == "create":
            job = self._followed(examined.reading, document.get("id") if document is not None else None)
            if job is not None and job.created is not None and job.created.started == exchange.started:
                readable = self._chronicle.knowledge.offers(operation.links["read"])
                self._store.keep_create(job, exchange, readable=readable)
            return
        job = self._followed(examined.reading, examined.reading.item)
        if job is not None:
            self._store.keep_read(job, exchange)
            if document is not None:
                self._store.count_read(job)

    def _followed(self, reading: Reading, job_id: object) -> JobHistory | None:
        return self._chronicle.followed(reading, job_id) if isinstance(job_id, str) else None

    def _judge_list(self, exchange: Exchange, told: Told, examined: Examined) -> Judgement:
        """L-PAGE and L-TOTAL under load: a page loses nothing that stands between what it shows, and its count does not
        go back.

        What is deleted, as snapshots are, is rightly lost, and counts no longer.
        """
        reading, document = examined.reading, examined.document
        if document is None:
            return told.judgement
        memory = self._lists.setdefault((reading.operation.id, reading.place), ListMemory())
        verdicts = Verdicts(reading.operation.id)
        seen: set[str] = set()
        settled: list[str] = []
        fresh = 0
        for _, job in listed(document, examined.pointer):
            job_id = job.get("id")
            if isinstance(job_id, str) and job_id not in seen:
                seen.add(job_id)
                if is_settled(reading.operation.resource, job):
                    settled.append(job_id)
                fresh += self._count_listed(reading, job_id)
        if fresh:
            memory.count(fresh, exchange.ended)
        what = reading.operation.resource.what
        lost = memory.see(settled, frozenset(seen), exchange, lambda job_id: self._is_kept(reading, job_id))
        if lost is not None:
            expected = f"a page that shows what stands on both sides of a {what} shows the {what}"
            verdicts.failed("L-PAGE", expected, f"{len(lost.jobs)} lost: {lost.jobs[0]}", f"{examined.pointer}/results")
            if not told.about:
                keys = [(reading.operation.resource.name, *reading.place, job_id) for job_id in lost.jobs[:2]]
                self.evidence = (*self._store.evidence_of(keys), lost.before)
        total = document.get("totalCount")
        if isinstance(total, int) and not isinstance(total, bool) and total >= 0:
            floor = max(
                0, memory.floor(exchange.started) - self._deletes[reading.place, reading.operation.resource.name]
            )
            expected = f"totalCount at least {floor}, as that many {what}s of this run were listed before"
            verdicts.check("L-TOTAL", total >= floor, expected, total, f"{examined.pointer}/totalCount")
        return told.judgement | verdicts.judgement()

    def _is_kept(self, reading: Reading, item: str) -> bool:
        """Whether a list must go on showing what it has shown: always a job; a snapshot that this run took, or that
        nobody else may delete, until its delete is sent.
        """
        if reading.operation.resource.what != "snapshot":
            return True
        known = self._store.get(item, reading.operation.resource, reading.place)
        if known is None or known.delete_started < float("inf"):
            return False
        return known.created is not None or self._store.alone

    def _count_listed(self, reading: Reading, job_id: str) -> int:
        """Count that a list shows a job; return 1 where it is one of the run's that is listed for the first time."""
        operation = reading.operation
        history = self._store.get(job_id, operation.resource, reading.place)
        if history is None:
            return 0
        first = history.listings == 1
        self._store.count_read(history)
        if not first or history.created is None or history.create_operation is None:
            return 0
        return int(self._chronicle.contract.operations[history.create_operation].links.get("list") == operation.id)
