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
    def must_be_found(self) -> bool:
        """Whether the job was created before, through this very API, by a request that leaves no doubt."""
        known, reading, request = self.history, self.reading, self.exchange.request
        return (
            not self.elsewhere
            and known.created is not None
            and known.created.ended <= self.exchange.started
            and self.contract.operations[known.create_operation or ""].links.get("read") == reading.operation.id
            and not reading.must_be_refused
            and all(f.of_item or (f.exact and self.status not in f.statuses) for f in reading.freedoms)
            and self.status not in (401, 429)
            and not (self.status == GONE and reading.operation.sunset)
            and request.credential == "owner"
        )

    @cached_property
    def refused_version(self) -> bool:
        """Whether it is refused because it asks for a later version."""
        return self.must_be_found and self.reading.accepts.later and self.status == 406

    @cached_property
    def lost(self) -> bool:
        """Whether a job that must be found is not."""
        wrong_success = 200 <= self.status < 300
        success = self.reading.operation.success
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
