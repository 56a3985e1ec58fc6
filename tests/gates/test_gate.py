"""The gate: what ends a run with 1, and what never does."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from atlas_conformance.reports.comparison import Outline, outline
from atlas_conformance.reports.gates.gate import Gate, Policy
from atlas_conformance.reports.gates.waivers import Waiver
from tests.reports import sample_journal as sample


def run(path: Path, *requirements: str, held: bool = True) -> Outline:
    """Return a run in which these requirements fail on flex-create."""
    made = sample.Sample(path)
    if held:
        made.hold_everything(1)
    for requirement in requirements:
        made.add(sample.finding(requirement))
    return outline(made.end())


def waiver(requirement: str, expires: int = 2027) -> Waiver:
    """Return a waiver of a requirement on flex-create."""
    return Waiver(requirement, "flex-create", None, "why", "who", "where", datetime.date(expires, 1, 1))


@pytest.mark.parametrize(("gate", "code"), [("new", 1), ("any", 1), ("none", 0), (None, 1)])
def test_a_new_failure(tmp_path: Path, gate: Gate | None, code: int) -> None:
    old, now = run(tmp_path / "a", "S-NEW"), run(tmp_path / "b", "S-NEW", "S-ECHO")
    standing = Policy(gate, old).decide(now)
    assert standing.exit_code == code
    assert standing.comparison is not None and [f.key[0] for f in standing.comparison.new] == ["S-ECHO"]


@pytest.mark.parametrize(("gate", "code"), [("new", 0), ("any", 1), ("none", 0), (None, 0)])
def test_a_failure_as_before(tmp_path: Path, gate: Gate | None, code: int) -> None:
    old, now = run(tmp_path / "a", "S-NEW"), run(tmp_path / "b", "S-NEW")
    assert Policy(gate, old).decide(now).exit_code == code


@pytest.mark.parametrize(("gate", "code"), [("new", 1), ("any", 0), ("none", 0)])
def test_lost_coverage(tmp_path: Path, gate: Gate, code: int) -> None:
    made = sample.Sample(tmp_path / "b")
    made.hold_everything(1, but=frozenset({("S-NEW", "flex-create")}))
    standing = Policy(gate, run(tmp_path / "a")).decide(outline(made.end()))
    assert standing.exit_code == code
    assert standing.comparison is not None and [lost.requirement for lost in standing.comparison.lost] == ["S-NEW"]


@pytest.mark.parametrize(("gate", "code"), [("new", 0), ("any", 1), ("none", 0)])
def test_a_failure_that_does_not_repeat(tmp_path: Path, gate: Gate, code: int) -> None:
    made = sample.Sample(tmp_path / "b")
    made.hold_everything(1)
    n = made.add(sample.finding())
    again = made.add(held=(("S-ECHO", "flex-create"),))
    made.writer.repeat(sample.RepeatRecord(n, again, *sample.finding().key, "held"))
    standing = Policy(gate, run(tmp_path / "a")).decide(outline(made.end()))
    assert standing.exit_code == code
    assert standing.comparison is not None and standing.comparison.new[0].unstable
    assert code == 1 or "1 new failure did not repeat" in standing.sentence


@pytest.mark.parametrize("gate", ["new", "any"])
def test_a_waived_failure_opens_the_gate(tmp_path: Path, gate: Gate) -> None:
    old, now = run(tmp_path / "a"), run(tmp_path / "b", "S-ECHO")
    assert Policy(gate, old, waivers=(waiver("S-ECHO"),)).decide(now).exit_code == 0
    assert Policy(gate, old).decide(now).exit_code == 1


@pytest.mark.parametrize("wrong", [waiver("S-NEW"), waiver("S-ECHO", 2025)])
def test_a_waiver_that_is_not_in_order_closes_the_gate(tmp_path: Path, wrong: Waiver) -> None:
    now = run(tmp_path / "b") if wrong.requirement == "S-NEW" else run(tmp_path / "b", "S-ECHO")
    standing = Policy("any", None, waivers=(wrong,)).decide(now)
    assert standing.exit_code == 1 and len(standing.complaints) == 1 and wrong.requirement in standing.complaints[0]
    assert Policy("none", None, waivers=(wrong,)).decide(now).exit_code == 0


def test_no_gate_turns_an_error_or_a_partial_run_into_a_success(tmp_path: Path) -> None:
    made = sample.Sample(tmp_path / "a")
    made.hold_everything(1)
    made.writer.error("suites/test_x.py", "crash")
    broken = outline(made.end())
    assert Policy("none").decide(broken).exit_code == 4
    partial = sample.Sample(tmp_path / "b")
    partial.hold_everything(1)
    partial.add(sample.finding())
    cut = outline(partial.end(partial=True))
    assert Policy("none").decide(cut).exit_code == 4
    assert Policy("any").decide(cut).exit_code == 1
    failing = run(tmp_path / "c", "S-ECHO")
    assert Policy("none").decide(failing, errors=True).exit_code == 4
    empty = outline(sample.Sample(tmp_path / "d").end())
    assert Policy("none", run(tmp_path / "e")).decide(empty).exit_code == 4


def test_without_a_policy_nothing_is_decided() -> None:
    assert Policy.load(None, None, None).silent and not Policy.load("none", None, None).silent
