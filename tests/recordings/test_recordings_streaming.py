"""JSON read in pieces is the JSON read at once."""

from __future__ import annotations

import io
import json
from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_conformance.recordings.streaming import CutOff, JsonStream, NotJsonText, Unreadable

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


def stream(data: bytes, piece: int = 7) -> JsonStream:
    return JsonStream(io.BytesIO(data), piece)


@given(st.lists(DOCUMENTS), st.integers(1, 40), st.sampled_from([None, 1]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_items_come_out_as_they_are(items: list[Any], piece: int, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(items, indent=indent, ensure_ascii=ascii_only)
    assert list(stream(text.encode("utf-8", "surrogatepass"), piece).items()) == items


@given(st.lists(DOCUMENTS, min_size=1, max_size=4), st.integers(1, 40), st.data())
@settings(max_examples=150, deadline=None)
def test_a_text_that_is_cut_off_is_read_up_to_the_cut(items: list[Any], piece: int, data: st.DataObject) -> None:
    text = json.dumps(items).encode()
    cut = text[: data.draw(st.integers(1, len(text) - 1))]
    read: list[Any] = []

    def read_all() -> None:
        for item in stream(cut, piece).items():
            read.append(item)

    with pytest.raises(CutOff):
        read_all()
    assert read == items[: len(read)]


def test_members_are_named_in_order() -> None:
    reader = stream(b'\xef\xbb\xbf {"a": {"x": [1, 2]}, "b": [3], "c": "\xc3\xa9"}')
    assert [(name, reader.value()) for name in reader.members()] == [("a", {"x": [1, 2]}), ("b", [3]), ("c", "é")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"[1 2" + b" " * 40 + b"]", "',' is wanted at character 4, and '2' stands there"),
        (b"[tru, 1" + b" " * 40 + b"]", "expecting value at character 2"),
        (b'["\xff' + b" " * 40 + b'"]', "not UTF-8"),
    ],
)
def test_what_is_no_json_is_named_with_its_place(text: bytes, message: str) -> None:
    with pytest.raises(NotJsonText, match=message):
        list(stream(text, 1_000).items())


def test_a_value_that_is_nested_too_deeply_costs_only_itself() -> None:
    text = b'[1,{"a":' + b'[{"b]":' * 20_000 + b"1" + b"}]" * 20_000 + b'},"x"]'
    assert list(stream(text, 1_000).items()) == [1, Unreadable("is nested too deeply"), "x"]


def test_a_value_that_is_too_large_costs_only_itself() -> None:
    large = b'{"a\\\\":"' + b'x\\"[' * 1_000_000 + b'"}'
    reader = JsonStream(io.BytesIO(b"[1," + large + b",2]"), 1_000, largest=2**20)
    assert list(reader.items()) == [1, Unreadable("is larger than 1 MB"), 2]


def test_a_value_of_too_many_parts_costs_only_itself() -> None:
    many = b'{"a":[' + b"[]," * 1_700_000 + b"1]}"
    assert list(stream(b"[1," + many + b",2]", 1 << 18).items()) == [1, Unreadable("has too many parts to be read"), 2]


def test_an_integer_of_thousands_of_digits_is_an_infinity() -> None:
    assert list(stream(b'[1,{"a":' + b"9" * 50_000 + b"},2]", 1_000).items()) == [1, {"a": inf}, 2]


def test_many_small_values_after_a_large_one_are_all_read() -> None:
    text = b'["' + b"x" * 9_000_000 + b'"' + b",[[]]" * 1_200_000 + b"]"
    assert sum(1 for _ in stream(text, 1 << 18).items()) == 1_200_001


@given(DOCUMENTS, st.integers(1, 40), st.booleans())
@settings(max_examples=150, deadline=None)
def test_what_is_skipped_is_skipped_to_its_end(document: Any, piece: int, ascii_only: bool) -> None:
    text = json.dumps([document, "after"], ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    reader = stream(text, piece)
    reader.take("[")
    reader.skip()
    reader.take(",")
    assert reader.value() == "after"
