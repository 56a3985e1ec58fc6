"""Scenario files: what they say comes to be, and what is wrong in them is reported with its line."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
import yaml
from click.testing import CliRunner

from atlas_conformance.cli.init import init_command
from atlas_conformance.cli.serve import serve_command
from atlas_conformance.reference.mock import MockAtlas
from atlas_conformance.reference.scenario import scenario_schema
from atlas_conformance.reference.scenario_file import ScenarioError, read_scenario, scenario_of_text
from atlas_conformance.reference.scenario_fixtures import scenario_options, scenario_toml
from atlas_conformance.reference.server import ReferenceServer
from tests.reference.calling import Caller, error

PROJECT = "32b6e34b3d91647abb20e7b8"
SNAPSHOT, BROKEN, MOMENT = "4d5a1c2e9b8f7a6053e1d2c4", "4d5a1c2e9b8f7a6053e1d2c5", "5e6b2d3fac907b8164f2e3d5"
TEXT = f"""
seed = 5
schemes = ["digest"]
freedoms = {{ first-status = "QUEUED" }}

[[projects]]
id = "{PROJECT}"
name = "Shop"

[[clusters]]
project = "{PROJECT}"
name = "Flex0"
kind = "flex"

[[clusters.snapshots]]
id = "{SNAPSHOT}"
finished = 2026-01-02T03:04:05Z

[[clusters.snapshots]]
id = "{BROKEN}"
fails = true

[[clusters]]
project = "{PROJECT}"
name = "Big"
sharded = true
provider = "GCP"

[[clusters.snapshots]]
id = "{MOMENT}"

[[targets]]
project = "{PROJECT}"
name = "Größe"
accepts = ["flex"]

[credentials.owner]
public_key = "mine"
private_key = "not-a-secret"

[states]
QUEUED = 10
RUNNING = "forever"

[[failures]]
cluster = "Big"
after = 1
times = 1

