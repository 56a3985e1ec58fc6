"""One job over time: what must not change, move back or appear early (S-FIXED, S-FLOW, S-FINISHED, T-FLAGS, …).

Order is judged on real intervals: an observation comes before another only when it ended before the other started;
two that overlap may have been served in either order. What is kept of a job does not grow with the number of reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from atlas_conformance.contracts.jobs import TERMINAL, is_terminal
from atlas_conformance.contracts.operations import OPERATIONS
from atlas_conformance.contracts.validation import validator
from atlas_conformance.contracts.verdicts import Verdicts

RANK = {"PENDING": 0, "QUEUED": 1, "RUNNING": 2, "FAILED": 3, "COMPLETED": 3}

_FIXED = {
    "flex": ("id", "projectId", "instanceName"),
    "tenant": ("id", "projectId", "clusterName"),
    "cluster": ("id", "deliveryType", "snapshotId", "targetClusterName", "targetGroupId", "timestamp"),
}
_FIXED_SHARED = (
    "snapshotId",
    "targetDeploymentItemName",
    "targetProjectId",
    "deliveryType",
    "restoreScheduledDate",
    "snapshotFinishedDate",
)
_VOLATILE = frozenset({"links", "expired", "expiresAt", "deliveryUrl", "components", "snapshotUrl"})
_MISSING = object()

NAMED = {
    family: frozenset(validator(f"{family}-restore-job.json").schema["properties"])
    for family in ("flex", "tenant", "cluster")
}
"""The properties that the schema of a job names, by family."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A job as one answer showed it; `started` and `ended` are those of the exchange, `pointer` where it stood."""

    started: float
    ended: float
    operation: str
    document: Mapping[str, Any]
    pointer: str
    created: bool = False


@dataclass
class _Order:
    """For each level that was seen of something that only rises: the earliest end and the latest start."""

    earliest_end: dict[int, float] = field(default_factory=dict)
    latest_start: dict[int, float] = field(default_factory=dict)

    def add(self, level: int, started: float, ended: float) -> None:
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


