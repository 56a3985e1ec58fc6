"""Spending a small budget of jobs: the creates that teach most come first, and some places are kept for refusals.

Every create that may be accepted costs one of the run's `max_jobs`. What each of them can teach is its lessons: the row
of the decision table that it follows, and the forms in which it asks for the answer. A create that leaves fewer creates
to be sent for the lessons still to come is sent as long as there is a place; any other one only where a place is left
over when all of those have had theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.reading import Reading, Readings
from atlas_conformance.http.guard.guard import Guard
from atlas_conformance.http.target import draw_absent
from atlas_conformance.strategies.bodies import base_bodies, has_table
from atlas_conformance.strategies.scenes import invented_scene, scenes

Lesson: TypeAlias = tuple[str, str]
"""An operation's id, and what a create of it can teach: a row of the table, or one of `_FORMS`."""

_WRAPPED, _INDENTED, _LATER = "an envelope", "indentation", "a later version"
_FORMS = (_WRAPPED, _INDENTED, _LATER)
CANCELLED: Lesson = ("cluster-cancel", "a cancelled job")
"""What a job teaches that is made to be cancelled."""

TAKEN: Lesson = ("snapshot-take", "a snapshot to follow")
"""What a snapshot teaches that is taken to be read, restored and deleted."""

_KEPT = 3
"""Places kept for creates that must be refused: they give them back, and with none of them none could be sent."""


class Ration:
    """Says which creates of a run are worth one of the jobs that its guard allows; without a budget, all are."""

    def __init__(self, guard: Guard, knowledge: Knowledge) -> None:
        self._guard = guard
        self._knowledge = knowledge
        self._owed: set[Lesson] = set()
        for operation in Contract.load().operations.values():
            makes_jobs = operation.kind == "create" and operation.resource.what == "job"
            if makes_jobs and knowledge.offers(operation.id):
                self._owed.update((operation.id, what) for what in _lessons_of(operation, knowledge))
        cancel = Contract.load().operations[CANCELLED[0]]
        if knowledge.offers(cancel.id) and scenes(knowledge.inventory, cancel.cluster_kind):
            self._owed.add(CANCELLED)

    @property
    def in_force(self) -> bool:
        """Whether there is a budget to be spent."""
        return self._guard.mode == "restore" and self._guard.budget is not None

    def objections(self, requests: list[Request], lesson: Lesson | None = None) -> list[str | None]:
        """Return, for each of some requests that are to be sent together, why it is not worth a job, or None.

        `lesson` is what each of them teaches besides what it shows.
        """
        left = self._guard.jobs_left
        if left is None or not self.in_force:
            return [None] * len(requests)
        assert self._guard.budget is not None
        left -= min(_KEPT, self._guard.budget // 4)
        objections: list[str | None] = []
        for request in requests:
            reading = self._hopeful(request)
            if reading is None:
                objections.append(None)
                continue
            untaught = self._owed.difference((*_lessons(reading), lesson))
            owed, still_owed = _places(self._owed), _places(untaught)
            if left > (0 if still_owed < owed else owed):
                left -= 1
                objections.append(None)
                self._owed = untaught
            else:
                kept = "the rest is kept for creates that teach more and for ones that must be refused"
                objections.append(f"of the budget of {self._guard.budget} jobs, {kept}")
        return objections

    def _hopeful(self, request: Request) -> Reading | None:
        """Read a create that may be accepted; None for every other request."""
        if request.method != "POST" or request.credential not in ("owner", "unknown"):
            return None
        reading = Readings(self._knowledge).of(request)
        if reading is None or reading.must_be_refused or reading.operation.kind != "create":
            return None
        if reading.operation.resource.what != "job":
            return None
        return reading


def _places(lessons: set[Lesson]) -> int:
    """Return how many creates it takes to teach these: one may be wrapped and indented at once."""
    both = {operation for operation, what in lessons if what in (_WRAPPED, _INDENTED)}
    return len(both) + sum(what not in (_WRAPPED, _INDENTED) for _, what in lessons)


def _lessons_of(operation: Operation, knowledge: Knowledge) -> list[str]:
    """Return what creates of an operation can teach on this endpoint; nothing where none can be accepted."""
    found = scenes(knowledge.inventory, operation.cluster_kind)
    if not found and knowledge.inventory.takes_any:
        found = (invented_scene(draw_absent(0), real=True),)
    if not found:
        return []
    rows = [_row(operation, body.document) for body in base_bodies(operation, found[0])]
    return [*rows, *(form for form in _FORMS if form != _LATER or operation.api == "v2")]


def _lessons(reading: Reading) -> list[Lesson]:
    if not reading.must_succeed:
        return []
    shown = (reading.envelope, reading.pretty, reading.accepts.later)
    forms = [form for form, asked in zip(_FORMS, shown, strict=True) if asked]
    return [(reading.operation.id, what) for what in (_row(reading.operation, reading.document), *forms)]


def _row(operation: Operation, document: Mapping[str, Any]) -> str:
    """Name the row of the decision table that a conforming body follows: all are of one for flex and tenant."""
    if not has_table(operation):
        return "restore"
    return " ".join([str(document["deliveryType"]), *sorted(document.keys() - {"deliveryType"})])
