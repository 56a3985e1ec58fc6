"""JSON read in pieces is the JSON read at once."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_conformance.recordings.streaming import CutOff, JsonStream, NotJsonText

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
