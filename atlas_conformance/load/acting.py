"""What a user does next: create, poll, list, cancel, look through the wrong cluster, or send what must be refused."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.history import JobHistory, JobKey
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.load.ledger import Ledger
from atlas_conformance.load.pool import Pool
from atlas_conformance.strategies.requests import build
from atlas_conformance.strategies.scenes import Scene, path_parameters

WEIGHTS: Mapping[str, int] = {
    "create": 12, "poll": 44, "look back": 12, "list": 7, "misuse": 12, "cancel": 5, "look elsewhere": 5,
    "other form": 3,
}  # fmt: skip
"""How often a user does what, in parts of a hundred."""

MOST_OPEN = 1_000
"""With this number of open jobs nobody creates another: they are polled first."""

_YOUNG = 60
_DELETED = 0.3
"""The share of the cancels that delete a snapshot instead."""
_SIZES = ("5", "10", "10", "20", "20", "20", "50")
_FORMS = ("envelope=true", "pretty=true", "envelope=true&pretty=true")


@dataclass(frozen=True, slots=True)
class Action:
    """A request to send, and in a word or two what it is."""

    name: str
    request: Request


class Actor:
    """One user: draws actions from the pool and the jobs that the ledger follows, with a seed of its own."""

    def __init__(self, pool: Pool, ledger: Ledger, knowledge: Knowledge, seed: str) -> None:
        self._pool = pool
        self._ledger = ledger
        self._offers = knowledge.offers
        self._random = Random(f"user:{seed}")
        self._names = tuple(WEIGHTS)
        self._weights = tuple(WEIGHTS.values())

    def next(self, *, creates: bool = True) -> Action:
        """Return what to do next; `creates` false leaves creating out."""
        random = self._random
        for _ in range(20):
            name = random.choices(self._names, self._weights)[0]
            request = self._request(name, creates)
            if request is not None:
                return Action(name, self._by_any_scheme(request))
        return Action("misuse", self._by_any_scheme(random.choice(self._pool.misuse)))

    def _by_any_scheme(self, request: Request) -> Request:
        """Let each scheme that the target has credentials for carry its share."""
        schemes = self._pool.schemes
        if request.credential == "owner" and request.scheme == "any" and len(schemes) > 1:
            return replace(request, scheme=self._random.choice(schemes))
        return request

    def _request(self, name: str, creates: bool) -> Request | None:
        random = self._random
        match name:
            case "create" if creates and self._pool.creates and len(self._ledger.open) < MOST_OPEN:
                return random.choice(self._pool.creates)
            case "misuse":
                return random.choice(self._pool.misuse)
            case "list" if self._pool.lists:
                return self._list(*random.choice(self._pool.lists))
            case "poll":
                return self._read(self._pick(self._ledger.open, recent=True))
            case "look back":
                return self._read(self._pick(self._ledger.settled, recent=False))
            case "other form":
                return self._in_another_form(self._pick(self._ledger.open, recent=True))
            case "look elsewhere":
                return self._through_another(self._pick(self._ledger.open, recent=True))
            case "cancel" if creates:
                return self._cancel()
        return None

    def _pick(self, jobs: OrderedDict[JobKey, JobHistory], *, recent: bool) -> JobHistory | None:
        """Pick a job; the more recent the likelier, so that several users meet on the same one."""
        if not jobs:
            return None
        number = int(len(jobs) * self._random.random() ** (3 if recent else 1))
        for job in reversed(jobs.values()):
            if not number:
                return job
            number -= 1
        return None

    def _read_operation(self, job: JobHistory) -> Operation | None:
        """The operation that reads a job back: that of its create, or the first of its resource."""
        contract = Contract.load()
        found = contract.find(job.resource.name, "get")
        if job.fixed.get("type") == "shardedCluster":
            found = contract.operations["sharded-snapshot-get"]
        elif job.create_operation is not None:
            found = contract.operations[contract.operations[job.create_operation].links["read"]]
        return found if found is not None and self._offers(found.id) else None

    def _read(self, job: JobHistory | None) -> Request | None:
        operation = self._read_operation(job) if job is not None else None
        if job is None or operation is None:
            return None
        return build(operation, _parameters(operation, job.project, job.cluster, job.job))

    def _in_another_form(self, job: JobHistory | None) -> Request | None:
        plain = self._read(job)
        return None if plain is None else replace(plain, target=f"{plain.target}?{self._random.choice(_FORMS)}")

    def _through_another(self, job: JobHistory | None) -> Request | None:
        operation = self._read_operation(job) if job is not None else None
        if job is None or operation is None:
            return None
        others = [
            place for place in self._pool.places[job.resource.cluster_kind] if place != (job.project, job.cluster)
        ]
        if not others:
            return None
        project, cluster = self._random.choice(others)
        return build(operation, _parameters(operation, project, cluster, job.job))

    def _cancel(self) -> Request | None:
        """Cancel one of the youngest jobs that can be, or delete a snapshot: two users often mean the same one."""
        if self._random.random() < _DELETED:
            return self._delete()
        operation = Contract.load().operations["cluster-cancel"]
        if not self._offers(operation.id):
            return None
        young = islice(reversed(self._ledger.open.values()), _YOUNG)
        jobs = [job for job in young if job.create_operation == "cluster-create"]
        if not jobs:
            return None
        job = jobs[int(len(jobs) * self._random.random() ** 3)]
        return build(operation, _parameters(operation, job.project, job.cluster, job.job))

    def _delete(self) -> Request | None:
        operation = Contract.load().operations["snapshot-delete"]
        settled = islice(reversed(self._ledger.settled.values()), _YOUNG)
        taken = [s for s in settled if s.resource.what == "snapshot" and s.created is not None]
        if not self._offers(operation.id) or not taken:
            return None
        snapshot = taken[int(len(taken) * self._random.random() ** 3)]
        return build(operation, _parameters(operation, snapshot.project, snapshot.cluster, snapshot.job))

    def _list(self, operation: Operation, scene: Scene) -> Request:
        random = self._random
        if not operation.paged:
            return build(operation, path_parameters(operation, scene, ""))
        query = {"itemsPerPage": random.choice(_SIZES)}
        if random.random() < 0.25:
            query["pageNum"] = random.choice("123")
        if random.random() < 0.1:
            query["includeCount"] = "false"
        return build(operation, path_parameters(operation, scene, ""), query=query)


def _parameters(operation: Operation, project: str, cluster: str, job: str) -> dict[str, str]:
    values: Sequence[str] = (project, cluster, job)
    return dict(zip(operation.path_parameters, values, strict=True))
