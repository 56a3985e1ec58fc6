"""A run's exchanges in order: each one judged alone, and in the light of those before it.

The chronicle follows every job by its resource, its place and its id, so it knows which reads must succeed, which must
not, and what changed. The same id in another family of jobs is another job.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from atlas_conformance.contracts import listing
from atlas_conformance.contracts.body_reading import REFUSED
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.history import JobHistory, Observation
from atlas_conformance.contracts.judge import AnswerMemory, Examined, examine_as_read, judge
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.operations import OPERATIONS
from atlas_conformance.contracts.reading import Reading, Readings
from atlas_conformance.contracts.verdicts import Verdicts

READ_OF = {
    "flex-create": "flex-get",
    "tenant-create": "tenant-get",
    "cluster-create": "cluster-get",
    "cluster-create-v1": "cluster-get-v1",
}
"""The operation that reads one job back, by the operation that created it."""

LIST_OF = {"flex-create": "flex-list", "cluster-create": "cluster-list"}
"""The operation that lists jobs, by the operation that created them."""

Target: TypeAlias = tuple[str, str]
"""The project and the name of what a create restores to."""
Place: TypeAlias = tuple[str, str]
"""The project and the cluster of a job."""
JobKey: TypeAlias = tuple[str, str, str, str]
"""The family, the project, the cluster and the id of a job."""
ANY: Target = ("", "")
"""Stands for a target that could not be read: it may be any."""

FAMILIES = tuple(dict.fromkeys(operation.family for operation in OPERATIONS.values()))

LISTED_WITHIN = 30.0
"""Seconds after which a created job must stand in a list: no rule says at once, and the real service takes a moment
(R).
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What the chronicle says of one exchange.

    `alone` are the pairs of `judgement.held` that the exchange upholds by itself; the others rest on what came before
    it. `examined` is the exchange as read, or None where it belongs to no offered operation.
    """

    judgement: Judgement
    alone: frozenset[tuple[str, str]]
    examined: Examined | None


class Chronicle:
    """Judges exchanges as they happen and remembers the jobs among them."""

    def __init__(self, knowledge: Knowledge, *, remember: int | None = None) -> None:
        """Know nothing of any job yet; of more than `remember` jobs (None: no limit) the one seen longest ago is
        forgotten, so that memory does not grow with the traffic.
        """
        self.knowledge = knowledge
        self._remember = remember
        self._answers = None if remember is None else AnswerMemory()
        self._readings = Readings(knowledge)
        self._jobs: dict[JobKey, JobHistory] = {}
        self._places: dict[tuple[str, str], dict[Place, JobHistory]] = {}
        """The jobs by place, under their family and id."""
        self._holding: dict[Target, dict[JobKey, JobHistory]] = {}
        """The created jobs that hold, or held, each target."""
        self._lost: set[Target] = set()

    def jobs(self) -> Iterator[JobHistory]:
        """Every job that was seen, in the order of its first appearance."""
        yield from self._jobs.values()

    def created(self) -> list[JobHistory]:
        """The jobs whose creation was part of the traffic."""
        return [job for job in self._jobs.values() if job.created is not None]

    def job(self, job_id: str, family: str | None = None, place: Place | None = None) -> JobHistory | None:
        """The history of one job, or None where the id was never seen.

        `family` and `place` (project, cluster) tell jobs apart that share an id; where they are left out, the first
        one of that id is returned.
        """
        for known in FAMILIES if family is None else (family,):
            for where, job in self._places.get((known, job_id), {}).items():
                if place is None or where == place:
                    return job
        return None

    def reading(self, request: Request) -> Reading | None:
        """What a request means to its operation, or None when it belongs to no offered one."""
        return self._readings.of(request)

    def target(self, request: Request) -> Target | None:
        """The target that a create names, or None where it cannot be told, or there is none."""
        reading = self.reading(request)
        return target_of(reading) if reading is not None else None

    def busy(self, request: Request, started: float = float("inf")) -> bool:
        """Whether a job of this traffic may have held the target that `request` names when it was sent, at `started`.

        A created job whose own target could not be read may hold any; one whose answer was lost holds its own for good.
        """
        target = self.target(request)
        if target is None:
            return False
        return target in self._lost or any(
            not job.finished_ended < started for held in (target, ANY) for job in self._holding.get(held, {}).values()
        )

    def lose(self, request: Request) -> None:
        """Note a create whose answer never came: a job that nobody can follow may hold its target from now on."""
        target = self.target(request)
        if target is not None:
            self._lost.add(target)

    def feed(self, exchange: Exchange, *, free_target: bool = False) -> Judgement:
        """Judge one more exchange. `free_target` says that its target is known not to be busy, whatever came before."""
        return self.tell(exchange, free_target=free_target).judgement

    def tell(self, exchange: Exchange, *, free_target: bool = False) -> Told:
        """Judge one more exchange, as `feed` does, and tell what it shows by itself from what rests on earlier ones."""
        status = exchange.response.status
        excused = (
            exchange.request.method == "POST"
            and status in REFUSED
            and exchange.request.credential in ("owner", "unknown")
            and not free_target
            and self.busy(exchange.request, exchange.started)
        )
        reading = self.reading(exchange.request)
        if reading is None:
            judgement = judge(exchange, self.knowledge)
            return Told(judgement, judgement.held, None)
        examined = examine_as_read(
            exchange, reading, self.knowledge, busy=excused, idle=free_target, memory=self._answers
        )
        alone = examined.verdicts.upheld
        if exchange.request.credential in ("owner", "reader", "unknown"):
            self._follow(exchange, examined)
        judgement = examined.verdicts.judgement()
        return Told(judgement, frozenset(pair for pair in judgement.held if pair[0] in alone), examined)

    def _follow(self, exchange: Exchange, examined: Examined) -> None:
        kind = examined.reading.operation.kind
        if kind == "create":
            self._follow_create(exchange, examined)
        elif examined.reading.must_be_refused and exchange.response.status < 300:
            return  # that it was not refused is found already; what it shows is beside the point
        elif kind == "get":
            self._follow_get(exchange, examined)
        elif kind == "list":
            self._follow_list(exchange, examined)
        elif kind == "cancel":
            self._follow_cancel(exchange, examined)

    def _follow_create(self, exchange: Exchange, examined: Examined) -> None:
        reading, document = examined.reading, examined.document
        # A create that should have been refused makes a job all the same, but what it shows of it is beside the point.
        verdicts = Verdicts(reading.operation.id) if reading.must_be_refused else examined.verdicts
        job_id = document.get("id") if document is not None else None
        if document is None or not isinstance(job_id, str):
            return
        requirement = "T-NEW" if reading.operation.family == "cluster" else "S-NEW"
        known = self._jobs.get(key_of(reading, job_id))
        if known is not None and _is_same_answer(known.created, exchange, document):
            return
        namesakes = self._places.get((reading.operation.family, job_id), {}).values()
        earlier = [job for job in namesakes if job.created is not None or job.first_ended <= exchange.started]
        pointer = f"{examined.pointer}/id"
        verdicts.check(requirement, not earlier, "an id that no earlier job has", job_id, pointer)
        if known is not None and known in earlier:
            return
        history = self._history(job_id, reading)
        history.create_operation = reading.operation.id
        history.target = target_of(reading)
        history.target_unread = reading.document is None
        held = held_by(history)
        if held is not None:
            self._holding.setdefault(held, {})[history.key] = history
        history.observe(_observation(exchange, examined, document, examined.pointer, created=True), verdicts)

    def _follow_get(self, exchange: Exchange, examined: Examined) -> None:
        reading, verdicts = examined.reading, examined.verdicts
        job_id = _job_parameter(reading)
        known = self._jobs.get(key_of(reading, job_id))
        status = exchange.response.status
        if known is None and status < 500 and self._elsewhere(reading, job_id) is not None:
            expected = "404, 400 or 403 through another cluster or project"
            # Pacing, credentials that nobody vouches for and an unsettled Accept say nothing of the job.
            if status < 400 or status not in (401, 406, 429):
                verdicts.check("L-SCOPE", status in (400, 403, 404), expected, status, "/response/status")
            return
        if known is not None and status < 500:
            must_find = (
                known.created is not None
                and known.created.ended <= exchange.started
                and READ_OF.get(known.create_operation or "") == reading.operation.id
                and not reading.must_be_refused
                and all(f.reason == "a job that may not exist" for f in reading.freedoms)
                and status not in (401, 429)
                and exchange.request.credential == "owner"
            )
            if must_find and reading.accepts.later and status == 406:
                expected = f"media type {reading.operation.media_type} for a later version"
                verdicts.failed("V-FLOOR", expected, str(status), "/response/status")
            elif must_find and not (200 <= status < 300 and status != reading.operation.success):
                held = status == reading.operation.success
                verdicts.check("L-FOUND", held, "the created job found by its id", status, "/response/status")
                if not held and known.read_ended < exchange.started:
                    expected = "a job that was read before still there"
                    verdicts.failed("L-STABLE", expected, str(status), "/response/status")
        if examined.document is not None:
            self._observe(exchange, examined, examined.document, examined.pointer, job_id)

    def _observe(
        self, exchange: Exchange, examined: Examined, document: Mapping[str, Any], pointer: str, job_id: str
    ) -> None:
        owner = self._elsewhere(examined.reading, job_id)
        if owner is not None:
            expected = "a job only through its own cluster and project"
            examined.verdicts.check("L-SCOPE", False, expected, f"the job of {owner.cluster}", pointer)
            return
        shown = document.get("id")
        if shown != job_id:
            known = self._jobs.get(key_of(examined.reading, job_id))
            requirement = "T-FLAGS" if examined.reading.operation.family == "cluster" else "S-FIXED"
            if known is not None and known.created is not None and known.family != "cluster":
                requirement = "S-SAME"
            examined.verdicts.check(requirement, False, f"the id {job_id!r} that was asked for", shown, f"{pointer}/id")
            return
        history = self._history(job_id, examined.reading)
        history.observe(_observation(exchange, examined, document, pointer), examined.verdicts)

    def _follow_list(self, exchange: Exchange, examined: Examined) -> None:
        reading, document = examined.reading, examined.document
        if document is None:
            return
        seen: set[str] = set()
        for pointer, job in listing.listed(document, examined.pointer):
            job_id = job.get("id")
            if isinstance(job_id, str) and job_id not in seen:
                seen.add(job_id)
                self._observe(exchange, examined, job, pointer, job_id)
                history = self._jobs.get(key_of(reading, job_id))
                if history is not None:
                    history.listed_ended = min(exchange.ended, history.listed_ended)
        place, family = place_of(reading), reading.operation.family
        if any((j.project, j.cluster) != place for j in self._jobs.values() if j.family == family):
            examined.verdicts.held("L-SCOPE")
        page = listing.page_of(exchange.request)
        if page is None or page[1] != 1 or len(seen) >= page[0]:
            return
        owed = [
            j
            for j in self._jobs.values()
            if j.created is not None
            and LIST_OF.get(j.create_operation or "") == reading.operation.id
            and (j.project, j.cluster) == place
            and (j.created.ended + LISTED_WITHIN <= exchange.started or j.listed_ended <= exchange.started)
        ]
        if owed:
            lost = [j.job for j in owed if j.job not in seen]
            expected = "every created job in the list"
            examined.verdicts.check(
                "L-FOUND", not lost, expected, f"{len(lost)} missing", f"{examined.pointer}/results"
            )

    def _follow_cancel(self, exchange: Exchange, examined: Examined) -> None:
        job_id = _job_parameter(examined.reading)
        known = self._jobs.get(key_of(examined.reading, job_id))
        status = exchange.response.status
        if status >= 500 or status in (401, 429):
            return
        if known is None and self._elsewhere(examined.reading, job_id) is None:
            return
        if known is None:
            expected = "a refusal through another cluster or project"
            examined.verdicts.check("L-SCOPE", status >= 400, expected, status, "/response/status")
        elif known.finished_ended < exchange.started and known.last_state != "cancelled":
            # Whether cancelling once more what is cancelled already succeeds, no page says.
            expected = "a finished job's cancel refused"
            examined.verdicts.check("T-CANCEL", status >= 400, expected, status, "/response/status")
        elif status == examined.reading.operation.success:
            known.cancel_ended = exchange.ended

    def _release(self, job: JobHistory) -> bool:
        """Forget that a job held its target; return whether that was known."""
        held = held_by(job)
        return held is not None and self._holding.get(held, {}).pop(job.key, None) is not None

    def _elsewhere(self, reading: Reading, job_id: str) -> JobHistory | None:
        """Return a job of this family and id that belongs to another place, where none of this place is known.

        Of an endpoint that takes any id only created jobs belong to a place: it may show a job under each other id.
        """
        places = self._places.get((reading.operation.family, job_id))
        if not places or place_of(reading) in places:
            return None
        inventory = self.knowledge.inventory
        takes_any = inventory.takes_any or (inventory.invented and inventory.absent_job is None)
        return next((job for job in places.values() if job.created is not None or not takes_any), None)

    def _history(self, job_id: str, reading: Reading) -> JobHistory:
        key = key_of(reading, job_id)
        known = self._jobs.get(key)
        if known is not None and self._remember is not None:
            self._jobs[key] = self._jobs.pop(key)
        if known is None:
            if self._remember is not None and len(self._jobs) >= self._remember:
                forgotten = next(iter(self._jobs.values()))
                self._forget(forgotten)
                self._release(forgotten)
            project, cluster = place_of(reading)
            known = self._remembered(JobHistory(job_id, reading.operation.family, project, cluster))
        return known

    def _remembered(self, job: JobHistory) -> JobHistory:
        """Follow a job from now on, and return it."""
        self._jobs[job.key] = job
        self._places.setdefault((job.family, job.job), {})[job.project, job.cluster] = job
        return job

    def _forget(self, job: JobHistory) -> None:
        """Follow a job no longer."""
        self._jobs.pop(job.key, None)
        places = self._places.get((job.family, job.job), {})
        places.pop((job.project, job.cluster), None)
        if not places:
            self._places.pop((job.family, job.job), None)


def _observation(
    exchange: Exchange, examined: Examined, document: Mapping[str, Any], pointer: str, created: bool = False
) -> Observation:
    return Observation(exchange.started, exchange.ended, examined.reading.operation.id, document, pointer, created)


def _is_same_answer(created: Observation | None, exchange: Exchange, document: Mapping[str, Any]) -> bool:
    """Whether the exchange is the very create that was seen before, as in two recordings that overlap."""
    moment = (exchange.started, exchange.ended)
    return created is not None and (created.started, created.ended) == moment and created.document == document


def _job_parameter(reading: Reading) -> str:
    return reading.parameters.get("restoreJobId") or reading.parameters["restoreId"]


def place_of(reading: Reading) -> tuple[str, str]:
    """The (project, cluster) that a request's path names."""
    parameters = reading.parameters
    return parameters["groupId"], parameters.get("name") or parameters["clusterName"]


def key_of(reading: Reading, job_id: str) -> JobKey:
    """The key of the job that a request names, or that its answer shows, under the request's own place."""
    return (reading.operation.family, *place_of(reading), job_id)


def held_by(job: JobHistory) -> Target | None:
    """The target that a created job holds, `ANY` where that could not be read; None for a download, which has none."""
    return ANY if job.target_unread else job.target


def target_of(reading: Reading) -> Target | None:
    """The (project, name) that a create's body names as its target, where it is well-formed enough to tell."""
    body = reading.document
    if reading.operation.kind != "create" or not isinstance(body, dict):
        return None
    if reading.operation.family == "cluster":
        pair = (body.get("targetGroupId"), body.get("targetClusterName"))
        if body.get("deliveryType") == "download":
            return None
    else:
        pair = (body.get("targetProjectId") or reading.parameters["groupId"], body.get("targetDeploymentItemName"))
    project, name = pair
    return (project, name) if isinstance(project, str) and isinstance(name, str) else None
