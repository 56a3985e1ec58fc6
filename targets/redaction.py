"""Masking what must not outlive a request: credentials, tokens, cookies, digest fields, and URLs that are keys to data.

A masked exchange is judged as the exchange itself: layout, lengths of arrays and the form of each URL stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from urllib.parse import quote

from contracts.exchange import Exchange, Headers
from targets.secret import MASK, Secret

_CREDENTIAL_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"})
_CHALLENGE_HEADERS = frozenset(
    {"www-authenticate", "proxy-authenticate", "authentication-info", "proxy-authentication-info"}
)
_LOCATION_HEADERS = frozenset({"location", "content-location"})
_SENSITIVE_HEADERS = _CREDENTIAL_HEADERS | _CHALLENGE_HEADERS | _LOCATION_HEADERS
_DIGEST_FIELD = re.compile(
    r'(?i)\b(nonce|opaque|cnonce|nextnonce|response|rspauth|username|uri)(\s*=\s*)("(?:[^"\\]|\\.)*"|[^\s,"]+)'
)
_KEYED_VALUE = re.compile(
    rb'(?i)"((?:delivery|download|snapshot)Urls?|access_?token|refresh_?token|id_?token|client_?secret|private_?key|password)"'
    rb"\s*:\s*"
)
_HINTS = (b"Url", b"URL", b"url", b"oken", b"ecret", b"assword", b'ey"', b"\\u")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\Z)|[\[\]{}]', re.DOTALL)
_SCALAR_END = re.compile(rb"[,}\]\s]")
_URL = re.compile(rb"([A-Za-z][A-Za-z0-9+.\-]*:)?(//[^/?#\\\s]*)?(.*)\Z", re.DOTALL)
_TEXT = re.compile(rb"\\u[0-9a-fA-F]{4}|\\.|%[0-9A-Fa-f]{2}|[A-Za-z0-9\-._~]+|[\x80-\xff]+", re.DOTALL)
_LABEL = re.compile(rb"[A-Za-z0-9\-_]+")
_PORT = re.compile(rb":[0-9]*\Z")
_SCHEME_VALUE = re.compile(r"(?i)\b(bearer|basic)(\s+)[A-Za-z0-9\-._~+/]{6,}=*")
_LEAST_LENGTH = 6


def redact(exchange: Exchange, secrets: Iterable[Secret] = ()) -> Exchange:
    """Return the exchange with everything masked that must not be stored; the same object where nothing is.

    `secrets` are values to mask wherever an endpoint repeats them, in any header or body.
    """
    request, response = exchange.request, exchange.response
    values = _forms(secrets)
    request_headers = None if request.headers is None else _headers(request.headers, values)
    response_headers = _headers(response.headers, values)
    body = _body(response.body, values)
    request_body = None if request.body is None else _body(request.body, values)
    target = _replaced(request.target, values)
    if request_headers is not request.headers or request_body is not request.body or target != request.target:
        request = replace(request, headers=request_headers, body=request_body, target=target)
    if response_headers is not response.headers or body is not response.body:
        response = replace(response, headers=response_headers, body=body)
    if request is exchange.request and response is exchange.response:
        return exchange
    return replace(exchange, request=request, response=response)


def mask_text(text: str, secrets: Iterable[Secret] = ()) -> str:
    """Return free text (a traceback, a log line) with secrets, and credentials in HTTP's own forms, masked."""
    masked = _SCHEME_VALUE.sub(rf"\1\2{MASK}", _replaced(text, _forms(secrets)))
    if "igest" in masked or "nonce" in masked:
        masked = _DIGEST_FIELD.sub(rf'\1\2"{MASK}"', masked)
    return masked


def _forms(secrets: Iterable[Secret]) -> tuple[str, ...]:
    """Return each secret as it may be written: plainly, in JSON, in a URL. Very short ones would mask half the text."""
    return _forms_of(tuple(secret.reveal() for secret in secrets))


@lru_cache(maxsize=8)
def _forms_of(values: tuple[str, ...]) -> tuple[str, ...]:
    forms: dict[str, None] = {}
    for value in values:
        if len(value) >= _LEAST_LENGTH:
            forms.update(dict.fromkeys((value, json.dumps(value)[1:-1], quote(value, safe=""), quote(value))))
    return tuple(sorted(forms, key=len, reverse=True))


