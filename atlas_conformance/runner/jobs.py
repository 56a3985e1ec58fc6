"""Jobs that suites read: created on first need, taken from a list, or followed to their end."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.history import JobHistory
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.resources import Resource
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.outcomes import Judged
from atlas_conformance.runner.rationing import Lesson
from atlas_conformance.runner.snapshots import some_snapshot, spare_snapshot
from atlas_conformance.strategies.bodies import Body, base_bodies
from atlas_conformance.strategies.requests import build
from atlas_conformance.strategies.scenes import Scene, path_parameters

CREATE_OF = {
    linked: create.id
    for create in reversed(list(Contract.load().operations.values()))
    for name, linked in create.links.items()
    if create.kind == "create" and not (name == "list" and create.api != "v2")
}
"""The create whose jobs or snapshots an operation reads, lists, cancels or deletes: the first that links to it."""


def some_job(endpoint: Endpoint, operation: Operation, scene: Scene) -> str | None:
    """Return the id of a job that `operation` reads in this scene; None where there is none.

    It is one that was created for nothing else, now or by an earlier test; where none can be, one that is known or
    listed. Which of these makes no difference to what the test counts. Of snapshots it is one that was there before.
    """
    if operation.resource.what == "snapshot":
        return some_snapshot(endpoint, operation, scene)
    create = endpoint.contract.operations[CREATE_OF[operation.id]]
    where = (create.id, scene.project, scene.cluster)
    if not endpoint.pool.knows(where):
        with endpoint.in_passing():
            job = _known(endpoint, operation, scene) if endpoint.rationed else None
            job = job or _made_to_be_read(endpoint, create, scene) or _found(endpoint, operation, scene)
        if job is None and endpoint.client.guard.mode == "restore":
            return None  # the next one may find what others have created by then
        endpoint.pool.keep(where, job)
    found = endpoint.pool.job(where)
    if found is not None:
        endpoint.adopt(found)
    return found


def finished_job(endpoint: Endpoint, operation: Operation, scene: Scene) -> str | None:
    """Return a job as `some_job` does, waiting until it has finished; None where it does not within the time limit."""
    found = some_job(endpoint, operation, scene)
    if operation.resource.what == "snapshot":
        return found
    where = (scene.project, scene.cluster)
    job = endpoint.chronicle.job(found, operation.resource, where) if found is not None else None
    if job is None:
        return None
    follow_to_the_end(endpoint, [pair for pair in reads_of([job]) if endpoint.offers(pair[0].id)])
    return job.job if job.finished else None


def _made_to_be_read(endpoint: Endpoint, create: Operation, scene: Scene) -> str | None:
    """Create a job and read it once, so that no later read is its first; None where none is created."""
    job = create_job(endpoint, create, scene) if endpoint.offers(create.id) and scene.real else None
    read = endpoint.contract.operations[create.links["read"]]
    if job is not None and endpoint.offers(read.id):
        endpoint.send(build(read, path_parameters(read, scene, job)))
    return job


def _found(endpoint: Endpoint, operation: Operation, scene: Scene) -> str | None:
    """Return a job that is listed or known, read once if it can be; None where there is none."""
    read_list(endpoint, operation.resource, scene)
    job = _known(endpoint, operation, scene)
    if job is not None and operation.kind == "get":
        endpoint.send(build(operation, path_parameters(operation, scene, job)))
    return job


def _known(endpoint: Endpoint, operation: Operation, scene: Scene) -> str | None:
    """Return a job that was seen already, one that has finished if there is one."""
    known = known_jobs(endpoint, operation, scene)
    return min(known, key=lambda job: (not job.finished, job.job)).job if known else None


def job_for(endpoint: Endpoint, operation: Operation, scene: Scene) -> str | None:
    """Return a job that `operation` would act on if all were well: a fresh one for a cancel; None where there is
    none.
    """
    if operation.kind == "get":
        return some_job(endpoint, operation, scene)
    if operation.kind == "delete":
        return spare_snapshot(endpoint, scene)
    if operation.kind != "cancel" or not scene.real:
        return None
    with endpoint.in_passing():
        return create_job(endpoint, endpoint.contract.operations[CREATE_OF[operation.id]], scene)


def known_jobs(endpoint: Endpoint, operation: Operation, scene: Scene) -> list[JobHistory]:
    """Return the jobs seen so far that `operation` reads in this scene: those of its own create first."""
    found = [
        job
        for job in endpoint.chronicle.store.jobs()
        if job.resource is operation.resource
        and job.place == (scene.project, scene.cluster)
        and job.delete_started == float("inf")
    ]
    own = [job for job in found if job.create_operation == CREATE_OF.get(operation.id)]
    return own + [job for job in found if job.create_operation is None and operation.api == "v2"]


def create_job(
    endpoint: Endpoint, create: Operation, scene: Scene, body: Body | None = None, *, lesson: Lesson | None = None
) -> str | None:
    """Send a conforming create, the plainest by default, and return the id of the new job; None where it was refused.

    `lesson` is what can be learnt of the job later, which makes it worth a place of a small budget.
    """
    document = (body or base_bodies(create, scene)[0]).document
    judged = endpoint.send(build(create, path_parameters(create, scene, ""), document), lesson=lesson)
    return created_id(endpoint, judged)


def created_id(endpoint: Endpoint, judged: Judged | None) -> str | None:
    """Return the id of the job that an exchange created, or None."""
    job = _created_by(endpoint, judged)
    return None if job is None else job.job


def _created_by(endpoint: Endpoint, judged: Judged | None) -> JobHistory | None:
    if judged is None or not 200 <= judged.status < 300:
        return None
    for job in endpoint.chronicle.made():
        if job.created is not None and job.created.started == judged.exchange.started:
            return job
    return None


def created_jobs(endpoint: Endpoint, judged: Iterable[Judged | None]) -> list[JobHistory]:
    """Return the jobs that these exchanges created; not those of their repetitions."""
    return [job for j in judged if (job := _created_by(endpoint, j)) is not None]


def read_list(endpoint: Endpoint, about: Resource, scene: Scene, **query: str) -> Judged | None:
    """Read one page of the first list of a resource in this scene; None where no list is offered or it was not answered
    by 200.
    """
    operation = endpoint.contract.find(about.name, "list")
    if operation is None or not endpoint.offers(operation.id):
        return None
    asked = {"itemsPerPage": "500"} | query
    judged = endpoint.send(build(operation, path_parameters(operation, scene, ""), query=asked))
    return judged if judged is not None and judged.status == 200 else None


def reads_of(jobs: Iterable[JobHistory]) -> list[tuple[Operation, JobHistory]]:
    """Pair each job or snapshot whose creation was seen with the operation that reads it back."""
    return [(read_of(job), job) for job in jobs if job.create_operation is not None]


def read_of(job: JobHistory) -> Operation:
    """Return the operation that reads back a job or snapshot whose creation was seen."""
    operations = Contract.load().operations
    links = operations[job.create_operation or ""].links
    sharded = job.fixed.get("type") == "shardedCluster" and "readSharded" in links
    return operations[links["readSharded" if sharded else "read"]]


def read_again(endpoint: Endpoint, jobs: Iterable[tuple[Operation, JobHistory]]) -> list[Judged | None]:
    """Read every job that can be read once, at the same time."""
    offered = [pair for pair in jobs if endpoint.offers(pair[0].id)]
    return endpoint.send_all(build(operation, place(operation, job)) for operation, job in offered)


def follow_to_the_end(
    endpoint: Endpoint, jobs: Sequence[tuple[Operation, JobHistory]], *, staggered: bool = True
) -> list[JobHistory]:
    """Read jobs again and again, at growing intervals, until each has finished; return those that did not in time.

    The test fails on findings of these reads. `staggered`, some jobs are looked at from the start and some only later,
    so that the same number of reads falls on other moments of a job's life. How often they are read depends on time, so
    none of it counts.
    """
    with endpoint.waiting(endpoint.profile.patience) as again, endpoint.in_passing():
        for turn in itertools.count():
            still_open = [place for place, (_, job) in enumerate(jobs) if not is_settled(job)]
            if not still_open:
                return []
            looked_at = [jobs[place] for place in still_open if not staggered or turn >= 2 * (place % 4)]
            endpoint.require(read_again(endpoint, looked_at))
            if not again():
                break
    return [job for _, job in jobs if not is_settled(job)]


def until_idle(endpoint: Endpoint) -> bool:
    """Wait until every job of this run that can be read has finished; whether that came about."""
    made = [job for job in endpoint.chronicle.made() if job.delete_started == float("inf")]
    own = [(read, job) for read, job in reads_of(made) if endpoint.offers(read.id)]
    return not follow_to_the_end(endpoint, own, staggered=False)


def is_settled(job: JobHistory) -> bool:
    """Whether a job has finished, as far as its answers show (a finished download shows its address)."""
    return job.finished or job.delivered


def place(operation: Operation, job: JobHistory) -> dict[str, str]:
    """Return the path parameters by which `operation` reaches a job in its own cluster."""
    return operation.values(job.project, job.cluster, job.job)
