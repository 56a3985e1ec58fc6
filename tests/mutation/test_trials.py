"""Trials: what counts as catching a fault, and which modes of a sound endpoint are tried."""

from __future__ import annotations

import pytest

from atlas_conformance.contracts.finding import Finding
from atlas_conformance.mutation.trials import Outcome, Trial, fault_trials, interleaved, sound_trials
from atlas_conformance.reference.faults import catalogue
from atlas_conformance.reference.freedoms import FREEDOMS, IMITATIONS


def finding(requirement: str, operation: str, departure: str | None = None) -> Finding:
    return Finding(requirement, operation, "this", "that", "/response/status", departure)


TRIAL = Trial("f", "wrong", "shape", fault="f", requirement="S-ECHO", operations=("flex-create",))


@pytest.mark.parametrize(
    ("found", "caught"),
    [
        (finding("S-ECHO", "flex-create"), True),
        (finding("S-ECHO", "flex-get"), True),
        (finding("S-ECHO", "tenant-create"), False),
        (finding("S-NEW", "flex-create"), False),
        (finding("S-ECHO", "flex-create", departure="K-TIMESTAMP"), False),
    ],
)
def test_a_fault_is_caught_by_its_requirement_where_it_shows(found: Finding, caught: bool) -> None:
    assert TRIAL.catches(found) is caught


def test_a_fault_beside_the_operations_may_be_caught_on_any() -> None:
    trial = Trial("f", "wrong", "shape", fault="f", requirement="A-BEARER", operations=("token",))
    assert trial.catches(finding("A-BEARER", "tenant-get"))


def outcome(trial: Trial, *, caught: bool, first: str | None, verdict: str) -> Outcome:
    return Outcome(trial, caught, first, (), verdict, 10, 0.5)


def test_an_outcome_is_good_when_the_fault_is_caught_and_the_sound_endpoint_passes() -> None:
    sound = Trial("sound", "as it starts")
    assert outcome(TRIAL, caught=True, first="S-ECHO", verdict="failed").right_first
    assert outcome(TRIAL, caught=True, first="C-SCHEMA", verdict="failed").good
    assert not outcome(TRIAL, caught=True, first="C-SCHEMA", verdict="failed").right_first
    assert not outcome(TRIAL, caught=False, first="S-NEW", verdict="failed").good
    assert outcome(sound, caught=False, first=None, verdict="passed").good
    assert not outcome(sound, caught=False, first=None, verdict="not exercised").good


def test_every_fault_is_tried_and_can_be_chosen() -> None:
    every = fault_trials()
    assert [trial.fault for trial in every] == list(catalogue())
    assert len(every) >= 150
    assert [trial.name for trial in fault_trials([every[3].name])] == [every[3].name]
    assert {trial.kind for trial in fault_trials(classes=["subtle"])} == {"subtle"}


def test_the_modes_hold_every_choice_of_every_freedom() -> None:
    trials = sound_trials()
    tried = {(name, choice) for trial in trials for name, choice in trial.freedoms.items()}
    assert {(name, choice) for name, choices in FREEDOMS.items() for choice in choices[1:]} <= tried
    assert {trial.level for trial in trials} == {"core", "workflow"}
    assert {trial.authentication for trial in trials} >= {("digest",), ("bearer",)}
    assert any(set(trial.imitate) == set(IMITATIONS) for trial in trials)


def test_trials_are_dealt_out_whole() -> None:
    trials = sound_trials()
    assert sorted(t.name for share in interleaved(trials, 3) for t in share) == sorted(t.name for t in trials)
