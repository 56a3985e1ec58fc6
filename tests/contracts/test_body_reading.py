"""Reading bodies of creates: B-*, T-*, and where an endpoint is free."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.reading import Reading, Readings
from tests.strategies.scenery import (
    AUTOMATED,
    DOWNLOAD,
    FLEX,
    KNOWN,
    MOMENT,
    OPEN,
    OPLOG,
    PLAIN,
    POINT,
    PROJECT,
    SNAPSHOT,
    TARGET,
    request,
)

OPERATIONS = Contract.load().operations
DELIVERIES = Contract.load().deliveries
FIELDS = tuple(
    f for part in ("required", "meaningless") for f in getattr(Contract.load().deliveries["automated"], part)
)

CREATES = [o.id for o in OPERATIONS.values() if o.kind == "create" and o.resource.what == "job"]
DEDICATED = ["cluster-create", "cluster-create-v1"]
SHARED = ["flex-create", "tenant-create"]
GOOD: dict[str, Any] = AUTOMATED | OPLOG | POINT
ID_FIELDS = ["snapshotId", "targetProjectId"]
BAD_IDS = [
    "",
    "5F0C1E2D3A4B5C6D7E8F9A0B",
    SNAPSHOT + "\n",
    SNAPSHOT[:-1],
    SNAPSHOT + "0",
    SNAPSHOT[:-1] + "g",
    "٣" * 24,
]
GOOD_ITEMS = ["Größe", "Кластер", "数据", "-_.(),:&@+'", "½", "٣", "z", "𐐀" * 64]
BAD_ITEMS = ["", "a\n", "a b", "a/b", "a" * 65, "𐐀" * 65, "a\u0301", "\u200b", "a\u0000", "😀"]
BAD_NAMES = ["", "-a", "a_b", "Größe", "a" * 65, "Target0\n", "a b", "a.b"]
WRONG_FOR_STRINGS: list[Any] = [1, 1.5, True, [], {}, ["x"]]
WRONG_FOR_INTEGERS: list[Any] = ["1764547200", True, False, 1_764_547_200.5, [], {}]


def seen(name: str, document: Any) -> Reading:
    reading = Readings(KNOWN).of(request(name, document))
    assert reading is not None
    return reading


def broken(name: str, document: Any) -> list[str]:
    return sorted({violation.requirement for violation in seen(name, document).violations})


def pointers(name: str, document: Any) -> set[str]:
    return {violation.pointer for violation in seen(name, document).violations}


def is_free(reading: Reading) -> bool:
    return not reading.must_be_refused and not reading.must_succeed


@pytest.mark.parametrize("name", DEDICATED)
@pytest.mark.parametrize("body", [AUTOMATED, DOWNLOAD, POINT, OPLOG], ids=["automated", "download", "point", "oplog"])
def test_conforming_dedicated_bodies_must_succeed(name: str, body: dict[str, Any]) -> None:
    assert seen(name, body).must_succeed


@pytest.mark.parametrize("name", SHARED)
def test_the_target_project_may_be_left_out(name: str) -> None:
    body = {k: v for k, v in PLAIN[OPERATIONS[name].resource.label].items() if k != "targetProjectId"}
    assert seen(name, body).must_succeed


@pytest.mark.parametrize("name", CREATES)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"true",
        b"[]",
        b"1",
        b'"x"',
        b"{",
        b"}",
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":"\x01"}',
        b'{"a":"\xff"}',
        b"{}{}",
        b"{}x",
        b"/**/{}",
        b'{"a":01}',
        b"{a:1}",
        b"[" * 100_000,
        b"[" + b"{}" + b"]",
    ],
)
def test_no_json_object_is_b_json(name: str, body: bytes) -> None:
    reading = Readings(KNOWN).of(replace(request(name), body=body))
    assert reading is not None
    assert [v.requirement for v in reading.violations] == ["B-JSON"]
    assert reading.violations[0].statuses == {400}


@pytest.mark.parametrize("name", CREATES)
def test_no_body_at_all_is_b_json(name: str) -> None:
    reading = Readings(KNOWN).of(replace(request(name), body=None))
    assert reading is not None
    assert [v.requirement for v in reading.violations] == ["B-JSON"]


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("field", ["snapshotId", "targetDeploymentItemName"])
def test_a_required_property_missing_or_null_is_b_required(name: str, field: str) -> None:
    body = PLAIN[OPERATIONS[name].resource.label]
    rest = {k: v for k, v in body.items() if k != field}
    for document in (rest, rest | {field: None}):
        assert broken(name, document) == ["B-REQUIRED"]
        assert pointers(name, document) == {f"/request/body/{field}"}


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("field", [*ID_FIELDS, "targetDeploymentItemName"])
@pytest.mark.parametrize("value", WRONG_FOR_STRINGS, ids=repr)
def test_a_wrong_type_in_a_shared_body_is_b_type(name: str, field: str, value: Any) -> None:
    document = PLAIN[OPERATIONS[name].resource.label] | {field: value}
    assert broken(name, document) == ["B-TYPE"]
    assert pointers(name, document) == {f"/request/body/{field}"}


@pytest.mark.parametrize("name", DEDICATED)
@pytest.mark.parametrize("field", ["snapshotId", "targetClusterName", "targetGroupId"])
@pytest.mark.parametrize("value", WRONG_FOR_STRINGS, ids=repr)
def test_a_wrong_type_in_a_dedicated_body_is_b_type(name: str, field: str, value: Any) -> None:
    assert broken(name, AUTOMATED | {field: value}) == ["B-TYPE"]


@pytest.mark.parametrize("value", [1, True, [], {}, ["automated"], 1.5], ids=repr)
def test_a_delivery_type_of_the_wrong_type_is_b_type_or_t_enum(value: Any) -> None:
    assert set(broken("cluster-create", AUTOMATED | {"deliveryType": value})) <= {"B-TYPE", "T-ENUM"}
    assert "B-TYPE" in broken("cluster-create", AUTOMATED | {"deliveryType": value})


@pytest.mark.parametrize("name", DEDICATED)
@pytest.mark.parametrize(("base", "field"), [(OPLOG, "oplogTs"), (OPLOG, "oplogInc"), (POINT, "pointInTimeUTCSeconds")])
@pytest.mark.parametrize("value", WRONG_FOR_INTEGERS, ids=repr)
def test_a_wrong_type_for_an_integer_is_b_type(name: str, base: dict[str, Any], field: str, value: Any) -> None:
    document = base | {field: value}
    assert broken(name, document) == ["B-TYPE"]
    assert pointers(name, document) == {f"/request/body/{field}"}


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("field", ID_FIELDS)
@pytest.mark.parametrize("value", BAD_IDS, ids=ascii)
def test_a_malformed_id_in_a_shared_body_is_b_pattern(name: str, field: str, value: str) -> None:
    assert broken(name, PLAIN[OPERATIONS[name].resource.label] | {field: value}) == ["B-PATTERN"]


@pytest.mark.parametrize("name", DEDICATED)
@pytest.mark.parametrize("field", ["snapshotId", "targetGroupId"])
@pytest.mark.parametrize("value", BAD_IDS, ids=ascii)
def test_a_malformed_id_in_a_dedicated_body_is_b_pattern(name: str, field: str, value: str) -> None:
    assert broken(name, AUTOMATED | {field: value}) == ["B-PATTERN"]


@pytest.mark.parametrize("name", DEDICATED)
@pytest.mark.parametrize("value", BAD_NAMES, ids=ascii)
def test_a_malformed_target_cluster_is_b_pattern(name: str, value: str) -> None:
    assert broken(name, AUTOMATED | {"targetClusterName": value}) == ["B-PATTERN"]


@pytest.mark.parametrize("value", BAD_ITEMS, ids=ascii)
def test_a_malformed_item_is_b_pattern(value: str) -> None:
    assert broken("flex-create", FLEX | {"targetDeploymentItemName": value}) == ["B-PATTERN"]


@pytest.mark.parametrize("value", GOOD_ITEMS, ids=ascii)
def test_items_of_every_script_and_64_code_points_conform(value: str) -> None:
    reading = Readings(OPEN).of(request("flex-create", FLEX | {"targetDeploymentItemName": value}))
    assert reading is not None
    assert reading.must_succeed


@pytest.mark.parametrize("name", DEDICATED)
@pytest.mark.parametrize(
    ("base", "field", "value"),
    [
        (OPLOG, "oplogInc", 0),
        (OPLOG, "oplogInc", -1),
        (OPLOG, "oplogInc", 2**31),
        (OPLOG, "oplogTs", 1_199_145_599),
        (OPLOG, "oplogTs", 2**31),
        (POINT, "pointInTimeUTCSeconds", 1_199_145_599),
        (POINT, "pointInTimeUTCSeconds", 2**31),
        (POINT, "pointInTimeUTCSeconds", 2**64),
        (POINT, "pointInTimeUTCSeconds", 0),
        (POINT, "pointInTimeUTCSeconds", -(2**31)),
        (POINT, "pointInTimeUTCSeconds", 10**30),
        (OPLOG, "oplogInc", 0.0),
    ],
)
def test_an_integer_beyond_its_range_is_b_range(name: str, base: dict[str, Any], field: str, value: float) -> None:
    assert broken(name, base | {field: value}) == ["B-RANGE"]


@pytest.mark.parametrize("number", [b"9" * 5_000, b"-" + b"9" * 5_000, b"1e400"])
def test_numbers_beyond_every_machine_are_b_range(number: bytes) -> None:
    sent = request("cluster-create", POINT)
    assert sent.body is not None
    body = sent.body.replace(str(MOMENT.utc_seconds).encode(), number)
    reading = Readings(KNOWN).of(replace(sent, body=body))
    assert reading is not None
    assert {v.requirement for v in reading.violations} == {"B-RANGE"}


@pytest.mark.parametrize(
    ("base", "field", "value"),
    [
        (OPLOG, "oplogInc", 1),
        (OPLOG, "oplogInc", 2**31 - 1),
        (OPLOG, "oplogTs", 1_199_145_600),
        (OPLOG, "oplogTs", 2**31 - 1),
        (POINT, "pointInTimeUTCSeconds", 1_199_145_600),
        (POINT, "pointInTimeUTCSeconds", 2**31 - 1),
    ],
)
def test_the_inner_side_of_each_range_breaks_nothing_and_may_lie_outside_the_window(
    base: dict[str, Any], field: str, value: int
) -> None:
    assert is_free(seen("cluster-create", base | {field: value}))


@pytest.mark.parametrize(
    "value", ["Automated", "AUTOMATED", "automated ", "automated\n", "", "RESTORE", "pointintime", "auto"]
)
def test_another_delivery_type_is_t_enum(value: str) -> None:
    assert broken("cluster-create", AUTOMATED | {"deliveryType": value}) == ["T-ENUM"]


def test_no_delivery_type_is_t_enum() -> None:
    rest = {k: v for k, v in AUTOMATED.items() if k != "deliveryType"}
    assert broken("cluster-create", rest) == ["T-ENUM"]
    assert broken("cluster-create", rest | {"deliveryType": None}) == ["T-ENUM"]


@pytest.mark.parametrize(
    ("base", "field", "requirement"),
    [
        (AUTOMATED, "targetClusterName", "T-TARGET"),
        (AUTOMATED, "targetGroupId", "T-TARGET"),
        (AUTOMATED, "snapshotId", "T-SNAPSHOT"),
        (DOWNLOAD, "snapshotId", "T-SNAPSHOT"),
        (POINT, "targetClusterName", "T-TARGET"),
        (POINT, "targetGroupId", "T-TARGET"),
        (POINT, "pointInTimeUTCSeconds", "T-POINT"),
        (OPLOG, "oplogTs", "T-POINT"),
        (OPLOG, "oplogInc", "T-POINT"),
    ],
)
@pytest.mark.parametrize("name", DEDICATED)
def test_what_a_delivery_type_needs(name: str, base: dict[str, Any], field: str, requirement: str) -> None:
    rest = {k: v for k, v in base.items() if k != field}
    assert broken(name, rest) == [requirement]
    assert broken(name, rest | {field: None}) == [requirement]


@pytest.mark.parametrize(
    "body",
    [
        POINT | OPLOG,
        POINT | {"snapshotId": SNAPSHOT},
        POINT | {"oplogTs": 1_764_547_200},
        POINT | {"oplogInc": 1},
        POINT | {"pointInTimeUTCSeconds": 2**31 - 1},
        AUTOMATED | {"oplogTs": 1_764_547_200},
        AUTOMATED | POINT | {"deliveryType": "automated"},
        DOWNLOAD | {"pointInTimeUTCSeconds": 1_764_547_200},
        DOWNLOAD | TARGET,
        DOWNLOAD | {"targetClusterName": "Target0"},
        AUTOMATED | {"oplogInc": None},
        DOWNLOAD | {"targetGroupId": None},
        AUTOMATED | {"unheardOf": {"a": [1]}},
        POINT | {"pointInTimeUTCSeconds": float(MOMENT.utc_seconds or 0)},
        AUTOMATED | {"targetClusterName": "Nobody"},
    ],
    ids=json.dumps,
)
def test_dedicated_freedoms_are_free(body: dict[str, Any]) -> None:
    assert is_free(seen("cluster-create", body))


@pytest.mark.parametrize(
    "body", [FLEX | {"targetProjectId": None}, FLEX | {"x": 1}, FLEX | {"targetDeploymentItemName": "x"}]
)
def test_shared_freedoms_are_free(body: dict[str, Any]) -> None:
    assert is_free(seen("flex-create", body))


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + json.dumps(FLEX).encode(),
        json.dumps(FLEX).encode("utf-16"),
        json.dumps(FLEX).encode("utf-32-le"),
        json.dumps(FLEX).encode()[:-1] + b',"snapshotId":"x"}',
        json.dumps(FLEX).encode()[:-1] + b',"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    ],
    ids=["byte order mark", "UTF-16", "UTF-32", "a name twice", "deep nesting"],
)
def test_what_parsers_may_rightly_differ_on_is_free(body: bytes) -> None:
    reading = Readings(KNOWN).of(replace(request("flex-create"), body=body))
    assert reading is not None
    assert is_free(reading)


def test_a_lone_surrogate_is_read_like_any_other_text() -> None:
    for name, document in (
        ("cluster-create", AUTOMATED | {"targetClusterName": "\ud800"}),
        ("flex-create", FLEX | {"targetDeploymentItemName": "a\udc00"}),
    ):
        reading = Readings(KNOWN).of(replace(request(name), body=json.dumps(document).encode("ascii")))
        assert reading is not None
        assert {v.requirement for v in reading.violations} == {"B-PATTERN"}


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(DEDICATED),
    delivery=st.sampled_from(sorted(DELIVERIES)),
    extra=st.sets(st.sampled_from([f for f in FIELDS if f != "deliveryType"])),
    nulls=st.sets(st.sampled_from([f for f in FIELDS if f != "deliveryType"])),
)
def test_reading_agrees_with_the_decision_table(name: str, delivery: str, extra: set[str], nulls: set[str]) -> None:
    """Whatever fields are present, with good values, is refused, free or conforming as the table has it."""
    row = DELIVERIES[delivery]
    present = {"deliveryType", *(extra - nulls)}
    document = {field: GOOD[field] for field in present} | {"deliveryType": delivery} | dict.fromkeys(nulls)
    reading = seen(name, document)
    assert sorted({v.requirement for v in reading.violations}) == list(row.violations(present))
    standing = row.standing(present)
    assert reading.must_be_refused == (standing == "refused")
    assert reading.must_succeed == (standing == "conforming" and not nulls)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40) | st.text(alphabet='{}[]",:ab01.e+-\\ \n', max_size=30).map(str.encode))
def test_any_bytes_are_read_without_an_error(body: bytes) -> None:
    for name in ("flex-create", "cluster-create"):
        assert Readings(KNOWN).of(replace(request(name), body=body)) is not None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(field=st.sampled_from(sorted(FLEX)), value=json_values)
def test_one_property_of_any_value_never_breaks_a_rule_that_is_not_its_own(field: str, value: Any) -> None:
    document = FLEX | {field: value}
    assert set(broken("flex-create", document)) <= {"B-TYPE", "B-PATTERN", "B-REQUIRED", "N-SNAPSHOT"}
    if value is None:
        assert broken("flex-create", document) == ([] if field == "targetProjectId" else ["B-REQUIRED"])
    elif not isinstance(value, str):
        assert broken("flex-create", document) == ["B-TYPE"]


def test_a_bad_target_does_not_hide_behind_its_project() -> None:
    assert broken("flex-create", FLEX | {"targetProjectId": PROJECT.upper()}) == ["B-PATTERN"]
