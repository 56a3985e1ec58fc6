"""The kill matrix as text, JSON and Markdown, and the command that makes it."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from rich.console import Console

from atlas_conformance.mutation.kill_matrix import figures, markdown, print_matrix, result, write_matrix
from atlas_conformance.mutation.trials import Outcome, Trial
from tests.atlas_conformance.program import COMMAND, ROOT, surroundings

SOUND = Outcome(Trial("sound", "as it starts"), False, None, (), "passed", 5_000, 8.0)
FAULT = Trial("flex-get/x|y", "A status | is wrong.", "shape", "flex-get/x|y", "S-STATUS", ("flex-get",))
CAUGHT = Outcome(FAULT, True, "S-STATUS", (), "failed", 20, 0.4, headlines=1)
LED = Outcome(FAULT, True, "C-SCHEMA", ("S-STATUS",), "failed", 40, 0.6, headlines=2)
WRONG = Outcome(FAULT, False, "C-SCHEMA", (), "failed", 900, 2.0)
SURVIVED = Outcome(FAULT, False, None, (), "passed", 5_000, 9.0, "an error\nof two lines")
EVERY = [SOUND, CAUGHT, LED, WRONG, SURVIVED]


def test_each_result_is_named() -> None:
    assert [result(outcome) for outcome in EVERY] == [
        "passed",
        "caught",
        "caught, led by C-SCHEMA",
        "caught only by C-SCHEMA",
        "survived",
    ]


def test_the_figures_count_what_they_say() -> None:
    assert figures(EVERY) == [
        "2 of 4 faults caught (50.0 of 100)",
        "the right requirement first for 1 (25.0 of 100)",
        "one headline for 1 (25.0 of 100), at most 2 for any",
        "the median fault caught after 30 exchanges and 0.50 s",
        "the sound endpoint passes in 1 of 1 modes",
    ]


def test_what_is_not_as_it_should_be_comes_last() -> None:
    out = io.StringIO()
    print_matrix(EVERY, Console(file=out, width=100))
    lines = out.getvalue().splitlines()
    assert lines.index("Not as it should be") > next(i for i, line in enumerate(lines) if line.startswith("caught:"))
    assert any(line.startswith("survived: flex-get/x|y") and line.endswith("of two lines") for line in lines)


def test_the_page_and_the_data_hold_every_outcome(tmp_path: Path) -> None:
    page = markdown(EVERY, "quick", 3, 12.0)
    write_matrix(tmp_path, EVERY, page)
    rows = json.loads((tmp_path / "kill-matrix.json").read_text("utf-8"))
    assert [row["result"] for row in rows] == [result(outcome) for outcome in EVERY]
    assert (tmp_path / "kill-matrix.md").read_text("utf-8") == page
    assert "atlas-conformance prove --profile quick --seed 3" in page
    assert page.count("A status \\| is wrong.") == 4


PROVE = [*COMMAND, "prove", "--profile", "quick"]


def prove(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environ = surroundings(XDG_CACHE_HOME=str(folder / "cache")) if folder != ROOT else surroundings()
    return subprocess.run([*PROVE, *arguments], capture_output=True, text=True, cwd=folder, env=environ, timeout=120)


def test_one_fault_is_proved_from_the_command_line(tmp_path: Path) -> None:
    done = prove("--fault", "flex-create/trailing-junk", "--workers", "1", "--report", "out", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    left = {path.name for path in tmp_path.iterdir()}
    assert "out" in left and left <= {"out", "cache"}, "nothing else is left where it was started"
    assert "1 of 1 faults caught (100.0 of 100)" in done.stdout
    (row,) = json.loads((tmp_path / "out" / "kill-matrix.json").read_text("utf-8"))
    assert (row["first"], row["headlines"]) == ("B-JSON", 1)


def test_a_fault_that_is_not_there_is_one_sentence() -> None:
    done = prove("--fault", "flex-create/no-such")
    assert done.returncode == 2
    assert "there is no fault 'flex-create/no-such'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="workers are told by /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_proof_cut_short_proves_nothing_and_leaves_no_worker(tmp_path: Path, number: signal.Signals) -> None:
    many = ("--class", "stateful")  # so that it cannot have come to its end
    process = subprocess.Popen(
        [*PROVE, *many, "--workers", "2"], cwd=tmp_path, env=surroundings(TMPDIR=str(tmp_path)),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        limit = time.monotonic() + 60
        while len(workers := children.read_text().split()) < 2:
            assert process.poll() is None and time.monotonic() < limit
            time.sleep(0.05)
        time.sleep(1)
        for _ in range(2):  # nobody waits long after the first Ctrl-C
            process.send_signal(number)
            time.sleep(0.2)
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 4
    assert "Traceback" not in said
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]
