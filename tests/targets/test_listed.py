"""What a run does without fixtures: it works with the clusters and snapshots that the endpoint itself lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from atlas_conformance.contracts.inventory import Cluster
from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.phases import PreparedRun
from atlas_conformance.runner.session import Session


@pytest.fixture
def reference() -> Iterator[ReferenceServer]:
    with ReferenceServer(seed=3, step=0.01, in_process=True) as server:
        yield server


def prepared(server: ReferenceServer, target: Path | None = None) -> PreparedRun:
    """Prepare a run by the URL alone, or by a target file."""
    environ = dict(environment(server.credentials))
    owner = server.credentials.owner
    environ |= {"MONGODB_ATLAS_PUBLIC_API_KEY": owner.public, "MONGODB_ATLAS_PRIVATE_API_KEY": owner.private}
    named = {"target": str(target)} if target is not None else {"base_url": server.url}
    session = Session(Options(profile="quick", seed=1, **named), environ=environ)
    try:
        return session.prepare()
    finally:
        session.close()


def by_name(clusters: tuple[Cluster, ...]) -> dict[tuple[str, str], Cluster]:
    return {(cluster.project, cluster.name): cluster for cluster in clusters}


def test_by_its_url_alone_a_run_works_with_what_the_endpoint_lists(reference: ReferenceServer) -> None:
    made = prepared(reference)
    assert made.header.conclusion == "works with the clusters and snapshots that it lists"
    listed, there = by_name(made.knowledge.inventory.clusters), by_name(reference.inventory.clusters)
    assert listed.keys() == there.keys()
    for place, cluster in listed.items():
        assert (cluster.kind, cluster.sharded) == (there[place].kind, there[place].sharded)
        assert cluster.snapshots
        if cluster.kind == "dedicated":  # one of a flex cluster is under way when the endpoint starts
            assert set(cluster.snapshots) <= set(there[place].snapshots)
    # On this machine each of them may be restored to.
    assert {(target.project, target.name) for target in made.knowledge.inventory.targets} == listed.keys()


def test_a_target_file_need_not_name_snapshots_that_are_listed(reference: ReferenceServer, tmp_path: Path) -> None:
    there = by_name(reference.inventory.clusters)
    kept = next(place for place, cluster in there.items() if cluster.kind == "flex")
    bare = tuple(c if place == kept else replace(c, snapshots=()) for place, c in there.items())
    target = tmp_path / "target.toml"
    target.write_text(target_toml(reference.url, replace(reference.inventory, clusters=bare)), encoding="utf-8")
    filled = by_name(prepared(reference, target).knowledge.inventory.clusters)
    assert filled[kept].snapshots == there[kept].snapshots
    for place, cluster in filled.items():
        if place != kept:
            # The operations that list snapshots are those of flex and of dedicated clusters, sharded or not.
            assert bool(cluster.snapshots) is (cluster.kind != "tenant"), place
            if cluster.kind == "dedicated":
                assert set(cluster.snapshots) <= set(there[place].snapshots)
    assert {cluster.sharded for cluster in filled.values() if cluster.kind == "dedicated"} == {True, False}
