"""What the rules on finding things back look at: an answer in the light of the jobs that are followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.history import JobHistory
from atlas_conformance.contracts.reading import Reading
from atlas_conformance.contracts.views import GONE

JUST = 60.0
"""Seconds for which what a list has shown counts as being there still."""
KEPT = 86_400.0
"""Seconds for which a snapshot is kept at least: no retention is shorter than a day."""


def is_gone(history: JobHistory, operation: str, started: float, contract: Contract) -> bool:
    """Tell whether a deleted snapshot must be gone from an operation's answer that began at `started`."""
    deleted = history.deleted_ended
    if deleted is None or deleted > started:
        return False
    return started >= deleted + contract.settled_within or history.gone.get(operation, float("inf")) <= started


@dataclass(eq=False)
class GetView:
    """The answer to a read of a job that is followed."""

    history: JobHistory
    exchange: Exchange
    reading: Reading
    contract: Contract

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.exchange.response.status

    @cached_property
    def elsewhere(self) -> bool:
        """Whether the job is asked for through a place that is not its own."""
        return self.history.place != self.reading.place

    @cached_property
    def _leaves_no_doubt(self) -> bool:
        """Whether it is asked for in its place, and nothing but whether it exists settles the answer."""
        reading, operation = self.reading, self.reading.operation
        return (
            not self.elsewhere
            and not reading.must_be_refused
            and all(
                freedom.of_item or operation.sharded or (freedom.exact and self.status not in freedom.statuses)
                for freedom in reading.freedoms
            )
            and self.status not in (401, 429)
            and not (self.status == GONE and operation.sunset)
            and self.exchange.request.credential == "owner"
        )

    @cached_property
    def _reads(self) -> tuple[str, ...]:
        """The operations by which it can be read; of a dedicated cluster's snapshot, one of two finds it."""
        known, operation = self.history, self.reading.operation
        if known.resource.what == "job":
            create = self.contract.operations.get(known.create_operation or "")
            return (create.links["read"],) if create is not None and "read" in create.links else ()
        if known.fixed.get("type") == "replicaSet" and not operation.sharded:
            return (operation.id,)
        kindred = (o for o in self.contract.operations.values() if o.resource is operation.resource and o.kind == "get")
        return tuple(o.id for o in kindred if o.api == operation.api)

    @cached_property
    def may_find(self) -> bool:
        """Whether it was made before, its reads are asked for it, and nothing has deleted it since."""
        known, operation = self.history, self.reading.operation
        before = known.first_ended if known.created is None else known.created.ended
        if not self._leaves_no_doubt or before > self.exchange.started:
            return False
        return known.delete_started > self.exchange.ended and operation.id in self._reads

    @cached_property
    def misses(self) -> bool:
        """Whether no other operation is left that may find it."""
        others = [read for read in self._reads if read != self.reading.operation.id]
        return not others or any(read in self.history.missed for read in others)

    @cached_property
    def must_be_found(self) -> bool:
        """Whether it was created before, through this very API, by a request that leaves no doubt."""
        return self.history.created is not None and self.may_find and self.misses

    @cached_property
    def was_just_listed(self) -> bool:
        """Whether a list has shown it lately."""
        return any(0 <= self.exchange.started - shown <= JUST for shown in self.history.shown_by.values())

    @cached_property
    def asks_for_deleted(self) -> bool:
        """Whether its delete was answered with success before it was asked for."""
        deleted = self.history.deleted_ended
        return deleted is not None and deleted <= self.exchange.started and self._leaves_no_doubt

    @cached_property
    def must_be_gone(self) -> bool:
        """Whether a deleted snapshot may no longer be shown here."""
        return self.asks_for_deleted and is_gone(
            self.history, self.reading.operation.id, self.exchange.started, self.contract
        )

    @cached_property
    def refuses_wrongly(self) -> bool:
        """Whether a deleted snapshot is refused with another status than that of what does not exist."""
        free = self.reading.operation.sharded or self.status in (403, 406)
        return self.asks_for_deleted and 400 <= self.status < 500 and self.status != 404 and not free

    @cached_property
    def refused_version(self) -> bool:
        """Whether it is refused because it asks for a later version."""
        return self.must_be_found and self.reading.accepts.later and self.status == 406

    @cached_property
    def lost(self) -> bool:
        """Whether a job that must be found is not."""
        wrong_success = 200 <= self.status < 300
        success = self.reading.operation.success
        if self.history.resource.what != "job" and self.exchange.started > self.history.first_ended + KEPT:
            return False
        return self.must_be_found and not self.refused_version and not wrong_success and self.status != success


