"""Writing reports: all files whole, and a writer that fails never looks like success."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from atlas_conformance.reports import writing
from atlas_conformance.reports.claim import Claim, FolderInUse, claimed
from atlas_conformance.reports.wording import indented, one_line, readable, rerun, visible
from atlas_conformance.reports.writing import ReportError, end_journal, report_of, write_file, write_reports
from tests.reports import sample_journal as sample


def test_every_format_is_written(tmp_path: Path) -> None:
    report = sample.failing(tmp_path / "j")
    written = write_reports(tmp_path / "new" / "folder", report, tmp_path / "j", curl=lambda request: "curl").paths
    assert [path.name for path in written] == [
        "summary.json",
        "junit.xml",
        "report.html",
        "report.sarif",
        "ctrf.json",
        "summary.md",
        "badge.svg",
        "journal.jsonl",
    ]
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == sorted(p.name for p in written)
    assert (tmp_path / "new" / "folder" / "journal.jsonl").read_bytes() == (tmp_path / "j").read_bytes()


def test_a_journal_already_in_its_place_is_kept(tmp_path: Path) -> None:
    report = sample.failing(tmp_path / "journal.jsonl")
    before = (tmp_path / "journal.jsonl").read_bytes()
    write_reports(tmp_path, report, tmp_path / "journal.jsonl")
    assert (tmp_path / "journal.jsonl").read_bytes() == before


def test_reports_rendered_later_are_the_same_bytes(tmp_path: Path) -> None:
    report = sample.hostile(tmp_path / "j")
    first = write_reports(tmp_path / "a", report, tmp_path / "j").paths
    later = write_reports(tmp_path / "b", report_of(tmp_path / "j"), tmp_path / "j").paths
    for one, other in zip(first, later, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_a_format_that_fails_is_named_and_the_others_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(report: object, curl: object, standing: object) -> bytes:
        raise ValueError("no such thing")

    monkeypatch.setattr(writing, "RENDERERS", {**writing.RENDERERS, "junit": broken})
    report = sample.failing(tmp_path / "j")
    written = write_reports(tmp_path / "out", report, tmp_path / "j")
    assert written.failures == (f"{tmp_path / 'out' / 'junit.xml'} cannot be written: ValueError: no such thing.",)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {path.name for path in written.paths} == {*writing.FILES, "journal.jsonl"} - {"junit.xml"}


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    report = sample.failing(tmp_path / "j")
    written = write_reports(tmp_path / "j" / "out", report, tmp_path / "j")
    assert written.paths == ()
    (failure,) = written.failures
    assert "cannot be written to" in failure


def test_a_file_that_is_no_journal_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "j").write_text("<html>")
    with pytest.raises(ReportError, match="is no journal"):
        report_of(tmp_path / "j")


def test_a_curl_that_fails_keeps_no_other_format_from_being_written(tmp_path: Path) -> None:
    def broken(request: object) -> str:
        raise RuntimeError("cannot quote")

    report = sample.failing(tmp_path / "j")
    written = write_reports(tmp_path / "out", report, tmp_path / "j", curl=broken)
    assert all("cannot quote" in failure for failure in written.failures)
    assert {"badge.svg", "journal.jsonl"} <= {path.name for path in written.paths}


def test_what_is_no_file_is_written_into_and_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    write_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "kept").read_bytes() == b"new"
    (tmp_path / "dangling").symlink_to(tmp_path / "later")
    write_file(tmp_path / "dangling", b"new")
    assert (tmp_path / "dangling").is_symlink() and (tmp_path / "later").read_bytes() == b"new"
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_file(tmp_path / "pipe", b"x" * 200_000)
    reader.join(10)
    assert read == [b"x" * 200_000]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_folder_is_claimed_by_one_at_a_time_and_left_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "reports"
    with claimed(folder):
        with pytest.raises(FolderInUse, match=r"another run writes its reports to .+ at this moment"):
            Claim(folder)
    assert not (tmp_path / "new").exists()
    with claimed(folder):
        (folder / "kept").touch()
    assert (folder / "kept").exists()
    Claim(folder).release()


def test_a_journal_that_cannot_be_ended_makes_a_partial_run_with_a_report(tmp_path: Path) -> None:
    run = sample.Sample(tmp_path / "j")
    run.add(sample.finding("S-ECHO"))
    run.hold_everything(1)
    run.writer.flush()
    run.writer._file.close()
    report = end_journal(run.writer, run.tally, ended=sample.ENDED)
    assert report.verdict == "failed"
    assert report.partial is not None and "cannot be written" in report.partial


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain Größe 数据", "plain Größe 数据"),
        ("a\x1b[0m\x00\x9b\x7f", "a\\x1b[0m\\x00\\x9b\\x7f"),
        ("\u202eevil\u200b\ud800\U000e0001", "\\u202eevil\\u200b\\ud800\\U000e0001"),
        ("a\r\n\tb", "a\\x0d\n\tb"),
    ],
)
def test_unprintable_characters_are_written_as_escapes(text: str, expected: str) -> None:
    assert visible(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a":1.0,"a":[]}', '{\n  "a": 1.0,\n  "a": []\n}'),
        ('{"b":{"c":[1,2]}}', '{\n  "b": {\n    "c": [\n      1,\n      2\n    ]\n  }\n}'),
        ('["{,:}\\"]", {} ]', '[\n  "{,:}\\"]",\n  {}\n]'),
    ],
)
def test_json_is_indented_without_changing_a_token(text: str, expected: str) -> None:
    assert indented(text) == expected


def test_bodies_are_made_readable() -> None:
    assert readable(None) == readable(b"") == "(no body)"
    assert readable(b"\xff\x00<") == "\\xff\\x00<"
    assert readable(b"[" * 5000, characters=10) == "[[[[[[[[[[\n… (5,000 bytes in all)"
    assert readable(b"a\nb\nc", lines=2) == "a\nb\n… (5 bytes in all)"
    assert one_line("a\n b" * 500, 10) == "a ba ba b…"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"source": "reference", "base_url": "http://127.0.0.1:1", "level": None}, ""),
        ({"source": "http://h/x", "base_url": "http://h/x", "level": None}, "--base-url http://h/x "),
        ({"source": "my file.toml", "base_url": "http://h", "level": None}, "--target 'my file.toml' "),
    ],
)
def test_the_rerun_line_names_the_target_as_the_run_did(target: dict[str, object], expected: str) -> None:
    line = rerun(sample.header(target=target), "C-STATUS")
    assert line == f"atlas-conformance run {expected}--requirement C-STATUS --profile quick --seed 7"
