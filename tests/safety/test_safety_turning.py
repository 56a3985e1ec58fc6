"""An endpoint on loopback that gives itself away in the middle of a run gets no write from then on, on the wire."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.http.client import Client
from atlas_conformance.http.failures import Withheld
from atlas_conformance.http.guard.fronts import Turn, fronted_by
from atlas_conformance.http.target import Target
from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.server import ReferenceServer
from tests.atlas_conformance.program import COMMAND, ROOT, surroundings
from tests.load.load_program import free_port, started
from tests.safety.test_safety_wire import upstream
from tests.safety.wiretap import Wiretap

READS = ("GET", "HEAD", "OPTIONS")
ON_THE_WIRE = 0.3
"""Seconds in which a write may still arrive that had left before the answer was read."""
_STATUS_LINE = re.compile(rb"\AHTTP/1\.1 \d{3} [^\r]*\r\n")
TELLS = (b"Server: mdbws", b"server: MDBWS/1.0", b"Via: 1.1 x", b"X-JAVA-METHOD: ApiRestore::create", b"via: ")


class Telling:
    """Adds a header to every answer from the `first` on, and notes when it did so for the first time."""

    def __init__(self, first: int, header: bytes) -> None:
        self._first = first
        self._header = header
        self.since: float | None = None

    def __call__(self, piece: bytes, number: int) -> bytes:
        if number < self._first:
            return piece
        self.since = self.since or time.monotonic()
        return _STATUS_LINE.sub(lambda match: match[0] + self._header + b"\r\n", piece)


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer(seed=5, step=0.01) as running:
        yield running


def writes_after(tap: Wiretap, telling: Telling) -> tuple[int, int]:
    """How many writes arrived after the tell: those that may have been on the wire, and later ones."""
    assert telling.since is not None
    writes = [one for one in tap.requests() if one.method not in READS and one.target != "/api/oauth/token"]
    late = [one.at - telling.since for one in writes if one.at > telling.since]
    return len(late), sum(after > ON_THE_WIRE for after in late)


def described(server: ReferenceServer, tap: Wiretap, folder: Path) -> Path:
    """Write a target file that leads through the relay."""
    file = folder / "target.toml"
    text = target_toml(server.url, server.inventory).replace(server.url, f"http://127.0.0.1:{tap.port}")
    file.write_text(text, encoding="utf-8")
    return file


def say(server: ReferenceServer, folder: Path, *command: str) -> str:
    """Run a command to its end and return what it said."""
    environ = surroundings(**dict(environment(server.credentials)))
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=110)
    return done.stdout + done.stderr


RUN = (*COMMAND, "run", "--profile", "quick", "--seed", "3", "--requirement", "B-REQUIRED", "--requirement", "S-ECHO")
HAMMER = (*COMMAND, "hammer", "--users", "6", "--duration", "3s", "--seed", "3")
SUITES = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(ROOT / "suites"), "--profile", "quick",
          "--seed", "3", "--requirement", "B-TYPE")  # fmt: skip
CASES = {
    "run, first answer": (RUN, 1, TELLS[0]),
    "run, second answer": (RUN, 2, TELLS[1]),
    "run, twentieth answer": (RUN, 20, TELLS[2]),
    "run, in one process": ((*RUN, "--processes", "1"), 60, TELLS[3]),
    "run, in three processes": ((*RUN, "--processes", "3"), 150, TELLS[4]),
    "hammer, twentieth answer": (HAMMER, 20, TELLS[1]),
    "hammer, later": (HAMMER, 300, TELLS[3]),
    "pytest, twentieth answer": (SUITES, 20, TELLS[0]),
    "pytest, later": (SUITES, 100, TELLS[2]),
}


@pytest.mark.parametrize(("command", "first", "header"), CASES.values(), ids=CASES)
def test_nothing_is_written_after_the_tell(
    server: ReferenceServer, tmp_path: Path, command: tuple[str, ...], first: int, header: bytes
) -> None:
    if "hammer" in command and importlib.util.find_spec("locust") is None:
        pytest.skip("Locust, of the extra load, is not installed")
    server.reset()
    telling = Telling(first, header)
    with Wiretap(upstream(server), telling) as tap:
        said = say(server, tmp_path, *command, "--target", str(described(server, tap, tmp_path)))
        on_the_wire, later = writes_after(tap, telling)
        seen = list(tap.requests())
    assert "Traceback" not in said
    assert later == 0, said
    assert on_the_wire <= 12  # at most one on each connection
    assert len(seen) >= first, said


@pytest.mark.skipif(importlib.util.find_spec("locust") is None, reason="Locust, of the extra load, is not installed")
def test_what_one_worker_finds_out_stops_the_writes_of_all(server: ReferenceServer, tmp_path: Path) -> None:
    server.reset()
    told, untold = Telling(150, TELLS[1]), Telling(10**9, b"")
    environ, port = dict(environment(server.credentials)), free_port()
    with ExitStack() as stack:
        taps = [stack.enter_context(Wiretap(upstream(server), telling)) for telling in (told, untold)]
        files = []
        for number, tap in enumerate(taps):
            (tmp_path / str(number)).mkdir()
            files.append(described(server, tap, tmp_path / str(number)))
        leading = ("--target", files[1], "--master", "--workers", "2", "--port", str(port), "--users", "8",
                   "--duration", "4s", "--seed", "3")  # fmt: skip
        master = stack.enter_context(started(*leading, cwd=tmp_path, environ=environ, log="master.log"))
        for number, file in enumerate(files):
            working = ("--target", file, "--worker", "--master-host", "127.0.0.1", "--port", str(port))
            stack.enter_context(started(*working, cwd=tmp_path, environ=environ, log=f"{number}.log"))
        master.wait(80)
        untold.since = told.since
        counts = [writes_after(tap, telling) for tap, telling in zip(taps, (told, untold), strict=True)]
        before = [one for one in taps[1].requests() if one.method == "POST" and one.at < (told.since or 0.0)]
    assert [later for _, later in counts] == [0, 0], (tmp_path / "1.log").read_text("utf-8")
    assert len(before) > 3


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("Server", "mdbws", True), ("SERVER", " MDBWS/1.0 (x) ", True), ("server", "nginx, mdbws/2", True),
        ("Server", "nginx", False), ("Server", "mdbwsx", False), ("X_Java_Method", "", True), ("VIA", "", True),
        ("X-Via", "1", False), ("x-java-method", "a::b", True), ("Servers", "mdbws", False),
    ],
)  # fmt: skip
def test_signs(name: str, value: str, found: bool) -> None:
    assert (fronted_by([(b"Date", b"x"), (name.encode(), value.encode())]) is not None) is found


def test_a_write_that_waits_for_its_turn_is_withheld_too(server: ReferenceServer) -> None:
    with Wiretap(upstream(server)) as tap, Client(Target(f"http://127.0.0.1:{tap.port}")) as client:
        client.guard.check(request := Request("POST", "/api/atlas/v2/groups/x", body=b"{}"))
        client.guard.treat_as_remote("its answers carry via")
        with pytest.raises(Withheld, match="counts as remote, as its answers carry via"):
            client.guard.recheck(request)
        with pytest.raises(Withheld):
            client.send(request)
        assert list(tap.requests()) == []


def test_places_of_the_budget_are_given_back_across_the_turn(server: ReferenceServer) -> None:
    turn = Turn()
    target = Target(server.url)
    with Client(target, turn=turn) as client, Client(target, turn=turn) as other:
        create = Request("POST", "/api/atlas/v2/groups/x/flexClusters/y/backup/restoreJobs", body=b"{}")
        client.guard.check(create)  # without a budget: it takes no place
        other.guard.treat_as_remote("its answers carry via")
        client.guard.settle(create, None)
        assert client.guard.remote
        assert client.guard.remote_because == "its answers carry via"
        assert client.guard.jobs_left == client.guard.budget
