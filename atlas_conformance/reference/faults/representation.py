"""Faults in statuses, media types, versions, envelopes and error bodies (`C-*`, `V-*`, `E-*`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.resources import DEDICATED_JOB, FLEX_JOB, TENANT_JOB, Resource
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.fault import NOWHERE, Class, Fault
from atlas_conformance.reference.fault_parts import (
    ALL,
    CREATES,
    View,
    changing,
    hiding,
    on_error,
    on_success,
    resource_of,
)
from atlas_conformance.reference.messages import Answer, Call

WITH_BODY = tuple(operation for operation in ALL if operation not in ("cluster-cancel", "snapshot-delete"))
LISTS = ("flex-list", "cluster-list")
ONE_JOB = tuple(
    operation
    for operation in WITH_BODY
    if operation not in LISTS and Contract.load().operations[operation].resource.what == "job"
)
_TOLD = ("snapshotFinishedDate", "timestamp", "totalCount", "expiresAt", "expiration")
"""Of each kind of document a property that its other forms show too, at the latest once it has ended."""


_DATE_AS_NUMBER: tuple[tuple[str, str, str, View], ...] = (
    ("date-number", "C-SCHEMA", "expirationDate is a number.", changing("expirationDate", lambda text: 1_700_000_000)),
)
_OF_A_JOB: Mapping[Resource, tuple[tuple[str, str, str, View], ...]] = {
    FLEX_JOB: _DATE_AS_NUMBER,
    TENANT_JOB: _DATE_AS_NUMBER,
    DEDICATED_JOB: (
        ("failed-text", "C-SCHEMA", "failed is a string.", changing("failed", lambda value: str(value).lower())),
        ("no-delivery", "C-SCHEMA", "deliveryType is left out.", hiding("deliveryType")),
        (
            "timestamp-local",
            "T-TIME",
            "timestamp has no time zone.",
            changing("timestamp", lambda text: text.removesuffix("Z")),
        ),
    ),
}
"""Faults in the document of one job, by its resource: (what, requirement, sentence, view)."""


def _fault(operation: str, what: str, requirement: str, sentence: str, kind: Class, **hooks: Any) -> Fault:
    return Fault(f"{operation}/{what}", requirement, (operation,), sentence, kind, **hooks)


def _media(media_type: str) -> Callable[[Answer], Answer]:
    return lambda answer: replace(answer, media_type=media_type)


def _status(status: int) -> Callable[[Answer], Answer]:
    return lambda answer: replace(answer, status=status)


def _asked_version(backend: Backend, call: Call, answer: Answer) -> Answer:
    """The media type that was asked for is repeated, whatever exists."""
    asked = call.accept.partition(",")[0].partition(";")[0].strip()
    if answer.error or not asked.startswith("application/vnd.atlas."):
        return answer
    return replace(answer, media_type=asked)


def _refusing_later(backend: Backend, call: Call, answer: Answer) -> Answer:
    operation = call.operation
    later = call.accept.startswith("application/vnd.atlas.") and operation is not None
    if answer.error or not later or call.accept.startswith(str(operation.media_type if operation else "")):
        return answer
    return Answer(406, {"error": 406, "errorCode": "NOT_ACCEPTABLE", "reason": "Not Acceptable"}, error=True)


def _statuses_and_types() -> Iterator[Fault]:
    for operation in WITH_BODY:
        v2 = Contract.load().operations[operation].api == "v2"
        if v2:
            yield _fault(
                operation,
                "plain-json",
                "C-MEDIA",
                "A success carries application/json.",
                "shape",
                answer=on_success(_media("application/json")),
            )
            yield _fault(
                operation,
                "repeats-version",
                "V-FLOOR",
                "A success carries the version that was asked for.",
                "rule",
                answer=_asked_version,
            )
            yield _fault(
                operation,
                "later-version-refused",
                "V-FLOOR",
                "A later version than the resource's is refused.",
                "rule",
                answer=_refusing_later,
            )
        else:
            yield _fault(
                operation,
                "versioned",
                "C-MEDIA",
                "A success of v1.0 carries a versioned media type.",
                "shape",
                answer=on_success(_media("application/vnd.atlas.2023-01-01+json")),
            )
        yield _fault(
            operation,
            "error-html",
            "C-MEDIA",
            "An error carries text/html.",
            "negative",
            answer=on_error(_media("text/html")),
        )
        yield _fault(
            operation, "envelope-ignored", "V-ENVELOPE", "envelope=true has no effect.", "rule", request=_no_envelope
        )
        yield _fault(
            operation,
            "envelope-status-text",
            "V-ENVELOPE",
            "The envelope's status is a string.",
            "rule",
            represented=_in_envelope(lambda document: document | {"status": str(document["status"])}),
        )
        yield _fault(operation, "pretty-ignored", "V-PRETTY", "pretty=true has no effect.", "rule", request=_not_pretty)
        yield _fault(
            operation,
            "always-pretty",
            "V-PRETTY",
            "Bodies are always spread over lines.",
            "shape",
            request=lambda backend, call: setattr(call, "pretty", True),
        )
        yield _fault(
            operation, "pretty-loses", "V-PRETTY", "A pretty body lacks a property.", "rule", represented=_pretty_loses
        )
    for operation in CREATES:
        yield _fault(
            operation,
            "created-201",
            "C-STATUS",
            "A create is answered with 201.",
            "shape",
            answer=on_success(_status(201)),
        )
        yield _fault(
            operation,
            "refused-422",
            "C-STATUS",
            "A body that is refused is answered with 422.",
            "negative",
            answer=on_error(lambda answer: replace(answer, status=422, document=answer.document | {"error": 422})),
        )
        yield _fault(
            operation,
            "envelope-http-200",
            "V-ENVELOPE",
            "With an envelope, the envelope's status is 201.",
            "subtle",
            represented=_in_envelope(lambda document: document | {"status": 201}),
        )
        yield _fault(
            operation,
            "null-links",
            "C-SCHEMA",
            "links is null.",
            "shape",
            view=lambda backend, call, job, document: document | {"links": None},
        )
    for operation in ONE_JOB:
        yield _fault(
            operation,
            "id-number",
            "C-SCHEMA",
            "The id is not 24 digits.",
            "shape",
            view=changing("id", lambda value: value[:23]),
        )
        for what, requirement, sentence, view in _OF_A_JOB[resource_of(operation)]:
            yield _fault(operation, what, requirement, sentence, "shape", view=view)
    for operation in LISTS:
        yield _fault(
            operation,
            "bare-array",
            "C-SCHEMA",
            "A list is an array.",
            "shape",
            answer=on_success(lambda answer: replace(answer, document=answer.document["results"])),
        )
        yield _fault(
            operation,
            "list-wrapped",
            "V-ENVELOPE",
            "A list is wrapped and has no status beside its results.",
            "rule",
            represented=_in_envelope(
                lambda document: {key: value for key, value in document.items() if key != "status"}
            ),
        )
    yield Fault(
        "cluster-cancel/200",
        "C-STATUS",
        ("cluster-cancel",),
        "A cancel is answered with 200.",
        "shape",
        answer=on_success(lambda answer: Answer(200, {}, "application/vnd.atlas.2023-01-01+json")),
    )


def _no_envelope(backend: Backend, call: Call) -> None:
    call.envelope = False


def _not_pretty(backend: Backend, call: Call) -> None:
    call.pretty = False


def _in_envelope(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Backend, Call, Answer], Answer]:
    def represented(backend: Backend, call: Call, answer: Answer) -> Answer:
        wrapped = call.envelope and not answer.error and answer.document is not None
        return replace(answer, document=change(answer.document)) if wrapped else answer

    return represented


def _pretty_loses(backend: Backend, call: Call, answer: Answer) -> Answer:
    if not call.pretty or answer.error:
        return answer
    kept = dict(answer.document)
    at_once = call.operation is not None and call.operation.kind == "create"
    for name in ("snapshotType", *_TOLD) if at_once else _TOLD:
        if kept.pop(name, None) is not None:
            return replace(answer, document=kept)
    return replace(answer, document=kept | {"results": kept["results"][:-1]} if "results" in kept else kept)


def _edited(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Backend, Call, Answer], Answer]:
    return on_error(lambda answer: replace(answer, document=change(dict(answer.document))))


def _without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda document: {key: value for key, value in document.items() if key != name}


def _bare_fields(document: dict[str, Any]) -> dict[str, Any]:
    detail = document.get("badRequestDetail")
    if not detail:
        return document
    return document | {"badRequestDetail": {"fields": [{"field": one["field"]} for one in detail["fields"]]}}


def _text_fields(document: dict[str, Any]) -> dict[str, Any]:
    detail = document.get("badRequestDetail")
    if not detail:
        return document
    return document | {"badRequestDetail": {"fields": [one | {"field": [one["field"]]} for one in detail["fields"]]}}


def _header_differs(backend: Backend, call: Call, answer: Answer) -> Answer:
    headers = [(name, "OTHER_CODE" if name == "X-Error-Code" else value) for name, value in answer.headers]
    return replace(answer, headers=headers)


def _errors() -> Iterator[Fault]:
    edits: tuple[tuple[str, str, str, Callable[[dict[str, Any]], dict[str, Any]]], ...] = (
        ("error-no-code", "E-SCHEMA", "An error lacks errorCode.", _without("errorCode")),
        ("error-no-error", "E-SCHEMA", "An error lacks error.", _without("error")),
        ("error-text", "E-SCHEMA", "error is a string.", lambda body: body | {"error": str(body["error"])}),
        ("error-other-status", "E-STATUS", "error is 500, whatever the status.", lambda body: body | {"error": 500}),
        ("reason-of-400", "E-REASON", "reason is always Bad Request.", lambda body: body | {"reason": "Bad request"}),
        (
            "code-words",
            "E-CODE",
            "errorCode is in lower case.",
            lambda body: body | {"errorCode": body["errorCode"].lower()},
        ),
    )
    for operation in ALL:
        for what, requirement, sentence, edit in edits:
            yield _fault(operation, what, requirement, sentence, "negative", answer=_edited(edit))
        yield _fault(
            operation, "code-header", "E-CODE", "X-Error-Code is another code.", "negative", answer=_header_differs
        )
    for operation in CREATES:
        yield _fault(
            operation,
            "fields-bare",
            "E-FIELDS",
            "A field of badRequestDetail has no description.",
            "negative",
            answer=_edited(_bare_fields),
        )
        yield _fault(
            operation,
            "fields-list",
            "E-FIELDS",
            "A field of badRequestDetail is an array.",
            "negative",
            answer=_edited(_text_fields),
        )
        yield _fault(
            operation,
            "404-by-hand",
            "E-SCHEMA",
            "A 404 is built by hand, without errorCode.",
            "negative",
            answer=_edited(lambda body: {"error": 404, "message": "not found"} if body["error"] == 404 else body),
        )
        yield _fault(
            operation,
            "error-array",
            "E-SCHEMA",
            "An error body is an array.",
            "subtle",
            encoded=lambda backend, call, answer, body: orjson.dumps([answer.document]) if answer.error else body,
        )
    yield Fault(
        "nowhere/405-text",
        "E-SCHEMA",
        (NOWHERE,),
        "A method that a path lacks earns an empty object.",
        "negative",
        answer=on_error(lambda answer: replace(answer, document={}) if answer.status in {404, 405} else answer),
    )


FAULTS: tuple[Fault, ...] = (*_statuses_and_types(), *_errors())
"""Faults of this family."""
