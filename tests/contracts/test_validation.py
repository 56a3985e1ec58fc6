"""Strict JSON, and the two validators that must agree."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.validation import NotJson, holds, is_date_time, parse_json

ROOT = Path(__file__).parents[2]
HEX = "5f0c1e2d3a4b5c6d7e8f9a0b"
TIMES = [
    "2026-02-23T09:21:08Z",
    "2026-02-23t09:21:08.5z",
    "2024-02-29T23:59:59+23:59",
    "2016-12-31T23:59:60Z",
    "2016-12-31T22:59:60-01:00",
    "0000-01-01T00:00:00Z",
    "2026-02-23T09:21:08-00:00",
    "2000-02-29T00:00:00.123456789012Z",
]
NO_TIMES = [
    "",
    "2026-02-23",
    "2026-02-23 09:21:08Z",
    "2026-02-23T09:21:08",
    "2026-02-23T09:21:08Z\n",
    "2026-02-23T09:21:08.Z",
    "2026-02-23T24:00:00Z",
    "2026-02-23T09:60:00Z",
    "2026-02-23T09:21:60Z",
    "2026-02-23T23:59:61Z",
    "2026-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-02-23T09:21:08+24:00",
    "2026-02-23T09:21:08+01:60",
    "2026-02-23T09:21:08+0100",
    "٢٠٢٦-02-23T09:21:08Z",
    "-026-02-23T09:21:08Z",
    "2026-02-23T09:21:08\u221201:00",
]
STRINGS = [
    *TIMES,
    *NO_TIMES,
    HEX,
    HEX + "\n",
    HEX.upper(),
    HEX[1:],
    HEX + "0",
    "Cluster0",
    "-Cluster0",
    "Cluster0\n",
    "a" * 64,
    "a" * 65,
    "Größe",
    "Кластер",
    "数据",
    "\U0001d49c" * 64,
    "\U0001d49c" * 65,
    "😀",
    "e\u0301",
    "\0",
    "automated",
    "download",
    "pointInTime",
    "Automated",
    "RESTORE",
    "DOWNLOAD",
    "PENDING",
    "COMPLETED",
    "https://example.com/x",
    "Bearer",
    "bearer\n",
    "\ud800",
]
NUMBERS = [
    0, 1, -1, 99, 100, 200, 599, 600, 1199145599, 1199145600, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**53 + 1,
    2**63 - 1, 2**63, 2**64, 2**70, -(2**70), 10**400, 1.0, 200.0, 1199145600.0, 1199145599.5, 0.5, 2147483648.0, 1e308,
    -0.0, float("inf"), float("-inf"),
]  # fmt: skip
SCALARS: list[Any] = [None, True, False, *NUMBERS, *STRINGS]
OF_SNAPSHOTS = ("8.0.19", "8c4f1ef2-6d0b-4f0e-9d5a-0c1b2a3d4e5f", "AWS", "replicaSet", "onDemand", "daily", "queued")
AWKWARD: list[Any] = [*SCALARS, *OF_SNAPSHOTS, [], {}, [None], ["x"], [[]], {"a": {}}]


@cache
def fitting(schema: str) -> list[Any]:
    """Return the values that a schema, written as JSON, takes."""
    return [value for value in AWKWARD if holds(json.loads(schema), value)]


def value_for(draw: Random, schema: dict[str, Any], awkward: float) -> Any:
    """Draw a value that a property's schema takes, or with the given probability, at every depth, any awkward one."""
    types = schema.get("type", "object")
    types = types if isinstance(types, list) else [types]
    if draw.random() < awkward:
        return draw.choice(AWKWARD)
    if "$ref" in schema:
        return document_for(draw, schema["$ref"], awkward)
    if "properties" in schema:
        return members_for(draw, schema, awkward)
    if "array" in types:
        return [value_for(draw, schema["items"], awkward) for _ in range(draw.randrange(3))]
    return draw.choice(fitting(json.dumps(schema)))


def members_for(draw: Random, schema: dict[str, Any], awkward: float) -> dict[str, Any]:
    """Draw an object with some of the properties of a schema, mostly with those that are required."""
    required = schema.get("required", [])
    chosen = [key for key in schema["properties"] if draw.random() < (0.95 if key in required else 0.5)]
    drawn = {key: value_for(draw, schema["properties"][key], awkward) for key in chosen}
    return {**drawn, "neverNamed": draw.choice(AWKWARD)} if draw.random() < 0.2 else drawn


