"""Bodies as a journal stores them: whatever they are, they come back."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_conformance.reports.record_forms import RecordError
from atlas_conformance.reports.stored import decoded_body, encoded_body


@settings(max_examples=200, deadline=None)
@given(st.none() | st.binary(max_size=64) | st.text(max_size=64).map(lambda t: t.encode("utf-8", "surrogatepass")))
def test_any_body_comes_back_as_it_was(body: bytes | None) -> None:
    assert decoded_body(orjson.loads(orjson.dumps(encoded_body(body)))) == body


def test_a_long_body_is_stored_deflated_and_comes_back() -> None:
    body = b'{"a":' * 200_000
    stored = encoded_body(body)
    assert set(stored) == {"body_deflate"} and len(stored["body_deflate"] or "") < 10_000
    assert decoded_body(stored) == body


@pytest.mark.parametrize("stored", [{"body_deflate": "AAAA"}, {"body_base64": "é"}, {"body_deflate": "eJw="}])
def test_a_damaged_body_is_refused(stored: dict[str, str]) -> None:
    with pytest.raises((RecordError, ValueError)):
        decoded_body(stored)
