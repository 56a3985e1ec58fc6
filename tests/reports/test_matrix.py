"""The matrix: statuses by the ladder, verdicts and exit codes, findings grouped under what explains them."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reports.cells import NO_EXCHANGE, UNSELECTED
from atlas_conformance.reports.journal import Journal, JournalWriter
from atlas_conformance.reports.matrix import build
from atlas_conformance.reports.model import Cell, Report
from tests.reports import sample_journal as sample
from tests.reports.sample_journal import Sample, exchange, finding

REQUIREMENTS = Contract.load().requirements

PAIR = ("C-SCHEMA", "flex-create")


@pytest.fixture
def made(tmp_path: Path) -> Sample:
    return Sample(tmp_path / "journal.jsonl")


def cell(report: Report, pair: tuple[str, str] = PAIR) -> Cell:
    return report.rows[pair[0]].cells[pair[1]]


def counts(report: Report, pair: tuple[str, str] = PAIR) -> tuple[str, int, int, int]:
    found = cell(report, pair)
    return found.status, found.passed, found.failed, found.departed


def test_a_requirement_that_held_passes(made: Sample) -> None:
    made.add(held=(PAIR,))
    made.add(held=(PAIR,))
    report = made.end()
    assert counts(report) == ("passed", 2, 0, 0)
    assert (report.verdict, report.exit_code) == ("passed", 0)


def test_one_failure_outweighs_all_else(made: Sample) -> None:
    made.add(held=(PAIR,))
    made.add(finding(*PAIR, departure="K-TIMESTAMP"))
    made.add(finding(*PAIR), finding(*PAIR, pointer="/response/body/id"))
    made.writer.error("suites/test_x.py", "crashed", requirement=PAIR[0], operation=PAIR[1])
    report = made.end()
    assert counts(report) == ("failed", 1, 1, 1)
    assert (report.verdict, report.exit_code) == ("failed", 1)
    assert report.rows["C-SCHEMA"].verdict == "failed"


def test_departures_alone_are_known_departures(made: Sample) -> None:
    made.add(finding(*PAIR, departure="K-TIMESTAMP"), held=(PAIR,))
    made.add(held=(PAIR,))
    report = made.end()
    assert counts(report) == ("known departure", 1, 0, 1)
    assert (report.verdict, report.exit_code) == ("passed", 0)
    assert [(use.id, use.operations) for use in report.departures] == [("K-TIMESTAMP", {"flex-create": 1})]
    assert report.groups == ()


def test_a_finding_that_comes_later_takes_its_exchange_from_the_passed(made: Sample) -> None:
    first = made.add(held=(PAIR,))
    made.add(held=(PAIR,))
    made.writer.finding(first, finding(*PAIR))
    assert counts(made.end()) == ("failed", 1, 1, 0)


def test_an_error_of_the_suite_is_no_failure_of_the_endpoint(made: Sample) -> None:
    made.add(held=(PAIR, ("C-STATUS", "flex-create")))
    made.writer.error("suites/test_x.py", "crashed", requirement=PAIR[0], operation=PAIR[1])
    report = made.end()
    assert cell(report).status == "error" and cell(report).reason == "crashed"
    assert cell(report, ("C-STATUS", "flex-create")).status == "passed"
    assert (report.verdict, report.exit_code) == ("error", 4)


def test_an_error_that_belongs_nowhere_still_counts(made: Sample) -> None:
    made.add(held=(PAIR,))
    made.writer.error("conftest", "crashed")
    report = made.end()
    assert (report.verdict, report.exit_code, report.count("error")) == ("error", 4, 0)


def test_nothing_exercised_is_no_pass(made: Sample) -> None:
    made.add()
    report = made.end()
    assert (report.verdict, report.exit_code) == ("not exercised", 4)
    assert {c.status for row in report.rows.values() for c in row.cells.values()} == {"not exercised"}
    reasons = {requirement: reason.reason for reason in report.unexercised for requirement in reason.cells}
    assert reasons["C-MEDIA"] == NO_EXCHANGE
    # What rests on an answer that an endpoint need not give says which one.
    assert reasons["A-RETRY"] == "the endpoint gave no 429"


def test_a_run_cut_short_is_no_pass_but_may_be_a_failure(tmp_path: Path) -> None:
    for failing, expected in ((False, ("incomplete", 4)), (True, ("failed", 1))):
        made = Sample(tmp_path / "j")
        made.add(held=(PAIR,))
        if failing:
            made.add(finding())
        report = made.end(partial=True)
        assert (report.verdict, report.exit_code) == expected and report.partial == "the run was cut short"


def test_a_journal_without_closing_line_is_incomplete(tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "j", sample.header()) as writer:
        writer.exchange(exchange(), operation="flex-create", test="t")
    report = build(Journal(tmp_path / "j"))
    assert (report.verdict, report.exit_code) == ("incomplete", 4)
    assert report.partial == "the journal ends without its closing line"


def test_every_bound_cell_of_the_catalogue_shows(made: Sample) -> None:
    report = made.end()
    assert list(report.rows) == list(REQUIREMENTS)
    for id, known in REQUIREMENTS.items():
        assert set(report.rows[id].cells) == set(known.operations)


def test_reasons_come_from_the_nearest_place(tmp_path: Path) -> None:
    made = Sample(tmp_path / "j", offered={"flex-list": "it answers 405"}, requirements=("C-STATUS", "C-5XX"))
    made.writer.status("withheld", "the mode is read", operation="flex-create")
    made.writer.status("not exercised", "no flex cluster is named", requirement="C-STATUS", operation="flex-create")
    made.writer.status("not exercised", "no cluster is named", requirement="C-STATUS")
    report = made.end()
    seen = {(c.requirement, c.operation): (c.status, c.reason) for r in report.rows.values() for c in r.cells.values()}
    assert seen["C-STATUS", "flex-create"] == ("not exercised", "no flex cluster is named")
    assert seen["C-STATUS", "flex-get"] == ("not exercised", "no cluster is named")
    assert seen["C-5XX", "flex-create"] == ("withheld", "the mode is read")
    assert seen["C-5XX", "flex-list"] == ("not offered", "it answers 405")
    assert seen["C-SCHEMA", "flex-create"] == ("not exercised", UNSELECTED)
    assert not report.rows["C-SCHEMA"].selected and report.rows["C-5XX"].verdict == "withheld"


def test_findings_at_one_place_are_one_group_shown_by_the_smallest_request(made: Sample) -> None:
    for n, body in enumerate((b'{"a": 1234}', b"{}", b'{"a": 1}')):
        found = finding("C-SCHEMA", seen=f"value {n}", pointer=f"/response/body/results/{n}/id")
        made.add(found, sent=exchange(body=body, n=n))
    report = made.end()
    (group,) = report.groups
    assert (group.count, group.first, group.sample.n) == (3, 1, 2)
    assert group.place == "/response/body/results/*/id"
    assert group.finding.seen == "value 1" and group.sample.exchange.request.body == b"{}"


def test_the_most_specific_finding_leads_whatever_the_order(tmp_path: Path) -> None:
    general, specific = finding("C-SCHEMA"), finding("S-FINISHED")
    assert REQUIREMENTS["S-FINISHED"].specificity > REQUIREMENTS["C-SCHEMA"].specificity
    for findings in ((general, specific), (specific, general)):
        made = Sample(tmp_path / "j")
        n = made.add(findings[0])
        made.writer.finding(n, findings[1])
        report = made.end()
        (headline,) = report.headlines
        assert headline.requirement == "S-FINISHED"
        assert [group.requirement for group in headline.also] == ["C-SCHEMA"]
        assert cell(report).status == "failed", "what is explained has failed nonetheless"


def test_a_group_that_leads_once_stands_for_itself(made: Sample) -> None:
    made.add(finding("S-FINISHED"), finding("C-SCHEMA"))
    made.add(finding("C-SCHEMA"))
    report = made.end()
    assert {group.requirement for group in report.headlines} == {"S-FINISHED", "C-SCHEMA"}


def test_a_requirement_that_the_catalogue_does_not_know_shows(made: Sample) -> None:
    made.add(finding("Z-NEW", "new-operation"), held=(("Z-OLD", "flex-get"),))
    report = made.end()
    assert counts(report, ("Z-NEW", "new-operation"))[0] == "failed"
    assert list(report.rows)[-2:] == ["Z-NEW", "Z-OLD"] and report.operations[-1] == "new-operation"


@pytest.mark.parametrize("build_sample", [sample.passing, sample.failing, sample.hostile])
def test_the_live_report_is_the_one_read_from_the_file(tmp_path: Path, build_sample: sample.Builder) -> None:
    assert build_sample(tmp_path / "j") == build(Journal(tmp_path / "j"))
