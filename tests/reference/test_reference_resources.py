"""The reference endpoint serves an operation by its resource and its kind, whatever else the contract has."""

from __future__ import annotations

import copy
import json
import random
from dataclasses import replace
from typing import Any

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.inventory import Cluster
from atlas_conformance.contracts.operation import read_operations
from atlas_conformance.contracts.resources import RESOURCES
from atlas_conformance.reference.authentication import Authentication
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.credentials import make_credentials
from atlas_conformance.reference.earlier_jobs import historic_jobs
from atlas_conformance.reference.endpoint import Endpoint
from atlas_conformance.reference.fixtures import make_fixtures
from atlas_conformance.reference.freedoms import resolve
from atlas_conformance.reference.jobs import Jobs
from atlas_conformance.reference.messages import Call
from atlas_conformance.reference.resources import SERVED

EPOCH = 1_790_000_000
FLEX = "/api/atlas/v2/groups/{groupId}/flexClusters/{name}/backup"
CLUSTER = "/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup"
TENANT = "/api/atlas/v1.0/groups/{groupId}/clusters/{clusterName}/backup/tenant"


def extended(*added: tuple[str, str, str, str, dict[str, Any]]) -> Contract:
    """The contract with more operations: each like one of its own (method and path), at another path, with changes."""
    document = copy.deepcopy(dict(Contract.load().openapi))
    for method, like, path, parameters_of, changes in added:
        described = copy.deepcopy(document["paths"][like][method]) | changes
        place = document["paths"].setdefault(path, {})
        place.setdefault("parameters", document["paths"][parameters_of].get("parameters", []))
        place[method] = described
    return replace(Contract.load(), openapi=document, operations=read_operations(document))


class Client:
    """Calls an endpoint that has a contract of its own, without credentials."""

    def __init__(self, contract: Contract) -> None:
        fixtures, draw, jobs = make_fixtures(3, EPOCH), random.Random(1), Jobs()
        for job in historic_jobs(fixtures, draw):
            jobs.add(job)
        backend = Backend(
            fixtures=fixtures,
            jobs=jobs,
            authentication=Authentication(make_credentials(3), ()),
            free=resolve({"links": "all"}),
            imitate=frozenset(),
            level="workflow",
            step=1.0,
            rate=None,
            draw=draw,
            contract=contract,
        )
        self.contract = contract
        self.endpoint = Endpoint(backend, url="http://reference.test")
        self.now = float(EPOCH)

    def cluster(self, kind: str) -> Cluster:
        return next(one for one in self.endpoint.backend.fixtures.inventory.clusters if one.kind == kind)

    def send(self, operation: str, body: Any = None, item: str = "") -> tuple[int, Any]:
        found = self.contract.operations[operation]
        assert found.cluster_kind is not None
        cluster = self.cluster(found.cluster_kind)
        path = found.expand(dict(zip(found.path_parameters, (cluster.project, cluster.name, item), strict=False)))
        headers = {b"content-type": b"application/json"}
        raw = b"" if body is None else json.dumps(body).encode()
        status, _, content = self.endpoint.handle(Call(found.method, path, path, "", headers, "*/*", raw, self.now))
        return status, json.loads(content) if content else None


def test_each_resource_of_the_contract_is_served() -> None:
    assert {resource.name for resource in SERVED} == set(RESOURCES)


def test_flex_snapshots_could_be_taken_and_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    item = f"{FLEX}/snapshots/{{snapshotId}}"
    client = Client(
        extended(
            (
                "post",
                f"{CLUSTER}/snapshots",
                f"{FLEX}/snapshots",
                f"{FLEX}/snapshots",
                {"operationId": "flex-take", "x-resource": "flex snapshot"},
            ),
            (
                "delete",
                f"{CLUSTER}/snapshots/{{snapshotId}}",
                item,
                item,
                {"operationId": "flex-snapshot-delete", "x-resource": "flex snapshot"},
            ),
        )
    )
    status, taken = client.send("flex-take", {"description": "Before the restore"})
    assert (status, taken["status"]) == (200, "PENDING")
    assert taken["links"][0]["href"].endswith(
        f"/flexClusters/{client.cluster('flex').name}/backup/snapshots/{taken['id']}"
    )
    for state in ("QUEUED", "RUNNING", "COMPLETED"):
        client.now += 1.0
        assert client.send("flex-snapshot-get", item=taken["id"])[1]["status"] == state
    assert taken["id"] in [one["id"] for one in client.send("flex-snapshot-list")[1]["results"]]
    assert client.send("flex-snapshot-delete", item=taken["id"])[0] == 204
    assert client.send("flex-snapshot-get", item=taken["id"])[0] == 404
    assert capsys.readouterr().err == ""


def test_jobs_of_shared_tier_clusters_could_be_listed_and_downloaded(capsys: pytest.CaptureFixture[str]) -> None:
    listed = f"{TENANT}/restores"
    client = Client(
        extended(
            (
                "get",
                f"{FLEX}/restoreJobs",
                listed,
                f"{TENANT}/restore",
                {"operationId": "tenant-list", "x-resource": "tenant job"},
            ),
            (
                "post",
                f"{FLEX}/download",
                f"{TENANT}/download",
                f"{TENANT}/restore",
                {"operationId": "tenant-download", "x-resource": "tenant job"},
            ),
        )
    )
    cluster = client.cluster("tenant")
    status, made = client.send("tenant-download", {"snapshotId": cluster.snapshots[0]})
    assert (status, made["deliveryType"], made["clusterName"]) == (200, "DOWNLOAD", cluster.name)
    assert client.send("tenant-download", {"snapshotId": "x"})[0] == 400
    assert client.send("tenant-get", item=made["id"])[1]["id"] == made["id"]
    assert [one["id"] for one in client.send("tenant-list")[1]["results"]] == [made["id"]]
    assert made["links"][0]["href"].endswith(f"/backup/tenant/restores/{made['id']}")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("kind", ["get", "list", "create", "cancel", "delete", "export"])
def test_an_operation_on_a_resource_that_is_not_known_is_not_there(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = f"{FLEX}/exports/{{restoreJobId}}"
    added = {"operationId": "flex-export", "x-resource": "flex export", "x-kind": kind}
    like = f"{FLEX}/restoreJobs/{{restoreJobId}}"
    client = Client(extended(("get", like, path, like, added)))
    assert client.send("flex-export", item="a" * 24)[0] == 404
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("resource", sorted(RESOURCES))
@pytest.mark.parametrize("kind", ["get", "list", "create", "cancel", "delete", "export"])
def test_an_operation_of_a_kind_that_its_resource_never_had_does_not_crash(
    resource: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = f"{FLEX}/others/{{restoreJobId}}"
    like = f"{FLEX}/restoreJobs/{{restoreJobId}}"
    added = {"operationId": "other", "x-resource": resource, "x-kind": kind}
    client = Client(extended(("get", like, path, like, added)))
    assert client.send("other", item="a" * 24)[0] < 500
    assert client.send("other", {"snapshotId": "x"}, "a" * 24)[0] < 500
    assert capsys.readouterr().err == ""
