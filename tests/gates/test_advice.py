"""Advice and bases at the gate: what counts, what does not, and what a waiver and an earlier run make of it."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from atlas_conformance.cli.check import check_command
from atlas_conformance.cli.compare import compare_command
from atlas_conformance.cli.report import report_command
from atlas_conformance.contracts import CONTRACT_REVISION, CONTRACT_VERSION, revision_of
from atlas_conformance.contracts.contract import FOLDER, Contract
from atlas_conformance.contracts.judge import Judge
from atlas_conformance.reports.comparison import compare, outline
from atlas_conformance.reports.gates.gate import Policy, parse_bases
from atlas_conformance.reports.gates.waivers import load_waivers
from atlas_conformance.reports.model import Report
from tests.reports import sample_journal as sample
from tests.strategies.scenery import KNOWN, answer, flex_job, request

READ = "cluster-get"
WAIVER = """
[[waiver]]
requirement = "T-ONLY-URL"
operation = "cluster-get"
reason = "agreed"
owner = "team"
link = "https://example.com"
expires = 2099-01-01
"""


def run(folder: Path, *requirements: str, advice: tuple[str, ...] = (), strict: bool = False) -> Report:
    """Return a run in which requirements fail on a read, each on an exchange of its own, and some are advice."""
    made = sample.Sample(folder, strict=strict)
    for requirement in (*requirements, *advice):
        found = sample.finding(requirement, READ)
        made.add(dataclasses.replace(found, advice=requirement in advice), operation=READ)
    made.add(held=(("C-STATUS", READ),), operation=READ)
    return made.end()


def test_a_should_makes_its_findings_advice_and_a_must_does_not(tmp_path: Path) -> None:
    folder = tmp_path / "contract"
    shutil.copytree(FOLDER, folder)
    file = folder / "requirements.toml"
    head, mark, rest = file.read_text("utf-8").partition("[S-STATUS]")
    file.write_text(head + mark + rest.replace("basis =", 'force = "should"\nbasis =', 1), "utf-8")
    exchange = answer(request("flex-get"), flex_job(status="CLOSED"))
    for contract, advice in ((Contract.load(folder), True), (Contract.load(), False)):
        found = [f for f in Judge(contract, KNOWN).judge(exchange).findings if f.requirement == "S-STATUS"]
        assert [(f.advice, f.fails) for f in found] == [(advice, not advice)]


@pytest.mark.parametrize(
    ("text", "bases"),
    [
        (None, ()),
        ("documented", ("documented",)),
        ("recorded, documented", ("documented", "recorded")),
        ("project-rule,inferred", ("inferred", "project rule")),
        ("Project Rule", ("project rule",)),
    ],
)
def test_bases_are_read(text: str | None, bases: tuple[str, ...]) -> None:
    assert parse_bases(text) == bases


@pytest.mark.parametrize("text", ["", "guessed", "documented,", "documented;recorded"])
def test_what_is_no_basis_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="the bases are documented, recorded, inferred, project-rule"):
        parse_bases(text)


def test_advice_passes_every_gate_unless_it_is_strict(tmp_path: Path) -> None:
    now, before = outline(run(tmp_path / "now", advice=("T-ONLY-URL",))), outline(run(tmp_path / "before"))
    for gate in ("any", "new"):
        assert Policy(gate, before).decide(now).exit_code == 0
        strict = Policy(gate, before, strict=True).decide(now)
        assert strict.exit_code == 1 and strict.blocking == (f"1 {'new ' if gate == 'new' else ''}failure",)
    assert Policy("none", before, strict=True).decide(now).exit_code == 0


def test_only_requirements_of_the_named_bases_count(tmp_path: Path) -> None:
    before = outline(run(tmp_path / "before"))
    now = outline(run(tmp_path / "now", "S-FIXED", "C-5XX"))  # inferred, project rule
    for gate in ("any", "new"):
        passed = Policy(gate, before, bases=("documented", "recorded")).decide(now)
        assert passed.exit_code == 0
        words = "2 failures do not count, as only requirements that are documented or that are recorded do"
        assert words in passed.sentence
        assert Policy(gate, before, bases=("inferred",)).decide(now).blocking[0].startswith("1 ")
        assert Policy(gate, before).decide(now).blocking[0].startswith("2 ")
    assert not Policy(bases=("inferred",)).silent


def test_what_is_explained_by_a_failure_that_does_not_count_counts_itself(tmp_path: Path) -> None:
    made = sample.Sample(tmp_path / "j")
    made.add(sample.finding("C-5XX", READ), sample.finding("E-SCHEMA", READ, pointer="/response/body"), operation=READ)
    now, before = outline(made.end()), outline(run(tmp_path / "before"))
    assert now.failures["E-SCHEMA", READ, "/response/body"].lead is not None
    for gate in ("any", "new"):
        assert Policy(gate, before, bases=("documented",)).decide(now).exit_code == 1


def test_coverage_lost_of_a_requirement_that_does_not_count_does_not_fail_the_run(tmp_path: Path) -> None:
    before, now = outline(run(tmp_path / "before", "S-FIXED")), outline(run(tmp_path / "now"))
    assert Policy("new", before).decide(now).exit_code == 1
    assert Policy("new", before, bases=("documented",)).decide(now).exit_code == 0


def test_a_waiver_for_advice_is_in_order_and_covers_it_under_strict(tmp_path: Path) -> None:
    file = tmp_path / "waivers.toml"
    file.write_text(WAIVER)
    policy = Policy(waivers_file=file, waivers=load_waivers(file))
    now = outline(run(tmp_path / "now", advice=("T-ONLY-URL",)))
    loose = policy.decide(now)
    assert (loose.exit_code, loose.complaints, dict(loose.waived)) == (0, (), {})
    strict = dataclasses.replace(policy, strict=True).decide(now)
    assert strict.exit_code == 0 and len(strict.waived) == 1


def test_no_waiver_is_written_for_advice_or_for_what_does_not_count(tmp_path: Path) -> None:
    now = outline(run(tmp_path / "now", "S-FIXED", advice=("T-ONLY-URL",)))
    policy = Policy(waivers_file=tmp_path / "w.toml", update=True)
    assert dataclasses.replace(policy, bases=("documented",)).write_waivers(now) == 0
    assert policy.write_waivers(now) == 1
    assert dataclasses.replace(policy, strict=True).write_waivers(now) == 1
    assert (tmp_path / "w.toml").read_text().count("[[waiver]]") == 2


def test_a_comparison_tells_new_advice_from_new_failures(tmp_path: Path) -> None:
    before = outline(run(tmp_path / "before"))
    advised = outline(run(tmp_path / "advised", advice=("T-ONLY-URL",)))
    failed = outline(run(tmp_path / "failed", "T-ONLY-URL"))
    strict = outline(run(tmp_path / "strict", advice=("T-ONLY-URL",), strict=True))
    compared = compare(before, advised)
    assert (compared.new, compared.worse, len(compared.advice)) == ((), False, 1)
    assert compare(advised, advised).advice == ()
    assert len(compare(advised, failed).new) == 1
    assert compare(advised, strict).new == ()
    assert len(compare(before, strict).new) == 1
    assert compare(advised, before).fixed == ()


def test_the_commands_take_both_options(tmp_path: Path) -> None:
    run(tmp_path / "before")
    run(tmp_path / "now", "S-FIXED", advice=("T-ONLY-URL",))
    old, now = str(tmp_path / "before"), str(tmp_path / "now")

    def code(command: object, *arguments: str) -> int:
        done = CliRunner().invoke(command, arguments, catch_exceptions=False)  # type: ignore[arg-type]
        return done.exit_code

    assert code(report_command, now) == 1
    assert code(report_command, now, "--basis", "documented,recorded") == 0
    assert code(report_command, now, "--basis", "documented,recorded", "--strict") == 1
    assert code(report_command, now, "--basis", "guessed") == 2
    assert code(compare_command, old, now, "--basis", "documented") == 0
    assert code(compare_command, old, now, "--basis", "documented", "--strict") == 1
    assert code(check_command, now, "--basis", "guessed") == 2


def test_a_summary_of_an_earlier_run_remembers_what_was_advice(tmp_path: Path) -> None:
    from atlas_conformance.reports.earlier import outline_at
    from atlas_conformance.reports.summary import summary_bytes

    report = run(tmp_path / "j", "S-FIXED", advice=("T-ONLY-URL",))
    (tmp_path / "summary.json").write_bytes(summary_bytes(report))
    assert outline_at(tmp_path / "summary.json").failures == outline(report).failures


@pytest.mark.parametrize(
    ("version", "revision"),
    [("2026-08", 1), ("2026-08, revision 2", 2), ("2027-01, revision 13", 13), ("1", None), ("", None),
     ("2026-08, revision x", None)],
)  # fmt: skip
def test_a_version_names_its_revision(version: str, revision: int | None) -> None:
    assert revision_of(version) == revision


def test_this_version_names_its_revision_and_the_list_of_changes_has_it() -> None:
    assert revision_of(CONTRACT_VERSION) == CONTRACT_REVISION
    changes = (FOLDER / "CHANGES.md").read_text("utf-8")
    for revision in range(1, CONTRACT_REVISION + 1):
        assert re.search(rf"^## Revision {revision}\b", changes, re.MULTILINE)


def test_a_baseline_of_another_revision_says_so(tmp_path: Path) -> None:
    old = outline(sample.Sample(tmp_path / "old", contract="2026-08").end())
    now = outline(sample.Sample(tmp_path / "now", contract="2026-08, revision 2").end())
    (note,) = compare(old, now).notes
    assert "judged by revision 1 of the contract (2026-08), this one by revision 2" in note
    assert "contracts/CHANGES.md" in note and "new baseline" in note
    assert compare(now, now).notes == ()
