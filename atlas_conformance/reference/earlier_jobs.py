"""The jobs that were there before the endpoint started."""

from __future__ import annotations

import random

from atlas_conformance.contracts.inventory import Cluster
from atlas_conformance.reference.creation import shards_of
from atlas_conformance.reference.fixtures import DAY, Fixtures
from atlas_conformance.reference.jobs import Job
from atlas_conformance.reference.resources import jobs_of


def historic_jobs(fixtures: Fixtures, draw: random.Random) -> list[Job]:
    """Return the jobs that were there before the endpoint started: downloads, a failure, a cancelled one.

    Where the fixtures say how many jobs each cluster had, they are that many downloads.
    """
    created = float(fixtures.epoch - DAY // 2)
    found: list[Job] = []

    def add(cluster: Cluster, *, restores: bool = True, fails: bool = False, cancelled: bool = False) -> None:
        snapshot, kind, served = fixtures.snapshots[cluster.snapshots[0]], cluster.kind, jobs_of(cluster.kind)
        target = next(item for item in fixtures.inventory.targets if kind in item.accepts) if restores else None
        start = created + 600 * len(found)
        found.append(
            Job(
                id=f"{draw.getrandbits(96):024x}",
                cancellable=served.cancellable,
                project=cluster.project,
                cluster=cluster.name,
                delivery=served.restore if restores else served.download,
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
            for _ in range(fixtures.earlier.get((cluster.project, cluster.name), 0) if cluster.snapshots else 0):
                add(cluster, restores=False)
        return found
    flex = next(cluster for cluster in clusters if cluster.kind == "flex")
    replica = next(cluster for cluster in clusters if cluster.kind == "dedicated" and not cluster.sharded)
    sharded = next(cluster for cluster in clusters if cluster.sharded)
    for cluster in (flex, replica):
        add(cluster)
        add(cluster, fails=True)
        add(cluster, restores=False)
    add(replica, cancelled=True)
    add(sharded, restores=False)
    return found
