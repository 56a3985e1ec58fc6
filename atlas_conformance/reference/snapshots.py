"""Snapshots: how the state of one follows from the time, what it looks like, and where taken ones are kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

import orjson

from atlas_conformance.contracts.operation import Operation
from atlas_conformance.reference.documents import rfc3339
from atlas_conformance.reference.fixtures import DAY, Fixtures, Snapshot

_MONGODB = "8.0.19"
_LONGEST_DAYS = 36_500
"""For how many days a snapshot is kept at most, whatever was asked for: dates have four digits for the year."""
_STATES: Mapping[str, tuple[str, ...]] = {
    "flex": ("PENDING", "QUEUED", "RUNNING", "COMPLETED"),
    "dedicated": ("queued", "inProgress", "completed"),
}
_SCHEMA = """
create table if not exists snapshots (
    sequence integer primary key,
    id text not null,
    project text not null,
    cluster text not null,
    snapshot blob not null
);
create table if not exists deleted_snapshots (id text not null);
"""


def status_of(snapshot: Snapshot, kind: str, now: float) -> str:
    """Return the status of a snapshot at a moment; `kind` is that of its cluster."""
    states = _STATES["flex" if kind == "flex" else "dedicated"]
    if snapshot.begun is None:
        return states[-1]
    place = int(max(0.0, now - snapshot.begun) / snapshot.step)
    return states[min(place, len(states) - 1)]


def ends(begun: float, step: float, kind: str) -> int:
    """Return the second in which a snapshot is done that was begun then."""
    return int(begun + step * (len(_STATES["flex" if kind == "flex" else "dedicated"]) - 1))


class Snapshots:
    """The snapshots that exist: those of the fixtures, and those that were taken, kept in SQLite; without the deleted.

    Use it from one thread; `close` it at the end.
    """

    def __init__(self, fixtures: Fixtures, database: str = ":memory:", begun: Iterable[Snapshot] = ()) -> None:
        """Open the database; `begun` are snapshots that are under way from the start. Raises sqlite3.Error."""
        self._connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self._connection.executescript(_SCHEMA)
        rows = self._connection.execute("select snapshot from snapshots order by sequence").fetchall()
        known = [*fixtures.snapshots.values(), *begun, *(Snapshot(**orjson.loads(row[0])) for row in rows)]
        self._known = {snapshot.id: snapshot for snapshot in known}
        for (deleted,) in self._connection.execute("select id from deleted_snapshots").fetchall():
            self._known.pop(deleted, None)

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def find(self, snapshot: Any) -> Snapshot | None:
        """Return the snapshot of that id, whatever its cluster, or None."""
        return self._known.get(snapshot) if isinstance(snapshot, str) else None

    def of(self, project: str, cluster: str) -> list[Snapshot]:
        """Return a cluster's snapshots, the newest first."""
        found = [s for s in self._known.values() if (s.project, s.cluster) == (project, cluster)]
        return sorted(found, key=lambda snapshot: snapshot.finished, reverse=True)

    def add(self, snapshot: Snapshot) -> None:
        """Keep a snapshot that was taken."""
        self._known[snapshot.id] = snapshot
        self._connection.execute(
            "insert into snapshots (id, project, cluster, snapshot) values (?, ?, ?, ?)",
            (snapshot.id, snapshot.project, snapshot.cluster, orjson.dumps(asdict(snapshot))),
        )

    def delete(self, snapshot: str) -> None:
        """Drop a snapshot."""
        if self._known.pop(snapshot, None) is not None:
            self._connection.execute("insert into deleted_snapshots (id) values (?)", (snapshot,))

    def under_way(self, project: str, cluster: str, now: float) -> bool:
        """Tell whether a snapshot of a cluster that somebody took is not done yet."""
        return any(s.begun is not None and now < s.begun + 2 * s.step for s in self.of(project, cluster))


