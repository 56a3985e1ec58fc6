"""The strategies for other people's tests: what is drawn is what it is said to be, and it varies."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as st

from atlas_conformance.adapters import JudgingTransport, TrafficJudge
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Credential, Exchange, Request, Response
from atlas_conformance.contracts.judge import Judge
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.reading import Readings
from atlas_conformance.strategies import (
    conforming_answers,
    conforming_documents,
    conforming_requests,
    departing_requests,
)
from tests.contracts.test_contract import folder_with
from tests.strategies.scenery import INVENTORY

OPERATIONS = Contract.load().operations
KNOWN = Knowledge(INVENTORY, digest=True)
UNKNOWN = Knowledge()
QUIET = settings(
    max_examples=40, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def findings(request: Request, response: Response, knowledge: Knowledge) -> Any:
    return Judge(knowledge=knowledge).judge(Exchange(request, response, 1_900_000_000.0, 1_900_000_000.1)).findings


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_conforming_requests_break_nothing_and_vary(operation: str, known: bool) -> None:
    seen = set()

    @QUIET
    @given(conforming_requests(operation, INVENTORY if known else None))
    def check(case: Any) -> None:
        assert case.breaks is None
        reading = Readings(KNOWN if known else Knowledge()).of(case.request)
        assert reading is not None
        assert reading.operation.id == operation
        assert not reading.violations
        seen.add((case.request.target, case.request.body))

    check()
    assert len(seen) >= 5


@pytest.mark.parametrize("operation", OPERATIONS)
def test_departing_requests_break_the_one_rule_that_they_name(operation: str) -> None:
    seen = set()

    @settings(QUIET, max_examples=150)
    @given(departing_requests(operation, INVENTORY))
    def check(case: Any) -> None:
        reading = Readings(KNOWN).of(case.request)
        assert reading is not None
        assert {violation.requirement for violation in reading.violations} == {case.breaks}, case.what
        seen.add(case.breaks)

    check()
    assert len(seen) >= (5 if OPERATIONS[operation].kind == "create" else 2)


@pytest.mark.parametrize("credential", ["owner", "unknown", "none", "reader", "off-list"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_conforming_answer_is_silent_to_every_request(operation: str, credential: Credential) -> None:
    requests = {
        knowledge: conforming_requests(operation, inventory) | departing_requests(operation, inventory)
        for knowledge, inventory in ((KNOWN, INVENTORY), (UNKNOWN, None))
    }

    @QUIET
    @given(st.data(), st.sampled_from((KNOWN, UNKNOWN)))
    def check(data: st.DataObject, knowledge: Knowledge) -> None:
        request = replace(data.draw(requests[knowledge]).request, credential=credential)
        response = data.draw(conforming_answers(request, knowledge))
        assert findings(request, response, knowledge) == ()

    check()


@pytest.mark.parametrize(
    ("resource", "operation"),
    [
        ("flex job", "flex-get"),
        ("tenant job", "tenant-get"),
        ("dedicated job", "cluster-get"),
    ],
)
def test_documents_of_a_resource_are_silent_in_an_answer(resource: str, operation: str) -> None:
    read_back = OPERATIONS[operation]
    path = read_back.path(project="a" * 24, cluster="C", job="b" * 24)
    headers = (("Content-Type", read_back.media_type or ""),)
    request = Request("GET", path, (("Accept", read_back.media_type or ""),), credential="unknown")
    seen = set()

    @settings(QUIET, max_examples=100)
    @given(conforming_documents(resource, project="a" * 24, cluster="C", item="b" * 24))
    def check(document: dict[str, Any]) -> None:
        body = json.dumps(document, ensure_ascii=False).encode()
        assert findings(request, Response(200, headers, body), UNKNOWN) == ()
        seen.add(body)

    check()
    # What is drawn depends on the modules that are loaded, as Hypothesis takes constants from them.
    assert len(seen) > 20


def drawn(operation: str, query: str = "") -> list[tuple[Response, Any]]:
    """Answers to a conforming request of which nothing is known, each with its document."""
    request = find(conforming_requests(operation), lambda case: "?" not in case.request.target).request
    request = replace(request, target=request.target + query, credential="unknown")
    found: list[tuple[Response, Any]] = []

    # Hypothesis varies what it drew before; several short runs keep one early draw from ruling all later ones.
    for number in range(20):

        @seed(number)
        @settings(QUIET, max_examples=40, derandomize=False)
        @given(conforming_answers(request))
        def collect(response: Response) -> None:
            found.append((response, json.loads(response.body) if response.body else None))

        collect()
    return found


@pytest.mark.parametrize(
    ("operation", "schema"),
    [
        ("flex-get", "flex-restore-job.json"),
        ("tenant-get", "tenant-restore-job.json"),
        ("cluster-get", "cluster-restore-job.json"),
    ],
)
def test_answers_vary_in_all_that_the_schema_leaves_open(operation: str, schema: str) -> None:
    successes = [document for response, document in drawn(operation) if response.status == 200]
    described = Contract.load().schemas.documents[schema]
    for name in described["properties"]:
        shown = [document[name] for document in successes if name in document]
        assert shown, name
        if name in ("id", "projectId", "instanceName", "clusterName"):
            continue
        if "enum" in described["properties"][name]:
            assert set(shown) == set(described["properties"][name]["enum"]), name
        elif name not in described.get("required", ()) and name != "status":
            assert len(shown) < len(successes), name
    assert any(document.keys() - described["properties"].keys() for document in successes)


def test_states_of_a_dedicated_job_vary() -> None:
    jobs = [document for response, document in drawn("cluster-get") if response.status == 200]
    for flag in ("failed", "cancelled", "expired"):
        assert {job.get(flag) for job in jobs} == {True, False, None}
    assert any(job["deliveryType"] == "download" and job.get("deliveryUrl") for job in jobs)
    assert any(part.get("downloadUrl") for job in jobs for part in job.get("components", ()))
    assert any("oplogTs" in job for job in jobs)
    assert any("pointInTimeUTCSeconds" in job for job in jobs)


def test_pages_and_their_links_vary() -> None:
    answers = drawn("flex-list", "?itemsPerPage=2&pageNum=2")
    pages = [document for response, document in answers if response.status == 200]
    assert {len(page["results"]) for page in pages} == {0, 1, 2}
    assert len({page.get("totalCount") for page in pages}) >= 4
    relations = {tuple(link["rel"] for link in page["links"]) for page in pages if "links" in page}
    assert {("self", "previous"), ("self", "next", "previous")} <= relations
    assert any("links" not in page for page in pages)


def test_errors_vary() -> None:
    errors = [(response, document) for response, document in drawn("cluster-create") if response.status >= 400]
    assert len({response.status for response, _ in errors}) >= 4
    for name in ("detail", "reason", "parameters", "badRequestDetail"):
        seen = [document.get(name, "left out") for _, document in errors]
        assert None in seen or name == "parameters", name
        assert "left out" in seen, name
        assert any(value not in (None, "left out") for value in seen), name
    assert {response.header("x-error-code") is None for response, _ in errors} == {True, False}
    assert any(response.status == 429 and response.header("retry-after") for response, _ in errors)


def test_envelopes_and_indentation_are_as_asked_for() -> None:
    answers = [a for a in drawn("cluster-get", "?envelope=true&pretty=true") if a[0].status == 200]
    assert all(response.body.startswith(b"{\n  ") for response, _ in answers)
    wrapped = [document for _, document in answers]
    assert {frozenset(document) for document in wrapped} == {frozenset({"status", k}) for k in ("content", "envelope")}


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(ValueError, match="there is no operation 'flex'"):
        conforming_requests("flex")
    with pytest.raises(ValueError, match="no operation reads a 'cat'; those that are read are flex job"):
        conforming_documents("cat", project="p", cluster="c", item="i")
    with pytest.raises(ValueError, match="no operation that is offered"):
        conforming_answers(Request("GET", "/api/atlas/v2/clusters"))


def test_an_operation_of_another_contract_is_drawn_from_its_data_alone(tmp_path: Path) -> None:
    contract = Contract.load(folder_with(tmp_path))
    other = Judge(contract)
    seen = set()

    @QUIET
    @given(st.data())
    def check(data: st.DataObject) -> None:
        good = data.draw(conforming_requests("flex-export-get", contract=contract))
        bad = data.draw(departing_requests("flex-export-get", contract=contract))
        seen.add(bad.breaks)
        for case in (good, bad):
            request = replace(case.request, credential="unknown")
            response = data.draw(conforming_answers(request, contract=contract))
            assert not other.judge(Exchange(request, response, 1.0, 1.1)).findings
            wrong = Response(200, response.headers, b"{}")
            assert other.judge(Exchange(bad.request, wrong, 1.0, 1.1)).findings

    check()
    assert seen == {"P-GROUP", "P-NAME", "P-EXPORT"}


def test_an_adapter_judges_by_another_contract(tmp_path: Path) -> None:
    contract = Contract.load(folder_with(tmp_path))
    own, other = TrafficJudge(), TrafficJudge(contract=contract)
    for traffic in (own, other):
        transport = JudgingTransport(traffic, httpx.MockTransport(lambda request: httpx.Response(200, content=b"{}")))
        with httpx.Client(base_url="https://mock", transport=transport) as client:
            client.get(f"/api/atlas/v2/groups/{'a' * 24}/flexClusters/F/backup/exports/xyz")
    assert own.judged == 0
    assert "P-EXPORT" in {failure.requirement for failure in other.failures}
