"""Lists of what exists, as the vendor's API has them: projects, clusters, snapshots; and a cluster's restore window.

They belong to no operation of the contract and no requirement speaks of them; they are there for clients that look
around first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from atlas_conformance.contracts.inventory import Cluster
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.fixtures import DAY, Snapshot
from atlas_conformance.reference.messages import Answer, Call, Refusal

_BEGINNING = "/api/atlas/v2/groups"
_GENERAL = "application/vnd.atlas.2023-01-01+json"
_FLEX = "application/vnd.atlas.2024-11-13+json"
_CLUSTERS = "application/vnd.atlas.2024-08-05+json"
_USUAL_ITEMS, _MOST_ITEMS = 100, 500

Rows = Iterable[Mapping[str, Any]]
List = Callable[[Backend, Cluster], Rows]


def inventory_answer(backend: Backend, call: Call) -> Answer | None:
    """Return the answer to a GET of one of the lists, None where the call is for none of them.

    Raises Refusal where it is about a project or cluster that does not exist.
    """
    if call.method != "GET" or not call.path.startswith(_BEGINNING):
        return None
    segments = tuple(unquote(segment) for segment in call.path[len(_BEGINNING) :].split("/")[1:])
    if not segments:
        return _page(call, _projects(backend), _GENERAL) if call.path == _BEGINNING else None
    project, *rest = segments
    if rest in (["clusters"], ["flexClusters"]):
        _require_project(backend, project)
        flex = rest == ["flexClusters"]
        found = [c for c in backend.fixtures.inventory.clusters if c.project == project and (c.kind == "flex") == flex]
        return _page(call, map(_flex_cluster if flex else _cluster, found), _FLEX if flex else _CLUSTERS)
    if rest[:1] == ["clusters"] and rest[2:] == ["backup", "schedule"]:
        cluster = _require_cluster(backend, project, rest[1], "dedicated")
        window = (backend.fixtures.epoch - backend.fixtures.window(cluster)) / DAY
        document = {"clusterName": cluster.name, "restoreWindowDays": int(window), "policies": []}
        return Answer(200, document, _CLUSTERS)
    if len(rest) > 3 and (listing := _SNAPSHOTS.get((rest[0], *rest[2:]))) is not None:
        kind, rows, media_type = listing
        return _page(call, rows(backend, _require_cluster(backend, project, rest[1], kind)), media_type)
    return None


def _page(call: Call, rows: Rows, media_type: str) -> Answer:
    every = list(rows)
    items = _number(call, "itemsPerPage", _USUAL_ITEMS, _MOST_ITEMS)
    start = (_number(call, "pageNum", 1, 1_000_000) - 1) * items
    document = {"links": [], "results": every[start : start + items], "totalCount": len(every)}
    return Answer(200, document, media_type)


def _number(call: Call, name: str, usual: int, most: int) -> int:
    text = call.parameter(name)
    if text is None:
        return usual
    value = int(text[:12]) if text.isascii() and text.isdigit() else 0
    if not 1 <= value <= most:
        raise Refusal(400, "INVALID_QUERY_PARAMETER", f"{name} must be between 1 and {most}.", parameters=(name,))
    return value


def _require_project(backend: Backend, project: str) -> None:
    if project not in backend.fixtures.projects:
        raise Refusal(404, "GROUP_NOT_FOUND", "There is no such project.", parameters=(project[:64],))


def _require_cluster(backend: Backend, project: str, name: str, kind: str) -> Cluster:
    _require_project(backend, project)
    cluster = backend.fixtures.clusters.get((project, name))
    if cluster is None or cluster.kind != kind:
        raise Refusal(404, "CLUSTER_NOT_FOUND", "There is no such cluster.", parameters=(name[:64],))
    return cluster


def _projects(backend: Backend) -> Rows:
    for number, project in enumerate(sorted(backend.fixtures.projects)):
        count = sum(cluster.project == project for cluster in backend.fixtures.inventory.clusters)
        yield {"id": project, "name": f"Project {number}", "clusterCount": count}


def _cluster(cluster: Cluster) -> Mapping[str, Any]:
    tenant = cluster.kind == "tenant"
    region = {
        "providerName": "TENANT" if tenant else "AWS",
        "electableSpecs": {"instanceSize": ("M5" if "M5" in cluster.name else "M2") if tenant else "M10"},
    }
    return {
        "name": cluster.name,
        "groupId": cluster.project,
        "clusterType": "SHARDED" if cluster.sharded else "REPLICASET",
        "stateName": "IDLE",
        "pitEnabled": cluster.point_in_time is not None,
        "replicationSpecs": [{"regionConfigs": [region]}],
    }


def _flex_cluster(cluster: Cluster) -> Mapping[str, Any]:
    return {
        "name": cluster.name,
        "groupId": cluster.project,
        "clusterType": "REPLICASET",
        "stateName": "IDLE",
    }


def _snapshots_of(backend: Backend, cluster: Cluster) -> list[Snapshot]:
    """Return a cluster's snapshots, the newest first."""
    return [backend.fixtures.snapshots[snapshot] for snapshot in reversed(cluster.snapshots)]


def _dedicated_snapshots(backend: Backend, cluster: Cluster) -> Rows:
    for snapshot in _snapshots_of(backend, cluster):
        yield {
            "id": snapshot.id,
            "status": "completed",
            "type": "shardedCluster" if cluster.sharded else "replicaSet",
            "createdAt": _time(snapshot.finished),
            "expiresAt": _time(snapshot.finished + 30 * DAY),
        }


def _replica_set_snapshots(backend: Backend, cluster: Cluster) -> Rows:
    return () if cluster.sharded else _dedicated_snapshots(backend, cluster)


def _sharded_snapshots(backend: Backend, cluster: Cluster) -> Rows:
    return _dedicated_snapshots(backend, cluster) if cluster.sharded else ()


def _shared_snapshots(backend: Backend, cluster: Cluster) -> Rows:
    for snapshot in _snapshots_of(backend, cluster):
        yield {
            "id": snapshot.id,
            "status": "COMPLETED",
            "finishTime": _time(snapshot.finished),
            "expiration": _time(snapshot.finished + 8 * DAY),
        }


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_SNAPSHOTS: Mapping[tuple[str, ...], tuple[str, List, str]] = {
    ("clusters", "backup", "snapshots"): ("dedicated", _replica_set_snapshots, _GENERAL),
    ("clusters", "backup", "snapshots", "shardedClusters"): ("dedicated", _sharded_snapshots, _GENERAL),
    ("clusters", "backup", "tenant", "snapshots"): ("tenant", _shared_snapshots, _GENERAL),
    ("flexClusters", "backup", "snapshots"): ("flex", _shared_snapshots, _FLEX),
}
"""The lists of snapshots: the segments around the cluster's name, the kind of cluster, its rows, the media type."""
