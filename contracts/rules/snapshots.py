"""SNAP-*: snapshots as one answer shows them, over time, and as restores name them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atlas_conformance.contracts.dates import instant
from atlas_conformance.contracts.following import DeleteView, GetView, ListView, RestoreView, ReturnView, StoryView
from atlas_conformance.contracts.outcomes import HELD, Failure, Outcome, holds, shown, summed
from atlas_conformance.contracts.rulebook import rule
from atlas_conformance.contracts.views import STATUS, CreationView, SnapshotView

_SAME_MOMENT = 1.0
"""Seconds by which the dates of a job and of its snapshot may differ, each cut down to its second."""


@rule("SNAP-STATUS", on=SnapshotView)
def a_snapshot_has_a_known_status(snapshot: SnapshotView) -> Outcome | None:
    """The status is one of those of the snapshot's kind."""
    ranks, status = snapshot.operation.resource.ranks, snapshot.document.get("status")
    if status is None:
        return None
    if isinstance(status, str) and status in ranks:
        return HELD
    return holds(False, f"one of {', '.join(ranks)}", status, f"{snapshot.pointer}/status")


@rule("SNAP-DONE", on=SnapshotView)
def a_snapshot_is_dated_once_it_is_done(snapshot: SnapshotView) -> Iterator[Outcome]:
    """A date shows in the states in which it must, and not in those in which it must not."""
    document, status = snapshot.document, snapshot.document.get("status")
    for field, owed, kept_out in snapshot.operation.resource.shows:
        seen, where = document.get(field), f"{snapshot.pointer}/{field}"
        if status in owed:
            yield holds(seen is not None, f"{field} shown while {status}", "none", where)
        elif status in kept_out:
            yield holds(seen is None, f"no {field} while {status}", seen, where)


@rule("SNAP-TIME", on=SnapshotView)
def dates_of_a_snapshot_are_utc_and_in_order(snapshot: SnapshotView) -> Outcome | Sequence[Outcome] | None:
    """Every date is ISO 8601 in UTC, and none is before one that must come first."""
    failures: list[Outcome] = []
    earlier, looked = None, 0
    for field in snapshot.operation.resource.dates:
        value = snapshot.document.get(field)
        if value is None:
            continue
        looked += 1
        where, moment = f"{snapshot.pointer}/{field}", instant(value)
        if moment is None:
            failures.append(Failure("an ISO 8601 date-time in UTC", shown(value), where))
            continue
        if earlier is not None and moment < earlier[1]:
            seen = f"{snapshot.document[earlier[0]]} and {value}"
            failures.append(Failure(f"{earlier[0]} not after {field}", shown(seen), where))
        earlier = (field, moment)
    return summed(failures, looked)


@rule("SNAP-NEW", on=CreationView)
def a_taken_snapshot_is_fresh(new: CreationView) -> Iterator[Outcome]:
    """A snapshot that was just taken is not done yet, is on demand, and repeats the description."""
    resource, document, pointer = new.operation.resource, new.document, new.pointer
    if not resource.fresh:
        return
    status = document.get("status")
    yield holds(status in resource.fresh, f"a status of {' or '.join(resource.fresh)}", status, f"{pointer}/status")
    kind = document.get("snapshotType")
    yield holds(kind == "onDemand", "the snapshotType onDemand", kind, f"{pointer}/snapshotType")
    if new.sent is not None and "description" in new.sent:
        sent, seen = new.sent["description"], document.get("description")
        yield holds(seen == sent, f"description {shown(sent)}, as sent", seen, f"{pointer}/description")


@rule("SNAP-FOUND", on=GetView)
def a_taken_snapshot_is_found_by_its_id(view: GetView) -> Outcome | None:
    """A taken snapshot is found by its id, at once."""
    if view.history.created is None:
        return None
    if view.lost:
        return holds(False, "the taken snapshot found by its id", view.status, STATUS)
    if view.may_find and view.status == view.reading.operation.success:
        return HELD
    return None


@rule("SNAP-FOUND", on=GetView)
def a_deleted_snapshot_is_not_found(view: GetView) -> Outcome | None:
    """After its delete was answered 204, a snapshot is answered with 404, within 30 seconds for good."""
    if not view.asks_for_deleted:
        return None
    if view.status == 404:
        return HELD
    shown_late = view.status == view.reading.operation.success and view.must_be_gone
    if shown_late or view.refuses_wrongly:
        return holds(False, "404 for a snapshot that was deleted", view.status, STATUS)
    return None


@rule("SNAP-FOUND", on=ListView)
def a_whole_list_holds_every_taken_snapshot(view: ListView) -> Outcome | None:
    """Every taken snapshot stands in a list that one page holds whole, 30 seconds after it was taken."""
    if view.owed:
        seen = f"{len(view.lost)} missing"
        return holds(not view.lost, "every taken snapshot in the list", seen, f"{view.pointer}/results")
    return None


@rule("SNAP-FOUND", on=ReturnView)
def no_list_holds_a_deleted_snapshot(view: ReturnView) -> Outcome | None:
    """A deleted snapshot stands in no list, 30 seconds after its delete or once it was gone."""
    if view.shown_at is None:
        return HELD
    return Failure("no snapshot that was deleted in the list", f"the deleted snapshot {view.snapshot}", view.shown_at)


@rule("L-FOUND", on=GetView)
def a_listed_snapshot_is_found_by_its_id(view: GetView) -> Outcome | None:
    """A snapshot that a list has just shown is found by its id."""
    refused_version = view.reading.accepts.later and view.status == 406
    if view.history.created is None and view.may_find and view.was_just_listed and not refused_version:
        if view.status == view.reading.operation.success:
            return HELD
        if view.misses:
            return holds(False, "the listed snapshot found by its id", view.status, STATUS)
    return None


@rule("L-SCOPE", on=DeleteView)
def a_snapshot_is_not_deleted_from_elsewhere(view: DeleteView) -> Outcome | None:
    """A delete through another cluster or project is refused."""
    if view.elsewhere:
        return holds(view.status >= 400, "a refusal through another cluster or project", view.status, STATUS)
    return None


@rule("SNAP-RESTORE", on=RestoreView)
def what_is_completed_can_be_restored_and_what_is_deleted_cannot(view: RestoreView) -> Outcome | None:
    """A snapshot that a list shows completed can be restored; one that was deleted is refused."""
    if view.deleted:
        if view.status in (400, 404, 409):
            return HELD
        expected = "the restore of a deleted snapshot refused with 400 or 404 or 409"
        return Failure(expected, str(view.status), STATUS) if view.status < 300 else None
    if not view.must_be_taken:
        return None
    success = view.reading.operation.success
    return holds(view.status == success, f"{success}: a list shows the snapshot completed", view.status, STATUS)


@rule("SNAP-RESTORE", on=StoryView)
def a_job_and_its_snapshot_tell_one_story(view: StoryView) -> Outcome | None:
    """A job shows the date of its snapshot, to the second."""
    told, own = instant(view.shown), instant(view.owed)
    if told is None or own is None:
        return None
    apart = abs(told.replace(microsecond=0) - own.replace(microsecond=0)).total_seconds()
    expected = f"{view.field} {view.owed}, when its snapshot was done"
    return holds(apart <= _SAME_MOMENT, expected, view.shown, view.pointer)
