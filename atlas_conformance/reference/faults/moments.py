"""Faults of moments that are asked for, and of writes through another cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.fault import Class, Fault
from atlas_conformance.reference.fault_parts import DEDICATED, DEDICATED_READS, changing
from atlas_conformance.reference.jobs import Job
from atlas_conformance.reference.messages import Call, Refusal

_SCOPE = frozenset({"L-SCOPE/project", "L-SCOPE/cluster"})


def _fault(operation: str, what: str, requirement: str, sentence: str, kind: Class, **hooks: Any) -> Fault:
    return Fault(f"{operation}/{what}", requirement, (operation,), sentence, kind, **hooks)


def _stored(name: str, change: Callable[[int], int]) -> Callable[[Backend, Call, Job], Job]:
    def job(backend: Backend, call: Call, job: Job) -> Job:
        value = getattr(job, name)
        changed: dict[str, Any] = {name: change(value)} if value is not None else {}
        return replace(job, **changed)

    return job


def _snapshot_forgotten(backend: Backend, call: Call, job: Job) -> Job:
    return replace(job, snapshot=None) if job.delivery == "pointInTime" else job


def _cancelled_all_the_same(backend: Backend, call: Call, refusal: Refusal) -> Refusal:
    job = call.job
    if job is not None and (job.project, job.cluster) != (call.project, call.cluster_name):
        backend.jobs.cancel(job.id, call.now)
    return refusal


def _faults() -> Iterator[Fault]:
    for operation in DEDICATED:
        sentence = "A moment to restore to is cut to the minute."
        minute = _stored("utc_seconds", lambda second: second - second % 60)
        yield _fault(operation, "moment-to-the-minute", "T-ECHO", sentence, "subtle", job=minute)
        sentence = "The increment of an oplog entry is always 1."
        yield _fault(
            operation, "increment-of-one", "T-ECHO", sentence, "subtle", job=_stored("oplog_inc", lambda inc: 1)
        )
        sentence = "The increment of an oplog entry is kept in two bytes."
        two_bytes = _stored("oplog_inc", lambda increment: increment % 65_536)
        yield _fault(operation, "increment-of-two-bytes", "T-ECHO", sentence, "subtle", job=two_bytes)
        sentence = "A snapshot that stands beside a moment is not repeated."
        yield _fault(operation, "snapshot-beside-moment", "T-ECHO", sentence, "rule", job=_snapshot_forgotten)
    for operation in (*DEDICATED_READS, "cluster-list"):
        sentence = "A read shows another increment than the create."
        later = changing("oplogInc", lambda increment: increment + 1)
        yield _fault(operation, "increment-of-another", "T-ONLY-POINT", sentence, "stateful", view=later)
    sentence = "A cancel through another cluster is done."
    yield _fault("cluster-cancel", "from-anywhere", "L-SCOPE", sentence, "stateful", skip=_SCOPE)
    sentence = "A cancel through another cluster is refused, and done all the same."
    refused = _cancelled_all_the_same
    yield _fault("cluster-cancel", "refused-and-done", "L-SCOPE", sentence, "stateful", refused=refused)
    sentence = "A delete through another cluster is done."
    yield _fault("snapshot-delete", "from-anywhere", "L-SCOPE", sentence, "stateful", skip=_SCOPE)


FAULTS: tuple[Fault, ...] = tuple(_faults())
"""Faults of this family."""
