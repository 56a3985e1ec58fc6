"""A credential in every form times every place: none is left in what is stored, nor in what is said.

The search below is made in its own way: it shares nothing with what masks.
"""

from __future__ import annotations

import base64
import html
import json
import re
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from atlas_conformance.contracts.exchange import Exchange, Request, Response
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.http.redaction.echoes import Forms
from atlas_conformance.http.redaction.handed import Handed
from atlas_conformance.http.redaction.redaction import LEFT_OUT, hushed, mask_text, redact, redact_response
from atlas_conformance.http.secret import Secret
from atlas_conformance.reports.journal import JournalWriter
from tests.reports.sample_journal import header

KEY = "c4n4ry-Key_9dK2/pQ+7xWz"
OTHERS = (
    "pubcanry", "4ba2d1c0-1f6e-4d3b-9a51-7c1d0e5f2a3b", "eyJhbGciOiJFUzUxMiJ9.eyJjNG4iOiI0cnkifQ.Zm9v-YmFy_cXV4",
    "f00dcafe0123456789abcdef", "sess10nC00k1e5Jq2",
)  # fmt: skip
"""A short name, a private key, a token, a nonce, a cookie."""


def _each(value: str, form: str) -> str:
    return "".join(form.format(ord(letter)) for letter in value)


def _hex(value: str, by: str, front: str = "") -> str:
    return by.join(f"{front}{byte:02x}" for byte in value.encode())


def _url(value: str) -> str:
    return _each(value, "%{:02X}")


FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "swapped case": str.swapcase,
    "url": lambda v: quote(v, safe=""),
    "url, every letter": _url,
    "url, lower case": lambda v: _url(v).lower(),
    "url twice": lambda v: quote(quote(v, safe=""), safe=""),
    "url twice, every letter": lambda v: quote(_url(v), safe=""),
    "url thrice": lambda v: quote(quote(_url(v), safe=""), safe=""),
    "url, some letters": lambda v: v[:3] + _url(v[3:6]) + v[6:],
    "json": lambda v: _each(v, "\\u{:04x}"),
    "json, upper case": lambda v: _each(v, "\\u{:04X}"),
    "json, some letters": lambda v: v[:2] + _each(v[2:4], "\\u{:04x}") + v[4:],
    "json twice": lambda v: _each(v, "\\\\u{:04x}"),
    "json of url": lambda v: _each(_url(v), "\\u{:04x}"),
    "url of json": lambda v: quote(_each(v, "\\u{:04x}"), safe=""),
    "slashes escaped": lambda v: v.replace("/", "\\/"),
    "entities": lambda v: _each(v, "&#{:d};"),
    "entities in hex": lambda v: _each(v, "&#x{:x};"),
    "html": html.escape,
    "code points": lambda v: " ".join(f"U+{ord(c):04X}" for c in v),
    "units of a url": lambda v: _each(v, "%u{:04x}"),
    "long escapes": lambda v: _each(v, "\\\\U{:08x}"),
    "octal escapes": lambda v: _each(v, "\\\\{:03o}"),
    "named entities": lambda v: re.sub("[^a-zA-Z0-9]", lambda m: {"-": "&hyphen;", "/": "&sol;"}.get(m[0], m[0]), v),
    "hex of upper case": lambda v: _hex(v.upper(), ""),
    "c escapes": lambda v: _each(v, "\\\\x{:02x}"),
    "hex": lambda v: _hex(v, ""),
    "hex, upper case": lambda v: _hex(v, "").upper(),
    "hex, mixed case": lambda v: "".join(c.upper() if i % 2 else c for i, c in enumerate(_hex(v, ""))),
    "hex with colons": lambda v: _hex(v, ":"),
    "hex with blanks": lambda v: _hex(v, " "),
    "hex with hyphens": lambda v: _hex(v, "-").upper(),
    "hex with 0x": lambda v: _hex(v, ", ", "0x"),
    "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "base64, inside": lambda v: base64.b64encode(f"x:{v}:y".encode()).decode(),
    "base64, of a pair": lambda v: base64.b64encode(f"user:{v}".encode()).decode(),
    "base64 for urls": lambda v: base64.urlsafe_b64encode(v.encode()).decode().rstrip("="),
    "base64 in a url": lambda v: quote(base64.b64encode(v.encode()).decode(), safe=""),
    "base64 in lines": lambda v: "\\n".join(textwrap.wrap(base64.b64encode(v.encode()).decode(), 8)),
    "base32": lambda v: base64.b32encode(v.encode()).decode(),
    "backwards": lambda v: v[::-1],
    "spaced": " ".join,
    "in a digest": lambda v: f'Digest username=\\"u\\", nonce=\\"{v}\\", response=\\"{v}\\"',
    "in a header": lambda v: f"Authorization: Bearer {v}",
    "in a cookie": lambda v: f"Cookie: a=b; session={v}; c=d",
}


