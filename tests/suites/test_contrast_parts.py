"""The pure parts of the search for a contrast: delta debugging, taking requests apart, features of values."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.runner.features import FEATURES_OF_BODIES, FEATURES_OF_MEDIA, Value, feature_of
from atlas_conformance.runner.minimising import shortest_failing, smallest_failing
from atlas_conformance.runner.request_parts import (
    BODY,
    ORDER,
    SPACE,
    Place,
    differences,
    members_of,
    mixed,
    parts_of,
    request_of,
)
from atlas_conformance.strategies.requests import build, with_header, with_query

OPERATIONS = Contract.load().operations

FLEX, CLUSTER = OPERATIONS["flex-create"], OPERATIONS["cluster-create-v1"]
PLACE = {"groupId": "a" * 24, "name": "Flex0"}


@given(st.sets(st.integers(0, 11), min_size=1, max_size=4), st.integers(12, 20))
def test_the_smallest_failing_set_is_the_cause(cause: set[int], size: int) -> None:
    asked: list[tuple[int, ...]] = []

    def fails(some: Sequence[int]) -> bool:
        asked.append(tuple(some))
        return cause <= set(some)

    assert set(smallest_failing(range(size), fails)) == cause
    assert all(0 < len(some) < size for some in asked)
    assert len(asked) <= 2 * size * len(cause)


def test_of_several_causes_one_is_left_and_an_unknown_outcome_does_not_fail() -> None:
    assert smallest_failing("abcdef", lambda some: "b" in some or "e" in some) == ("b",)
    assert smallest_failing("abcdef", lambda some: False) == tuple("abcdef")
    assert smallest_failing("a", lambda some: True) == ("a",)


def test_a_text_becomes_as_short_as_still_fails() -> None:
    assert shortest_failing("x" * 1000, lambda text: len(text) > 32) == "x" * 33
    assert shortest_failing("x" * 1000, lambda text: False) == "x" * 1000


BODIES = (
    b'{"snapshotId":"1","targetDeploymentItemName":"z"}',
    b'{"targetDeploymentItemName":"z","snapshotId":"1"}',
    b' {"snapshotId" : "1", "targetDeploymentItemName" : "\\u007a"} ',
    b'{"snapshotId":1.0,"targetProjectId":null}',
    b"{}",
    b"[1]",
    b"",
    b'{"a":1, "b":2,"c":3}',
    b'{"a":1,"a":2}',
    b'{"a":1',
    b"\xff",
)


@pytest.mark.parametrize("first", BODIES)
@pytest.mark.parametrize("second", BODIES)
def test_a_request_with_all_differences_is_the_other_request(first: bytes, second: bytes) -> None:
    base = with_body(first)
    other = with_query(with_header(with_body(second), "Accept", None), "pretty=true&envelope=1&pretty=2")
    parts, others = parts_of(base, FLEX), parts_of(other, FLEX)
    assert parts is not None and others is not None
    assert request_of(parts, FLEX) == base
    whole = mixed(parts, others, differences(parts, others))
    assert differences(whole, others) == ()
    assert request_of(whole, FLEX).body == other.body and request_of(whole, FLEX).headers == other.headers
    assert request_of(mixed(parts, others, ()), FLEX) == base


def with_body(body: bytes):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(build(FLEX, PLACE, {}), body=body)


def test_differences_name_what_differs_and_nothing_else() -> None:
    first, second, third, number = (parts_of(with_body(body), FLEX) for body in BODIES[:4])
    assert first is not None and second is not None and third is not None and number is not None
    assert differences(first, second) == (ORDER,)
    assert set(differences(first, third)) == {Place("property", "targetDeploymentItemName"), SPACE}
    assert differences(first, parts_of(with_body(b"[1]"), FLEX) or {}) == (BODY,)
    names = {place.name for place in differences(first, number)}
    assert names == {"snapshotId", "targetDeploymentItemName", "targetProjectId"}


def test_a_property_is_put_where_the_other_request_has_it() -> None:
    base, other = (parts_of(with_body(b'{"a":1,"c":3}'), FLEX), parts_of(with_body(b'{"a":1,"b":2,"c":3}'), FLEX))
    assert base is not None and other is not None
    (place,) = differences(base, other)
    assert request_of(mixed(base, other, [place]), FLEX).body == b'{"a":1,"b":2,"c":3}'


def test_the_trailing_slash_is_a_part_and_another_path_has_none() -> None:
    request = build(CLUSTER, {"groupId": "a" * 24, "clusterName": "C"}, {})
    parts = parts_of(request, CLUSTER)
    assert parts is not None and request_of(parts, CLUSTER) == request
    bare = parts_of(with_target(request, request.target.removesuffix("/")), CLUSTER)
    assert bare is not None and differences(parts, bare) == (Place("slash"),)
    assert not request_of(bare, CLUSTER).target.endswith("/")
    assert parts_of(with_target(request, "/api/atlas/v2/groups"), CLUSTER) is None


def with_target(request, target):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(request, target=target)


def test_a_body_that_is_written_unevenly_is_not_taken_apart() -> None:
    assert members_of(b'{"a":1, "b":2,"c":3}') is None
    found = members_of(b'{ "a" : [1,  2] , "b" : "x" }')
    assert found is not None and found.texts["a"] == ('"a"', "[1,  2]")


def values(*texts: object) -> list[Value]:
    return [Value(json.dumps(text, ensure_ascii=False), json=True) for text in texts]


@pytest.mark.parametrize(
    ("bad", "good", "words"),
    [
        ("Größe", ["Cluster0", "½", "a_b"], "letters beyond ASCII"),
        ("٣", ["ß", "½"], "digits beyond ASCII"),
        ("½", ["ß", "٣"], "numbers that are no digits"),
        ("𐐀", ["ß", "½"], "characters outside the basic plane"),
        ("it's", ["a-b", "c++", "abcdef"], "the sign '"),
        ("a b", ["a-b", "ab"], "a blank"),
        ("ab\n", ["ab", "abc"], "a line break at the end"),
        ("", ["ab", "abc"], "an empty text"),
        ("x" * 64, ["ab", "x" * 32], "64 characters, more than 32"),
        ("007", ["Target0", "x77", "17"], "zeros at the front"),
        ("4D5A1C2E9B8F7A6053E1D2C4", ["4d5a1c2e9b8f7a6053e1d2c4", "4d5a1c2e9b8f7a6053e1d2cg"], "upper-case letters"),
        ("Automated", ["automated", "download"], "letters in another case"),
        (365, [1, 30], "365, more than 30"),
        (0, [1, -1], "zero"),
        (None, ["a"], "null in place of a text"),
        ("42", [42], "a number in quotes in place of a number"),
        (1.5, [1], "a number with a fraction"),
        ([], ["a"], "an array in place of a text"),
        ("a" * 24, ["b" * 24], None),
    ],
)
def test_a_feature_tells_a_value_from_all_others(bad: object, good: list[object], words: str | None) -> None:
    (value,) = values(bad)
    near, *others = values(*good)
    assert feature_of(value, near, [value], others) == words


def test_the_spelling_of_a_value_is_a_feature() -> None:
    assert feature_of(Value('"\\u0061b"', json=True), Value('"ab"', json=True)) == "escaped characters"
    assert feature_of(Value("1.0", json=True), Value("1", json=True)) == "a number with a fraction of zero"
    assert feature_of(Value("1e0", json=True), Value("1", json=True)) == "a number with an exponent"


def test_the_feature_that_most_values_have_is_named() -> None:
    bad, near = values("ß", "½", "数"), values("z")[0]
    assert feature_of(bad[0], near, bad) == "characters beyond ASCII"
    assert feature_of(bad[0], near, bad[:1]) == "letters beyond ASCII"


def test_features_of_media_types_and_bodies() -> None:
    kept = Value("application/json")
    assert feature_of(Value("application/json; charset=utf-8"), kept, features=FEATURES_OF_MEDIA) == (
        "a charset parameter"
    )
    good = Value('{"a":1}')
    for text, words in (
        ("", "an empty body"),
        ('[{"a":1}]', "a body that is an array"),
        ('{"a":1} x', "something after the end of the object"),
        ('{"a":1', "a body that breaks off"),
        ('{"a":1,}', "a comma after the last property"),
        ("{'a':1}", "single quotes"),
        ('{"a":NaN}', "NaN or Infinity"),
        ('{"a":1,"a":2}', "a property given twice"),
        ('{"a":' + "[" * 100 + "]" * 100 + "}", "deep nesting"),
    ):
        assert feature_of(Value(text), good, features=FEATURES_OF_BODIES) == words, text
