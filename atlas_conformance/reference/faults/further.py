"""Faults that cross the families of the other modules."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.bodies import INT32_MAX, POINT_FIELDS, Check
from atlas_conformance.reference.fault import NOWHERE, Class, Fault, Page
from atlas_conformance.reference.fault_parts import (
    ALL,
    SHARED,
    also_refusing,
    both,
    changing,
    excusing,
    failing,
    field_where,
    hiding,
    on_error,
    on_success,
    sound,
)
from atlas_conformance.reference.jobs import Job
from atlas_conformance.reference.messages import Answer, Call, Refusal

_PUBLISHED = ("2023-01-01", "2023-02-01", "2023-10-01", "2024-05-30", "2024-08-05", "2024-11-13", "2025-03-12")
"""Some dates at which versions were published."""


def _fault(operation: str, what: str, requirement: str, sentence: str, kind: Class, **hooks: Any) -> Fault:
    return Fault(f"{operation}/{what}", requirement, (operation,), sentence, kind, **hooks)


def _by_digest(call: Call) -> bool:
    return call.headers.get(b"authorization", b"").lower().startswith(b"digest ")


# Seen in one good response


def _running_202(backend: Backend, call: Call, answer: Answer) -> Answer:
    runs = not answer.error and call.job is not None and not call.job.is_over(call.now)
    return replace(answer, status=202) if runs else answer


def _parts_by_name(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {part["replicaSetName"]: part for part in parts}


def _rate_with_window(backend: Backend, call: Call, answer: Answer) -> Answer:
    shown = [("RateLimit-Limit", "1200, 1200;w=60"), ("RateLimit-Remaining", "1199")]
    return replace(answer, headers=[*answer.headers, *shown])


def _without_self(answer: Answer) -> Answer:
    links = [link for link in answer.document["links"] if link["rel"] != "self"]
    return replace(answer, document=answer.document | {"links": links})


def _shapes() -> Iterator[Fault]:
    yield _fault(
        "flex-get", "running-202", "C-STATUS", "A job that runs is read with 202.", "shape", answer=_running_202
    )
    yield _fault(
        "cluster-get",
        "components-object",
        "C-SCHEMA",
        "A sharded cluster's components are an object, keyed by the replica set's name.",
        "shape",
        view=changing("components", _parts_by_name),
    )
    yield _fault(
        "flex-list",
        "finished-date-missing",
        "S-FINISHED",
        "In the list, a finished job lacks restoreFinishedDate.",
        "shape",
        view=hiding("restoreFinishedDate"),
    )
    yield Fault(
        "rate/limit-with-window",
        "A-RATE",
        SHARED,
        "RateLimit-Limit names its window beside the number.",
        "shape",
        freedoms={"rate-headers": "absent"},
        answer=_rate_with_window,
    )
    yield _fault(
        "cluster-list", "no-self", "L-PAGE", "A list has no link to itself.", "shape", answer=on_success(_without_self)
    )


# Seen in one bad request


def _lower_code(answer: Answer) -> Answer:
    code = str(answer.document["errorCode"])
    return replace(answer, document=answer.document | {"errorCode": code.lower()}) if answer.status == 405 else answer


def _status_as_code(answer: Answer) -> Answer:
    shown = [(name, "HTTP_404" if name == "X-Error-Code" else value) for name, value in answer.headers]
    return replace(answer, headers=shown) if answer.status == 404 else answer


def _forbidden_is_401(answer: Answer) -> Answer:
    return replace(answer, document=answer.document | {"error": 401}) if answer.status == 403 else answer


def _undescribed(answer: Answer) -> Answer:
    detail = answer.document.get("badRequestDetail")
    if not detail or answer.document["errorCode"] != "MISSING_ATTRIBUTE":
        return answer
    fields = [one | {"description": None} for one in detail["fields"]]
    return replace(answer, document=answer.document | {"badRequestDetail": {"fields": fields}})


def _nothing_to_cancel(backend: Backend, call: Call, refusal: Refusal) -> Refusal | Answer:
    missing = refusal.code == "RESTORE_JOB_NOT_FOUND" and call.job is None
    return Answer(204, None) if missing else refusal


def _automated_by_default(backend: Backend, call: Call) -> None:
    call.fields.setdefault("deliveryType", "automated")


def _negatives() -> Iterator[Fault]:
    def fault(operation: str, what: str, requirement: str, sentence: str, **hooks: Any) -> Fault:
        return _fault(operation, what, requirement, sentence, "negative", **hooks)

    sentence = "The errorCode of a 405 is in lower case."
    yield fault(NOWHERE, "405-lower-case", "E-CODE", sentence, answer=on_error(_lower_code))
    sentence = "X-Error-Code of a 404 is HTTP_404."
    yield fault("flex-get", "404-header", "E-CODE", sentence, answer=on_error(_status_as_code))
    sentence = "The error of a 403 is 401."
    yield fault("cluster-create", "403-says-401", "E-STATUS", sentence, answer=on_error(_forbidden_is_401))
    sentence = "The description of a field that is missing is null."
    yield fault("cluster-create-v1", "missing-undescribed", "E-FIELDS", sentence, answer=on_error(_undescribed))
    sentence = "Cancelling a job that does not exist succeeds."
    yield fault("cluster-cancel", "absent-job-204", "N-JOB", sentence, refused=_nothing_to_cancel)
    required = "B-REQUIRED/deliveryType"
    automated = {required: both(_automated_by_default, sound("cluster-create", required))}
    sentence = "A deliveryType that is left out is automated."
    yield fault("cluster-create", "delivery-defaults", "T-ENUM", sentence, replace=automated)


# Seen in a combination


def _never_both(backend: Backend, call: Call) -> None:
    call.pretty = call.pretty and not call.envelope


def _plain_envelope(backend: Backend, call: Call, answer: Answer) -> Answer:
    return replace(answer, media_type="application/json") if call.envelope and not answer.error else answer


def _digest_without_query() -> Check:
    check = sound("flex-get", "A-NONE")

    def checked(backend: Backend, call: Call) -> None:
        check(backend, call)
        if call.query_string and _by_digest(call):
            raise backend.authentication.challenge(call.now)

    return checked


def _only_snapshot(call: Call) -> bool:
    return "snapshotId" in call.fields and not any(name in call.fields for name in POINT_FIELDS)


def _rules() -> Iterator[Fault]:
    yield _fault(
        "cluster-get",
        "envelope-not-pretty",
        "V-PRETTY",
        "pretty=true has no effect beside envelope=true.",
        "rule",
        request=_never_both,
    )
    yield _fault(
        "cluster-list",
        "envelope-plain-json",
        "C-MEDIA",
        "With envelope=true, a success carries application/json.",
        "rule",
        represented=_plain_envelope,
    )
    optional = "free/null-optional/targetProjectId"
    yield _fault(
        "tenant-create",
        "target-project-required",
        "B-ACCEPT",
        "A body without targetProjectId is refused.",
        "rule",
        replace={
            optional: also_refusing(
                sound("tenant-create", optional), lambda call: call.fields.get("targetProjectId") is None
            )
        },
    )
    yield _fault(
        "cluster-create-v1",
        "point-by-snapshot",
        "T-POINT",
        "A pointInTime job needs no point in time where it names a snapshot.",
        "rule",
        replace={"T-POINT/none": excusing(sound("cluster-create-v1", "T-POINT/none"), _only_snapshot)},
    )
    yield Fault(
        "digest/no-query",
        "A-DIGEST",
        ALL,
        "No digest is right where the target has a query.",
        "rule",
        replace={"A-NONE": _digest_without_query()},
    )


# Seen in several requests


def _same_again(backend: Backend, call: Call, job: Job) -> Job:
    """The same request sent twice in a row is taken for a retry."""
    path, body, job_id = backend.notes.get("last", ("", b"", ""))
    if (path, body) == (call.path, call.body):
        job = replace(job, id=job_id)
    backend.notes["last"] = (call.path, call.body, job.id)
    return job


def _remembered_target(backend: Backend, call: Call, job: Job) -> Job:
    if "targetProjectId" in call.fields:
        backend.notes["target"] = job.target_project
        return job
    return replace(job, target_project=backend.notes.get("target", job.target_project))


def _cached() -> Check:
    """Answers are kept by their target, whoever asks."""
    check = sound("cluster-get", "A-NONE")

    def checked(backend: Backend, call: Call) -> None:
        seen: set[str] = backend.notes.setdefault("seen", set())
        if b"authorization" not in call.headers and call.target in seen:
            call.role = "owner"
            return
        check(backend, call)
        seen.add(call.target)

    return checked


def _sharded_goes_on(backend: Backend, call: Call, answer: Answer) -> Answer:
    if not answer.error and call.job is not None and call.job.shards:
        backend.jobs.cancel(call.job.id, math.inf)
    return answer


def _completed_first(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
    ended: set[str] = backend.notes.setdefault("ended", set())
    if not (job.fails and job.is_over(call.now)) or job.id in ended:
        return document
    ended.add(job.id)
    return document | {"status": "COMPLETED"}


def _note_refused(backend: Backend, call: Call, refusal: Refusal) -> Refusal:
    backend.notes["refused"] = refusal.status == 400
    return refusal


def _note_taken(backend: Backend, call: Call, answer: Answer) -> Answer:
    if not answer.error:
        backend.notes["refused"] = False
    return answer


def _unless_refused(check: Check) -> Check:
    def checked(backend: Backend, call: Call) -> None:
        if not backend.notes.get("refused"):
            check(backend, call)

    return checked


def _without_failed(backend: Backend, call: Call, page: Page) -> Page:
    kept = tuple(job for job in page.jobs if not (job.fails and job.is_over(call.now)))
    return replace(page, jobs=kept)


def _stateful() -> Iterator[Fault]:
    def fault(operation: str, what: str, requirement: str, sentence: str, **hooks: Any) -> Fault:
        return _fault(operation, what, requirement, sentence, "stateful", **hooks)

    sentence = "The same request sent twice in a row earns the same id."
    yield fault("flex-create", "same-request-same-id", "S-NEW", sentence, job=_same_again)
    sentence = "If targetProjectId is absent, the endpoint takes the last one that was sent."
    yield fault("tenant-create", "target-project-remembered", "S-ECHO", sentence, job=_remembered_target)
    sentence = "What was read once shows to callers without credentials."
    yield fault("cluster-get", "read-once-shown", "A-NONE", sentence, replace={"A-NONE": _cached()})
    sentence = "A job shows through another project's cluster of the same name."
    yield fault("flex-get", "same-name", "L-SCOPE", sentence, skip=frozenset({"L-SCOPE/project"}))
    sentence = "A sharded cluster's job goes on after it was cancelled."
    yield fault("cluster-cancel", "sharded-goes-on", "T-CANCEL", sentence, answer=_sharded_goes_on)
    sentence = "A failed job is COMPLETED on its first read after its end."
    yield fault("flex-get", "completed-then-failed", "S-FLOW", sentence, view=_completed_first)
    yield fault(
        "cluster-create-v1",
        "unchecked-after-refusal",
        "N-SNAPSHOT",
        "The snapshot is not looked up right after a create that was refused with 400.",
        replace={"N-SNAPSHOT": _unless_refused(sound("cluster-create-v1", "N-SNAPSHOT"))},
        refused=_note_refused,
        answer=_note_taken,
    )
    yield fault("flex-list", "failed-omitted", "L-FOUND", "A failed job is not in the list.", listing=_without_failed)


# Seen in a rare value


def _cut(name: str) -> str:
    return name[:63]


def _falsy_left_out(backend: Backend, call: Call) -> None:
    value = call.fields.get("targetProjectId")
    if value is not None and not value and not isinstance(value, str):
        del call.fields["targetProjectId"]


def _uncounted_is_first(backend: Backend, call: Call, page: Page) -> Page:
    if call.parameter("includeCount") != "false" or page.number == 1:
        return page
    order = backend.free["list-order"]
    found = backend.jobs.page(call.project, call.cluster_name, order, page.items, 0)
    return replace(page, jobs=tuple(found))


def _unpublished(backend: Backend, call: Call) -> None:
    accepted = [one.partition(";")[0].strip().lower() for one in (call.accept or "*/*").split(",")]
    known = {f"application/vnd.atlas.{day}+json" for day in _PUBLISHED}
    if not (known | {"*/*", "application/*", "application/json"}).intersection(accepted):
        raise Refusal(406, "NOT_ACCEPTABLE", "There is no such version.")


def _subtle() -> Iterator[Fault]:
    def fault(operation: str, what: str, requirement: str, sentence: str, **hooks: Any) -> Fault:
        return _fault(operation, what, requirement, sentence, "subtle", **hooks)

    def too_large(value: Any) -> bool:
        return type(value) is int and value > INT32_MAX

    def first(operation: str, step: str, check: Check) -> dict[str, Check]:
        return {step: both(check, sound(operation, step))}

    limit, typed = "B-RANGE/oplogTs/maximum", "B-TYPE/targetProjectId"
    overflow = first("cluster-create", limit, failing(field_where("oplogTs", too_large)))
    sentence = "An oplogTs beyond int32 ends in a 500."
    yield fault("cluster-create", "oplogTs-overflow-500", "C-5XX", sentence, replace=overflow)
    falsy = first("flex-create", typed, _falsy_left_out)
    sentence = "false, 0, [] and {} are taken for a targetProjectId that is left out."
    yield fault("flex-create", "targetProjectId-falsy", "B-TYPE", sentence, replace=falsy)
    sentence = "A target's name of 64 letters is shown without its last."
    yield fault("cluster-create", "long-target-cut", "T-ECHO", sentence, view=changing("targetClusterName", _cut))
    sentence = "With includeCount=false, every page is the first."
    yield fault("cluster-list", "uncounted-first-page", "L-PAGE", sentence, listing=_uncounted_is_first)
    published = both(sound("cluster-get", "V-FLOOR"), _unpublished)
    sentence = "Of the published versions that are later than the resource's, some are refused."
    yield fault("cluster-get", "published-dates-only", "V-FLOOR", sentence, replace={"V-FLOOR": published})
    lenient = excusing(sound("cluster-create", "A-ROLE"), _by_digest)
    sentence = "A reader may create a job with a digest."
    yield fault("cluster-create", "reader-by-digest", "A-ROLE", sentence, replace={"A-ROLE": lenient})


FAULTS: tuple[Fault, ...] = (*_shapes(), *_negatives(), *_rules(), *_stateful(), *_subtle())
"""Faults of this family."""
