"""Resources: what an operation creates, shows or ends, and what is particular to each.

A resource is named for a kind of cluster and for what it is: `flex job`, `dedicated snapshot`. One without an object
of its own here has nothing particular: only the rules that bind every operation judge it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Literal, TypeAlias

from atlas_conformance.contracts.inventory import Kind

Common: TypeAlias = Literal["new", "fixed", "same", "flow", "ended", "last", "dated"]
"""A rule that several resources have under requirement ids of their own.

`new`: what a fresh one shows; `fixed`: what never changes between reads; `same`: what a read shows as the create did;
`flow`: the state moves forward only; `ended`: the state stays at its end; `last`: the moment of the end never changes;
`dated`: no date is a zero time, and none of what has happened lies in the future.
"""

_CLUSTERS: Mapping[str, Kind] = {"flex": "flex", "tenant": "tenant", "dedicated": "dedicated"}
_KINDRED: Mapping[str, frozenset[Kind]] = {"tenant": frozenset({"flex"})}
"""The kinds of cluster that an endpoint may serve through the operations of another kind (D4)."""


@dataclass(frozen=True, eq=False)
class Resource:
    """What operations are about.

    `name` begins with the kind of cluster and ends with `what` it is. `place_fields` are the properties that name its
    project and its cluster. `states` are the values of `status` in their order, those of one rank together; the last
    rank is the end. `flags` are properties that, once true, stay, of which `ending` tell of an end; `end_field` is its
    date. `dates` are all of its dates, `past` those of what has happened once they show, `order` pairs of them, the
    earlier one first. `fixed` are the properties that never change, `volatile` those that may change even after the
    end; `moments` name a moment that was asked for, where they show. `target` are the properties of a create's body
    that name the target's project and name, `takes_own_project` says that the path's project is meant where the body
    names none. `carries` are the requirement ids of its common rules; `followed` says that its histories are kept.

    Of a snapshot, `shows` are properties with the states in which it must show them and those in which it must not,
    `fresh` the states of one that was just taken, `restorable` the state in which it can be restored; `fills_place`
    says that an endpoint may take one of a cluster at a time. `dated_by` is the property that says when the snapshot,
    or the snapshot of a job, was done: both show the same moment.
    """

    name: str
    place_fields: tuple[str, ...] = ()
    states: tuple[tuple[str, ...], ...] = ()
    flags: tuple[str, ...] = ()
    ending: tuple[str, ...] = ()
    end_field: str | None = None
    dates: tuple[str, ...] = ()
    order: tuple[tuple[str, str], ...] = ()
    past: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    volatile: frozenset[str] = frozenset()
    moments: tuple[str, ...] = ()
    target: tuple[str, str] | None = None
    takes_own_project: bool = False
    carries: tuple[tuple[Common, str], ...] = ()
    followed: bool = False
    shows: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = ()
    fresh: tuple[str, ...] = ()
    restorable: str | None = None
    fills_place: bool = False
    dated_by: str | None = None

    @cached_property
    def cluster_kind(self) -> Kind | None:
        """The kind of cluster that has it, or None where the name does not tell."""
        return _CLUSTERS.get(self.name.partition(" ")[0])

    @cached_property
    def kindred_kinds(self) -> frozenset[Kind]:
        """The other kinds of cluster that an endpoint is free to serve through its operations, or to refuse there."""
        return _KINDRED.get(self.name.partition(" ")[0], frozenset())

    @cached_property
    def what(self) -> str:
        """What it is, whatever the kind of cluster: `job`, `snapshot`."""
        return self.name.rpartition(" ")[2]

    @cached_property
    def snapshots(self) -> Resource | None:
        """What the snapshots of its kind of cluster are, or None where no operation is about them."""
        return RESOURCES.get(f"{self.cluster_kind} snapshot")

    @cached_property
    def label(self) -> str:
        """What journals and reports call its kind of cluster: `flex`, `tenant`, `cluster` (a dedicated one)."""
        return "cluster" if self.cluster_kind == "dedicated" else self.name.partition(" ")[0]

    @cached_property
    def ranks(self) -> Mapping[str, int]:
        """The place of each state in their order."""
        return {state: rank for rank, states in enumerate(self.states) for state in states}

    @cached_property
    def terminal(self) -> tuple[str, ...]:
        """The states at which it stays."""
        return self.states[-1] if self.states else ()

    @cached_property
    def common(self) -> Mapping[Common, str]:
        """The requirement ids of its common rules."""
        return dict(self.carries)

    def ended(self, document: Mapping[str, Any]) -> bool:
        """Tell whether a document shows that it has come to its end."""
        if self.states:
            return document.get("status") in self.terminal
        shown = self.end_field is not None and document.get(self.end_field) is not None
        return shown or any(document.get(flag) is True for flag in self.ending)

    def target_of(self, body: Mapping[str, Any], own_project: str) -> tuple[str, str] | None:
        """Return the (project, name) that a create's body names as its target, or None where it names none readably."""
        if self.target is None:
            return None
        project, name = (body.get(field) for field in self.target)
        if self.takes_own_project:
            project = project or own_project
        return (project, name) if isinstance(project, str) and isinstance(name, str) else None


