"""Snapshots: how the state of one follows from the time, and where taken ones are kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, replace
from functools import cache
from typing import Any

import orjson

from atlas_conformance.contracts.resources import FLEX_SNAPSHOT, Resource
from atlas_conformance.reference.fixtures import Fixtures, Snapshot
from atlas_conformance.reference.messages import Call

_LONGEST_DAYS = 36_500
"""For how many days a snapshot is kept at most, whatever was asked for: dates have four digits for the year."""
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


@cache
def _states(resource: Resource) -> tuple[str, ...]:
    """Return the states that a snapshot passes through, up to the one in which it can be restored."""
    assert resource.restorable is not None
    return (*(rank[0] for rank in resource.states[:-1]), resource.restorable)


def status_of(snapshot: Snapshot, resource: Resource, now: float) -> str:
    """Return the status of a snapshot at a moment; `resource` is what it is."""
    states = _states(resource)
    if snapshot.begun is None:
        return states[-1]
    place = int(max(0.0, now - snapshot.begun) / snapshot.step)
    return states[min(place, len(states) - 1)]


def ends(begun: float, step: float, resource: Resource) -> int:
    """Return the second in which a snapshot is done that was begun then."""
    return int(begun + step * (len(_states(resource)) - 1))


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


def taken_snapshot(new_id: str, call: Call, resource: Resource, step: float) -> Snapshot:
    """Return the snapshot that an accepted request asks for; it is not kept yet."""
    fields = call.fields
    return Snapshot(
        id=new_id,
        project=call.project,
        cluster=call.cluster_name,
        finished=ends(call.now, step, resource),
        begun=call.now,
        step=step,
        description=fields.get("description"),
        days=min(int(fields.get("retentionInDays") or 7), _LONGEST_DAYS),
    )


def begun_at(fixtures: Fixtures, draw_id: str, now: float, step: float) -> list[Snapshot]:
    """Return a snapshot of the first flex cluster that is under way from the start, where there is such a cluster."""
    flex = next(
        (cluster for cluster in fixtures.inventory.clusters if cluster.kind == FLEX_SNAPSHOT.cluster_kind), None
    )
    if flex is None or fixtures.earlier is not None:
        return []
    plain = Snapshot(draw_id, flex.project, flex.name, ends(now, step, FLEX_SNAPSHOT))
    return [replace(plain, begun=now, step=step)]
