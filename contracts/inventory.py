"""What is known to exist behind an endpoint, so that the judge can tell a wrong refusal from a right one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from atlas_conformance.contracts.naming import unknown

Impossible: TypeAlias = Literal["encryption at rest", "other major version"]
"""Why a restore target takes no restore: its storage engine encrypts at rest, or it runs another major version."""
Kind: TypeAlias = Literal["flex", "tenant", "dedicated"]
"""The kind of a cluster: flex; tenant (M2, M5); dedicated (replica set or sharded)."""

KINDS: tuple[Kind, ...] = get_args(Kind)
"""Every kind of a cluster."""

IMPOSSIBLE: tuple[Impossible, ...] = get_args(Impossible)
"""Every reason why a restore target takes no restore."""


@dataclass(frozen=True, slots=True)
class PointInTime:
    """A moment inside a cluster's restore window, in one or both notations (seconds since the Unix epoch)."""

    utc_seconds: int | None = None
    oplog_ts: int | None = None
    oplog_inc: int | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that exists, the snapshots that can be restored from it, and a moment inside its restore window."""

    project: str
    name: str
    kind: Kind
    sharded: bool = False
    snapshots: tuple[str, ...] = ()
    point_in_time: PointInTime | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(unknown("kind of cluster", self.kind, KINDS))
        if isinstance(self.snapshots, str):
            raise TypeError("the snapshots of a cluster are a tuple of ids, not a str")


@dataclass(frozen=True, slots=True)
class RestoreTarget:
    """A deployment item that exists and that clusters of the listed kinds may be restored to; its data may be
    destroyed.

    `impossible` says why every restore to it must be refused (N-TARGET); None where it can be restored to.
    """

    project: str
    name: str
    accepts: frozenset[Kind]
    impossible: Impossible | None = None

    def __post_init__(self) -> None:
        if isinstance(self.accepts, str):
            raise TypeError("what a restore target accepts is a frozenset of kinds of clusters, not a str")
        for kind in self.accepts:
            if kind not in KINDS:
                raise ValueError(unknown("kind of cluster", kind, KINDS))
        if self.impossible is not None and self.impossible not in IMPOSSIBLE:
            raise ValueError(unknown("reason why a target is impossible", self.impossible, IMPOSSIBLE))


@dataclass(frozen=True, slots=True)
class Absent:
    """Well-formed names under which nothing exists; new ones for each run."""

    project: str
    cluster: str
    snapshot: str
    job: str
    target: str

    def named(self, what: str) -> str | None:
        """Return the absent id of a kind of thing: a job, a snapshot; None where none is known."""
        return {"job": self.job, "snapshot": self.snapshot}.get(what)


@dataclass(frozen=True)
class Inventory:
    """All that is known to exist, and names known to be absent.

    `takes_any` is true of a stateless mock: every well-formed id counts as existing, and nothing is known to be absent.
    `invented` says that the clusters and targets are names that somebody made up and the endpoint accepted: it accepts
    others too, so none is of another kind, and no snapshot belongs to one cluster alone. `absent_job` is a well-formed
    id that no job has, where nothing else is known to be absent.
    """

    clusters: tuple[Cluster, ...] = ()
    targets: tuple[RestoreTarget, ...] = ()
    absent: Absent | None = None
    takes_any: bool = False
    invented: bool = False
    absent_job: str | None = None

    def absent_id(self, what: str) -> str | None:
        """Return a well-formed id that no job, or no snapshot, has; None where none is known to be absent."""
        if self.absent is not None:
            return self.absent.named(what)
        return self.absent_job if what == "job" else None
