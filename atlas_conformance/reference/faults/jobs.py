"""Faults in how a job moves and what of it must not change (`S-*`, `T-FLAGS`, `T-CANCEL`, `T-NEW`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.fault import Class, Fault
from atlas_conformance.reference.fault_parts import (
    CREATES,
    SHARED,
    SHARED_READS,
    View,
    after_end,
    changing,
    drifting,
    hiding,
    resource_of,
    shifted,
    showing,
    when,
)
from atlas_conformance.reference.jobs import Job
from atlas_conformance.reference.messages import Call

_OTHER_ID = "0" * 23 + "1"


def _fault(operation: str, what: str, requirement: str, sentence: str, kind: Class, **hooks: Any) -> Fault:
    return Fault(f"{operation}/{what}", requirement, (operation,), sentence, kind, **hooks)


def _running(view: View) -> View:
    def before(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
        return document if job.is_over(call.now) else view(backend, call, job, document)

    return before


def _one_phase_back(reads: int) -> Callable[[Backend, Call, Job], float]:
    """Shows the job once as it was at its creation."""
    return lambda backend, call, job: job.created if backend.reads[job.id] == reads else call.now


def _back_after_end(backend: Backend, call: Call, job: Job) -> float:
    """Every third read of a job that has ended shows it as it was one phase before."""
    if job.is_over(call.now) and backend.reads[job.id] % 3 == 0:
        return job.ends - job.step / 2
    return call.now


def _in_another_zone(text: str) -> str:
    return shifted(3_600)(text).replace("Z", "+01:00")


def _flips(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
    flipped = "COMPLETED" if backend.reads[job.id] % 2 else "FAILED"
    return document | {"status": flipped} if job.is_over(call.now) else document


def _creates() -> Iterator[Fault]:
    for operation in SHARED:
        project, cluster = resource_of(operation).place_fields
        for what, name, change in (
            ("project-of-target", project, None),
            ("cluster-lower-case", cluster, str.lower),
            ("target-lower-case", "targetDeploymentItemName", str.lower),
            ("target-ascii", "targetDeploymentItemName", lambda text: "".join(c if c.isascii() else "x" for c in text)),
        ):
            if change is None:
                view: View = lambda backend, call, job, document: document | {"projectId": job.target_project}  # noqa: E731
            else:
                view = changing(name, change)
            yield _fault(operation, what, "S-ECHO", f"{name} is not the request's: {what}.", "subtle", view=view)
        yield _fault(
            operation,
            "target-project-of-path",
            "S-ECHO",
            "The target's project is always that of the path.",
            "subtle",
            view=lambda backend, call, job, document: document | {"targetProjectId": job.project},
        )
        yield _fault(
            operation,
            "other-snapshot",
            "S-ECHO",
            "The snapshot shown is another one.",
            "shape",
            view=showing(snapshotId=_OTHER_ID),
        )
        yield _fault(
            operation,
            "download",
            "S-DELIVERY",
            "A job that restores to a target says DOWNLOAD.",
            "shape",
            view=showing(deliveryType="DOWNLOAD"),
        )
        yield _fault(
            operation,
            "url-on-restore",
            "S-URL",
            "A restore shows snapshotUrl.",
            "shape",
            view=showing(snapshotUrl="https://restore.example.net/a.tar.gz"),
        )
        yield _fault(operation, "closed", "S-STATUS", "The status is CLOSED.", "shape", view=showing(status="CLOSED"))
        yield _fault(
            operation,
            "born-completed",
            "S-NEW",
            "A fresh job is complete.",
            "shape",
            view=showing(status="COMPLETED", restoreFinishedDate="2030-01-01T00:00:00Z"),
        )
        yield _fault(
            operation,
            "finished-too-early",
            "S-FINISHED",
            "A fresh job shows restoreFinishedDate.",
            "shape",
            view=showing(restoreFinishedDate="2030-01-01T00:00:00Z"),
        )
        yield _fault(
            operation,
            "scheduled-before-snapshot",
            "S-TIME",
            "A job is scheduled before its snapshot was done.",
            "shape",
            view=changing("restoreScheduledDate", shifted(-400 * 86_400)),
        )
        yield _fault(
            operation,
            "expires-before",
            "S-TIME",
            "A job expires a second before it is scheduled.",
            "subtle",
            view=lambda backend, call, job, document: (
                document | {"expirationDate": shifted(-1)(document["restoreScheduledDate"])}
            ),
        )
        yield _fault(
            operation,
            "offset",
            "S-TIME",
            "A time is that of another zone, with its offset +01:00.",
            "subtle",
            view=changing("restoreScheduledDate", _in_another_zone),
        )
        yield _fault(
            operation,
            "other-job",
            "S-SAME",
            "A read shows another restoreScheduledDate than the create did.",
            "stateful",
            view=changing("restoreScheduledDate", shifted(1)),
        )
    for operation in CREATES:
        yield _fault(
            operation,
            "id-reused-late",
            resource_of(operation).common["new"],
            "From the third job on, ids are used again.",
            "stateful",
            job=_reusing(3),
        )
        yield _fault(
            operation,
            "not-stored",
            "L-FOUND",
            "A job is answered and lost.",
            "stateful",
            job=lambda backend, call, job: replace(job, project="", cluster=""),
            view=lambda backend, call, job, document: (
                document
                | {key: call.project for key in ("projectId",) if key in document}
                | {key: call.cluster_name for key in ("instanceName", "clusterName") if key in document}
            ),
        )


def _reusing(after: int) -> Callable[[Backend, Call, Job], Job]:
    """A job's id is that of the first, once there are more than a number of jobs."""

    def job(backend: Backend, call: Call, made: Job) -> Job:
        ids = backend.notes.setdefault("ids", [])
        ids.append(made.id)
        return replace(made, id=ids[0]) if len(ids) > after else made

    return job


