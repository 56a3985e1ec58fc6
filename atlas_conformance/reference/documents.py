"""What a job looks like: its document as a function of the job and the time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from atlas_conformance.contracts.operations import Operation
from atlas_conformance.reference.jobs import DOWNLOAD_LIFE, EXPIRATION, Job


def rfc3339(moment: float, *, milliseconds: bool = False) -> str:
    """Return an epoch time as RFC 3339 in UTC with `Z`, cut down to whole seconds or milliseconds."""
    at = datetime.fromtimestamp(moment, UTC)
    text = f"{at.year:04}-{at.month:02}-{at.day:02}T{at.hour:02}:{at.minute:02}:{at.second:02}"
    return f"{text}.{at.microsecond // 1000:03}Z" if milliseconds else text + "Z"


def job_document(
    job: Job, operation: Operation, now: float, free: Mapping[str, str], imitate: frozenset[str], base: str
) -> dict[str, Any]:
    """Return a job as an operation shows it at a moment (epoch seconds); `base` is the endpoint's URL, for links."""
    show = _dedicated if operation.family == "cluster" else _shared
    return show(job, operation, now, free, imitate, base)


def _shared(
    job: Job, operation: Operation, now: float, free: Mapping[str, str], imitate: frozenset[str], base: str
) -> dict[str, Any]:
    fine = free["date-fraction"] == "milliseconds"
    status = job.status(now)
    document: dict[str, Any] = {
        "deliveryType": job.delivery,
        "expirationDate": rfc3339(job.created + EXPIRATION, milliseconds=fine),
        "id": job.id,
        "instanceName" if operation.family == "flex" else "clusterName": job.cluster,
        "projectId": job.project,
    }
    if status in {"FAILED", "COMPLETED"}:
        document["restoreFinishedDate"] = rfc3339(job.ends, milliseconds=fine)
    document["restoreScheduledDate"] = rfc3339(job.created, milliseconds=fine)
    if job.snapshot_finished is not None:
        document["snapshotFinishedDate"] = rfc3339(job.snapshot_finished, milliseconds=fine)
    document["snapshotId"] = job.snapshot
    if job.delivery == "DOWNLOAD" and status == "COMPLETED":
        document["snapshotUrl"] = _url(job, 0)
    document["status"] = status
    if job.target is not None:
        document["targetDeploymentItemName"] = job.target
        document["targetProjectId"] = job.target_project
    if free["links"] == "all":
        document["links"] = _links(job, operation, base)
    document.update(job.extra)
    return document


def _dedicated(
    job: Job, operation: Operation, now: float, free: Mapping[str, str], imitate: frozenset[str], base: str
) -> dict[str, Any]:
    fine = free["date-fraction"] == "milliseconds"
    download = job.delivery == "download"
    cancelled = job.is_cancelled(now)
    finished = now >= job.ends and not cancelled
    expires = job.ends + DOWNLOAD_LIFE
    expired = download and finished and not job.fails and now >= expires
    document: dict[str, Any] = {"cancelled": cancelled}
    if job.shards:
        document["components"] = [{"replicaSetName": name} for name in job.shards]
    document["deliveryType"] = job.delivery
    if "K-EMPTY-URL" in imitate:
        document["deliveryUrl"] = []
    if download and finished and not job.fails and not expired:
        document["deliveryUrl"] = [_url(job, number) for number in range(max(1, len(job.shards)))]
        for number, component in enumerate(document.get("components", ())):
            component["downloadUrl"] = _url(job, number)
    document |= {"expired": expired, "failed": finished and job.fails, "id": job.id}
    if download and finished and not job.fails:
        document["expiresAt"] = rfc3339(expires, milliseconds=fine)
    if finished and (not download or job.fails or free["download-finished"] == "shown"):
        document["finishedAt"] = rfc3339(job.ends, milliseconds=fine)
    _add_points(document, job, free, imitate, fine)
    if job.snapshot is not None:
        document["snapshotId"] = job.snapshot
    if job.snapshot_finished is not None:
        document["timestamp"] = rfc3339(job.snapshot_finished, milliseconds=fine)
    if job.target is not None and not (job.delivery == "pointInTime" and free["point-targets"] == "hidden"):
        document |= {"targetClusterName": job.target, "targetGroupId": job.target_project}
        if free["item-name"] == "shown":
            document["targetDeploymentItemName"] = f"atlas-{job.id[-6:]}"
    if free["links"] != "none":
        document["links"] = _links(job, operation, base)
    document.update(job.extra)
    return document


def _add_points(
    document: dict[str, Any], job: Job, free: Mapping[str, str], imitate: frozenset[str], fine: bool
) -> None:
    shown = {"oplogInc": job.oplog_inc, "oplogTs": job.oplog_ts, "pointInTimeUTCSeconds": job.utc_seconds}
    document.update((name, value) for name, value in shown.items() if value is not None)
    moment = job.utc_seconds if job.utc_seconds is not None else job.oplog_ts
    if isinstance(moment, int | float) and free["desired-timestamp"] == "shown":
        document["desiredTimestamp"] = {"date": rfc3339(min(moment, 2**31), milliseconds=fine), "increment": moment}
    elif job.delivery != "pointInTime" and "K-TIMESTAMP" in imitate:
        document["desiredTimestamp"] = {"increment": None, "time": None, "date": None}


def _url(job: Job, number: int) -> str:
    """Return where a download can be fetched; the same for every read of the job."""
    return f"https://restore-{job.id}.example.net/{job.id[::-1]}/{job.snapshot}-{number}.tar.gz"


def _links(job: Job, operation: Operation, base: str) -> list[dict[str, str]]:
    clusters = "flexClusters" if operation.family == "flex" else "clusters"
    project = f"{base}/api/atlas/{operation.api}/groups/{job.project}"
    cluster = f"{project}/{clusters}/{job.cluster}"
    jobs = "tenant/restores" if operation.family == "tenant" else "restoreJobs"
    links = [("self", f"{cluster}/backup/{jobs}/{job.id}"), ("https://cloud.mongodb.com/cluster", cluster)]
    return [{"href": href, "rel": rel} for rel, href in links]


def page_links(base: str, path: str, number: int, items: int, more: bool, counted: bool) -> list[dict[str, str]]:
    """Return the links of one page of a list: itself, the one before and the one after, where there are any."""

    def link(rel: str, page: int) -> dict[str, str]:
        query = f"includeCount={'true' if counted else 'false'}&itemsPerPage={items}&pageNum={page}"
        return {"href": f"{base}{path}?{query}", "rel": rel}

    links = [link("self", number)]
    if number > 1:
        links.append(link("previous", number - 1))
    if more:
        links.append(link("next", number + 1))
    return links
