"""Redaction: nothing secret stays, and what the judge looks at does."""

from __future__ import annotations

import base64
import json

import pytest

from atlas_conformance.contracts.exchange import Exchange, Request, Response
from atlas_conformance.http.redaction.redaction import mask_text, redact
from atlas_conformance.http.secret import Secret
from tests.safety.leaky import spellings


def exchange(body: bytes, *headers: tuple[str, str], request: Request | None = None) -> Exchange:
    return Exchange(request or Request("GET", "/api/x"), Response(200, headers, body), 1.0, 2.0)


@pytest.mark.parametrize(
    ("body", "masked"),
    [
        (
            b'{"snapshotUrl":"https://h.example/c4n4ry?k=c4n4ry%2f"}',
            b'{"snapshotUrl":"https://masked.masked/masked?masked=masked%78"}',
        ),
        (b'{"snapshotUrl":"http://u:c4n4ry@h:8080/c4n4ry"}', b'{"snapshotUrl":"http://masked@masked:8080/masked"}'),
        (
            b'{ "deliveryUrl" : [ "https://h/c4n4ry" ,\n "/c4n4ry" ], "a": 1}',
            b'{ "deliveryUrl" : [ "https://masked/masked" ,\n "/masked" ], "a": 1}',
        ),
        (
            b'{"components":[{"downloadUrl":"https://h/c4n4ry","n":"kept"},{"downloadUrl":null}]}',
            b'{"components":[{"downloadUrl":"https://masked/masked","n":"kept"},{"downloadUrl":null}]}',
        ),
        (b'{"d\\u0065liveryUrl":"https://h/c4n4ry"}', b'{"deliveryUrl":"https://masked/masked"}'),
        (
            b'{"deliveryUrl":"ftp://h/c4n4ry a\\"b\\u0020"}',
            b'{"deliveryUrl":"ftp://masked/masked masked\\"masked\\u0020"}',
        ),
        (
            b'{"deliveryUrl":{"x":"https://h/c4n4ry"},"b":"kept"}',
            b'{"deliveryUrl":{"x":"https://masked/masked"},"b":"kept"}',
        ),
        (b'{"deliveryUrl":"https://h/c4n4ry', b'{"deliveryUrl":"https://masked/masked'),
        (b'{"access_token":"c4n4ry","expires_in":3600}', b'{"access_token":"masked","expires_in":3600}'),
    ],
)
def test_urls_and_tokens_in_bodies(body: bytes, masked: bytes) -> None:
    once = redact(exchange(body))
    assert once.response.body == masked
    assert redact(once) is once


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"deliveryUrl":[]}',
        b'{"deliveryUrl":null,"snapshotUrl":5}',
        b'{"links":[{"href":"https://h/x"}]}',
        b"\xff\\u",
    ],
)
def test_nothing_to_mask_is_the_same_object(body: bytes) -> None:
    plain = exchange(body, ("Content-Type", "application/json"))
    assert redact(plain) is plain


def test_headers() -> None:
    request = Request("GET", "/api/x", (("Authorization", "Bearer c4n4ry"), ("Cookie", "a=c4n4ry"), ("Accept", "a/b")))
    masked = redact(
        exchange(
            b"{}",
            (
                "WWW-Authenticate",
                'Digest realm="MMS Public API", nonce="c4n4ry", opaque=c4n4ry, qop="auth", stale=false',
            ),
            ("Authentication-Info", 'nextnonce="c4n4ry", rspauth="c4n4ry", nc=00000001'),
            ("Set-Cookie", "session=c4n4ry; Path=/"),
            ("Location", "https://h/login?token=c4n4ry"),
            request=request,
        )
    )
    assert "c4n4ry" not in repr(masked)
    challenge = masked.response.header("www-authenticate") or ""
    assert challenge.startswith('Digest realm="MMS Public API", nonce=')
    assert 'qop="auth", stale=false' in challenge
    assert masked.request.header("accept") == "a/b"


def test_secrets_that_an_endpoint_repeats_are_masked_everywhere() -> None:
    secret = Secret('c4n4ry"/é')
    body = json.dumps({"detail": f"bad key {secret.reveal()}"}).encode()
    request = Request("POST", "/api/x?k=c4n4ry%22%2F%C3%A9", (("X-A", secret.reveal()),), secret.reveal().encode())
    masked = redact(exchange(body, ("X-Echo", secret.reveal()), request=request), [secret])
    assert "c4n4ry" not in repr(masked)
    assert json.loads(masked.response.body) == {"detail": "bad key [masked]"}


def test_free_text() -> None:
    text = 'boom c4n4ry-key Basic YWJjOmM0bjRyeQ== Digest username="c4n4ry", response="c4n4ry" Bearer c4n4ry.x'
    masked = mask_text(text, [Secret("c4n4ry-key")])
    assert "c4n4ry" not in masked
    assert "YWJj" not in masked
    assert masked.startswith("boom [masked]")
    assert mask_text("plain words, realm kept", [Secret("abc")]) == "plain words, realm kept"


@pytest.mark.parametrize("spelt", spellings("c4n4ry-key/+1"))
def test_a_secret_is_found_however_it_is_written(spelt: str) -> None:
    secret = Secret("c4n4ry-key/+1")
    masked = redact(exchange(f'{{"detail": "a {spelt} b"}}'.encode(), ("X-Echo", f"a {spelt}")), [secret])
    assert spelt not in repr(masked)
    assert "[masked]" in masked.response.body.decode()
    assert "[masked]" in (masked.response.header("x-echo") or "")


def test_what_an_answer_hands_out_is_masked_all_over_it() -> None:
    headers = (
        ("Set-Cookie", "s=c4n4ry-cookie; Path=/"),
        ("WWW-Authenticate", 'Digest realm="r", nonce="c4n4ry-nonce"'),
    )
    said = Exchange(Request("GET", "/api/x"), Response(401, headers, b'{"detail": "c4n4ry-cookie c4n4ry-nonce"}'), 0, 1)
    assert "c4n4ry" not in repr(redact(said))


def test_what_a_recorded_request_shows_is_masked_in_its_answer() -> None:
    pair = base64.b64encode(b"c4n4ry-id:c4n4ry-secret").decode()
    for given, repeated in (
        ("Bearer c4n4ry-token", "c4n4ry-token"),
        (f"Basic {pair}", f"c4n4ry-id c4n4ry-secret {pair}"),
        ('Digest username="c4n4ry-user", response="c4n4ry-response"', "c4n4ry-user c4n4ry-response"),
    ):
        request = Request("GET", "/api/x", (("Authorization", given),))
        body = json.dumps({"detail": repeated}).encode()
        masked = redact(exchange(body, ("X-Echo", repeated), request=request))
        assert "c4n4ry" not in repr(masked)
        assert pair not in repr(masked)
