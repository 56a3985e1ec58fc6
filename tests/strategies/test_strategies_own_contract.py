"""The strategies with a contract of one's own: everything is drawn from its data, or one sentence says why not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from atlas_conformance import Contract, Exchange, Judge, Knowledge, Request
from atlas_conformance.contracts.contract import FOLDER
from atlas_conformance.contracts.reading import Readings
from atlas_conformance.strategies import (
    conforming_answers,
    conforming_documents,
    conforming_requests,
    departing_requests,
)
from tests.contracts.own_contract import Change, Data, write
from tests.strategies.scenery import INVENTORY

OWN = ("widget-create", "widget-list", "widget-get", "flex-snapshot-tags")
PLACE = {"project": "a" * 24, "cluster": "Flex0", "item": "b" * 24}
QUIET = settings(
    max_examples=40, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    return Contract.load(write(tmp_path_factory.mktemp("own") / "contract"))


def _is_silent(contract: Contract, request: Request, data: st.DataObject) -> None:
    asked = replace(request, credential="unknown")
    response = data.draw(conforming_answers(asked, contract=contract))
    assert not Judge(contract).judge(Exchange(asked, response, 1_900_000_000.0, 1_900_000_000.1)).findings


def _answers_are_silent(contract: Contract, operation: str) -> None:
    request = find(conforming_requests(operation, contract=contract), lambda case: True).request

    @QUIET
    @given(st.data())
    def check(data: st.DataObject) -> None:
        _is_silent(contract, request, data)

    check()


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("operation", [*OWN, "flex-create", "cluster-create", "flex-get"])
def test_conforming_requests_break_nothing(contract: Contract, operation: str, known: bool) -> None:
    seen = set()

    @QUIET
    @given(st.data())
    def check(data: st.DataObject) -> None:
        case = data.draw(conforming_requests(operation, INVENTORY if known else None, contract=contract))
        reading = Readings(Knowledge(), contract).of(case.request)
        assert reading is not None
        assert (reading.operation.id, reading.violations, reading.path_is_malformed) == (operation, (), False)
        if operation == "widget-create":
            assert contract.validator("widget-request.json").is_valid(json.loads(case.request.body or b""))
        seen.add((case.request.target, case.request.body))
        _is_silent(contract, case.request, data)

    check()
    assert len(seen) >= 5


@pytest.mark.parametrize("operation", [*OWN, "flex-create", "cluster-create", "flex-get"])
def test_departing_requests_break_one_requirement_that_binds(contract: Contract, operation: str) -> None:
    seen = set()

    @settings(QUIET, max_examples=150)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        case = data.draw(departing_requests(operation, contract=contract))
        reading = Readings(Knowledge(), contract).of(case.request)
        assert reading is not None
        assert {violation.requirement for violation in reading.violations} == {case.breaks}
        assert case.breaks is not None
        assert contract.binds(case.breaks, operation)
        seen.add(case.breaks)
        _is_silent(contract, case.request, data)

    check()
    if operation == "widget-create":
        assert seen >= {"B-JSON", "B-TYPE", "P-GROUP"}
    if operation == "widget-get":
        assert seen == {"P-GROUP", "P-WIDGET"}


@pytest.mark.parametrize(("resource", "schema"), [("flex snapshot tags", "tags.json"), ("widget", "widget.json")])
def test_documents_keep_the_schema(contract: Contract, resource: str, schema: str) -> None:
    seen = set()

    @QUIET
    @given(conforming_documents(resource, **PLACE, contract=contract))
    def check(document: dict[str, Any]) -> None:
        assert contract.validator(schema).is_valid(document)
        seen.add(json.dumps(document))

    check()
    assert len(seen) >= 5


def _schema(name: str, **keys: Any) -> Change:
    return lambda data: data.schemas[name].update(keys)


def _digits(data: Data) -> None:
    data.parameters["widgetId"]["schema"] = {"type": "string", "pattern": "^[0-9]{3}$"}


def _changed_request(data: Data) -> None:
    """Let the body of a create that the package knows need one more property."""
    schema = json.loads((FOLDER / "schemas" / "flex-restore-request.json").read_text("utf-8"))
    schema["required"].append("ticket")
    schema["properties"]["ticket"] = {"type": "integer", "minimum": 7, "maximum": 9}
    data.schemas["flex-restore-request"] = schema


def test_a_create_whose_schema_is_another_is_drawn_from_that(tmp_path: Path) -> None:
    contract = Contract.load(write(tmp_path / "own", _changed_request))
    case = find(conforming_requests("flex-create", contract=contract), lambda case: True)
    assert 7 <= json.loads(case.request.body or b"")["ticket"] <= 9
    broken = find(departing_requests("flex-create", contract=contract), lambda case: "ticket missing" in case.what)
    assert broken.breaks == "B-REQUIRED"


def test_a_create_whose_schema_takes_the_packages_bodies_has_them(tmp_path: Path) -> None:
    def change(data: Data) -> None:
        schema = json.loads((FOLDER / "schemas" / "cluster-restore-request.json").read_text("utf-8"))
        schema["properties"]["ticket"] = {"type": "integer"}
        data.schemas["cluster-restore-request"] = schema

    contract = Contract.load(write(tmp_path / "own", change))
    case = find(conforming_requests("cluster-create", contract=contract), lambda case: case.what == "download")
    assert json.loads(case.request.body or b"")["deliveryType"] == "download"
    broken = find(departing_requests("cluster-create", contract=contract), lambda case: case.breaks == "T-POINT")
    assert json.loads(broken.request.body or b"")["deliveryType"] == "pointInTime"


def test_what_an_answer_needs_and_does_not_describe_may_be_anything(tmp_path: Path) -> None:
    contract = Contract.load(write(tmp_path / "own", _schema("widget", required=["owner"], properties={})))
    _answers_are_silent(contract, "widget-get")


@pytest.mark.parametrize(
    "properties",
    [
        {"size": {"type": "integer", "exclusiveMinimum": 4, "maximum": 5}},
        {"size": {"type": "number", "minimum": 0.5}},
        {"size": {"const": "x"}},
        {"size": {"enum": [3, None]}},
        {"size": {"type": "array", "items": {"type": "string", "minLength": 30}, "minItems": 4}},
        {"size": {"type": ["null", "string"], "format": "date-time"}},
        {"size": {"type": "object", "required": ["a"], "properties": {"a": {"type": "boolean"}}}},
        {"size": {"$ref": "widget.json"}, "inner": {"$ref": "widget-request.json"}},
    ],
)
def test_bodies_of_many_sorts(tmp_path: Path, properties: dict[str, Any]) -> None:
    contract = Contract.load(write(tmp_path / "own", _schema("widget-request", properties=properties)))

    @settings(QUIET, max_examples=15)
    @given(
        conforming_requests("widget-create", contract=contract), departing_requests("widget-create", contract=contract)
    )
    def check(good: Any, bad: Any) -> None:
        assert contract.validator("widget-request.json").is_valid(json.loads(good.request.body))
        assert contract.binds(bad.breaks, "widget-create")

    check()


@pytest.mark.parametrize(
    "page",
    [
        {"results": {"type": "array", "items": {"type": "string"}}},
        {"results": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}}}},
        {"results": {"type": "array", "items": {"$ref": "widget.json"}}, "owner": {"type": "string", "minLength": 3}},
        {"owner": {"type": "string"}},
    ],
)
def test_pages_of_many_sorts(tmp_path: Path, page: dict[str, Any]) -> None:
    contract = Contract.load(write(tmp_path / "own", _schema("widget-list", properties=page, required=list(page))))
    _answers_are_silent(contract, "widget-list")


_UNUSUAL = {"type": "string", "pattern": "^ab+(?:cd)?x[0-9]z$"}


@pytest.mark.parametrize(
    ("change", "draw", "said"),
    [
        (
            _schema("widget-request", properties={"size": _UNUSUAL}),
            lambda contract: conforming_requests("widget-create", contract=contract),
            "no body of widget-create can be made up from widget-request.json: it asks for more",
        ),
        (
            _schema("widget-request", required=["owner"]),
            lambda contract: departing_requests("widget-create", contract=contract),
            "no body of widget-create can be made up from widget-request.json: it asks for more",
        ),
        (
            _schema("widget", properties={"id": _UNUSUAL}),
            lambda contract: conforming_documents("widget", **PLACE, contract=contract),
            "widget.json describes no object that can be drawn",
        ),
        (
            _digits,
            lambda contract: conforming_requests("widget-get", contract=contract),
            "the parameter widgetId of widget-get does not take '.*': name one that it takes as `job`",
        ),
        (
            _schema("tags", type="array"),
            lambda contract: conforming_documents("flex snapshot tags", **PLACE, contract=contract),
            "tags.json describes no object that can be drawn",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said(
    tmp_path: Path, change: Change, draw: Callable[[Contract], Any], said: str
) -> None:
    contract = Contract.load(write(tmp_path / "own", change))
    with pytest.raises(ValueError, match=said):
        draw(contract)


def test_a_name_that_is_given_is_taken(tmp_path: Path) -> None:
    contract = Contract.load(write(tmp_path / "own", _digits))
    case = find(conforming_requests("widget-get", job="123", contract=contract), lambda case: True)
    assert case.request.target.endswith("/widgets/123")
