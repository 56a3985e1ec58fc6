"""E-*: what an error answer says."""

from __future__ import annotations

import http
from collections.abc import Sequence

from atlas_conformance.contracts.media import JSON
from atlas_conformance.contracts.outcomes import HELD, Failure, Outcome, holds, shown
from atlas_conformance.contracts.patterns import compile_pattern
from atlas_conformance.contracts.pointers import schema_failure
from atlas_conformance.contracts.rulebook import rule
from atlas_conformance.contracts.validation import SchemaError
from atlas_conformance.contracts.views import (
    ANYWHERE,
    CONTENT_TYPE,
    GONE,
    TOO_LARGE,
    UNREADABLE,
    ErrorView,
    is_integer,
    unread,
)

NAMED: frozenset[int] = frozenset({400, 401, 403, 404, 409, GONE, 500, 503}) | ANYWHERE | TOO_LARGE
"""Error statuses that the contract names; what the reason of another one should be says nothing."""
ERROR_CODE = compile_pattern("^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$")


def reason_phrases(status: int) -> frozenset[str]:
    """Return the standard phrases of a status code; empty where the contract leaves the phrase open."""
    if status == 413:
        return frozenset()
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        return frozenset()
    return frozenset({"URI Too Long", "Request-URI Too Long"}) if status == 414 else frozenset({phrase})


@rule("C-MEDIA", on=ErrorView)
def an_error_is_json(error: ErrorView) -> Outcome | None:
    """An error carries `application/json`."""
    sent = error.response.header("content-type")
    return holds(error.response.content_type == JSON, f"an error as {JSON}", sent, CONTENT_TYPE)


@rule("V-ENVELOPE", on=ErrorView)
def an_envelope_tells_the_status_of_the_error(error: ErrorView) -> Outcome | None:
    """An error in an envelope stands beside its status."""
    if error.key is not None:
        told, status = error.whole.get("status"), error.response.status
        held = is_integer(told) and told == status
        return holds(held, f"status {status} in the envelope of an error", told, "/response/body/status")
    return None


def _on_a_field(found: SchemaError) -> bool:
    return found.pointer.startswith("/badRequestDetail/fields/")


@rule("E-SCHEMA", on=ErrorView)
def an_error_holds_to_its_schema(error: ErrorView) -> Outcome | Sequence[Outcome]:
    """An error body is a JSON object that holds to the error schema."""
    if not isinstance(error.document, dict):
        seen = unread(error.response) if error.document is UNREADABLE else f"{shown(error.document)}, not an object"
        return Failure("an error body that is a JSON object", seen, error.pointer)
    if not error.errors:
        return HELD
    return [schema_failure(error.document, error.pointer, found) for found in error.errors if not _on_a_field(found)]


@rule("E-FIELDS", on=ErrorView)
def each_bad_field_is_described(error: ErrorView) -> Sequence[Outcome] | None:
    """Each entry of `badRequestDetail.fields` tells, in strings, the field and what is wrong with it."""
    detail = error.member("badRequestDetail")
    if not isinstance(detail, dict):
        return None
    failures = [schema_failure(error.document, error.pointer, found) for found in error.errors if _on_a_field(found)]
    return [*failures, HELD] if detail.get("fields") else failures


@rule("E-STATUS", on=ErrorView)
def the_error_number_is_the_status(error: ErrorView) -> Outcome | None:
    """The error number in the body is the HTTP status code."""
    number, status = error.member("error"), error.response.status
    if isinstance(number, int | float) and not isinstance(number, bool):
        return holds(number == status, f"error equal to the status {status}", number, f"{error.pointer}/error")
    return None


@rule("E-REASON", on=ErrorView)
def the_reason_is_the_standard_phrase(error: ErrorView) -> Outcome | None:
    """A reason is the standard phrase of the status code."""
    reason, status = error.member("reason"), error.response.status
    phrases = reason_phrases(status) if status in NAMED else frozenset()
    if isinstance(reason, str) and phrases:
        return holds(reason in phrases, f"the standard phrase {min(phrases)!r}", reason, f"{error.pointer}/reason")
    return None


@rule("E-CODE", on=ErrorView)
def the_error_code_is_words_in_upper_case(error: ErrorView) -> Outcome | Sequence[Outcome] | None:
    """An errorCode is upper-case words joined by underscores, which the header `X-Error-Code` repeats where sent."""
    code = error.member("errorCode")
    if not isinstance(code, str):
        return None
    pointer = f"{error.pointer}/errorCode"
    words = holds(ERROR_CODE.matches(code), "upper-case words joined by underscores", code, pointer)
    sent = error.response.header("x-error-code")
    if sent is None or (sent == code and words is HELD):
        return words
    expected = f"X-Error-Code equal to errorCode {code!r}"
    return [words, holds(sent == code, expected, sent, "/response/headers/x-error-code")]
