"""What clients look up around a restore: it is there, it fits together, and it has the forms that clients read."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
import pytest

from tests.reference.calling import Caller, error

NEWEST = "application/vnd.atlas.2025-03-12+json"


def got(caller: Caller, path: str, accept: str = NEWEST) -> Any:
    answer = caller.send("GET", path, headers={"Accept": accept})
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


def rows(caller: Caller, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = got(caller, path)["results"]
    return found


@pytest.mark.parametrize("api", ["v2", "v1.0"])
def test_organizations_projects_and_clusters_lead_to_each_other(caller: Caller, api: str) -> None:
    base = f"/api/atlas/{api}"
    (organization,) = rows(caller, f"{base}/orgs")
    assert got(caller, f"{base}/orgs/{organization['id']}")["name"] == organization["name"]
    assert rows(caller, f"{base}/orgs?name=nobody") == []
    projects = rows(caller, f"{base}/groups")
    assert projects == rows(caller, f"{base}/orgs/{organization['id']}/groups")
    assert {one["id"] for one in projects} == caller.server.fixtures.projects
    for project in projects:
        assert project["orgId"] == organization["id"]
        assert got(caller, f"{base}/groups/{project['id']}") == project
        assert got(caller, f"{base}/groups/byName/{project['name']}") == project
        clusters = rows(caller, f"{base}/groups/{project['id']}/clusters")
        flex = rows(caller, f"/api/atlas/v2/groups/{project['id']}/flexClusters")
        assert project["clusterCount"] == len(clusters) + len(flex)
        for place, listed in (("clusters", clusters), ("flexClusters", flex)):
            for one in listed:
                own = f"/api/atlas/v2/groups/{project['id']}/{place}/{one['name']}"
                assert got(caller, own)["id"] == one["id"]
    everywhere = rows(caller, f"{base}/clusters")
    assert sum(len(one["clusters"]) for one in everywhere) == len(caller.server.inventory.clusters)
    assert got(caller, base)["appName"] == "MongoDB Atlas"


def test_snapshots_are_listed_and_shown_by_kind(caller: Caller) -> None:
    seen, under_way = 0, caller.cluster("flex")
    newest, deadline = caller.path("flex-snapshot-list", under_way), time.monotonic() + 10
    while rows(caller, newest)[0]["status"] != "COMPLETED" and time.monotonic() < deadline:
        caller.settle()  # one is under way from the start
    for cluster in caller.server.inventory.clusters:
        place = f"/api/atlas/v2/groups/{cluster.project}/clusters/{cluster.name}/backup"
        listed = shown = f"{place}/snapshots"
        if cluster.kind == "flex":
            listed = shown = listed.replace("/clusters/", "/flexClusters/")
        elif cluster.kind == "tenant":
            listed = shown = f"{place}/tenant/snapshots"
        elif cluster.sharded:
            assert rows(caller, listed) == []
            listed, shown = f"{listed}/shardedClusters", f"{listed}/shardedCluster"
        found = rows(caller, listed)
        begun = [one["id"] for one in found if one["id"] not in caller.server.fixtures.snapshots]
        assert len(begun) == (cluster == under_way)
        assert [one["id"] for one in found] == [*begun, *reversed(cluster.snapshots)]
        for one in found:
            assert got(caller, f"{shown}/{one['id']}") == one
            assert one["status"].lower() == "completed"
            seen += 1
        error(caller.send("GET", f"{shown}/{'0' * 24}"), 404)
    assert seen == len(caller.server.fixtures.snapshots) + 1


def test_a_restore_tells_the_same_story_as_its_snapshot(caller: Caller) -> None:
    flex, dedicated = caller.cluster("flex"), caller.cluster("cluster")
    place = f"/api/atlas/v2/groups/{flex.project}"
    snapshot = got(caller, f"{place}/flexClusters/{flex.name}/backup/snapshots/{flex.snapshots[0]}")
    assert caller.create("flex-create")["snapshotFinishedDate"] == snapshot["finishTime"]
    snapshot = got(caller, f"{place}/clusters/{dedicated.name}/backup/snapshots/{dedicated.snapshots[0]}")
    assert caller.create("cluster-create")["timestamp"] == snapshot["createdAt"]


@pytest.mark.parametrize(
    ("accept", "version"),
    [
        ("application/vnd.atlas.2025-03-12+json", "2024-08-05"),
        ("application/vnd.atlas.2024-08-05+json", "2024-08-05"),
        ("application/vnd.atlas.2024-05-30+json", "2023-02-01"),
        ("application/vnd.atlas.2023-01-01+json", "2023-01-01"),
        ("*/*", "2024-08-05"),
    ],
)
def test_a_cluster_is_shown_in_the_version_that_is_asked_for(caller: Caller, accept: str, version: str) -> None:
    cluster = caller.cluster("cluster", sharded=True)
    path = f"/api/atlas/v2/groups/{cluster.project}/clusters/{cluster.name}"
    answer = caller.send("GET", path, headers={"Accept": accept})
    assert f"application/vnd.atlas.{version}+json" in answer.headers["content-type"]
    specifications = answer.json()["replicationSpecs"]
    assert [one.get("numShards") for one in specifications] == ([None, None] if version == "2024-08-05" else [2])


def test_a_version_before_the_first_is_not_acceptable(caller: Caller) -> None:
    cluster = caller.cluster("flex")
    path = f"/api/atlas/v2/groups/{cluster.project}/flexClusters/{cluster.name}"
    error(caller.send("GET", path, headers={"Accept": "application/vnd.atlas.2023-01-01+json"}), 406)
    error(caller.send("GET", path, headers={"Accept": "text/html"}), 406)


def test_pages_envelopes_and_counts_are_as_in_other_lists(caller: Caller) -> None:
    page = got(caller, "/api/atlas/v2/groups?itemsPerPage=1")
    assert (len(page["results"]), page["totalCount"]) == (1, 2)
    following = next(one["href"] for one in page["links"] if one["rel"] == "next")
    second = got(caller, following.removeprefix(caller.server.url))
    assert second["results"][0]["id"] != page["results"][0]["id"]
    assert "totalCount" not in got(caller, "/api/atlas/v2/groups?includeCount=false")
    assert got(caller, "/api/atlas/v2/groups?envelope=true")["status"] == 200
    single = got(caller, f"/api/atlas/v2/groups/{page['results'][0]['id']}?envelope=true")
    assert single == {"status": 200, "content": page["results"][0]}


def test_what_does_not_exist_is_404_and_nothing_can_be_written(caller: Caller) -> None:
    cluster = caller.cluster("cluster")
    project = f"/api/atlas/v2/groups/{cluster.project}"
    for path in (
        "/api/atlas/v2/orgs/" + "0" * 24,
        "/api/atlas/v2/groups/" + "0" * 24,
        "/api/atlas/v2/groups/byName/nothing",
        f"{project}/clusters/absent",
        f"{project}/flexClusters/{cluster.name}",
        f"{project}/clusters/Flex0",
        f"{project}/clusters/",
        f"{project}/unheardOf",
        "/api/atlas/v3/groups",
    ):
        error(caller.send("GET", path), 404)
    for method in ("POST", "PATCH", "DELETE", "PUT"):
        error(caller.send(method, f"{project}/clusters/{cluster.name}", body={}), 404)
    error(caller.send("GET", f"{project}/clusters", token=None), 401)


def test_the_v1_cluster_has_what_older_clients_read(caller: Caller) -> None:
    cluster = caller.cluster("cluster")
    shown = got(caller, f"/api/atlas/v1.0/groups/{cluster.project}/clusters/{cluster.name}", "*/*")
    assert shown["providerSettings"]["instanceSizeName"] == "M10"
    assert "regionsConfig" in shown["replicationSpecs"][0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", shown["createDate"])
    tenant = caller.cluster("tenant")
    shown = got(caller, f"/api/atlas/v1.0/groups/{tenant.project}/clusters/{tenant.name}", "*/*")
    assert shown["providerSettings"]["providerName"] == "TENANT"


def test_the_restore_jobs_of_v1_are_listed_and_cancelled(caller: Caller) -> None:
    caller.server.reset(step=5)
    cluster = caller.cluster("cluster")
    place = f"/api/atlas/v1.0/groups/{cluster.project}/clusters/{cluster.name}/backup/restoreJobs"
    before = got(caller, place)["totalCount"]
    job = caller.create("cluster-create-v1")
    for path in (place, place + "/"):
        assert job["id"] in [one["id"] for one in rows(caller, path)]
    assert got(caller, place)["totalCount"] == before + 1
    reader = caller.token_of(caller.server.credentials.reader_account)
    error(caller.send("DELETE", f"{place}/{job['id']}", token=reader), 403)
    answer = caller.send("DELETE", f"{place}/{job['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert caller.call("cluster-get-v1", at={"job": job["id"]}).json()["cancelled"] is True
    error(caller.send("DELETE", f"{place}/{job['id']}"), 400)
    error(caller.send("DELETE", f"{place}/{'0' * 24}"), 404)
    caller.server.reset(step=0.03)


def test_a_token_can_be_revoked(caller: Caller) -> None:
    account = caller.server.credentials.owner_account
    token = caller.token_of(account)
    path = "/api/atlas/v2/groups"
    assert caller.send("GET", path, token=token).status_code == 200
    wrong: httpx.Response = caller.http.post("/api/oauth/revoke", auth=(account.id, "x"), data={"token": token})
    assert wrong.status_code == 401
    for _ in range(2):  # a token that is not known is no mistake
        answer = caller.http.post("/api/oauth/revoke", auth=(account.id, account.secret), data={"token": token})
        assert answer.status_code == 200
    error(caller.send("GET", path, token=token), 401)
