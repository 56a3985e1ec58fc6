"""Of several challenges the digest one is answered that can be, however they are listed."""

from __future__ import annotations

import pytest

from atlas_conformance.http.authentication import _digest_of

MD5 = 'Digest realm="r", nonce="n", algorithm=MD5, qop="auth"'
SHA = 'Digest realm="r", nonce="m", algorithm="SHA-256"'
UNKNOWN = 'Digest realm="r", nonce="o", algorithm=SHA-512-256'


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([MD5], MD5),
        ([SHA, MD5], SHA),
        ([f"{SHA}, {MD5}"], SHA),
        ([UNKNOWN, MD5], MD5),
        ([f"{UNKNOWN}, {MD5}"], MD5),
        ([UNKNOWN], UNKNOWN),
        (['Basic realm="x"', MD5], MD5),
        ([f'Basic realm="x", {MD5}'], MD5),
        ([f"Negotiate, {MD5}"], MD5),
        ([f'Bearer realm="zz, Digest nonce", error="invalid_token", {MD5}'], MD5),
        (['Bearer realm="zz, Digest nonce=1"'], ""),
        (['digest realm="a \\", Basic b", nonce="n"'], 'digest realm="a \\", Basic b", nonce="n"'),
        (["Bearer"], ""),
        ([""], ""),
        ([], ""),
    ],
)
def test_the_challenge_that_is_answered(headers: list[str], expected: str) -> None:
    assert _digest_of(headers) == expected
