"""What a run says of endpoints that refuse or accept one thing too much: the one difference, in plain words.

Each endpoint is the reference with one check more or less. It is sent a few requests by hand, and the end of the run
explains what was found.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atlas_conformance.cli.run import run_suites
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.fault import Fault
from atlas_conformance.reference.fault_parts import normalising, sound
from atlas_conformance.reference.faults import find
from atlas_conformance.reference.freedoms import resolve
from atlas_conformance.reference.messages import Call, Refusal
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.reference.steps import pipeline
from atlas_conformance.reports.journal import Journal
from atlas_conformance.reports.model import CONTRAST, Report
from atlas_conformance.reports.records import ExchangeRecord
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.jobs import until_idle
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.plugin import SuitePlugin
from atlas_conformance.runner.session import Session
from atlas_conformance.strategies.bodies import base_bodies, conforming_bodies, departing_values
from atlas_conformance.strategies.requests import build, with_header, with_query
from atlas_conformance.strategies.scenes import path_parameters

OPERATIONS = Contract.load().operations

SEED = 11
FLEX, CLUSTER = OPERATIONS["flex-create"], OPERATIONS["cluster-create"]
Made = Callable[[Endpoint, Operation], Iterable[Request]]
When = Callable[[Call], bool]


def refusing(operation: Operation, refused: When, status: int = 400) -> Fault:
    """The fault of refusing, besides all else, requests where `refused` holds."""
    step = [step.name for step in pipeline(operation, resolve({})) if step.name.startswith("B-")][-1]
    check = sound(operation.id, step)

    def strict(backend: Backend, call: Call) -> None:
        check(backend, call)
        if refused(call):
            raise Refusal(status, "INVALID_ATTRIBUTE", "The request has a value that is not allowed.")

    return Fault(
        f"{operation.id}/too-strict", "B-ACCEPT", (operation.id,), "One too strict.", "rule", replace={step: strict}
    )


def lowering(operation: Operation, name: str) -> Fault:
    """The fault of taking upper-case letters in a property for lower-case ones."""
    step = f"B-PATTERN/{name}"
    check = normalising(
        name, lambda value: value.lower() if isinstance(value, str) else value, sound(operation.id, step)
    )
    return Fault(f"{operation.id}/any-case", "B-PATTERN", (operation.id,), "Any case.", "rule", replace={step: check})


def field(call: Call, name: str) -> str:
    return str(call.fields.get(name, ""))


def conforming(endpoint: Endpoint, operation: Operation) -> list[Request]:
    """Every conforming body of the operation's first scene."""
    scene = endpoint.scenes_of(operation)[0]
    where = path_parameters(operation, scene, "")
    return [build(operation, where, body.document) for body in conforming_bodies(operation, scene)]


def plain(endpoint: Endpoint, operation: Operation) -> list[Request]:
    """One conforming body of each kind."""
    scene = endpoint.scenes_of(operation)[0]
    where = path_parameters(operation, scene, "")
    return [build(operation, where, body.document) for body in base_bodies(operation, scene)]


def malformed(endpoint: Endpoint, operation: Operation) -> list[Request]:
    """The plainest conforming body, and each value that it may not have."""
    scene = endpoint.scenes_of(operation)[0]
    where = path_parameters(operation, scene, "")
    base = base_bodies(operation, scene)[0]
    bodies = [base, *departing_values(operation, base, 12)]
    return [build(operation, where, body.document) for body in bodies]


def with_charset(endpoint: Endpoint, operation: Operation) -> list[Request]:
    (first, *_) = plain(endpoint, operation)
    return [first, with_header(first, "Accept", f"{operation.media_type}; charset=utf-8")]


def turned_round(endpoint: Endpoint, operation: Operation) -> list[Request]:
    """The plainest body, and the same with its properties in the other order and white space between them."""
    (first, *_) = plain(endpoint, operation)
    scene = endpoint.scenes_of(operation)[0]
    document: dict[str, Any] = base_bodies(operation, scene)[0].document
    names = ", ".join(f'"{name}": "{document[name]}"' for name in reversed(document))
    return [first, replace(first, body=f"{{{names}}}".encode())]


