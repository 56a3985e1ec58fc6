"""SARIF, CTRF, Markdown, badge and annotations: valid by their own schema or reader, harmless, the same every time."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import orjson
import pytest
from jsonschema import Draft4Validator, Draft7Validator, FormatChecker
from markdown_it import MarkdownIt

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reports.annotations import workflow_commands
from atlas_conformance.reports.badge import badge
from atlas_conformance.reports.comparison import outline
from atlas_conformance.reports.ctrf import ctrf
from atlas_conformance.reports.gates.gate import Policy
from atlas_conformance.reports.junit import junit
from atlas_conformance.reports.markdown import markdown
from atlas_conformance.reports.model import Report
from atlas_conformance.reports.sarif import sarif
from atlas_conformance.reports.standing import Standing
from atlas_conformance.reports.writing import RENDERERS, report_of
from tests.reports import sample_journal as sample

ADDRESSES = {source.address for source in Contract.load().sources.values() if source.address}
SAMPLES = [sample.passing, sample.failing, sample.hostile, sample.unstable, sample.followed]
SARIF = json.loads(Path(__file__).with_name("sarif-2.1.0.schema.json").read_text("utf-8"))
CTRF = json.loads(Path(__file__).with_name("ctrf.schema.json").read_text("utf-8"))


def worse(folder: Path) -> tuple[Report, Standing]:
    """Return a failing run, and where it stands against a passing one."""
    earlier, now = sample.passing(folder / "old"), sample.failing(folder / "new")
    return now, Policy(baseline=outline(earlier)).decide(outline(now))


@pytest.mark.parametrize("build", SAMPLES)
def test_sarif_holds_to_the_schema(tmp_path: Path, build: sample.Builder) -> None:
    document = orjson.loads(sarif(build(tmp_path / "j"), lambda request: "curl"))
    errors = Draft4Validator(SARIF, format_checker=FormatChecker()).iter_errors(document)
    assert [error.message for error in errors] == []


def test_sarif_tells_new_from_known_and_broken_from_unstable(tmp_path: Path) -> None:
    now, standing = worse(tmp_path)
    log = orjson.loads(sarif(now, None, standing))
    assert not list(Draft4Validator(SARIF).iter_errors(log))
    results = log["runs"][0]["results"]
    failed = [result for result in results if result["level"] == "error"]
    assert {result["ruleId"] for result in failed} == {group.requirement for group in now.groups}
    assert {result["baselineState"] for result in failed} == {"new"}
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in results)
    flaky = orjson.loads(sarif(sample.unstable(tmp_path / "u")))["runs"][0]["results"]
    levels = {result["ruleId"]: result["level"] for result in flaky}
    assert levels == {"S-ECHO": "error", "C-5XX": "warning", "S-FLOW": "error"}


def test_sarif_goes_defect_by_defect(tmp_path: Path) -> None:
    report = sample.failing(tmp_path / "j")
    results = [r for r in orjson.loads(sarif(report))["runs"][0]["results"] if "leads" in r.get("properties", {})]
    groups = [(group, defect) for defect in report.defects for group in defect.groups]
    assert [result["ruleId"] for result in results] == [group.requirement for group, _ in groups]
    for result, (group, defect) in zip(results, groups, strict=True):
        leads = group is defect.headline
        assert result["properties"]["leads"] is leads
        assert (defect.sentence in result["message"]["text"]) is leads


def test_ctrf_begins_with_the_defects(tmp_path: Path) -> None:
    report = sample.failing(tmp_path / "j")
    tests = orjson.loads(ctrf(report))["results"]["tests"][: len(report.failing_defects) + 1]
    assert [test["suite"] == ["Defects"] for test in tests] == [True] * len(report.failing_defects) + [False]
    for defect, test in zip(report.failing_defects, tests, strict=False):
        assert test["status"] == "failed" and test["message"].startswith(defect.sentence)


def test_sarif_tells_findings_apart_by_place_alone(tmp_path: Path) -> None:
    def prints(seen: str, name: str) -> list[str]:
        made = sample.Sample(tmp_path / name)
        made.add(sample.finding("S-ECHO", seen=seen), sample.finding("S-ECHO", pointer="/response/body/id"))
        results = orjson.loads(sarif(made.end()))["runs"][0]["results"]
        return [result["partialFingerprints"]["requirementOperationPlace/v1"] for result in results]

    first, second = prints("one", "a"), prints("another", "b")
    assert first == second and len(set(first)) == 2


@pytest.mark.parametrize("build", SAMPLES)
def test_ctrf_holds_to_the_schema(tmp_path: Path, build: sample.Builder) -> None:
    document = orjson.loads(ctrf(build(tmp_path / "j"), lambda request: "curl"))
    assert [error.message for error in Draft7Validator(CTRF).iter_errors(document)] == []
    counted = document["results"]["summary"]
    tests = document["results"]["tests"]
    for status in ("passed", "failed", "skipped", "other"):
        assert counted[status] == sum(test["status"] == status for test in tests)
    assert counted["tests"] == len(tests) and counted["stop"] >= counted["start"]


def test_ctrf_skips_what_was_not_exercised(tmp_path: Path) -> None:
    tests = {t["name"]: t for t in orjson.loads(ctrf(sample.failing(tmp_path / "j")))["results"]["tests"]}
    assert tests["A-LIST on flex-get"]["status"] == "skipped" and "credential" in tests["A-LIST on flex-get"]["message"]
    assert tests["T-TARGET on cluster-create"]["status"] == "failed"
    assert "Run again: atlas-conformance run" in tests["T-TARGET on cluster-create"]["trace"]


def test_a_partial_run_is_said_to_be_one_everywhere(tmp_path: Path) -> None:
    made = sample.Sample(tmp_path / "j")
    made.hold_everything(1)
    made.writer.flush()
    report = report_of(tmp_path / "j")
    assert report.partial is not None
    assert orjson.loads(sarif(report))["runs"][0]["invocations"][0]["executionSuccessful"] is False
    assert orjson.loads(ctrf(report))["results"]["summary"]["other"] == 1
    assert "partial" in markdown(report).decode()
    assert "incomplete" in badge(report).decode()
    assert any(line.startswith("::error title=No verdict::") for line in workflow_commands(report))
    assert "partial" in RENDERERS["html"](report, None, None).decode()
    assert "partial" in junit(report).decode()
    made.writer.close(ended=sample.ENDED, verdict="passed", exit=0)


@pytest.mark.parametrize("build", SAMPLES)
def test_markdown_is_read_as_it_is_meant(tmp_path: Path, build: sample.Builder) -> None:
    report = build(tmp_path / "j")
    text = markdown(report, lambda request: "curl '```' <script>").decode()
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    own = ("<details><summary>", "</details>")
    assert all(t.content.startswith(own) for t in tokens if t.type == "html_block")
    for token in tokens:
        inner = [child.type for child in token.children or ()]
        assert not {"html_inline", "image"} & set(inner), token.content
        links = {child.attrGet("href") for child in token.children or () if child.type == "link_open"}
        assert links <= ADDRESSES, token.content
    assert sum(t.type == "table_open" for t in tokens) == 1


def test_markdown_names_what_is_new_and_what_is_lost(tmp_path: Path) -> None:
    now, standing = worse(tmp_path)
    text = MarkdownIt().render(markdown(now, None, standing).decode())
    assert "New failures" in text and "Lost coverage" in text and "T-TARGET on cluster-create" in text
    assert "A-LIST is no longer exercised anywhere" in text and "The gate “new” is closed" in text


def test_markdown_of_many_findings_fits_a_step(tmp_path: Path) -> None:
    assert len(markdown(sample.huge(tmp_path / "j", 500))) < 1024 * 1024


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (sample.passing, f"{sample.COUNT} of {sample.COUNT} hold"),
        (sample.failing, f"5 of {sample.COUNT - 1} failing"),
        (sample.hostile, "1 of 1 failing"),
    ],
)
def test_the_badge_says_the_verdict(tmp_path: Path, build: sample.Builder, message: str) -> None:
    root = ET.fromstring(badge(build(tmp_path / "j")))
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and int(root.attrib["width"]) > 100
    assert root.attrib["aria-label"] == f"atlas conformance: {message}"
    assert not any(tag in ET.tostring(root, encoding="unicode") for tag in ("<script", "href", "<image"))


def test_annotations_cannot_be_steered_by_an_endpoint(tmp_path: Path) -> None:
    made = sample.Sample(tmp_path / "j")
    made.add(sample.finding("C-MEDIA", seen="x\n::set-output name=a::b", pointer="/response/a,title=b::c%0A::error::d"))
    lines = workflow_commands(made.end())
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::notice"]
    assert all("\n" not in line for line in lines)
    assert "%250A" in lines[0] and lines[0].startswith("::error title=C-MEDIA on flex-create (failed)::")


def test_annotations_stay_within_what_is_shown(tmp_path: Path) -> None:
    lines = workflow_commands(sample.huge(tmp_path / "j", 30))
    assert len(lines) == 11 and lines[9] == "::error title=More::21 more are in the report."


def test_unstable_failures_are_warnings_and_never_silent(tmp_path: Path) -> None:
    lines = workflow_commands(sample.unstable(tmp_path / "j"))
    assert any(line.startswith("::warning title=C-5XX on flex-get (unstable)::") for line in lines)
    assert "1 failure is unstable" in lines[-1]


@pytest.mark.parametrize("name", sorted(RENDERERS))
@pytest.mark.parametrize("build", [sample.hostile, sample.unstable, sample.followed])
def test_the_same_journal_gives_the_same_bytes(tmp_path: Path, build: sample.Builder, name: str) -> None:
    first = RENDERERS[name](build(tmp_path / "j"), None, None)
    assert first == RENDERERS[name](report_of(tmp_path / "j"), None, None)


def test_an_unstable_finding_shows_both_exchanges(tmp_path: Path) -> None:
    report = sample.unstable(tmp_path / "j")
    (group,) = report.unstable
    assert group.count == 2
    assert group.repeat is not None and group.repeat.again is not None
    assert group.sample.exchange.request == group.repeat.again.exchange.request
    assert (group.requirement, group.sample.exchange.response.status) == ("C-5XX", 503)
    assert group.repeat is not None and group.repeat.again is not None
    assert group.repeat.again.exchange.response.body == b'{"id":"63f8a1c2","status":"RUNNING"}'
    found = orjson.loads(RENDERERS["json"](report, None, None))["requirements"]["C-5XX"]["findings"][0]
    assert found["unstable"] and found["response"]["status"] == 503 and found["repeat"]["response"]["status"] == 200
    for name in ("html", "markdown", "junit", "ctrf", "sarif"):
        assert b"nstable" in RENDERERS[name](report, None, None), name
