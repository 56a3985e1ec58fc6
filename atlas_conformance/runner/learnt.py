"""Telling what was learnt: the line for a person, and the findings that come before all others."""

from __future__ import annotations

from atlas_conformance.contracts.finding import Finding
from atlas_conformance.reports.model import EVERY_CREATE
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.learning import Learnt, Refusal


def conclusion_line(conclusion: str) -> str:
    """Return the line that tells what was concluded, and how to overrule it."""
    return f"Found out: {conclusion} (--stateful or --stateless overrules it)"


def report_learnt(endpoint: Endpoint, learnt: Learnt) -> None:
    """Journal the findings on creates that refuse every conforming request, and on restless lists."""
    endpoint.for_test(EVERY_CREATE)
    for refusal in learnt.refusals:
        endpoint.recorder.convict(refusal.exchange, finding_of(refusal))
        if refusal.alike:
            reason = f"every create is answered {refusal.status}"
            endpoint.journal.status("not exercised", reason, operation=refusal.operation)
    endpoint.for_test("preflight")
    for restless in learnt.restless:
        endpoint.recorder.convict(restless.exchanges[-1], restless.finding())


def finding_of(refusal: Refusal) -> Finding:
    """Return the one finding on a create that refuses every conforming request."""
    expected = "a conforming create taken" + (", and a wrong one refused with 400" if refusal.alike else "")
    which = "creates, conforming or not" if refusal.alike else "conforming creates"
    seen = f"{refusal.status} to every one of {refusal.tried} {which}"
    requirement = {415: "B-ACCEPT"}.get(refusal.status, "C-5XX" if refusal.status >= 500 else "C-STATUS")
    return Finding(requirement, refusal.operation, expected, seen, "/response/status")
