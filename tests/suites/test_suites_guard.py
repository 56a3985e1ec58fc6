"""One guard around the end of a run: what fails there is reported, and the rest is done all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas_conformance.cli.run import run_suites
from atlas_conformance.reports import writing
from atlas_conformance.reports.journal import Journal
from atlas_conformance.runner import ending
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.plugin import SuitePlugin
from atlas_conformance.runner.session import Session


def broken(*_: object, **__: object) -> bytes:
    raise KeyError(("T-ECHO", "flex-create"))


def run(folder: Path) -> tuple[int, SuitePlugin, list[Session]]:
    """Run one requirement against the reference endpoint; return exit code, plugin, and the sessions shown."""
    options = Options(profile="quick", seed=3, requirements=("P-NAME",), report=folder / "out")
    shown: list[Session] = []
    plugin = SuitePlugin(Session(options), show=shown.append)
    return run_suites(plugin), plugin, shown


def test_a_format_that_fails_changes_neither_the_verdict_nor_the_other_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(writing, "RENDERERS", {**writing.RENDERERS, "html": broken})
    code, plugin, shown = run(tmp_path)
    assert (code, plugin.failure) == (0, None)
    assert shown == [plugin.session]
    (complaint,) = plugin.complaints
    assert "report.html cannot be written: KeyError" in complaint
    assert complaint in capsys.readouterr().err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {*writing.FILES, "journal.jsonl"} - {"report.html"}


def test_a_report_that_cannot_be_shown_is_reported_and_written_all_the_same(tmp_path: Path) -> None:
    options = Options(profile="quick", seed=3, requirements=("P-NAME",), report=tmp_path / "out")
    plugin = SuitePlugin(Session(options), show=broken)
    assert run_suites(plugin) == 0
    assert any("could not be shown to its end" in complaint for complaint in plugin.complaints)
    assert (tmp_path / "out" / "summary.json").exists()


def test_what_fails_while_a_run_winds_up_is_an_error_in_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "_note_statuses", broken)
    code, plugin, shown = run(tmp_path)
    assert code == 4
    assert shown and plugin.session.report is not None
    assert [error.where for error in plugin.session.report.errors] == ["telling what was not exercised"]
    assert Journal(tmp_path / "out" / "journal.jsonl").header.seed == 3
    assert (tmp_path / "out" / "report.html").exists()
