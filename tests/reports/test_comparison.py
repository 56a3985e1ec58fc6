"""Comparing runs: by requirement, operation and place; lost coverage counts; journal and summary say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas_conformance.reports.comparison import Comparison, compare, outline
from atlas_conformance.reports.earlier import outline_at
from atlas_conformance.reports.standing import Standing, standing_lines
from atlas_conformance.reports.writing import ReportError, report_of, write_reports
from tests.reports import sample_journal as sample


def runs(tmp_path: Path, old: list[object], new: list[object], **changes: object) -> Comparison:
    """Compare two runs in which everything holds but for the given findings."""
    outlines = []
    for name, findings in (("old", old), ("new", new)):
        made = sample.Sample(tmp_path / name, **(changes if name == "new" else {}))
        made.hold_everything(1)
        for finding in findings:
            made.add(finding, operation=finding.operation)  # type: ignore[arg-type,attr-defined]
        outlines.append(outline(made.end()))
    return compare(*outlines)


def test_failures_match_by_requirement_operation_and_place_alone(tmp_path: Path) -> None:
    before = sample.finding("S-ECHO", seen="one thing", expected="this", pointer="/response/body/results/3/id")
    after = sample.finding("S-ECHO", seen="another thing", expected="that", pointer="/response/body/results/17/id")
    found = runs(tmp_path, [before], [after])
    assert (len(found.new), len(found.fixed), len(found.still), found.worse) == (0, 0, 1, False)


def test_a_new_place_is_a_new_failure_and_a_gone_one_is_fixed(tmp_path: Path) -> None:
    found = runs(tmp_path, [sample.finding("S-ECHO")], [sample.finding("S-ECHO", pointer="/response/body/id")])
    assert [f.key[2] for f in found.new] == ["/response/body/id"]
    assert [f.key[2] for f in found.fixed] == ["/response/body/projectId"]
    assert found.worse


def test_what_a_new_failure_explains_is_no_new_failure(tmp_path: Path) -> None:
    outlines = []
    for name, findings in (("old", ()), ("new", (sample.finding("C-5XX"), sample.finding("C-MEDIA")))):
        made = sample.Sample(tmp_path / name)
        made.add(*findings, held=(("C-STATUS", "flex-create"),))
        outlines.append(outline(made.end()))
    found = compare(*outlines)
    assert [f.key[0] for f in found.new] == ["C-5XX"] and [f.key[0] for f in found.explained] == ["C-MEDIA"]


def test_what_is_no_longer_exercised_is_lost_and_its_failures_are_not_fixed(tmp_path: Path) -> None:
    old, new = sample.Sample(tmp_path / "old"), sample.Sample(tmp_path / "new")
    old.add(sample.finding("A-LIST", "flex-get"), held=(("S-FLOW", "flex-get"),), operation="flex-get")
    old.add(held=(("S-FLOW", "tenant-get"), ("C-STATUS", "tenant-get")), operation="tenant-get")
    new.add(held=(("S-FLOW", "flex-get"), ("C-STATUS", "tenant-get")), operation="tenant-get")
    found = compare(outline(old.end()), outline(new.end()))
    assert {(lost.requirement, lost.operations, lost.whole) for lost in found.lost} == {
        ("A-LIST", ("flex-get",), True),
        ("S-FLOW", ("tenant-get",), False),
    }
    assert found.worse and not found.fixed and [f.key[0] for f in found.vanished] == ["A-LIST"]
    lines = standing_lines(Standing("new", 1, found))
    assert any("S-FLOW is no longer exercised on tenant-get" in line for line in lines)


def test_a_failure_that_did_not_repeat_does_not_stand_for_one_that_does(tmp_path: Path) -> None:
    flaky = outline(sample.unstable(tmp_path / "old"))
    made = sample.Sample(tmp_path / "new")
    made.hold_everything(2)
    for requirement, operation, pointer in (
        ("C-5XX", "flex-get", "/response/status"),
        ("S-ECHO", "flex-create", "/response/body/projectId"),
        ("S-FLOW", "flex-get", "/response/body/status"),
    ):
        made.add(sample.finding(requirement, operation, pointer=pointer), operation=operation)
    steady = outline(made.end())
    assert [f.key[0] for f in compare(flaky, steady).new] == ["C-5XX"]
    assert compare(flaky, flaky).new == () and not compare(steady, flaky).worse


def test_runs_of_different_kinds_are_said_to_be(tmp_path: Path) -> None:
    found = runs(tmp_path, [], [], profile="thorough", contract="2")
    assert found.notes == (
        "The runs differ in contract: 1 before, 2 now.",
        "The runs differ in profile: quick before, thorough now.",
    )


@pytest.mark.parametrize("build", [sample.passing, sample.failing, sample.hostile, sample.unstable])
def test_a_summary_and_a_journal_give_the_same_outline(tmp_path: Path, build: sample.Builder) -> None:
    report = build(tmp_path / "j")
    write_reports(tmp_path / "out", report, tmp_path / "j")
    expected = outline(report)
    for path in (tmp_path / "out", tmp_path / "out" / "summary.json", tmp_path / "j"):
        assert outline_at(path) == expected
    assert outline(report_of(tmp_path / "j")) == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("{", "it is no JSON"),
        ("[]", "is no summary of a run"),
        ('{"summary": 1, "requirements": {}}', "is no whole summary"),
    ],
)
def test_what_is_no_summary_is_reported_in_one_sentence(tmp_path: Path, content: str | None, words: str) -> None:
    path = tmp_path / "summary.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ReportError, match=words):
        outline_at(path)


def test_a_folder_without_reports_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="holds no reports of a run"):
        outline_at(tmp_path)
