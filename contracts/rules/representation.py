"""C-MEDIA, C-SCHEMA, V-FLOOR, V-SUNSET, V-ENVELOPE, V-PRETTY: the form of a success."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from atlas_conformance.contracts.dates import http_instant
from atlas_conformance.contracts.doubled import doubled_name
from atlas_conformance.contracts.exchange import Response
from atlas_conformance.contracts.media import JSON, VERSIONED
from atlas_conformance.contracts.outcomes import HELD, Failure, Outcome, holds, shown
from atlas_conformance.contracts.pointers import schema_failure
from atlas_conformance.contracts.rulebook import rule
from atlas_conformance.contracts.views import (
    BODY,
    CONTENT_TYPE,
    STATUS,
    UNREADABLE,
    EmptyView,
    ErrorView,
    RequestView,
    SuccessView,
    is_integer,
    unread,
)


@rule("V-ENVELOPE", on=RequestView)
def an_envelope_hides_no_error(view: RequestView) -> Outcome | None:
    """An error in an envelope keeps its own HTTP status."""
    hidden = view.hidden_error
    if hidden is not None:
        expected = "the HTTP status that the error has without an envelope"
        return Failure(expected, f"{view.status} around the error {shown(hidden[0])}", STATUS)
    return None


@rule("C-SCHEMA", on=EmptyView)
def an_answer_without_a_body_has_none(view: EmptyView) -> Outcome | None:
    """Where a success has no body, it is empty."""
    body = view.response.body
    return holds(not body.strip(), "an empty body", f"{len(body)} bytes", BODY)


@rule("C-MEDIA", on=SuccessView)
def a_success_carries_its_media_type(view: SuccessView) -> Outcome | None:
    """A success of v2 carries the operation's versioned media type, one of v1.0 `application/json`."""
    sent, asked = view.response.content_type, view.reading.accepts
    if view.open_version:
        held = VERSIONED.matches(sent) or (asked.free and sent == JSON)
        return holds(held, "a versioned media type", sent, CONTENT_TYPE)
    if not asked.later and not asked.unpublished:
        return holds(view.own_version, f"media type {view.reading.operation.media_type}", sent, CONTENT_TYPE)
    if view.own_version:
        return HELD
    return None


@rule("V-FLOOR", on=SuccessView)
def a_later_version_is_answered_with_the_own(view: SuccessView) -> Outcome | None:
    """Asked for a later version, the endpoint answers with the resource's own; 406 for one never published conforms."""
    asked = view.reading.accepts
    if (asked.later or asked.unpublished) and not view.open_version:
        expected = f"media type {view.reading.operation.media_type}"
        return holds(view.own_version, expected, view.response.content_type, CONTENT_TYPE)
    return None


@rule("V-SUNSET", on=Response)
def deprecation_and_sunset_are_dates_in_order(response: Response) -> Iterator[Outcome]:
    """`Deprecation` and `Sunset` are HTTP dates, where they are sent, and the second is not before the first."""
    dates: dict[str, datetime] = {}
    for name in ("Deprecation", "Sunset"):
        value = response.header(name)
        if value is not None:
            date = http_instant(value.strip())
            yield holds(date is not None, f"{name} as an HTTP date", value, f"/response/headers/{name.lower()}")
            if date is not None:
                dates[name] = date
    if len(dates) == 2 and dates["Sunset"] < dates["Deprecation"]:
        expected = f"Sunset not before Deprecation, {response.header('deprecation')}"
        yield holds(False, expected, response.header("sunset"), "/response/headers/sunset")


@rule("C-SCHEMA", on=SuccessView)
def a_success_is_json(view: SuccessView) -> Outcome | None:
    """The body of a success is JSON."""
    if view.document is UNREADABLE:
        return Failure("a body that is JSON", unread(view.response), BODY)
    return None


@rule("C-SCHEMA", on=SuccessView)
def a_success_names_each_property_once(view: SuccessView) -> Outcome | None:
    """No object of a body names a property twice: nobody can say which value holds."""
    return _named_twice(view.response.body, view.document)


@rule("E-SCHEMA", on=ErrorView)
def an_error_names_each_property_once(error: ErrorView) -> Outcome | None:
    """No object of an error body names a property twice."""
    return _named_twice(error.response.body, error.whole)


def _named_twice(body: bytes, document: object) -> Outcome | None:
    name = doubled_name(body, document) if isinstance(document, dict | list) else None
    return None if name is None else Failure("each property once", f"{shown(name)} twice", BODY)


@rule("V-PRETTY", on=SuccessView)
def only_a_pretty_answer_has_several_lines(view: SuccessView) -> Outcome | None:
    """With `pretty=true` the JSON is spread over indented lines; otherwise it stands on one line."""
    document, pretty = view.document, view.reading.pretty
    if pretty is None or not isinstance(document, dict | list) or not document:
        return None
    lines = view.response.body.strip().split(b"\n")
    if pretty:
        held = len(lines) > 1 and any(line[:1] in (b" ", b"\t") for line in lines[1:])
        return holds(held, "indented lines with pretty=true", _lines(lines), BODY)
    return holds(len(lines) == 1 and b"\r" not in lines[0], "one line by default", _lines(lines), BODY)


def _lines(lines: list[bytes]) -> str:
    return "one line" if len(lines) == 1 else f"{len(lines)} lines"


@rule("V-ENVELOPE", on=SuccessView)
def only_an_enveloped_answer_is_wrapped(view: SuccessView) -> Outcome | None:
    """With `envelope=true` the answer stands beside its status; otherwise nothing is wrapped."""
    envelope, status = view.reading.envelope, view.response.status
    if view.document is UNREADABLE or envelope is None:
        return None
    if not envelope:
        return holds(not view.wrapped, "no envelope by default", "an envelope", BODY)
        return None
    told = view.shown_status
    held = is_integer(told) and told == status
    expected = f"an integer status equal to {status}"
    if view.reading.operation.kind == "list":
        # A page without results, enveloped or not, lacks them by L-PAGE.
        return holds((view.lists or view.key is None) and held, f"{expected} beside results", told, f"{BODY}/status")
    if view.key is None:
        return Failure("the answer's body under content or envelope", "no such object", BODY)
    return holds(held, expected, told, f"{BODY}/status")


@rule("C-SCHEMA", on=SuccessView)
def a_success_holds_to_its_schema(view: SuccessView) -> Outcome | Sequence[Outcome] | None:
    """The body of a success holds to the operation's response schema."""
    schema = view.reading.operation.response_schema
    if view.unwrapped is None or not view.described or schema is None:
        return None
    document, pointer = view.unwrapped
    errors = view.contract.validator(schema).errors(document)
    if not errors:
        return HELD
    return [schema_failure(document, pointer, error, malformed=True) for error in errors]
