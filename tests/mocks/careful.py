"""A mock of the restore API as a careful developer writes one with FastAPI: it takes any well-formed id and keeps jobs.

`careful_mock` makes it in variants: with a bearer token or without, with v2 alone, without lists, under a base path.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.exceptions import HTTPException as AnyHTTPException

HEX24 = r"^[a-f0-9]{24}$"
NAME = r"^[a-zA-Z0-9][a-zA-Z0-9-]*$"
ITEM = r"^[\p{L}\p{N}\-_.(),:&@+']{1,64}$"
FLEX_MEDIA = "application/vnd.atlas.2024-11-13+json"
CLUSTER_MEDIA = "application/vnd.atlas.2023-01-01+json"
_VERSIONED = re.compile(r"application/vnd\.atlas\.(\d{4}-\d{2}-\d{2})\+json")
_CODES = {400: "VALIDATION_ERROR", 401: "UNAUTHORIZED", 404: "RESOURCE_NOT_FOUND", 409: "JOB_HAS_ENDED"}
_RUNNING, _DONE = 0.05, 0.2
"""Seconds after which a job runs, and has ended."""

Body = TypeVar("Body", bound=BaseModel)
Id: TypeAlias = Annotated[str, Field(pattern=HEX24)]
Project: TypeAlias = Annotated[str, Path(pattern=HEX24)]
Job: TypeAlias = Annotated[str, Path(pattern=HEX24)]
Cluster: TypeAlias = Annotated[str, Path(pattern=NAME, max_length=64)]
Int32: TypeAlias = Annotated[int, Field(le=2**31 - 1)]
Epoch: TypeAlias = Annotated[int, Field(ge=1_199_145_600, le=2**31 - 1)]


class SharedRestore(BaseModel):
    """The body of a flex or tenant restore."""

    model_config = ConfigDict(strict=True)
    snapshotId: Id
    targetDeploymentItemName: Annotated[str, Field(pattern=ITEM)]
    targetProjectId: Id | None = None


class DedicatedRestore(BaseModel):
    """The body of a restore of a dedicated cluster."""

    model_config = ConfigDict(strict=True)
    deliveryType: Literal["automated", "download", "pointInTime"]
    snapshotId: Id | None = None
    targetClusterName: Annotated[str, Field(pattern=NAME, min_length=1, max_length=64)] | None = None
    targetGroupId: Id | None = None
    oplogInc: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    oplogTs: Epoch | None = None
    pointInTimeUTCSeconds: Epoch | None = None

    @model_validator(mode="after")
    def complete(self) -> DedicatedRestore:
        """Refuse a body that lacks what its deliveryType needs."""
        if self.deliveryType != "download" and (self.targetClusterName is None or self.targetGroupId is None):
            raise ValueError("a restore needs its target")
        if self.deliveryType != "pointInTime" and self.snapshotId is None:
            raise ValueError("the snapshot is missing")
        if self.deliveryType == "pointInTime":
            if (self.oplogTs is None) != (self.oplogInc is None):
                raise ValueError("oplogTs and oplogInc come together")
            if self.oplogTs is None and self.pointInTimeUTCSeconds is None:
                raise ValueError("the point in time is missing")
        return self


@dataclass
class Restore:
    """A job: what it shows from the start, and since when it is there."""

    place: tuple[str, str, str]
    shown: dict[str, Any]
    shared: bool
    born: float = field(default_factory=time.monotonic)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    cancelled: bool = False

    @property
    def ended(self) -> bool:
        """Whether the job has ended."""
        return self.cancelled or time.monotonic() - self.born >= _DONE

    def view(self) -> dict[str, Any]:
        """Return the job as an answer shows it now."""
        age = time.monotonic() - self.born
        if self.shared:
            status = "PENDING" if age < _RUNNING else "RUNNING" if age < _DONE else "COMPLETED"
            done = {"restoreFinishedDate": _iso(self.started + timedelta(seconds=1))} if status == "COMPLETED" else {}
            return {**self.shown, "status": status, **done}
        flags = {"cancelled": self.cancelled, "failed": False, "expired": False}
        if not self.ended or self.cancelled:
            return {**self.shown, **flags}
        done = {"finishedAt": _iso(self.started + timedelta(seconds=1))}
        if self.shown["deliveryType"] == "download":
            done["expiresAt"] = _iso(self.started + timedelta(hours=4))
            return {**self.shown, **flags, **done, "deliveryUrl": ["https://backups.example.com/snapshot.tgz"]}
        return {**self.shown, **flags, **done}


def _random_id(family: str) -> str:
    return secrets.token_hex(12)


def careful_mock(
    *,
    token: str | None = None,
    v1: bool = True,
    extended: bool = True,
    base_path: str = "",
    new_id: Callable[[str], str] = _random_id,
) -> FastAPI:
    """Return the application.

    `token` is the bearer token that it wants, `extended` adds lists, cancels and v1.0 reads, `new_id` gives a job of a
    family its id.
    """
    app = FastAPI(redirect_slashes=False)
    jobs: dict[tuple[str, str, str, str], Restore] = {}

    def entered(request: Request) -> None:
        if token is not None and request.headers.get("authorization") != f"Bearer {token}":
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})

    def create(request: Request, place: tuple[str, str, str], shown: Mapping[str, Any], media: str) -> Response:
        job = new_id(place[0])
        restore = Restore(place, {"id": job, **shown}, shared=place[0] != "cluster")
        jobs[*place, job] = restore
        return answered(request, restore.view(), media)

    def found(place: tuple[str, str, str], job: str) -> Restore:
        restore = jobs.get((*place, job))
        if restore is None:
            raise HTTPException(404)
        return restore

    def listed(request: Request, place: tuple[str, str, str], media: str) -> Response:
        rows = [restore.view() for restore in list(jobs.values()) if restore.place == place]
        return answered(request, page(request, rows), media)

    router = APIRouter(prefix=base_path, dependencies=[Depends(entered)])
    flex = "/api/atlas/v2/groups/{group}/flexClusters/{cluster}/backup/restoreJobs"
    dedicated = "/api/atlas/v2/groups/{group}/clusters/{cluster}/backup/restoreJobs"
    older = "/api/atlas/v1.0/groups/{group}/clusters/{cluster}/backup"

    @router.post(flex)
    async def flex_create(request: Request, group: Project, cluster: Cluster) -> Response:
        body = await body_of(request, SharedRestore, FLEX_MEDIA)
        return create(request, ("flex", group, cluster), _shared(body, group, "instanceName", cluster), FLEX_MEDIA)

    @router.get(flex + "/{job}")
    async def flex_get(request: Request, group: Project, cluster: Cluster, job: Job) -> Response:
        return answered(request, found(("flex", group, cluster), job).view(), FLEX_MEDIA)

    @router.post(dedicated)
    async def cluster_create(request: Request, group: Project, cluster: Cluster) -> Response:
        body = await body_of(request, DedicatedRestore, CLUSTER_MEDIA)
        return create(request, ("cluster", group, cluster), _dedicated(body), CLUSTER_MEDIA)

    if v1:

        @router.post(older + "/restoreJobs")
        @router.post(older + "/restoreJobs/")
        async def cluster_create_v1(request: Request, group: Project, cluster: Cluster) -> Response:
            body = await body_of(request, DedicatedRestore, "application/json")
            return create(request, ("cluster", group, cluster), _dedicated(body), "application/json")

        @router.post(older + "/tenant/restore")
        async def tenant_create(request: Request, group: Project, cluster: Cluster) -> Response:
            body = await body_of(request, SharedRestore, "application/json")
            shown = _shared(body, group, "clusterName", cluster)
            return create(request, ("tenant", group, cluster), shown, "application/json")

    if extended:

        @router.get(flex)
        async def flex_list(request: Request, group: Project, cluster: Cluster) -> Response:
            return listed(request, ("flex", group, cluster), FLEX_MEDIA)

        @router.get(dedicated)
        async def cluster_list(request: Request, group: Project, cluster: Cluster) -> Response:
            return listed(request, ("cluster", group, cluster), CLUSTER_MEDIA)

        @router.get(dedicated + "/{job}")
        async def cluster_get(request: Request, group: Project, cluster: Cluster, job: Job) -> Response:
            return answered(request, found(("cluster", group, cluster), job).view(), CLUSTER_MEDIA)

        @router.delete(dedicated + "/{job}")
        async def cluster_cancel(group: Project, cluster: Cluster, job: Job) -> Response:
            restore = found(("cluster", group, cluster), job)
            if restore.ended:
                raise HTTPException(409)
            restore.cancelled = True
            return Response(status_code=204)

    if extended and v1:

        @router.get(older + "/restoreJobs/{job}")
        async def cluster_get_v1(request: Request, group: Project, cluster: Cluster, job: Job) -> Response:
            return answered(request, found(("cluster", group, cluster), job).view(), "application/json")

        @router.get(older + "/tenant/restores/{job}")
        async def tenant_get(request: Request, group: Project, cluster: Cluster, job: Job) -> Response:
            return answered(request, found(("tenant", group, cluster), job).view(), "application/json")

    app.include_router(router)
    app.add_exception_handler(AnyHTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse)
    return app


async def body_of(request: Request, model: type[Body], media: str) -> Body:
    """Return the body of a create; refuse another content type with 415, and whatever else is wrong with 400."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent not in ("application/json", media):
        raise HTTPException(415)
    try:
        return model.model_validate(json.loads(await request.body(), parse_constant=_no_constant))
    except (ValueError, ValidationError, RecursionError):
        raise HTTPException(400) from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def answered(request: Request, document: dict[str, Any], media: str) -> Response:
    """Return a success in the form that the query and the Accept header ask for."""
    accepted = [part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "*/*").split(",")]
    versions = [match[1] for part in accepted if (match := _VERSIONED.fullmatch(part))]
    own = _VERSIONED.fullmatch(media)
    free = own is None or bool({"*/*", "application/*", "application/json", ""} & set(accepted))
    if own is not None and not free and not any(version >= own[1] for version in versions):
        raise HTTPException(406)
    if flag(request, "envelope"):
        document = {**document, "status": 200} if "results" in document else {"status": 200, "content": document}
    indent = 2 if flag(request, "pretty") else None
    text = json.dumps(document, indent=indent, separators=None if indent else (",", ":"))
    return Response(text, media_type=media)


