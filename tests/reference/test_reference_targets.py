"""Restore targets: each cluster that is listed can be restored to its like, and to itself."""

from __future__ import annotations

from typing import Any

import pytest

from atlas_conformance.contracts.inventory import Cluster
from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.targets.target_file import target_from_text
from tests.reference.calling import Caller, error

CREATES = {"flex": "flex-create", "tenant": "tenant-create", "dedicated": "cluster-create"}


def body(source: Cluster, target: Cluster) -> dict[str, Any]:
    if source.kind == "dedicated":
        return {
            "deliveryType": "automated",
            "snapshotId": source.snapshots[0],
            "targetClusterName": target.name,
            "targetGroupId": target.project,
        }
    return {
        "snapshotId": source.snapshots[0],
        "targetDeploymentItemName": target.name,
        "targetProjectId": target.project,
    }


@pytest.mark.parametrize("kind", sorted(CREATES))
def test_a_cluster_is_restored_to_itself_and_to_each_of_its_kind(caller: Caller, kind: str) -> None:
    alike = [one for one in caller.server.inventory.clusters if one.kind == kind]
    assert len(alike) > 1
    for source in alike:
        for target in alike:
            answer = caller.call(CREATES[kind], at={"cluster": source}, body=body(source, target))
            assert answer.status_code == 200, (source.name, target.name, answer.text)


def test_a_cluster_of_another_kind_is_refused_as_a_target(caller: Caller) -> None:
    flex, dedicated = caller.cluster("flex"), caller.cluster("cluster")
    error(caller.call("flex-create", body=body(flex, dedicated)), 400)
    error(caller.call("cluster-create", body=body(dedicated, flex)), 400)


def test_the_target_file_names_the_same_targets(caller: Caller) -> None:
    server = caller.server
    written = target_from_text(
        target_toml(server.url, server.inventory), dict(environment(server.credentials))
    ).inventory
    assert set(written.targets) == set(server.inventory.targets)
    for cluster in server.inventory.clusters:
        own = next(one for one in written.targets if (one.project, one.name) == (cluster.project, cluster.name))
        assert own.accepts == {cluster.kind}
