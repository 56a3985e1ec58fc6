"""One job over time: all that is remembered of it, for the rules on what must not change, move back or appear early.

Order is judged on real intervals: an observation comes before another only when it ended before the other started;
two that overlap may have been served in either order. What is kept of a job does not grow with the number of reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from atlas_conformance.contracts.dates import is_in_life
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.resources import Resource

UNKNOWN_STATE = "unknown"


@dataclass(frozen=True, slots=True)
class Observation:
    """A job as one answer showed it; `started` and `ended` are those of the exchange, `pointer` where it stood."""

    started: float
    ended: float
    operation: Operation
    document: Mapping[str, Any]
    pointer: str
    created: bool = False

    def may_be_true(self, name: str) -> bool:
        """Tell whether what is shown under a name may be compared: all but a date that is wrong by itself."""
        resource, value = self.operation.resource, self.document.get(name)
        if name not in resource.dates or not isinstance(value, str):
            return True
        # What has not happened yet may well lie in the future.
        return is_in_life(value, self.ended if name in resource.past else 0.0)


@dataclass
class Order:
    """For each level that was seen of something that only rises: the earliest end and the latest start."""

    earliest_end: dict[int, float] = field(default_factory=dict)
    latest_start: dict[int, float] = field(default_factory=dict)

    def add(self, level: int, started: float, ended: float) -> None:
        """Take in that a level was seen between two moments."""
        self.earliest_end[level] = min(ended, self.earliest_end.get(level, ended))
        self.latest_start[level] = max(started, self.latest_start.get(level, started))

    def broken_by(self, level: int, started: float, ended: float) -> int | None:
        """Return a level seen whose order with this one is wrong, or None."""
        for other, end in self.earliest_end.items():
            if other > level and end < started:
                return other
        for other, start in self.latest_start.items():
            if other < level and ended < start:
                return other
        return None


JobKey: TypeAlias = tuple[str, str, str, str]
"""The resource's name, the project, the cluster and the id of a job."""


