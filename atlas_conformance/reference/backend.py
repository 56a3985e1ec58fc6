"""What stands behind the endpoint while it runs: fixtures, jobs, freedoms, and how a job comes to be."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from atlas_conformance.contracts.inventory import Cluster
from atlas_conformance.contracts.operation import Level
from atlas_conformance.reference.authentication import Authentication
from atlas_conformance.reference.fixtures import DAY, Fixtures, Snapshot
from atlas_conformance.reference.jobs import Job, Jobs
from atlas_conformance.reference.messages import Call
from atlas_conformance.reference.outcomes import STATES, Outcomes
from atlas_conformance.reference.snapshots import Snapshots, taken_snapshot


@dataclass
class Backend:
    """Everything that a step of the pipeline may look at.

    `step` is seconds; `rate` is requests a minute, None for no limit; `reads` counts how often each job was shown,
    `used` the requests of each role in a minute; `notes` are for a fault that must remember something; `outcomes`
    decide how new jobs go.
    """

    fixtures: Fixtures
    jobs: Jobs
    authentication: Authentication
    free: Mapping[str, str]
    imitate: frozenset[str]
    level: Level
    step: float
    rate: int | None
    draw: random.Random
    reads: Counter[str] = field(default_factory=Counter)
    used: dict[str, tuple[int, int]] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    known_snapshots: Snapshots | None = None
    outcomes: Outcomes = field(default_factory=Outcomes)

    def new_id(self) -> str:
        """Return an identifier that no job has yet."""
        return f"{self.draw.getrandbits(96):024x}"

    def phases(self) -> tuple[str, ...]:
        """Return the statuses that a new job passes through before it ends."""
        kept = STATES[STATES.index(self.free["first-status"]) :]
        if self.free["queued"] == "skipped" and kept[0] != "QUEUED":
            kept = tuple(phase for phase in kept if phase != "QUEUED")
        return kept

    def new_job(self, call: Call) -> Job:
        """Return the job that an accepted create asks for; it is not stored yet."""
        assert call.operation is not None
        build = _dedicated_job if call.operation.cluster_kind == "dedicated" else _shared_job
        return self.outcomes.of(build(self, call))

    @property
    def snapshots(self) -> Snapshots:
        """The snapshots that exist: those of the fixtures, where no others were given."""
        if self.known_snapshots is None:
            self.known_snapshots = Snapshots(self.fixtures)
        return self.known_snapshots

    def new_snapshot(self, call: Call) -> Snapshot:
        """Return the snapshot that an accepted request asks for; it is not kept yet."""
        return taken_snapshot(self.new_id(), call.project, call.cluster_name, call.fields, call.now, self.step)

    def snapshots_of(self, call: Call) -> list[Snapshot]:
        """Return the snapshots that a list shows: those of a sharded cluster in a list of their own."""
        assert call.operation is not None
        cluster = self.fixtures.clusters.get((call.project, call.cluster_name))
        if (
            call.operation.cluster_kind == "dedicated"
            and (cluster is not None and cluster.sharded) != call.operation.sharded
        ):
            return []
        return self.snapshots.of(call.project, call.cluster_name)

    def target_of(self, call: Call) -> tuple[Any, Any]:
        """Return the (project, name) that a create restores to; the name is None where nothing is restored."""
        assert call.operation is not None
        if call.operation.cluster_kind == "dedicated":
            if call.fields.get("deliveryType") == "download":
                return None, None
            return call.fields.get("targetGroupId"), call.fields.get("targetClusterName")
        return call.fields.get("targetProjectId", call.project), call.fields.get("targetDeploymentItemName")


def _shared_job(backend: Backend, call: Call) -> Job:
    snapshot = backend.snapshots.find(call.fields.get("snapshotId"))
    downloads = call.operation is not None and call.operation.delivery == "DOWNLOAD"
    target_project, target = (None, None) if downloads else backend.target_of(call)
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


def _dedicated_job(backend: Backend, call: Call) -> Job:
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


def historic_jobs(fixtures: Fixtures, draw: random.Random) -> list[Job]:
    """Return the jobs that were there before the endpoint started: downloads, a failure, a cancelled one.

    Where the fixtures say how many jobs each cluster had, they are that many downloads.
    """
    created = float(fixtures.epoch - DAY // 2)
    found: list[Job] = []

    def add(cluster: Cluster, delivery: str, *, fails: bool = False, cancelled: bool = False) -> None:
        snapshot = fixtures.snapshots[cluster.snapshots[0]]
        restores = delivery in {"RESTORE", "automated"}
        kind = cluster.kind
        target = next(item for item in fixtures.inventory.targets if kind in item.accepts) if restores else None
        start = created + 600 * len(found)
        found.append(
            Job(
                id=f"{draw.getrandbits(96):024x}",
                cancellable=kind == "dedicated",
                project=cluster.project,
                cluster=cluster.name,
                delivery=delivery,
                created=start,
                step=60.0,
                fails=fails,
                snapshot=snapshot.id,
                snapshot_finished=snapshot.finished,
                target_project=target.project if target else None,
                target=target.name if target else None,
                shards=shards_of(cluster),
                cancelled=start + 30.0 if cancelled else None,
            )
        )

    clusters = fixtures.inventory.clusters
    if fixtures.earlier is not None:
        for cluster in clusters:
            delivery = "download" if cluster.kind == "dedicated" else "DOWNLOAD"
            for _ in range(fixtures.earlier.get((cluster.project, cluster.name), 0) if cluster.snapshots else 0):
                add(cluster, delivery)
        return found
    flex = next(cluster for cluster in clusters if cluster.kind == "flex")
    replica = next(cluster for cluster in clusters if cluster.kind == "dedicated" and not cluster.sharded)
    sharded = next(cluster for cluster in clusters if cluster.sharded)
    for cluster, restore, download in ((flex, "RESTORE", "DOWNLOAD"), (replica, "automated", "download")):
        add(cluster, restore)
        add(cluster, restore, fails=True)
        add(cluster, download)
    add(replica, "automated", cancelled=True)
    add(sharded, "download")
    return found
