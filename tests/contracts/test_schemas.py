"""The schema files: their form, their bounds, and recorded traffic compared with them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.validation import SCHEMAS

REQUIREMENTS = Contract.load().requirements
OPERATIONS = Contract.load().operations

ROOT = Path(__file__).parents[2]
INT32 = 2**31 - 1
EPOCH = 1199145600
HEX = "5f0c1e2d3a4b5c6d7e8f9a0b"
APPLICATORS = {"properties", "items", "allOf", "anyOf", "if", "then", "else", "required", "type", "enum", "pattern"}
AUTOMATED = {"deliveryType": "automated", "snapshotId": HEX, "targetClusterName": "Target0", "targetGroupId": HEX}
MOMENT = {"deliveryType": "pointInTime", "targetClusterName": "Target0", "targetGroupId": HEX}


def subschemas(node: Any) -> Iterator[dict[str, Any]]:
    """Yield a schema and every schema in it."""
    if not isinstance(node, dict):
        return
    yield node
    for keyword in ("items", "if", "then", "else"):
        yield from subschemas(node.get(keyword))
    for keyword in ("allOf", "anyOf"):
        for child in node.get(keyword, ()):
            yield from subschemas(child)
    for keyword in ("properties", "$defs"):
        for child in node.get(keyword, {}).values():
            yield from subschemas(child)


each_schema = pytest.mark.parametrize("name", Contract.load().schemas.documents)


@each_schema
def test_a_schema_is_valid_and_says_what_it_is(name: str) -> None:
    schema = Contract.load().schemas.documents[name]
    jsonschema.Draft202012Validator.check_schema(schema, jsonschema.FormatChecker(formats=()))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == name
    assert schema["title"]
    assert schema["description"]


@each_schema
def test_a_file_is_written_in_one_form(name: str) -> None:
    text = (SCHEMAS / name).read_text("utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


@each_schema
def test_references_stand_alone_and_lead_to_files(name: str) -> None:
    for node in subschemas(dict(Contract.load().schemas.documents[name])):
        if "$ref" in node:
            assert node["$ref"] in Contract.load().schemas.documents
            assert not APPLICATORS & set(node)


@each_schema
def test_annotations_name_requirements(name: str) -> None:
    named = {
        node["x-requirement"]
        for node in subschemas(dict(Contract.load().schemas.documents[name]))
        if "x-requirement" in node
    }
    assert named <= set(REQUIREMENTS)


@each_schema
def test_properties_that_are_not_named_are_allowed_everywhere(name: str) -> None:
    for node in subschemas(dict(Contract.load().schemas.documents[name])):
        assert not {"additionalProperties", "unevaluatedProperties", "propertyNames", "maxProperties"} & set(node)


@each_schema
def test_integers_have_both_bounds(name: str) -> None:
    for node in subschemas(dict(Contract.load().schemas.documents[name])):
        if node.get("format") == "int32":
            assert node["minimum"] >= -(2**31)
            assert node["maximum"] == INT32


def test_each_file_has_a_use() -> None:
    used = {
        schema for operation in OPERATIONS.values() for schema in (operation.request_schema, operation.response_schema)
    }
    wrapped = {
        f"envelope-{operation.response_schema}" for operation in OPERATIONS.values() if operation.response_schema
    }
    assert set(Contract.load().schemas.documents) == (used - {None}) | wrapped | {
        "error.json",
        "envelope-error.json",
        "token.json",
    }


@pytest.mark.parametrize(
    ("schema", "document", "places"),
    [
        ("cluster-restore-request.json", AUTOMATED, []),
        ("cluster-restore-request.json", {**AUTOMATED, "deliveryType": "Automated"}, [("/deliveryType", "T-ENUM")]),
        ("cluster-restore-request.json", {}, [("", "T-ENUM")]),
        ("cluster-restore-request.json", {"deliveryType": "download"}, [("", "T-SNAPSHOT")]),
        ("cluster-restore-request.json", {**MOMENT, "pointInTimeUTCSeconds": EPOCH}, []),
        ("cluster-restore-request.json", {**MOMENT, "pointInTimeUTCSeconds": INT32, "oplogTs": EPOCH}, []),
        ("cluster-restore-request.json", {**MOMENT, "oplogTs": EPOCH, "oplogInc": 1}, []),
        ("cluster-restore-request.json", {**MOMENT, "oplogTs": INT32, "oplogInc": INT32}, []),
        ("cluster-restore-request.json", {**MOMENT, "oplogTs": EPOCH}, [("", "T-POINT")]),
        ("cluster-restore-request.json", {**MOMENT, "oplogInc": 1}, [("", "T-POINT")]),
        ("cluster-restore-request.json", MOMENT, [("", "T-POINT")]),
        ("cluster-restore-request.json", {"deliveryType": "automated", "snapshotId": HEX}, [("", "T-TARGET")] * 2),
        ("cluster-restore-request.json", {**AUTOMATED, "oplogInc": 0}, [("/oplogInc", None)]),
        ("cluster-restore-request.json", {**AUTOMATED, "oplogInc": 2**31}, [("/oplogInc", None)]),
        ("cluster-restore-request.json", {**AUTOMATED, "oplogInc": True}, [("/oplogInc", None)]),
        ("cluster-restore-request.json", {**AUTOMATED, "oplogTs": EPOCH - 1}, [("/oplogTs", None)]),
        ("cluster-restore-request.json", {**AUTOMATED, "oplogTs": str(EPOCH)}, [("/oplogTs", None)]),
        ("cluster-restore-request.json", {**AUTOMATED, "oplogTs": None}, [("/oplogTs", None)]),
        ("cluster-restore-request.json", {**AUTOMATED, "targetClusterName": "a" * 64}, []),
        ("cluster-restore-request.json", {**AUTOMATED, "targetClusterName": "a" * 65}, [("/targetClusterName", None)]),
        ("cluster-restore-request.json", {**AUTOMATED, "targetClusterName": "Größe"}, [("/targetClusterName", None)]),
        ("flex-restore-request.json", {"snapshotId": HEX, "targetDeploymentItemName": "\U0001d49c" * 64}, []),
        (
            "flex-restore-request.json",
            {"snapshotId": HEX, "targetDeploymentItemName": "\U0001d49c" * 65},
            [("/targetDeploymentItemName", None)],
        ),
        (
            "flex-restore-request.json",
            {"snapshotId": HEX + "\n", "targetDeploymentItemName": "a"},
            [("/snapshotId", None)] * 2,
        ),
        ("tenant-restore-request.json", {}, [("", None)] * 2),
        ("flex-restore-job.json", {"status": "DONE"}, [("/status", "S-STATUS")]),
        ("tenant-restore-job.json", {"deliveryType": "download"}, [("/deliveryType", "S-DELIVERY")]),
        ("flex-restore-job.json", {"restoreFinishedDate": None}, [("/restoreFinishedDate", "C-SCHEMA")]),
        ("flex-restore-job.json", {"expirationDate": "2026-02-30T00:00:00Z"}, [("/expirationDate", "C-SCHEMA")]),
        ("cluster-restore-job.json", {}, [("", "C-SCHEMA")]),
        ("cluster-restore-job.json", {"deliveryType": "download", "deliveryUrl": []}, []),
        ("cluster-restore-job.json", {"deliveryType": "download", "deliveryUrl": "a"}, [("/deliveryUrl", "C-SCHEMA")]),
        ("error.json", {"error": 400, "errorCode": "A", "detail": None, "reason": None}, []),
        ("error.json", {"error": 400, "errorCode": "A", "parameters": None}, [("/parameters", "E-SCHEMA")]),
        ("error.json", {"error": 400, "errorCode": "A", "badRequestDetail": None}, []),
        ("error.json", {"error": 400}, [("", "E-SCHEMA")]),
        ("dedicated-snapshot.json", {"masterKeyUUID": "8c4f1ef2-6d0b-4f0e-9d5a-0C1B2A3D4E5F"}, []),
        (
            "dedicated-snapshot.json",
            {"masterKeyUUID": "8c4f1ef26d0b4f0e9d5a0c1b2a3d4e5f"},
            [("/masterKeyUUID", "C-SCHEMA")],
        ),
        ("error.json", {"error": "400", "errorCode": "A"}, [("/error", "E-SCHEMA")]),
        ("error.json", {"error": 400, "errorCode": "A", "parameters": ["x", None]}, [("/parameters/1", "E-SCHEMA")]),
        (
            "error.json",
            {"error": 400, "errorCode": "A", "badRequestDetail": {"fields": [{"field": "x"}]}},
            [("/badRequestDetail/fields/0", "E-FIELDS")],
        ),
        ("envelope-flex-restore-job.json", {"status": 200}, [("", "V-ENVELOPE")]),
        ("envelope-flex-restore-job.json", {"content": {}}, [("", "V-ENVELOPE")]),
        ("envelope-flex-restore-job.json", {"status": 200, "envelope": {}}, []),
        ("envelope-flex-restore-job.json", {"status": "200", "envelope": {}}, [("/status", "V-ENVELOPE")]),
        (
            "envelope-flex-restore-job.json",
            {"status": 200, "content": {"status": "DONE"}},
            [("/content/status", "S-STATUS")],
        ),
        ("envelope-flex-restore-job-list.json", {"results": []}, [("", "V-ENVELOPE")]),
        (
            "envelope-flex-restore-job-list.json",
            {"status": 200, "results": [{"id": HEX + "\n"}]},
            [("/results/0/id", "C-SCHEMA")] * 2,
        ),
        ("token.json", {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}, []),
        ("token.json", {"access_token": "t", "token_type": "mac"}, [("/token_type", "A-BEARER")]),
    ],
)
def test_a_schema_refuses_exactly_what_it_should(
    schema: str, document: Any, places: list[tuple[str, str | None]]
) -> None:
    found = [(error.pointer, error.requirement) for error in Contract.load().validator(schema).errors(document)]
    assert found == places
    assert Contract.load().validator(schema).is_valid(document) is not bool(places)


def recording() -> Mapping[str, Any]:
    """The recorded responses of the real service, which are no part of the project."""
    folder = Path(os.environ.get("ATLAS_RECORDINGS", ROOT.parent / "shared" / "recordings"))
    files = sorted(folder.glob("*.har"))
    if not files:
        pytest.skip("there are no recordings: set ATLAS_RECORDINGS to a folder of .har files")
    entries = [entry for file in files for entry in json.loads(file.read_text("utf-8"))["log"]["entries"]]
    return {"entries": entries}


def value_at(document: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        document = document[int(step) if isinstance(document, list) else step]
    return document


def test_recorded_responses_hold_to_the_schemas_but_for_known_departures() -> None:
    seen: set[str] = set()
    judged = 0
    for entry in recording()["entries"]:
        found = Contract.load().match(entry["request"]["method"], urlsplit(entry["request"]["url"]).path)
        text = entry["response"]["content"].get("text")
        if found is None or not text:
            continue
        operation, _ = found
        success = entry["response"]["status"] == operation.success
        name = operation.response_schema if success else "error.json"
        assert name is not None
        document = json.loads(text)
        for error in Contract.load().validator(name).errors(document):
            value = value_at(document, error.pointer)
            departure = Contract.load().departure_for(
                error.requirement or "", operation.id, error.pointer, value, document
            )
            assert departure is not None, f"{operation.id}: {error.pointer} {error.message}"
            seen.add(departure.id)
        judged += 1
    assert judged > 0
    assert seen == {"K-TIMESTAMP", "K-FREQUENCY"}
