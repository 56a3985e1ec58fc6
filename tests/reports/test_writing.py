"""Writing reports: all files whole, and a writer that fails never looks like success."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas_conformance.reports import writing
from atlas_conformance.reports.wording import indented, one_line, readable, rerun, visible
from atlas_conformance.reports.writing import ReportError, report_of, write_reports
from tests.reports import sample_journal as sample


def test_every_format_is_written(tmp_path: Path) -> None:
    report = sample.failing(tmp_path / "j")
    written = write_reports(tmp_path / "new" / "folder", report, tmp_path / "j", curl=lambda request: "curl")
    assert [path.name for path in written] == [
        "summary.json", "junit.xml", "report.html", "report.sarif", "ctrf.json", "summary.md", "badge.svg",
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
    first = write_reports(tmp_path / "a", report, tmp_path / "j")
    later = write_reports(tmp_path / "b", report_of(tmp_path / "j"), tmp_path / "j")
    for one, other in zip(first, later, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_a_format_that_fails_is_an_error_and_the_others_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(report: object, curl: object, standing: object) -> bytes:
        raise ValueError("no such thing")

    monkeypatch.setattr(writing, "RENDERERS", {**writing.RENDERERS, "junit": broken})
    report = sample.failing(tmp_path / "j")
    with pytest.raises(ReportError) as caught:
        write_reports(tmp_path / "out", report, tmp_path / "j")
    assert str(caught.value) == (
        f"Reports that cannot be written to {tmp_path / 'out'}: junit.xml (ValueError: no such thing)."
    )
    assert caught.value.exit_code == 4
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {*writing.FILES, "journal.jsonl"} - {"junit.xml"}


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    report = sample.failing(tmp_path / "j")
    with pytest.raises(ReportError, match=r"cannot be written to .+\.\Z"):
        write_reports(tmp_path / "j" / "out", report, tmp_path / "j")


def test_a_file_that_is_no_journal_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "j").write_text("<html>")
    with pytest.raises(ReportError, match="is no journal"):
        report_of(tmp_path / "j")


def test_a_curl_that_fails_is_an_error_of_its_formats(tmp_path: Path) -> None:
    def broken(request: object) -> str:
        raise RuntimeError("cannot quote")

    report = sample.failing(tmp_path / "j")
    with pytest.raises(ReportError, match="cannot quote"):
        write_reports(tmp_path / "out", report, tmp_path / "j", curl=broken)


@pytest.mark.parametrize(("text", "expected"), [
    ("plain Größe 数据", "plain Größe 数据"),
    ("a\x1b[0m\x00\x9b\x7f", "a\\x1b[0m\\x00\\x9b\\x7f"),
    ("\u202eevil\u200b\ud800\U000e0001", "\\u202eevil\\u200b\\ud800\\U000e0001"),
    ("a\r\n\tb", "a\\x0d\n\tb"),
])
def test_unprintable_characters_are_spelt(text: str, expected: str) -> None:
    assert visible(text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ('{"a":1.0,"a":[]}', '{\n  "a": 1.0,\n  "a": []\n}'),
    ('{"b":{"c":[1,2]}}', '{\n  "b": {\n    "c": [\n      1,\n      2\n    ]\n  }\n}'),
    ('["{,:}\\"]", {} ]', '[\n  "{,:}\\"]",\n  {}\n]'),
])
def test_json_is_indented_without_changing_a_token(text: str, expected: str) -> None:
    assert indented(text) == expected


def test_bodies_are_made_readable() -> None:
    assert readable(None) == readable(b"") == "(no body)"
    assert readable(b"\xff\x00<") == "\\xff\\x00<"
    assert readable(b"[" * 5000, characters=10) == "[[[[[[[[[[\n… (5,000 bytes in all)"
    assert readable(b"a\nb\nc", lines=2) == "a\nb\n… (5 bytes in all)"
    assert one_line("a\n b" * 500, 10) == "a ba ba b…"


@pytest.mark.parametrize(("target", "expected"), [
    ({"source": "reference", "base_url": "http://127.0.0.1:1", "level": None}, ""),
    ({"source": "http://h/x", "base_url": "http://h/x", "level": None}, "--base-url http://h/x "),
    ({"source": "my file.toml", "base_url": "http://h", "level": None}, "--target 'my file.toml' "),
])
def test_the_rerun_line_names_the_target_as_the_run_did(target: dict[str, object], expected: str) -> None:
    line = rerun(sample.header(target=target), "C-STATUS")
    assert line == f"atlas-conformance run {expected}--requirement C-STATUS --profile quick --seed 7"