STATES = (("PENDING",), ("QUEUED",), ("RUNNING",), ("FAILED", "COMPLETED"))


def _shared_job(kind: Kind, cluster_field: str) -> Resource:
    return Resource(
        name=f"{kind} job",
        place_fields=("projectId", cluster_field),
        states=STATES,
        end_field="restoreFinishedDate",
        dates=("snapshotFinishedDate", "restoreScheduledDate", "restoreFinishedDate", "expirationDate"),
        past=("snapshotFinishedDate", "restoreFinishedDate"),
        order=(
            ("snapshotFinishedDate", "restoreScheduledDate"),
            ("restoreScheduledDate", "restoreFinishedDate"),
            ("restoreScheduledDate", "expirationDate"),
        ),
        fixed=(
            "id",
            "projectId",
            cluster_field,
            "snapshotId",
            "targetDeploymentItemName",
            "targetProjectId",
            "deliveryType",
            "restoreScheduledDate",
            "snapshotFinishedDate",
        ),
        volatile=frozenset({"links", "snapshotUrl", "expirationDate"}),
        target=("targetProjectId", "targetDeploymentItemName"),
        takes_own_project=True,
        carries=(
            ("new", "S-NEW"),
            ("fixed", "S-FIXED"),
            ("same", "S-SAME"),
            ("flow", "S-FLOW"),
            ("ended", "S-FLOW"),
            ("last", "S-FINISHED"),
            ("dated", "S-TIME"),
        ),
        followed=True,
        dated_by="snapshotFinishedDate",
    )


FLEX_JOB = _shared_job("flex", "instanceName")
TENANT_JOB = _shared_job("tenant", "clusterName")
DEDICATED_JOB = Resource(
    name="dedicated job",
    flags=("cancelled", "failed", "expired"),
    ending=("cancelled", "failed"),
    end_field="finishedAt",
    dates=("timestamp", "finishedAt", "expiresAt"),
    past=("timestamp", "finishedAt"),
    fixed=("id", "deliveryType", "snapshotId", "targetClusterName", "targetGroupId", "timestamp"),
    volatile=frozenset({"links", "expired", "expiresAt", "deliveryUrl", "components"}),
    moments=("pointInTimeUTCSeconds", "oplogTs", "oplogInc"),
    target=("targetGroupId", "targetClusterName"),
    carries=(
        ("new", "T-NEW"),
        ("fixed", "T-FLAGS"),
        ("same", "T-FLAGS"),
        ("flow", "T-FLAGS"),
        ("last", "T-FLAGS"),
        ("dated", "T-TIME"),
    ),
    followed=True,
    dated_by="timestamp",
)


def _snapshot(kind: Kind, states: tuple[tuple[str, ...], ...], dates: tuple[str, ...], dated_by: str) -> Resource:
    under_way = tuple(state for rank in states[:-1] for state in rank)
    ends = states[-1]
    done = ends[-1]
    flex = kind == "flex"
    return Resource(
        name=f"{kind} snapshot",
        states=states,
        dates=dates,
        past=("startTime", "finishTime") if flex else ("createdAt",),
        fixed=("id", "type", "snapshotType", "description", "createdAt", "scheduledTime", "startTime", "finishTime"),
        volatile=frozenset(
            {
                "copyRegions",
                "expiration",
                "expiresAt",
                "frequencyType",
                "links",
                "masterKeyUUID",
                "members",
                "mongoDBVersion",
                "mongodVersion",
                "policyItems",
                "snapshotIds",
                "storageSizeBytes",
            }
        ),
        carries=(
            ("new", "SNAP-NEW"),
            ("fixed", "SNAP-FIXED"),
            ("same", "SNAP-FIXED"),
            ("flow", "SNAP-FLOW"),
            ("ended", "SNAP-FLOW"),
            ("dated", "SNAP-TIME"),
        ),
        followed=True,
        shows=((dated_by, ends, under_way) if flex else (dated_by, (done,), states[0]),),
        fresh=() if flex else under_way,
        restorable=done,
        fills_place=not flex,
        dated_by=dated_by,
    )


FLEX_SNAPSHOT = _snapshot("flex", STATES, ("scheduledTime", "startTime", "finishTime", "expiration"), "finishTime")
DEDICATED_SNAPSHOT = _snapshot(
    "dedicated", (("queued",), ("inProgress",), ("failed", "completed")), ("createdAt", "expiresAt"), "createdAt"
)
RESOURCES: Mapping[str, Resource] = {
    resource.name: resource for resource in (FLEX_JOB, TENANT_JOB, DEDICATED_JOB, FLEX_SNAPSHOT, DEDICATED_SNAPSHOT)
}


@cache
def resource_named(name: str) -> Resource:
    """Return the resource of this name; one that has no object here has nothing particular."""
    return RESOURCES.get(name) or Resource(name)
