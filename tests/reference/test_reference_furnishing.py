"""The reference endpoint with an inventory of somebody else's, without authentication, and its lists of what exists."""

from __future__ import annotations

import json
from typing import Any

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.inventory import Cluster, Inventory, PointInTime, RestoreTarget
from atlas_conformance.http.client import Client
from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.strategies.bodies import base_bodies
from atlas_conformance.strategies.requests import build
from atlas_conformance.strategies.scenes import path_parameters, scenes
from atlas_conformance.targets.target_file import target_from_text

OPERATIONS = Contract.load().operations

PROJECT = "32b6e34b3d91647abb20e7b8"
MOMENT = PointInTime(1_700_000_000, 1_700_000_000, 1)
INVENTORY = Inventory(
    (
        Cluster(PROJECT, "Flex0", "flex", False, ("4d5a1c2e9b8f7a6053e1d2c4",)),
        Cluster(PROJECT, "Shards", "dedicated", True, ("5e6b2d3fac907b8164f2e3d5",), MOMENT),
        Cluster(PROJECT, "Bare", "dedicated"),
    ),
    (RestoreTarget(PROJECT, "Scratch0", frozenset({"flex", "dedicated"})),),
)
LISTS = (
    "/api/atlas/v2/groups",
    f"/api/atlas/v2/groups/{PROJECT}/clusters",
    f"/api/atlas/v2/groups/{PROJECT}/flexClusters",
    f"/api/atlas/v2/groups/{PROJECT}/clusters/Shards/backup/snapshots/shardedClusters",
    f"/api/atlas/v2/groups/{PROJECT}/flexClusters/Flex0/backup/snapshots",
)


def client_of(server: ReferenceServer) -> Client:
    text = target_toml(server.url, server.inventory)
    return Client(target_from_text(text, dict(environment(server.credentials))), workers=1)


def got(client: Client, target: str, **more: Any) -> tuple[int, Any]:
    response = client.send(Request("GET", target, (("Accept", "application/json"),), **more)).response
    return response.status, json.loads(response.body)


@pytest.mark.parametrize("in_process", [True, False])
def test_exactly_what_it_is_given_exists(in_process: bool) -> None:
    earlier = {(PROJECT, "Flex0"): 2}
    freedoms = {"point-outside-window": "taken"}
    with ReferenceServer(
        seed=1, inventory=INVENTORY, earlier=earlier, freedoms=freedoms, in_process=in_process
    ) as server:
        assert server.inventory == INVENTORY
        with client_of(server) as client:
            for name in ("flex-create", "cluster-create"):
                operation = OPERATIONS[name]
                (scene,) = scenes(INVENTORY, operation.cluster_kind)
                for body in base_bodies(operation, scene):
                    request = build(operation, path_parameters(operation, scene, ""), body.document)
                    assert client.send(request).response.status == 200, body.what
            jobs = {}
            for name, cluster in (("flex-list", "Flex0"), ("cluster-list", "Shards"), ("cluster-list", "Bare")):
                operation = OPERATIONS[name]
                parameters = dict(zip(operation.path_parameters, (PROJECT, cluster), strict=True))
                jobs[cluster] = json.loads(client.send(build(operation, parameters)).response.body)["totalCount"]
    assert jobs == {"Flex0": 2 + 1, "Shards": 4, "Bare": 0}


def test_without_schemes_everybody_may_come_in() -> None:
    with ReferenceServer(seed=1, authentication=(), in_process=True) as server, client_of(server) as client:
        assert got(client, LISTS[0], credential="none")[0] == 200
    with ReferenceServer(seed=1, in_process=True) as server, client_of(server) as client:
        assert got(client, LISTS[0], credential="none")[0] == 401


def test_what_exists_is_listed_page_by_page() -> None:
    with ReferenceServer(seed=1, inventory=INVENTORY, in_process=True) as server, client_of(server) as client:
        pages = {path: got(client, path) for path in LISTS}
        assert {status for status, _ in pages.values()} == {200}
        assert [row["id"] for row in pages[LISTS[0]][1]["results"]] == [PROJECT]
        assert [row["name"] for row in pages[LISTS[1]][1]["results"]] == ["Shards", "Bare"]
        assert [row["name"] for row in pages[LISTS[2]][1]["results"]] == ["Flex0"]
        assert [row["id"] for row in pages[LISTS[3]][1]["results"]] == ["5e6b2d3fac907b8164f2e3d5"]
        assert [row["id"] for row in pages[LISTS[4]][1]["results"]] == ["4d5a1c2e9b8f7a6053e1d2c4"]
        status, second = got(client, f"{LISTS[1]}?itemsPerPage=1&pageNum=2")
        assert (status, [row["name"] for row in second["results"]], second["totalCount"]) == (200, ["Bare"], 2)


def test_lists_of_what_does_not_exist_are_refused() -> None:
    with ReferenceServer(seed=1, inventory=INVENTORY, in_process=True) as server, client_of(server) as client:
        for path in (
            LISTS[1].replace(PROJECT, "0" * 24),
            LISTS[4].replace("Flex0", "Absent"),
            LISTS[3].replace("Shards", "Absent"),
            f"{LISTS[0]}/{PROJECT}/unheardOf",
            f"{LISTS[0]}/",
        ):
            status, document = got(client, path)
            assert (status, document["error"]) == (404, 404), path
        assert got(client, LISTS[4].replace("Flex0", "Shards"))[0] == 400  # it exists, and is of another kind
        assert got(client, f"{LISTS[0]}?itemsPerPage=0")[0] == 400
        post = Request("POST", LISTS[1], (("Content-Type", "application/json"),), b"{}")
        assert client.send(post).response.status == 404