def snapshot_document(
    snapshot: Snapshot,
    operation: Operation,
    now: float,
    free: Mapping[str, str],
    imitate: frozenset[str],
    shards: tuple[str, ...],
    base: str,
) -> dict[str, Any]:
    """Return a snapshot as an operation shows it at a moment (epoch seconds); `shards` are its cluster's parts."""
    fine = free["date-fraction"] == "milliseconds"
    if operation.cluster_kind == "flex":
        document = _flex(snapshot, now, fine)
    else:
        document = _dedicated(snapshot, now, free, imitate, shards, fine)
    if free["links"] == "all" or (free["links"] == "dedicated" and operation.cluster_kind == "dedicated"):
        clusters = "flexClusters" if operation.cluster_kind == "flex" else "clusters"
        cluster = f"{base}/api/atlas/v2/groups/{snapshot.project}/{clusters}/{snapshot.cluster}"
        document["links"] = [{"href": f"{cluster}/backup/snapshots/{snapshot.id}", "rel": "self"}]
    return document


def _flex(snapshot: Snapshot, now: float, fine: bool) -> dict[str, Any]:
    status = status_of(snapshot, "flex", now)
    scheduled = snapshot.finished - 90 if snapshot.begun is None else int(snapshot.begun)
    document: dict[str, Any] = {
        "id": snapshot.id,
        "status": status,
        "scheduledTime": rfc3339(scheduled, milliseconds=fine),
        "expiration": rfc3339(snapshot.finished + 8 * DAY, milliseconds=fine),
        "mongoDBVersion": _MONGODB,
    }
    if status in ("RUNNING", "COMPLETED", "FAILED"):
        document["startTime"] = rfc3339(scheduled, milliseconds=fine)
    if status in ("COMPLETED", "FAILED"):
        document["finishTime"] = rfc3339(snapshot.finished, milliseconds=fine)
    return document


def _dedicated(
    snapshot: Snapshot,
    now: float,
    free: Mapping[str, str],
    imitate: frozenset[str],
    shards: tuple[str, ...],
    fine: bool,
) -> dict[str, Any]:
    status = status_of(snapshot, "dedicated", now)
    done, taken = status == "completed", snapshot.begun is not None
    document: dict[str, Any] = {
        "id": snapshot.id,
        "status": status,
        "type": "shardedCluster" if shards else "replicaSet",
        "snapshotType": "onDemand" if taken else "scheduled",
        "expiresAt": rfc3339(snapshot.finished + snapshot.days * DAY, milliseconds=fine),
        "storageSizeBytes": 1_548_394_496 if done else 0,
        "policyItems": [],
        "copyRegions": [],
    }
    if not taken:
        document["frequencyType"] = "daily"
    elif "K-FREQUENCY" in imitate:
        document["frequencyType"] = "ondemand"
    if snapshot.description is not None:
        document["description"] = snapshot.description
    elif taken and free["no-description"] != "left-out":
        document["description"] = None if free["no-description"] == "null" else "On demand"
    if done:
        document |= {"createdAt": rfc3339(snapshot.finished, milliseconds=fine), "mongodVersion": _MONGODB}
    if not shards:
        return document | {"replicaSetName": snapshot.cluster} | ({"cloudProvider": "AWS"} if done else {})
    ids = [f"{int(snapshot.id, 16) ^ (number + 1):024x}" for number in range(len(shards))]
    members = [
        {"id": one, "replicaSetName": name, "cloudProvider": "AWS"} for one, name in zip(ids, shards, strict=True)
    ]
    return document | {"members": members, "snapshotIds": ids}


def taken_snapshot(
    new_id: str, project: str, cluster: str, fields: Mapping[str, Any], now: float, step: float
) -> Snapshot:
    """Return the snapshot that an accepted request asks for; it is not kept yet."""
    return Snapshot(
        id=new_id,
        project=project,
        cluster=cluster,
        finished=ends(now, step, "dedicated"),
        begun=now,
        step=step,
        description=fields.get("description"),
        days=min(int(fields.get("retentionInDays") or 7), _LONGEST_DAYS),
    )


def begun_at(fixtures: Fixtures, draw_id: str, now: float, step: float) -> list[Snapshot]:
    """Return a snapshot of the first flex cluster that is under way from the start, where there is such a cluster."""
    flex = next((cluster for cluster in fixtures.inventory.clusters if cluster.kind == "flex"), None)
    if flex is None or fixtures.earlier is not None:
        return []
    plain = Snapshot(draw_id, flex.project, flex.name, ends(now, step, "flex"))
    return [replace(plain, begun=now, step=step)]
