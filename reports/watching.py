"""What a journal shows over time: how long each operation took to answer, and how each followed job went on."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reports.records import ExchangeRecord

_READS_KEPT = 300
_TEXT_KEPT = 100
_BODY_LIMIT = 64 * 1024
_JOBS_FOLLOWED = 5_000


@dataclass(frozen=True, slots=True)
class Latency:
    """How long one operation took to answer: quantiles of the exchanges that had an answer, in seconds."""

    operation: str
    count: int
    least: float
    lower: float
    median: float
    upper: float
    p95: float
    most: float


@dataclass(frozen=True, slots=True)
class Change:
    """A member of a job that one read showed otherwise than the read before: JSON text, None where it is absent."""

    member: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Sight:
    """A job as one exchange showed it: the exchange's number, when it ended (epoch seconds), state, what changed."""

    n: int
    at: float
    state: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """A job that was read after its creation, as its exchanges showed it in order of time.

    `left_out` counts further reads that are not kept.
    """

    job: str
    operation: str
    sights: tuple[Sight, ...]
    left_out: int = 0

    @property
    def seconds(self) -> float:
        """The time from the first sight to the last."""
        return self.sights[-1].at - self.sights[0].at


@dataclass(slots=True)
class _Following:
    operation: str
    last: Mapping[str, Any] = field(default_factory=dict)
    last_at: float = 0.0
    sights: list[Sight] = field(default_factory=list)
    left_out: int = 0


class Watch:
    """Takes exchanges as they are journalled; what it keeps of a job does not grow beyond a fixed number of reads."""

    def __init__(self) -> None:
        self._seconds: dict[str, array[float]] = {}
        self._jobs: dict[tuple[str, str, str], _Following] = {}
        """By the resource, the path of its cluster, and the id."""

    def add(self, record: ExchangeRecord) -> None:
        """Take one more exchange."""
        operation = record.operation
        if operation is None or record.exchange.response.status == 0:
            return
        taken = max(0.0, record.exchange.ended - record.exchange.started)
        self._seconds.setdefault(operation, array("d")).append(taken)
        known = Contract.load().operations.get(operation)
        if known is not None and known.kind in ("create", "get") and record.exchange.response.status == 200:
            self._follow(record, operation, known.kind)

    def latencies(self) -> tuple[Latency, ...]:
        """Return the latency of each operation that answered, in the order of the operations."""
        order = {id: index for index, id in enumerate(Contract.load().operations)}
        names = sorted(self._seconds, key=lambda name: (order.get(name, len(order)), name))
        return tuple(_latency(name, sorted(self._seconds[name])) for name in names)

    def timelines(self) -> tuple[Timeline, ...]:
        """Return the timelines of jobs that were seen created and then read at least twice, in order of creation."""
        return tuple(
            Timeline(job, kept.operation, tuple(kept.sights), kept.left_out)
            for (_, _, job), kept in self._jobs.items()
            if len(kept.sights) > 2
        )

    def _follow(self, record: ExchangeRecord, operation: str, kind: str) -> None:
        document = _job(record.exchange.response.body)
        if document is None:
            return
        # The same id in another resource, or in another place, is another job.
        path = record.exchange.request.path.partition("/backup/")[0].partition("/groups/")[2]
        job = (Contract.load().operations[operation].resource.name, path, document["id"])
        kept = self._jobs.get(job)
        if kept is None:
            # A job is followed from its creation on: reads through wrong paths show no more than ids.
            if kind != "create" or len(self._jobs) >= _JOBS_FOLLOWED:
                return
            kept = self._jobs[job] = _Following(operation)
        state = _state(document)
        if len(kept.sights) >= _READS_KEPT:
            kept.left_out += 1
            return
        ended = record.exchange.ended
        if ended < kept.last_at:
            return  # two reads at the same time: the picture keeps to one order
        changes = _changes(kept.last, document) if kept.sights else ()
        kept.sights.append(Sight(record.n, ended, state, changes))
        kept.last, kept.last_at = document, ended


def _latency(operation: str, seconds: list[float]) -> Latency:
    def quantile(share: float) -> float:
        return seconds[min(len(seconds) - 1, int(share * len(seconds)))]

    return Latency(
        operation, len(seconds), seconds[0], quantile(0.25), quantile(0.5), quantile(0.75), quantile(0.95), seconds[-1]
    )


def _job(body: bytes) -> dict[str, Any] | None:
    """Return the job that a body shows, unwrapped from an envelope, or None."""
    if len(body) > _BODY_LIMIT:
        return None
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if isinstance(document, dict) and "id" not in document and isinstance(document.get("content"), dict):
        document = document["content"]
    if isinstance(document, dict) and isinstance(document.get("id"), str):
        return document
    return None


def _state(document: Mapping[str, Any]) -> str:
    """Return the state in one word: `status` where there is one, else what a dedicated job's flags say."""
    status = document.get("status")
    if isinstance(status, str):
        return status[:_TEXT_KEPT]
    for flag in ("cancelled", "failed"):
        if document.get(flag) is True:
            return flag
    if document.get("finishedAt") is not None:
        return "finished"
    return "delivered" if document.get("deliveryUrl") else "running"


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    names = [*before, *(name for name in after if name not in before)]
    return tuple(
        Change(name[:_TEXT_KEPT], _text(before, name), _text(after, name))
        for name in names
        if name != "links" and before.get(name, ...) != after.get(name, ...)
    )[:40]


def _text(document: Mapping[str, Any], name: str) -> str | None:
    if name not in document:
        return None
    try:
        text = orjson.dumps(document[name]).decode("utf-8", "replace")
    except orjson.JSONEncodeError:
        return "(nested too deeply to be shown)"
    return text if len(text) <= _TEXT_KEPT else text[: _TEXT_KEPT - 1] + "…"
