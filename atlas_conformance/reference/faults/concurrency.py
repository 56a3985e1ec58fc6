"""Faults that show only when calls overlap: two writers, a stale reader, a shared variable, a server under pressure.

Every call to an endpoint with such a fault is held open for a moment (`Fault.pause`), and knows the calls that were
open beside it. A client that waits for each answer never has any.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reference.authentication import TOKEN_PATH
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.fault import Fault, Page
from atlas_conformance.reference.fault_parts import ALL, both, excusing, failing, shifted, sound
from atlas_conformance.reference.jobs import Job
from atlas_conformance.reference.messages import Answer, Call
from atlas_conformance.reference.resources import job_document

PAUSE = 0.01
"""Seconds for which a call is held open."""

_FAR = 1e9


def _fault(operation: str, what: str, requirement: str, sentence: str, **hooks: Any) -> Fault:
    return Fault(f"{operation}/{what}", requirement, (operation,), sentence, "concurrent", pause=PAUSE, **hooks)


def creates_beside(call: Call) -> list[Call]:
    """Return the creates that were open at the same time."""
    return [other for other in call.beside if other.method == "POST" and other.path != TOKEN_PATH]


def reads_beside(call: Call) -> list[Call]:
    """Return the reads that were open at the same time."""
    return [other for other in call.beside if other.method == "GET"]


# Two writers


def _id_of_the_other(backend: Backend, call: Call, job: Job) -> Job:
    """Two creates draw the same number before either has stored its job."""
    twin = next((other.job for other in creates_beside(call) if other.job is not None), None)
    call.job = job if twin is None else replace(job, id=twin.id)
    return call.job


def _overwritten(backend: Backend, call: Call, answer: Answer) -> Answer:
    """Of two creates that write at once, the job of one is lost."""
    if not answer.error and creates_beside(call):
        backend.jobs.forget(answer.document["id"])
    return answer


def _snapshot_of_the_other(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
    snapshots = (other.fields.get("snapshotId") for other in creates_beside(call))
    found = next((one for one in snapshots if isinstance(one, str) and one != document.get("snapshotId")), None)
    return document if found is None or "snapshotId" not in document else document | {"snapshotId": found}


def _not_cancelled(backend: Backend, call: Call, answer: Answer) -> Answer:
    """Of two cancels at once, one is answered and not done."""
    if not answer.error and call.job is not None and any(other.method == "DELETE" for other in call.beside):
        backend.jobs.cancel(call.job.id, call.now + _FAR)
    return answer


def _writers() -> Iterator[Fault]:
    for create in Contract.load().operations.values():
        if create.kind == "create" and create.level != "workflow":
            sentence = "Two creates at once are given one id."
            yield _fault(create.id, "one-id-for-two", create.resource.common["new"], sentence, job=_id_of_the_other)
    for operation in ("flex-create", "cluster-create"):
        sentence = "Of two creates at once, the job of one is lost."
        yield _fault(operation, "lost-write", "L-FOUND", sentence, answer=_overwritten)
    for operation, requirement in (("flex-create", "S-ECHO"), ("cluster-create", "T-ECHO")):
        sentence = "Of two creates at once, one shows the snapshot of the other."
        yield _fault(operation, "mixed-up", requirement, sentence, view=_snapshot_of_the_other)
    yield _fault(
        "cluster-cancel", "lost-cancel", "T-CANCEL", "Of two cancels at once, one is not done.", answer=_not_cancelled
    )


# Lists that are read while jobs are created


def _short(backend: Backend, call: Call, page: Page) -> Page:
    middle = len(page.jobs) // 2
    return replace(page, jobs=page.jobs[:middle] + page.jobs[middle + 1 :]) if creates_beside(call) else page


def _skipping(backend: Backend, call: Call, page: Page) -> Page:
    """The window moves while it is read: a job in its middle falls out, and the next one comes in at the end."""
    if not creates_beside(call):
        return page
    start, order = (page.number - 1) * page.items, backend.free["list-order"]
    wider = backend.jobs.page(call.project, call.cluster_name, order, page.items + 1, start)
    middle = len(wider) // 2
    return replace(page, jobs=tuple(wider[:middle] + wider[middle + 1 :])) if len(wider) > page.items else page


def _doubling(backend: Backend, call: Call, page: Page) -> Page:
    middle = len(page.jobs) // 2
    if not middle or not creates_beside(call):
        return page
    return replace(page, jobs=page.jobs[:middle] + page.jobs[middle - 1 : -1])


def _behind(backend: Backend, call: Call, page: Page) -> Page:
    return replace(page, total=max(0, page.total - 1)) if creates_beside(call) else page


def _snapshot_skipped(backend: Backend, call: Call, page: Page) -> Page:
    """A snapshot in the middle falls out of a page, and the next one comes in at the end."""
    if not creates_beside(call):
        return page
    start = (page.number - 1) * page.items
    wider = backend.snapshots_of(call)[start : start + page.items + 1]
    middle = len(wider) // 2
    return replace(page, snapshots=(*wider[:middle], *wider[middle + 1 :])) if len(wider) > 2 else page


def _lists() -> Iterator[Fault]:
    for operation in ("flex-snapshot-list", "snapshot-list"):
        sentence = "A page skips a snapshot in its middle while something is created."
        yield _fault(operation, "skipped-snapshot", "L-PAGE", sentence, listing=_snapshot_skipped)
    for operation in ("flex-list", "cluster-list"):
        for what, sentence, hook in (
            ("short-page", "A page lacks a job while another is created.", _short),
            ("skipped-job", "A page skips a job in its middle while another is created.", _skipping),
            ("doubled-job", "A page shows a job twice while another is created.", _doubling),
        ):
            yield _fault(operation, what, "L-PAGE", sentence, listing=hook)
    yield _fault(
        "flex-list", "count-behind", "L-TOTAL", "totalCount is one short while a job is created.", listing=_behind
    )


# Readers


def _stale(backend: Backend, call: Call, job: Job) -> float:
    """Of two readers at once, one is sent to a copy that has not moved since the create."""
    return job.created if _second(backend, call, job) else call.now


def _second(backend: Backend, call: Call, job: Job) -> bool:
    return bool(reads_beside(call)) and backend.reads[job.id] % 2 == 0


def _swapped(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
    found = (other.job for other in reads_beside(call) if other.operation is call.operation)
    twin = next((one for one in found if one is not None and one.id != job.id), None)
    if twin is None or call.operation is None:
        return document
    return job_document(twin, call.operation, call.now, backend.free, backend.imitate, "http://127.0.0.1")


def _finished_later(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
    name = "restoreFinishedDate"
    if name not in document or not _second(backend, call, job):
        return document
    return document | {name: shifted(1)(document[name])}


def _readers() -> Iterator[Fault]:
    for operation, requirement in (("flex-get", "S-FLOW"), ("tenant-get", "S-FLOW"), ("cluster-get", "T-FLAGS")):
        sentence = "Of two readers at once, one sees the job as it was when created."
        yield _fault(operation, "stale-reader", requirement, sentence, moment=_stale)
    for operation, requirement in (("flex-get", "S-SAME"), ("cluster-get", "T-FLAGS")):
        sentence = "Of two reads at once, one is answered with the other's job."
        yield _fault(operation, "swapped-answer", requirement, sentence, view=_swapped)
    for operation in ("flex-get", "cluster-get"):
        replaced = {name: excusing(sound(operation, name), lambda call: bool(reads_beside(call)))
                    for name in ("L-SCOPE/project", "L-SCOPE/cluster")}  # fmt: skip
        sentence = "While another read is open, a job shows through any cluster."
        yield _fault(operation, "scope-forgotten", "L-SCOPE", sentence, replace=replaced)
    yield _fault(
        "flex-get", "finish-moves", "S-FINISHED", "Of two readers at once, one sees another end.", view=_finished_later
    )


# Pressure, and what calls share


def _torn(backend: Backend, call: Call, answer: Answer, body: bytes) -> bytes:
    return body[: len(body) // 2] if answer.error and len(call.beside) > 2 else body


def _error_of_the_other(backend: Backend, call: Call, answer: Answer) -> Answer:
    """Errors are built in one place that all calls share."""
    if not answer.error or not isinstance(answer.document, dict):
        return answer
    before = backend.notes.get("refused", answer.status)
    backend.notes["refused"] = answer.status
    return replace(answer, document=answer.document | {"error": before}) if call.beside else answer


def _one_at_a_time(scheme: bytes, most: int) -> Any:
    """Return a check of credentials that fails where more than `most` others use the same ones at the same time."""
    check = sound("flex-get", "A-NONE")

    def refusing(backend: Backend, call: Call) -> None:
        check(backend, call)
        name = b"authorization"
        if call.headers.get(name, b"").lower().startswith(scheme):
            others = [other for other in call.beside if other.headers.get(name, b"").lower().startswith(scheme)]
            if len(others) > most:
                raise backend.authentication.challenge(call.now)

    return refusing


def _pressed(call: Call) -> bool:
    return len(call.beside) > 3


def _pressure() -> Iterator[Fault]:
    for operation in ("cluster-create", "flex-list"):
        step = both(sound(operation, "V-FLOOR"), failing(_pressed))
        sentence = "With more than four calls at once the answer is 500."
        yield _fault(operation, "500-under-pressure", "C-5XX", sentence, replace={"V-FLOOR": step})
    yield _fault(
        "flex-get", "torn-error", "E-SCHEMA", "With more than three calls at once an error breaks off.", encoded=_torn
    )
    everywhere = (
        ("errors/mixed-up", "E-STATUS", "Of two errors at once, one carries the other's status.",
         {"answer": _error_of_the_other}),
        ("digest/one-at-a-time", "A-DIGEST", "A digest fails while two others are in use.",
         {"replace": {"A-NONE": _one_at_a_time(b"digest", 1)}}),
        ("bearer/one-at-a-time", "A-BEARER", "A token fails while three others use one.",
         {"replace": {"A-NONE": _one_at_a_time(b"bearer", 2)}}),
    )  # fmt: skip
    for name, requirement, sentence, hooks in everywhere:
        given: dict[str, Any] = dict(hooks)
        yield Fault(name, requirement, ALL, sentence, "concurrent", pause=PAUSE, **given)


FAULTS: tuple[Fault, ...] = (*_writers(), *_lists(), *_readers(), *_pressure())
"""Faults of this family."""
