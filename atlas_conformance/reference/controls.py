"""Steering a running endpoint: its clock, its jobs, what fails next, and what it has been asked."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from atlas_conformance.contracts.naming import unknown
from atlas_conformance.reference.clock import Clock
from atlas_conformance.reference.directions import Directions, Rule
from atlas_conformance.reference.jobs import Job, Jobs, brought_to
from atlas_conformance.reference.messages import Call
from atlas_conformance.reference.outcomes import Failing

if TYPE_CHECKING:
    from atlas_conformance.reference.application import Application

REMEMBERED = 10_000
"""How many requests are remembered."""

KEPT_BODY = 16_384
"""The largest body that is remembered with its request, in bytes."""


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request that was answered: its method, its target as received, the operation that it named, if any, the status
    of the answer, when it came (epoch seconds of the endpoint's clock), and its body where that was JSON, not long, and
    for an operation of the contract.
    """

    method: str
    target: str
    operation: str | None
    status: int
    at: float
    body: Any = None


@dataclass(frozen=True, slots=True)
class JobState:
    """How a restore job stands. `state` is PENDING, QUEUED, RUNNING, COMPLETED, FAILED or CANCELLED, for each kind of
    cluster; `changes_at` is when the next one comes (epoch seconds), None where the job has ended.
    """

    id: str
    project: str
    cluster: str
    delivery_type: str
    state: str
    created_at: float
    changes_at: float | None


class Controls:
    """Everything that can be done to a running endpoint. Use it from the thread that serves.

    `restart` makes the endpoint as it was at its start, without the jobs that were created since.
    """

    def __init__(self, application: Application, jobs: Jobs, restart: Callable[[], None]) -> None:
        self._application = application
        self._jobs = jobs
        self._restart = restart
        self._seen: deque[tuple[str, str, str | None, int, float, bytes]] = deque(maxlen=REMEMBERED)

    # Time

    @property
    def clock(self) -> Clock:
        """The endpoint's clock."""
        return self._application.clock

    def advance_to(self, what: str, job_id: str | None = None) -> float:
        """Move the clock to the "next" change of a job's state, or to the "end" of the jobs; return the time then.

        It is about one job where `job_id` is given, and otherwise about all that have not ended. Raises ValueError
        where there is none, and KeyError for a job that does not exist.
        """
        now = self.clock.now()
        found = self._jobs.under_way(now) if job_id is None else [self._job(job_id)]
        changes = [over for job in found if not job.is_over(now) for over in job.changes if over > now]
        if not changes:
            raise ValueError("no restore job is under way, so no state comes next")
        if what not in ("next", "end"):
            raise ValueError(f"the clock moves to 'next' or to 'end', not to {what!r}")
        self.clock.move_to(min(changes) if what == "next" else max(changes))
        return self.clock.now()

    # Jobs

    def jobs(self) -> list[JobState]:
        """Return how each job stands, the oldest first."""
        now = self.clock.now()
        return [_state(job, now) for job in self._jobs.everything()]

    def job(self, job_id: str) -> JobState:
        """Return how a job stands; raises KeyError where there is none of that id."""
        return _state(self._job(job_id), self.clock.now())

    def set_state(self, job_id: str, state: str) -> JobState:
        """Bring a job into a state at once, and return how it stands.

        Raises KeyError where there is no such job, and ValueError where it cannot come into that state.
        """
        now = self.clock.now()
        changed = brought_to(self._job(job_id), state, now)
        self._jobs.put(changed)
        return _state(changed, now)

    def fail_next(self, failing: Failing) -> None:
        """Let restores that are created from now on fail; raises ValueError where they are of what there is not."""
        backend = self._application.endpoint.backend
        places = [(cluster.project, cluster.name) for cluster in backend.fixtures.inventory.clusters]
        if failing.project is not None and failing.project not in {project for project, _ in places}:
            raise ValueError(unknown("project", failing.project, {project for project, _ in places}))
        names = {name for project, name in places if failing.project in (None, project)}
        if failing.cluster is not None and failing.cluster not in names:
            raise ValueError(unknown("cluster", failing.cluster, names))
        if failing.snapshot is not None and backend.snapshots.find(failing.snapshot) is None:
            raise ValueError(f"there is no snapshot {failing.snapshot!r}")
        backend.outcomes.fail(failing)

    def _job(self, job_id: str) -> Job:
        job = self._jobs.find(job_id)
        if job is None:
            raise KeyError(f"there is no restore job {job_id}")
        return job

    # Requests

    def note(self, call: Call, status: int) -> None:
        """Remember a request and the status that it was answered with."""
        operation, body = call.operation, call.body or b""
        known = operation.id if operation is not None else None
        kept = body if known is not None and len(body) <= KEPT_BODY else b""
        self._seen.append((call.method, call.target, known, status, call.now, kept))

    def requests(self) -> list[SeenRequest]:
        """Return the requests that are remembered, the oldest first; never with headers, which hold credentials."""
        return [_seen(*one) for one in self._seen]

    def forget_requests(self) -> None:
        """Forget the requests."""
        self._seen.clear()

    # What is answered

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that hold, in their order."""
        return tuple(self._directions.rules)

    def add_rule(self, rule: Rule) -> None:
        """Add a rule after all others; raises ValueError where its fault or its freedoms are not known."""
        self._directions.add(rule)

    def clear_rules(self) -> None:
        """Drop every rule."""
        self._directions.clear()

    @property
    def _directions(self) -> Directions:
        found = self._application.directions
        assert found is not None
        return found

    def expire_tokens(self) -> None:
        """Let every token that was issued expire."""
        self._application.endpoint.backend.authentication.forget_tokens()

    def reset(self) -> None:
        """Start over: jobs, rules and requests of before are forgotten, and the clock goes by the wall clock again."""
        self.clock.restart()
        self._seen.clear()
        self._restart()


def _state(job: Job, now: float) -> JobState:
    state = "CANCELLED" if job.is_cancelled(now) else job.status(now)
    coming = None if job.is_over(now) else min(over for over in job.changes if over > now)
    return JobState(job.id, job.project, job.cluster, str(job.delivery), state, job.created, coming)


def _seen(method: str, target: str, operation: str | None, status: int, at: float, body: bytes) -> SeenRequest:
    document = None
    if body:
        with contextlib.suppress(orjson.JSONDecodeError):
            document = orjson.loads(body)
    return SeenRequest(method, target, operation, status, at, document)
