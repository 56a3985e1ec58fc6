"""Every format leads from a requirement to a page's title, address and place; advice fails nothing."""

from __future__ import annotations

import html
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from jsonschema import Draft4Validator, Draft7Validator, Draft202012Validator
from rich.console import Console

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reports.annotations import workflow_commands
from atlas_conformance.reports.examples import examples
from atlas_conformance.reports.model import ADVICE, FAILED, PASSED, Report
from atlas_conformance.reports.terminal import print_report
from atlas_conformance.reports.wording import verdict_sentence
from atlas_conformance.reports.writing import RENDERERS, report_of
from tests.reports import sample_journal as sample

REQUIREMENTS = Contract.load().requirements

HERE = Path(__file__).parent
CITED = re.compile(r"\b(D[1-5]|G[1-4])\b(?! cluster)")
SOURCE = re.compile(r"Source: .+, .+, .+ \((documented|recorded|inferred|project rule)\)")
PLACE = "Responses › 200 › deliveryUrl"
ADDRESS = (
    "https://www.mongodb.com/docs/api/doc/atlas-admin-api-v2/operation/operation-creategroupclusterbackuprestorejob"
)


def advised(folder: Path, *, failing: bool = False, strict: bool = False) -> Report:
    """Return the report of a run with one piece of advice, and with a failure beside it if wanted."""
    made = sample.Sample(folder, strict=strict)
    url = sample.finding("T-ONLY-URL", "cluster-get", pointer="/response/body/deliveryUrl")
    echo = (sample.finding("S-ECHO", "cluster-get"),) if failing else ()
    found = (replace(url, advice=True), *echo)
    made.add(*found, held=(("C-STATUS", "cluster-get"),), operation="cluster-get")
    return made.end()


def printed(report: Report) -> str:
    console = Console(record=True, width=100, file=None, force_terminal=False)
    with console.capture() as captured:
        print_report(report, console, verbose=True)
    return captured.get()


def every_format(report: Report) -> dict[str, str]:
    """Return the report in each format as text; what says nothing of single requirements is left out."""
    texts = {name: render(report, None, None).decode() for name, render in RENDERERS.items() if name != "badge"}
    return {**texts, "github": "\n".join(workflow_commands(report)), "terminal": printed(report)}


@pytest.mark.parametrize("failing", [True, False])
def test_every_format_leads_from_a_finding_to_title_place_and_address(tmp_path: Path, failing: bool) -> None:
    report = advised(tmp_path / "j", strict=failing)
    assert report.verdict == (FAILED if failing else PASSED)
    for name, text in every_format(report).items():
        assert "Restore One Snapshot of One Cluster" in text, name
        assert PLACE in text, name
        assert ADDRESS in text and "documented" in text, name
        words = html.unescape(text) if name in ("html", "junit", "markdown") else text
        assert "deliveryUrl and components[].downloadUrl hold an address only" in words, name


def test_no_format_names_a_source_by_its_id_alone(tmp_path: Path) -> None:
    for name, text in every_format(sample.failing(tmp_path / "j")).items():
        assert not CITED.findall(re.sub(r"\b[0-9a-f]{12,}\b", "", text)), name


def test_the_terminal_says_the_source_in_one_line_that_can_be_followed(tmp_path: Path) -> None:
    (line,) = {line for line in printed(advised(tmp_path / "j")).splitlines() if "Source" in line}
    assert line == f"  Source     Restore One Snapshot of One Cluster, {PLACE}, {ADDRESS} (documented)"


def test_sarif_has_help_with_an_address(tmp_path: Path) -> None:
    document = orjson.loads(RENDERERS["sarif"](advised(tmp_path / "j"), None, None))
    rules = {rule["id"]: rule for rule in document["runs"][0]["tool"]["driver"]["rules"]}
    assert rules["T-ONLY-URL"]["helpUri"] == ADDRESS
    assert f"]({ADDRESS})" in rules["T-ONLY-URL"]["help"]["markdown"]
    assert all(rule["helpUri"].startswith("https://") for rule in rules.values())


def test_junit_says_of_each_case_where_its_requirement_can_be_looked_up(tmp_path: Path) -> None:
    for build in (sample.passing, sample.failing, advised):
        root = ET.fromstring(RENDERERS["junit"](build(tmp_path / build.__name__), None, None))
        for case in root.iter("testcase"):
            if not case.get("classname", "").endswith("run"):
                assert SOURCE.search("".join(case.itertext()))


