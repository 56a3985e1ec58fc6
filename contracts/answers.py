"""Rules that bind the answer of every exchange: C-*, E-*, V-*, A-* and the refusals that the request owes."""

from __future__ import annotations

import http
from typing import Any

from atlas_conformance.contracts.exchange import Exchange, Request, Response
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.media import JSON, VERSIONED
from atlas_conformance.contracts.operations import Operation
from atlas_conformance.contracts.patterns import compile_pattern
from atlas_conformance.contracts.reading import LARGE_BODY, Reading
from atlas_conformance.contracts.validation import NotJson, parse_json, validator
from atlas_conformance.contracts.verdicts import Verdicts, shown

ANYWHERE: frozenset[int] = frozenset({405, 406, 413, 414, 415, 429})
"""Statuses that HTTP itself may answer on every operation."""
NAMED: frozenset[int] = frozenset({400, 401, 403, 404, 409, 500, 503}) | ANYWHERE
"""Error statuses that the contract names; what the reason of another one should be says nothing."""
ERROR_CODE = compile_pattern("^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$")
INT32 = range(-(2**31), 2**31)
_STATUS = "/response/status"
_BODY = "/response/body"
_UNREADABLE = object()
_LONG_BODY = 256 * 1024
_MOST_CONTAINERS = 400_000
"""No answer of this API holds more objects and arrays: to read one that does would take hundreds of megabytes."""


def reason_phrases(status: int) -> frozenset[str]:
    """Return the standard phrases of a status code (E-REASON); empty where the contract leaves the phrase open."""
    if status == 413:
        return frozenset()
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        return frozenset()
    return frozenset({"URI Too Long", "Request-URI Too Long"}) if status == 414 else frozenset({phrase})


def is_paced(response: Response) -> bool:
    """Whether a response only asks to come back later: 429, or 503 with `Retry-After`."""
    return response.status == 429 or (response.status == 503 and response.header("retry-after") is not None)


def judge_rate(response: Response, verdicts: Verdicts) -> None:
    """A-RATE: what a 429 carries, and the form of the `RateLimit-*` headers where they are sent."""
    if response.status == 429:
        retry = response.header("retry-after")
        held = retry is not None and retry.strip() != ""
        verdicts.check("A-RATE", held, "a 429 with Retry-After", retry, "/response/headers/retry-after")
    for name in ("RateLimit-Limit", "RateLimit-Remaining"):
        value = response.header(name)
        if value is not None:
            held = value.strip().isascii() and value.strip().isdigit()
            verdicts.check("A-RATE", held, f"{name} an integer >= 0", value, f"/response/headers/{name.lower()}")


def judge_authentication(exchange: Exchange, reading: Reading, knowledge: Knowledge, verdicts: Verdicts) -> bool:
    """A-NONE, A-WRONG, A-BEFORE, A-DIGEST, A-BEARER, A-ROLE, A-LIST; return whether the answer is settled by them.

    A client without any credentials puts none of them to the test.
    """
    request, status = exchange.request, exchange.response.status
    if not knowledge.credentials:
        return status == 401
    if request.credential in ("none", "wrong", "wrong-secret"):
        requirement = "A-NONE" if request.credential == "none" else "A-WRONG"
        if reading.must_be_refused and request.credential == "none":
            requirement = "A-BEFORE"
        too_much = len(request.body or b"") > LARGE_BODY and status == 413
        what = "no credentials" if request.credential == "none" else "wrong credentials"
        if too_much or (status == 414 and 414 in reading.refusals):
            return True
        held = verdicts.check(requirement, status == 401, f"401 for {what}", status, _STATUS)
        if held and knowledge.digest:
            challenge = exchange.response.header("www-authenticate")
            owed = "A-NONE" if request.credential == "none" else "A-WRONG"
            pointer = "/response/headers/www-authenticate"
            verdicts.check(owed, bool(challenge), "a WWW-Authenticate challenge", challenge, pointer)
        return True
    if request.credential == "unknown":
        return status == 401
    if request.scheme in ("digest", "bearer") and request.credential == "owner":
        requirement = "A-DIGEST" if request.scheme == "digest" else "A-BEARER"
        verdicts.check(requirement, status != 401, f"valid {request.scheme} credentials taken", status, _STATUS)
        if status == 401:
            return True
    if request.credential == "off-list":
        allowed = {403} | reading.refusals
        expected = "403 for an address outside the API access list"
        verdicts.check("A-LIST", status in allowed, expected, status, _STATUS)
        return True
    if request.credential == "reader" and reading.operation.kind == "create":
        allowed = {403} | reading.refusals
        verdicts.check("A-ROLE", status in allowed, "403 without the Project Owner role", status, _STATUS)
        return True
    return request.credential == "reader" and status in (401, 403)


