"""Snapshots among the followed things: where they must be found, when they are gone, and the jobs that restore them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from unicodedata import normalize
from urllib.parse import unquote

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.dates import is_in_life
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.following import (
    KEPT,
    DeleteView,
    GetView,
    RestoreView,
    ReturnView,
    StoryView,
    is_gone,
)
from atlas_conformance.contracts.history import JobHistory, Observation
from atlas_conformance.contracts.judge import Examined, Judge
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.reading import Reading
from atlas_conformance.contracts.resources import Resource
from atlas_conformance.contracts.store import JobStore, Place

_MOST_RESTORED = 10_000
_NO_DIGIT = re.compile("[^0-9a-f]")
Followed: TypeAlias = Callable[[Reading, str], JobHistory | None]
"""Finds the history of what a request is about, by its id."""


class Stories:
    """Judges what an answer shows in the light of the snapshots that a store keeps."""

    def __init__(self, store: JobStore, judge: Judge) -> None:
        self._store = store
        self._judge = judge
        self._restored: set[tuple[str, str]] = set()
        """Creates and the snapshots of which they have made a job."""

    def judge_restore(self, exchange: Exchange, examined: Examined, *, idle: bool) -> None:
        """Judge a create of a job by what is known of the snapshot that it names."""
        reading = examined.reading
        operation, body = reading.operation, reading.document
        if operation.kind != "create" or operation.resource.what != "job" or not isinstance(body, dict):
            return
        named = body.get("snapshotId")
        if isinstance(named, str) and exchange.response.status == operation.success and not reading.violations:
            if len(self._restored) > _MOST_RESTORED:
                self._restored.clear()
            self._restored.add((operation.id, named))
        known = snapshot_of(self._store, operation.resource, reading.place, named)
        if known is not None:
            restored = (operation.id, named) in self._restored
            view = RestoreView(known, exchange, reading, self._judge.contract, idle, restored)
            self._judge.book.apply(view, operation.id, examined.verdicts)

    def follow_delete(self, exchange: Exchange, examined: Examined, snapshot: str, known: JobHistory | None) -> None:
        """Judge the answer to a delete, and note what it did."""
        reading, status = examined.reading, exchange.response.status
        if known is not None:
            view = DeleteView(known, exchange, reading, self._judge.contract)
            self._judge.book.apply(view, reading.operation.id, examined.verdicts)
            if view.elsewhere:
                return
        if 400 <= status < 500:
            return
        if known is None:
            known = self._store.follow(snapshot, reading.operation.resource, reading.place, created=False)
        known.delete_started = min(known.delete_started, exchange.started)
        if status == reading.operation.success and known.deleted_ended is None:
            known.deleted_ended = exchange.ended

    def note_deleted(self, exchange: Exchange, examined: Examined, followed: Followed) -> None:
        """Note that a delete was answered with success, whoever asked for it and however: who is wrongly let in deletes
        as well, and a malformed id that is wrongly taken may be cleaned up into that of a snapshot.
        """
        reading = examined.reading
        if reading.operation.kind != "delete" or reading.item is None or exchange.response.status >= 300:
            return
        known = followed(reading, reading.item)
        if known is not None:
            known.delete_started = min(known.delete_started, exchange.started)
            return
        cleaned = _NO_DIGIT.sub("", normalize("NFKD", unquote(reading.item)).lower())
        for known in self._store.at(reading.operation.resource, reading.place):
            if known.job in cleaned:
                known.delete_started = min(known.delete_started, exchange.started)

    def judge_deleted(self, exchange: Exchange, examined: Examined, seen: set[str], *, whole: bool) -> None:
        """Judge a list by the deleted snapshots that it must no longer show; `whole`: it is all on this page."""
        reading = examined.reading
        if reading.operation.resource.what != "snapshot":
            return
        for known in list(self._store.at(reading.operation.resource, reading.place)):
            deleted = known.deleted_ended
            if deleted is None or deleted > exchange.started:
                continue
            if known.job not in seen:
                if not whole:
                    continue
                known.gone.setdefault(reading.operation.id, exchange.ended)
            elif not is_gone(known, reading.operation.id, exchange.started, self._judge.contract):
                continue
            where = f"{examined.pointer}/results" if known.job in seen else None
            self._judge.book.apply(ReturnView(known.job, where), reading.operation.id, examined.verdicts)


def snapshot_of(store: JobStore, resource: Resource, place: Place, snapshot: Any) -> JobHistory | None:
    """Return the history of the snapshot that a job of a resource names, in the job's own place; None where none is."""
    known = resource.snapshots
    return store.get(snapshot, known, place) if known is not None and isinstance(snapshot, str) else None


def story_of(history: JobHistory, seen: Observation, store: JobStore) -> StoryView | None:
    """Return the date that a job shows of its snapshot beside the snapshot's own, or None where one is not known."""
    job, document = seen.operation.resource, seen.document
    if job.what != "job" or job.dated_by is None or document.get("deliveryType") == "pointInTime":
        return None
    known = snapshot_of(store, job, history.place, document.get("snapshotId"))
    owed = known.fixed.get(known.resource.dated_by or "") if known is not None else None
    shown = document.get(job.dated_by)
    if not (isinstance(owed, str) and isinstance(shown, str)):
        return None
    if not (is_in_life(owed, seen.ended) and is_in_life(shown, seen.ended)):
        return None  # a date that cannot be true is found where it shows
    return StoryView(job.dated_by, shown, owed, f"{seen.pointer}/{job.dated_by}")


def note_read(view: GetView) -> None:
    """Remember of a read that it did not find what another one may find, or that what was deleted is gone."""
    if view.status != 404 or view.history.resource.what != "snapshot":
        return
    operation, ended = view.reading.operation.id, view.exchange.ended
    if view.asks_for_deleted:
        view.history.gone.setdefault(operation, ended)
    elif view.may_find:
        view.history.missed.add(operation)


def note_listed(history: JobHistory, operation: Operation, document: Mapping[str, Any], ended: float) -> None:
    """Remember that a list showed something, and whether it showed a snapshot that can be restored."""
    history.shown_by[operation.id] = ended
    history.shown_first.setdefault(operation.id, ended)
    restorable = operation.resource.restorable
    if restorable is not None and document.get("status") == restorable:
        history.restorable_since = min(history.restorable_since, ended)


def owed_by_list(history: JobHistory, operation: Operation, exchange: Exchange, contract: Contract) -> bool:
    """Tell whether a whole list must show a taken snapshot; of a sharded cluster's, one of two lists shows it."""
    created = history.created
    if created is None or history.delete_started <= exchange.ended or created.ended + KEPT < exchange.started:
        return False
    if history.shown_first.get(operation.id, float("inf")) <= exchange.started:
        return True
    if created.ended + contract.settled_within > exchange.started:
        return False
    if history.fixed.get("type") == "replicaSet":
        return not operation.sharded
    lists = [o.id for o in contract.operations.values() if o.resource is operation.resource and o.kind == "list"]
    shown = any(name in history.shown_first for name in lists)
    others = [name for name in lists if name != operation.id]
    missed = any(name in history.missed for name in others)
    if not shown:
        history.missed.add(operation.id)
    return not shown and missed
