"""Faults in what a dedicated cluster's job shows from read to read (`T-FLAGS`, `T-CANCEL`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.fault import Class, Fault
from atlas_conformance.reference.fault_parts import (
    DEDICATED_READS,
    after_end,
    changing,
    drifting,
    on_reads_after,
    restated,
    showing,
    sound,
    when,
)
from atlas_conformance.reference.messages import Answer, Call

_OTHER_ID = "0" * 23 + "1"


def _fault(operation: str, what: str, requirement: str, sentence: str, kind: Class, **hooks: Any) -> Fault:
    return Fault(f"{operation}/{what}", requirement, (operation,), sentence, kind, **hooks)


def _cancelled_late(backend: Backend, call: Call, answer: Answer) -> Answer:
    if call.job is not None and call.job.is_over(call.now):
        backend.jobs.cancel(call.job.id, call.job.ends)
    return answer


def _dedicated_reads() -> Iterator[Fault]:
    failed = when(lambda job: job.fails, showing(cancelled=True))
    for operation in DEDICATED_READS:
        yield _fault(
            operation,
            "failed-and-cancelled",
            "T-FLAGS",
            "A failed job is cancelled as well.",
            "stateful",
            view=after_end(failed),
        )
        yield _fault(
            operation,
            "failed-forgotten",
            "T-FLAGS",
            "A failed job's flag is false on every third read.",
            "stateful",
            view=lambda backend, call, job, document: (
                document | {"failed": document["failed"] and backend.reads[job.id] % 3 != 0}
            ),
        )
        yield _fault(
            operation,
            "finished-at-drifts",
            "T-FLAGS",
            "finishedAt moves by a second a read.",
            "stateful",
            view=drifting("finishedAt"),
        )
        yield _fault(
            operation,
            "finished-at-vanishes",
            "T-FLAGS",
            "finishedAt is shown on every second read.",
            "stateful",
            view=lambda backend, call, job, document: (
                document
                if backend.reads[job.id] % 2
                else {key: value for key, value in document.items() if key != "finishedAt"}
            ),
        )
        yield _fault(
            operation,
            "timestamp-drifts",
            "T-FLAGS",
            "timestamp moves by a second a read.",
            "subtle",
            view=drifting("timestamp"),
        )
        yield _fault(
            operation,
            "snapshot-changes",
            "T-FLAGS",
            "From the third read on, another snapshot is shown.",
            "stateful",
            view=on_reads_after(2, changing("snapshotId", lambda value: _OTHER_ID)),
        )
        yield _fault(
            operation,
            "target-changes",
            "T-FLAGS",
            "From the third read on, another target is shown.",
            "stateful",
            view=on_reads_after(2, changing("targetClusterName", lambda value: "other")),
        )
        yield _fault(
            operation,
            "delivery-changes",
            "T-FLAGS",
            "A finished job says pointInTime.",
            "stateful",
            view=after_end(when(lambda job: job.delivery == "automated", showing(deliveryType="pointInTime"))),
        )
    yield _fault(
        "cluster-get",
        "cancelled-not-shown",
        "T-CANCEL",
        "A cancelled job reads back as not cancelled.",
        "stateful",
        view=showing(cancelled=False),
    )
    yield Fault(
        "cluster-cancel/finished-taken",
        "T-CANCEL",
        ("cluster-cancel",),
        "A cancel makes a cancelled job of one that has finished.",
        "stateful",
        skip=frozenset({"T-CANCEL/ended"}),
        answer=_cancelled_late,
    )
    yield Fault(
        "cluster-cancel/finished-refused-late",
        "T-CANCEL",
        ("cluster-cancel",),
        "A cancel of a finished job is refused, and the job is cancelled all the same.",
        "stateful",
        answer=_cancelled_late,
    )
    yield Fault(
        "cluster-cancel/finished-403",
        "T-CANCEL",
        ("cluster-cancel",),
        "A cancel of a finished job is answered with 403.",
        "stateful",
        replace={"T-CANCEL/ended": restated(sound("cluster-cancel", "T-CANCEL/ended"), 403)},
    )


FAULTS: tuple[Fault, ...] = tuple(_dedicated_reads())
"""Faults of this family."""