[[rules]]
operations = ["flex-list"]
after = 1
times = 1
status = 503
retry_after = 3
"""


def auth() -> httpx.DigestAuth:
    return httpx.DigestAuth("mine", "not-a-secret")


def place(mock: MockAtlas, cluster: str = "Flex0") -> str:
    kind = "flexClusters" if cluster == "Flex0" else "clusters"
    return f"{mock.url}/api/atlas/v2/groups/{PROJECT}/{kind}/{cluster}/backup/restoreJobs"


def restore(mock: MockAtlas, snapshot: str, target: str = "Flex0") -> dict[str, Any]:
    body = {"snapshotId": snapshot, "targetDeploymentItemName": target}
    answer = httpx.post(place(mock), json=body, auth=auth(), trust_env=False)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_what_a_scenario_says_comes_to_be(tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text(TEXT, encoding="utf-8")
    with MockAtlas(file) as mock:
        mock.freeze()
        job = restore(mock, SNAPSHOT)
        assert (job["status"], job["snapshotFinishedDate"]) == ("QUEUED", "2026-01-02T03:04:05Z")
        restore(mock, SNAPSHOT, "Größe")
        mock.advance(seconds=10)
        assert mock.job(job["id"]).state == "RUNNING"
        mock.advance(hours=24 * 365 * 30)
        assert mock.job(job["id"]).state == "RUNNING"
        broken = restore(mock, BROKEN)
        mock.advance_to_end(broken["id"])
        assert mock.job(broken["id"]).state == "FAILED"
        listed = [httpx.get(place(mock), auth=auth(), trust_env=False) for _ in range(3)]
        assert [one.status_code for one in listed] == [200, 503, 200]
        body = {"deliveryType": "automated", "snapshotId": MOMENT, "targetClusterName": "Big", "targetGroupId": PROJECT}
        ids = [httpx.post(place(mock, "Big"), json=body, auth=auth(), trust_env=False).json()["id"] for _ in range(3)]
        mock.advance_to_end()
        assert [mock.job(one).state for one in ids] == ["COMPLETED", "FAILED", "COMPLETED"]
        project = httpx.get(f"{mock.url}/api/atlas/v2/groups/{PROJECT}", auth=auth(), trust_env=False).json()
        assert project["name"] == "Shop"
        refused = httpx.get(place(mock), trust_env=False)
        assert not refused.headers["www-authenticate"].startswith("Bearer")
        mock.reset()  # the scenario begins anew
        assert [httpx.get(place(mock), auth=auth(), trust_env=False).status_code for _ in range(2)] == [200, 503]


def test_the_same_scenario_can_be_written_in_yaml_and_served_from_a_process_of_its_own(tmp_path: Path) -> None:
    text = yaml.safe_dump(tomllib.loads(TEXT), allow_unicode=True)
    scenario = scenario_of_text(text, "scenario.yaml")
    assert scenario == scenario_of_text(TEXT, "scenario.toml")
    with ReferenceServer(**scenario_options(scenario)) as server:
        assert server.credentials.owner.public == "mine"
        assert [one.name for one in server.inventory.clusters] == ["Flex0", "Big"]
        path = f"/api/atlas/v2/groups/{PROJECT}/flexClusters/Flex0/backup/restoreJobs"
        answers = [httpx.get(server.url + path, auth=auth(), trust_env=False).status_code for _ in range(2)]
        assert answers == [200, 503]


def test_a_scenario_that_is_written_is_read_as_the_same(tmp_path: Path) -> None:
    with ReferenceServer(seed=4, in_process=True) as first:
        text = scenario_toml(first.fixtures, first.credentials)
        scenario = scenario_of_text(text, "written.toml")
        with ReferenceServer(**scenario_options(scenario), seed=4, in_process=True) as second:
            assert second.credentials == first.credentials
            for name in ("clusters", "snapshots", "projects", "organizations", "described"):
                mine, other = getattr(second.fixtures, name), getattr(first.fixtures, name)
                if name != "clusters":  # their moments are the newest snapshot's
                    assert mine == other, name
                else:
                    assert list(mine) == list(other)
            assert set(second.inventory.targets) == set(first.inventory.targets)
            calling = Caller(second)
            for operation in ("flex-create", "cluster-create", "tenant-create"):
                calling.create(operation)
            calling.http.close()


def test_init_makes_a_scenario_of_what_an_endpoint_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "scenario.toml"
    monkeypatch.chdir(tmp_path)
    with MockAtlas(seed=6) as mock:
        for name, value in mock.environment.items():
            monkeypatch.setenv(name, value)
        made = CliRunner().invoke(init_command, ["--scenario", str(out)])
        assert made.exit_code == 0, made.output
        again = CliRunner().invoke(init_command, ["--scenario", str(out)])
        assert (again.exit_code, "already exists" in again.output) == (2, True)
        assert not list(tmp_path.glob("atlas.toml"))
        text = out.read_text(encoding="utf-8")
        scenario = scenario_of_text(text, str(out))
        listed = {(one.project, one.name, one.kind, one.sharded) for one in mock.fixtures.inventory.clusters}
        assert {(one.project, one.name, one.kind, one.sharded) for one in scenario.clusters} == listed
        assert {one.id for cluster in scenario.clusters for one in cluster.snapshots} == set(mock.fixtures.snapshots)
        assert {one.name for one in scenario.projects} == {"Project 0", "Project 1"}
        assert mock.credentials.owner.private not in text
        assert mock.credentials.owner_account.secret not in text
    with MockAtlas(scenario) as second:
        calling = Caller(second.server)
        for operation in ("flex-create", "cluster-create", "tenant-create"):
            calling.create(operation)
        point = calling.body("cluster-create", "pointInTime")
        assert calling.call("cluster-create", body=point).status_code == 200
        calling.http.close()


def test_the_schema_takes_what_the_reader_takes() -> None:
    schema = scenario_schema()
    document = json.loads(json.dumps(tomllib.loads(TEXT), default=lambda value: value.isoformat()))
    jsonschema_rs.Draft202012Validator(schema).validate(document)
    printed = CliRunner().invoke(serve_command, ["--scenario-schema"])
    assert json.loads(printed.output) == schema
    document["clusters"][0]["kin"] = "flex"
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.Draft202012Validator(schema).validate(document)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            'kind = "flex"',
            'kind = "flx"',
            "clusters[0].kind (line {line}): kind must be 'flex', 'tenant' or 'dedicated'",
        ),
        ('kind = "flex"', 'kin = "flex"', "clusters[0].kin (line {line}): kin is not a known key; did you mean kind?"),
        ('name = "Big"', 'name = "-Big"', "clusters[1] (line {line}): '-Big' is no cluster name"),
        ('name = "Big"', 'name = "Flex0"', "clusters[1].name (line {line}): the project has two clusters called Flex0"),
        (f'id = "{MOMENT}"', 'id = "abc"', "clusters[1].snapshots[0].id (line {line}): id"),
        (
            f'id = "{MOMENT}"',
            f'id = "{SNAPSHOT}"',
            "clusters[1].snapshots[0].id (line {line}): two snapshots have the id",
        ),
        (f'id = "{MOMENT}"', "", "clusters[1].snapshots[0].id (line {line}): id is missing"),
        (
            "fails = true",
            "fails = 1",
            "clusters[0].snapshots[1].fails (line {line}): fails must be a valid boolean, not 1",
        ),
        ("2026-01-02T03:04:05Z", "2126-01-02T03:04:05Z", "clusters[0].snapshots[0].finished (line {line}): a snapshot"),
        ('name = "Größe"', 'name = "a/b"', "targets[0] (line {line}): 'a/b' is no name of a target"),
        ('name = "Größe"', 'name = "Big"', "targets[0].name (line {line}): Big is there already"),
        ("QUEUED = 10", "QUEUED = 0", "states.QUEUED"),
        ("QUEUED = 10", "Queued = 10", "states.Queued (line {line}): Queued is not a known key; did you mean QUEUED?"),
        ('cluster = "Big"', 'cluster = "Bog"', "failures[0].cluster (line {line}): there is no cluster Bog"),
        ("status = 503", "status = 200", "rules[0].status (line {line}): status must be greater than or equal to 400"),
        ('"flex-list"', '"flex-lst"', "rules[0] (line {line}): there is no operation 'flex-lst'"),
        ("seed = 5", 'seed = "5"', "seed (line {line}): seed must be a valid integer, not '5'"),
        ("seed = 5", "seed =", "is no TOML"),
        ("first-status", "first-statu", "there is no freedom 'first-statu'; did you mean 'first-status'?"),
        ('private_key = "not-a-secret"', "private_key = 7706077", "credentials.owner.private_key (line {line})"),
    ],
)
def test_what_is_wrong_is_reported_with_its_line(tmp_path: Path, before: str, after: str, said: str) -> None:
    for suffix in ("toml", "yaml") if "TOML" not in said else ("toml",):
        text = TEXT.replace(before, after, 1)
        if suffix == "yaml":
            text = yaml.safe_dump(tomllib.loads(text), allow_unicode=True, sort_keys=False)
        file = tmp_path / f"scenario.{suffix}"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ScenarioError) as raised:
            read_scenario(file)
        message = str(raised.value)
        assert message.startswith(str(file))
        assert "\n" not in message
        assert "7706077" not in message
        expected = said.partition(" (line {line})")
        assert expected[0] in message, message
        if expected[1] and suffix == "toml":
            whole = said.replace("{line}", message.partition("(line ")[2].partition(")")[0])
            assert whole in message
            named = int(message.partition("(line ")[2].partition(")")[0])
            header = line_of(TEXT, before)
            assert header - 3 <= named <= header, (named, header, message)
        if expected[1]:
            assert "(line " in message


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.toml", b"\xff\xfe", "no text in UTF-8"),
        ("a.yaml", b"a: [", "is no YAML"),
        ("a.yaml", b"[1]", "must be a table"),
        ("a.toml", b"", "clusters is missing"),
        ("a.toml", b"clusters = []", "clusters must have at least 1 item"),
    ],
)
def test_files_that_are_no_scenario_are_reported_in_one_sentence(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(ScenarioError) as raised:
        read_scenario(file)
    assert said in str(raised.value)
    result = CliRunner().invoke(serve_command, ["--port", "0", "--scenario", str(file)])
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_cluster_of_a_scenario_is_restored_to_itself_and_nothing_else_is_there(tmp_path: Path) -> None:
    scenario = scenario_of_text(
        f'[[clusters]]\nproject = "{PROJECT}"\nname = "Only"\n[[clusters.snapshots]]\nid = "{SNAPSHOT}"\n', "one.toml"
    )
    with MockAtlas(scenario) as mock:
        calling = Caller(mock.server)
        calling.create("cluster-create")
        body = calling.body("cluster-create")
        error(calling.call("cluster-create", body=body | {"targetClusterName": "Target0"}), 404)
        assert calling.call("cluster-list").json()["totalCount"] == 1
        calling.http.close()
