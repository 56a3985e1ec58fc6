"""The end of a run on a terminal: readable at 80 columns, without colour, and steered by nobody."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from atlas_conformance.reports.comparison import outline
from atlas_conformance.reports.gates.gate import Policy
from atlas_conformance.reports.grid import cell_text, matrix_lines
from atlas_conformance.reports.model import Report
from atlas_conformance.reports.progress import Progress
from atlas_conformance.reports.terminal import COLUMNS, LINES, print_report
from tests.reports import sample_journal as sample


def shown(report: Report, width: int = 80, *, color: bool = False, encoding: str = "utf-8", **options: object) -> str:
    """Return what is printed on a console of that width and encoding."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    console = Console(file=file, width=width, force_terminal=color, color_system="truecolor" if color else None)
    print_report(report, console, curl=lambda request: "curl " + request.target, **options)  # type: ignore[arg-type]
    file.flush()
    return raw.getvalue().decode(encoding)


def test_the_verdict_is_the_last_thing_said(tmp_path: Path) -> None:
    text = shown(sample.failing(tmp_path / "j"), 120, written=[tmp_path / "report.html"], verbose=True)
    lines = text.rstrip().split("\n")
    exercised = f"5 of {sample.COUNT - 1} exercised requirements do not hold"
    assert lines[-1] == f"FAILED: {exercised}. 1 requirement was not exercised."
    assert lines[-2] == f"Written: {tmp_path / 'report.html'}"
    assert text.index("C-STATUS") < text.index("Not exercised") < text.index("Failures") < text.index("FAILED")


def test_a_failure_shows_all_that_is_needed_to_repeat_it(tmp_path: Path) -> None:
    text = shown(sample.failing(tmp_path / "j"), 80, verbose=True)
    block = text[text.index("✗ T-TARGET  cluster-create (2)") :]
    for words in (
        "automated needs targetClusterName",
        "200 and a new job",
        "/request/body/targetClusterName of cluster-create",
        "    curl /api/atlas/v2/groups/32b6e34b3d91647abb20e7b8/clusters/Cluster0/backup/restoreJobs\n",
        "200 OK, application/json",
        '      "deliveryType": "automated",\n',
        "C-SCHEMA on cluster-create (2)",
        "    atlas-conformance run --target targets/staging.toml --requirement T-TARGET --profile quick --seed 7\n",
    ):
        assert words in block
    assert "✗ C-5XX  tenant-create  explains C-MEDIA" in text


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_the_matrix_fits(tmp_path: Path, width: int) -> None:
    lines = matrix_lines(sample.failing(tmp_path / "j"), width)
    assert max(line.cell_len for line in lines) <= width
    target = next(line.plain for line in lines if line.plain.startswith("T-TARGET"))
    assert "✗2" in target and "✓12" in target


def test_counts_fit_their_cells(tmp_path: Path) -> None:
    made = sample.Sample(tmp_path / "j")
    made.hold_everything(1)
    cell = made.end().rows["C-STATUS"].cells["flex-get"]
    for count, narrow, wide in ((1, "✓1", "✓1"), (999, "✓999", "✓999"), (12_345, "✓12k", "✓12,345")):
        many = type(cell)(cell.requirement, cell.operation, cell.status, passed=count)
        assert (cell_text(many, 4), cell_text(many, 7)) == (narrow, wide)


def test_a_terminal_is_not_steered_by_an_endpoint(tmp_path: Path) -> None:
    text = shown(sample.hostile(tmp_path / "j"), 120, verbose=True)
    assert not any((ord(c) < 32 and c != "\n") or ord(c) in range(0x7F, 0xA0) or c == "\u202e" for c in text)
    assert "\\x1b[31mred" in text and "[bold]json[/bold]" in text


def test_colours_show_on_a_terminal_only(tmp_path: Path) -> None:
    report = sample.failing(tmp_path / "j")
    assert "\x1b[" in shown(report, color=True) and "\x1b[" not in shown(report)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_an_encoding_without_the_signs_is_no_error(tmp_path: Path, encoding: str) -> None:
    text = shown(sample.failing(tmp_path / "j"), encoding=encoding, verbose=True)
    assert "X T-TARGET" in text and "FAILED" in text


