"""S-FIXED, S-SAME, S-FLOW, S-FINISHED, T-FLAGS, T-CANCEL, L-STABLE: one job over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from atlas_conformance.contracts.dates import instant
from atlas_conformance.contracts.history import Observation, SightView, delivers
from atlas_conformance.contracts.outcomes import HELD, Failure, Outcome, holds, shown, summed
from atlas_conformance.contracts.resources import Resource
from atlas_conformance.contracts.rulebook import common_rule, rule

_MISSING = object()


def _unchanged(sight: SightView) -> Outcome | Sequence[Outcome] | None:
    if sight.repeats:
        return HELD
    looked, failures = 0, []
    known, document = sight.history.fixed, sight.seen.document
    for name in sight.resource.fixed:
        before = known.get(name)
        if before is not None:
            now = document.get(name)
            # An answer that overlaps with the first one to show it may have been given before it.
            if now is None and sight.seen.started < sight.history.fixed_ended.get(name, 0.0):
                continue
            if not sight.seen.may_be_true(name):
                continue  # it is found for what it is
            looked += 1
            if not _is_same(before, now):
                failures.append(holds(False, f"{name} as before: {before!r}", now, f"{sight.seen.pointer}/{name}"))
    return summed(failures, looked)


def _is_same(before: Any, now: Any) -> bool:
    """Tell whether a value is as before; a date may be written in another way."""
    if now == before:
        return True
    moment = instant(now)
    return moment is not None and moment == instant(before)


@common_rule("same", on=SightView)
def a_read_shows_what_the_create_showed(sight: SightView) -> Outcome | Sequence[Outcome] | None:
    """The first read after a create shows the same job (S-SAME, T-FLAGS)."""
    return _unchanged(sight) if sight.follows_create else None


@common_rule("fixed", on=SightView)
def what_identifies_a_job_never_changes(sight: SightView) -> Outcome | Sequence[Outcome] | None:
    """What identifies a job is the same in every read (S-FIXED, T-FLAGS)."""
    return None if sight.seen.created or sight.follows_create else _unchanged(sight)


@common_rule("flow", on=SightView)
def states_only_move_forward(sight: SightView) -> Outcome | Sequence[Outcome] | None:
    """A status never moves back; a flag, once true, and an end, once shown, stay (S-FLOW, T-FLAGS)."""
    seen, resource = sight.seen, sight.resource
    failures: list[Outcome] = []
    for name, level in sight.levels.items():
        order = sight.history.orders.get(name)
        other = order.broken_by(level, seen.started, seen.ended) if order is not None else None
        if other is None:
            continue
        if resource.states:
            expected = f"no step back from {resource.states[other][-1]} or later"
            failures.append(Failure(expected, str(seen.document["status"]), f"{seen.pointer}/status"))
        else:
            expected = f"{name}, once {'shown' if name == resource.end_field else 'true'}, stays"
            failures.append(holds(False, expected, seen.document.get(name), f"{seen.pointer}/{name}"))
    return summed(failures, len(sight.levels))


def _constant(sight: SightView, name: str) -> Outcome | None:
    if not sight.seen.may_be_true(name):
        return None  # it is found for what it is
    value = sight.seen.document.get(name)
    before = sight.history.constants.get(name, value)
    return holds(_is_same(before, value), f"{name} as before: {before!r}", value, f"{sight.seen.pointer}/{name}")


@common_rule("ended", on=SightView)
def a_terminal_status_stays(sight: SightView) -> Outcome | None:
    """A job that has ended keeps its status (S-FLOW)."""
    if sight.seen.document.get("status") in sight.resource.terminal:
        return _constant(sight, "status")
    return None


@common_rule("last", on=SightView)
def the_date_of_the_end_never_changes(sight: SightView) -> Outcome | None:
    """The date of the end is always the same (S-FINISHED, T-FLAGS)."""
    resource, document = sight.resource, sight.seen.document
    terminal = not resource.states or document.get("status") in resource.terminal
    if terminal and resource.end_field is not None and document.get(resource.end_field) is not None:
        return _constant(sight, resource.end_field)
    return None


@rule("T-CANCEL", on=SightView)
def a_cancelled_job_reads_back_as_cancelled(sight: SightView) -> Outcome | None:
    """After a cancel, a job shows that it is cancelled, unless it had come to its end before the cancel did."""
    cancelled, seen = sight.history.cancel_ended, sight.seen
    if cancelled is not None and not seen.created and cancelled <= seen.started:
        told = seen.document.get("cancelled")
        if told is not True and (sight.resource.ended(seen.document) or delivers(seen.document)):
            return None
        return holds(told is True, "cancelled true after a cancel", told, f"{seen.pointer}/cancelled")
    return None


@rule("T-CANCEL", on=SightView)
def a_job_that_has_ended_is_not_changed_by_a_cancel(sight: SightView) -> Outcome | None:
    """After a cancel that came too late, a job shows the end that it had shown before."""
    cancelled, seen = sight.history.late_cancel_ended, sight.seen
    if cancelled is None or seen.created or seen.started < cancelled:
        return None
    before = next((o for o in sight.history.settled.values() if o.ended <= cancelled), None)
    if before is None:
        return None
    for flag in sight.resource.ending:
        was, told = before.document.get(flag) is True, seen.document.get(flag) is True
        if was != told:
            expected = f"{flag} {shown(was)} as before the cancel, which came after the end"
            return holds(False, expected, seen.document.get(flag), f"{seen.pointer}/{flag}")
    return HELD


@rule("T-URL", on=SightView)
def a_download_that_was_ready_stays_so(sight: SightView) -> Outcome | None:
    """A download that has shown an address has finished well: until it expires, every read shows one."""
    seen, document = sight.seen, sight.seen.document
    if document.get("deliveryType") != "download" or seen.created or seen.started < sight.history.delivered_ended:
        return None
    if any(document.get(flag) is True for flag in sight.resource.flags):
        return None
    expires = instant(document.get("expiresAt"))
    if expires is None or expires.timestamp() <= seen.ended:
        return None
    expected = "an address, as the download has shown one before"
    return holds(delivers(document), expected, "none", f"{seen.pointer}/deliveryUrl")


@rule("T-ONLY-POINT", on=SightView)
def a_read_shows_the_moment_of_the_create(sight: SightView) -> Sequence[Outcome] | Outcome | None:
    """A read shows the moment that the create was asked for, and showed."""
    created, seen = sight.history.created, sight.seen
    if created is None or seen.created:
        return None
    both = [n for n in sight.resource.moments if None not in (created.document.get(n), seen.document.get(n))]
    failures = [
        holds(False, f"{name} {created.document[name]}, as sent", seen.document[name], f"{seen.pointer}/{name}")
        for name in both
        if created.document[name] != seen.document[name]
    ]
    return summed(failures, len(both))


@rule("L-STABLE", on=SightView)
def nothing_else_changes_once_a_job_has_ended(sight: SightView) -> Outcome | Sequence[Outcome] | None:
    """Between two reads of a job that has ended nothing else changes either."""
    seen, resource = sight.seen, sight.resource
    before = sight.history.settled.get(seen.operation.id)
    if before is None or seen.created or not resource.ended(seen.document):
        return None
    if before.document == seen.document:
        return HELD
    own, failures = sight.history.resource, []
    judged = {*own.fixed, *own.volatile, *own.flags, "status", own.end_field}
    # A property that no schema names may follow a clock of its own.
    for name in sorted(((before.document.keys() | seen.document.keys()) & sight.named) - judged):
        old, new = before.document.get(name, _MISSING), seen.document.get(name, _MISSING)
        if old != new:
            told = "nothing" if new is _MISSING else new
            expected = f"{name} of a finished job as before"
            failures.append(holds(False, expected, told, f"{seen.pointer}/{name}"))
    return [*failures, HELD]


class Past(Protocol):
    """What is kept of a job that is no longer followed."""

    @property
    def project(self) -> str:
        """The project through which it was shown."""

    @property
    def cluster(self) -> str:
        """The cluster through which it was shown."""

    @property
    def state(self) -> str:
        """The last state seen."""

    @property
    def finished_ended(self) -> float:
        """When an answer had shown that it had ended."""


@dataclass(eq=False)
class PastView:
    """A job that is no longer followed, as an answer that came after its end shows it."""

    past: Past
    seen: Observation

    @property
    def resource(self) -> Resource:
        """What the answer's operation shows."""
        return self.seen.operation.resource


@common_rule("flow", on=PastView)
def an_end_stays_after_all(view: PastView) -> Outcome | None:
    """A job that has ended keeps the state in which it ended (S-FLOW, T-FLAGS)."""
    state, resource, document, pointer = view.past.state, view.resource, view.seen.document, view.seen.pointer
    status = document.get("status")
    if state in resource.terminal and isinstance(status, str) and status in resource.ranks:
        return holds(status == state, f"{state} for good", status, f"{pointer}/status")
    if state in resource.ending:
        told = document.get(state)
        return holds(told is True, f"{state}, once true, stays", told, f"{pointer}/{state}")
    return None
