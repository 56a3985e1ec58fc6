"""A contract of one's own binds what its data binds: nothing is found or held that binds no operation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from atlas_conformance import Absent, Cluster, Contract, Exchange, Inventory, Judge, Knowledge, Request, Response
from atlas_conformance.contracts.exchange import Credential
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.reading import Readings
from tests.contracts.own_contract import MEDIA, Data, write

PROJECT, SNAPSHOT, GONE = "a" * 24, "b" * 24, "c" * 24
ABSENT = Absent(project="d" * 24, cluster="nope", snapshot=GONE, job="e" * 24, target="nope")
KNOWN = Knowledge(Inventory((Cluster(PROJECT, "Flex0", "flex", snapshots=(SNAPSHOT,)),), absent=ABSENT), digest=True)
WIDGETS = f"/api/atlas/v2/groups/{PROJECT}/widgets"
SNAPSHOTS = f"/api/atlas/v2/groups/{PROJECT}/flexClusters/Flex0/backup/snapshots"
REFUSED = {"error": 400, "errorCode": "INVALID_ATTRIBUTE"}


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    return Contract.load(write(tmp_path_factory.mktemp("own") / "contract"))


def asked(target: str, body: bytes | None = None, credential: Credential = "owner") -> Request:
    headers = (("Accept", MEDIA), ("Content-Type", "application/json"))
    return Request("GET" if body is None else "POST", target, headers, body, credential=credential)


def judged(
    contract: Contract,
    request: Request,
    status: int,
    answer: Mapping[str, Any],
    knowledge: Knowledge = KNOWN,
) -> Judgement:
    media = MEDIA if status < 300 else "application/json"
    headers = [("Content-Type", media), *([("WWW-Authenticate", "Digest")] if status == 401 else [])]
    response = Response(status, tuple(headers), json.dumps(answer, separators=(",", ":")).encode())
    return Judge(contract, knowledge).judge(Exchange(request, response, 1.0, 1.1))


@pytest.mark.parametrize(
    "body", [b'{"size":0}', b'{"size":"x"}', b"{}", b'{"size":1,"more":1}', b'{"size":1}', b"[]", b'{"size":null}']
)
@pytest.mark.parametrize("status", [200, 400])
def test_a_body_is_judged_only_by_what_binds_its_operation(contract: Contract, body: bytes, status: int) -> None:
    answer: dict[str, Any] = REFUSED if status == 400 else {"id": SNAPSHOT}
    found = judged(contract, asked(WIDGETS, body), status, answer)
    named = {finding.requirement for finding in found.findings} | {requirement for requirement, _ in found.held}
    assert all(contract.binds(requirement, "widget-create") for requirement in named)


def test_what_no_requirement_refuses_may_be_refused_or_taken(contract: Contract) -> None:
    assert not contract.binds("B-RANGE", "widget-create")
    assert not contract.binds("B-REQUIRED", "widget-create")
    for body in (b'{"size":0}', b"{}"):
        reading = Readings(KNOWN, contract).of(asked(WIDGETS, body))
        assert reading is not None
        assert not reading.must_be_refused
        assert not reading.must_succeed
        assert not judged(contract, asked(WIDGETS, body), 200, {"id": SNAPSHOT}).findings
        assert not judged(contract, asked(WIDGETS, body), 400, REFUSED).findings


def test_what_a_requirement_refuses_is_found(contract: Contract) -> None:
    assert contract.binds("B-TYPE", "widget-create")
    taken = judged(contract, asked(WIDGETS, b'{"size":"x"}'), 200, {"id": SNAPSHOT})
    assert [finding.requirement for finding in taken.findings] == ["B-TYPE"]
    refused = judged(contract, asked(WIDGETS, b'{"size":"x"}'), 400, REFUSED)
    assert ("B-TYPE", "widget-create") in refused.held


def _bound_to(selector: str, *requirements: str) -> Any:
    """Bind requirements to the operations that a selector names."""

    def change(data: Data) -> None:
        for requirement in requirements:
            head, found, rest = data.requirements.partition(f"[{requirement}]\n")
            assert found
            table, end, others = rest.partition("\n[")
            lines = [f'on = "{selector}"' if line.startswith("on = ") else line for line in table.split("\n")]
            data.requirements = f"{head}{found}" + "\n".join(lines) + end + others

    return change


def test_a_malformed_id_that_no_requirement_refuses_may_be_refused_to_anybody(tmp_path: Path) -> None:
    contract = Contract.load(write(tmp_path / "own", _bound_to("jobs", "P-WIDGET", "N-WIDGET")))
    odd = f"{WIDGETS}/ZZ"
    missing = {"error": 404, "errorCode": "NOT_FOUND"}
    for status, answer in ((200, {"id": SNAPSHOT}), (404, missing)):
        assert not judged(contract, asked(odd), status, answer).findings
    assert not judged(contract, asked(odd, credential="none"), 404, missing).findings
    assert {f.requirement for f in judged(contract, asked(odd, credential="none"), 200, {}).findings} >= {"A-NONE"}


@pytest.mark.parametrize("requirement", ["C-STATUS", "C-MEDIA", "C-SCHEMA", "E-SCHEMA", "E-STATUS", "A-NONE"])
def test_a_rule_on_what_an_operation_does_judges_only_what_it_binds(tmp_path: Path, requirement: str) -> None:
    contract = Contract.load(write(tmp_path / "own", _bound_to("creates", requirement)))

    def named(request: Request) -> set[str]:
        found = [judged(contract, request, status, {"id": 1, "error": 1}) for status in (200, 201, 302, 400, 418)]
        failed = {finding.requirement for judgement in found for finding in judgement.findings}
        return failed | {held for judgement in found for held, _ in judgement.held}

    credential: Credential = "none" if requirement == "A-NONE" else "owner"
    assert requirement in named(asked(WIDGETS, b'{"size":1}', credential))
    for target in (WIDGETS, f"{WIDGETS}/{SNAPSHOT}"):
        assert requirement not in named(asked(target, credential=credential))


@pytest.mark.parametrize("tail", ["", "/tags"])
def test_an_absent_thing_is_found_wherever_a_path_names_it(contract: Contract, tail: str) -> None:
    operation = "flex-snapshot-tags" if tail else "flex-snapshot-get"
    shown = judged(contract, asked(f"{SNAPSHOTS}/{GONE}{tail}"), 200, {})
    assert [(f.requirement, f.operation) for f in shown.findings] == [("N-SNAPSHOT", operation)]
    missing = judged(contract, asked(f"{SNAPSHOTS}/{GONE}{tail}"), 404, {"error": 404, "errorCode": "NOT_FOUND"})
    assert not missing.findings
    assert ("N-SNAPSHOT", operation) in missing.held


def test_a_thing_of_which_nobody_knows_may_be_absent(contract: Contract) -> None:
    missing = {"error": 404, "errorCode": "NOT_FOUND"}
    for status, answer in ((200, {"tags": []}), (404, missing)):
        assert not judged(contract, asked(f"{SNAPSHOTS}/{SNAPSHOT}/tags"), status, answer).findings
