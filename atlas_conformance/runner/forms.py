"""Comparing the plain answer of a request with the answers to its other forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.forms import judge_same_job, judge_same_list, judge_same_properties
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.verdicts import Verdicts
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.jobs import place
from atlas_conformance.runner.outcomes import Judged
from atlas_conformance.strategies.requests import build


def compare_forms(endpoint: Endpoint, operation: Operation, plain: Judged | None, formed: Judged | None) -> None:
    """Compare an answer in another form with the plain one; fail on what the form changes (V-ENVELOPE, V-PRETTY)."""
    document = _document(endpoint, plain) if plain is not None else None
    other = _document(endpoint, formed) if formed is not None else None
    if plain is None or formed is None or document is None or other is None:
        return
    enveloped = formed.exchange.request.parameter("envelope") == "true"
    requirement = "V-ENVELOPE" if enveloped else "V-PRETTY"
    verdicts = Verdicts(operation.id)
    _compare(endpoint, operation, requirement, document[0], other, verdicts)
    found = verdicts.judgement().findings
    if found and operation.kind != "create":
        restless = _changing(endpoint, operation, plain.exchange.request, document[0])
        found = tuple(finding for finding in found if _name(finding) not in restless)
    if found and operation.kind != "create":
        again = _changing(endpoint, operation, formed.exchange.request, document[0])
        found = tuple(finding for finding in found if _name(finding) in again)
    if found:
        endpoint.report(formed, *found, related=[plain])


def _changing(endpoint: Endpoint, operation: Operation, request: Request, plain: Mapping[str, Any]) -> frozenset[str]:
    """Send a request again, and return the properties that differ between its answer and the plain one.

    For what differs in another plain answer no form is to blame, nor for what differs but once in its own: what
    changes where it must not is found by the rules on reads.
    """
    with endpoint.in_passing():
        again = endpoint.send(request)
    document = _document(endpoint, again) if again is not None else None
    if document is None:
        return frozenset()
    verdicts = Verdicts(operation.id)
    _compare(endpoint, operation, "V-PRETTY", plain, document, verdicts)
    return frozenset(_name(finding) for finding in verdicts.judgement().findings)


def _name(finding: Finding) -> str:
    """Return the property that a finding is about."""
    return finding.pointer.rpartition("/")[2]


def _compare(
    endpoint: Endpoint,
    operation: Operation,
    requirement: str,
    plain: Mapping[str, Any],
    formed: tuple[Mapping[str, Any], str],
    verdicts: Verdicts,
) -> None:
    document, pointer = formed
    if operation.kind == "create":
        read_back = _read_back(endpoint, operation, document.get("id"))
        if read_back is not None:
            judge_same_properties(requirement, plain, document, read_back, pointer, verdicts)
    elif operation.kind == "list":
        judge_same_list(requirement, plain, document, pointer, operation.resource, verdicts)
    elif operation.resource.ended(plain):
        judge_same_job(requirement, plain, document, pointer, verdicts, operation.resource.volatile)


def _document(endpoint: Endpoint, judged: Judged) -> tuple[Mapping[str, Any], str] | None:
    """The unwrapped document of a success and where it stands; None where there is none."""
    examined = endpoint.judge.examine(judged.exchange)
    if examined is None or examined.document is None:
        return None
    return examined.document, examined.pointer


def _read_back(endpoint: Endpoint, create: Operation, job_id: object) -> Mapping[str, Any] | None:
    read = endpoint.contract.operations[create.links["read"]]
    job = endpoint.chronicle.job(str(job_id), create.resource)
    if job is None or not endpoint.offers(read.id):
        return None
    judged = endpoint.send(build(read, place(read, job)))
    document = _document(endpoint, judged) if judged is not None else None
    return document[0] if document is not None else None