def document_for(draw: Random, name: str, awkward: float) -> Any:
    """Draw a document around the schema of a file."""
    schema = dict(Contract.load().schemas.documents[name])
    for part in schema.get("allOf", []):
        other = Contract.load().schemas.documents[part["$ref"]] if "$ref" in part else part
        schema["properties"] = {**schema["properties"], **other.get("properties", {})}
        schema["required"] = [*schema.get("required", []), *other.get("required", [])]
    return members_for(draw, schema, awkward)


@pytest.mark.parametrize("name", Contract.load().schemas.documents)
def test_the_fast_validator_and_the_explaining_one_agree(name: str) -> None:
    draw = Random(f"documents around {name}")
    seen = {True: 0, False: 0}
    for _ in range(1000):
        document = document_for(draw, name, awkward=draw.choice([0, 0.03, 0.3]))
        document = draw.choice([document] * 20 + [draw.choice(AWKWARD)])
        explained = not Contract.load().validator(name).explain(document)
        try:
            fast = Contract.load().validator(name)._fast.is_valid(document)
        except ValueError:
            assert "\\ud800" in json.dumps(document), "only what it cannot hold may be declined"
            fast = explained
        if "Infinity" in json.dumps(document):
            fast = fast or explained  # an infinity is null to it; the explaining one has the last word
        assert fast is explained, document
        assert Contract.load().validator(name).is_valid(document) is explained
        assert (Contract.load().validator(name).errors(document) == []) is explained
        seen[explained] += 1
    assert min(seen.values()) >= 100, f"too one-sided to prove anything: {seen}"


ALMOST_TIMES = (
    r"\A[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]+)?"
    r"([Zz]|[+-][0-2][0-9]:[0-6][0-9])\n?\Z"
)
LEAP_SECONDS = st.builds(
    "2016-12-31T{}:{}:60{}".format,
    st.sampled_from(["22", "23", "00"]),
    st.sampled_from(["58", "59", "29"]),
    st.sampled_from(["Z", "+00:30", "-00:30", "-01:00", "+01:00", "+00:00"]),
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.sampled_from([*TIMES, *NO_TIMES]), st.from_regex(ALMOST_TIMES), LEAP_SECONDS))
def test_both_validators_read_times_alike(text: str) -> None:
    fast = Contract.load().validator("flex-restore-job.json")._fast
    assert fast.is_valid({"expirationDate": text}) is is_date_time(text)


@pytest.mark.parametrize("text", TIMES)
def test_a_time_of_rfc_3339_is_taken(text: str) -> None:
    assert is_date_time(text)


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_of_rfc_3339_is_refused(text: str) -> None:
    assert not is_date_time(text)


def test_a_pattern_behind_a_reference_is_ecma_262_as_well() -> None:
    page = {"results": [{"id": HEX + "\n", "targetDeploymentItemName": "Größe"}]}
    errors = Contract.load().validator("flex-restore-job-list.json").explain(page)
    assert {(error.pointer, error.keyword) for error in errors} == {
        ("/results/0/id", "maxLength"),
        ("/results/0/id", "pattern"),
    }
    job = {"results": [{"targetDeploymentItemName": "a\n"}]}
    assert [error.keyword for error in Contract.load().validator("flex-restore-job-list.json").explain(job)] == [
        "pattern"
    ]


def test_an_error_says_where_and_why() -> None:
    (error,) = (
        Contract.load()
        .validator("envelope-error.json")
        .errors(
            {
                "status": 400,
                "content": {"error": 400, "errorCode": "A", "badRequestDetail": {"fields": [{"field": "a"}]}},
            }
        )
    )
    assert error.pointer == "/content/badRequestDetail/fields/0"
    assert error.keyword == "required"
    assert error.property == "description"
    assert error.message == "description is missing"
    assert error.requirement == "E-FIELDS"
    assert (
        error.schema_pointer == "/properties/content/$ref/properties/badRequestDetail/properties/fields/items/required"
    )


def test_the_steps_of_a_condition_stay_in_the_schema_pointer() -> None:
    (error,) = Contract.load().validator("cluster-restore-request.json").errors({"deliveryType": "download"})
    assert error.schema_pointer == "/allOf/2/then/required"