def flag(request: Request, name: str) -> bool:
    """Return a flag of the query; refuse what is no boolean."""
    values = request.query_params.getlist(name)
    if values in ([], ["false"], ["true"]):
        return values == ["true"]
    raise HTTPException(400)


def page(request: Request, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the page of a list that the query asks for."""
    size = _number(request, "itemsPerPage", 100)
    number = _number(request, "pageNum", 1)
    if size > 500:
        raise HTTPException(400)
    count = request.query_params.get("includeCount", "true")
    if count not in ("true", "false"):
        raise HTTPException(400)
    base = str(request.url.remove_query_params("pageNum"))
    links = [{"rel": "self", "href": str(request.url)}]
    if len(rows) > size * number:
        links.append({"rel": "next", "href": f"{base}{'&' if '?' in base else '?'}pageNum={number + 1}"})
    shown = rows[size * (number - 1) : size * number]
    total = {"totalCount": len(rows)} if count == "true" else {}
    return {"links": links, "results": shown, **total}


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[1-9][0-9]{0,17}", text, re.ASCII):
        raise HTTPException(400)
    return int(text)


def _shared(body: SharedRestore, group: str, key: str, cluster: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "projectId": group,
        key: cluster,
        "snapshotId": body.snapshotId,
        "targetDeploymentItemName": body.targetDeploymentItemName,
        "targetProjectId": body.targetProjectId or group,
        "deliveryType": "RESTORE",
        "snapshotFinishedDate": _iso(now - timedelta(hours=2)),
        "restoreScheduledDate": _iso(now),
        "expirationDate": _iso(now + timedelta(days=1)),
    }


def _dedicated(body: DedicatedRestore) -> dict[str, Any]:
    shown: dict[str, Any] = {"deliveryType": body.deliveryType}
    if body.snapshotId is not None:
        shown |= {"snapshotId": body.snapshotId, "timestamp": _iso(datetime.now(UTC) - timedelta(hours=2))}
    if body.deliveryType != "download":
        shown |= {"targetClusterName": body.targetClusterName, "targetGroupId": body.targetGroupId}
    if body.deliveryType == "pointInTime":
        moment = body.model_dump(include={"oplogTs", "oplogInc", "pointInTimeUTCSeconds"}, exclude_none=True)
        shown |= moment
    return shown


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _refuse(request: Request, error: Exception) -> Response:
    """Answer an error in the API's own form."""
    status = error.status_code if isinstance(error, AnyHTTPException) else 400
    headers = error.headers if isinstance(error, AnyHTTPException) else None
    phrase = HTTPStatus(status).phrase
    code = _CODES.get(status, phrase.upper().replace(" ", "_").replace("-", "_"))
    document = {"error": status, "errorCode": code, "reason": phrase, "detail": "The request was refused."}
    return Response(json.dumps(document, separators=(",", ":")), status, headers, media_type="application/json")


VARIANTS: Mapping[str, Callable[[], FastAPI]] = {
    "open": careful_mock,
    "bearer": lambda: careful_mock(token="s3cret-of-the-mock"),
    "v2-only": lambda: careful_mock(v1=False),
    "core-only": lambda: careful_mock(extended=False),
    "prefixed": lambda: careful_mock(base_path="/mock/atlas"),
}
