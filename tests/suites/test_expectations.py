"""What suite tests expect: each expectation passes and fails, and notices a test that sends what it does not mean."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest

from atlas_conformance import suites
from atlas_conformance.cli.run import run_suites
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.http.client import Client
from atlas_conformance.http.target import Target
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.reports.journal import JournalWriter
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.expectations import (
    expect_accepted,
    expect_conforming,
    expect_in_form,
    expect_refused,
    expect_same,
    expect_same_error,
    expect_unchanged,
)
from atlas_conformance.runner.expected import Expected
from atlas_conformance.runner.job_pool import JobPool
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.outcomes import Judged, NewFailure
from atlas_conformance.runner.plugin import SuitePlugin
from atlas_conformance.runner.profiles import PROFILES
from atlas_conformance.runner.recorder import Recorder
from atlas_conformance.runner.sender import Sender
from atlas_conformance.runner.session import Session
from atlas_conformance.strategies.requests import Case
from atlas_conformance.strategies.scenes import Scene, request_in
from atlas_conformance.suites import test_paths
from tests.reports import sample_journal as sample
from tests.strategies.scenery import (
    KNOWN,
    OPERATIONS,
    SECOND_SNAPSHOT,
    answer,
    flex_job,
    page,
    refused,
    request,
)
from tests.suites.running import REQUIREMENTS

Expect: TypeAlias = Callable[[Endpoint, list[Judged]], None]

TEST = "suites/test_x.py::test_something"
ENDED = flex_job(status="COMPLETED")
MALFORMED = request("flex-get", groupId="5f0c1e2d3a4b5c6d7e8f9a0")
CREATE = request("flex-create")
READ = request("flex-get")
ENVELOPED = request("flex-get", query={"envelope": "true"})


@dataclass
class Scripted:
    """Stands for the sender: answers a request as it was answered before."""

    recorder: Recorder
    known: dict[str, Exchange] = field(default_factory=dict)

    def had(self, *exchanges: Exchange) -> list[Judged]:
        self.known |= {exchange.request.target: exchange for exchange in exchanges}
        return [self.recorder.record(exchange) for exchange in exchanges]

    def send_all(self, requests: Iterable[Request], **_: Any) -> list[Judged | None]:
        return [self.recorder.record(self.known[sent.target]) for sent in requests]


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Endpoint]:
    """An endpoint to which nothing is sent: what it answers is made up."""
    with (
        JournalWriter(tmp_path / "journal.jsonl", sample.header()) as journal,
        Client(Target("http://127.0.0.1:9")) as client,
    ):
        recorder = Recorder(KNOWN, journal, client.guard, tuple)
        sender = cast(Sender, Scripted(recorder))
        nothing = cast(Any, None)
        yield Endpoint(sender, recorder, nothing, nothing, JobPool(), PROFILES["quick"], 0).for_test(f"{TEST}[flex]")


def had(endpoint: Endpoint, *exchanges: Exchange) -> list[Judged]:
    return cast(Scripted, endpoint.sender).had(*exchanges)


def is_refused(endpoint: Endpoint, answers: list[Judged]) -> None:
    expect_refused(endpoint, answers, by=("P-GROUP", "P-JOB"))


def is_accepted(endpoint: Endpoint, answers: list[Judged]) -> None:
    expect_accepted(endpoint, answers, showing="S-ECHO")


def conforms(endpoint: Endpoint, answers: list[Judged]) -> None:
    expect_conforming(endpoint, answers, to="S-STATUS")


def is_unchanged(endpoint: Endpoint, answers: list[Judged]) -> None:
    expect_unchanged(endpoint, answers[1:], by="S-FIXED")


def is_same(endpoint: Endpoint, answers: list[Judged]) -> None:
    expect_same(endpoint, OPERATIONS["flex-get"], answers[0], answers[1])


def is_same_error(endpoint: Endpoint, answers: list[Judged]) -> None:
    expect_same_error(endpoint, OPERATIONS["flex-get"], answers)


def enveloped(document: Any) -> Exchange:
    return answer(ENVELOPED, {"status": 200, "content": document}, started=1.0)


def without(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}


CONFORMING: list[tuple[Expect, list[Exchange]]] = [
    (is_refused, [refused(MALFORMED, 400)]),
    (is_accepted, [answer(CREATE, flex_job())]),
    (conforms, [answer(READ, flex_job())]),
    (is_unchanged, [answer(READ, ENDED), answer(READ, ENDED, started=1.0)]),
    (expect_in_form, [refused(READ, 404), answer(CREATE, flex_job(), started=1.0)]),
    (is_same, [answer(READ, ENDED), enveloped(ENDED)]),
    (is_same_error, [refused(READ, 404), refused(ENVELOPED, 404, started=1.0)]),
]
FAILING: list[tuple[Expect, list[Exchange], str]] = [
    (is_refused, [answer(MALFORMED, flex_job())], "P-GROUP"),
    (is_accepted, [refused(CREATE, 400)], "B-ACCEPT"),
    (is_accepted, [answer(CREATE, flex_job(snapshotId=SECOND_SNAPSHOT))], "S-ECHO"),
    (conforms, [answer(READ, flex_job(status="DONE"))], "S-STATUS"),
    (
        is_unchanged,
        [answer(READ, ENDED), answer(READ, ENDED | {"snapshotId": SECOND_SNAPSHOT}, started=1.0)],
        "S-FIXED",
    ),
    (expect_in_form, [refused(READ, 500)], "C-5XX"),
    (is_same, [answer(READ, ENDED), enveloped(without(ENDED, "expirationDate"))], "V-ENVELOPE"),
    (is_same_error, [refused(READ, 404), refused(ENVELOPED, 404, started=1.0, code="OTHER")], "V-ENVELOPE"),
]


@pytest.mark.parametrize(("expect", "exchanges"), CONFORMING)
def test_an_expectation_passes_where_the_endpoint_conforms(
    idle: Endpoint, expect: Expect, exchanges: list[Exchange]
) -> None:
    expect(idle, had(idle, *exchanges))
    idle.recorder.end()
    assert idle.expected.unsettled == {}


@pytest.mark.parametrize(("expect", "exchanges", "requirement"), FAILING)
def test_an_expectation_fails_where_the_endpoint_fails(
    idle: Endpoint, expect: Expect, exchanges: list[Exchange], requirement: str
) -> None:
    expect(idle, had(idle, *exchanges))
    with pytest.raises(NewFailure, match=f"{requirement} on flex-") as caught:
        idle.recorder.end()
    assert requirement in {finding.requirement for finding in caught.value.findings}
    assert idle.expected.unsettled == {}


def test_a_test_that_explores_fails_at_once(idle: Endpoint) -> None:
    answers = had(idle, refused(READ, 500))
    with idle.recorder.exploring(), pytest.raises(NewFailure):
        expect_in_form(idle, answers)


def test_an_answer_that_two_expectations_name_fails_once(idle: Endpoint) -> None:
    answers = had(idle, refused(READ, 500))
    expect_in_form(idle, answers)
    expect_in_form(idle, [*answers, *answers])
    with pytest.raises(NewFailure) as caught:
        idle.recorder.end()
    assert [finding.requirement for finding in caught.value.findings] == ["C-5XX"]


@pytest.mark.parametrize("answers", [None, [], [None]])
def test_nothing_is_expected_of_what_was_not_sent(idle: Endpoint, answers: list[None] | None) -> None:
    expect_refused(idle, answers, by="P-GROUP")
    idle.recorder.end()
    assert idle.expected.named == {}


@pytest.mark.parametrize(
    ("expect", "exchange"),
    [
        (lambda e, a: expect_refused(e, a, by="P-JOB"), refused(MALFORMED, 400)),
        (lambda e, a: expect_refused(e, a, by="L-FOUND"), answer(request("flex-list"), page())),
        (lambda e, a: expect_accepted(e, a), refused(MALFORMED, 400)),
        (lambda e, a: expect_accepted(e, a, showing="T-ECHO"), answer(CREATE, flex_job())),
        (lambda e, a: expect_conforming(e, a, to="L-PAGE"), refused(MALFORMED, 400)),
    ],
    ids=["refused for another reason", "not refused", "no create", "nothing of the kind shown", "judged by another"],
)
def test_an_answer_that_the_named_requirements_are_not_about_is_noticed(
    idle: Endpoint, expect: Expect, exchange: Exchange
) -> None:
    """The endpoint conforms, so its test passes."""
    answers = had(idle, exchange)
    expect(idle, answers)
    idle.recorder.end()
    assert idle.expected.unsettled == {TEST: answers[0]}


def test_an_endpoint_that_is_free_settles_nothing(idle: Endpoint) -> None:
    odd = request("flex-list", query={"itemsPerPage": "0"})
    expect_refused(idle, had(idle, answer(odd, page())), by="L-PAGE")
    assert idle.expected.unsettled == {}


def test_a_requirement_that_no_answer_was_judged_by_is_noticed(idle: Endpoint) -> None:
    expect_conforming(idle, had(idle, answer(READ, flex_job())), to=("S-STATUS", "T-FLAGS"))
    assert idle.expected.unjudged == {TEST: {"T-FLAGS"}}


def expected_of(*requirements: str) -> Expected:
    """What the suites expect of the reference endpoint, which passes."""
    with ReferenceServer(seed=11, step=0.02) as running:
        options = Options(profile="quick", seed=11, requirements=requirements)
        plugin = SuitePlugin(Session(options, server=running), show=lambda finished: None)
        assert run_suites(plugin) == 0
    return plugin.endpoint().expected


def test_the_suites_send_what_they_say_they_send() -> None:
    """Against the reference endpoint each expectation is about the answers that it was given."""
    expected = expected_of()
    unsettled = {test: judged.exchange.request for test, judged in expected.unsettled.items()}
    assert unsettled == {}
    assert expected.unjudged == {}
    assert set().union(*expected.named.values()) <= REQUIREMENTS.keys()


def test_a_suite_that_sends_something_else_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No path is malformed, so that nothing is refused for it; the endpoint passes all the same."""

    def well_formed(operation: Operation, scene: Scene, job: str, most: int) -> list[Case]:
        return [Case(request_in(operation, scene, job), None, "as it should be")]

    monkeypatch.setattr(test_paths, "malformed_paths", well_formed)
    expected = expected_of("P-NAME")
    (noticed,) = (test for test in expected.unsettled if "malformed_path" in test)
    assert expected.unjudged[noticed] >= {"P-GROUP", "P-JOB"}


def suite_tests() -> Iterator[ast.FunctionDef]:
    for module in sorted(Path(suites.__path__[0]).glob("test_*.py")):
        for node in ast.parse(module.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield node


@pytest.mark.parametrize("test", list(suite_tests()), ids=lambda test: test.name)
def test_each_suite_test_says_what_it_expects(test: ast.FunctionDef) -> None:
    called = {node.func.id for node in ast.walk(test) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert any(name.startswith("expect_") for name in called)
