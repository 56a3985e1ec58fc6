"""The server's life: its own process, resets, the database file, the command line."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from atlas_conformance.cli.serve import serve_command
from atlas_conformance.reference.server import ReferenceServer, ServerError
from tests.reference.calling import Caller

ROOT = Path(__file__).resolve().parents[2]


def is_served(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, int(port))) == 0


def wait_until(true: object, limit: float = 6.0) -> bool:
    assert callable(true)
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("in_process", [True, False])
def test_start_reset_and_stop(in_process: bool) -> None:
    with ReferenceServer(in_process=in_process, step=5) as server:
        calling = Caller(server)
        job = calling.create("flex-create")
        inventory, credentials = server.inventory, server.credentials
        server.reset(freedoms={"envelope-key": "envelope"}, step=0.5)
        assert calling.call("flex-get", at={"job": job["id"]}).status_code == 404
        assert "envelope" in calling.create("flex-create", query="?envelope=true")
        assert (server.inventory, server.credentials) == (inventory, credentials)
        with pytest.raises(ServerError, match="there is no freedom 'x'"):
            server.reset(freedoms={"x": "y"})
        with pytest.raises(ServerError, match="there is no fault 'x'"):
            server.reset(fault="x")
        assert "envelope" in calling.create("flex-create", query="?envelope=true")
        calling.http.close()
        url = server.url
    assert not is_served(url)
    server.stop()
    with pytest.raises(ServerError, match="not running"):
        server.reset()


def test_the_same_seed_gives_the_same_endpoint() -> None:
    with ReferenceServer(seed=5) as first, ReferenceServer(seed=5) as second, ReferenceServer() as third:
        assert first.credentials == second.credentials != third.credentials
        assert first.inventory.targets == second.inventory.targets != third.inventory.targets


def test_the_child_does_not_outlive_its_parent() -> None:
    script = (
        "import time, os\nfrom atlas_conformance.reference.server import ReferenceServer\n"
        "server = ReferenceServer().__enter__()\nprint(server.url, flush=True)\n"
        "if os.fork() == 0:\n    time.sleep(8)\n    os._exit(0)\n"  # a forked process holds the control socket open
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT, text=True, start_new_session=True
    )
    try:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert is_served(url)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait(5)
        assert wait_until(lambda: not is_served(url))
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
        assert parent.stdout is not None
        parent.stdout.close()


def test_a_database_file_keeps_jobs_and_credentials(tmp_path: Path) -> None:
    file = str(tmp_path / "jobs.db")
    with ReferenceServer(database=file, step=5) as server:
        calling = Caller(server)
        job = calling.create("flex-create")
        count, credentials = calling.call("flex-list").json()["totalCount"], server.credentials
        calling.http.close()
    with ReferenceServer(database=file) as server:
        calling = Caller(server)
        assert server.credentials == credentials
        assert (
            calling.call("flex-get", at={"job": job["id"]}).json()["restoreScheduledDate"]
            == job["restoreScheduledDate"]
        )
        assert calling.create("flex-create")["id"] != job["id"]
        assert calling.call("flex-list").json()["totalCount"] == count + 1
        calling.http.close()
    with pytest.raises(ServerError, match="another seed"), ReferenceServer(database=file, seed=1):
        pass
    with sqlite3.connect(file) as connection:
        assert connection.execute("select count(*) from jobs").fetchone()[0] > 2
    connection.close()
    (tmp_path / "text.db").write_text("no database at all, but long enough to be looked at by SQLite" * 20)
    with pytest.raises(ServerError, match="database"), ReferenceServer(database=str(tmp_path / "text.db")):
        pass


@pytest.mark.parametrize("in_process", [True, False])
def test_what_can_t_be_started_is_reported_in_one_sentence(in_process: bool) -> None:
    with ReferenceServer() as server:
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(ServerError, match=f"port {port} of 127.0.0.1 can't be used"):
            ReferenceServer(port=port, in_process=in_process).__enter__()
    for wrong, said in (
        ({"freedoms": {"x": "y"}}, "no freedom"),
        ({"imitate": {"K-NOTHING"}}, "no known departure"),
        ({"step": 0.0}, "too short"),
        ({"level": "full"}, "no level"),
        ({"authentication": ("basic",)}, "digest, bearer"),
        ({"rate": 0}, "at least 1"),
        ({"fault": "x"}, "no fault"),
    ):
        with pytest.raises(ServerError, match=said):
            ReferenceServer(in_process=in_process, **wrong).__enter__()  # type: ignore[arg-type]


def test_serve_prints_what_a_person_needs_and_stops_on_ctrl_c(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    command = [sys.executable, "-c", "from atlas_conformance.cli.serve import serve_command; serve_command()"]
    serving = subprocess.Popen(
        [*command, "--port", "0", "--write-target", str(target)], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    try:
        assert serving.stdout is not None
        first = serving.stdout.readline()
        lines = [first]
        while not lines[-1].startswith("export ATLAS_REFERENCE_OFF_LIST_CLIENT_SECRET="):
            assert lines[-1], "it ended before it said everything"
            lines.append(serving.stdout.readline())
        url = first.split()[6].rstrip(";")
        assert is_served(url)
        exported = dict(
            line.removeprefix("export ").strip().split("=", 1) for line in lines if line.startswith("export ")
        )
        assert exported["MONGODB_ATLAS_BASE_URL"] == url
        document = tomllib.loads(target.read_text())
        assert document["base_url"] == url
        for table in (document["authentication"], document["authentication"]["reader"]):
            for name in ("public_key", "private_key", "client_id", "client_secret"):
                assert table[name] in exported
        assert {cluster["kind"] for cluster in document["clusters"]} == {"flex", "tenant", "dedicated"}
        serving.send_signal(signal.SIGINT)
        assert serving.wait(5) == 0
    finally:
        serving.kill()
        serving.wait()
        assert serving.stdout is not None
        serving.stdout.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--freedom", "busy-target"], "NAME=CHOICE"),
        (["--freedom", "busy-targe=409"], "did you mean 'busy-target'"),
        (["--fault", "nothing"], "there is no fault"),
        (["--port", "0", "--write-target", "/nowhere/x"], "can't be written"),
        (["--imitate", "K-X"], "K-EMPTY-URL"),
    ],
)
def test_serve_says_what_is_wrong(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(serve_command, arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output


def test_freedoms_can_be_listed() -> None:
    result = CliRunner().invoke(serve_command, ["--list-freedoms"])
    assert result.exit_code == 0
    assert "busy-target" in result.output
