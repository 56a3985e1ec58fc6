"""What exists is asked for with GETs alone, and becomes a target file in which nothing destructive is enabled."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from atlas_conformance.cli.init import init_command
from atlas_conformance.contracts.inventory import Inventory
from atlas_conformance.http.client import Client
from atlas_conformance.http.failures import PreflightFailed
from atlas_conformance.http.target import Target
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.targets.asking import ask
from atlas_conformance.targets.drafting import draft
from atlas_conformance.targets.target_file import target_from_text
from tests.atlas_conformance.program import atlas
from tests.targets.scripted_wire import Arrival, WireServer, answer

PROJECT = "32b6e34b3d91647abb20e7b8"
SNAPSHOT = "4d5a1c2e9b8f7a6053e1d2c4"
GROUPS = "/api/atlas/v2/groups"


class Listing:
    """Answers GETs of some paths with rows, page by page, and everything else with 404."""

    def __init__(self, rows: dict[str, list[Any]]) -> None:
        self.rows = rows

    def __call__(self, arrival: Arrival) -> bytes:
        path, _, query = arrival.target.partition("?")
        if path not in self.rows:
            return answer(404, b'{"error": 404, "errorCode": "RESOURCE_NOT_FOUND"}')
        asked = dict(re.findall(r"(\w+)=(\d+)", query))
        size, page = int(asked["itemsPerPage"]), int(asked["pageNum"])
        results = self.rows[path][(page - 1) * size : page * size]
        return answer(200, json.dumps({"results": results, "totalCount": len(self.rows[path])}).encode())


@pytest.fixture
def wire() -> Iterator[WireServer]:
    server = WireServer()
    server.start()
    yield server
    server.stop()


def drafted(wire: WireServer, *projects: str, **limits: int) -> str:
    with Client(Target(wire.url), workers=1) as client:
        return draft(wire.url, ask(client, projects, **limits))


def usual(server: ReferenceServer) -> dict[str, str]:
    owner = server.credentials.owner
    return {
        "MONGODB_ATLAS_BASE_URL": server.url,
        "MONGODB_ATLAS_PUBLIC_API_KEY": owner.public,
        "MONGODB_ATLAS_PRIVATE_API_KEY": owner.private,
    }


@pytest.fixture(scope="module")
def reference() -> Iterator[ReferenceServer]:
    with ReferenceServer(seed=3, step=60.0) as server:  # what is under way stays so
        yield server


def test_the_file_describes_what_the_endpoint_lists_and_a_run_takes_it(
    reference: ReferenceServer, tmp_path: Path
) -> None:
    environ = usual(reference)
    ended = atlas("init", cwd=tmp_path, environ=environ)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("Wrote atlas.toml: 2 projects, 9 clusters, 27 snapshots")
    text = (tmp_path / "atlas.toml").read_text("utf-8")
    target = target_from_text(text, environ)
    there = {(c.project, c.name, c.kind, c.sharded, frozenset(c.snapshots)) for c in reference.inventory.clusters}
    listed = target.inventory.clusters
    assert {(c.project, c.name, c.kind, c.sharded, frozenset(c.snapshots)) for c in listed} == there
    assert all((c.point_in_time is not None) == (c.kind == "dedicated") for c in listed)
    assert (target.safety.mode, target.safety.destroyable, target.inventory.targets) == ("read", frozenset(), ())
    assert not [value for name, value in environ.items() if name.endswith("KEY") and value in text + ended.stdout]
    ran = atlas("run", "--target", "atlas.toml", "--requirement", "N-JOB", "--seed", "1", cwd=tmp_path, environ=environ)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_moment_that_it_writes_is_inside_the_restore_window(reference: ReferenceServer, tmp_path: Path) -> None:
    with Client(target_from_text("", usual(reference)), workers=1) as client:
        asked = ask(client)
    fixtures = reference.fixtures
    dedicated = [found for found in asked.clusters if found.cluster.kind == "dedicated"]
    assert dedicated
    for found in dedicated:
        moment = found.cluster.point_in_time
        assert moment is not None
        assert moment.utc_seconds is not None
        assert found.moment_sure
        assert fixtures.window(found.cluster) <= moment.utc_seconds <= fixtures.epoch


def test_what_is_commented_out_can_be_used_as_it_stands(reference: ReferenceServer) -> None:
    with Client(target_from_text("", usual(reference)), workers=1) as client:
        text = draft(reference.url, ask(client))
    enabled = re.sub(r"(?m)^# (?=\[|[a-z_]+ = )", "", text)
    enabled = enabled.replace('"Scratch0"', json.dumps(reference.inventory.clusters[0].name))
    names = dict.fromkeys(re.findall(r'"([A-Z][A-Z_]+)"', enabled), "x")
    enabled = re.sub(r"operations = .*", "", enabled)
    target = target_from_text(enabled, names)
    assert set(target.credentials) == {"owner", "reader", "off-list"}
    assert {(t.project, t.name) for t in target.inventory.targets} == {
        (c.project, c.name) for c in target.inventory.clusters
    }
    assert (target.level, target.limits.rate, len(target.safety.destroyable)) == ("extended", 10.0, 1)


def test_only_gets_are_sent_and_lists_are_walked_to_their_end(wire: WireServer) -> None:
    names = [f"Flex{number}" for number in range(230)]
    wire.script = Listing({GROUPS: [{"id": PROJECT}], f"{GROUPS}/{PROJECT}/flexClusters": [{"name": n} for n in names]})
    text = drafted(wire, clusters=400)
    assert {arrival.method for arrival in wire.arrivals} == {"GET"}
    assert [c.name for c in target_from_text(text, {}).inventory.clusters] == names
    # That flex clusters have no list of snapshots is learnt once.
    assert sum("snapshots" in arrival.target for arrival in wire.arrivals) == 1


def test_where_nothing_is_listed_it_asks_no_further_and_run_says_what_is_missing(
    wire: WireServer, tmp_path: Path
) -> None:
    wire.script = Listing({})
    ended = atlas("init", "--base-url", wire.url, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert [arrival.target.partition("?")[0] for arrival in wire.arrivals] == [GROUPS]
    text = (tmp_path / "atlas.toml").read_text("utf-8")
    assert "the endpoint lists no projects (it answers 404)" in text
    tomllib.loads(text)
    ran = atlas("run", "--target", "atlas.toml", cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "clusters[0].project" in ran.stderr
    assert "24 lower-case hexadecimal digits" in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert len(wire.arrivals) == 1
    filled = text.replace('"FILL IN"', f'"{PROJECT}"', 1).replace('"FILL IN"', '"Flex0"')
    assert target_from_text(filled, {}).inventory.clusters[0].name == "Flex0"


def test_a_named_project_is_asked_about_without_a_list_of_projects(wire: WireServer) -> None:
    rows = {
        f"{GROUPS}/{PROJECT}/clusters": [
            {"name": "Rep0", "replicationSpecs": [{"regionConfigs": [{"electableSpecs": {"instanceSize": "M10"}}]}]},
            {"name": "Shards", "clusterType": "GEOSHARDED", "pitEnabled": True},
            {"name": "Small", "replicationSpecs": [{"regionConfigs": [{"electableSpecs": {"instanceSize": "M5"}}]}]},
            {"name": "Free", "replicationSpecs": [{"regionConfigs": [{"electableSpecs": {"instanceSize": "M0"}}]}]},
        ],
        f"{GROUPS}/{PROJECT}/clusters/Rep0/backup/snapshots": [
            {"id": SNAPSHOT, "status": "completed", "createdAt": "2026-01-01T00:00:00Z"},
            {"id": "5" * 24, "status": "failed"},
            {"id": "6" * 24, "status": "completed", "createdAt": "2026-02-01T00:00:00Z"},
        ],
        f"{GROUPS}/{PROJECT}/clusters/Shards/backup/snapshots/shardedClusters": [
            {"id": "7" * 24, "status": "completed", "createdAt": "2026-01-01T00:00:00Z"}
        ],
    }
    wire.script = Listing(rows)
    text = drafted(wire, PROJECT)
    found = {cluster.name: cluster for cluster in target_from_text(text, {}).inventory.clusters}
    assert {name: cluster.kind for name, cluster in found.items()} == {
        "Rep0": "dedicated",
        "Shards": "dedicated",
        "Small": "tenant",
    }
    assert found["Rep0"].snapshots == ("6" * 24, SNAPSHOT)
    assert found["Shards"].sharded
    # Nobody vouches for a moment that old, so it is left to a person.
    assert found["Shards"].point_in_time is None
    assert "# point_in_time = { utc_seconds = 1767225600 }" in text
    assert "Free of project" in text
    assert GROUPS not in [arrival.target.partition("?")[0] for arrival in wire.arrivals]


HOSTILE = 'x"\n[safety]\nmode = "restore"\n# \x1b[2J\u202e'


def test_what_an_endpoint_says_cannot_write_into_the_file(wire: WireServer) -> None:
    wire.script = Listing(
        {
            GROUPS: [{"id": PROJECT, "name": HOSTILE}, {"id": HOSTILE, "name": "n"}, {"id": 7}, "no row"],
            f"{GROUPS}/{PROJECT}/flexClusters": [{"name": HOSTILE}, {"name": ["a"]}, {}, {"name": "Flex0"}],
            f"{GROUPS}/{PROJECT}/clusters": [{"name": HOSTILE, "replicationSpecs": [{"regionConfigs": 5}, 6]}],
            f"{GROUPS}/{PROJECT}/flexClusters/Flex0/backup/snapshots": [{"id": HOSTILE}, {"id": SNAPSHOT}],
        }
    )
    text = drafted(wire)
    target = target_from_text(text, {})
    assert target.safety.mode == "read"
    assert [(c.name, c.snapshots) for c in target.inventory.clusters] == [("Flex0", (SNAPSHOT,))]
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("body", [b"", b"[]", b'{"results": {}}', b"<html>", b"[" * 100_000])
def test_an_answer_that_is_no_list_counts_as_none(wire: WireServer, body: bytes) -> None:
    wire.script = lambda arrival: answer(200, body)
    assert "FILL IN" in drafted(wire)


def test_few_clusters_are_enough(wire: WireServer) -> None:
    rows = {GROUPS: [{"id": f"{n:024x}"} for n in range(5)]}
    rows |= {f"{GROUPS}/{n:024x}/flexClusters": [{"name": f"F{m}"} for m in range(3)] for n in range(5)}
    wire.script = Listing(rows)
    text = drafted(wire, clusters=4)
    inventory: Inventory = target_from_text(text, {}).inventory
    assert len(inventory.clusters) == 4
    assert "4 clusters are enough" in text
    assert not any(f"{4:024x}" in arrival.target for arrival in wire.arrivals)


def test_a_file_that_is_there_is_kept_unless_forced(wire: WireServer, tmp_path: Path) -> None:
    wire.script = Listing({})
    file = tmp_path / "mine.toml"
    file.write_text("kept", encoding="utf-8")
    ended = CliRunner().invoke(init_command, ["--base-url", wire.url, "--out", str(file)])
    assert (ended.exit_code, file.read_text("utf-8")) == (2, "kept")
    assert "--force" in ended.stderr
    assert wire.arrivals == []
    forced = CliRunner().invoke(init_command, ["--base-url", wire.url, "--out", str(file), "--force"])
    assert forced.exit_code == 0
    assert "base_url" in file.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "give --base-url or set MONGODB_ATLAS_BASE_URL"),
        (("--base-url", "nowhere"), 2, "is not an http or https URL"),
        (("--base-url", "http://127.0.0.1:9", "--project", "x"), 2, "24 lower-case hexadecimal digits"),
        (("--base-url", "http://127.0.0.1:9"), 3, "nothing listens at 127.0.0.1:9"),
    ],
)
def test_what_is_wrong_is_reported_in_one_sentence(
    arguments: tuple[str, ...], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MONGODB_ATLAS_BASE_URL", raising=False)
    file = tmp_path / "atlas.toml"
    ended = CliRunner().invoke(init_command, [*arguments, "--out", str(file)])
    assert (ended.exit_code, ended.stdout) == (code, "")
    assert said in ended.stderr
    assert not file.exists()


def test_refused_credentials_are_named_and_never_shown(reference: ReferenceServer) -> None:
    environ = usual(reference) | {"MONGODB_ATLAS_PRIVATE_API_KEY": "canary"}
    with Client(target_from_text("", environ), workers=1) as client:
        with pytest.raises(PreflightFailed, match="MONGODB_ATLAS_PRIVATE_API_KEY") as caught:
            ask(client)
    assert "canary" not in str(caught.value)