def in_other_forms(endpoint: Endpoint, operation: Operation) -> list[Request]:
    (first, *_) = plain(endpoint, operation)
    return [first, with_query(first, "envelope=true&pretty=true")]


def is_pretty(call: Call) -> bool:
    return call.pretty


def escaped(endpoint: Endpoint, operation: Operation) -> list[Request]:
    (first, *_) = plain(endpoint, operation)
    assert first.body is not None
    return [first, replace(first, body=first.body.replace(b"Target", b"\\u0054arget"))]


def is_turned(call: Call) -> bool:
    body = call.body or b""
    return body.find(b"snapshotId") > body.find(b"targetDeploymentItemName")


CASES: list[tuple[str, Fault, Operation, Made, str, str]] = [
    (
        "letters",
        refusing(FLEX, lambda call: any(c.isalpha() and c > "\x7f" for c in field(call, "targetDeploymentItemName"))),
        FLEX,
        conforming,
        "B-ACCEPT",
        "refused with `ß`, accepted with `z`: letters beyond ASCII in targetDeploymentItemName",
    ),
    (
        "oplog",
        refusing(CLUSTER, lambda call: "oplogTs" in call.fields),
        CLUSTER,
        plain,
        "B-ACCEPT",
        "refused with `oplogTs` and `oplogInc`, accepted with `pointInTimeUTCSeconds`: "
        "an oplog pair in place of pointInTimeUTCSeconds",
    ),
    (
        "download",
        refusing(CLUSTER, lambda c: field(c, "deliveryType") == "download" and "targetClusterName" not in c.fields),
        CLUSTER,
        plain,
        "B-ACCEPT",
        "refused without `targetClusterName`, accepted with it: a download without a target",
    ),
    (
        "length",
        refusing(FLEX, lambda call: len(field(call, "targetDeploymentItemName")) > 32),
        FLEX,
        conforming,
        "B-ACCEPT",
        "refused with `x-long-long-long-long-long-long-long-long-long-…`, accepted with `Target0`: "
        "64 characters, more than 11 in targetDeploymentItemName",
    ),
    (
        "charset",
        refusing(CLUSTER, lambda call: "charset" in call.accept, 406),
        CLUSTER,
        with_charset,
        "B-ACCEPT",
        "refused with `application/vnd.atlas.2023-01-01+json; charset=…`, "
        "accepted with `application/vnd.atlas.2023-01-01+json`: a charset parameter in Accept",
    ),
    (
        "order",
        refusing(FLEX, is_turned),
        FLEX,
        turned_round,
        "B-ACCEPT",
        "refused with the order `targetProjectId, targetDeploymentItemName, snapshotId`, "
        "accepted with `snapshotId, targetDeploymentItemName, targetProjectId`: the order of the properties",
    ),
    (
        "escapes",
        refusing(FLEX, lambda call: b"\\u" in (call.body or b"")),
        FLEX,
        escaped,
        "B-ACCEPT",
        'refused with `"\\u0054arget0"`, accepted with `Target0`: escaped characters in targetDeploymentItemName',
    ),
    (
        "pretty",
        refusing(FLEX, is_pretty),
        FLEX,
        in_other_forms,
        "V-PRETTY",
        "refused with `pretty=true`, accepted without it: query parameter pretty present",
    ),
]


def explained(
    fault: Fault | None, operation: Operation, made: Made, folder: Path
) -> tuple[Report, list[ExchangeRecord]]:
    """Send requests to an endpoint with this fault and end the run; return the report and the exchanges for it."""
    with ReferenceServer(seed=SEED, fault=fault, in_process=True, step=0.001) as server:
        session = Session(Options(profile="quick", seed=SEED, workers=1, report=folder), server=server)
        try:
            endpoint = session.open().for_test("by hand")
            for request in made(endpoint, operation):
                endpoint.send(request)
                assert until_idle(endpoint)  # or a busy target excuses the next refusal
            report = session.finish()
        finally:
            session.close()
    sent = [one for one in Journal(folder / "journal.jsonl") if isinstance(one, ExchangeRecord)]
    return report, [one for one in sent if one.test == CONTRAST]


