"""The contrast of a failure: kept in the journal, shown with its group in every format, joined from shards."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from jsonschema_rs import Draft202012Validator
from rich.console import Console

from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.reports.copying import copy_part
from atlas_conformance.reports.ctrf import ctrf
from atlas_conformance.reports.html import html
from atlas_conformance.reports.journal import Journal, JournalError, JournalWriter
from atlas_conformance.reports.junit import junit
from atlas_conformance.reports.markdown import markdown
from atlas_conformance.reports.matrix import build
from atlas_conformance.reports.model import CONTRAST, Report
from atlas_conformance.reports.records import ContrastRecord, encoded_line, record_of_json
from atlas_conformance.reports.sarif import sarif
from atlas_conformance.reports.summary import summary
from atlas_conformance.reports.terminal import print_report
from tests.reports import sample_journal as sample

REPORTS = Path(__file__).parents[2] / "reports"
PLACE = "/response/status"
SENTENCE = "refused with `Größe`, accepted with `Cluster0`: letters beyond ASCII in targetDeploymentItemName"
RECORD = ContrastRecord(1, 2, "B-ACCEPT", "flex-create", PLACE, SENTENCE)


def written(path: Path, *records: ContrastRecord, smaller: bool = False) -> Report:
    """Write a journal with one refusal, one success and these contrasts; the report of it.

    `smaller` adds the same refusal of a smaller request, that was sent to find the contrast.
    """
    refusal = sample.finding("B-ACCEPT", "flex-create", expected="200", seen="400", pointer=PLACE)
    with JournalWriter(path, sample.header()) as writer:
        for n, (body, status) in enumerate(((b'{"name":"Gr\xc3\xb6\xc3\x9fe"}', 400), (b'{"name":"Cluster0"}', 200))):
            sent = sample.exchange(n=n, body=body, status=status)
            found = Judgement(findings=(refusal,)) if status == 400 else Judgement()
            writer.exchange(sent, operation="flex-create", test="t", judgement=found)
        if smaller:
            sent, found = sample.exchange(n=3, body=b"{}", status=400), Judgement(findings=(refusal,))
            writer.exchange(sent, operation="flex-create", test=CONTRAST, judgement=found, passing=True)
        for record in records:
            writer.contrast(record)
        writer.close(ended=sample.ENDED, verdict="failed", exit=1)
    return build(Journal(path))


def test_a_contrast_is_read_back_as_it_was_written_and_holds_to_the_schema() -> None:
    line = orjson.loads(encoded_line(RECORD))
    assert record_of_json(line) == RECORD
    schema = json.loads((REPORTS / "journal.schema.json").read_text("utf-8"))
    assert Draft202012Validator(schema).is_valid(line)
    assert not Draft202012Validator(schema).is_valid({**line, "other": None})


@pytest.mark.parametrize("wrong", [replace(RECORD, n=3), replace(RECORD, other=9)])
def test_a_contrast_of_an_exchange_that_is_not_there_makes_no_journal(tmp_path: Path, wrong: ContrastRecord) -> None:
    with pytest.raises(JournalError, match="a contrast names an exchange not yet written"):
        written(tmp_path / "journal.jsonl", wrong)


def test_every_format_shows_the_contrast_with_its_failure(tmp_path: Path) -> None:
    report = written(tmp_path / "journal.jsonl", RECORD)
    contrast = {"sentence": SENTENCE, "exchange": 1, "other_exchange": 2}
    console = Console(width=400, record=True, file=(tmp_path / "out").open("w", encoding="utf-8"))
    print_report(report, console, verbose=True)
    text = console.export_text()
    assert f"Contrast   {SENTENCE} (exchanges 1 and 2)" in text
    assert f"Contrast: {SENTENCE}" in " ".join(text.rpartition("1 defect")[2].split())
    assert f"<strong>Contrast:</strong> {SENTENCE} (exchanges 1 and 2)" in html(report)
    assert "Contrast: refused with &#96;Größe&#96;, accepted with" in markdown(report).decode()
    case = ET.fromstring(junit(report))[0][0]
    assert case.find("failure").get("message", "").endswith(f"Contrast: {SENTENCE} (exchanges 1 and 2).")  # type: ignore[union-attr]
    assert orjson.loads(ctrf(report))["results"]["tests"][0]["extra"]["contrast"] == contrast
    (result,) = orjson.loads(sarif(report))["runs"][0]["results"]
    assert f"Contrast: {SENTENCE} (exchanges 1 and 2). " in result["message"]["text"]
    assert result["properties"]["contrast"] == contrast
    document = summary(report)
    (found,) = document["requirements"]["B-ACCEPT"]["findings"]
    assert found["contrast"] == contrast
    schema = json.loads((REPORTS / "summary.schema.json").read_text("utf-8"))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(document)] == []


def test_without_a_contrast_nothing_is_said_of_one(tmp_path: Path) -> None:
    report = written(tmp_path / "journal.jsonl")
    (found,) = summary(report)["requirements"]["B-ACCEPT"]["findings"]
    assert found["contrast"] is None
    formats = (html(report).encode(), *(write(report) for write in (markdown, junit, ctrf, sarif)))
    assert not [text for text in formats if b"Contrast:" in text]


def test_what_a_request_says_can_neither_steer_a_terminal_nor_break_a_page(tmp_path: Path) -> None:
    report = written(tmp_path / "journal.jsonl", replace(RECORD, sentence=sample.HOSTILE))
    with (tmp_path / "out").open("w", encoding="utf-8") as file:
        print_report(report, Console(width=400, file=file))
    shown = (tmp_path / "out").read_text("utf-8")
    assert "\x1b]0;" not in shown and "\u202e" not in shown
    assert "<script>alert(1)" not in html(report) and b"<script>" not in markdown(report)


def test_the_smallest_request_is_shown_and_does_not_count(tmp_path: Path) -> None:
    report = written(tmp_path / "journal.jsonl", RECORD, smaller=True)
    (group,) = report.groups
    assert group.sample.n == 3 and group.count == 1 and group.first == 1
    assert report.rows["B-ACCEPT"].cells["flex-create"].failed == 1
    assert report.findings == 1 and report.passing == 1


def test_joined_journals_keep_their_contrasts(tmp_path: Path) -> None:
    written(tmp_path / "part.jsonl", RECORD)
    with JournalWriter(tmp_path / "whole.jsonl", sample.header()) as writer:
        for n in range(3):
            writer.exchange(sample.exchange(n=n), operation="flex-create", test="t")
        copy_part(Journal(tmp_path / "part.jsonl"), writer, "shard 2/2")
        writer.close(ended=sample.ENDED, verdict="failed", exit=1)
    assert list(build(Journal(tmp_path / "whole.jsonl")).contrasts.values()) == [replace(RECORD, n=4, other=5)]