def judge_token(exchange: Exchange, verdicts: Verdicts) -> None:
    """A-BEARER: what the token endpoint answers to valid client credentials (RFC 6749, section 5.1; 3,600 s)."""
    response = exchange.response
    if not verdicts.check("A-BEARER", response.status == 200, "a token", response.status, _STATUS):
        return
    document = _parse(response)
    if not isinstance(document, dict):
        verdicts.failed("A-BEARER", "a JSON object with a token", "no JSON object", "/response/body")
        return
    token, kind, life = (document.get(name) for name in ("access_token", "token_type", "expires_in"))
    given = isinstance(token, str) and token != ""
    verdicts.check("A-BEARER", given, "an access_token", "none", f"{_BODY}/access_token")
    named = isinstance(kind, str) and kind.lower() == "bearer"
    verdicts.check("A-BEARER", named, "token_type Bearer", kind, f"{_BODY}/token_type")
    lasting = life == 3600 and not isinstance(life, bool)
    verdicts.check("A-BEARER", lasting, "expires_in 3600", life, f"{_BODY}/expires_in")


def judge_status(exchange: Exchange, reading: Reading, verdicts: Verdicts, *, idle: bool = False) -> None:
    """C-STATUS, C-5XX, V-QUERY, and the refusal or the success that the request is owed.

    A create may meet a job of somebody else on its target, and a 409 say so, but where the target is `idle`.
    """
    status, operation = exchange.response.status, reading.operation
    if status >= 500:
        requirement = "V-QUERY" if reading.flag_is_odd and not reading.violations else "C-5XX"
        verdicts.failed(requirement, "no 5xx for any input", str(status), _STATUS)
        if len({v.requirement for v in reading.violations}) == 1:
            _judge_refusal(exchange, reading, verdicts)
        return
    verdicts.held("C-5XX")
    if reading.flag_is_odd:
        verdicts.held("V-QUERY")
    documented = status == operation.success or status in reading.refusals
    if status >= 400:
        documented = documented or status in operation.statuses or status in ANYWHERE
    verdicts.check("C-STATUS", documented, f"a documented status of {operation.id}", status, _STATUS)
    if reading.must_be_refused and (documented or status < 400):
        _judge_refusal(exchange, reading, verdicts)
    elif documented and reading.must_succeed and exchange.request.credential != "unknown":
        _judge_acceptance(exchange.request, status, reading, verdicts, idle)


def _judge_refusal(exchange: Exchange, reading: Reading, verdicts: Verdicts) -> None:
    status = exchange.response.status
    allowed = set(reading.refusals)
    if len(exchange.request.body or b"") > LARGE_BODY:
        allowed.add(413)
    if status in allowed:
        if len({v.requirement for v in reading.violations}) == 1:
            verdicts.held(reading.violations[0].requirement)
        return
    for violation in reading.violations:
        statuses = " or ".join(str(s) for s in sorted(violation.statuses))
        verdicts.failed(violation.requirement, f"{violation.expected} with {statuses}", str(status), violation.pointer)


def _judge_acceptance(request: Request, status: int, reading: Reading, verdicts: Verdicts, idle: bool) -> None:
    operation = reading.operation
    if reading.accepts.later and status == 406:
        verdicts.failed("V-FLOOR", f"media type {operation.media_type} for a later version", str(status), _STATUS)
    elif operation.kind == "create" and (status != 409 or idle):
        expected = f"{operation.success}: the request keeps every rule, and all that it names exists"
        verdicts.check("B-ACCEPT", status == operation.success, expected, status, _STATUS)
    elif operation.kind == "list":
        expected = f"{operation.success}: the cluster exists"
        paged = any(name in ("itemsPerPage", "pageNum") for name, _ in request.query)
        requirement = "L-PAGE" if paged else "L-FOUND"
        verdicts.check(requirement, status == operation.success, expected, status, _STATUS)


def judge_hidden_error(exchange: Exchange, reading: Reading, verdicts: Verdicts) -> bool:
    """V-ENVELOPE: an error under an envelope keeps its own HTTP status; return whether a success hides one."""
    response = exchange.response
    if reading.envelope is False or response.status >= 300 or b'"error"' not in response.body:
        return False
    document = _parse(response)
    key = _envelope_key(document)
    inner = document[key] if key is not None else None
    if inner is None or not {"error", "errorCode"} <= inner.keys() or "id" in inner:
        return False
    expected = "the HTTP status that the error has without an envelope"
    verdicts.failed("V-ENVELOPE", expected, f"{response.status} around the error {shown(inner['error'])}", _STATUS)
    return True