class JobHistory:
    """All that is remembered of one job.

    `project`, `cluster` and `resource` are where it was first seen; `created` is the answer of its create, where it was
    part of the traffic.
    """

    def __init__(self, job: str, resource: Resource, project: str, cluster: str) -> None:
        self.job, self.resource, self.project, self.cluster = job, resource, project, cluster
        self.place = (project, cluster)
        self.key: JobKey = (resource.name, project, cluster, job)
        self.created: Observation | None = None
        self.create_operation: str | None = None
        self.target: tuple[str, str] | None = None
        self.target_unread = False
        self.first_ended: float = float("inf")
        self.listed_ended: float = float("inf")
        self.listings = 0
        self.read_ended: float = float("inf")
        self.finished_ended: float = float("inf")
        self.finished = False
        self.delivered = False
        self.delivered_ended: float = float("inf")
        """When an answer had shown an address to download from."""
        self.cancel_ended: float | None = None
        self.late_cancel_ended: float | None = None
        """When a cancel of the job, which had ended before, was answered."""
        self.last_state = UNKNOWN_STATE
        self.fixed: dict[str, Any] = {}
        """What was first shown of each property that never changes."""
        self.fixed_ended: dict[str, float] = {}
        """When the answer came that first showed each of them."""
        self.constants: dict[str, Any] = {}
        """What was first shown of each property that never changes once the job has ended."""
        self.settled: dict[str, Observation] = {}
        """The first read that showed the job ended, by operation."""
        self.orders: dict[str, Order] = {}
        """What was seen when of each property that only moves forward."""
        self.was_read = False
        self.missed: set[str] = set()
        """The reads and lists by which a taken snapshot was not found, and need not be where another one finds it."""
        self.shown_by: dict[str, float] = {}
        """When each list last showed it."""
        self.shown_first: dict[str, float] = {}
        """When each list first showed it."""
        self.restorable_since: float = float("inf")
        """When a list had shown that it can be restored."""
        self.delete_started: float = float("inf")
        """When the first delete began that may have had its effect."""
        self.deleted_ended: float | None = None
        """When a delete was answered with its success."""
        self.gone: dict[str, float] = {}
        """When each operation first showed that it is gone."""
        self._sound: Observation | None = None

    def repeats(self, seen: Observation) -> bool:
        """Whether a read shows exactly what the last one showed, which had no findings."""
        last = self._sound
        return (
            last is not None
            and not seen.created
            and self.cancel_ended is None
            and self.late_cancel_ended is None
            and last.operation.resource is seen.operation.resource
            and (last.document is seen.document or last.document == seen.document)
        )

    def remember(self, sight: SightView, *, sound: bool) -> None:
        """Take in an observation that was judged; `sound` says that nothing was found."""
        seen = sight.seen
        resource, document = seen.operation.resource, seen.document
        ended = resource.ended(document)
        if not sight.repeats:
            self._remember_fixed(seen)
        for name, level in sight.levels.items():
            order = self.orders.get(name)
            if order is None:
                order = self.orders[name] = Order()
            order.add(level, seen.started, seen.ended)
        if ended:
            self.finished_ended = min(self.finished_ended, seen.ended)
            if not seen.created:
                self.settled.setdefault(seen.operation.id, seen)
        if resource.states:
            self._remember_status(seen)
        else:
            self._remember_flags(seen, ended)
        if seen.created:
            self.created = seen
        else:
            self.was_read = True
            self.read_ended = min(self.read_ended, seen.ended)
        self.first_ended = min(self.first_ended, seen.ended)
        self._sound = seen if sound and not seen.created else None

    def _remember_fixed(self, seen: Observation) -> None:
        if seen.created and self.was_read:
            return
        # What differs between create and reads is said once; from then on reads are held to each other.
        anew = not seen.created and self.created is not None and not self.was_read
        for name in seen.operation.resource.fixed:
            if anew or name not in self.fixed:
                value = seen.document.get(name)
                if value is not None and seen.may_be_true(name):
                    self.fixed[name] = value
                    self.fixed_ended[name] = seen.ended
                else:
                    self.fixed.pop(name, None)

    def _remember_status(self, seen: Observation) -> None:
        resource, status = seen.operation.resource, seen.document.get("status")
        if not isinstance(status, str) or status not in resource.ranks:
            return
        self.last_state = status
        if status in resource.terminal:
            self.finished = True
            self.constants.setdefault("status", status)
            self._remember_end(seen)

    def _remember_end(self, seen: Observation) -> None:
        name = seen.operation.resource.end_field
        if name is not None and seen.document.get(name) is not None and seen.may_be_true(name):
            self.constants.setdefault(name, seen.document[name])

    def _remember_flags(self, seen: Observation, ended: bool) -> None:
        resource, document = seen.operation.resource, seen.document
        self._remember_end(seen)
        self.finished = self.finished or ended
        if delivers(document):
            self.delivered = True
            self.delivered_ended = min(self.delivered_ended, seen.ended)
        if self.last_state != "cancelled":  # an answer that overlaps with the cancel may still come in after it
            ending = next((flag for flag in resource.ending if document.get(flag) is True), None)
            self.last_state = ending or ("finished" if ended else "running")


def levels_of(seen: Observation) -> dict[str, int]:
    """Return how far each property has come that only moves forward: the status, or the flags and the end."""
    resource, document = seen.operation.resource, seen.document
    if resource.states:
        status = document.get("status")
        known = isinstance(status, str) and status in resource.ranks
        return {"status": resource.ranks[status]} if known and isinstance(status, str) else {}
    levels = {flag: int(document.get(flag) is True) for flag in resource.flags}
    if resource.end_field is not None:
        levels[resource.end_field] = int(document.get(resource.end_field) is not None)
    return levels


@dataclass(eq=False)
class SightView:
    """A job as one answer shows it, in the light of its history so far."""

    history: JobHistory
    seen: Observation
    named: frozenset[str]
    """The properties that the schema of the history's resource names."""

    def __post_init__(self) -> None:
        """Find out what several rules ask for."""
        history, seen = self.history, self.seen
        self.resource = seen.operation.resource
        """What the answer's operation shows; flex and tenant reads name the cluster differently."""
        self.levels = levels_of(seen)
        """How far each property has come that only moves forward."""
        self.follows_create = not seen.created and not history.was_read and history.created is not None
        """Whether it is the first read after the create."""
        self.repeats = history.repeats(seen)
        """Whether a read shows exactly what the last one showed, so that its place in time alone is left to judge."""


def delivers(document: Mapping[str, Any]) -> bool:
    """Whether a dedicated job shows an address to download from, as a finished download does."""
    components = document.get("components")
    parts = components if isinstance(components, list) else []
    return bool(document.get("deliveryUrl")) or any(isinstance(c, dict) and c.get("downloadUrl") for c in parts)
