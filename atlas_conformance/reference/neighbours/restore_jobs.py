"""The restore jobs of v1.0 that the contract leaves out: their list, and the cancel of one."""

from __future__ import annotations

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reference.messages import Answer, Refusal
from atlas_conformance.reference.neighbours.visits import GENERAL, Visit
from atlas_conformance.reference.resources import job_document

_READ = Contract.load().operations["cluster-get-v1"]


def list_jobs(visit: Visit, project: str, name: str) -> Answer:
    """List the restore jobs of a dedicated cluster."""
    visit.cluster(project, name, "dedicated")
    backend, now = visit.backend, visit.call.now
    every = backend.jobs.page(project, name, backend.free["list-order"], -1, 0)
    shown = (job_document(job, _READ, now, backend.free, backend.imitate, visit.base) for job in every)
    return visit.page(shown, GENERAL)


def cancel_job(visit: Visit, project: str, name: str, job_id: str) -> Answer:
    """Cancel a restore job of a dedicated cluster that has not ended."""
    if visit.call.role == "reader":
        raise Refusal(403, "USER_UNAUTHORIZED", "The Project Owner role is needed.")
    visit.cluster(project, name, "dedicated")
    job = visit.backend.jobs.find(job_id)
    if job is None or (job.project, job.cluster) != (project, name):
        raise Refusal(404, "RESTORE_JOB_NOT_FOUND", "There is no such restore job on this cluster.")
    if job.is_over(visit.call.now):
        raise Refusal(400, "CANNOT_CANCEL_FINISHED_RESTORE_JOB", "The restore job has ended.")
    visit.backend.jobs.cancel(job_id, visit.call.now)
    return Answer(204, None)
