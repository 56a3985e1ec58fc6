"""Figures of a run under load: latencies, the load record, series over time, plots, limits, plans."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from atlas_conformance.contracts.finding import Finding, Judgement
from atlas_conformance.http.failures import TargetError
from atlas_conformance.load.ending import completed
from atlas_conformance.load.histogram import Histogram
from atlas_conformance.load.identities import Identities
from atlas_conformance.load.load import INTERVALS, Load, load_of
from atlas_conformance.load.page import load_page
from atlas_conformance.load.plan import Limits, Plan, check_roles, checked_plan
from atlas_conformance.load.plots import axis, finding_rows, latency, throughput
from atlas_conformance.load.record import FILE, End, RecordWriter, Sent, Start, read_record
from atlas_conformance.load.summary import Summary
from atlas_conformance.load.verdict import broken_limits, load_document
from atlas_conformance.reports.journal import JournalError
from tests.reports import sample_journal as sample
from tests.reports.browser import axe_script, violations

EPOCH = 1_700_000_000.0
FLOW = Finding("S-FLOW", "flex-get", "forward", "back", "/response/body/status")
HELD = Judgement(frozenset({("C-STATUS", "flex-get"), ("S-STATUS", "flex-get")}))


def sent(at: float, took: float = 0.01, status: int = 200, **changes: Any) -> Sent:
    members: dict[str, Any] = {
        "intended": EPOCH + at, "started": EPOCH + at, "ended": EPOCH + at + took, "operation": "flex-get",
        "status": status, "held": tuple(HELD.held), "found": (),
    }  # fmt: skip
    return Sent(**{**members, **changes})


# Latencies


def test_quantiles_are_never_too_short_and_at_most_a_twentieth_too_long() -> None:
    random = Random(1)
    values = sorted(random.lognormvariate(-4, 1.5) for _ in range(5_000))
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    for share in (0.01, 0.5, 0.9, 0.95, 0.99, 1.0):
        exact = values[max(0, round(share * len(values)) - 1)]
        assert exact <= histogram.quantile(share) <= exact * 1.05 + 1e-9
    assert histogram.quantile(1.0) == values[-1] == histogram.most


def test_joined_histograms_count_what_each_has_counted() -> None:
    one, other = Histogram(), Histogram()
    for value in (0.001, 0.002):
        one.add(value)
    other.add(5.0)
    whole = Histogram.joined([one, other])
    assert (whole.total, whole.most) == (3, 5.0)
    assert whole.quantile(0.5) < 0.0025 and Histogram().quantile(0.5) == 0.0


def test_latency_counts_from_the_moment_a_request_was_meant_to_be_sent() -> None:
    late = sent(3.0, intended=EPOCH + 1.0)
    assert late.latency == pytest.approx(2.01)


# The record


def write(folder: Path, *, close: bool = True, epoch: float = EPOCH, name: str = "one") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    writer = RecordWriter(folder / FILE, Start(epoch, name))
    writer.sent(epoch + 1.0, epoch + 1.5, epoch + 2.0, "flex-get", 200, HELD)
    writer.sent(epoch + 2.0, epoch + 2.0, epoch + 2.5, "flex-get", 200, Judgement(findings=(FLOW,)))
    writer.sent(epoch + 3.0, epoch + 3.0, epoch + 4.0, None, 0, Judgement(), "timeout")
    writer.job(Summary("a" * 24, "flex", "p", "c", "COMPLETED", True, 2, epoch + 1.0, epoch + 2.5))
    writer.job(Summary("b" * 24, "flex", "p", "c", "PENDING", True, 0, epoch + 1.0, float("inf")))
    if close:
        writer.close()
    return folder


def test_a_record_reads_back_as_it_was_written(tmp_path: Path) -> None:
    start, first, second, third, job, open_job, end = read_record(write(tmp_path) / FILE)
    assert start == Start(EPOCH, "one") and end == End(3, None)
    assert isinstance(first, Sent) and isinstance(second, Sent) and isinstance(third, Sent)
    assert first.latency == pytest.approx(1.0) and set(first.held) == HELD.held
    assert second.found == ((FLOW.key, None),)
    assert (third.operation, third.status, third.cause) == (None, 0, "timeout")
    assert isinstance(job, Summary) and job.whole and job.seconds == pytest.approx(1.5)
    assert isinstance(open_job, Summary) and not open_job.whole and open_job.seconds is None


def test_every_line_is_on_disk_before_the_next_one_comes(tmp_path: Path) -> None:
    """A process that is killed loses nothing of what it has recorded."""
    writer = RecordWriter(tmp_path / FILE, Start(EPOCH, "one"))
    for number in range(1, 4):
        writer.sent(EPOCH, EPOCH, EPOCH + 1, "flex-get", 200, HELD)
        assert sum(isinstance(line, Sent) for line in read_record(tmp_path / FILE)) == number
    writer.close()


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, close=False) / FILE
    with path.open("ab") as file:
        file.write(b"[1.0,1.0,2.")
    assert sum(isinstance(line, Sent) for line in read_record(path)) == 3
    assert load_of([tmp_path]).partial == "one: the record breaks off"


@pytest.mark.parametrize("content", [b"", b"no json\n", b'{"load":9}\n', b'{"load":1,"epoch":1,"name":""}\n[1,2]\n'])
def test_what_is_no_record_is_said_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(JournalError, match=r"is no load record|holds nothing"):
        load_of([tmp_path])


def test_several_records_are_one_load(tmp_path: Path) -> None:
    folders = [write(tmp_path / "a"), write(tmp_path / "b", epoch=EPOCH + 10, name="two", close=False)]
    load = load_of(folders, {folders[1]: "it was lost"})
    assert (load.requests, load.errors, load.causes["timeout"]) == (6, 2, 2)
    assert load.origin == EPOCH and load.seconds == pytest.approx(14.0)
    assert load.findings[FLOW.key].total() == 2 and load.failed["S-FLOW", "flex-get"] == 2
    assert load.held["C-STATUS", "flex-get"] == 2
    assert [(part.name, part.requests, part.partial) for part in load.parts] == [
        ("one", 3, None), ("two", 3, "it was lost"),
    ]  # fmt: skip
    assert load.whole_jobs == 2 and load.jobs["flex", "PENDING"] == 2


# Over time


def test_a_long_run_has_no_more_intervals_than_a_short_one() -> None:
    load = Load(origin=EPOCH)
    for second in range(0, 100_000, 7):
        load.add(sent(float(second), found=((FLOW.key, None),) if second % 70 == 0 else ()))
    places = {place for row in load.cells.values() for place in row}
    assert max(places) < INTERVALS and load.width == 512.0
    counted = sum(histogram.total for row in load.cells.values() for histogram in row.values())
    assert counted == load.requests == len(range(0, 100_000, 7))
    assert sum(load.findings[FLOW.key].values()) == len(range(0, 100_000, 70))


def test_paced_answers_are_counted_and_neither_errors_nor_latencies() -> None:
    load = Load(origin=EPOCH)
    load.add(sent(0.0, took=9.0, status=429))
    load.add(sent(1.0, took=0.1))
    load.add(sent(2.0, took=0.1, status=503))
    load.add(sent(3.0, took=0.1, status=0, cause="closed"))
    assert (load.paced, load.errors, load.error_rate) == (1, 2, 50.0)
    assert load.answered().most == pytest.approx(0.1)


def test_plots_and_findings_share_the_time_axis() -> None:
    load = Load(origin=EPOCH)
    for second in range(10):
        load.add(sent(float(second), took=0.001 * (second + 1)))
        load.add(sent(float(second), status=404))
    load.add(sent(4.2, found=((FLOW.key, None),)))
    plot = throughput(load, "flex-get")
    assert [curve.name for curve in plot.curves] == ["200 (11)", "404 (10)"]
    assert latency(load, "flex-get") is not None and latency(load, "flex-list") is None
    (row,) = finding_rows(load)
    assert (row.name, row.operation, row.first) == ("S-FLOW", "flex-get", "4 s")
    assert row.marks[0].x == "450.0"  # the middle of the fifth of ten seconds, of a width of 1000
    assert [label for _, label in axis(load)] == ["0 s", "2 s", "5 s", "8 s", "10 s"]


def load_with_a_finding() -> Load:
    load = Load(origin=EPOCH)
    for second in range(5):
        load.add(sent(float(second)))
        load.add(sent(float(second), status=0, operation=None, cause="closed"))
    load.add(sent(2.5, found=((FLOW.key, None),), held=()))
    return load


def test_the_page_says_what_the_load_was_and_loads_nothing(tmp_path: Path) -> None:
    load = load_with_a_finding()
    report = sample.failing(tmp_path / "journal.jsonl")
    page = load_page(report, load, Limits(p95=0.001, error_rate=1.0))
    assert "A limit is broken: 95 of 100 answers took up to" in page
    assert "S-FLOW on flex-get: 1 exchange, first at 2 s" in page
    assert page.count('class="over-time"') == 2 + 2 + 1  # overall, flex-get, and no latency of what had no answer
    body = page.partition("<body")[2]
    assert "http" not in body.replace("https://atlas.example.net", "") and "src=" not in body
    assert "default-src 'none'" in page.replace("&#39;", "'") and "<script" not in page


@pytest.mark.skipif(axe_script() is None, reason="axe-core-python is not installed")
def test_axe_core_has_nothing_to_say_of_the_page(tmp_path: Path) -> None:
    page = load_page(sample.failing(tmp_path / "journal.jsonl"), load_with_a_finding(), Limits())
    assert violations(page, tmp_path) == []


def test_the_figures_as_data(tmp_path: Path) -> None:
    document = load_document(
        sample.failing(tmp_path / "journal.jsonl"), load_with_a_finding(), Limits(error_rate=90.0), 1
    )
    assert document["requests"] == 11 and document["statuses"] == {"0": 5, "200": 6}
    assert document["findings"] == [
        {"requirement": "S-FLOW", "operation": "flex-get", "place": "/response/body/status", "count": 1,
         "at": [{"from": 2.0, "count": 1}]},
    ]  # fmt: skip
    assert document["limits"]["broken"] == () and document["operations"]["flex-get"]["latency_ms"]["count"] == 6


def test_the_report_shows_the_counts_of_the_record(tmp_path: Path) -> None:
    load = Load(origin=EPOCH)
    for _ in range(1_000):
        load.add(sent(0.0))
    report = completed(sample.passing(tmp_path / "journal.jsonl"), load)
    assert report.exchanges == 1_000
    shown = report.rows["C-STATUS"].cells["flex-get"]
    assert shown.passed == 1_000 and shown.status == "passed"


# Limits and plans


@pytest.mark.parametrize(
    ("limits", "broken"),
    [
        (Limits(), 0), (Limits(p95=50.0), 0), (Limits(p95=5.0), 1), (Limits(error_rate=50.0), 0),
        (Limits(error_rate=40.0), 1), (Limits(5.0, 40.0), 2),
    ],
)  # fmt: skip
def test_limits_that_a_run_breaks(limits: Limits, broken: int) -> None:
    load = Load(origin=EPOCH)
    for second in range(10):
        load.add(sent(float(second)))
        load.add(sent(float(second), status=500 if second else 200))
    assert len(broken_limits(load, limits)) == broken


def test_a_plan_that_cannot_be_meant_is_refused() -> None:
    with pytest.raises(TargetError, match="shorter than --duration"):
        checked_plan(5, "10s", "10s", None, 1)
    for wrong in ("0s", "soon", "", "-5s", "8888h"):
        with pytest.raises(TargetError, match=r"^--duration is "):
            checked_plan(5, wrong, None, None, 1)
    with pytest.raises(TargetError, match="no requirement 'X-NO'"):
        checked_plan(5, "10s", None, None, 1, ("X-NO",))
    with pytest.raises(TargetError, match="--rate"):
        checked_plan(5, "10s", None, "fast", 1)


@pytest.mark.parametrize(
    ("roles", "sentence"),
    [
        ((True, True, None, 1, "t"), "either --master or --worker"),
        ((False, True, None, 1, "t"), "--worker needs --master-host HOST"),
        ((False, False, "h", 1, "t"), "give --worker too"),
        ((False, False, None, 3, "t"), "give --master too"),
        ((True, False, None, 2, None), "need --target FILE or --base-url URL"),
    ],
)
def test_roles_that_do_not_go_together(roles: tuple[bool, bool, str | None, int, str | None], sentence: str) -> None:
    with pytest.raises(TargetError, match=sentence):
        check_roles(*roles)


def test_roles_that_do() -> None:
    check_roles(False, False, None, 1, None)
    check_roles(True, False, None, 9, "t.toml")
    check_roles(False, True, "master.example.com", 1, "t.toml")


def test_a_plan_survives_the_way_to_a_worker() -> None:
    plan = checked_plan(7, "1m", "10s", "30/s", 5, ("S-FLOW",))
    assert Plan.of_json(plan.as_json()) == plan
    assert plan.spawn_rate == pytest.approx(0.7) and plan.period == pytest.approx(7 / 24)


# Ids


def test_ids_are_remembered_exactly_in_a_table_that_does_not_grow() -> None:
    table = Identities(size=64)
    ids = [f"{number:024x}" for number in range(40)] + ["Ümlaut", "\ud800", "0" * 24, "short"]
    for identity in ids[-4:]:
        table.add(identity)
    assert all(identity in table for identity in ids[-4:])
    assert not any(identity in table for identity in ids[1:40])
    before = len(table._table)
    for number in range(10_000):
        table.add(f"{number:024x}")
    assert len(table._table) == before
    kept = [number for number in range(10_000) if f"{number:024x}" in table]
    assert 0 < len(kept) <= 64 and min(kept) > 9_000


@pytest.mark.parametrize("strict", [False, True])
def test_advice_is_failure_under_strict_with_the_counts_of_the_record(tmp_path: Path, strict: bool) -> None:
    made = sample.Sample(tmp_path / "j", strict=strict)
    advice = replace(sample.finding("L-TOTAL", "flex-list", pointer="/response/body/totalCount"), advice=True)
    made.add(advice, operation="flex-list")
    load = Load(origin=EPOCH)
    load.advice[advice.key] = 400
    report = completed(made.end(), load)
    assert report.verdict == ("failed" if strict else "passed")
    assert [group.count for group in (*report.groups, *report.advice)] == [400]
    assert report.findings == (400 if strict else 0)