def _envelope_key(document: Any) -> str | None:
    """The key under which a document holds a wrapped one, or None."""
    if not isinstance(document, dict):
        return None
    return next((key for key in ("content", "envelope") if isinstance(document.get(key), dict)), None)


def judge_error(exchange: Exchange, verdicts: Verdicts, envelope: bool | None = False) -> None:
    """E-* and C-MEDIA on an error answer; under an envelope the error may be wrapped or not (V-ENVELOPE)."""
    response = exchange.response
    media = response.content_type == JSON
    verdicts.check("C-MEDIA", media, f"an error as {JSON}", response.header("content-type"), _CONTENT_TYPE)
    document = _parse(response)
    pointer = "/response/body"
    if isinstance(document, dict) and envelope is not False and "error" not in document:
        key = _envelope_key(document)
        if key is not None:
            expected = f"status {response.status} in the envelope of an error"
            wrapped = document.get("status")
            verdicts.check("V-ENVELOPE", _is(wrapped, response.status), expected, wrapped, f"{pointer}/status")
            document, pointer = document[key], f"{pointer}/{key}"
    if not isinstance(document, dict):
        seen = "no JSON" if document is _UNREADABLE else shown(document)
        verdicts.failed("E-SCHEMA", "an error body that is a JSON object", seen, pointer)
        return
    _judge_error_document(response, document, pointer, verdicts)


def _judge_error_document(response: Response, document: dict[str, Any], pointer: str, verdicts: Verdicts) -> None:
    errors = validator("error.json").errors(document)
    if not errors:
        verdicts.held("E-SCHEMA")
    else:
        for error in errors:
            value = _value_at(document, error.pointer)
            where = f"{pointer}{error.pointer}" + (f"/{error.property}" if error.property else "")
            requirement = "E-FIELDS" if error.pointer.startswith("/badRequestDetail/fields/") else "E-SCHEMA"
            expected = error.message if error.property is None else f"{error.property} present"
            verdicts.value_failed(requirement, expected, where, error.pointer, value, document)
            if error.keyword == "type":
                verdicts.mistyped(where)
    detail = document.get("badRequestDetail")
    if isinstance(detail, dict) and detail.get("fields"):
        verdicts.held("E-FIELDS")
    number = document.get("error")
    if isinstance(number, int | float) and not isinstance(number, bool):
        expected = f"error equal to the status {response.status}"
        verdicts.check("E-STATUS", number == response.status, expected, number, f"{pointer}/error")
    phrases = reason_phrases(response.status) if response.status in NAMED else frozenset()
    reason = document.get("reason")
    if isinstance(reason, str) and phrases:
        expected = f"the standard phrase {sorted(phrases)[0]!r}"
        verdicts.check("E-REASON", reason in phrases, expected, reason, f"{pointer}/reason")
    code = document.get("errorCode")
    if isinstance(code, str):
        expected = "upper-case words joined by underscores"
        verdicts.check("E-CODE", ERROR_CODE.matches(code), expected, code, f"{pointer}/errorCode")
        sent = response.header("x-error-code")
        if sent is not None:
            expected = f"X-Error-Code equal to errorCode {code!r}"
            verdicts.check("E-CODE", sent == code, expected, sent, "/response/headers/x-error-code")


_CONTENT_TYPE = "/response/headers/content-type"


def judge_success(exchange: Exchange, reading: Reading, verdicts: Verdicts) -> tuple[Any, str] | None:
    """C-MEDIA, V-FLOOR, V-ENVELOPE, V-PRETTY and C-SCHEMA on a success.

    Return the unwrapped document and the pointer to it, or None where it could not be read, has none, or is of another
    version than the contract describes.
    """
    response, operation = exchange.response, reading.operation
    if operation.media_type is None:
        held = not response.body.strip()
        verdicts.check("C-SCHEMA", held, "an empty body", f"{len(response.body)} bytes", "/response/body")
        return None
    own = _judge_media(response, reading, verdicts)
    document = _parse(response)
    if document is _UNREADABLE:
        verdicts.failed("C-SCHEMA", "a body that is JSON", shown(response.body[:60]), "/response/body")
        return None
    _judge_pretty(response, document, reading, verdicts)
    unwrapped = _unwrap(response, document, reading, verdicts)
    if unwrapped is None or not own:
        return None
    _judge_schema(operation, *unwrapped, verdicts)
    return unwrapped if isinstance(unwrapped[0], dict) else None


