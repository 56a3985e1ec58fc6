"""What a snapshot looks like: its document as a function of the snapshot and the time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atlas_conformance.contracts.operation import Operation
from atlas_conformance.reference.documents import item_url, rfc3339
from atlas_conformance.reference.fixtures import DAY, Snapshot
from atlas_conformance.reference.snapshots import status_of

_MONGODB = "8.0.19"


def flex_snapshot_document(
    snapshot: Snapshot,
    operation: Operation,
    now: float,
    free: Mapping[str, str],
    imitate: frozenset[str],
    shards: tuple[str, ...],
    base: str,
) -> dict[str, Any]:
    """Return a flex cluster's snapshot as an operation shows it at a moment (epoch seconds).

    `shards` are its cluster's parts, `base` is the endpoint's URL, for links.
    """
    fine = free["date-fraction"] == "milliseconds"
    status = status_of(snapshot, operation.resource, now)
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
    return document | _links(snapshot, operation, free, base)


def dedicated_snapshot_document(
    snapshot: Snapshot,
    operation: Operation,
    now: float,
    free: Mapping[str, str],
    imitate: frozenset[str],
    shards: tuple[str, ...],
    base: str,
) -> dict[str, Any]:
    """Return a dedicated cluster's snapshot, as `flex_snapshot_document` does."""
    fine = free["date-fraction"] == "milliseconds"
    status = status_of(snapshot, operation.resource, now)
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
    return document | _parts(snapshot, done, shards) | _links(snapshot, operation, free, base)


def _parts(snapshot: Snapshot, done: bool, shards: tuple[str, ...]) -> dict[str, Any]:
    """Return what a snapshot says of the replica set, or of the shards, that it is of."""
    if not shards:
        return {"replicaSetName": snapshot.cluster} | ({"cloudProvider": "AWS"} if done else {})
    ids = [f"{int(snapshot.id, 16) ^ (number + 1):024x}" for number in range(len(shards))]
    members = [
        {"id": one, "replicaSetName": name, "cloudProvider": "AWS"} for one, name in zip(ids, shards, strict=True)
    ]
    return {"members": members, "snapshotIds": ids}


def _links(snapshot: Snapshot, operation: Operation, free: Mapping[str, str], base: str) -> dict[str, Any]:
    template = operation.item_template
    if template is None or free["links"] not in ("all", operation.cluster_kind):
        return {}
    return {
        "links": [{"href": item_url(template, base, snapshot.project, snapshot.cluster, snapshot.id), "rel": "self"}]
    }
