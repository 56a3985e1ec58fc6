"""`serve` as a mock: files for clients and scenarios, https, the control API."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import ssl
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from atlas_conformance.cli.serve import serve_command
from atlas_conformance.reference.scenario_file import read_scenario

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from atlas_conformance.cli.serve import serve_command; serve_command()"]


@contextlib.contextmanager
def serving(*arguments: str) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Serve in a process of its own; give the lines that it prints, and the variables among them."""
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        lines: list[str] = []
        while not (lines and lines[-1].startswith("export ATLAS_REFERENCE_OFF_LIST_CLIENT_SECRET=")):
            lines.append(process.stdout.readline().rstrip("\n"))
            assert lines[-1], "it ended before it said everything"
        if "--tls" in arguments:
            lines += [process.stdout.readline().rstrip("\n") for _ in range(4)]
        exported = (line.removeprefix("export ").partition("=") for line in lines if line.startswith("export "))
        yield lines, {name: shlex.split(value)[0] for name, _, value in exported}
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_what_it_prints_is_written_to_files(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("a.env", "a.json", "scenario.toml", "target.toml")}
    with serving(
        *("--write-env", str(files["a.env"]), "--write-env", str(files["a.json"])),
        *("--write-scenario", str(files["scenario.toml"]), "--write-target", str(files["target.toml"])),
    ) as (lines, exported):
        pairs = dict(line.split("=", 1) for line in files["a.env"].read_text().splitlines())
        assert pairs == exported
        document = json.loads(files["a.json"].read_text())
        assert document["environment"] == exported
        assert document["base_url"] == exported["MONGODB_ATLAS_BASE_URL"]
        scenario = read_scenario(files["scenario.toml"])
        target = tomllib.loads(files["target.toml"].read_text())
        names = [one["name"] for one in document["clusters"]]
        assert names == [one.name for one in scenario.clusters] == [one["name"] for one in target["clusters"]]
        failing = {one for cluster in document["clusters"] for one in cluster["failing_snapshots"]}
        assert failing == {one.id for cluster in scenario.clusters for one in cluster.snapshots if one.fails}
        told = {found[1] for line in lines if (found := re.search(r"a restore of its snapshot (\w+) fails", line))}
        assert told == failing != set()
        answer = httpx.get(document["control_url"], trust_env=False)
        assert answer.json()["frozen"] is False
    with serving("--scenario", str(files["scenario.toml"]), "--no-control") as (lines, again):
        assert again["MONGODB_ATLAS_PUBLIC_API_KEY"] == exported["MONGODB_ATLAS_PUBLIC_API_KEY"]
        assert httpx.get(again["MONGODB_ATLAS_BASE_URL"] + "/_control", trust_env=False).status_code == 401


def test_the_control_api_is_off_where_others_can_reach_it() -> None:
    with serving("--host", "0.0.0.0") as (lines, exported):
        url = exported["MONGODB_ATLAS_BASE_URL"].replace("0.0.0.0", "127.0.0.1")
        assert httpx.get(url + "/_control", trust_env=False).status_code == 401
        assert not any("/_control" in line for line in lines)
    with serving("--host", "0.0.0.0", "--control") as (_, exported):
        url = exported["MONGODB_ATLAS_BASE_URL"].replace("0.0.0.0", "127.0.0.1")
        assert httpx.get(url + "/_control", trust_env=False).status_code == 200


def test_https_with_a_certificate_made_on_the_spot(tmp_path: Path) -> None:
    authority, target = tmp_path / "ca.pem", tmp_path / "target.toml"
    with serving("--tls", "--write-ca", str(authority), "--write-target", str(target)) as (_, exported):
        url = exported["MONGODB_ATLAS_BASE_URL"]
        assert url.startswith("https://")
        assert exported["NODE_EXTRA_CA_CERTS"] == exported["ATLAS_MOCK_CA_FILE"] == str(authority)
        assert tomllib.loads(target.read_text())["tls"]["ca_file"] == str(authority)
        for file in (str(authority), exported["SSL_CERT_FILE"], exported["REQUESTS_CA_BUNDLE"]):
            trusting = ssl.create_default_context(cafile=file)
            assert httpx.get(url + "/api/atlas/v2", verify=trusting, trust_env=False).status_code == 401
        local = url.replace("127.0.0.1", "localhost")
        trusting = ssl.create_default_context(cafile=str(authority))
        assert httpx.get(local + "/api/atlas/v2", verify=trusting, trust_env=False).status_code == 401
        with pytest.raises(httpx.ConnectError):
            httpx.get(url + "/api/atlas/v2", trust_env=False)


def test_https_with_a_certificate_of_one_s_own(tmp_path: Path) -> None:
    from atlas_conformance.reference.tls import make_certificate

    own = make_certificate(tmp_path, "mock.example.net")
    assert (own.key.stat().st_mode & 0o777) == 0o600
    with serving("--tls-certificate", str(own.certificate), "--tls-key", str(own.key)) as (_, exported):
        trusting = ssl.create_default_context(cafile=str(own.authority))
        url = exported["MONGODB_ATLAS_BASE_URL"]
        assert httpx.get(url + "/api/atlas/v2", verify=trusting, trust_env=False).status_code == 401
        assert "NODE_EXTRA_CA_CERTS" not in exported


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tls-certificate", __file__], "belong together"),
        (["--tls-certificate", __file__, "--tls-key", __file__], "certificate"),
        (["--tls", "--write-ca", "/nowhere/ca.pem"], "/nowhere/ca.pem can't be written"),
        (["--write-env", "/nowhere/x"], "/nowhere/x can't be written"),
        (["--write-scenario", "/nowhere/x"], "/nowhere/x can't be written"),
        (["--scenario", "/nowhere/x"], "does not exist"),
    ],
)
def test_what_is_wrong_is_reported_in_one_sentence(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(serve_command, ["--port", "0", *arguments])
    assert result.exit_code == 2, result.output
    assert said in result.output
    assert "Traceback" not in result.output


def test_the_command_line_wins_over_the_scenario(tmp_path: Path) -> None:
    scenario = tmp_path / "s.toml"
    scenario.write_text(
        'level = "core"\nschemes = []\nseed = 1\n[freedoms]\nerror-body = "minimal"\nwrong-method = "404"\n'
        f'[[clusters]]\nproject = "{"a" * 24}"\nname = "One"\nkind = "flex"\n'
    )
    with serving("--scenario", str(scenario), "--level", "extended", "--freedom", "error-body=nulls") as (_, exported):
        path = (
            f"{exported['MONGODB_ATLAS_BASE_URL']}/api/atlas/v2/groups/{'a' * 24}/flexClusters/One/backup/restoreJobs"
        )
        assert httpx.get(path, trust_env=False).json()["totalCount"] == 0
        refused = httpx.delete(path, trust_env=False)
        assert refused.status_code == 404
        assert refused.json()["detail"] is None
