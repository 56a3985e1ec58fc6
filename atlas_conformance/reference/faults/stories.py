"""Faults in downloads, and in the story that a restore and its snapshot tell (`SNAP-RESTORE`, `S-DELIVERY`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from atlas_conformance.contracts.resources import Resource
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.fault import Class, Fault
from atlas_conformance.reference.fault_parts import changing, is_there, resource_of, shifted, showing
from atlas_conformance.reference.jobs import Job
from atlas_conformance.reference.messages import Call, Refusal
from atlas_conformance.reference.snapshots import status_of

RESTORES = ("flex-create", "flex-download", "cluster-create", "cluster-create-v1")


def _fault(operation: str, what: str, requirement: str, sentence: str, kind: Class, **hooks: Any) -> Fault:
    return Fault(f"{operation}/{what}", requirement, (operation,), sentence, kind, **hooks)


def _refused_taken(backend: Backend, call: Call) -> None:
    """Refuse what the list shows as done."""
    snapshot = backend.snapshots.find(call.fields.get("snapshotId"))
    if snapshot is None:
        raise Refusal(404, "SNAPSHOT_NOT_FOUND", "There is no such snapshot.")
    assert call.operation is not None
    resource = _snapshots_for(call.operation.id)
    done = status_of(snapshot, resource, call.now) == resource.restorable
    if done and (snapshot.begun is not None or not is_there("create", resource)):
        raise Refusal(404, "SNAPSHOT_NOT_FOUND", "There is no such snapshot.")


def _late(backend: Backend, call: Call, job: Job) -> Job:
    return job if job.snapshot_finished is None else replace(job, snapshot_finished=job.snapshot_finished - 3_600)


def _snapshots_for(operation: str) -> Resource:
    """Return what a create of jobs restores."""
    found = resource_of(operation).snapshots
    assert found is not None
    return found


def _restoring() -> Iterator[Fault]:
    for operation in RESTORES:
        snapshots = _snapshots_for(operation)
        # Where none can be taken all are refused.
        refused = "SNAP-RESTORE" if is_there("create", snapshots) else "B-ACCEPT"
        yield _fault(operation, "completed-refused", refused, "A snapshot that is listed completed is refused.",
                     "stateful", replace={"N-SNAPSHOT": _refused_taken})  # fmt: skip
        yield _fault(operation, "snapshot-date-off", "SNAP-RESTORE", "A job shows a date that is not its snapshot's.",
                     "stateful", job=_late)  # fmt: skip
        if is_there("delete", snapshots):
            skipped = frozenset({"N-SNAPSHOT", "free/foreign-snapshot", "free/unfinished-snapshot"})
            yield _fault(operation, "deleted-restored", "SNAP-RESTORE", "A deleted snapshot is restored.", "stateful",
                         skip=skipped)  # fmt: skip
    for operation, name, requirement in (
        ("flex-get", "snapshotFinishedDate", "S-SAME"), ("flex-list", "snapshotFinishedDate", "S-FIXED"),
        ("cluster-get", "timestamp", "T-FLAGS"), ("cluster-get-v1", "timestamp", "T-FLAGS"),
        ("cluster-list", "timestamp", "T-FLAGS"),
    ):  # fmt: skip
        yield _fault(operation, "snapshot-date-off-on-reads", requirement, "A read shows another date of the snapshot.",
                     "stateful", view=changing(name, shifted(-7_200)))  # fmt: skip


def _downloads() -> Iterator[Fault]:
    operation = "flex-download"
    for what, sentence, view in (
        ("shows-restore", "A download says that it restores.", showing(deliveryType="RESTORE")),
        ("shows-target", "A download shows a target.", showing(targetDeploymentItemName="Target0")),
    ):
        yield _fault(operation, what, "S-DELIVERY", sentence, "shape", view=view)
    yield _fault(operation, "read-as-restore", "S-DELIVERY", "A download is kept as a restore.", "stateful",
                 job=lambda b, c, job: replace(job, delivery="RESTORE"))  # fmt: skip
    yield _fault(operation, "ended-failed", "S-NEW", "A download has failed at once.", "shape",
                 view=showing(status="FAILED", restoreFinishedDate="2027-01-01T00:00:00Z"))  # fmt: skip
    yield _fault(operation, "without-role", "A-ROLE", "Any role downloads.", "negative", skip=frozenset({"A-ROLE"}))
    for step, requirement, sentence in (
        ("B-REQUIRED/snapshotId", "B-REQUIRED", "A download without a snapshot is taken."),
        ("B-PATTERN/snapshotId", "B-PATTERN", "A snapshot of any form is downloaded."),
        ("B-TYPE/snapshotId", "B-TYPE", "A snapshot of any type is downloaded."),
        ("N-SNAPSHOT", "N-SNAPSHOT", "A snapshot that does not exist is downloaded."),
    ):
        skipped = frozenset({step, "N-SNAPSHOT", "free/foreign-snapshot", "free/unfinished-snapshot"})
        yield _fault(operation, f"{step.lower().replace('/', '-')}-unchecked", requirement, sentence, "negative",
                     skip=skipped)  # fmt: skip


FAULTS: tuple[Fault, ...] = (*_restoring(), *_downloads())
"""Faults of this family."""
