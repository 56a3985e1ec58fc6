"""The credentials that an exchange shows: what its headers carry, and what its bodies and queries hand over."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Literal, TypeAlias
from urllib.parse import unquote_plus

import ahocorasick_rs

from atlas_conformance.contracts.exchange import Headers

Kind: TypeAlias = Literal["secret", "name", "cookie", "passing"]
"""`secret`: tokens, passwords, keys. `name`: whose they are, which may be the name of something else as well. `cookie`:
the value of a cookie, which may be any word. `passing`: digest fields that change with each request.
"""
Shown: TypeAlias = tuple[str, Kind]

CHALLENGE_HEADERS = frozenset(
    {"www-authenticate", "proxy-authenticate", "authentication-info", "proxy-authentication-info"}
)
CREDENTIAL_NAME = re.compile(r"token|secret|api-?key|session|passw|credential")
"""In the name, in lower case, of a header that holds a credential, whatever it is called."""
DIGEST_FIELD = re.compile(
    r'(?i)\b(nonce|opaque|cnonce|nextnonce|response|rspauth|username|uri)(\s*=\s*)("(?:[^"\\]|\\.)*"|[^\s,"]+)'
)


class Hints:
    """A few short words, one of which is in whatever is worth a closer look."""

    def __init__(self, *words: bytes) -> None:
        """Look for these words, case and all."""
        self._words = words
        self._finder = ahocorasick_rs.BytesAhoCorasick(words)

    def may_be_in(self, text: bytes) -> bool:
        """Tell whether a text holds any of them."""
        if len(text) > _AT_ONCE:  # all places where a word stands would fill memory
            return any(word in text for word in self._words)
        return bool(self._finder.find_matches_as_indexes(text))


HINTS = (b"oken", b"OKEN", b"ecret", b"ECRET", b"assword", b"ASSWORD", b"ssertion", b"rivate", b"RIVATE", b"\\u")
"""In every name of a token, a secret, a key or a password, in the usual ways to write it, is one of these."""
_AT_ONCE = 65_536
_HINTED = Hints(*HINTS)
_KEYS = frozenset({"authorization", "proxy-authorization", "x-api-key"})
TELLING_HEADERS = _KEYS | CHALLENGE_HEADERS | {"cookie", "set-cookie"}
"""The headers, in lower case, that credentials are read from."""
_KEYED = re.compile(
    rb'(?i)"(?:access_?token|refresh_?token|id_?token|client_?secret|client_?assertion|private_?key|password)"'
    rb'\s*:\s*("(?:[^"\\]|\\.)*")'
)
_FORM = re.compile(
    rb"(?i)(?:^|[&?])(?:access_token|refresh_token|id_token|client_secret|client_assertion|assertion|password)=([^&#\s]+)"
)


def shown_by_request(headers: Headers) -> Iterator[Shown]:
    """Yield the credentials that a recorded request's headers show: tokens, pairs, digest fields, cookies."""
    for name, value in headers:
        lower = name.lower()
        if lower in _KEYS:
            yield from _authorization(value)
        elif lower == "cookie":
            for pair in value.split(";"):
                yield pair.partition("=")[2].strip('" '), "cookie"


def _authorization(value: str) -> Iterator[Shown]:
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() == "digest":
        for match in DIGEST_FIELD.finditer(rest):
            field = match[1].lower()
            if field != "uri":
                yield match[3].strip('"'), "name" if field == "username" else "passing"
        return
    yield rest.strip() or scheme, "secret"
    if scheme.lower() == "basic":
        try:
            raw = base64.b64decode(rest)
        except (binascii.Error, ValueError):
            return
        try:
            pair = raw.decode("utf-8")
        except UnicodeDecodeError:
            pair = raw.decode("latin-1")
        user, _, password = pair.partition(":")
        yield user, "name"
        yield password, "secret"


def shown_by_answer(headers: Headers) -> Iterator[Shown]:
    """Yield what an answer's own headers hand out: cookies and nonces."""
    for name, value in headers:
        lower = name.lower()
        if lower == "set-cookie":
            for line in value.splitlines():  # recorders join the lines of several cookies
                yield line.partition(";")[0].partition("=")[2].strip('" '), "cookie"
        elif lower in CHALLENGE_HEADERS and "=" in value:
            for match in DIGEST_FIELD.finditer(value):
                if match[1].lower() not in ("uri", "username"):
                    yield match[3].strip('"'), "passing"
        elif CREDENTIAL_NAME.search(lower):
            yield value.strip(), "secret"


def may_hand_over(text: bytes) -> bool:
    """Tell, quickly, whether a text may hold the name of a token, secret, key or password."""
    return _HINTED.may_be_in(text)


def handed_over(text: bytes) -> Iterator[Shown]:
    """Yield the tokens, secrets and passwords that a body holds, JSON or a form, or the query of a request target."""
    if not may_hand_over(text):
        return
    searched = plain_keys(text) if b"\\u" in text else text
    for match in _KEYED.finditer(searched):
        try:
            value = json.loads(match[1], strict=False)
        except ValueError:
            value = match[1][1:-1].decode("utf-8", "replace")
        yield value, "secret"
    if b"=" in text:
        for match in _FORM.finditer(text):
            yield unquote_plus(match[1].decode("latin-1")), "secret"


def plain_keys(body: bytes) -> bytes:
    """Return the body with escapes of ASCII letters and the underscore undone, so that an escaped key is found."""

    def plain(match: re.Match[bytes]) -> bytes:
        if match[1] is None:
            return match[0]
        code = int(match[1], 16)
        return bytes([code]) if code == 0x5F or (code < 0x80 and chr(code).isalpha()) else match[0]

    return re.sub(rb"\\(?:u([0-9a-fA-F]{4})|.)", plain, body, flags=re.DOTALL)