def halves(form: str) -> tuple[str, str]:
    return form[: len(form) // 2], form[len(form) // 2 :]


PLACES: dict[str, Callable[[str], tuple[tuple[tuple[str, str], ...], str]]] = {
    "a header": lambda form: ((("X-Echo", f"a {form} b"),), "{}"),
    "a location": lambda form: ((("Location", f"https://h.example/{form}"),), "{}"),
    "a string": lambda form: ((), f'{{"detail": "bad key {form} here"}}'),
    "a key": lambda form: ((), f'{{"{form}": 1}}'),
    "deep inside": lambda form: ((), f'{{"results": [{{"a": [{{"b": "{form}"}}]}}], "links": []}}'),
    "an error": lambda form: ((), f'{{"error": 400, "errorCode": "X", "parameters": ["{form}", 1]}}'),
    "no JSON": lambda form: ((), f"<p>{form}</p>"),
    "broken JSON": lambda form: ((), f'{{"detail": "{form}'),
    "much else": lambda form: ((), json.dumps({"pad": "x y " * 30_000})[:-1] + f', "detail": "{form}"}}'),
}
SPLIT: dict[str, Callable[[str], tuple[tuple[tuple[str, str], ...], str]]] = {
    "two strings": lambda form: ((), '{{"a": "{}", "b": "{}"}}'.format(*halves(form))),
    "an array": lambda form: ((), json.dumps(textwrap.wrap(form, 4))),
    "letter by letter": lambda form: ((), json.dumps(list(form))),
    "strings under many keys": lambda form: (
        (), json.dumps({f"part{n}": part for n, part in enumerate(textwrap.wrap(form, 5))})),
    "far apart": lambda form: (
        (), json.dumps({"a": halves(form)[0], "pad": "lorem ipsum " * 50, "b": [1, {"c": halves(form)[1]}]})),
    "two headers": lambda form: (tuple(zip(("X-A", "X-B"), halves(form), strict=True)), "{}"),
    "header and body": lambda form: ((("X-A", halves(form)[0]),), json.dumps({"b": halves(form)[1]})),
    "bytes as numbers": lambda form: ((), json.dumps({"bytes": list(form.encode())})),
}  # fmt: skip


def stored(folder: Path, headers: tuple[tuple[str, str], ...], body: str, secrets: list[Secret]) -> bytes:
    """What a journal keeps of an answer, judged with a finding that quotes it."""
    raw = Exchange(Request("GET", "/api/x"), Response(400, headers, body.encode()), 1.0, 2.0)
    with JournalWriter(folder / "j.jsonl", header()) as journal:
        judged = redact_response(raw, secrets)
        number = journal.exchange(redact(judged, secrets), operation="flex-get", test="t")
        text = judged.response.body.decode("utf-8", "replace")[:300]
        journal.finding(number, *hushed(judged, [Finding("C-STATUS", "flex-get", "x", f"seen {text}", "/response")]))
    return (folder / "j.jsonl").read_bytes()


def _bare(text: bytes) -> bytes:
    return re.sub(rb"[^a-z0-9]", b"", text.lower())


def shows(text: bytes, value: str) -> bool:
    """Whether a value is in a text in any way that a reader could undo."""
    document = text.decode("utf-8", "replace")
    stages = [document]
    for _ in range(5):
        undone = re.sub(r"\\+[nrt]", " ", html.unescape(stages[-1]))
        undone = re.sub(r"\\+([0-3][0-7]{2})", lambda m: chr(int(m[1], 8)), undone)
        undone = re.sub(r"(?:\\+u|\\+U0000|%u|U\+)([0-9a-fA-F]{4})|\\*%([0-9a-fA-F]{2})|(?:\\+|0)x([0-9a-fA-F]{2})",
                        lambda m: chr(int(m[1] or m[2] or m[3], 16)), undone)  # fmt: skip
        stages.append(undone)
    raw = value.encode()
    wanted = [
        _bare(raw),
        raw.hex().encode(),
        value.upper().encode().hex().encode(),
        _bare(raw[::-1]),
        "".join(map(str, raw)).encode(),
    ]
    wanted += [_bare(base64.b64encode(b"-" * n + raw)[4 if n else 0 : -4]) for n in range(3)]
    wanted += [_bare(base64.b32encode(raw)[:-8])]
    return any(one in _bare(stage.encode("utf-8", "replace")) for stage in stages for one in wanted if len(one) >= 8)


@pytest.mark.parametrize("form", FORMS)
def test_no_form_is_left_in_any_place(form: str, tmp_path: Path) -> None:
    for value in (KEY, *OTHERS):
        secrets = [Secret(value), Secret("another-secret-1")]
        for place, made in PLACES.items():
            headers, body = made(FORMS[form](value))
            kept = stored(tmp_path, headers, body, secrets)
            if len(value) > 8 or form != "spaced":  # a short name with blanks between is too likely to be another word
                assert not shows(kept, value), (form, place, value, kept[-600:])
        said = mask_text(f"The request failed: {FORMS[form](value)}.", secrets)
        assert (len(value) == 8 and form == "spaced") or not shows(said.encode(), value), (form, value, said)


@pytest.mark.parametrize("place", SPLIT)
@pytest.mark.parametrize("form", ["plain", "upper case", "hex", "base64", "url", "backwards"])
def test_what_is_split_over_places_is_left_out_and_says_so(form: str, place: str, tmp_path: Path) -> None:
    if (form, place) == ("backwards", "bytes as numbers"):
        pytest.skip("encoded twice over")
    for value in (KEY, *OTHERS[1:]):
        headers, body = SPLIT[place](value if place == "bytes as numbers" else FORMS[form](value))
        secrets = [Secret(value), Secret("another-secret-1")]
        kept = stored(tmp_path, headers, body, secrets)
        assert not shows(kept, value), (value, kept[-600:])
        assert LEFT_OUT in kept, (value, kept[-600:])
        # It is judged as it was.
        judged = redact_response(Exchange(Request("GET", "/x"), Response(200, headers, body.encode()), 0, 1), secrets)
        assert judged.response.body == body.encode()


def test_the_search_finds_every_form() -> None:
    """The tests above prove nothing unless it does."""
    for form, made in FORMS.items():
        for value in (KEY, *OTHERS[1:]):
            assert shows(made(value).encode(), value), (form, value)
    assert not shows(b"nothing of the sort", KEY)


def test_ordinary_bodies_stay_as_they_are() -> None:
    secrets = [Secret(value) for value in (KEY, *OTHERS)]
    job = {"id": "65a1b2c3d4e5f60718293a4b", "status": "PENDING", "hex": "0123456789abcdef" * 40, "n": [1, 2, 3] * 50,
           "text": "é\"\\ %41 &amp; 0x41 " * 20, "at": "2026-01-01T00:00:00Z"}  # fmt: skip
    raw = Exchange(Request("GET", "/x"), Response(200, (("ETag", "a-b"),), json.dumps(job).encode()), 0, 1)
    assert redact_response(raw, secrets) is raw


def test_a_hundred_cookies_are_looked_for_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that hands out many must not slow a run down: most answers repeat none of them."""
    searched: list[str] = []
    monkeypatch.setattr(Forms, "masked", lambda forms, text: searched.append(text) or text)
    cookies = tuple(("Set-Cookie", f"c{number}=v4lue-{number:06d}; Path=/") for number in range(100))
    raw = Exchange(Request("GET", "/x"), Response(200, cookies, b'{"id": "65a1b2c3d4e5f60718293a4b"}'), 0, 1)
    assert b"v4lue" not in str(redact_response(raw, [Secret(KEY)]).response.headers).encode()
    assert not searched
    repeated = replace(raw, response=replace(raw.response, body=b'{"detail": "v4lue-000001"}'))
    redact_response(repeated, [Secret(KEY)])
    assert searched


def test_what_an_endpoint_hands_out_is_remembered() -> None:
    handed = Handed(["65a1b2c3d4e5f60718293a4b"])
    headers = (
        ("Set-Cookie", "s=c4n4ry-cookie1; Path=/"), ("Set-Cookie", "l=en-US"), ("Set-Cookie", "s=RESTORE"),
        ("Set-Cookie", "p=65a1b2c3d4e5f60718293a4b"), ("X-Csrf-Token", "c4n4ry-header2"),
        ("WWW-Authenticate", 'Digest realm="r", nonce="c4n4ry-nonce3", opaque="c4n4ry-opaque4"'),
    )  # fmt: skip
    handed.note(Response(200, headers, b'{"access_token": "c4n4ry-token5"}'))
    known = {secret.reveal() for secret in handed.secrets}
    assert known == {f"c4n4ry-{one}" for one in ("cookie1", "header2", "nonce3", "opaque4", "token5")}
    for number in range(100):
        nonce = ("WWW-Authenticate", f'Digest realm="r", nonce="n0nce-{number:06}"')
        handed.note(Response(200, (("Set-Cookie", f"s=rotating-{number:06}"), nonce), b""))
    for begins in ("rotating", "n0nce"):
        latest = [value for secret in handed.secrets if (value := secret.reveal()).startswith(begins)]
        assert 16 <= len(latest) <= 24
        assert latest[-16:] == [f"{begins}-{number:06}" for number in range(84, 100)]


def test_values_are_found_whether_few_or_many_texts_are_searched() -> None:
    forms = Forms(
        [KEY, "c4n4ry-t0ken-of-a-service", "an0ther-v4lue"], lasting=True, passing=["f1rst-n0nce", "s3cond-n0nce"]
    )
    hidden = [KEY.upper(), KEY[::-1], "c4n4ry-t0ken-of-a-ser+vice", "s3cond%2dn0nce", b"an0ther-v4lue".hex()]
    for _ in range(300):
        assert not forms.may_be_in("an ordinary text, in which s3cond and nonce stand apart")
        assert all(map(forms.may_be_in, hidden))
    assert forms.may_be_in(base64.b32encode(KEY.encode()).decode())
    assert not forms.may_be_in(base64.b32encode(b"s3cond-n0nce").decode())
