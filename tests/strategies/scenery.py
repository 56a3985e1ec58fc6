"""What tests of the judge and of the strategies are built from: an inventory, requests, answers and jobs by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Credential, Exchange, Request, Response, Scheme
from atlas_conformance.contracts.finding import Finding, Judgement
from atlas_conformance.contracts.inventory import Absent, Cluster, Inventory, PointInTime, RestoreTarget
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.strategies.requests import build

OPERATIONS = Contract.load().operations

PROJECT = "5f0c1e2d3a4b5c6d7e8f9a0b"
OTHER_PROJECT = "5f0c1e2d3a4b5c6d7e8f9a0c"
JOB = "699bc7a48decccf9757f82fc"
SNAPSHOT = "699bc7a48decccf9757f0001"
FLEX_SNAPSHOT = "699bc7a48decccf9757f0002"
TENANT_SNAPSHOT = "699bc7a48decccf9757f0003"
SECOND_SNAPSHOT = "699bc7a48decccf9757f0004"
OTHER_SNAPSHOT = "699bc7a48decccf9757f0005"
UNKNOWN = "699bc7a48decccf9757ffff0"
"""A well-formed id of which nothing is known."""
MOMENT = PointInTime(1_764_547_200, 1_764_547_201, 3)
ABSENT = Absent(
    "aaaaaaaaaaaaaaaaaaaaaaa1", "absent-1", "aaaaaaaaaaaaaaaaaaaaaaa2", "aaaaaaaaaaaaaaaaaaaaaaa3", "absent-2"
)
CLUSTER_OF = {"flex": "Flex0", "tenant": "Tenant0", "cluster": "Replica0"}
SNAPSHOT_OF = {"flex": FLEX_SNAPSHOT, "tenant": TENANT_SNAPSHOT, "cluster": SNAPSHOT}
ALL_KINDS = frozenset({"flex", "tenant", "dedicated"})

INVENTORY = Inventory(
    clusters=(
        Cluster(PROJECT, "Flex0", "flex", snapshots=(FLEX_SNAPSHOT,)),
        Cluster(PROJECT, "Tenant0", "tenant", snapshots=(TENANT_SNAPSHOT,)),
        Cluster(PROJECT, "Replica0", "dedicated", snapshots=(SNAPSHOT, SECOND_SNAPSHOT), point_in_time=MOMENT),
        Cluster(OTHER_PROJECT, "Replica1", "dedicated", snapshots=(OTHER_SNAPSHOT,), point_in_time=MOMENT),
    ),
    targets=(
        RestoreTarget(PROJECT, "Target0", ALL_KINDS),  # type: ignore[arg-type]
        RestoreTarget(OTHER_PROJECT, "Target1", ALL_KINDS),  # type: ignore[arg-type]
        RestoreTarget(PROJECT, "Größe", frozenset({"flex", "tenant"})),
    ),
    absent=ABSENT,
)
KNOWN = Knowledge(inventory=INVENTORY, digest=True)
OPEN = Knowledge(inventory=Inventory(takes_any=True))

TARGET = {"targetClusterName": "Target0", "targetGroupId": PROJECT}
AUTOMATED: dict[str, Any] = {"deliveryType": "automated", "snapshotId": SNAPSHOT, **TARGET}
DOWNLOAD: dict[str, Any] = {"deliveryType": "download", "snapshotId": SNAPSHOT}
POINT: dict[str, Any] = {"deliveryType": "pointInTime", "pointInTimeUTCSeconds": MOMENT.utc_seconds, **TARGET}
OPLOG: dict[str, Any] = {"deliveryType": "pointInTime", "oplogTs": MOMENT.oplog_ts, "oplogInc": 3, **TARGET}
FLEX: dict[str, Any] = {"snapshotId": FLEX_SNAPSHOT, "targetDeploymentItemName": "Target0", "targetProjectId": PROJECT}
TENANT: dict[str, Any] = FLEX | {"snapshotId": TENANT_SNAPSHOT}
PLAIN = {"flex": FLEX, "tenant": TENANT, "cluster": AUTOMATED}
"""A conforming body of each family."""
TAKE: dict[str, Any] = {"description": "before the upgrade", "retentionInDays": 1}
TAKEN: dict[str, Any] = {"snapshotType": "onDemand", "description": "before the upgrade", "storageSizeBytes": 0}

SCHEDULED, FINISHED = "2026-02-23T03:21:08Z", "2026-02-23T03:22:08Z"


def operation(operation_id: str) -> Operation:
    """The operation of this id."""
    return OPERATIONS[operation_id]


def request(
    operation_id: str,
    document: Any = None,
    *,
    job: str = JOB,
    query: Mapping[str, str] | None = None,
    accept: str | None = "",
    credential: Credential = "owner",
    scheme: Scheme = "any",
    **parameters: Any,
) -> Request:
    """An ordinary request; a create without `document` carries the plain body of its family."""
    found = OPERATIONS[operation_id]
    cluster = CLUSTER_OF[found.resource.label]
    values = {"groupId": PROJECT, "name": cluster, "clusterName": cluster, "restoreJobId": job, "restoreId": job}
    values |= {"snapshotId": SNAPSHOT_OF[found.resource.label], **parameters}
    if document is None and found.kind == "create":
        document = plain_body(operation_id)
    wanted = {name: values[name] for name in found.path_parameters}
    return build(found, wanted, document, query=query, credential=credential, scheme=scheme, accept=accept)


def plain_body(operation_id: str) -> dict[str, Any]:
    """A conforming body of a create."""
    found = OPERATIONS[operation_id]
    if found.resource.what == "snapshot":
        return TAKE
    return {"snapshotId": FLEX_SNAPSHOT} if found.delivery == "DOWNLOAD" else PLAIN[found.resource.label]


def plain_item(operation_id: str, **changes: Any) -> dict[str, Any]:
    """What an operation shows: the job that a plain body makes, or a snapshot; a taken one where it is just taken."""
    found = OPERATIONS[operation_id]
    if found.resource.what == "job":
        target = {"targetDeploymentItemName": None, "targetProjectId": None}
        delivered = {"deliveryType": "DOWNLOAD", **target} if found.delivery == "DOWNLOAD" else {}
        return plain_job(found.resource.label, **(delivered | changes))
    if found.resource.label == "flex":
        return flex_snapshot(**changes)
    fresh = {"status": "queued", "createdAt": None, **TAKEN} if found.kind == "create" else {}
    return dedicated_snapshot(**(fresh | changes))


def flex_snapshot(**changes: Any) -> dict[str, Any]:
    """A flex snapshot that is done."""
    document = {
        "id": FLEX_SNAPSHOT,
        "status": "COMPLETED",
        "scheduledTime": "2026-02-15T17:05:10Z",
        "startTime": "2026-02-15T17:05:28Z",
        "finishTime": "2026-02-15T17:06:43Z",
        "expiration": "2026-02-23T17:05:10Z",
        "mongoDBVersion": "8.0.19",
    }
    return _changed(document, changes)


def dedicated_snapshot(**changes: Any) -> dict[str, Any]:
    """A snapshot of a replica set that is done."""
    document = {
        "id": SNAPSHOT,
        "status": "completed",
        "type": "replicaSet",
        "snapshotType": "scheduled",
        "createdAt": "2026-02-15T17:06:43Z",
        "expiresAt": "2026-02-23T17:05:10Z",
        "storageSizeBytes": 1,
    }
    return _changed(document, changes)


def flex_job(**changes: Any) -> dict[str, Any]:
    """A flex job as an answer shows it, PENDING unless told otherwise; None as a change leaves a property out."""
    document = {
        "id": JOB,
        "projectId": PROJECT,
        "instanceName": "Flex0",
        "snapshotId": FLEX_SNAPSHOT,
        "targetDeploymentItemName": "Target0",
        "targetProjectId": PROJECT,
        "deliveryType": "RESTORE",
        "status": "PENDING",
        "snapshotFinishedDate": "2026-02-15T17:06:43Z",
        "restoreScheduledDate": SCHEDULED,
        "expirationDate": "2026-02-23T09:21:08Z",
    }
    if changes.get("status") in ("COMPLETED", "FAILED"):
        document["restoreFinishedDate"] = FINISHED
    return _changed(document, changes)


def tenant_job(**changes: Any) -> dict[str, Any]:
    """A tenant job: a flex job that names its cluster differently."""
    named = {"instanceName": None, "clusterName": "Tenant0", "snapshotId": TENANT_SNAPSHOT}
    return flex_job(**(named | changes))


def dedicated_job(delivery: str = "automated", **changes: Any) -> dict[str, Any]:
    """A dedicated job under way, with the fields that its deliveryType shows."""
    document: dict[str, Any] = {
        "id": JOB,
        "deliveryType": delivery,
        "cancelled": False,
        "failed": False,
        "expired": False,
        "timestamp": "2026-02-15T17:06:43Z",
    }
    if delivery != "download":
        document |= TARGET
    if delivery == "pointInTime":
        document |= {"pointInTimeUTCSeconds": MOMENT.utc_seconds}
        del document["timestamp"]
    else:
        document["snapshotId"] = SNAPSHOT
    return _changed(document, changes)


def plain_job(family: str, **changes: Any) -> dict[str, Any]:
    """The job that the plain body of a family makes."""
    return {"flex": flex_job, "tenant": tenant_job, "cluster": dedicated_job}[family](**changes)


def _changed(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (document | changes).items() if value is not None}


def page(*jobs: Mapping[str, Any], rels: Iterable[str] = ("self",), **changes: Any) -> dict[str, Any]:
    """One page of a list that holds these jobs and no others."""
    links = [{"rel": rel, "href": f"https://example.net/{rel}"} for rel in rels]
    return _changed({"results": list(jobs), "totalCount": len(jobs), "links": links}, changes)


def failure(status: int, code: str = "VALIDATION_ERROR", **changes: Any) -> dict[str, Any]:
    """A plain error body of a status."""
    return {"error": status, "errorCode": code, "detail": "No.", "reason": REASONS.get(status), **changes}


REASONS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}


def encoded(document: Any) -> bytes:
    """A document as an endpoint sends it: compact JSON."""
    return json.dumps(document, separators=(",", ":")).encode()


def answer(
    sent: Request,
    document: Any,
    *,
    status: int = 200,
    media: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
    started: float = 0.0,
    ended: float | None = None,
) -> Exchange:
    """An exchange of `sent`; `document` is JSON or, where it is bytes, the body itself.

    The media type is the operation's own on a success and application/json on an error, unless given ("" for none).
    """
    pass

    body = document if isinstance(document, bytes) else encoded(document)
    if media is None:
        found = Contract.load().match(sent.method, sent.path)
        own = found[0].media_type if found is not None else None
        media = (own or "") if status < 300 else "application/json"
    sent_headers = (("Content-Type", media),) if media else ()
    response = Response(status, (*sent_headers, *headers), body)
    return Exchange(sent, response, started, started + 0.5 if ended is None else ended)


def refused(
    sent: Request, status: int, *, started: float = 0.0, ended: float | None = None, **changes: Any
) -> Exchange:
    """An exchange in which `sent` is refused in form; a 401 carries a challenge."""
    headers = [("WWW-Authenticate", 'Digest realm="x", nonce="y"')] if status == 401 else []
    if status == 429:
        headers.append(("Retry-After", "1"))
    document = failure(status, **changes)
    return answer(sent, document, status=status, headers=headers, started=started, ended=ended)


def failed(judgement: Judgement) -> set[str]:
    """The requirements with a finding that no known departure covers."""
    return {finding.requirement for finding in judgement.findings if finding.departure is None}


def departures(judgement: Judgement) -> set[str]:
    """The known departures that a judgement shows."""
    return {finding.departure for finding in judgement.findings if finding.departure is not None}


def held(judgement: Judgement) -> set[str]:
    """The requirements that were exercised and held."""
    return {requirement for requirement, _ in judgement.held}


def finding_of(judgement: Judgement, requirement: str) -> Finding:
    """The only finding of a requirement."""
    (found,) = (finding for finding in judgement.findings if finding.requirement == requirement)
    return found
