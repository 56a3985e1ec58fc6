"""What is drawn and excerpted: timelines, latencies, effort, and the difference at a finding's place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_conformance.reports.excerpt import difference, located
from atlas_conformance.reports.pictures import effort_rows, job_pictures, latency_picture, milliseconds
from atlas_conformance.reports.wording import indented
from tests.reports import sample_journal as sample

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


def test_a_followed_job_is_seen_from_its_creation_to_its_end(tmp_path: Path) -> None:
    report = sample.followed(tmp_path / "j")
    first, second = report.timelines
    assert [sight.state for sight in first.sights] == ["PENDING", "RUNNING", "RUNNING", "COMPLETED"]
    assert [change.member for change in first.sights[3].changes] == ["status", "restoreFinishedDate"]
    assert first.sights[2].changes == () and second.sights[1].changes[0].after == '"FAILED"'
    picture = job_pictures(report)[0]
    assert [band.kind for band in picture.bands] == ["waiting", "running", "done"]
    assert picture.words == "Job a1: PENDING at 0.00 s, then RUNNING at 1.00 s, then COMPLETED at 3.00 s"
    ends = [float(band.x[:-1]) + float(band.width[:-1]) for band in picture.bands]
    starts = [float(band.x[:-1]) for band in picture.bands]
    assert starts[1:] == pytest.approx(ends[:-1], abs=0.01) and ends[-1] == pytest.approx(100)
    assert "restoreFinishedDate absent → " in picture.changes[1]


def test_a_job_that_was_only_created_is_not_drawn(tmp_path: Path) -> None:
    made = sample.Sample(tmp_path / "j")
    made.add(held=(("S-NEW", "flex-create"),))
    for n in range(5):
        read = sample.exchange("flex-get", n=n, answer=b'{"id":"somebody-elses","status":"RUNNING"}')
        made.add(operation="flex-get", sent=read)
    assert job_pictures(made.end()) == ()


def test_latencies_are_quantiles_of_what_was_answered(tmp_path: Path) -> None:
    made = sample.Sample(tmp_path / "j")
    for n in range(100):
        sent = sample.exchange("flex-get")
        made.add(operation="flex-get", sent=type(sent)(sent.request, sent.response, 100.0, 100.0 + (n + 1) / 1000))
    lost = sample.exchange("flex-get", status=0)
    made.add(operation="flex-get", sent=type(lost)(lost.request, lost.response, 100.0, 400.0))
    report = made.end()
    (latency,) = report.latencies
    assert latency.count == 100
    quantiles = (latency.least, latency.lower, latency.median, latency.p95, latency.most)
    assert [round(value * 1000) for value in quantiles] == [1, 26, 51, 96, 100]
    picture = latency_picture(report)
    assert picture is not None
    assert [label for _, label in picture.axis] in (["1 ms", "10 ms", "100 ms"], ["0.1 ms", "1 ms", "10 ms", "100 ms"])
    row = picture.rows[0]
    places = [float(place[:-1]) for place in (row.least, row.lower, row.median, row.p95, row.most)]
    assert places == sorted(places) and places[0] >= 0 and places[-1] <= 100


@pytest.mark.parametrize(("seconds", "text"), [(0.0008, "0.8 ms"), (0.012, "12 ms"), (1.5, "1.5 s")])
def test_latencies_read_well(seconds: float, text: str) -> None:
    assert milliseconds(seconds) == text


def test_every_selected_requirement_has_its_bar(tmp_path: Path) -> None:
    rows = {row.requirement: row for row in effort_rows(sample.failing(tmp_path / "j"))}
    assert len(rows) == sample.COUNT and rows["A-LIST"].width == "0.000%" and rows["A-LIST"].count == "0"
    assert max(float(row.width[:-1]) for row in rows.values()) == pytest.approx(100, abs=0.01)


@settings(max_examples=150, deadline=None)
@given(JSON.filter(lambda value: isinstance(value, list | dict)))
def test_a_place_is_found_wherever_it_is(document: object) -> None:
    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")

    def walk(value: object, pointer: str) -> None:
        lines, first, last, whole = located(body, pointer)
        assert whole
        text = "\n".join(lines[first : last + 1])
        if isinstance(value, list | dict) and value:
            assert json.loads(text[text.index("[" if isinstance(value, list) else "{") :].rstrip(",")) is not None
        members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for name, member in members:
            if not isinstance(name, str) or (name.isalnum() and name.isascii()):
                walk(member, f"{pointer}/{name}")

    if b"\\" not in body and body.isascii():
        walk(document, "")
        assert "\n".join(located(body, "")[0]) == indented(body.decode())


def test_the_difference_stands_at_its_place(tmp_path: Path) -> None:
    answer = b'{"results":[{"id":"a","status":"DONE"}],"totalCount":1}'
    made = sample.Sample(tmp_path / "j")
    made.add(
        sample.finding("S-STATUS", expected="one of PENDING, RUNNING", pointer="/response/body/results/0/status"),
        sample.finding("C-SCHEMA", expected="a name", seen="nothing", pointer="/response/body/results/0/name"),
        sample.finding("T-TARGET", expected="400", seen="200", pointer="/request/body/snapshotId"),
        sample.finding("C-STATUS", expected="200", pointer="/response/status"),
        sent=sample.exchange(answer=answer),
    )
    report = made.end()
    shown = {group.requirement: difference(group.sample, group.finding) for group in report.groups}
    kinds = {requirement: [line.kind for line in lines] for requirement, lines in shown.items()}
    status = [(line.kind, line.text) for line in shown["S-STATUS"]]
    at = kinds["S-STATUS"].index("expected")
    assert status[at : at + 2] == [
        ("expected", "      one of PENDING, RUNNING"),
        ("seen", '      "status": "DONE"'),
    ]
    assert status[at - 1][1] == '      "id": "a",'
    assert ("expected", "a name") in [(line.kind, line.text) for line in shown["C-SCHEMA"]]
    assert kinds["T-TARGET"][:2] == ["expected", "seen"]
    assert next(line.text for line in shown["T-TARGET"] if line.kind == "place").startswith('  "snapshotId": ')
    assert kinds["C-STATUS"] == ["expected", "seen"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"3"])
def test_a_body_that_is_no_json_has_no_place(body: bytes) -> None:
    assert located(body, "/id")[0] == []
