"""What a run knew of its endpoint as JSON, so that its journal can be judged again in the same light."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from atlas_conformance.contracts.inventory import Absent, Cluster, Inventory, PointInTime, RestoreTarget
from atlas_conformance.contracts.knowledge import Knowledge


def knowledge_as_json(knowledge: Knowledge) -> dict[str, Any]:
    """Return the JSON form of what is known, without what is offered, which a journal's header tells already."""
    return {
        **inventory_as_json(knowledge.inventory),
        "digest": knowledge.digest,
        "latest_date": knowledge.latest_date,
        "credentials": knowledge.credentials,
    }


def inventory_as_json(inventory: Inventory) -> dict[str, Any]:
    """Return the JSON form of what exists."""
    return {
        "clusters": [asdict(cluster) for cluster in inventory.clusters],
        "targets": [{**asdict(target), "accepts": sorted(target.accepts)} for target in inventory.targets],
        "absent": None if inventory.absent is None else asdict(inventory.absent),
        "takes_any": inventory.takes_any,
        "invented": inventory.invented,
        "absent_job": inventory.absent_job,
    }


def knowledge_of_json(document: Mapping[str, Any], offered: frozenset[str]) -> Knowledge:
    """Return what `document` says is known; where it says nothing, nothing is."""
    if not document:
        return Knowledge(offered=offered)
    return Knowledge(
        inventory_of_json(document),
        offered,
        document["digest"],
        document["latest_date"],
        document.get("credentials", True),
    )


def inventory_of_json(document: Mapping[str, Any]) -> Inventory:
    """Return the inventory of which `document` is the JSON form."""
    absent = document["absent"]
    return Inventory(
        clusters=tuple(_cluster(cluster) for cluster in document["clusters"]),
        targets=tuple(
            RestoreTarget(target["project"], target["name"], frozenset(target["accepts"]), target.get("impossible"))
            for target in document["targets"]
        ),
        absent=None if absent is None else Absent(**absent),
        takes_any=document["takes_any"],
        invented=document.get("invented", False),
        absent_job=document.get("absent_job"),
    )


def _cluster(document: Mapping[str, Any]) -> Cluster:
    moment = document["point_in_time"]
    members = {**document, "snapshots": tuple(document["snapshots"])}
    members["point_in_time"] = None if moment is None else PointInTime(**moment)
    return Cluster(**members)
