"""Paths that name something malformed, absent or of the wrong kind are refused."""

from __future__ import annotations

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.expectations import expect_refused
from atlas_conformance.runner.jobs import job_for
from atlas_conformance.runner.marks import EVERY, JOB_CREATES, covers, on
from atlas_conformance.runner.nothing_created import retry_when_idle, send_watched
from atlas_conformance.runner.outcomes import Judged
from atlas_conformance.strategies.paths import absent_paths, malformed_paths, overlong_name, snapshots_of_others
from atlas_conformance.strategies.scenes import Scene, request_in

_MALFORMED = ("P-GROUP", "P-NAME", "P-JOB", "P-SNAPSHOT")
_ABSENT = ("N-GROUP", "N-CLUSTER", "N-JOB", "N-SNAPSHOT")


@covers(*_MALFORMED, "E-FIELDS")
@on(EVERY)
def test_a_malformed_path_parameter_is_refused(endpoint: Endpoint, operation: Operation) -> None:
    """One path parameter at a time, one step beyond its pattern or length, everything else as it should be."""
    scene, *others = endpoint.scenes_of(operation)
    job = job_for(endpoint, operation, scene) or endpoint.absent_item(operation)
    requests = _malformed(endpoint, operation, scene, job)
    answers: list[Judged | None] = []
    if operation.kind == "cancel" and scene.real and not endpoint.rationed:
        # A job that has ended is not cancelled either way, so each request has one of its own that is under way.
        for number in range(len(requests)):
            job = job_for(endpoint, operation, scene) or job
            answers += endpoint.send_all(_malformed(endpoint, operation, scene, job)[number : number + 1])
    else:
        answers += endpoint.send_all(requests)
    for other in others:
        if len(other.cluster) >= 64:
            job = job_for(endpoint, operation, other) or endpoint.absent_item(operation)
            answers += endpoint.send_all(case.request for case in overlong_name(operation, other, job))
    expect_refused(endpoint, answers, by=_MALFORMED)


def _malformed(endpoint: Endpoint, operation: Operation, scene: Scene, job: str) -> list[Request]:
    cases = malformed_paths(operation, scene, job, endpoint.profile.per_parameter)
    return [case.request for case in endpoint.sample(operation, cases)]


@covers(*_ABSENT)
@on(EVERY)
def test_what_does_not_exist_is_not_found(endpoint: Endpoint, operation: Operation) -> None:
    """A project, a cluster or a job that is well-formed and absent, and clusters of another kind."""
    scene = endpoint.scenes_of(operation)[0]
    if endpoint.knowledge.inventory.absent is None:
        jobs = ("N-JOB",) if endpoint.knowledge.inventory.absent_job is None else ()
        for requirement in ("N-GROUP", "N-CLUSTER", *jobs):
            endpoint.not_exercised(
                requirement, operation.id, "the endpoint takes any id, so nothing is known to be absent"
            )
    job = job_for(endpoint, operation, scene) or endpoint.absent_item(operation)
    cases = absent_paths(operation, scene, job, endpoint.knowledge.inventory)
    answers = endpoint.send_all(case.request for case in cases)
    expect_refused(endpoint, answers, by=_ABSENT)


@covers("N-SNAPSHOT")
@on(JOB_CREATES)
def test_a_snapshot_that_the_cluster_does_not_have_is_refused(endpoint: Endpoint, operation: Operation) -> None:
    """An absent snapshot, and one of another cluster, for each deliveryType that names one."""
    scene = endpoint.scenes_of(operation)[0]
    if endpoint.knowledge.inventory.absent is None:
        reason = "the endpoint takes any id, so no snapshot is known to be absent"
        endpoint.not_exercised("N-SNAPSHOT", operation.id, reason)
    cases = list(snapshots_of_others(operation, scene, endpoint.knowledge.inventory))
    answers = send_watched(endpoint, operation, scene, cases)
    # Once more, each after a refusal of another kind: one refusal must not spoil the next.
    empty = request_in(operation, scene, document={})
    for case in cases:
        expect_refused(endpoint, endpoint.send(empty), by=("B-REQUIRED", "T-ENUM"))
        answer = endpoint.send(case.request)
        if answer is not None and answer.status in (403, 409) and endpoint.chronicle.busy(case.request):
            answers += retry_when_idle(endpoint, [case.request])
        answers.append(answer)
    expect_refused(endpoint, answers, by="N-SNAPSHOT")
