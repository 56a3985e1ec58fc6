"""Jobs over time: created, read until they end, read again."""

from __future__ import annotations

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.history import JobHistory
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.expectations import expect_accepted, expect_conforming
from atlas_conformance.runner.jobs import created_jobs, follow_to_the_end, read_again, read_list, reads_of
from atlas_conformance.runner.marks import JOB_CREATES, covers, follows_jobs, on
from atlas_conformance.strategies.bodies import Body, base_bodies, conforming_bodies
from atlas_conformance.strategies.scenes import Scene, request_in

_OVER_TIME = ("S-FLOW", "S-FINISHED", "S-TIME", "S-FIXED", "S-SAME", "S-STATUS", "T-FLAGS", "L-FOUND", "L-STABLE")


@covers(*_OVER_TIME, "L-SCOPE", "S-URL", "T-ONLY-URL", "T-URL", "T-TIME", "T-PARTS")
@on(JOB_CREATES)
@follows_jobs
def test_jobs_move_forward_to_their_end_and_stay_there(endpoint: Endpoint, operation: Operation) -> None:
    """A job of each kind and of each snapshot is read at once, again and again until it has finished, and after that.

    Under a budget of jobs these are the jobs that the run has created so far.
    """
    jobs = _created(endpoint, operation)
    if not jobs:
        return
    late = follow_to_the_end(endpoint, jobs)
    for read, job in jobs:
        if job in late:
            for requirement in ("S-FINISHED", "L-STABLE"):
                endpoint.not_exercised(requirement, read.id, "no job finished within the time that this profile waits")
    with endpoint.in_passing():  # from here on every job that a list shows has been in it before
        _read_lists(endpoint, operation)
    answers = []
    for _ in range(3):
        answers += read_again(endpoint, jobs)
        _read_lists(endpoint, operation)
    expect_conforming(endpoint, answers, to=_OVER_TIME)


def _read_lists(endpoint: Endpoint, operation: Operation) -> None:
    for scene in endpoint.scenes_of(operation)[:2]:
        read_list(endpoint, operation.resource, scene)


def _leads_elsewhere(operation: Operation, scene: Scene, body: Body) -> bool:
    target = operation.resource.target_of(body.document, scene.project)
    return target is not None and target[0] != scene.project


def _created(endpoint: Endpoint, operation: Operation) -> list[tuple[Operation, JobHistory]]:
    read = endpoint.contract.operations[operation.links["read"]]
    if not endpoint.offers(read.id):
        return []
    requests: list[Request] = []
    for scene in endpoint.scenes_of(operation):
        if scene.real:
            bodies = list(base_bodies(operation, scene))
            known = {str(body.document) for body in bodies}
            # The other snapshots of a scene may be ones whose restore fails, or has several parts.
            others = [body for body in conforming_bodies(operation, scene) if str(body.document) not in known]
            bodies += [body for body in others if "snapshot" in body.what]
            if not requests:
                # One restores to another project, which no read may take for the job's own.
                bodies += [body for body in others if _leads_elsewhere(operation, scene, body)][:1]
            requests += [request_in(operation, scene, document=body.document) for body in bodies]
    answers = endpoint.send_all(requests)
    expect_accepted(endpoint, answers)
    created = created_jobs(endpoint, answers)
    if endpoint.rationed:
        created = [job for job in endpoint.chronicle.created() if job.create_operation == operation.id]
    jobs = reads_of(created)
    expect_conforming(endpoint, read_again(endpoint, jobs), to=("S-SAME", "T-FLAGS"))
    return jobs
