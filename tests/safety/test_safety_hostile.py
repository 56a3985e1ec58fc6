"""Endpoints that mean harm: each costs a bounded time and memory, is one failure, and the next request goes on."""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.http.client import Client
from atlas_conformance.http.failures import NoAnswer
from atlas_conformance.http.target import Limits, Target
from tests.atlas_conformance.program import ROOT, surroundings
from tests.safety.hostile import HARM, Hostile

TIMEOUT = 1.0


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with Hostile() as running:
        yield running


@pytest.mark.parametrize("harm", HARM)
def test_each_harm_is_one_failure_and_the_next_request_goes_on(hostile: Hostile, harm: str) -> None:
    limits = Limits(timeout_seconds=TIMEOUT, body_bytes=4_000_000)
    with Client(Target(hostile.url, limits=limits)) as client:
        told: NoAnswer | None = None
        try:
            exchange = client.send(Request("POST", f"/api/{harm}", (), b"{}"))
        except NoAnswer as failure:
            told = failure
        else:
            # Invalid UTF-8, or less than was announced after all: an answer for the judge.
            assert harm in ("invalid-utf-8", "more-than-announced", "heavy-document")
            assert len(exchange.response.body) <= limits.body_bytes
        assert told is None or told.cause in ("timeout", "closed", "malformed", "too-large")
        assert told is None or len(told.reason) < 200
        assert client.send(Request("GET", "/api/fine")).response.body == b'{"fine": true}'


SCRIPT = r"""
import re, resource, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from atlas_conformance.__main__ import main
try:
    main()
finally:
    # What getrusage tells may be the peak of the process that this one was forked from.
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
    peak = int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print("PEAK", peak // 1024, flush=True)
"""


def run(folder: Path, *arguments: str) -> tuple[int, int, str]:
    """Run a command in a process of its own; return exit code, peak memory in MiB, and what it said."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(root=str(ROOT)), *arguments],
        cwd=folder,
        env=surroundings(),
        capture_output=True,
        text=True,
        timeout=110,
    )
    peak = int(done.stdout.rpartition("PEAK ")[2])
    return done.returncode, peak, done.stdout + done.stderr


TARGET = """
base_url = "{url}"
level = "core"
[[clusters]]
project = "32b6e34b3d91647abb20e7b8"
name = "Flex0"
kind = "flex"
snapshots = ["4d5a1c2e9b8f7a6053e1d2c4"]
[[restore_targets]]
project = "32b6e34b3d91647abb20e7b8"
name = "Scratch0"
accepts = ["flex"]
[limits]
timeout_seconds = 0.5
"""


def test_a_run_against_every_harm_in_turn_goes_on_within_its_memory(hostile: Hostile, tmp_path: Path) -> None:
    """Every create is answered by the next harm; reads are answered in form."""
    (tmp_path / "target.toml").write_text(TARGET.format(url=hostile.url), encoding="utf-8")
    code, peak, said = run(
        tmp_path, "run", "--target", "target.toml", "--profile", "quick", "--seed", "3", "--requirement", "N-SNAPSHOT",
        "--requirement", "N-JOB", "--time-limit", "60s", "--report", "out",
    )  # fmt: skip
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert code in (1, 4), said
    assert "Traceback" not in said
    assert summary["errors"] == []
    assert summary["requirements"]["C-STATUS"]["verdict"] == "failed"
    assert summary["requirements"]["N-JOB"]["operations"]["flex-get"]["passed"] > 0
    assert len(hostile.met) >= 6
    assert peak < 300, said


@pytest.mark.parametrize("harm", ["endless", "a-million-headers", "stall", "gzip-bomb", "closes-early", "nonsense"])
def test_an_endpoint_that_does_nothing_else_is_one_clear_sentence(harm: str, tmp_path: Path) -> None:
    with Hostile(everywhere=harm) as hostile:
        (tmp_path / "target.toml").write_text(TARGET.format(url=hostile.url), encoding="utf-8")
        code, peak, said = run(tmp_path, "run", "--target", "target.toml", "--profile", "quick")
    assert code == 3, said
    told = [line for line in said.splitlines() if line.startswith("atlas-conformance: ")]
    assert len(told) == 1
    assert "Traceback" not in said
    assert peak < 300


def test_harms_are_what_they_are_called() -> None:
    """A bomb is small and becomes large."""
    assert HARM["gzip-bomb"].startswith(b"HTTP/1.1 200")
    packed = HARM["gzip-bomb"].partition(b"\r\n\r\n")[2]
    assert len(packed) < 4_000_000
    assert len(zlib.decompressobj(31).decompress(packed, 50_000_000)) == 50_000_000
    assert HARM["a-million-headers"].count(b"\r\n") > 1_000_000
