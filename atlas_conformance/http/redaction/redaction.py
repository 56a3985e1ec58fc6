"""Masking what must not outlive a request: credentials, tokens, cookies, digest fields, and URLs that are keys to data.

A masked exchange is judged as the exchange itself: layout, lengths of arrays and the form of each URL stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from atlas_conformance.contracts.exchange import Exchange, Headers, Response
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.http.redaction.echoes import Forms, forms_of
from atlas_conformance.http.redaction.shown import (
    CHALLENGE_HEADERS,
    CREDENTIAL_NAME,
    DIGEST_FIELD,
    HINTS,
    Hints,
    plain_keys,
    shown_by_answer,
    shown_by_request,
)
from atlas_conformance.http.redaction.skeleton import stages
from atlas_conformance.http.secret import MASK, Passing, Secret

_CREDENTIAL_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"})
_SENT_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie"})
_LOCATION_HEADERS = frozenset({"location", "content-location"})
_SENSITIVE_HEADERS = _CREDENTIAL_HEADERS | CHALLENGE_HEADERS | _LOCATION_HEADERS
_KEYED_VALUE = re.compile(
    rb'(?i)"((?:delivery|download|snapshot)Urls?|access_?token|refresh_?token|id_?token|client_?secret|private_?key|password)"'
    rb"\s*:\s*"
)
_HINTED = Hints(*HINTS, b'rl"', b'rls"', b'RL"', b'RLS"', b'RLs"')
_NAMED_HINTS = Hints(*(hint for hint in HINTS if hint != b"\\u"), b'rl"', b'rls"', b'RL"', b'RLS"', b'RLs"')
_LONG_URL = 8_192
"""Of what follows the host of a longer address nothing is kept."""
_PASSING_FIELDS = ("nonce", "cnonce", "opaque", "response")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\Z)|[\[\]{}]', re.DOTALL)
_SCALAR_END = re.compile(rb"[,}\]\s]")
_URL = re.compile(rb"([A-Za-z][A-Za-z0-9+.\-]*:)?(//[^/?#\\\s]*)?(.*)\Z", re.DOTALL)
_TEXT = re.compile(rb"\\u[0-9a-fA-F]{4}|\\.|%[0-9A-Fa-f]{2}|[A-Za-z0-9\-._~]+|[\x80-\xff]+", re.DOTALL)
_SECRET_NAME = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CLIENT_ID|PROXY")
_LABEL = re.compile(rb"[A-Za-z0-9\-_]+")
_PORT = re.compile(rb":[0-9]*\Z")
_SCHEME_VALUE = re.compile(r"(?i)\b(bearer|basic)(\s+)[A-Za-z0-9\-._~+/]{6,}=*")


LEFT_OUT = b"[body left out: it repeats a credential in several places, where it cannot be masked]"


class SpreadResponse(Response):
    """An answer that repeats a credential spread over several places: judged, but its body is never stored."""


def redact(exchange: Exchange, secrets: Iterable[Secret] | Forms = (), *, echoes: bool = True) -> Exchange:
    """Return the exchange with everything masked that must not be stored; the same object where nothing is.

    `secrets`, or their forms, are masked wherever an endpoint repeats them, in any header or body. Without `echoes`
    what the exchange itself shows is not looked for in the rest of the answer.
    """
    secrets = known_forms(secrets)
    return redact_request(redact_response(exchange, secrets, echoes=echoes), secrets)


def redact_request(exchange: Exchange, secrets: Iterable[Secret] | Forms = ()) -> Exchange:
    """Like `redact`, of the request alone; the body of a SpreadResponse is left out."""
    forms = known_forms(secrets)
    if isinstance(exchange.response, SpreadResponse):
        exchange = replace(exchange, response=_left_out(exchange.response, forms))
    request = exchange.request
    anywhere = forms if forms.may_be_in("\n".join((request.target, *_values(request.headers or ())))) else None
    headers = None if request.headers is None else _headers(request.headers, anywhere)
    body = None if request.body is None else _body(request.body, forms)
    target = anywhere.masked(request.target) if anywhere else request.target
    if headers is request.headers and body is request.body and target == request.target:
        return exchange
    return replace(exchange, request=replace(request, headers=headers, body=body, target=target))


def redact_response(exchange: Exchange, secrets: Iterable[Secret] | Forms = (), *, echoes: bool = True) -> Exchange:
    """Like `redact`, of the response alone: the request can still be retried.

    Without `echoes` what the exchange itself shows is not looked for in the rest of the answer.
    """
    response = exchange.response
    forms = known_forms(secrets)
    told = forms.may_be_in_any(_joined(response.headers), response.body)
    headers = _headers(response.headers, forms if told else None)
    body = _body(response.body, forms if told else None)
    # What the answer's headers hand out, and what a recorded request shows, the rest of the answer may repeat.
    spread = False
    # All at once: an answer may hand out a hundred cookies in as many headers, and most repeat none of them.
    if echoes and (shown := _shown(exchange)) and (repeated := Forms(shown)).may_be_in_any(_joined(headers), body):
        headers = _headers(headers, repeated)
        body = repeated.masked_bytes(body)
        spread = repeated.remains_in(body)
    if spread or (told and forms.remains_in(_joined(headers) + b"\n" + body)):
        return replace(exchange, response=SpreadResponse(response.status, headers, body))
    if headers is response.headers and body is response.body:
        return exchange
    return replace(exchange, response=replace(response, headers=headers, body=body))


def hushed(exchange: Exchange, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings of an exchange; of a body that is left out they quote nothing either."""
    if not isinstance(exchange.response, SpreadResponse):
        return tuple(findings)
    return tuple(replace(finding, seen="what a body shows that is left out") for finding in findings)