@pytest.mark.parametrize(
    ("fault", "operation", "made", "requirement", "sentence"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_the_difference_is_named(
    fault: Fault, operation: Operation, made: Made, requirement: str, sentence: str, tmp_path: Path
) -> None:
    report, sent = explained(fault, operation, made, tmp_path)
    assert not report.errors
    said = {key[:2]: record.sentence for key, record in report.contrasts.items()}
    assert said[requirement, operation.id] == sentence
    assert len(sent) <= 24 and all(one.passing and not one.held for one in sent)


def test_what_is_wrongly_accepted_is_distinguished_from_what_is_refused(tmp_path: Path) -> None:
    report, sent = explained(lowering(FLEX, "snapshotId"), FLEX, malformed, tmp_path)
    (record,) = (one for key, one in report.contrasts.items() if key[0] == "B-PATTERN")
    (group,) = (group for group in report.groups if group.requirement == "B-PATTERN")
    accepted = json.loads(group.sample.exchange.request.body or b"")["snapshotId"]
    assert accepted.isupper()
    assert record.sentence.startswith(f"accepted with `{accepted}`, refused with `")
    assert record.sentence.endswith(": upper-case letters in snapshotId")
    assert record.n == group.sample.n and not sent


def drawn(endpoint: Endpoint, operation: Operation) -> list[Request]:
    """A plain request, and one with much that does not matter beside the one thing that is wrong."""
    (first, *_) = plain(endpoint, operation)
    scene = endpoint.scenes_of(operation)[0]
    document = dict(reversed(base_bodies(operation, scene)[0].document.items()))
    snapshot = document["snapshotId"].upper()
    body = json.dumps({**document, "snapshotId": snapshot, "links": []}, indent=1).encode()
    odd = with_header(with_header(replace(first, body=body), "X-Odd", "1"), "Accept-Language", "x" * 300)
    return [first, with_query(odd, "pretty=true&x=1")]


def test_the_smallest_request_is_shown_whatever_test_found_it(tmp_path: Path) -> None:
    report, sent = explained(lowering(FLEX, "snapshotId"), FLEX, drawn, tmp_path)
    (group,) = (group for group in report.groups if group.requirement == "B-PATTERN")
    shown = group.sample.exchange.request
    document = json.loads(shown.body or b"")
    assert list(document) == ["snapshotId", "targetDeploymentItemName", "targetProjectId"]
    assert document["snapshotId"].isupper()
    assert "?" not in shown.target and {name for name, _ in shown.headers or ()} == {"Content-Type", "Accept"}
    assert group.sample.test == CONTRAST and group.count == 1
    assert report.rows["B-PATTERN"].cells[FLEX.id].failed == 1
    assert 0 < len(sent) <= 24


def test_what_is_sent_for_it_neither_counts_nor_adds_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report, sent = explained(lowering(FLEX, "snapshotId"), FLEX, drawn, tmp_path)
    monkeypatch.setattr("atlas_conformance.runner.open_run.explain_failures", lambda *given, **named: None)
    silent, _ = explained(lowering(FLEX, "snapshotId"), FLEX, drawn, tmp_path / "silent")
    assert sent
    for row, other in zip(report.rows.values(), silent.rows.values(), strict=True):
        assert row.cells == other.cells, row.id
    assert report.findings == silent.findings
    assert report.exchanges - report.passing == silent.exchanges - silent.passing
    assert {group.key for group in report.groups} == {group.key for group in silent.groups}
    assert report.verdict == silent.verdict


def test_a_sound_endpoint_is_sent_nothing_more(tmp_path: Path) -> None:
    report, sent = explained(None, FLEX, conforming, tmp_path)
    assert report.verdict == "passed" and not sent and not report.contrasts


def test_elsewhere_nothing_is_restored_for_it(tmp_path: Path) -> None:
    """Without probes that create jobs, what the run has not seen stays untold."""
    fault = refusing(CLUSTER, lambda call: "oplogTs" in call.fields)

    def made(endpoint: Endpoint, operation: Operation) -> Iterator[Request]:
        yield from plain(endpoint, operation)
        endpoint.client.guard.treat_as_remote("it fronts another machine")

    report, sent = explained(fault, CLUSTER, made, tmp_path)
    assert [group.requirement for group in report.headlines if group.operation == CLUSTER.id]
    assert not sent and not report.contrasts and not report.errors


def test_what_differs_from_time_to_time_is_no_contrast(tmp_path: Path) -> None:
    turns = iter(range(10_000))
    fault = refusing(FLEX, lambda call: next(turns) % 2 == 1)
    report, _ = explained(fault, FLEX, lambda endpoint, operation: plain(endpoint, operation) * 4, tmp_path)
    assert not report.contrasts


def test_a_difference_that_can_no_longer_be_seen_is_not_told(tmp_path: Path) -> None:
    """The endpoint refuses the second request alone, whatever it is."""
    turns = iter(range(10_000))
    fault = refusing(CLUSTER, lambda call: next(turns) == 1)
    report, _ = explained(fault, CLUSTER, plain, tmp_path)
    assert not report.contrasts


def refused_in_many_ways(endpoint: Endpoint, operation: Operation) -> list[Request]:
    """A plain request, and a wrong one with much that does not matter."""
    first, odd = drawn(endpoint, operation)
    assert odd.body is not None
    return [first, replace(odd, body=odd.body.replace(b'"targetDeploymentItemName"', b'"unheardOf"'))]


def test_a_faulty_error_is_shown_by_the_smallest_request_without_a_contrast(tmp_path: Path) -> None:
    """That a success holds says nothing of what is wrong with an error."""
    report, sent = explained(find("flex-create/error-no-code"), FLEX, refused_in_many_ways, tmp_path)
    (group,) = (one for one in report.groups if one.requirement == "E-SCHEMA" and one.operation == FLEX.id)
    shown = group.sample.exchange.request
    assert group.sample.test == CONTRAST and sent
    assert "?" not in shown.target and {name for name, _ in shown.headers or ()} == {"Content-Type", "Accept"}
    assert len(shown.body or b"") < 130
    assert group.key not in report.contrasts


@pytest.mark.parametrize(("problem", "errors"), [(KeyboardInterrupt(), 0), (ValueError("a slip"), 1)])
def test_what_ends_the_search_loses_nothing_of_the_run(
    problem: BaseException, errors: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explain(*given: object) -> None:
        raise problem

    monkeypatch.setattr("atlas_conformance.runner.explaining.explain", explain)
    report, _ = explained(lowering(FLEX, "snapshotId"), FLEX, malformed, tmp_path)
    assert report.verdict == "failed" and report.partial is None
    assert len(report.errors) == errors


def test_processes_that_share_the_tests_explain_what_they_found_once(tmp_path: Path) -> None:
    """The contrast is looked for when all have ended, and what it creates is listed with what the others left."""
    with ReferenceServer(seed=SEED, fault="cluster-create/oplog-pair-refused", step=0.01) as server:
        given = {"profile": "quick", "seed": SEED, "requirements": ("B-ACCEPT",), "processes": 2, "report": tmp_path}
        plugin = SuitePlugin(Session(Options(**given), server=server), show=lambda finished: None)
        run_suites(plugin)
    report = plugin.session.report
    assert plugin.failure is None and report is not None and not report.errors and report.partial is None
    said = {key[:2]: record.sentence for key, record in report.contrasts.items()}
    assert said["B-ACCEPT", CLUSTER.id] == (
        "refused without `pointInTimeUTCSeconds`, accepted with it: an oplog pair alone"
    )
    sent = [one for one in Journal(tmp_path / "journal.jsonl") if isinstance(one, ExchangeRecord)]
    made = {json.loads(one.exchange.response.body)["id"] for one in sent if makes_a_job(one)}
    left = [job.id for job in report.jobs]
    assert made and made <= set(left) and len(left) == len(set(left))


def makes_a_job(record: ExchangeRecord) -> bool:
    exchange = record.exchange
    created = exchange.request.method == "POST" and exchange.response.status == 200
    return record.test == CONTRAST and created and b'"id"' in exchange.response.body
