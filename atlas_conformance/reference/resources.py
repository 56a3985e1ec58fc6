"""What is particular to each resource of the contract: what a create takes, how one comes to be, what it looks like.

An operation is served by its resource's object here and by its kind (create, get, list, ...), whatever its id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from atlas_conformance.contracts.inventory import Kind
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.resources import (
    DEDICATED_JOB,
    DEDICATED_SNAPSHOT,
    FLEX_JOB,
    FLEX_SNAPSHOT,
    TENANT_JOB,
    Resource,
)
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.bodies import (
    CLUSTER_FIELDS,
    DELIVERY_CHECKS,
    SHARED_FIELDS,
    SNAPSHOT_FIELDS,
    TAKE_CHECKS,
    Check,
    Field,
)
from atlas_conformance.reference.creation import new_dedicated_job, new_shared_job
from atlas_conformance.reference.documents import dedicated_job_document, shared_job_document
from atlas_conformance.reference.existence import (
    check_job_cluster,
    check_job_project,
    check_parts,
    check_second_take,
    check_snapshot,
    check_snapshot_cluster,
    check_snapshot_owner,
    check_snapshot_project,
    check_target,
    check_target_possible,
    check_unfinished,
    check_window,
    find_job,
    find_snapshot,
)
from atlas_conformance.reference.fixtures import Snapshot
from atlas_conformance.reference.jobs import Job
from atlas_conformance.reference.messages import Call
from atlas_conformance.reference.snapshot_documents import dedicated_snapshot_document, flex_snapshot_document


class JobDocument(Protocol):
    """Writes a job as an operation shows it at a moment (epoch seconds); `base` is the endpoint's URL, for links."""

    def __call__(
        self, job: Job, operation: Operation, now: float, free: Mapping[str, str], imitate: frozenset[str], base: str
    ) -> dict[str, Any]:
        """Return the document."""


class SnapshotDocument(Protocol):
    """Writes a snapshot as an operation shows it at a moment (epoch seconds); `shards` are its cluster's parts, `base`
    is the endpoint's URL, for links.
    """

    def __call__(
        self,
        snapshot: Snapshot,
        operation: Operation,
        now: float,
        free: Mapping[str, str],
        imitate: frozenset[str],
        shards: tuple[str, ...],
        base: str,
    ) -> dict[str, Any]:
        """Return the document."""


@dataclass(frozen=True)
class Served:
    """What the endpoint has for every operation of a resource.

    `fields` are the properties of a create's body, `checks` what the body must hold to besides; `references` are the
    checks of what else a create needs. `lookup` finds the one thing that a path names.
    """

    resource: Resource
    fields: tuple[Field, ...]
    checks: Mapping[str, Check]
    references: Mapping[str, Check]
    lookup: Mapping[str, Check]

    def fields_of(self, operation: Operation) -> tuple[Field, ...]:
        """Return the properties of a create's body: those of a target only where it may name one."""
        aside = () if operation.names_target else self.resource.target or ()
        return tuple(field for field in self.fields if field.name not in aside)


@dataclass(frozen=True)
class ServedJobs(Served):
    """What the endpoint has for the jobs of a resource.

    `restore` and `download` are the deliveryTypes of a job that restores a snapshot and of one that offers it. `new`
    makes the job that an accepted create asks for, `show` its document.
    """

    restore: str
    download: str
    new: Callable[[Backend, Call], Job]
    show: JobDocument

    @cached_property
    def cancellable(self) -> bool:
        """Whether these jobs can be cancelled."""
        return "cancelled" in self.resource.flags


@dataclass(frozen=True)
class ServedSnapshots(Served):
    """What the endpoint has for the snapshots of a resource: `show` makes the document of one."""

    show: SnapshotDocument


_FOUND_JOB: Mapping[str, Check] = {
    "N-JOB": find_job,
    "L-SCOPE/project": check_job_project,
    "L-SCOPE/cluster": check_job_cluster,
}
_FOUND_SNAPSHOT: Mapping[str, Check] = {
    "N-SNAPSHOT": find_snapshot,
    "L-SCOPE/project": check_snapshot_project,
    "L-SCOPE/cluster": check_snapshot_cluster,
    "free/parts": check_parts,
}
_NAMED: Mapping[str, Check] = {
    "N-SNAPSHOT": check_snapshot,
    "free/foreign-snapshot": check_snapshot_owner,
    "free/unfinished-snapshot": check_unfinished,
    "free/target": check_target,
    "N-TARGET": check_target_possible,
    "free/window": check_window,
}


def _shared_jobs(resource: Resource) -> ServedJobs:
    return ServedJobs(
        resource=resource,
        fields=SHARED_FIELDS,
        checks={},
        references=_NAMED,
        lookup=_FOUND_JOB,
        restore="RESTORE",
        download="DOWNLOAD",
        new=new_shared_job,
        show=shared_job_document,
    )


def _snapshots(resource: Resource, show: SnapshotDocument) -> ServedSnapshots:
    return ServedSnapshots(
        resource=resource,
        fields=SNAPSHOT_FIELDS,
        checks=TAKE_CHECKS,
        references={"free/second-take": check_second_take},
        lookup=_FOUND_SNAPSHOT,
        show=show,
    )


_DEDICATED_JOBS = ServedJobs(
    resource=DEDICATED_JOB,
    fields=CLUSTER_FIELDS,
    checks=DELIVERY_CHECKS,
    references=_NAMED,
    lookup=_FOUND_JOB,
    restore="automated",
    download="download",
    new=new_dedicated_job,
    show=dedicated_job_document,
)

JOBS: Mapping[Resource, ServedJobs] = {
    served.resource: served for served in (_shared_jobs(FLEX_JOB), _shared_jobs(TENANT_JOB), _DEDICATED_JOBS)
}
SNAPSHOTS: Mapping[Resource, ServedSnapshots] = {
    served.resource: served
    for served in (
        _snapshots(FLEX_SNAPSHOT, flex_snapshot_document),
        _snapshots(DEDICATED_SNAPSHOT, dedicated_snapshot_document),
    )
}
SERVED: Mapping[Resource, Served] = {**JOBS, **SNAPSHOTS}
"""What the endpoint has for each resource; it serves no other."""


def jobs_of(kind: Kind) -> ServedJobs:
    """Return what there is for the jobs of a kind of cluster."""
    return next(served for resource, served in JOBS.items() if resource.cluster_kind == kind)


def new_job(backend: Backend, call: Call) -> Job:
    """Return the job that an accepted create asks for, as it shall go; it is not stored yet."""
    assert call.operation is not None
    return backend.outcomes.of(JOBS[call.operation.resource].new(backend, call))


def job_document(
    job: Job, operation: Operation, now: float, free: Mapping[str, str], imitate: frozenset[str], base: str
) -> dict[str, Any]:
    """Return a job as an operation shows it, in the form of the operation's resource (see JobDocument)."""
    return JOBS[operation.resource].show(job, operation, now, free, imitate, base)