def test_many_failures_are_named_but_not_all_shown_in_full(tmp_path: Path) -> None:
    made = sample.Sample(tmp_path / "j")
    names = [f"S-{n}" for n in range(14)]
    for name in names:
        made.add(sample.finding(name))
    text = shown(made.end(), verbose=True)
    assert text.count("Run again") == 10 and "And 4 more failing requirements" in text
    assert all(f"✗ {name}" in text for name in names)


def test_a_passing_run_is_reported_plainly(tmp_path: Path) -> None:
    text = shown(sample.passing(tmp_path / "j"), 120, verbose=True)
    assert "Failures" not in text and "Not exercised" not in text
    assert text.rstrip().endswith(
        f"PASSED: All {sample.COUNT} exercised requirements hold, 1 of them with known departures of the real service."
    )


def test_progress_in_a_log_is_sparse() -> None:
    now = [0.0]
    out = io.StringIO()
    console = Console(file=out, width=100)
    with Progress(console, interval=10, clock=lambda: now[0]) as progress:
        for second in range(0, 36, 5):
            now[0] = float(second)
            progress.update(exchanges=second * 100, findings=second // 30, suite="suites/test_\x1bshapes.py")
    assert out.getvalue().splitlines() == [
        "10 s, 1,000 exchanges, 0 failures, suites/test_\\x1bshapes.py",
        "20 s, 2,000 exchanges, 0 failures, suites/test_\\x1bshapes.py",
        "30 s, 3,000 exchanges, 1 failure, suites/test_\\x1bshapes.py",
    ]


def test_progress_on_a_terminal_goes_away() -> None:
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=True)
    with Progress(console) as progress:
        progress.update(exchanges=12, findings=0, suite="suites")
    assert "12 exchanges" in out.getvalue()
    assert out.getvalue().endswith("\x1b[2K") or out.getvalue().rstrip().endswith("\x1b[?25h\r\x1b[1A\x1b[2K")


@pytest.mark.parametrize("made", [sample.failing, sample.passing, sample.hostile])
def test_the_end_of_a_run_fits_a_screen(tmp_path: Path, made: Callable[[Path], Report]) -> None:
    report = made(tmp_path / "j")
    lines = shown(report, 100, written=[tmp_path / "summary.json", tmp_path / "report.html"]).rstrip().split("\n")
    assert len(lines) <= LINES
    assert all(cell_len(line) <= COLUMNS for line in lines if str(tmp_path) not in line)
    assert f"{report.verdict.upper()}: " in " ".join(lines[-3:])


def test_many_defects_leave_room_for_the_verdict_and_say_how_many_more_there_are(tmp_path: Path) -> None:
    made = sample.Sample(tmp_path / "j")
    for n in range(40):
        made.add(sample.finding(f"S-{n}"))
    report = made.end()
    lines = shown(report, 100).rstrip().split("\n")
    assert len(report.defects) == 40 and len(lines) <= LINES
    assert any("40 defects" in line for line in lines)
    assert any(line.startswith("And ") and "more defects" in line for line in lines)


def test_the_first_defect_comes_with_its_request_and_what_to_run_next(tmp_path: Path) -> None:
    report = sample.failing(tmp_path / "j")
    text = shown(report, 100)
    first = report.failing_defects[0]
    assert f"✗ {first.requirement}  " in text
    assert f"exchange {first.headline.sample.n:,}: {first.headline.sample.exchange.request.method} " in text
    assert f"--requirement {first.requirement} " in text and "--verbose" in text
    assert "Expected" not in text and "│" not in text


def test_a_gate_leaves_the_end_of_a_run_on_one_screen(tmp_path: Path) -> None:
    before, now = outline(sample.passing(tmp_path / "a")), sample.failing(tmp_path / "b")
    standing = Policy("any", baseline=before).decide(outline(now), errors=False)
    lines = shown(now, 100, standing=standing).rstrip().split("\n")
    assert len(lines) <= LINES
    assert any(line.startswith("New failure: ") for line in lines)
    assert standing.sentence in " ".join(lines[-2:])
