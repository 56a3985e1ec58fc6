"""The history: the verdict of each requirement in each run, in time order, in one page that stands by itself."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from atlas_conformance.reports.earlier import outline_at
from atlas_conformance.reports.history import history_html, runs_at
from atlas_conformance.reports.output import complain
from atlas_conformance.reports.writing import ReportError, write_reports
from tests.reports import sample_journal as sample
from tests.reports.browser import CHROMIUM, NO_CHROMIUM, axe_script, browse, violations


def stored(folder: Path) -> Path:
    """Store three runs, the latest one first in the alphabet; S-ECHO fails in the middle one alone."""
    for name, started, broken in (
        ("c", "2026-01-05T10:00:00Z", False),
        ("b", "2026-01-06T10:00:00Z", True),
        ("a", "2026-01-07T10:00:00Z", False),
    ):
        made = sample.Sample(folder / f"{name}.jsonl", started=started)
        made.hold_everything(2)
        if broken:
            made.add(sample.finding("S-ECHO"))
        write_reports(folder / name, made.end(), made.path)
    return folder


def test_runs_stand_in_time_order_wherever_they_are(tmp_path: Path) -> None:
    folder = stored(tmp_path)
    runs = runs_at([folder])
    assert [run.started[:10] for run in runs] == ["2026-01-05", "2026-01-06", "2026-01-07"]
    assert [run.verdicts for run in runs] == [
        run.verdicts for run in runs_at([folder / "a", folder / "b" / "summary.json", folder / "c"])
    ]
    assert [run.verdicts["S-ECHO"][0] for run in runs] == ["passed", "failed", "passed"]


def test_a_change_of_verdict_is_marked(tmp_path: Path) -> None:
    text = history_html(runs_at([stored(tmp_path)]))
    changed = text[text.index('id="changed-title"') :].partition("</section>")[0]
    assert re.findall(r'<th scope="row">([\w-]+)</th>', changed) == ["S-ECHO"]
    assert re.findall(r'<td class="cell cell-(\w+( changed)?)"', changed) == [
        ("passed", ""),
        ("failed changed", " changed"),
        ("passed changed", " changed"),
    ]
    assert f"; {sample.COUNT - 1} of {sample.COUNT} had the same verdict in all." in text
    assert "In the latest one 0 requirements did not hold" in text
    assert text.count('<th scope="row">') == sample.COUNT + 1 and text == history_html(runs_at([tmp_path]))


ODD = (None, -1, 10**30, "\u00e9", [None], {"base_url": 7})


def test_whatever_stands_in_a_member_of_a_summary_it_is_reported_or_shown(tmp_path: Path) -> None:
    path = stored(tmp_path) / "a" / "summary.json"
    document = json.loads(path.read_text("utf-8"))
    told = shown = 0
    for name in document:
        for odd in ODD:
            path.write_text(json.dumps({**document, name: odd}), encoding="utf-8")
            try:
                history_html(runs_at([tmp_path]))
                outline_at(path)
                shown += 1
            except ReportError:
                told += 1
    assert told > 50 and shown > 50


def test_runs_that_know_other_requirements_are_shown_together(tmp_path: Path) -> None:
    runs = runs_at([stored(tmp_path)])
    del runs[0].verdicts["S-ECHO"]
    assert "not known to the run" in history_html(runs)


def test_a_folder_without_summaries_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"holds no summary\.json"):
        runs_at([tmp_path])


@pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
def test_a_browser_shows_it_without_complaint(tmp_path: Path) -> None:
    made = sample.hostile(tmp_path / "j")
    write_reports(tmp_path / "runs" / "x", made, tmp_path / "j")
    text = history_html(runs_at([tmp_path / "runs", stored(tmp_path / "others")]))
    page = tmp_path / "history.html"
    page.write_text(text, encoding="utf-8")
    _, log = browse(page, "--dump-dom")
    assert "CONSOLE" not in log and "<script" not in text
    if axe_script() is not None:
        assert violations(text, tmp_path, "--window-size=1280,1600") == []


def test_of_a_long_complaint_the_middle_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """What a hostile file holds is quoted, and must not fill the terminal."""
    complain("it refers to " + "a/" * 100_000 + "b, which does not exist")
    said = capsys.readouterr().err
    assert len(said) < 2_000
    assert said.startswith("atlas-conformance: it refers to a/a/") and said.endswith("a/b, which does not exist\n")
