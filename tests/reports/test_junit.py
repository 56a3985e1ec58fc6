"""JUnit XML: valid, one case a cell, every status as what it is."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
import xmlschema

from atlas_conformance.reports.comparison import outline
from atlas_conformance.reports.gates.gate import Policy
from atlas_conformance.reports.journal import Journal
from atlas_conformance.reports.junit import junit
from atlas_conformance.reports.matrix import build
from atlas_conformance.reports.wording import one_line
from tests.reports import sample_journal as sample

XSD = xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))


@pytest.mark.parametrize("build_sample", [sample.passing, sample.failing, sample.hostile])
def test_it_is_valid(tmp_path: Path, build_sample: sample.Builder) -> None:
    XSD.validate(junit(build_sample(tmp_path / "j"), lambda request: "curl \x00\x1b[1m").decode())


def test_each_cell_is_a_case_with_its_status(tmp_path: Path) -> None:
    report = sample.failing(tmp_path / "j")
    root = ET.fromstring(junit(report))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    defects = report.failing_defects
    assert len(cases) == sum(len(row.cells) for row in report.rows.values()) + 1 + len(defects)
    assert int(root.get("failures", "")) == len(root.findall(".//failure")) == 5 + len(defects)
    assert int(root.get("tests", "")) == len(cases)
    failure = cases["T-TARGET on cluster-create"].find("failure")
    assert failure is not None and failure.get("type") == "T-TARGET"
    assert "seen 200 and a new job" in failure.get("message", "")
    assert "--requirement T-TARGET" in (failure.text or "")
    skipped = cases["A-LIST on flex-create"].find("skipped")
    assert skipped is not None and "no credential" in skipped.get("message", "")
    assert [child.tag for child in cases["C-STATUS on flex-get"]] == ["system-out"]


def test_the_defects_come_first_with_what_is_wrong(tmp_path: Path) -> None:
    report = sample.failing(tmp_path / "j")
    root = ET.fromstring(junit(report))
    assert [suite.get("name") == "Defects" for suite in root].index(True) == 0
    told = [case.find("failure") for case in root[0]]
    assert [failure.get("type") for failure in told if failure is not None] == [
        defect.requirement for defect in report.failing_defects
    ]
    for defect, failure in zip(report.failing_defects, told, strict=True):
        assert failure is not None and one_line(defect.sentence, 600) in failure.get("message", "")
    names = [case.get("name") for case in root.iter("testcase")]
    assert len(names) == len(set(names))


def test_a_defect_that_is_waived_is_skipped(tmp_path: Path) -> None:
    report = sample.failing(tmp_path / "j")
    standing = replace(Policy().decide(outline(report)), waived={group.key: "known" for group in report.groups})
    cases = ET.fromstring(junit(report, None, standing))[0]
    assert {case.find("skipped").get("message") for case in cases} == {"waived: known"}  # type: ignore[union-attr]


def test_a_sound_run_has_no_suite_of_defects(tmp_path: Path) -> None:
    assert not ET.fromstring(junit(sample.passing(tmp_path / "j"))).findall(".//testsuite[@name='Defects']")


def test_a_known_departure_passes_with_a_word(tmp_path: Path) -> None:
    root = ET.fromstring(junit(sample.passing(tmp_path / "j")))
    (case,) = [case for case in root.iter("testcase") if "departure" in (case.findtext("system-out") or "")]
    assert case.get("name") == "C-SCHEMA on cluster-create"
    assert "K-TIMESTAMP" in (case.findtext("system-out") or "")
    assert root.findall(".//failure") == root.findall(".//error") == []


def test_errors_and_partial_runs_are_errors(tmp_path: Path) -> None:
    made = sample.Sample(tmp_path / "j")
    made.add(held=(("C-STATUS", "flex-create"), ("C-5XX", "flex-create")))
    made.writer.error("suites/test_x.py", "crashed", requirement="C-5XX", operation="flex-create")
    made.writer.error("conftest.py", "crashed too")
    root = ET.fromstring(junit(made.end(partial=True)))
    messages = [error.get("message") for error in root.iter("error")]
    assert messages == ["crashed", "The run is partial: the run was cut short.", "crashed too"]
    assert root.get("errors") == "3"


def test_a_run_that_exercised_nothing_is_an_error(tmp_path: Path) -> None:
    root = ET.fromstring(junit(sample.Sample(tmp_path / "j").end()))
    assert [error.get("type") for error in root.iter("error")] == ["nothing exercised"]


def test_the_same_journal_gives_the_same_bytes(tmp_path: Path) -> None:
    assert junit(sample.hostile(tmp_path / "j")) == junit(build(Journal(tmp_path / "j")))