def _left_out(response: Response, forms: Forms) -> Response:
    headers = tuple((name, MASK if forms.may_be_in(value) else value) for name, value in response.headers)
    return Response(response.status, headers, LEFT_OUT)


def _joined(headers: Headers) -> bytes:
    return "\n".join(_values(headers)).encode("utf-8", "surrogatepass")


def _shown(exchange: Exchange) -> tuple[str, ...]:
    requests, answers = exchange.request.headers or (), exchange.response.headers
    return tuple(value for value, _ in (*shown_by_answer(answers), *shown_by_request(requests)) if value != MASK)


def known_forms(secrets: Iterable[Secret] | Forms) -> Forms:
    """Return every way in which some secrets may be written, kept for the next time."""
    if isinstance(secrets, Forms):
        return secrets
    lasting: list[str] = []
    passing: list[str] = []
    for secret in secrets:
        (passing if isinstance(secret, Passing) else lasting).append(secret.reveal())
    return forms_of(tuple(lasting), tuple(passing))


def _values(headers: Headers) -> list[str]:
    return [value for _, value in headers]


def without_echoes(response: Response, authorization: Secret) -> Response:
    """Return an answer without the parts of a digest `Authorization` value that it may repeat; most repeat none."""
    value = authorization.reveal()
    if not value.startswith("Digest "):
        return response
    parts = tuple(m[3].strip('"') for m in DIGEST_FIELD.finditer(value) if m[1] in _PASSING_FIELDS)
    forms = Forms(parts)
    headers = tuple((name, forms.masked(shown)) for name, shown in response.headers)
    body = forms.masked_bytes(response.body)
    if body is response.body and headers == response.headers:
        return response
    if forms.remains_in(body):
        return SpreadResponse(response.status, headers, body)
    return replace(response, headers=headers, body=body)


def without_credentials(exchange: Exchange) -> Exchange:
    """Return a recorded exchange without the request's headers that hold credentials."""
    headers = exchange.request.headers
    if headers is None or not any(name.lower() in _SENT_CREDENTIALS for name, _ in headers):
        return exchange
    kept = tuple(pair for pair in headers if pair[0].lower() not in _SENT_CREDENTIALS)
    return replace(exchange, request=replace(exchange.request, headers=kept))


def secrets_in(environ: Mapping[str, str]) -> tuple[Secret, ...]:
    """Return the values of all environment variables whose names are those of secrets, for text that no target can
    vouch for.
    """
    return tuple(Secret(value) for name, value in environ.items() if _SECRET_NAME.search(name.upper()))


def mask_text(text: str, secrets: Iterable[Secret] = ()) -> str:
    """Return free text (a traceback, a log line) with secrets, and credentials in HTTP's own forms, masked."""
    forms = known_forms(secrets)
    masked = _SCHEME_VALUE.sub(rf"\1\2{MASK}", forms.masked(text))
    if "igest" in masked or "nonce" in masked:
        masked = DIGEST_FIELD.sub(rf'\1\2"{MASK}"', masked)
    return masked


def _headers(headers: Headers, forms: Forms | None) -> Headers:
    changed = False
    masked: list[tuple[str, str]] = []
    for pair in headers:
        name, value = pair
        if _is_sensitive(name):
            value = _header_value(name.lower(), value)
        value = forms.masked(value) if forms else value
        changed = changed or value != pair[1]
        masked.append((name, value))
    return tuple(masked) if changed else headers


@lru_cache(maxsize=256)
def _is_sensitive(name: str) -> bool:
    lower = name.lower()
    return lower in _SENSITIVE_HEADERS or CREDENTIAL_NAME.search(lower) is not None


def _header_value(lower: str, value: str) -> str:
    if lower in CHALLENGE_HEADERS:
        return DIGEST_FIELD.sub(rf'\1\2"{MASK}"', value)
    if lower in _LOCATION_HEADERS:
        place, question, _ = value.partition("?")
        return place + (f"?{MASK}" if question else "")
    if lower in ("cookie", "set-cookie"):
        name, equals, _ = value.partition("=")
        return f"{name}={MASK}" if equals else MASK
    scheme, space, _ = value.strip().partition(" ")
    return f"{scheme} {MASK}" if space else MASK


def _body(body: bytes, forms: Forms | None) -> bytes:
    body = forms.masked_bytes(body) if forms is not None else body
    if not _HINTED.may_be_in(body):
        return body
    if b"\\u" in body and not any(_NAMED_HINTS.may_be_in(stage) for stage in stages(body)):
        return body
    searched = plain_keys(body) if b"\\u" in body else body
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
    return scheme + authority + (b"/masked" if len(rest) > _LONG_URL else _TEXT.sub(_masked_piece, rest))


def _masked_piece(match: re.Match[bytes]) -> bytes:
    piece = match[0]
    if piece[:1] == b"\\":
        if piece[1:2] == b"u":
            return b"x" if chr(int(piece[2:], 16)).isalnum() and int(piece[2:], 16) < 0x80 else piece
        return piece
    if piece[:1] == b"%":
        return b"%78"
    return "é".encode() if piece[0] >= 0x80 else b"masked"
