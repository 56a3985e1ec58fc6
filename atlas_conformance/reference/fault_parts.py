"""Building blocks of faults: checks that excuse a case, normalise a value, or notice nothing, and views that change one
property.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.resources import Resource
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.bodies import Check
from atlas_conformance.reference.documents import rfc3339
from atlas_conformance.reference.freedoms import resolve
from atlas_conformance.reference.jobs import Job
from atlas_conformance.reference.messages import Answer, Call, Refusal
from atlas_conformance.reference.steps import pipeline

View = Callable[[Backend, Call, Job, dict[str, Any]], dict[str, Any]]

ALL = tuple(Contract.load().operations)
_JOBS = tuple(
    one for one in Contract.load().operations.values() if one.resource.what == "job" and one.level != "workflow"
)
CREATES = tuple(one.id for one in _JOBS if one.kind == "create")
READS = tuple(one.id for one in _JOBS if one.kind == "get")
SHARED = ("flex-create", "tenant-create")
DEDICATED = ("cluster-create", "cluster-create-v1")
SHARED_READS = ("flex-get", "tenant-get")
DEDICATED_READS = ("cluster-get", "cluster-get-v1")


def resource_of(operation: str) -> Resource:
    """Return what an operation is about."""
    return Contract.load().operations[operation].resource


def is_there(kind: str, resource: Resource) -> bool:
    """Tell whether there is an operation of a kind (create, list, delete, ...) on a resource, in whatever version."""
    return Contract.load().find(resource.name, kind) is not None


def sound(operation: str, step: str) -> Check:
    """Return the sound check of an operation's step; raises KeyError where there is none."""
    return steps_of(operation)[step]


def steps_of(operation: str) -> Mapping[str, Check]:
    """Return the sound checks of an operation by the names of their steps."""
    return {one.name: one.check for one in pipeline(Contract.load().operations[operation], resolve({}))}


def excusing(check: Check, excused: Callable[[Call], bool]) -> Check:
    """Return a check that lets the excused calls pass."""

    def lenient(backend: Backend, call: Call) -> None:
        if not excused(call):
            check(backend, call)

    return lenient


def field_where(name: str, wanted: Callable[[Any], bool]) -> Callable[[Call], bool]:
    """Return what tells whether a body has a field with such a value."""
    return lambda call: name in call.fields and wanted(call.fields[name])


def normalising(name: str, change: Callable[[Any], Any], check: Check) -> Check:
    """Return a check that first changes a field's value, as a server does that cleans up what it gets."""

    def cleaning(backend: Backend, call: Call) -> None:
        if name in call.fields:
            call.fields[name] = change(call.fields[name])
        check(backend, call)

    return cleaning


def also_refusing(check: Check, refused: Callable[[Call], bool]) -> Check:
    """Return a check that refuses more than it should."""

    def strict(backend: Backend, call: Call) -> None:
        check(backend, call)
        if refused(call):
            raise Refusal(400, "INVALID_ATTRIBUTE", "The request has a value that is not allowed.")

    return strict


def failing(when: Callable[[Call], bool]) -> Check:
    """Return a check that ends in a 500 where `when` holds, as an uncaught exception does."""

    def break_down(backend: Backend, call: Call) -> None:
        if when(call):
            raise Refusal(500, "UNEXPECTED_ERROR", "The endpoint failed.")

    return break_down


def restated(check: Check, status: int) -> Check:
    """Return a check that refuses what it refuses with another status."""

    def other(backend: Backend, call: Call) -> None:
        try:
            check(backend, call)
        except Refusal as refusal:
            refusal.status = status
            raise

    return other


def both(first: Check, second: Check) -> Check:
    """Return a check that runs two."""

    def check(backend: Backend, call: Call) -> None:
        first(backend, call)
        second(backend, call)

    return check


def showing(**changed: Any) -> View:
    """Return a view that sets properties to fixed values."""
    return lambda backend, call, job, document: document | changed


def hiding(*names: str) -> View:
    """Return a view that leaves properties out."""
    return lambda backend, call, job, document: {key: value for key, value in document.items() if key not in names}


def changing(name: str, change: Callable[[Any], Any]) -> View:
    """Return a view that changes one property where it is shown."""

    def view(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
        return document | {name: change(document[name])} if name in document else document

    return view


def on_reads_after(reads: int, view: View) -> View:
    """Return a view that acts only after a job was shown a number of times, its create's answer included."""

    def late(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
        return view(backend, call, job, document) if backend.reads[job.id] > reads else document

    return late


def when(condition: Callable[[Job], bool], view: View) -> View:
    """Return a view that acts on some jobs only."""

    def some(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
        return view(backend, call, job, document) if condition(job) else document

    return some


def shifted(seconds: float) -> Callable[[str], str]:
    """Return what moves an RFC 3339 time of whole seconds."""

    def shift(text: str) -> str:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        return rfc3339((moment + timedelta(seconds=seconds)).timestamp())

    return shift


def on_success(change: Callable[[Answer], Answer]) -> Callable[[Backend, Call, Answer], Answer]:
    """Return an answer hook that acts on successes alone."""
    return lambda backend, call, answer: answer if answer.error else change(answer)


def on_error(change: Callable[[Answer], Answer]) -> Callable[[Backend, Call, Answer], Answer]:
    """Return an answer hook that acts on errors alone."""
    return lambda backend, call, answer: change(answer) if answer.error else answer


def after_end(view: View) -> View:
    """Return a view that acts once a job has ended."""

    def after(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
        return view(backend, call, job, document) if job.is_over(call.now) else document

    return after


def drifting(name: str) -> View:
    """Return a view in which a time moves by a second a read."""

    def view(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
        moved = shifted(backend.reads[job.id] - 1)
        return document | {name: moved(document[name])} if name in document else document

    return view
