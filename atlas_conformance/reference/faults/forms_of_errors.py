"""Faults of errors that show only with `envelope` or `pretty`, and of a 204 with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import orjson

from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.fault import Class, Fault
from atlas_conformance.reference.messages import Answer, Call

_Change = Callable[[Answer], Answer]
_CONFUSED = {400: (404, "Not Found"), 404: (400, "Bad Request")}


def _fault(operation: str, what: str, requirement: str, sentence: str, kind: Class = "rule", **hooks: Any) -> Fault:
    return Fault(f"{operation}/{what}", requirement, (operation,), sentence, kind, **hooks)


def _errors(flag: str, change: _Change) -> Callable[[Backend, Call, Answer], Answer]:
    return lambda backend, call, answer: change(answer) if answer.error and getattr(call, flag) else answer


def _without_code(answer: Answer) -> Answer:
    return replace(answer, document={key: value for key, value in answer.document.items() if key != "errorCode"})


def _without_detail(answer: Answer) -> Answer:
    return replace(answer, document={key: value for key, value in answer.document.items() if key != "detail"})


def _as_text(answer: Answer) -> Answer:
    return replace(answer, document=answer.document | {"error": str(answer.status)})


def _confused(answer: Answer) -> Answer:
    if answer.status not in _CONFUSED:
        return answer
    status, reason = _CONFUSED[answer.status]
    document = answer.document | {"error": status} | ({"reason": reason} if "reason" in answer.document else {})
    return replace(answer, status=status, document=document)


def _html(answer: Answer) -> Answer:
    return replace(answer, media_type="text/html")


def _on_one_line(backend: Backend, call: Call, answer: Answer, body: bytes) -> bytes:
    return orjson.dumps(answer.document) if answer.error and answer.document is not None else body


def _indented(backend: Backend, call: Call, answer: Answer, body: bytes) -> bytes:
    if not answer.error or answer.document is None:
        return body
    return orjson.dumps(answer.document, option=orjson.OPT_INDENT_2)


def _says_204(backend: Backend, call: Call, answer: Answer) -> Answer:
    return replace(answer, status=200, document={"status": 204}) if call.envelope and answer.status == 204 else answer


def _faults() -> Iterator[Fault]:
    for operation in ("flex-get", "cluster-create", "snapshot-list"):
        sentence = "With pretty=true an error has no errorCode."
        yield _fault(operation, "pretty-error-codeless", "V-PRETTY", sentence, answer=_errors("pretty", _without_code))
    for operation in ("tenant-create", "sharded-snapshot-get"):
        sentence = "In an envelope the number of an error is a string."
        yield _fault(operation, "enveloped-error-text", "E-SCHEMA", sentence, answer=_errors("envelope", _as_text))
    for operation in ("cluster-get", "flex-download"):
        sentence = "With envelope=true an error is HTML."
        yield _fault(operation, "enveloped-error-html", "C-MEDIA", sentence, represented=_errors("envelope", _html))
    for operation in ("flex-list", "snapshot-take"):
        sentence = "With envelope=true a malformed project is answered with another status."
        changed = _errors("envelope", _confused)
        yield _fault(operation, "enveloped-error-status", "V-ENVELOPE", sentence, answer=changed)
    for operation in ("cluster-cancel", "flex-create"):
        sentence = "With pretty=true an error lacks its detail."
        yield _fault(operation, "pretty-error-shorter", "V-PRETTY", sentence, answer=_errors("pretty", _without_detail))
    for operation in ("cluster-list", "flex-snapshot-get", "cluster-create-v1"):
        sentence = "With pretty=true an error stands on one line, as no other error does."
        yield _fault(operation, "error-never-pretty", "V-PRETTY", sentence, encoded=_on_one_line)
    yield _fault("tenant-get", "error-always-pretty", "V-PRETTY", "Every error is indented.", encoded=_indented)
    sentence = "With envelope=true a success is 200, with its status in an envelope."
    yield _fault("cluster-cancel", "enveloped-204", "C-STATUS", sentence, answer=_says_204)


FAULTS: tuple[Fault, ...] = tuple(_faults())
"""Faults of this family."""
