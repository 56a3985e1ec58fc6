"""Snapshots to look up before a restore: lists and single ones, all of them finished.

The operations of the contract that take, show and delete snapshots have their place in the pipeline of `endpoint`;
where they are there, they answer these paths and nothing reaches this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from atlas_conformance.contracts.inventory import Cluster
from atlas_conformance.reference.creation import shards_of
from atlas_conformance.reference.documents import rfc3339
from atlas_conformance.reference.fixtures import DAY, Snapshot
from atlas_conformance.reference.messages import Answer, Refusal
from atlas_conformance.reference.neighbours.visits import FLEX, GENERAL, Visit, identity

_SIZE = 1_048_576


def list_dedicated(visit: Visit, project: str, name: str) -> Answer:
    """List the snapshots of a dedicated cluster; those of a sharded one have a list of their own."""
    cluster = visit.cluster(project, name, "dedicated")
    found = () if cluster.sharded else _newest_first(visit, cluster)
    return visit.page((_dedicated(visit, cluster, one) for one in found), GENERAL)


def show_dedicated(visit: Visit, project: str, name: str, snapshot: str) -> Answer:
    """Show one snapshot of a dedicated cluster."""
    cluster = visit.cluster(project, name, "dedicated")
    return visit.one(_dedicated(visit, cluster, _one(visit, cluster, snapshot)), GENERAL)


def list_sharded(visit: Visit, project: str, name: str) -> Answer:
    """List the snapshots of a sharded cluster; a replica set has none of this kind."""
    cluster = visit.cluster(project, name, "dedicated")
    found = _newest_first(visit, cluster) if cluster.sharded else ()
    return visit.page((_dedicated(visit, cluster, one) for one in found), GENERAL)


def show_sharded(visit: Visit, project: str, name: str, snapshot: str) -> Answer:
    """Show one snapshot of a sharded cluster."""
    cluster = visit.cluster(project, name, "dedicated")
    found = _one(visit, cluster, snapshot)
    if not cluster.sharded:
        raise _no_snapshot()
    return visit.one(_dedicated(visit, cluster, found), GENERAL)


def list_tenant(visit: Visit, project: str, name: str) -> Answer:
    """List the snapshots of a shared-tier cluster."""
    cluster = visit.cluster(project, name, "tenant")
    return visit.page((_shared(visit, cluster, one) for one in _newest_first(visit, cluster)), GENERAL)


def show_tenant(visit: Visit, project: str, name: str, snapshot: str) -> Answer:
    """Show one snapshot of a shared-tier cluster."""
    cluster = visit.cluster(project, name, "tenant")
    return visit.one(_shared(visit, cluster, _one(visit, cluster, snapshot)), GENERAL)


def list_flex(visit: Visit, project: str, name: str) -> Answer:
    """List the snapshots of a flex cluster."""
    cluster = visit.cluster(project, name, "flex")
    return visit.page((_shared(visit, cluster, one) for one in _newest_first(visit, cluster)), FLEX)


def show_flex(visit: Visit, project: str, name: str, snapshot: str) -> Answer:
    """Show one snapshot of a flex cluster."""
    cluster = visit.cluster(project, name, "flex")
    return visit.one(_shared(visit, cluster, _one(visit, cluster, snapshot)), FLEX)


def _newest_first(visit: Visit, cluster: Cluster) -> list[Snapshot]:
    found = [visit.backend.fixtures.snapshots[snapshot] for snapshot in cluster.snapshots]
    return sorted(found, key=lambda one: one.finished, reverse=True)


def _one(visit: Visit, cluster: Cluster, wanted: str) -> Snapshot:
    if wanted not in cluster.snapshots:
        raise _no_snapshot()
    return visit.backend.fixtures.snapshots[wanted]


def _no_snapshot() -> Refusal:
    return Refusal(404, "SNAPSHOT_NOT_FOUND", "The cluster has no such snapshot.")


def _dedicated(visit: Visit, cluster: Cluster, snapshot: Snapshot) -> Mapping[str, Any]:
    look = visit.backend.fixtures.look(cluster)
    place = ("groups", cluster.project, "clusters", quote(cluster.name), "backup", "snapshots")
    document: dict[str, Any] = {
        "createdAt": rfc3339(snapshot.finished),
        "expiresAt": rfc3339(snapshot.finished + 30 * DAY),
        "frequencyType": "daily",
        "id": snapshot.id,
        "links": visit.links(*place, *(("shardedCluster",) if cluster.sharded else ()), snapshot.id),
        "mongodVersion": look.version,
        "snapshotType": "scheduled",
        "status": "completed",
        "storageSizeBytes": _SIZE,
        "type": "shardedCluster" if cluster.sharded else "replicaSet",
    }
    if not cluster.sharded:
        return document | {"cloudProvider": look.provider, "replicaSetName": f"atlas-{cluster.name.lower()}-shard-0"}
    members = [
        {"cloudProvider": look.provider, "id": identity("member", snapshot.id, shard), "replicaSetName": shard}
        for shard in shards_of(cluster)
    ]
    return document | {"members": members, "snapshotIds": [member["id"] for member in members]}


def _shared(visit: Visit, cluster: Cluster, snapshot: Snapshot) -> Mapping[str, Any]:
    kinds = ("flexClusters", ()) if cluster.kind == "flex" else ("clusters", ("tenant",))
    place = ("groups", cluster.project, kinds[0], quote(cluster.name), "backup", *kinds[1], "snapshots")
    return {
        "expiration": rfc3339(snapshot.finished + 8 * DAY),
        "finishTime": rfc3339(snapshot.finished),
        "id": snapshot.id,
        "links": visit.links(*place, snapshot.id),
        "mongoDBVersion": visit.backend.fixtures.look(cluster).version,
        "scheduledTime": rfc3339(snapshot.finished - 120),
        "startTime": rfc3339(snapshot.finished - 60),
        "status": "COMPLETED",
    }
