"""What tests find out about an endpoint is found out once, and what stays is not waited for again."""

from __future__ import annotations

from dataclasses import replace

from atlas_conformance.contracts.finding import Finding
from atlas_conformance.runner.traits import Traits

LOST = Finding("L-FOUND", "flex-list", "every job that was created", "none", "/response/body/results")
OTHERS = replace(LOST, operation="cluster-list")
TOTAL = Finding("L-TOTAL", "flex-list", "totalCount 4", "5", "/response/body/totalCount", advice=True)


def test_a_trait_is_looked_for_once() -> None:
    traits = Traits()
    assert traits.has("lags", lambda: True)
    assert traits.has("lags", lambda: False)


def test_what_stays_is_not_waited_for_again() -> None:
    traits = Traits()
    assert not traits.may_pass([])
    assert traits.may_pass([LOST])
    traits.stayed([LOST])
    assert not traits.may_pass([LOST, replace(LOST, seen="one of them")])
    assert traits.has_stayed("L-FOUND")
    assert not traits.has_stayed("L-TOTAL")
    # Another list may just be late, and then it owes nothing yet.
    assert traits.may_pass([LOST, OTHERS])


def test_what_is_only_recommended_is_waited_for_once_in_a_run() -> None:
    traits = Traits()
    assert traits.may_pass([TOTAL])
    traits.stayed([TOTAL])
    assert not traits.may_pass([replace(TOTAL, operation="cluster-list")])
    assert traits.may_pass([TOTAL, OTHERS])
