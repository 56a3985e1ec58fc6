"""How a job comes to be: what an accepted create makes."""

from __future__ import annotations

from atlas_conformance.contracts.inventory import Cluster
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.fixtures import DAY
from atlas_conformance.reference.jobs import Job
from atlas_conformance.reference.messages import Call


def new_shared_job(backend: Backend, call: Call) -> Job:
    """Return the job that an accepted create of a flex or tenant job asks for."""
    snapshot = backend.snapshots.find(call.fields.get("snapshotId"))
    downloads = call.operation is not None and call.operation.delivery == "DOWNLOAD"
    target_project, target = backend.target_of(call)
    # What is done at once is COMPLETED: a fresh job that is FAILED would depart.
    at_once = downloads and backend.free["download-done"] == "at-once"
    return Job(
        id=backend.new_id(),
        project=call.project,
        cluster=call.cluster_name,
        delivery="DOWNLOAD" if downloads else "RESTORE",
        created=call.now,
        step=backend.step,
        phases=() if at_once else backend.phases(),
        fails=snapshot is not None and snapshot.failing and not at_once,
        snapshot=call.fields.get("snapshotId"),
        snapshot_finished=snapshot.finished if snapshot else backend.fixtures.epoch - 7 * DAY,
        target_project=target_project,
        target=target,
    )


def new_dedicated_job(backend: Backend, call: Call) -> Job:
    """Return the job that an accepted create of a dedicated cluster's job asks for."""
    fields = call.fields
    delivery = fields.get("deliveryType")
    snapshot = backend.snapshots.find(fields.get("snapshotId"))
    target_project, target = backend.target_of(call)
    timed = delivery == "pointInTime"
    return Job(
        id=backend.new_id(),
        cancellable=True,
        project=call.project,
        cluster=call.cluster_name,
        delivery=delivery,
        created=call.now,
        step=backend.step,
        phases=backend.phases(),
        fails=snapshot is not None and snapshot.failing,
        snapshot=fields.get("snapshotId"),
        snapshot_finished=snapshot.finished if snapshot else None,
        target_project=target_project,
        target=target,
        utc_seconds=fields.get("pointInTimeUTCSeconds") if timed else None,
        oplog_ts=fields.get("oplogTs") if timed else None,
        oplog_inc=fields.get("oplogInc") if timed else None,
        shards=shards_of(call.cluster),
    )


def shards_of(cluster: Cluster | None) -> tuple[str, ...]:
    """Return the names of a sharded cluster's replica sets; none for a replica set."""
    if cluster is None or not cluster.sharded:
        return ()
    return tuple(f"atlas-{cluster.name.lower()}-shard-{number}" for number in range(2))
