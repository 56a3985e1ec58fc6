"""The OpenAPI description, and the operations read from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st

from atlas_conformance.contracts.contract import FOLDER, Contract
from atlas_conformance.contracts.operation import HTTP_STATUSES, Operation

OPERATIONS = Contract.load().operations

V2 = "/api/atlas/v2/groups/{groupId}"
V1 = "/api/atlas/v1.0/groups/{groupId}"
FLEX = "application/vnd.atlas.2024-11-13+json"
CLUSTER = "application/vnd.atlas.2023-01-01+json"
JSON = "application/json"
READ = {200, 400, 401, 403, 404, 500}
CREATE = READ | {409}
SNAPSHOTS = "/clusters/{clusterName}/backup/snapshots"

PAGE = [
    ("flex-create", "POST", V2 + "/flexClusters/{name}/backup/restoreJobs", FLEX, "core", CREATE),
    ("flex-get", "GET", V2 + "/flexClusters/{name}/backup/restoreJobs/{restoreJobId}", FLEX, "core", READ),
    ("cluster-create", "POST", V2 + "/clusters/{clusterName}/backup/restoreJobs", CLUSTER, "core", CREATE),
    ("tenant-create", "POST", V1 + "/clusters/{clusterName}/backup/tenant/restore", JSON, "core", CREATE),
    ("cluster-create-v1", "POST", V1 + "/clusters/{clusterName}/backup/restoreJobs/", JSON, "core", CREATE),
    ("flex-list", "GET", V2 + "/flexClusters/{name}/backup/restoreJobs", FLEX, "extended", READ),
    ("cluster-get", "GET", V2 + "/clusters/{clusterName}/backup/restoreJobs/{restoreJobId}", CLUSTER, "extended", READ),
    ("cluster-list", "GET", V2 + "/clusters/{clusterName}/backup/restoreJobs", CLUSTER, "extended", READ),
    (
        "cluster-cancel",
        "DELETE",
        V2 + "/clusters/{clusterName}/backup/restoreJobs/{restoreJobId}",
        None,
        "extended",
        CREATE - {200} | {204},
    ),
    ("tenant-get", "GET", V1 + "/clusters/{clusterName}/backup/tenant/restores/{restoreId}", JSON, "extended", READ),
    ("cluster-get-v1", "GET", V1 + "/clusters/{clusterName}/backup/restoreJobs/{restoreJobId}", JSON, "extended", READ),
    ("flex-download", "POST", V2 + "/flexClusters/{name}/backup/download", FLEX, "workflow", CREATE),
    ("flex-snapshot-list", "GET", V2 + "/flexClusters/{name}/backup/snapshots", FLEX, "workflow", READ),
    ("flex-snapshot-get", "GET", V2 + "/flexClusters/{name}/backup/snapshots/{snapshotId}", FLEX, "workflow", READ),
    ("snapshot-take", "POST", V2 + SNAPSHOTS, CLUSTER, "workflow", CREATE),
    ("snapshot-list", "GET", V2 + SNAPSHOTS, CLUSTER, "workflow", READ),
    ("snapshot-get", "GET", V2 + SNAPSHOTS + "/{snapshotId}", CLUSTER, "workflow", READ),
    ("snapshot-delete", "DELETE", V2 + SNAPSHOTS + "/{snapshotId}", None, "workflow", READ - {200} | {204}),
    ("sharded-snapshot-list", "GET", V2 + SNAPSHOTS + "/shardedClusters", CLUSTER, "workflow", READ),
    ("sharded-snapshot-get", "GET", V2 + SNAPSHOTS + "/shardedCluster/{snapshotId}", CLUSTER, "workflow", READ),
]

SCHEMAS = {
    ("flex", "create"): ("flex-restore-request.json", "flex-restore-job.json"),
    ("tenant", "create"): ("tenant-restore-request.json", "tenant-restore-job.json"),
    ("cluster", "create"): ("cluster-restore-request.json", "cluster-restore-job.json"),
    ("flex", "get"): (None, "flex-restore-job.json"),
    ("tenant", "get"): (None, "tenant-restore-job.json"),
    ("cluster", "get"): (None, "cluster-restore-job.json"),
    ("flex", "list"): (None, "flex-restore-job-list.json"),
    ("cluster", "list"): (None, "cluster-restore-job-list.json"),
    ("cluster", "cancel"): (None, None),
}


AROUND = {
    "flex-download": ("flex-download-request.json", "flex-restore-job.json"),
    "flex-snapshot-list": (None, "flex-snapshot-list.json"),
    "flex-snapshot-get": (None, "flex-snapshot.json"),
    "snapshot-take": ("snapshot-request.json", "dedicated-snapshot.json"),
    "snapshot-list": (None, "dedicated-snapshot-list.json"),
    "snapshot-get": (None, "dedicated-snapshot.json"),
    "snapshot-delete": (None, None),
    "sharded-snapshot-list": (None, "dedicated-snapshot-list.json"),
    "sharded-snapshot-get": (None, "dedicated-snapshot.json"),
}


def described(operation: Operation) -> Any:
    return Contract.load().openapi["paths"][operation.template][operation.method.lower()]


def resolved(node: dict[str, Any]) -> Any:
    """Follow a reference inside the document."""
    found: Any = node
    while "$ref" in found:
        found = Contract.load().openapi
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
    return found


def parameters(operation: Operation) -> dict[str, dict[str, Any]]:
    listed = Contract.load().openapi["paths"][operation.template]["parameters"] + described(operation).get(
        "parameters", []
    )
    return {(found := resolved(parameter))["name"]: found for parameter in listed}


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from nodes(child)
    elif isinstance(node, list):
        for child in node:
            yield from nodes(child)


each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


def test_the_operations_are_those_of_the_contract_in_its_order() -> None:
    found = [(o.id, o.method, o.template, o.media_type, o.level, set(o.statuses)) for o in OPERATIONS.values()]
    assert found == PAGE


@each_operation
def test_an_operation_has_the_schemas_of_its_family_and_kind(operation: Operation) -> None:
    expected = AROUND.get(operation.id) or SCHEMAS[operation.resource.label, operation.kind]
    assert (operation.request_schema, operation.response_schema) == expected
    assert operation.success == (204 if operation.kind in ("cancel", "delete") else 200)
    assert operation.api == operation.template.split("/")[3]


@each_operation
def test_statuses_of_http_itself_are_described_beside_the_documented_ones(operation: Operation) -> None:
    assert {int(status) for status in described(operation)["responses"]} == operation.statuses | HTTP_STATUSES


@each_operation
def test_every_error_is_described_as_an_error_body(operation: Operation) -> None:
    for status, response in described(operation)["responses"].items():
        if status.startswith("2"):
            continue
        content = resolved(response)["content"]
        assert list(content) == [JSON]
        references = [way["$ref"] for way in content[JSON]["schema"]["anyOf"]]
        assert references == ["schemas/error.json", "schemas/envelope-error.json"]
        for example in content[JSON]["examples"].values():
            assert not Contract.load().validator("error.json").errors(example["value"])
            assert example["value"]["error"] == int(status)


@each_operation
def test_a_rate_limit_may_say_when_to_try_again(operation: Operation) -> None:
    header = resolved(described(operation)["responses"]["429"])["headers"]["Retry-After"]
    assert resolved(header).get("required", False) is False


@each_operation
def test_parameters_are_complete_and_bounded_as_in_the_schemas(operation: Operation) -> None:
    found = parameters(operation)
    listing = {"itemsPerPage", "pageNum", "includeCount"} if operation.paged else set()
    moments = {"pointInTimeUtcSeconds", "oplogTs", "oplogInc"} if operation.id == "snapshot-list" else set()
    assert set(found) == {*operation.path_parameters, "envelope", "pretty"} | listing | moments
    assert operation.paged == (operation.kind == "list" and not operation.sharded)
    known = Contract.load().schemas.documents["cluster-restore-request.json"]["properties"]
    for name in operation.path_parameters:
        twin = known["targetClusterName" if name in ("name", "clusterName") else "snapshotId"]
        assert found[name]["required"] is True
        assert found[name]["schema"] == {key: twin[key] for key in ("type", "minLength", "maxLength", "pattern")}
    assert found["envelope"]["schema"] == found["pretty"]["schema"] == {"type": "boolean", "default": False}
    if listing:
        assert found["itemsPerPage"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}
        assert found["pageNum"]["schema"] == {"type": "integer", "minimum": 1, "default": 1}
        assert found["includeCount"]["schema"] == {"type": "boolean", "default": True}


@each_operation
def test_a_create_links_to_what_reads_cancels_and_lists_its_job(operation: Operation) -> None:
    links = described(operation)["responses"][str(operation.success)].get("links", {})
    assert operation.links == {name: link["operationId"] for name, link in links.items()}
    if operation.kind != "create":
        assert not links
        return
    for name, link in links.items():
        linked = OPERATIONS[link["operationId"]]
        kind = {"read": "get"}.get(name.removesuffix("Sharded"), name.removesuffix("Sharded"))
        assert (linked.resource, linked.api, linked.kind) == (operation.resource, operation.api, kind)
        assert set(link["parameters"]) == set(linked.path_parameters)
        if kind != "list":
            assert link["parameters"][linked.path_parameters[-1]] == "$response.body#/id"
    same = [o for o in OPERATIONS.values() if (o.resource, o.api) == (operation.resource, operation.api)]
    links_owed = {o.kind for o in same} - {"create"} - ({"cancel"} if operation.delivery else set())
    assert {"get": "read"}.keys() | links.keys() >= links_owed


@each_operation
def test_a_path_is_built_from_what_its_parameters_name(operation: Operation) -> None:
    named = {"project": "p", "cluster": "a b", operation.resource.what: "j"}
    roles = {parameter.role: named[parameter.role] for parameter in operation.parameters}
    assert list(roles) == list(named)[: len(roles)]
    found = Contract.load().match(operation.method, operation.path(**roles))
    assert found is not None
    assert found[0] is operation
    assert operation.place(found[1]) == ("p", "a b")
    assert operation.item(found[1]) == roles.get(operation.resource.what)
    with pytest.raises(ValueError, match=f"the path of {operation.id} takes project, cluster"):
        operation.path(project="p")


@each_operation
def test_examples_hold_to_the_schemas(operation: Operation) -> None:
    bodies = [(described(operation).get("requestBody", {}), operation.request_schema)]
    bodies.append((described(operation)["responses"][str(operation.success)], operation.response_schema))
    for body, schema in bodies:
        for media in body.get("content", {}).values():
            assert schema is not None
            assert media["examples"]
            for example in media["examples"].values():
                assert not Contract.load().validator(schema).errors(resolved(example)["value"])


def test_every_reference_leads_somewhere() -> None:
    references = [node["$ref"] for node in nodes(Contract.load().openapi) if "$ref" in node]
    files = {reference.removeprefix("schemas/") for reference in references if not reference.startswith("#")}
    assert files <= set(Contract.load().schemas.documents)
    assert all(resolved({"$ref": reference}) for reference in references if reference.startswith("#"))
    used = {reference.split("/")[-1] for reference in references if reference.startswith("#")}
    defined = {
        name
        for section, members in Contract.load().openapi["components"].items()
        if section != "securitySchemes"
        for name in members
    }
    assert used == defined


def test_both_authentications_are_described() -> None:
    schemes = Contract.load().openapi["components"]["securitySchemes"]
    assert (schemes["digest"]["type"], schemes["digest"]["scheme"]) == ("http", "digest")
    flow = schemes["serviceAccount"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"].endswith("/api/oauth/token")
    assert Contract.load().openapi["security"] == [{"digest": []}, {"serviceAccount": []}]


def test_schemathesis_reads_every_operation() -> None:
    schema = schemathesis.openapi.from_path(FOLDER / "openapi.yaml")
    schema.validate()
    results: Any = schema.get_all_operations()
    found = {result.ok().definition.raw["operationId"] for result in results}
    assert found == set(OPERATIONS)


@given(
    st.sampled_from(list(OPERATIONS.values())),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=3, max_size=3),
)
def test_a_path_leads_back_to_its_operation_and_parameters(operation: Operation, values: list[str]) -> None:
    given_parameters = dict(zip(operation.path_parameters, values, strict=False))
    path = operation.expand(given_parameters)
    assert re.fullmatch(r"[!-~]+", path)
    assert Contract.load().match(operation.method, path) == (operation, given_parameters)


def test_the_first_version_s_trailing_slash_may_be_left_out() -> None:
    path = "/api/atlas/v1.0/groups/g/clusters/c/backup/restoreJobs"
    parameters_ = {"groupId": "g", "clusterName": "c"}
    expected = ((OPERATIONS["cluster-create-v1"], parameters_),)
    assert Contract.load().operations_at(path) == Contract.load().operations_at(path + "/") == expected


def test_elsewhere_a_trailing_slash_is_another_path() -> None:
    assert Contract.load().operations_at("/api/atlas/v2/groups/g/clusters/c/backup/restoreJobs/") == ()


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/api/atlas/v2/groups//clusters/c/backup/restoreJobs",
        "/api/atlas/v2/groups/g/Clusters/c/backup/restoreJobs",
        "/api/atlas/v2/groups/g/clusters/c/backup/restoreJobs/1/2",
        "/prefix/api/atlas/v2/groups/g/clusters/c/backup/restoreJobs",
    ],
)
def test_other_paths_match_nothing(path: str) -> None:
    assert Contract.load().operations_at(path) == ()


def test_the_method_chooses_among_the_operations_of_a_path() -> None:
    path = "/api/atlas/v2/groups/g/clusters/c/backup/restoreJobs/j"
    assert {operation.id for operation, _ in Contract.load().operations_at(path)} == {"cluster-get", "cluster-cancel"}
    found = Contract.load().match("DELETE", path)
    assert found is not None
    assert found[0].id == "cluster-cancel"
    assert Contract.load().match("PATCH", path) is None


def test_an_expansion_needs_exactly_the_operation_s_parameters() -> None:
    with pytest.raises(ValueError, match="flex-get takes the path parameters groupId, name, restoreJobId, not groupId"):
        OPERATIONS["flex-get"].expand({"groupId": "g"})
