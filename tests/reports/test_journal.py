"""The journal: what is written is read back, what is damaged is said to be."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Request, Response
from atlas_conformance.reports.journal import Journal, JournalError, JournalWriter
from atlas_conformance.reports.records import (
    ExchangeRecord,
    FindingRecord,
    encoded_line,
    record_of_json,
)
from tests.reports import sample_journal as sample

OPERATIONS = Contract.load().operations

SCHEMA = json.loads((Path(__file__).parents[2] / "reports" / "journal.schema.json").read_text("utf-8"))


@pytest.mark.parametrize("build", [sample.passing, sample.failing, sample.hostile])
def test_every_line_holds_to_the_published_schema(tmp_path: Path, build: sample.Builder) -> None:
    build(tmp_path / "journal.jsonl")
    validator = Draft202012Validator(SCHEMA)
    lines = (tmp_path / "journal.jsonl").read_bytes().splitlines()
    assert len(lines) > 3
    for line in lines:
        assert [error.message for error in validator.iter_errors(orjson.loads(line))] == []


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "exchange"},
        {"n": 0},
        {"surplus": 1},
        {"held": [["C-STATUS"]]},
        {"credential": "admin"},
        {"response": {"status": 200, "headers": []}},
    ],
)
def test_the_schema_refuses_what_is_no_line(change: dict[str, object]) -> None:
    line = orjson.loads(encoded_line(ExchangeRecord(1, "t", "flex-get", sample.exchange("flex-get"))))
    validator = Draft202012Validator(SCHEMA)
    assert validator.is_valid(line)
    assert validator.is_valid({**line, **change}) is (change == {"kind": "exchange"})


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_exchange_comes_back_as_it_was(data: st.DataObject) -> None:
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    headers = st.lists(st.tuples(text, text), max_size=3).map(tuple)
    request = Request(
        data.draw(st.sampled_from(["GET", "POST"])),
        "/api/" + data.draw(text),
        data.draw(st.none() | headers),
        data.draw(st.none() | st.binary(max_size=20)),
        data.draw(st.sampled_from(["owner", "none"])),
        "digest",
        data.draw(st.booleans()),
    )
    response = Response(data.draw(st.integers(100, 599)), data.draw(headers), data.draw(st.binary(max_size=20)))
    record = ExchangeRecord(3, "a test", None, Exchange(request, response, 1.25, 1.5), (("C-STATUS", "flex-get"),))
    assert record_of_json(orjson.loads(encoded_line(record))) == record


def test_lone_surrogates_are_stored_as_their_escapes(tmp_path: Path) -> None:
    made = sample.Sample(tmp_path / "j")
    sent = sample.exchange(headers=(("X-Odd", "a\udc80"),))
    made.add(sample.finding(seen="\ud800"), held=(("C-STATUS", "flex-create"),), sent=sent)
    made.end()
    records = list(Journal(made.path))
    assert isinstance(records[1], ExchangeRecord) and isinstance(records[2], FindingRecord)
    assert records[1].exchange.response.headers == (("X-Odd", "a\\udc80"),)
    assert records[1].held == (("C-STATUS", "flex-create"),)
    assert records[2].finding.seen == "\\ud800"


def test_a_journal_with_its_closing_line_is_whole(tmp_path: Path) -> None:
    sample.passing(tmp_path / "j")
    journal = Journal(tmp_path / "j")
    assert len(list(journal)) == (40 * len(OPERATIONS) + 1) + 1 + 2
    assert journal.partial is None


def test_a_journal_without_its_closing_line_is_partial(tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "j", sample.header()) as writer:
        writer.exchange(sample.exchange(), operation="flex-create", test="t")
    journal = Journal(tmp_path / "j")
    assert len(list(journal)) == 2
    assert journal.partial == "the journal ends without its closing line"


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_last_line_that_is_cut_off_is_left_out(tmp_path: Path, cut: int) -> None:
    sample.failing(tmp_path / "j")
    whole = (tmp_path / "j").read_bytes()
    (tmp_path / "j").write_bytes(whole[:-cut])
    journal = Journal(tmp_path / "j")
    assert len(list(journal)) == len(whole[:-cut].splitlines()) - 1
    assert journal.partial == "the last line of the journal is cut off"


def test_a_closing_line_that_contradicts_the_journal_makes_it_partial(tmp_path: Path) -> None:
    sample.failing(tmp_path / "j")
    lines = (tmp_path / "j").read_bytes().splitlines(keepends=True)
    drop = next(i for i in reversed(range(len(lines))) if b'"kind":"finding"' in lines[i])
    (tmp_path / "j").write_bytes(b"".join(lines[:drop] + lines[drop + 1 :]))
    journal = Journal(tmp_path / "j")
    list(journal)
    assert journal.partial and "the closing line counts" in journal.partial


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "its first line is no header"),
        (b"\x89PNG\r\n\x1a\n\x00", "line 1 is no JSON"),
        (b'{"verdict": "passed"}\n', "its first line is no header"),
        (b'{"kind":"header","journal":9}\n', "a journal of version 9; version 1 is wanted"),
        (b'{"kind":"header","journal":1}\n', "malformed"),
        (b"HEADER\n[]\n", "line 2 is no line of a journal"),
        (b'HEADER\n{"kind":["x"]}\n', "line 2 is no line of a journal"),
        (b'HEADER\n{"kind":"finding"}\n', "line 2 is of kind finding but lacks 'requirement'"),
        (b"HEADER\nHEADER\n", "line 2 is a second header"),
        (b"HEADER\n{\n", "line 2 is no JSON"),
    ],
)
def test_another_kind_of_file_is_refused_in_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    header = encoded_line(sample.header()).strip()
    (tmp_path / "j").write_bytes(content.replace(b"HEADER", header))
    with pytest.raises(JournalError) as caught:
        list(Journal(tmp_path / "j"))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_exchanges_and_findings_out_of_order_are_refused(tmp_path: Path) -> None:
    header = encoded_line(sample.header())
    second = encoded_line(ExchangeRecord(2, "t", None, sample.exchange()))
    early = encoded_line(FindingRecord(1, sample.finding()))
    for lines, words in ((header + second, "exchange 1 has the number 2"), (header + early, "not yet written")):
        (tmp_path / "j").write_bytes(lines)
        with pytest.raises(JournalError, match=words):
            list(Journal(tmp_path / "j"))


def test_a_missing_file_and_a_folder_are_refused_in_one_sentence(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(JournalError, match=r"cannot be read: .+\.\Z"):
            Journal(path)


def test_a_journal_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be written"):
        JournalWriter(tmp_path / "file" / "j", sample.header())


def test_threads_share_a_writer(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "j", sample.header())

    def write() -> None:
        for _ in range(200):
            n = writer.exchange(sample.exchange(), operation="flex-create", test="t")
            writer.finding(n, sample.finding())

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close(ended=sample.ENDED, verdict="failed", exit=1)
    journal = Journal(tmp_path / "j")
    assert sum(isinstance(record, FindingRecord) for record in journal) == 800
    assert journal.partial is None


def test_findings_reach_the_file_at_once(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "j", sample.header())
    n = writer.exchange(sample.exchange(), operation="flex-create", test="t")
    writer.finding(n, sample.finding(), related=[n])
    assert b'"kind":"finding"' in (tmp_path / "j").read_bytes()
    writer.close(ended=sample.ENDED, verdict="failed", exit=1)


def test_exchanges_are_found_by_number(tmp_path: Path) -> None:
    sample.failing(tmp_path / "j")
    found = Journal(tmp_path / "j").exchanges([3, 134, 9999])
    assert sorted(found) == [3, 134]
    assert found[134].exchange.request.body and b"targetGroupId" not in found[134].exchange.request.body