class CancelView(GetView):
    """The answer to a cancel of a job that is followed."""

    @cached_property
    def too_late(self) -> bool:
        """Whether the job had ended before. To cancel once more what is cancelled is left free."""
        ended = self.history.finished_ended < self.exchange.started
        return not self.elsewhere and ended and self.history.last_state != "cancelled"

    @property
    def is_settled_otherwise(self) -> bool:
        """Whether something else than the state of the job may have settled the answer."""
        reading = self.reading
        free = reading.must_be_refused or not all(freedom.of_item for freedom in reading.freedoms)
        return free or self.status in (401, 429) or self.exchange.request.credential != "owner"


class DeleteView(GetView):
    """The answer to a delete of a snapshot that is followed."""


@dataclass(eq=False)
class ReturnView:
    """A deleted snapshot and a list that came late enough to miss it; `shown_at` is where it stands all the same."""

    snapshot: str
    shown_at: str | None


@dataclass(eq=False)
class RestoreView:
    """A create of a job from a snapshot that is followed.

    `idle` says that nobody's job holds its target, `restored` that the operation has made a job of this snapshot: what
    else it refuses then is not for the snapshot's sake (B-ACCEPT).
    """

    history: JobHistory
    exchange: Exchange
    reading: Reading
    contract: Contract
    idle: bool = False
    restored: bool = False

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.exchange.response.status

    @cached_property
    def _is_heard(self) -> bool:
        """Whether the answer speaks of what is asked for, and not of who asks."""
        asked, reading = self.exchange.request, self.reading
        settled = self.status in (401, 403, 406, 429) or self.status >= 500
        return asked.credential == "owner" and not settled and not reading.accepts.free

    @cached_property
    def deleted(self) -> bool:
        """Whether the snapshot is gone, and nothing else is wrong with the request."""
        deleted, started = self.history.deleted_ended, self.exchange.started
        if deleted is None or not self._is_heard:
            return False
        broken = {violation.requirement for violation in self.reading.violations}
        settled = started >= deleted + self.contract.settled_within
        gone = settled or any(moment <= started for moment in self.history.gone.values())
        return gone and broken <= {"N-SNAPSHOT"}

    @cached_property
    def must_be_taken(self) -> bool:
        """Whether a list showed the snapshot completed, nothing has deleted it, and all else is known to exist."""
        known, exchange, reading = self.history, self.exchange, self.reading
        return (
            known.restorable_since <= exchange.started
            and any(0 <= exchange.started - shown <= JUST for shown in known.shown_by.values())
            and known.delete_started > exchange.ended
            and not reading.violations
            and all(freedom.of_snapshot for freedom in reading.freedoms)
            and self._is_heard
            and (self.status != 409 or self.idle)
            and (not self.restored or self.status == reading.operation.success)
        )


@dataclass(eq=False)
class StoryView:
    """The date that a job shows of its snapshot (`field`), and the date that the snapshot has shown (`owed`)."""

    field: str
    shown: Any
    owed: Any
    pointer: str


@dataclass(eq=False)
class MeetingView:
    """One followed or remembered job as an answer shows it: is it the one, and is it in its place?"""

    job: str
    own_place: tuple[str, str]
    created: bool
    place: tuple[str, str]
    document: Mapping[str, Any]
    pointer: str


@dataclass(eq=False)
class BirthView:
    """The id of a job that a create answered with; `repeated` says that an earlier job has it."""

    job: str
    pointer: str
    repeated: bool


@dataclass(eq=False)
class ListView:
    """A list in the light of the jobs that are followed.

    `elsewhere` says that jobs of the kind are known in other places, `owed` are the ids of those that must stand in it
    because it is whole, and `lost` those of them that do not.
    """

    pointer: str
    elsewhere: bool
    owed: tuple[str, ...]
    lost: tuple[str, ...]
