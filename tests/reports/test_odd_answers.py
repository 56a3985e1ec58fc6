"""Nothing that an endpoint answers stops a report: every answer is judged, journalled, and shown in every format."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from atlas_conformance.contracts.chronicle import Chronicle
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Headers, Request, Response
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.load.ledger import Ledger
from atlas_conformance.load.record import RecordWriter, Start, read_record
from atlas_conformance.load.recorder import Recorder
from atlas_conformance.reports.annotations import workflow_commands
from atlas_conformance.reports.journal import Journal, JournalWriter
from atlas_conformance.reports.matrix import Tally
from atlas_conformance.reports.records import JobRecord
from atlas_conformance.reports.terminal import print_report
from atlas_conformance.reports.writing import end_journal, report_of, write_reports
from tests.reports import sample_journal as sample

OPERATIONS = Contract.load().operations

JOB = "63f8a1c2d4e5f60718293a4b"
SHARED = {
    "id": JOB, "projectId": sample.GROUP, "instanceName": "Cluster0", "deliveryType": "RESTORE", "status": "PENDING",
    "snapshotId": sample.SNAPSHOT, "targetDeploymentItemName": "Target0", "targetProjectId": sample.GROUP,
    "snapshotFinishedDate": "2026-01-04T10:00:00Z", "restoreScheduledDate": "2026-01-05T10:00:00Z",
    "expirationDate": "2026-01-06T10:00:00Z",
}  # fmt: skip
DEDICATED = {
    "id": JOB, "deliveryType": "automated", "snapshotId": sample.SNAPSHOT, "targetClusterName": "Target0",
    "targetGroupId": sample.GROUP, "cancelled": False, "failed": False, "expired": False, "deliveryUrl": [],
    "timestamp": "2026-01-05T10:00:00Z", "links": [{"rel": "self", "href": "https://h"}], "components": [],
}  # fmt: skip
ERROR = {"error": 404, "errorCode": "RESOURCE_NOT_FOUND", "detail": "x", "reason": "Not Found", "parameters": []}
SENT = {
    "flex": {"snapshotId": sample.SNAPSHOT, "targetDeploymentItemName": "Target0"},
    "cluster": {
        "deliveryType": "automated", "snapshotId": sample.SNAPSHOT, "targetClusterName": "Target0",
        "targetGroupId": sample.GROUP,
    },
}  # fmt: skip

ODD = [
    "null", '""', "true", "[]", "{}", "0", "-1", "1.5", "1e400", "-1e400", "1" * 25, "9" * 5_000, "-" + "1" * 400,
    '"\\ud800"', '"\\udfff\\ud800x"', '"\\u0000\\u001b[2J"', '"' + "x" * 5_000 + '"', '"<script>alert(1)</script>"',
    "[" * 900 + "]" * 900, '{"a":' * 450 + "1" + "}" * 450, '{"\\ud800":1}', '{"~1/":{"":[{}]}}', "[[]]", '[null,"",0]',
    '"2026-13-45T99:99:99Z"', '"9999-12-31T23:59:60Z"', '"0000-01-01T00:00:00Z"', '[{"rel":{}}]', '"]]>&\\u202e"',
]  # fmt: skip
WHOLE = [
    b"", b"null", b'""', b"0", b"-Infinity", b"NaN", b"1e400", b"[]", b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 100_000, b"\xff\xfe\x00", b"{", b'{"id":"\\ud800"}', b'{"totalCount":-Infinity,"results":[]}',
    b'{"results":[{}],"totalCount":1e400}', b'{"error":1e400}', b'{"error":' + b"9" * 5_000 + b"}", b"<html>",
]  # fmt: skip


def _with(document: dict[str, object], odd: str, where: int) -> bytes:
    """Return a document as JSON with one of its values, the one at `where`, replaced by a text."""
    text = json.dumps(document)
    assert isinstance(document, dict)
    places = list(document)
    name = places[where % len(places)]
    marked = json.dumps({**document, name: "@@"})
    assert text != marked
    return marked.replace('"@@"', odd).encode()


def _wrapped(body: bytes, how: int) -> bytes:
    before, after = [(b"", b""), (b'{"status":200,"content":', b"}"), (b'{"totalCount":1,"results":[', b"]}")][how]
    return before + body + after


odd_bodies = st.one_of(
    st.sampled_from(WHOLE),
    st.binary(max_size=40),
    st.builds(
        _wrapped,
        st.builds(_with, st.sampled_from([SHARED, DEDICATED, ERROR]), st.sampled_from(ODD), st.integers(0, 20)),
        st.integers(0, 2),
    ),
)
values = st.text(st.characters(min_codepoint=0, max_codepoint=255), max_size=12)
odd_headers = st.lists(
    st.tuples(
        st.sampled_from(["Content-Type", "Retry-After", "RateLimit-Remaining", "X-Error-Code", "Sunset", "é"]),
        st.one_of(values, st.sampled_from(["application/json", "1e400", "9" * 5_000, "-1", "\x1b[2J"])),
    ),
    max_size=3,
).map(tuple)
answers = st.tuples(
    st.sampled_from([op for op in OPERATIONS if op in ("flex-create", "flex-get", "flex-list", "cluster-create",
                                                       "cluster-get", "cluster-list", "tenant-create", "tenant-get",
                                                       "cluster-cancel", "cluster-create-v1", "cluster-get-v1")]),
    st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 404, 409, 422, 429, 500, 503, 599, 100]),
    odd_headers,
    odd_bodies,
)  # fmt: skip


def exchange(operation: str, n: int, status: int, headers: Headers, body: bytes) -> Exchange:
    """Return an exchange on the job that all answers speak of, at the moment `n`."""
    made = sample.exchange(operation, n=n)
    target = made.request.target
    if OPERATIONS[operation].kind in ("get", "cancel"):
        target = target.rpartition("/")[0] + "/" + JOB
    known = OPERATIONS[operation]
    sent = json.dumps(SENT.get(known.resource.label, SENT["flex"])).encode() if known.kind == "create" else None
    asked = (("Accept", known.media_type or "application/json"), ("Content-Type", "application/json"))
    if not any(name == "Content-Type" for name, _ in headers):
        media = known.media_type if status == 200 else None
        headers = (*headers, ("Content-Type", media or "application/json"))
    request = Request(known.method, target, asked, sent)
    return Exchange(request, Response(status, headers, body), made.started, made.ended)


def _shown_everywhere(report: object, journal: Path, folder: Path) -> None:
    written = write_reports(folder, report, journal)  # type: ignore[arg-type]
    assert written.failures == ()
    assert len(written.paths) == 8
    for encoding in ("utf-8", "ascii"):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        print_report(report, Console(file=stream, width=100))  # type: ignore[arg-type]
        stream.flush()
    for line in workflow_commands(report):  # type: ignore[arg-type]
        line.encode()


def ended_with_reports(odd: list[tuple[str, int, Headers, bytes]], folder: Path) -> None:
    """Judge and journal the answers, end the journal, and show its report in every format, twice."""
    header = sample.header()
    tally = Tally(header)
    writer = JournalWriter(folder / "j", header, tally.add)
    chronicle = Chronicle(Knowledge())
    for n, (operation, status, headers, body) in enumerate(odd):
        had = exchange(operation, n, status, headers, body)
        told = chronicle.tell(had)
        writer.exchange(had, operation=operation, test="t", judgement=told.judgement)
    for job in chronicle.created():
        writer.job(JobRecord(job.job, job.resource.label, job.project, job.cluster, job.last_state))
    report = end_journal(writer, tally, ended=sample.ENDED)
    _shown_everywhere(report, writer.path, folder / "out")
    again = folder / "again"
    _shown_everywhere(report_of(writer.path), writer.path, again)
    for name in ("summary.json", "report.html", "junit.xml"):
        assert (again / name).read_bytes() == (folder / "out" / name).read_bytes()


def kept_under_load(odd: list[tuple[str, int, Headers, bytes]], folder: Path) -> None:
    """Record the answers as a run under load does, and show its report in every format."""
    header = sample.header()
    tally = Tally(header)
    writer = JournalWriter(folder / "j", header, tally.add)
    record = RecordWriter(folder / "r", Start(0.0, "here"))
    ledger = Ledger(Knowledge(), closed=record.job)
    recorder = Recorder(ledger, writer, record, lambda: ())
    for n, (operation, status, headers, body) in enumerate(odd):
        recorder.exchange(exchange(operation, n, status, headers, body), float(n), "user 1")
    ledger.close_all()
    record.close()
    assert recorder.requests == len(odd)
    assert len(list(read_record(folder / "r"))) > len(odd)
    report = end_journal(writer, tally, ended=sample.ENDED)
    _shown_everywhere(report, writer.path, folder / "out")
    assert list(Journal(folder / "j"))


@pytest.mark.unmeasured
@given(st.lists(answers, min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_a_run_of_any_answers_ends_with_its_reports(odd: list[tuple[str, int, Headers, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        ended_with_reports(odd, Path(scratch))


@given(st.lists(answers, min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_a_run_under_load_of_any_answers_keeps_its_record(odd: list[tuple[str, int, Headers, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        kept_under_load(odd, Path(scratch))


def every_odd_value() -> list[tuple[str, int, Headers, bytes]]:
    """Answers that show each odd value at each place of a job and of an error: created, read, and listed."""
    found: list[tuple[str, int, Headers, bytes]] = []
    for family, document in (("flex", SHARED), ("cluster", DEDICATED)):
        for place in range(len(document)):
            for odd in ODD:
                job = _with(document, odd, place)
                found += [(f"{family}-create", 200, (), job), (f"{family}-get", 200, (), job)]
                found.append((f"{family}-list", 200, (), _wrapped(job, 2)))
    found += [("flex-get", 404, (), _with(ERROR, odd, place)) for place in range(len(ERROR)) for odd in ODD]
    return found + [(operation, status, (), body) for body in WHOLE
                    for operation in ("flex-create", "flex-list", "cluster-get") for status in (200, 404)]  # fmt: skip


def test_every_odd_value_at_every_place_is_judged_kept_and_shown(tmp_path: Path) -> None:
    ended_with_reports(every_odd_value(), tmp_path)


def test_every_odd_value_at_every_place_is_kept_under_load(tmp_path: Path) -> None:
    kept_under_load(every_odd_value(), tmp_path)


@pytest.mark.parametrize("body", WHOLE, ids=range(len(WHOLE)))
def test_an_error_that_is_odd_as_a_whole_is_a_failure(body: bytes) -> None:
    assert Chronicle(Knowledge()).feed(exchange("flex-get", 0, 404, (), body)).findings


def test_a_response_is_what_it_was_in_the_record_that_is_read_back(tmp_path: Path) -> None:
    seen = []
    writer = JournalWriter(tmp_path / "j", sample.header(), seen.append)
    writer.job(JobRecord("a\ud800", "flex", sample.GROUP, "c\udfff", "RUNNING"))
    writer.flush()
    assert seen == list(Journal(tmp_path / "j"))
