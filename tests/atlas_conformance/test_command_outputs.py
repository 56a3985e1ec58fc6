"""Where commands write to: pipes are written into, what is read is never written over, and readers may leave."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from atlas_conformance.reports.claim import claimed
from tests.atlas_conformance.program import COMMAND, atlas, surroundings
from tests.reports import sample_journal as sample


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A folder of reports that holds a journal."""
    folder = tmp_path / "run"
    folder.mkdir()
    sample.failing(folder / "journal.jsonl")
    return folder


def shell(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell in which `atlas` is the program."""
    program = " ".join(COMMAND)
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; atlas() {{ {program} \"$@\"; }}; {line}"],
        cwd=cwd, env=surroundings(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "atlas report run --html /dev/stdout",
        "atlas report run --html /dev/stdout > page; cat page",
        "atlas report run --html /dev/fd/1 >> page; cat page",
        "mkfifo pipe; cat pipe & atlas report run --html pipe; wait",
    ],
)
def test_a_page_goes_where_it_is_sent(journal: Path, line: str) -> None:
    ended = shell(line, journal.parent)
    assert ended.stdout.startswith("<!doctype html>") and ended.stdout.rstrip().endswith("</html>"), ended
    assert ended.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "run", "--json", "run/journal.jsonl"],
        ["report", "run/journal.jsonl", "--html", "link"],
        ["check", "run/journal.jsonl", "--report", "run"],
        ["merge", "run", "--report", "run"],
    ],
)
def test_the_journal_that_is_read_is_never_written_over(journal: Path, arguments: list[str]) -> None:
    (journal.parent / "link").symlink_to(journal / "journal.jsonl")
    before = (journal / "journal.jsonl").read_bytes()
    ended = atlas(*arguments, cwd=journal.parent)
    assert ended.returncode == 2
    assert "is what is read, and would be written over" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert (journal / "journal.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    "command",
    [
        ["run", "--profile", "quick", "--report", "run"],
        ["check", "other", "--report", "run"],
        ["merge", "other", "--report", "run"],
    ],
)
def test_a_second_run_into_one_folder_is_refused(journal: Path, command: list[str]) -> None:
    sample.failing(journal.parent / "other")
    before = {path.name: path.read_bytes() for path in journal.iterdir()}
    with claimed(journal):
        ended = atlas(*command, cwd=journal.parent)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1 and "another run writes its reports to run" in ended.stderr
    assert {path.name: path.read_bytes() for path in journal.iterdir()} == before


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("atlas report run >&-", 1),
        ("atlas report run | head -1 >head", 1),
        ("atlas requirements >&- 2>&-", 0),
        ("atlas requirements | head -1 >head", 0),
        ("atlas serve --port 0 | head -1 >head", 0),
        ("atlas report run > /dev/full", 1),
    ],
)
def test_a_reader_may_leave(journal: Path, line: str, code: int) -> None:
    ended = shell(line, journal.parent)
    assert ended.returncode == code, ended
    assert "Traceback" not in ended.stderr and "Exception ignored" not in ended.stderr
    assert ended.stderr.count("\n") == ("/dev/full" in line)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="modules are told by /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["check", "merge"])
def test_a_command_that_is_ended_leaves_nothing_behind(journal: Path, command: str, number: signal.Signals) -> None:
    """At any moment: each time a little later, until the command comes to its end."""
    folder, scratch = journal.parent, journal.parent / "scratch"
    scratch.mkdir()
    sample.huge(folder / "big.jsonl", 800)
    source = folder / "big.jsonl"
    wait, codes = 0.05, set()
    for _ in range(6):
        started = subprocess.Popen(
            [*COMMAND, command, str(source), "--report", str(folder / "out")], cwd=folder,
            env=surroundings(TMPDIR=str(scratch)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        maps = Path(f"/proc/{started.pid}/maps")
        while started.poll() is None and "orjson" not in maps.read_text():
            time.sleep(0.01)  # what comes before that is the interpreter's own
        time.sleep(wait)
        wait *= 2
        if started.poll() is None:
            os.kill(started.pid, number)
        out, err = started.communicate(timeout=60)
        codes.add(started.returncode)
        assert "Traceback" not in out + err
        assert list(scratch.iterdir()) == []
        if (folder / "out").exists():
            names = {path.name for path in (folder / "out").iterdir()}
            assert len(names) == 8 and not any(name.startswith(".") for name in names), names
            break
    assert codes <= {0, 1, 4, -number, 2 if command == "merge" else 4}, codes
