"""A run's exchanges in order: each one judged alone, and in the light of those before it.

The chronicle follows every job by its resource, its place and its id, so it knows which reads must succeed, which must
not, and what changed. The same id in another resource is another job.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from atlas_conformance.contracts.body_reading import REFUSED
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.following import BirthView, CancelView, GetView, ListView, MeetingView
from atlas_conformance.contracts.history import JobHistory, JobKey
from atlas_conformance.contracts.judge import AnswerMemory, Examined, Judge
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.listing import is_whole, listed
from atlas_conformance.contracts.meant import check_meant
from atlas_conformance.contracts.observations import is_same_answer, observation, observe
from atlas_conformance.contracts.reading import Reading
from atlas_conformance.contracts.resources import Resource
from atlas_conformance.contracts.rules.histories import PastView
from atlas_conformance.contracts.store import JobStore, Place, Target
from atlas_conformance.contracts.stories import Stories, note_listed, note_read, owed_by_list
from atlas_conformance.contracts.verdicts import Verdicts


@dataclass(frozen=True, slots=True)
class Told:
    """What the chronicle says of one exchange.

    `alone` are the pairs of `judgement.held` that hold by this exchange alone; the others rest on what came before
    it. `examined` is the exchange as read, or None where it belongs to no offered operation. `about` are the keys of
    the jobs whose earlier exchanges its findings rest on.
    """

    judgement: Judgement
    alone: frozenset[tuple[str, str]]
    examined: Examined | None
    about: tuple[JobKey, ...] = ()


class Chronicle:
    """Judges exchanges as they happen and remembers the jobs among them."""

    def __init__(
        self,
        knowledge: Knowledge,
        *,
        contract: Contract | None = None,
        remember: int | None = None,
        store: JobStore | None = None,
        memory: AnswerMemory | None = None,
    ) -> None:
        """Know nothing of any job yet.

        Histories are kept in `store`; without one, in a store of all jobs, or of the last `remember`, so that memory
        does not grow with the traffic. `memory` is that of the judge.
        """
        if memory is None and remember is not None:
            memory = AnswerMemory()
        self.judge = Judge(contract, knowledge, memory=memory)
        self.knowledge = knowledge
        self.store = store if store is not None else JobStore(remember)
        self._stories = Stories(self.store, self.judge)

    @property
    def contract(self) -> Contract:
        """What it judges by."""
        return self.judge.contract

    def jobs(self) -> Iterator[JobHistory]:
        """Every job that was seen, in the order of its first appearance."""
        yield from (job for job in self.store.jobs() if job.resource.what == "job")

    def snapshots(self) -> list[JobHistory]:
        """The snapshots that were seen, in the order of their first appearance."""
        return [seen for seen in self.store.jobs() if seen.resource.what == "snapshot"]

    def made(self) -> list[JobHistory]:
        """The jobs and snapshots whose creation was part of the traffic."""
        return [seen for seen in self.store.jobs() if seen.created is not None]

    def created(self) -> list[JobHistory]:
        """The jobs whose creation was part of the traffic."""
        return [job for job in self.jobs() if job.created is not None]

    def job(self, job_id: str, resource: Resource | None = None, place: Place | None = None) -> JobHistory | None:
        """The history of one job, or None where the id was never seen.

        `resource` and `place` (project, cluster) distinguish jobs with the same id; without them, the first job
        with that id is returned.
        """
        return self.store.find(job_id, resource, place)

    def followed(self, reading: Reading, job_id: str) -> JobHistory | None:
        """The history of a job that a request is about: in the place of its path, or in its own place."""
        known = self.store.get(job_id, reading.operation.resource, reading.place)
        return known if known is not None else self._elsewhere(reading, job_id)

    def _elsewhere(self, reading: Reading, job_id: str) -> JobHistory | None:
        """Return a job of this resource and id that belongs to another place, where none of this place is known.

        Of an endpoint that takes any id only created jobs belong to a place: it may show a job under each other id.
        """
        resource, place = reading.operation.resource, reading.place
        inventory = self.knowledge.inventory
        takes_any = inventory.takes_any or (inventory.invented and inventory.absent_job is None)
        others = list(self.store.namesakes(job_id, resource))
        if any(job.place == place for job in others):
            return None
        return next((job for job in others if job.created is not None or not takes_any), None)

    def reading(self, request: Request) -> Reading | None:
        """What a request means to its operation, or None when it belongs to no offered one."""
        return self.judge.readings.of(request)

    def target(self, request: Request) -> Target | None:
        """The target that a create names, or None if it is unknown or absent."""
        reading = self.reading(request)
        return self.target_of(reading) if reading is not None else None

    def target_of(self, reading: Reading) -> Target | None:
        """The (project, name) that a create's body names as its target, where it is well-formed enough to tell.

        A snapshot holds its own cluster, of which one may be taken at a time.
        """
        body, operation = reading.document, reading.operation
        if operation.kind == "create" and operation.resource.fills_place:
            project, cluster = reading.place
            return (project, f"{cluster}/snapshot")  # which is the name of no target
        if operation.kind != "create" or not isinstance(body, dict):
            return None
        row = self.contract.delivery_of(operation, body)
        if row is not None and row.needs_no(operation.resource.target):
            return None
        return operation.resource.target_of(body, reading.place[0])

    def busy(self, request: Request, started: float = float("inf")) -> bool:
        """Whether a job of this traffic may have held the target that `request` names when it was sent, at `started`.

        A created job whose own target could not be read may hold any; one whose answer was lost holds its own for good.
        """
        target = self.target(request)
        return target is not None and self.store.busy(target, started)

    def lose(self, request: Request) -> None:
        """Note a create whose answer never came: a job that nobody can follow may hold its target from now on."""
        target, reading = self.target(request), self.reading(request)
        if target is not None:
            self.store.lose(target)
        if reading is not None and reading.operation.kind == "delete" and reading.item is not None:
            known = self.followed(reading, reading.item)
            if known is not None:
                known.delete_started = float("-inf")

    def begin(self, request: Request) -> None:
        """Note that a delete is about to be sent: from now on its snapshot may be gone, whatever its answer."""
        reading = self.reading(request)
        if reading is None or reading.operation.kind != "delete" or reading.item is None:
            return
        known = self.store.get(reading.item, reading.operation.resource, reading.place)
        if known is not None:
            known.delete_started = float("-inf")

    def feed(self, exchange: Exchange, *, free_target: bool = False) -> Judgement:
        """Judge one more exchange. `free_target` says that its target is known not to be busy, whatever came before.

        Raises ValueError or TypeError for the slips that `Judge.judge` names, and remembers nothing of the exchange.
        """
        check_meant(exchange)
        return self.tell(exchange, free_target=free_target).judgement

    def tell(self, exchange: Exchange, *, free_target: bool = False) -> Told:
        """Judge one more exchange, as `feed` does, and separate what it shows alone from what rests on earlier ones.

        However odd the exchange is, it was really had so, and is no slip.
        """
        excused = (
            exchange.request.method == "POST"
            and exchange.response.status in REFUSED
            and exchange.request.credential in ("owner", "unknown")
            and not free_target
            and self.busy(exchange.request, exchange.started)
        )
        examined = self.judge.examine(exchange, busy=excused, idle=free_target)
        if examined is None:
            judgement = self.judge.judge_sent(exchange)
            return Told(judgement, judgement.held, None)
        alone = examined.verdicts.upheld
        self._stories.judge_restore(exchange, examined, idle=free_target)
        about: tuple[JobKey, ...] = ()
        if examined.reading.operation.resource.followed and exchange.request.credential in (
            "owner",
            "reader",
            "unknown",
        ):
            about = self._follow(exchange, examined)
        self._stories.note_deleted(exchange, examined, self.followed)
        judgement = examined.verdicts.judgement()
        return Told(judgement, frozenset(pair for pair in judgement.held if pair[0] in alone), examined, about)

    def _follow(self, exchange: Exchange, examined: Examined) -> tuple[JobKey, ...]:
        """Judge an exchange in the light of earlier ones; return the jobs whose exchanges its findings rest on."""
        before, kind = examined.verdicts.findings, examined.reading.operation.kind
        if kind == "create":
            job_id = self._follow_create(exchange, examined)
        elif examined.reading.must_be_refused and exchange.response.status < 300:
            # That it was not refused is found already; what it shows is beside the point.
            job_id = examined.reading.item
        elif kind == "list":
            return self._follow_list(exchange, examined)
        else:
            job_id = examined.reading.item
            if job_id is not None and kind == "get":
                self._follow_get(exchange, examined, job_id)
            elif job_id is not None and kind == "cancel":
                self._follow_cancel(exchange, examined, job_id)
            elif job_id is not None and kind == "delete":
                self._stories.follow_delete(exchange, examined, job_id, self.followed(examined.reading, job_id))
        if job_id is None or examined.verdicts.findings == before:
            return ()
        if kind == "create":
            return tuple(job.key for job in self.store.namesakes(job_id, examined.reading.operation.resource))
        job = self.followed(examined.reading, job_id)
        return () if job is None else (job.key,)

    def _apply(self, view: object, examined: Examined, verdicts: Verdicts | None = None) -> None:
        operation = examined.reading.operation.id
        self.judge.book.apply(view, operation, verdicts if verdicts is not None else examined.verdicts)

    def _follow_create(self, exchange: Exchange, examined: Examined) -> str | None:
        reading, document = examined.reading, examined.document
        job_id = document.get("id") if document is not None else None
        if document is None or not isinstance(job_id, str):
            return None
        # A create that should have been refused, or has a wrong status, makes a job all the same, but what it shows of
        # it is beside the point.
        moot = reading.must_be_refused or exchange.response.status != reading.operation.success
        verdicts = Verdicts(reading.operation.id, self.contract) if moot else examined.verdicts
        resource, place = reading.operation.resource, reading.place
        known = self.store.get(job_id, resource, place)
        if known is not None and is_same_answer(known.created, exchange, document):
            return job_id
        namesakes = self.store.namesakes(job_id, resource)
        earlier = [job for job in namesakes if job.created is not None or job.first_ended <= exchange.started]
        closed = self.store.had(job_id, resource, place, exchange.started)
        self._apply(BirthView(job_id, f"{examined.pointer}/id", bool(closed or earlier)), examined, verdicts)
        if closed or known in earlier:
            return job_id
        history = self.store.follow(job_id, resource, place, created=True)
        history.create_operation = reading.operation.id
        history.target = self.target_of(reading)
        history.target_unread = reading.document is None
        self.store.hold(history)
        seen = observation(exchange, examined, document, examined.pointer, created=True)
        observe(history, seen, verdicts, self.judge, self.store)
        return job_id

    def _follow_get(self, exchange: Exchange, examined: Examined, job_id: str) -> None:
        known = self.followed(examined.reading, job_id)
        if known is not None and exchange.response.status < 500:
            view = GetView(known, exchange, examined.reading, self.contract)
            self._apply(view, examined)
            if view.elsewhere:
                return
            note_read(view)
            if view.asks_for_deleted:
                return  # whether it may be shown at all is judged already
        if examined.document is not None:
            self._observe(exchange, examined, examined.document, examined.pointer, job_id)

    def _observe(
        self, exchange: Exchange, examined: Examined, document: Mapping[str, Any], pointer: str, job_id: str
    ) -> JobHistory | None:
        """Judge what an answer shows of one job by its history; return that, or None where the job is not followed."""
        reading = examined.reading
        place = reading.place
        seen = observation(exchange, examined, document, pointer)
        resource = reading.operation.resource
        owner = self._elsewhere(reading, job_id)
        own_place = owner.place if owner is not None else self._known_place(reading, job_id)
        if own_place is not None:
            self._apply(MeetingView(job_id, own_place, False, place, document, pointer), examined)
            return None
        followed = self.store.get(job_id, resource, place) is not None
        past = None if followed else self.store.past(job_id, resource, place)
        if past is not None:
            own_place = (past.project, past.cluster)
            if own_place != place:
                self._apply(MeetingView(job_id, own_place, False, place, document, pointer), examined)
            elif past.finished_ended < exchange.started:
                self._apply(PastView(past, seen), examined)
            return None
        history = self.store.follow(job_id, resource, place, created=False)
        if document.get("id") == job_id:
            observe(history, seen, examined.verdicts, self.judge, self.store)
        else:
            created = history.created is not None
            self._apply(MeetingView(job_id, history.place, created, place, document, pointer), examined)
        return history

    def _known_place(self, reading: Reading, snapshot: str) -> Place | None:
        """Return where a snapshot is known to belong, if that is not the place that is asked."""
        inventory = self.judge.knowledge.inventory
        if reading.operation.resource.what != "snapshot" or inventory.invented:
            return None
        cluster = self.judge.knowledge.owner_of_snapshot(snapshot)
        known = None if cluster is None else (cluster.project, cluster.name)
        return known if known != reading.place else None

    def _follow_list(self, exchange: Exchange, examined: Examined) -> tuple[JobKey, ...]:
        reading, document = examined.reading, examined.document
        resource, place = reading.operation.resource, reading.place
        if document is None:
            return ()
        seen: set[str] = set()
        for pointer, job in listed(document, examined.pointer):
            job_id = job.get("id")
            if isinstance(job_id, str) and job_id not in seen:
                seen.add(job_id)
                unknown = self.followed(reading, job_id) is None and self.store.past(job_id, resource, place) is None
                if unknown and not self.store.welcomes(job_id, resource, place, exchange.ended):
                    continue
                history = self._observe(exchange, examined, job, pointer, job_id)
                if history is not None:
                    history.listings += 1
                    history.listed_ended = min(exchange.ended, history.listed_ended)
                    note_listed(history, reading.operation, job, exchange.ended)
        whole = is_whole(exchange.request, document, len(seen))
        self._stories.judge_deleted(exchange, examined, seen, whole=whole)
        elsewhere = self.store.elsewhere(resource, place)
        owed = self._owed(exchange, reading) if whole else ()
        lost = tuple(job for job in owed if job not in seen)
        self._apply(ListView(examined.pointer, elsewhere, owed, lost), examined)
        return tuple((resource.name, *place, job) for job in lost[:2])

    def _owed(self, exchange: Exchange, reading: Reading) -> tuple[str, ...]:
        """The created jobs that a list must show, where one page holds the whole list."""
        resource, operation = reading.operation.resource, reading.operation
        made = [job for job in self.store.at(resource, reading.place) if job.created is not None]
        if resource.what == "snapshot":
            return tuple(job.job for job in made if owed_by_list(job, operation, exchange, self.contract))
        return tuple(
            job.job
            for job in made
            if job.created is not None
            and self.contract.operations[job.create_operation or ""].links.get("list") == operation.id
            and (
                job.created.ended + self.contract.settled_within <= exchange.started
                or job.listed_ended <= exchange.started
            )
        )

    def _follow_cancel(self, exchange: Exchange, examined: Examined, job_id: str) -> None:
        known = self.followed(examined.reading, job_id)
        status = exchange.response.status
        if known is None or status >= 500 or status in (401, 429):
            return
        view = CancelView(known, exchange, examined.reading, self.contract)
        self._apply(view, examined)
        if view.too_late:
            if known.late_cancel_ended is None:
                known.late_cancel_ended = exchange.ended
        elif not view.elsewhere and status == examined.reading.operation.success:
            known.cancel_ended = exchange.ended
