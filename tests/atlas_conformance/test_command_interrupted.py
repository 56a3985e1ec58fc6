"""Runs that are cut short: they end at once, with a partial report and with no process left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.atlas_conformance.program import COMMAND, surroundings


class Started:
    """A run against the embedded reference endpoint, in a session of its own so that its processes are known."""

    def __init__(self, folder: Path) -> None:
        self.reports = folder / "reports"
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        self.process = subprocess.Popen(
            [*COMMAND, "run", "--seed", "3", "--report", str(self.reports)],
            cwd=folder,
            env=surroundings(TMPDIR=str(self.scratch)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait_until(self, ready: Callable[[], bool]) -> None:
        limit = time.monotonic() + 60
        while not ready():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < limit
            time.sleep(0.02)

    def under_way(self) -> bool:
        """Whether so much of the journal is on disk that exchanges must have been made."""
        journal = self.reports / "journal.jsonl"
        return journal.exists() and journal.stat().st_size > 200_000

    def members(self) -> set[int]:
        """The living processes of the run."""
        found = set()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    state, _, _, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
                except OSError:
                    continue
                if int(session) == self.process.pid and state != "Z":
                    found.add(int(entry.name))
        return found

    def end(self) -> None:
        for member in self.members():
            os.kill(member, signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    run = Started(tmp_path)
    yield run
    run.end()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are told by /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_cut_short_ends_at_once_with_a_partial_report(started: Started, number: signal.Signals) -> None:
    started.wait_until(started.under_way)
    assert len(started.members()) >= 2, "the endpoint has a process of its own"
    if number == signal.SIGINT:
        os.killpg(started.process.pid, number)  # as a terminal does
    else:
        os.kill(started.process.pid, number)
    out, err = started.process.communicate(timeout=30)
    assert started.process.returncode == 4
    assert "Traceback" not in out + err
    assert "INCOMPLETE" in out
    told = json.loads((started.reports / "summary.json").read_text(encoding="utf-8"))
    assert told["verdict"] == "incomplete"
    closing = json.loads((started.reports / "journal.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert closing["kind"] == "closing"
    assert closing["partial"] is True
    assert started.members() == set()
    assert list(started.scratch.iterdir()) == []


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are told by /proc")
def test_a_run_that_is_killed_leaves_no_server_behind(started: Started) -> None:
    started.wait_until(started.under_way)
    os.kill(started.process.pid, signal.SIGKILL)
    started.process.communicate(timeout=30)
    limit = time.monotonic() + 10
    while started.members():
        assert time.monotonic() < limit
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="modules are told by /proc")
@pytest.mark.parametrize("loaded", ["rpds", "orjson", "markupsafe", "hypothesis/_native"])
def test_interrupted_while_it_starts_it_says_so(started: Started, loaded: str) -> None:
    maps = Path(f"/proc/{started.process.pid}/maps")
    started.wait_until(lambda: loaded in maps.read_text())
    os.kill(started.process.pid, signal.SIGINT)
    out, err = started.process.communicate(timeout=30)
    assert started.process.returncode == 4
    assert "Traceback" not in err
    # On a slow machine the run may have come further than the module that was waited for.
    assert "interrupted" in err or "INCOMPLETE" in out
    assert started.reports.exists() == ("INCOMPLETE" in out)


def test_an_interrupt_within_executed_text_ends_with_the_documented_code(tmp_path: Path) -> None:
    """Such as the methods that dataclasses make: the interpreter notes it and would end itself by the signal."""
    program = "import atlas_conformance.__main__ as m\nm._code = lambda: exec('raise KeyboardInterrupt')\nm.main()\n"
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "program"],
        cwd=tmp_path,
        env=surroundings(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 4
    assert ended.stderr == "atlas-conformance: interrupted before anything was done\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("ends", "code"), [("1", 1), ("exec('raise KeyboardInterrupt')", 4)])
def test_a_signal_while_the_interpreter_ends_changes_no_exit_code(
    tmp_path: Path, number: signal.Signals, ends: str, code: int
) -> None:
    """A second Ctrl-C often comes then: the handlers are gone, but all is done."""
    program = (
        "import os\n"
        "import atlas_conformance.__main__ as m\n"
        "class Late:\n"
        f"    def __del__(self, kill=os.kill, process=os.getpid()):\n        kill(process, {int(number)})\n"
        "late = Late()\n"
        f"m._code = lambda: {ends}\n"
        "m.main()\n"
    )
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, env=surroundings(), capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == code
    assert "Traceback" not in ended.stderr
