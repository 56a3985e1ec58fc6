"""What a job looks like: its document as a function of the job and the time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from atlas_conformance.contracts.operation import Operation
from atlas_conformance.reference.jobs import DOWNLOAD_LIFE, EXPIRATION, Job

USUAL_ITEMS, MOST_ITEMS = 100, 500
"""How many items a page has where nothing is said, and at most (`L-PAGE`)."""
MOST_PAGES = 1_000_000_000
"""The greatest number of a page that is taken; the contract names none."""
_PARAMETER = re.compile(r"\{[^{}]*\}")


def rfc3339(moment: float, *, milliseconds: bool = False, utc: str = "Z") -> str:
    """Return an epoch time as RFC 3339 in UTC, cut down to whole seconds or milliseconds; `utc` is how it ends."""
    at = datetime.fromtimestamp(moment, UTC)
    text = f"{at.year:04}-{at.month:02}-{at.day:02}T{at.hour:02}:{at.minute:02}:{at.second:02}"
    return f"{text}.{at.microsecond // 1000:03}{utc}" if milliseconds else text + utc


def _date_of(free: Mapping[str, str]) -> Callable[[float], str]:
    """Return what writes a moment in the form that the endpoint is free to choose."""
    return partial(rfc3339, milliseconds=free["date-fraction"] == "milliseconds", utc=free["utc"])


def shared_job_document(
    job: Job, operation: Operation, now: float, free: Mapping[str, str], imitate: frozenset[str], base: str
) -> dict[str, Any]:
    """Return a flex or tenant job as an operation shows it at a moment (epoch seconds).

    `base` is the endpoint's URL, for links.
    """
    date = _date_of(free)
    status = job.status(now)
    project_field, cluster_field = operation.resource.place_fields
    document: dict[str, Any] = {
        "deliveryType": job.delivery,
        "expirationDate": date(_expiration(job, now, free["expiration"])),
        "id": job.id,
        cluster_field: job.cluster,
        project_field: job.project,
    }
    if status in {"FAILED", "COMPLETED"}:
        document["restoreFinishedDate"] = date(job.ends)
    document["restoreScheduledDate"] = date(job.created)
    if job.snapshot_finished is not None:
        document["snapshotFinishedDate"] = date(job.snapshot_finished)
    document["snapshotId"] = job.snapshot
    if job.delivery == "DOWNLOAD" and status == "COMPLETED":
        document["snapshotUrl"] = _url(job, 0)
    document["status"] = status
    if job.target is not None:
        document["targetDeploymentItemName"] = job.target
        document["targetProjectId"] = job.target_project
    if free["links"] in ("all", operation.cluster_kind):
        document["links"] = _links(job, operation, base)
    document.update(job.extra)
    return document


def dedicated_job_document(
    job: Job, operation: Operation, now: float, free: Mapping[str, str], imitate: frozenset[str], base: str
) -> dict[str, Any]:
    """Return a dedicated cluster's job, as `shared_job_document` does."""
    date = _date_of(free)
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
        parts = document.get("components", ())
        if not parts or free["download-parts"] != "components":
            document["deliveryUrl"] = [_url(job, number) for number in range(max(1, len(job.shards)))]
        if free["download-parts"] != "url":
            for number, component in enumerate(parts):
                component["downloadUrl"] = _url(job, number)
    document |= {"expired": expired, "failed": finished and job.fails, "id": job.id}
    document |= _expiry(job, now, finished, free)
    if finished and (not download or job.fails or free["download-finished"] == "shown"):
        document["finishedAt"] = date(job.ends)
    _add_points(document, job, free, imitate)
    if job.snapshot is not None:
        document["snapshotId"] = job.snapshot
    if job.snapshot_finished is not None:
        document["timestamp"] = date(job.snapshot_finished)
    if job.target is not None and not (job.delivery == "pointInTime" and free["point-targets"] == "hidden"):
        document |= {"targetClusterName": job.target, "targetGroupId": job.target_project}
        if free["item-name"] == "shown":
            document["targetDeploymentItemName"] = f"atlas-{job.id[-6:]}"
    if free["links"] in ("all", operation.cluster_kind):
        document["links"] = _links(job, operation, base)
    document.update(job.extra)
    return document


def _expiration(job: Job, now: float, choice: str) -> float:
    """Return when a flex or tenant job expires, as the endpoint is free to choose."""
    match choice:
        case "at-schedule":
            return job.created
        case "moving":
            return now + EXPIRATION
    return job.created + EXPIRATION


def _expiry(job: Job, now: float, finished: bool, free: Mapping[str, str]) -> dict[str, str]:
    """Return the `expiresAt` of a dedicated job: of finished downloads, and where the endpoint is free to show it."""
    choice, download = free["expires-at"], job.delivery == "download"
    shown = (download and finished and not job.fails) or choice == "always" or (choice == "early" and download)
    moving = choice == "moving" and now < job.ends + DOWNLOAD_LIFE
    return {"expiresAt": _date_of(free)((now if moving else job.ends) + DOWNLOAD_LIFE)} if shown else {}


def _add_points(document: dict[str, Any], job: Job, free: Mapping[str, str], imitate: frozenset[str]) -> None:
    date = _date_of(free)
    shown = {"oplogInc": job.oplog_inc, "oplogTs": job.oplog_ts, "pointInTimeUTCSeconds": job.utc_seconds}
    document.update((name, value) for name, value in shown.items() if value is not None)
    moment = job.utc_seconds if job.utc_seconds is not None else job.oplog_ts
    if isinstance(moment, int | float) and free["desired-timestamp"] == "shown":
        document["desiredTimestamp"] = {"date": date(min(moment, 2**31)), "increment": moment}
    elif job.delivery != "pointInTime" and "K-TIMESTAMP" in imitate:
        document["desiredTimestamp"] = {"increment": None, "time": None, "date": None}


def _url(job: Job, number: int) -> str:
    """Return where a download can be fetched; the same for every read of the job."""
    return f"https://restore-{job.id}.example.net/{job.id[::-1]}/{job.snapshot}-{number}.tar.gz"


def _links(job: Job, operation: Operation, base: str) -> list[dict[str, str]]:
    links = [
        ("https://cloud.mongodb.com/cluster", base + _parts(operation.template)[0].format(job.project, job.cluster))
    ]
    if operation.item_template is not None:
        links.insert(0, ("self", item_url(operation.item_template, base, job.project, job.cluster, job.id)))
    return [{"href": href, "rel": rel} for rel, href in links]


def item_url(template: str, base: str, project: str, cluster: str, item: str) -> str:
    """Return the URL of one job or snapshot, by the path template that reads it."""
    return base + _parts(template)[1].format(project, cluster, item)


@cache
def _parts(template: str) -> tuple[str, str]:
    """Return a path template up to its cluster, and whole, with `{}` for each parameter."""
    whole = _PARAMETER.sub("{}", template)
    project, cluster, *_ = whole.split("{}")
    return f"{project}{{}}{cluster}{{}}", whole


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