class JobHistory:
    """All that is remembered of one job.

    `project`, `cluster` and `family` are where it was first seen; `created` is the answer of its create, where it was
    part of the traffic.
    """

    def __init__(self, job: str, family: str, project: str, cluster: str) -> None:
        self.job, self.family, self.project, self.cluster = job, family, project, cluster
        self.key = (family, project, cluster, job)
        self.created: Observation | None = None
        self.create_operation: str | None = None
        self.target: tuple[str, str] | None = None
        self.target_unread = False
        self.first_ended: float = float("inf")
        self.listed_ended: float = float("inf")
        self.read_ended: float = float("inf")
        self.finished = False
        self.delivered = False
        self.cancel_ended: float | None = None
        self.last_state = "unknown"
        self._first_read: Observation | None = None
        self._orders: dict[str, _Order] = {}
        self._constants: dict[str, Any] = {}
        self.finished_ended: float = float("inf")
        self._fixed: dict[str, Any] = {}
        self._settled: dict[str, Observation] = {}
        self._sound: Observation | None = None

    def observe(self, seen: Observation, verdicts: Verdicts) -> None:
        """Compare one more observation with all earlier ones, and remember it."""
        if self._repeats(seen):
            self._observe_again(seen, verdicts)
            return
        before = verdicts.findings
        self._compare_fixed(seen, verdicts)
        if is_terminal(seen.document):
            self.finished_ended = min(self.finished_ended, seen.ended)
        if self.family == "cluster":
            self._observe_dedicated(seen, verdicts)
        else:
            self._observe_shared(seen, verdicts)
        if not seen.created and is_terminal(seen.document):
            self._compare_settled(seen, verdicts)
        if seen.created:
            self.created = seen
        elif self._first_read is None:
            self._first_read = seen
        self.first_ended = min(self.first_ended, seen.ended)
        if not seen.created:
            self.read_ended = min(self.read_ended, seen.ended)
        self._sound = None if seen.created or verdicts.findings > before else seen

    def _repeats(self, seen: Observation) -> bool:
        """Whether a read shows exactly what the last one showed, so that its place in time alone is left to judge."""
        last = self._sound
        return (
            last is not None
            and not seen.created
            and self.cancel_ended is None
            and last.operation == seen.operation
            and (last.document is seen.document or last.document == seen.document)
        )

    def _observe_again(self, seen: Observation, verdicts: Verdicts) -> None:
        if self.family == "cluster":
            verdicts.held("T-FLAGS")
            self._follow_flags(seen, verdicts)
        else:
            verdicts.held("S-FIXED")
            status = seen.document.get("status")
            if isinstance(status, str) and status in RANK:
                self._follow_status(status, seen, verdicts)
                if status in TERMINAL and seen.document.get("restoreFinishedDate") is not None:
                    verdicts.held("S-FINISHED")
        if self._settled and is_terminal(seen.document):
            verdicts.held("L-STABLE")
        self.first_ended = min(self.first_ended, seen.ended)
        if not seen.created:
            self.read_ended = min(self.read_ended, seen.ended)

    def _compare_fixed(self, seen: Observation, verdicts: Verdicts) -> None:
        if seen.created:
            return
        after_create = self._first_read is None and self.created is not None
        if after_create and self.created is not None:
            self._remember_fixed(self.created)
        requirement = "S-SAME" if after_create else "S-FIXED"
        requirement = "T-FLAGS" if self.family == "cluster" else requirement
        for name in self._fixed_of(seen.operation):
            before = self._fixed.get(name)
            if before is not None:
                now = seen.document.get(name)
                if now == before:
                    verdicts.held(requirement)
                else:
                    verdicts.check(requirement, False, f"{name} as before: {before!r}", now, f"{seen.pointer}/{name}")
                    if after_create and now is not None:
                        # What differs between create and reads is said once; from here on reads are held to each other.
                        self._fixed[name] = now

        self._remember_fixed(seen)

    def _fixed_of(self, operation: str) -> tuple[str, ...]:
        """What the operation shows of a job that never changes; flex and tenant reads name the cluster differently."""
        family = OPERATIONS[operation].family
        return _FIXED[family] + (() if family == "cluster" else _FIXED_SHARED)

    def _remember_fixed(self, seen: Observation) -> None:
        for name in self._fixed_of(seen.operation):
            value = seen.document.get(name)
            if value is not None:
                self._fixed.setdefault(name, value)

    def _observe_shared(self, seen: Observation, verdicts: Verdicts) -> None:
        status = seen.document.get("status")
        if not isinstance(status, str) or status not in RANK:
            return
        pointer = f"{seen.pointer}/status"
        self._follow_status(status, seen, verdicts)
        self.last_state = status
        if status in TERMINAL:
            self.finished = True
            self._constant("S-FLOW", "status", status, pointer, verdicts)
            finished = seen.document.get("restoreFinishedDate")
            if finished is not None:
                where = f"{seen.pointer}/restoreFinishedDate"
                self._constant("S-FINISHED", "restoreFinishedDate", finished, where, verdicts)

    def _follow_status(self, status: str, seen: Observation, verdicts: Verdicts) -> None:
        order = self._orders.get("status")
        if order is None:
            order = self._orders["status"] = _Order()
        rank = RANK[status]
        other = order.broken_by(rank, seen.started, seen.ended)
        if other is None:
            verdicts.held("S-FLOW")
        else:
            names = {value: key for key, value in RANK.items() if key != "FAILED"}
            verdicts.failed("S-FLOW", f"no step back from {names[other]} or later", status, f"{seen.pointer}/status")
        order.add(rank, seen.started, seen.ended)

    def _follow_flags(self, seen: Observation, verdicts: Verdicts) -> dict[str, bool]:
        levels = {flag: seen.document.get(flag) is True for flag in ("cancelled", "failed", "expired")}
        levels["finishedAt"] = seen.document.get("finishedAt") is not None
        for name, level in levels.items():
            order = self._orders.get(name)
            if order is None:
                order = self._orders[name] = _Order()
            other = order.broken_by(int(level), seen.started, seen.ended)
            if other is None:
                verdicts.held("T-FLAGS")
            else:
                expected = f"{name}, once {'shown' if name == 'finishedAt' else 'true'}, stays"
                verdicts.check("T-FLAGS", False, expected, seen.document.get(name), f"{seen.pointer}/{name}")
            order.add(int(level), seen.started, seen.ended)
        return levels

    def _observe_dedicated(self, seen: Observation, verdicts: Verdicts) -> None:
        finished = seen.document.get("finishedAt")
        levels = self._follow_flags(seen, verdicts)
        if finished is not None:
            self._constant("T-FLAGS", "finishedAt", finished, f"{seen.pointer}/finishedAt", verdicts)
        if finished is not None or levels["failed"] or levels["cancelled"]:
            self.finished = True
        self.delivered = self.delivered or _has_urls(seen.document)
        if self.last_state != "cancelled":  # an answer that overlaps with the cancel may still come in after it
            self.last_state = next((name for name in ("cancelled", "failed") if levels[name]), "running")
            if finished is not None and self.last_state == "running":
                self.last_state = "finished"
        if self.cancel_ended is not None and not seen.created and self.cancel_ended <= seen.started:
            shown = seen.document.get("cancelled")
            verdicts.check(
                "T-CANCEL", shown is True, "cancelled true after a cancel", shown, f"{seen.pointer}/cancelled"
            )

    def _constant(self, requirement: str, name: str, value: Any, pointer: str, verdicts: Verdicts) -> None:
        before = self._constants.setdefault(name, value)
        verdicts.check(requirement, before == value, f"{name} as before: {before!r}", value, pointer)

    def _compare_settled(self, seen: Observation, verdicts: Verdicts) -> None:
        """L-STABLE: between two reads of a finished job nothing else changes either."""
        before = self._settled.setdefault(seen.operation, seen)
        if before is seen:
            return
        covered = set(_FIXED[self.family]) | set(_FIXED_SHARED) | {"status", "restoreFinishedDate"}
        covered |= {"cancelled", "failed", "finishedAt"}
        # A property that no schema names may follow a clock of its own.
        named = before.document.keys() & NAMED[self.family] | seen.document.keys() & NAMED[self.family]
        for name in sorted(named - _VOLATILE - covered):
            old, new = before.document.get(name, _MISSING), seen.document.get(name, _MISSING)
            shown = "nothing" if new is _MISSING else new
            expected = f"{name} of a finished job as before"
            verdicts.check("L-STABLE", old == new, expected, shown, f"{seen.pointer}/{name}")
        verdicts.held("L-STABLE")


def _has_urls(document: Mapping[str, Any]) -> bool:
    """Whether a dedicated job shows an address to download from, as a finished download does."""
    components = document.get("components")
    parts = components if isinstance(components, list) else []
    return bool(document.get("deliveryUrl")) or any(isinstance(c, dict) and c.get("downloadUrl") for c in parts)
