"""Scenes: the project, cluster, snapshots and targets that requests about one kind of cluster are built around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.inventory import Absent, Cluster, Inventory, Kind, PointInTime
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.strategies.requests import build

INVENTED_MOMENT = PointInTime(1_700_000_000, 1_700_000_000, 1)


@dataclass(frozen=True)
class Scene:
    """What requests about one kind of cluster name.

    `targets` are (project, name) pairs to restore to, at least one. `real` tells whether all of it is known to exist
    (or
    the endpoint takes any id), so that a conforming create must be accepted.
    """

    project: str
    cluster: str
    snapshots: tuple[str, ...]
    targets: tuple[tuple[str, str], ...]
    moment: PointInTime | None
    real: bool
    sharded: bool = False


def scenes(inventory: Inventory, kind: Kind | None) -> tuple[Scene, ...]:
    """Return a scene for each known cluster of a kind that has a snapshot and a target; empty where none has."""
    targets = tuple((t.project, t.name) for t in inventory.targets if kind in t.accepts and t.impossible is None)
    found = []
    for cluster in inventory.clusters:
        if cluster.kind == kind and cluster.snapshots and targets:
            # Targets of the same project come first: a flex or tenant request may leave the project out for them.
            near = sorted(targets, key=lambda t: (t[0] != cluster.project, t == (cluster.project, cluster.name)))
            found.append(_scene(cluster, tuple(near)))
    return tuple(found)


def _scene(cluster: Cluster, targets: tuple[tuple[str, str], ...]) -> Scene:
    return Scene(
        cluster.project, cluster.name, cluster.snapshots, targets, cluster.point_in_time, True, cluster.sharded
    )


def harmless_scene(inventory: Inventory, kind: Kind | None, absent: Absent) -> Scene:
    """Return a scene whose snapshot and target exist nowhere, on a known cluster where there is one.

    Even an endpoint that wrongly accepts a create in this scene has nothing to restore and nothing to restore it to.
    """
    cluster = next((c for c in inventory.clusters if c.kind == kind), None)
    project, name = (cluster.project, cluster.name) if cluster is not None else (absent.project, absent.cluster)
    moment = cluster.point_in_time if cluster is not None else None
    return Scene(
        project,
        name,
        (absent.snapshot,),
        ((absent.project, absent.target),),
        moment or INVENTED_MOMENT,
        False,
    )


def invented_scene(names: Absent, *, real: bool) -> Scene:
    """Return a scene of well-formed names that nobody vouched for, for an endpoint of which only the URL is known."""
    return Scene(
        names.project, names.cluster, (names.snapshot,), ((names.project, names.target),), INVENTED_MOMENT, real
    )


def request_in(
    operation: Operation,
    scene: Scene,
    item: str = "",
    document: object = None,
    *,
    query: Mapping[str, str] | None = None,
) -> Request:
    """Return the ordinary request of an operation in a scene; `item` is the job or the snapshot that it is about."""
    return build(operation, path_parameters(operation, scene, item), document, query=query)


def path_parameters(operation: Operation, scene: Scene, job: str) -> dict[str, str]:
    """Return the path parameters of `operation` in this scene; `job` serves operations on one job."""
    return operation.values(scene.project, scene.cluster, job)