def _judge_media(response: Response, reading: Reading, verdicts: Verdicts) -> bool:
    """Judge the media type of a success; return whether its body is of the version that the contract describes."""
    operation, asked = reading.operation, reading.accepts
    sent = response.content_type
    own = sent == operation.media_type
    if operation.api == "v2" and (asked.free or not asked.known):
        held = VERSIONED.matches(sent) or (asked.free and sent == JSON)
        verdicts.check("C-MEDIA", held, "a versioned media type", sent, _CONTENT_TYPE)
        return own
    requirement = "V-FLOOR" if asked.later else "C-MEDIA"
    held = verdicts.check(requirement, own, f"media type {operation.media_type}", sent, _CONTENT_TYPE)
    if held and asked.later:
        verdicts.held("C-MEDIA")
    return own or (not held and sent == JSON)


def _judge_pretty(response: Response, document: Any, reading: Reading, verdicts: Verdicts) -> None:
    if reading.pretty is None or not isinstance(document, dict | list) or not document:
        return
    lines = response.body.strip().split(b"\n")
    if reading.pretty:
        held = len(lines) > 1 and any(line[:1] in (b" ", b"\t") for line in lines[1:])
        verdicts.check("V-PRETTY", held, "indented lines with pretty=true", f"{len(lines)} lines", "/response/body")
    else:
        held = len(lines) == 1 and b"\r" not in lines[0]
        verdicts.check("V-PRETTY", held, "one line by default", f"{len(lines)} lines", "/response/body")


def _unwrap(response: Response, document: Any, reading: Reading, verdicts: Verdicts) -> tuple[Any, str] | None:
    """V-ENVELOPE: return the answer's own document and the pointer to it, or None where an envelope hides it."""
    pointer = "/response/body"
    operation = reading.operation
    key = _envelope_key(document)
    status = document.get("status") if isinstance(document, dict) else None
    wrapped = key is not None and (_is_integer(status) or "id" not in document) and "results" not in (document or {})
    if reading.envelope is None:
        return (document[key], f"{pointer}/{key}") if wrapped and key is not None else (document, pointer)
    if not reading.envelope:
        verdicts.check("V-ENVELOPE", not wrapped, "no envelope by default", "an envelope", pointer)
        return (document[key], f"{pointer}/{key}") if wrapped and key is not None else (document, pointer)
    expected = f"an integer status equal to {response.status}"
    if operation.kind == "list":
        listed = isinstance(document, dict) and isinstance(document.get("results"), list)
        held = listed and _is(status, response.status)
        verdicts.check("V-ENVELOPE", held, f"{expected} beside results", status, f"{pointer}/status")
        if not listed and wrapped and key is not None:
            return document[key], f"{pointer}/{key}"
        return document, pointer
    if key is None:
        verdicts.failed("V-ENVELOPE", "the answer's body under content or envelope", "no such object", pointer)
        return (document, pointer) if not _is_integer(status) else None
    verdicts.check("V-ENVELOPE", _is(status, response.status), expected, status, f"{pointer}/status")
    return document[key], f"{pointer}/{key}"


def _judge_schema(operation: Operation, document: Any, pointer: str, verdicts: Verdicts) -> None:
    assert operation.response_schema is not None
    errors = validator(operation.response_schema).errors(document)
    if not errors:
        verdicts.held("C-SCHEMA")
        return
    for error in errors:
        where = f"{pointer}{error.pointer}" + (f"/{error.property}" if error.property else "")
        expected = error.message if error.property is None else f"{error.property} present"
        value = _value_at(document, error.pointer)
        verdicts.value_failed("C-SCHEMA", expected, where, error.pointer, value, document)
        if error.keyword == "type":
            verdicts.mistyped(where)
        verdicts.malformed(where)


def _parse(response: Response) -> Any:
    try:
        body = response.body
        if len(body) > _LONG_BODY and body.count(b"{") + body.count(b"[") > _MOST_CONTAINERS:
            return _UNREADABLE
        return parse_json(body)
    except NotJson:
        return _UNREADABLE


def _value_at(document: Any, pointer: str) -> Any:
    value = document
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        value = value[int(token)] if isinstance(value, list) else value[token]
    return value


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is(value: Any, status: int) -> bool:
    return _is_integer(value) and value == status


def judge_bystander(exchange: Exchange, verdicts: Verdicts) -> None:
    """Judge a method that the path does not have: 404 or 405 with an error body; HEAD and OPTIONS are left free."""
    status, method = exchange.response.status, exchange.request.method
    if status >= 500:
        verdicts.failed("C-5XX", "no 5xx for any input", str(status), _STATUS)
        return
    verdicts.held("C-5XX")
    if method in ("HEAD", "OPTIONS") or status in (400, 401, 403, 429):
        return
    if verdicts.check("C-STATUS", status in (404, 405), "404 or 405 for a method that is not there", status, _STATUS):
        judge_error(exchange, verdicts, envelope=None)