def _shared_reads() -> Iterator[Fault]:
    for operation in SHARED_READS:
        yield _fault(
            operation,
            "back-once",
            "S-FLOW",
            "The fourth read shows the status of the first.",
            "stateful",
            moment=_one_phase_back(4),
        )
        yield _fault(
            operation,
            "back-after-end",
            "S-FLOW",
            "A job that has ended runs again on every third read.",
            "stateful",
            moment=_back_after_end,
        )
        yield _fault(operation, "end-flips", "S-FLOW", "COMPLETED and FAILED alternate.", "stateful", view=_flips)
        yield _fault(
            operation,
            "never-finished-date",
            "S-FINISHED",
            "A finished job lacks restoreFinishedDate.",
            "stateful",
            view=hiding("restoreFinishedDate"),
        )
        yield _fault(
            operation,
            "failed-without-date",
            "S-FINISHED",
            "A failed job lacks restoreFinishedDate.",
            "stateful",
            view=when(lambda job: job.fails, hiding("restoreFinishedDate")),
        )
        yield _fault(
            operation,
            "finished-date-drifts",
            "S-FINISHED",
            "restoreFinishedDate moves by a second a read.",
            "stateful",
            view=drifting("restoreFinishedDate"),
        )
        yield _fault(
            operation,
            "finished-date-early",
            "S-FINISHED",
            "restoreFinishedDate shows while the job runs.",
            "stateful",
            view=_running(showing(restoreFinishedDate="2030-01-01T00:00:00Z")),
        )
        yield _fault(
            operation,
            "finished-before-scheduled",
            "S-TIME",
            "restoreFinishedDate lies before the schedule.",
            "stateful",
            view=changing("restoreFinishedDate", shifted(-3_600)),
        )
        yield _fault(
            operation,
            "scheduled-drifts",
            "S-FIXED",
            "restoreScheduledDate moves by a second a read.",
            "subtle",
            view=drifting("restoreScheduledDate"),
        )
        yield _fault(
            operation,
            "snapshot-date-drifts",
            "S-FIXED",
            "snapshotFinishedDate moves by a second a read.",
            "subtle",
            view=drifting("snapshotFinishedDate"),
        )
        yield _fault(
            operation,
            "target-forgotten",
            "S-FIXED",
            "A finished job shows the source's name as its target.",
            "stateful",
            view=after_end(lambda backend, call, job, document: document | {"targetDeploymentItemName": job.cluster}),
        )
        yield _fault(
            operation,
            "delivery-changes",
            "S-FIXED",
            "A finished job says DOWNLOAD.",
            "stateful",
            view=after_end(showing(deliveryType="DOWNLOAD")),
        )
        yield _fault(
            operation,
            "done",
            "S-STATUS",
            "A finished job's status is DONE.",
            "stateful",
            view=after_end(showing(status="DONE")),
        )
        yield _fault(
            operation,
            "url-when-complete",
            "S-URL",
            "A finished restore shows snapshotUrl.",
            "stateful",
            view=after_end(showing(snapshotUrl="https://restore.example.net/a.tar.gz")),
        )


FAULTS: tuple[Fault, ...] = (*_creates(), *_shared_reads())
"""Faults of this family."""