@pytest.mark.parametrize(
    ("schema", "document", "message"),
    [
        ("flex-restore-job.json", {"id": 5}, "must be of type string, is an integer"),
        ("flex-restore-job.json", {"id": None}, "must be of type string, is null"),
        ("flex-restore-job.json", {"status": {"a": 1}}, "must be of type string, is an object"),
        ("error.json", {"error": 1, "errorCode": "A", "detail": 1.5}, "must be of type string or null, is a number"),
        ("error.json", {"error": 2**31, "errorCode": "A"}, "must be at most 2147483647, is 2147483648"),
        ("token.json", {"access_token": "", "token_type": "bearer"}, "must be at least 1 long, is 0 long"),
        ("flex-restore-job.json", {"expirationDate": "soon"}, 'must be a date-time, is "soon"'),
        ("envelope-flex-restore-job.json", {"status": 200}, "needs content, or envelope"),
        ("flex-restore-job.json", {"instanceName": "é"}, 'must match ^[a-zA-Z0-9][a-zA-Z0-9-]*$, is "\\u00e9"'),
    ],
)
def test_messages_are_short_and_plain(schema: str, document: Any, message: str) -> None:
    assert Contract.load().validator(schema).errors(document)[0].message == message


def test_a_message_never_holds_a_huge_value_or_a_download_address() -> None:
    job = {
        "deliveryType": "x" * 10**6,
        "id": "y" * 10**6,
        "deliveryUrl": "https://secret",
        "components": "https://secret",
    }
    errors = Contract.load().validator("cluster-restore-job.json").errors(job)
    assert len(errors) == 5
    assert all(len(error.message) < 200 for error in errors)
    assert not any("secret" in repr(error) for error in errors)


def test_deep_documents_are_judged() -> None:
    depth = 900
    deep = parse_json(b'{"deliveryType":"download","x":' + b"[" * depth + b"]" * depth + b"}")
    assert Contract.load().validator("cluster-restore-job.json").is_valid(deep)
    assert [
        e.keyword
        for e in Contract.load().validator("flex-restore-job.json").errors({"id": deep["x"], "status": deep["x"]})
    ] == [
        "type",
        "type",
        "enum",
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"\xff{}", "byte 0 is not UTF-8"),
        (b'{"a": "\xe9"}', "byte 7 is not UTF-8"),
        (b"\xef\xbb\xbf{}", "BOM"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        (b"{", "line 1 column 2"),
        (b"{} {}", "extra data"),
        (b"{'a': 1}", "double quotes"),
        (b"[1,]", "line 1"),
        (b"01", "extra data"),
        (b"NaN", "NaN is no JSON number"),
        (b'{"a": -Infinity}', "-Infinity is no JSON number"),
        (b"[Infinity]", "Infinity is no JSON number"),
        (b'"\n"', "control character"),
        (b"\xc2\xa0{}", "line 1"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"<html>", "line 1 column 1"),
    ],
)
def test_what_is_no_json_is_refused_with_a_reason(body: bytes, reason: str) -> None:
    with pytest.raises(NotJson, match=re.escape(reason)):
        parse_json(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, 1.0, true, null, "\\ud83d\\ude00"]}', {"a": [1, 1.0, True, None, "😀"]}),
        (b"18446744073709551617", 2**64 + 1),
        (b"1e400", float("inf")),
        (b"9" * 5000, float("inf")),
        (b"-" + b"9" * 5000, float("-inf")),
        (b'"\\ud800"', "\ud800"),
    ],
)
def test_json_is_read_as_it_stands(body: bytes, value: Any) -> None:
    found = parse_json(body)
    assert found == value
    assert type(found) is type(value)


@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_refused(body: bytes) -> None:
    try:
        parse_json(body)
        reason = "none"
    except NotJson as error:
        reason = str(error)
    assert reason


def test_an_unknown_schema_is_named() -> None:
    with pytest.raises(ValueError, match=r"there is no schema flex\.json; there are cluster-restore-job-list\.json, "):
        Contract.load().validator("flex.json")


def test_no_other_module_builds_validators() -> None:
    """Whoever validates elsewhere would get Python's own patterns."""
    building = re.compile(r"^\s*(?:import|from)\s+(?:jsonschema|jsonschema_rs|fastjsonschema)\b", re.MULTILINE)
    folders = ["atlas_conformance", "contracts", "reports", "strategies", "suites"]
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    files += [file for file in [ROOT / "conftest.py"] if file.exists()]
    found = {str(file.relative_to(ROOT)) for file in files if building.search(file.read_text("utf-8"))}
    assert found == {"contracts/validation.py"}