def _replaced(text: str, values: tuple[str, ...]) -> str:
    for value in values:
        if value in text:
            text = text.replace(value, MASK)
    return text


def _headers(headers: Headers, values: tuple[str, ...]) -> Headers:
    changed = False
    masked: list[tuple[str, str]] = []
    for pair in headers:
        name, value = pair
        lower = name.lower()
        if lower in _SENSITIVE_HEADERS:
            value = _header_value(lower, value)
        value = _replaced(value, values)
        changed = changed or value != pair[1]
        masked.append((name, value))
    return tuple(masked) if changed else headers


def _header_value(lower: str, value: str) -> str:
    if lower in _CHALLENGE_HEADERS:
        return _DIGEST_FIELD.sub(rf'\1\2"{MASK}"', value)
    if lower in _LOCATION_HEADERS:
        place, question, _ = value.partition("?")
        return place + (f"?{MASK}" if question else "")
    if lower in ("cookie", "set-cookie"):
        name, equals, _ = value.partition("=")
        return f"{name}={MASK}" if equals else MASK
    scheme, space, _ = value.strip().partition(" ")
    return f"{scheme} {MASK}" if space else MASK


def _body(body: bytes, values: tuple[str, ...]) -> bytes:
    for text in values:
        value = text.encode("utf-8", "surrogatepass")
        if value in body:
            body = body.replace(value, MASK.encode())
    if not any(hint in body for hint in _HINTS):
        return body
    searched = _plain_keys(body) if b"\\u" in body else body
    parts: list[bytes] = []
    end = 0
    for match in _KEYED_VALUE.finditer(searched):
        if match.end() < end:
            continue
        parts.append(searched[end : match.end()])
        end = _masked_value(searched, match.end(), parts, url=match[1].lower().endswith((b"url", b"urls")))
    if not parts:
        return body
    parts.append(searched[end:])
    masked = b"".join(parts)
    return body if masked == body else masked


def _plain_keys(body: bytes) -> bytes:
    """Return the body with escapes of ASCII letters and the underscore undone, so that an escaped key is found."""

    def plain(match: re.Match[bytes]) -> bytes:
        if match[1] is None:
            return match[0]
        code = int(match[1], 16)
        return bytes([code]) if code == 0x5F or (code < 0x80 and chr(code).isalpha()) else match[0]

    return re.sub(rb"\\(?:u([0-9a-fA-F]{4})|.)", plain, body, flags=re.DOTALL)


def _masked_value(body: bytes, start: int, parts: list[bytes], *, url: bool) -> int:
    """Append the value that begins at `start`, every string in it masked; return where it ends."""
    depth, position = 0, start
    for match in _TOKEN.finditer(body, start):
        if depth == 0 and match.start() > start:
            break
        parts.append(body[position : match.start()])
        position = match.end()
        token = match[0]
        if token[:1] == b'"':
            key = depth > 0 and body[position : position + 20].lstrip()[:1] == b":"
            closed = token.endswith(b'"') and len(token) > 1
            inner = token[1:-1] if closed else token[1:]
            shown = inner if key else _masked_url(inner) if url else (b"masked" if inner else b"")
            parts.append(b'"' + shown + (b'"' if closed else b""))
        else:
            parts.append(token)
            depth += 1 if token in (b"[", b"{") else -1
        if depth <= 0:
            return position
    return position


def _masked_url(literal: bytes) -> bytes:
    """Mask the inside of a JSON string literal, keeping what tells an absolute https URL from anything else."""
    match = _URL.match(literal)
    assert match is not None
    scheme, authority, rest = match[1] or b"", match[2] or b"", match[3]
    if authority:
        host = authority[2:]
        user, at, host = host.rpartition(b"@")
        port = _PORT.search(host)
        name = host[: port.start()] if port else host
        name = name if name.startswith(b"[") else _LABEL.sub(b"masked", name)
        authority = b"//" + (b"masked" if user else b"") + at + name + (port[0] if port else b"")
    return scheme + authority + _TEXT.sub(_masked_piece, rest)


def _masked_piece(match: re.Match[bytes]) -> bytes:
    piece = match[0]
    if piece[:1] == b"\\":
        if piece[1:2] == b"u":
            return b"x" if chr(int(piece[2:], 16)).isalnum() and int(piece[2:], 16) < 0x80 else piece
        return piece
    if piece[:1] == b"%":
        return b"%78"
    return "é".encode() if piece[0] >= 0x80 else b"masked"