def test_advice_is_its_own_status_and_fails_nothing(tmp_path: Path) -> None:
    report = advised(tmp_path / "j")
    cell = report.rows["T-ONLY-URL"].cells["cluster-get"]
    assert (cell.status, cell.advised, cell.passed, cell.failed, cell.exercised) == (ADVICE, 1, 0, 0, 1)
    assert (report.verdict, report.exit_code, report.groups, report.headlines) == (PASSED, 0, (), ())
    assert [group.key for group in report.advice] == [("T-ONLY-URL", "cluster-get", "/response/body/deliveryUrl")]
    sentence = verdict_sentence(report)
    assert "Advice, which fails nothing: T-ONLY-URL." in sentence and "1 exercised requirement holds" in sentence


def test_a_strict_run_and_a_strict_reader_make_a_failure_of_advice(tmp_path: Path) -> None:
    strict = advised(tmp_path / "strict", strict=True)
    advised(tmp_path / "loose")
    for report in (strict, report_of(tmp_path / "loose", strict=True)):
        assert (report.verdict, report.exit_code, report.advice) == (FAILED, 1, ())
        assert report.rows["T-ONLY-URL"].cells["cluster-get"].status == FAILED


def test_advice_explains_no_failure_and_is_explained_by_one(tmp_path: Path) -> None:
    report = advised(tmp_path / "j", failing=True)
    assert [(group.requirement, group.lead) for group in report.groups] == [("S-ECHO", None)]
    assert report.advice[0].lead == report.groups[0].key
    assert report.verdict == FAILED


def test_each_format_counts_advice_apart(tmp_path: Path) -> None:
    report = advised(tmp_path / "j")
    texts = every_format(report)
    summary = json.loads(texts["json"])
    assert summary["counts"]["cells"]["advice"] == 1 and summary["counts"]["cells"]["failed"] == 0
    assert summary["requirements"]["T-ONLY-URL"]["findings"][0]["advice"] is True
    schema = json.loads((HERE.parents[1] / "reports" / "summary.schema.json").read_text("utf-8"))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(summary)] == []
    suites = ET.fromstring(texts["junit"])
    assert (suites.get("failures"), suites.get("errors")) == ("0", "0")
    assert "Advice on 1 cell" in texts["junit"]
    tests = json.loads(texts["ctrf"])["results"]
    assert tests["summary"]["failed"] == 0 and tests["summary"]["extra"]["advice"] == 1
    assert [test["status"] for test in tests["tests"] if test.get("rawStatus") == "advice"] == ["passed"]
    ctrf_schema = json.loads((HERE / "ctrf.schema.json").read_text("utf-8"))
    assert [error.message for error in Draft7Validator(ctrf_schema).iter_errors(json.loads(texts["ctrf"]))] == []
    (result,) = [r for r in json.loads(texts["sarif"])["runs"][0]["results"] if r["properties"].get("advice")]
    assert result["level"] == "note"
    sarif_schema = json.loads((HERE / "sarif-2.1.0.schema.json").read_text("utf-8"))
    assert [error.message for error in Draft4Validator(sarif_schema).iter_errors(json.loads(texts["sarif"]))] == []
    assert "△ advice" in texts["markdown"] and "### Advice" in texts["markdown"]
    assert "::notice title=T-ONLY-URL on cluster-get (advice)" in texts["github"] and "::error" not in texts["github"]
    assert "△1" in texts["terminal"] and "△ advice 1" in texts["terminal"]
    assert 'id="advice"' in texts["html"] and 'href="#advice-1"' in texts["html"] and 'id="broke"' not in texts["html"]


def test_the_page_says_what_each_requirement_asks_for_without_a_network(tmp_path: Path) -> None:
    text = RENDERERS["html"](sample.failing(tmp_path / "j"), None, None).decode()
    sections = re.findall(r'<details class="requirement" id="requirement-([^"]+)">(.*?)</details>', text, re.DOTALL)
    words = {requirement: html.unescape(section) for requirement, section in sections}
    assert list(words) == list(REQUIREMENTS)
    assert set(REQUIREMENTS) - set(examples()) <= {"A-RATE"}
    for requirement in REQUIREMENTS:
        assert f'href="#requirement-{requirement}"' in text
    for requirement, one in examples().items():
        for part in (*one.conforming, *one.failing, one.fault, one.found):
            assert part in words[requirement], requirement
    assert len(text) < 700_000
