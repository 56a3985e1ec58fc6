"""A caller of the reference endpoint: conforming requests for its fixtures, and what every error body holds to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import jsonschema_rs

import atlas_conformance.contracts
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.inventory import Cluster
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.reference.control_api import CONTROL_PATH
from atlas_conformance.reference.credentials import ServiceAccount
from atlas_conformance.reference.server import ReferenceServer

OPERATIONS = Contract.load().operations

SCHEMAS = Path(atlas_conformance.contracts.__file__).parent / "schemas"
STEP = 0.03


class Caller:
    """Sends requests for the fixtures of one endpoint."""

    def __init__(self, server: ReferenceServer) -> None:
        self.server = server
        self.http = httpx.Client(base_url=server.url, trust_env=False)
        self.token = self.token_of(server.credentials.owner_account)

    def token_of(self, account: ServiceAccount) -> str:
        answer = self.http.post(
            "/api/oauth/token", auth=(account.id, account.secret), data={"grant_type": "client_credentials"}
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def cluster(self, family: str, *, sharded: bool = False, other: bool = False) -> Cluster:
        kind = "dedicated" if family == "cluster" else family
        found = [one for one in self.server.inventory.clusters if one.kind == kind and one.sharded == sharded]
        return found[-1 if other else 0]

    def path(self, operation: str, cluster: Cluster | None = None, job: str = "", **changed: str) -> str:
        """The path of an operation on a cluster; `project`, `name` and `job` may be changed."""
        found: Operation = OPERATIONS[operation]
        cluster = cluster or self.cluster(found.resource.label)
        values = (changed.get("project", cluster.project), changed.get("name", cluster.name), job)
        return found.expand(dict(zip(found.path_parameters, values, strict=False)))

    def body(self, operation: str, delivery: str = "automated", cluster: Cluster | None = None) -> dict[str, Any]:
        """A body that conforms and names what exists."""
        family = OPERATIONS[operation].resource.label
        if OPERATIONS[operation].resource.what == "snapshot":
            return {"description": "Before the restore", "retentionInDays": 5}
        cluster = cluster or self.cluster(family)
        kind = cluster.kind
        if OPERATIONS[operation].delivery == "DOWNLOAD":
            return {"snapshotId": cluster.snapshots[0]}
        target = next(one for one in self.server.inventory.targets if kind in one.accepts)
        if family != "cluster":
            return {
                "snapshotId": cluster.snapshots[0],
                "targetDeploymentItemName": target.name,
                "targetProjectId": target.project,
            }
        body: dict[str, Any] = {"deliveryType": delivery}
        if delivery != "pointInTime":
            body["snapshotId"] = cluster.snapshots[0]
        else:
            assert cluster.point_in_time is not None
            body["pointInTimeUTCSeconds"] = cluster.point_in_time.utc_seconds
        if delivery != "download":
            body |= {"targetClusterName": target.name, "targetGroupId": target.project}
        return body

    def send(
        self,
        method: str,
        target: str,
        *,
        body: Any = None,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = "",
    ) -> httpx.Response:
        sent = {"Content-Type": "application/json"} if body is not None or raw is not None else {}
        if token is not None:
            sent["Authorization"] = f"Bearer {token or self.token}"
        sent |= headers or {}
        sent.setdefault("Accept", "application/vnd.atlas.2025-03-12+json, application/json;q=0.1")
        content = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
        return self.http.request(method, target, content=content, headers=sent)

    def settle(self, steps: float = 4) -> None:
        """Move the endpoint's clock on, so that a job that was just created has ended."""
        self.http.post(f"{CONTROL_PATH}/advance", json={"seconds": STEP * steps}).raise_for_status()

    def call(self, operation: str, *, query: str = "", **options: Any) -> httpx.Response:
        """Send an operation's request, by default a conforming one; `at` are the arguments of `path`."""
        found = OPERATIONS[operation]
        at = options.pop("at", {})
        if found.kind == "create" and "body" not in options and "raw" not in options:
            options["body"] = self.body(operation, cluster=at.get("cluster"))
        return self.send(found.method, self.path(operation, **at) + query, **options)

    def create(self, operation: str, **options: Any) -> dict[str, Any]:
        answer = self.call(operation, **options)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document


def error(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Hold an answer to be an error of that status, whole in form; return its body."""
    assert answer.status_code == status, (
        f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    )
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    document: dict[str, Any] = answer.json()
    schema("error.json").validate(document)
    assert document["error"] == status
    return document


@cache
def schema(name: str) -> jsonschema_rs.Draft202012Validator:
    """The validator of a schema file; references go to the files beside it."""
    resources = [(path.name, json.loads(path.read_text())) for path in SCHEMAS.glob("*.json")]
    registry = jsonschema_rs.Registry([(f"json-schema:///{key}", value) for key, value in resources])
    document = dict(resources)[name] | {"$id": f"json-schema:///{name}"}
    return jsonschema_rs.Draft202012Validator(document, registry=registry, validate_formats=True)


def segment(text: str) -> str:
    return quote(text, safe="")
