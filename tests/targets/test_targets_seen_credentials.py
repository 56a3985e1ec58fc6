"""Credentials that traffic has shown are found in any text, however they are written; their number is bounded."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_conformance.http.redaction.seen_credentials import SeenCredentials, masked
from atlas_conformance.http.redaction.shown import handed_over
from atlas_conformance.http.redaction.unescaping import Unescaped

LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\\%&")
VALUES = st.text(LETTERS, min_size=6, max_size=60).filter(lambda value: len(set(value)) > 3)
AROUND = st.binary(max_size=40).map(lambda raw: base64.b32encode(raw).lower())
WRITTEN: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": lambda value: json.dumps(value)[1:-1],
    "JSON in JSON": lambda value: json.dumps(json.dumps(value))[3:-3],
    "slashes": lambda value: value.replace("/", "\\/"),
    "units": lambda value: "".join(f"\\u{unit:04X}" for letter in value for unit in units(letter)),
    "URL": lambda value: quote(value, safe=""),
    "URL twice": lambda value: quote(quote(value, safe=""), safe=""),
    "every octet": lambda value: "".join(f"%{octet:02x}" for octet in value.encode()),
    "decimal": lambda value: "".join(f"&#{ord(letter)};" for letter in value),
    "hexadecimal": lambda value: "".join(f"&#x{ord(letter):X};" for letter in value),
    "HTML": html.escape,
    "hex": lambda value: value.encode().hex(),
}


def units(letter: str) -> list[int]:
    raw = letter.encode("utf-16-be")
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]


@pytest.mark.parametrize("sign", ["\xa0X", "\xe0x", "\u0100x41", "\u20f0X9", "\xe90xab", "\xe90Xyz"])
@pytest.mark.parametrize("way", list(WRITTEN))
def test_an_escape_that_ends_in_a_nought_is_not_torn_by_the_x_behind_it(sign: str, way: str) -> None:
    value = f"k4nary{sign}q7Lm"
    seen = SeenCredentials()
    seen.add([(value, "secret")])
    text = b" " + WRITTEN[way](value).encode() + b" "
    assert value in seen.found_in(text)
    assert masked(text, [value], b"[masked]") == b" [masked] "


@given(VALUES, st.sampled_from(list(WRITTEN)), AROUND, AROUND)
@settings(max_examples=250, deadline=None)
def test_a_value_is_found_and_masked_however_it_is_written(value: str, way: str, before: bytes, behind: bytes) -> None:
    seen = SeenCredentials()
    seen.add([(value, "secret"), ("another-c4n4ry-5Jq2", "secret")])
    text = before + b" " + WRITTEN[way](value).encode() + b" " + behind
    assert value in seen.found_in(text)
    assert masked(text, [value], b"[masked]") == before + b" [masked] " + behind


@given(st.text(LETTERS, min_size=12, max_size=60).filter(lambda value: len(set(value)) > 3), AROUND, AROUND)
@settings(max_examples=200, deadline=None)
def test_a_value_within_base64_is_found(value: str, before: bytes, behind: bytes) -> None:
    seen = SeenCredentials()
    seen.add([(value, "secret")])
    for code in (base64.b64encode, base64.urlsafe_b64encode):
        text = b'{"a": "' + code(before + value.encode() + behind) + b'"}'
        assert value in seen.found_in(text)
        left = masked(text, [value], b"[masked]")
        assert left.startswith(b'{"a": "') and left.endswith(b'"}')
        assert b"[masked]" in left


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_a_text_that_holds_none_stays_the_same(text: bytes) -> None:
    assert masked(text, ["c4n4ry-cookie-5Jq2"], b"[masked]") is text


@given(
    st.lists(st.sampled_from([b"a", b"\\u0062", b"%25%32", b"&#99;", b"\\/", b"\\", b"%", b"&#x110000;", b"\\ud83d"]))
)
def test_places_of_an_unescaped_text_are_those_of_whole_escapes(parts: list[bytes]) -> None:
    raw = b"".join(parts)
    unescaped = Unescaped(raw)
    size = len(unescaped.text)
    ends = [end for _, end in unescaped.places((at, at + 1) for at in range(size))]
    assert ends == sorted(ends)
    assert list(unescaped.places([(0, size)])) == [(0, len(raw))] or not raw
    assert Unescaped(raw[: len(raw)]).text == unescaped.text


def test_only_the_latest_of_very_many_are_known() -> None:
    seen = SeenCredentials()
    seen.add((f"c4n4ry-token-number-{n:06d}", "secret") for n in range(5_000))
    seen.add((f"c4n4ry-nonce-number-{n:06d}", "passing") for n in range(5_000))
    seen.add((f"key{n:06d}", "name") for n in range(5_000))
    assert len(seen) < 1_500
    assert seen.forgotten
    latest = ["c4n4ry-token-number-004999", "c4n4ry-nonce-number-004999", "key004999"]
    assert seen.found_in(" ".join(latest).encode()).keys() >= set(latest)
    assert "c4n4ry-token-number-000001" not in seen.found_in(b"c4n4ry-token-number-000001")


def test_what_is_no_secret_is_not_taken_for_one() -> None:
    seen = SeenCredentials("status\nfinishedAt")
    seen.add([(value, "cookie") for value in ("true", "12345", "******", "finish", "xxyyxxyyzz", "status")])
    assert len(seen) == 0
    seen.add([("c4n4ry", "cookie")])
    seen.spare("c4n4ry")
    seen.add([("c4n4ry", "cookie")])
    assert seen.found_in(b"c4n4ry") == {}


def test_a_very_long_value_is_masked_and_found_in_a_very_long_text() -> None:
    value = base64.b64encode(bytes(range(256)) * 200).decode()
    seen = SeenCredentials()
    seen.add([(value, "secret")])
    text = b'{"a": "' + b"x" * 3_000_000 + b'", "b": "' + value.encode() + b'"}'
    left = masked(text, seen.found_in(text), b"[masked]")
    assert len(left) < 3_001_000
    assert value[:60].encode() not in left
    assert value[-60:].encode() not in left


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (b'{"access_token":"a\\u0062c", "expires_in": 3600}', ["abc"]),
        (b'{"accessToken" : "x", "idToken":"y", "clientSecret": 7}', ["x", "y"]),
        (b"grant_type=password&password=a+b%21&client_secret=z", ["a b!", "z"]),
        (b"/api/atlas/v2/groups?envelope=true&access_token=t#x", ["t"]),
        (b'{"token_type": "Bearer"}', []),
    ],
)
def test_what_bodies_and_queries_hand_over(text: bytes, values: list[str]) -> None:
    assert [value for value, _ in handed_over(text)] == values


def test_a_repr_shows_nothing() -> None:
    seen = SeenCredentials()
    seen.add([("c4n4ry-cookie-5Jq2", "cookie")])
    assert "c4n4ry" not in f"{seen!r} {seen}"
