"""The cells of the matrix while they are counted: what held, failed, was a known departure, and why some have none."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.requirement import Requirement
from atlas_conformance.reports.counted import Counted
from atlas_conformance.reports.model import (
    ADVICE,
    DEPARTURE,
    ERROR,
    EXCLUDED,
    FAILED,
    LADDER,
    NOT_EXERCISED,
    NOT_OFFERED,
    PASSED,
    WITHHELD,
    Cell,
    Row,
    Unexercised,
)
from atlas_conformance.reports.records import Header, StatusRecord

Pair: TypeAlias = tuple[str, str]
"""Requirement, operation."""

NO_EXCHANGE = "no request of this run exercised it"
NO_SUCH_ANSWER = "the endpoint gave no {}"
UNSELECTED = "left out by --requirement"
EXCLUSION = "left out by --exclude"


class Cells:
    """Counts what holds and what fails in exchanges, by requirement and operation.

    `failed`, `advised` and `departed` are the numbers of the exchanges that broke a pair, or departed from it.
    """

    def __init__(self, header: Header, requirements: Mapping[str, Requirement], counted: Counted) -> None:
        """Count nothing yet; `counted` says which exchanges count."""
        self._header = header
        self._requirements = requirements
        self._counted = counted
        self.failed: defaultdict[Pair, set[int]] = defaultdict(set)
        self.advised: defaultdict[Pair, set[int]] = defaultdict(set)
        self.departed: defaultdict[Pair, set[int]] = defaultdict(set)
        self._held_of = array("L")
        self._held_sets: dict[tuple[Pair, ...], int] = {}
        self._held_counts: list[int] = []
        self._statuses: dict[tuple[str | None, str | None], StatusRecord] = {}

    @property
    def shown(self) -> set[Pair]:
        """The pairs that held, or were a known departure, in some exchange."""
        held = {pair for pairs in self._held_sets for pair in pairs}
        return held | self.departed.keys() | self.advised.keys()

    def add_held(self, held: tuple[Pair, ...]) -> None:
        """Take in what held in the next exchange."""
        number = self._held_sets.setdefault(held, len(self._held_sets))
        if number == len(self._held_counts):
            self._held_counts.append(0)
        self._held_counts[number] += 1
        self._held_of.append(number)

    def add_status(self, record: StatusRecord) -> None:
        """Take in why a cell has no exchanges, or an error of the suite.

        Of two reasons the first by the alphabet stays, so that the order of shards makes no difference.
        """
        key = (record.requirement, record.operation)
        known = self._statuses.get(key)
        if known is None or _standing(record) < _standing(known):
            self._statuses[key] = record

    def rows(self) -> dict[str, Row]:
        """Return the rows of the matrix, in the catalogue's order."""
        passed = self._passed()
        bound: defaultdict[str, set[str]] = defaultdict(set)
        for requirement in self._requirements.values():
            bound[requirement.id].update(requirement.operations)
        for requirement_id, operation in (*passed, *self.failed, *self.advised, *self.departed, *self._statuses):
            if requirement_id is not None and operation is not None:
                bound[requirement_id].add(operation)
        rows = {}
        for requirement_id in in_order(bound, self._requirements):
            cells = {
                operation: self._cell((requirement_id, operation), passed[requirement_id, operation])
                for operation in in_order(bound[requirement_id], Contract.load().operations)
            }
            known = self._requirements.get(requirement_id)
            statuses = {cell.status for cell in cells.values()} or {NOT_EXERCISED}
            rows[requirement_id] = Row(
                id=requirement_id,
                statement=known.statement if known else "(A requirement that this version does not know.)",
                source=known.source if known else "",
                verdict=next(status for status in LADDER if status in statuses),
                cells=cells,
                selected=self.selected(requirement_id),
                basis=known.basis if known else "",
                force=known.force if known else "",
                sources=known.sources if known else (),
            )
        return rows

    def _passed(self) -> Counter[Pair]:
        """Return, for each pair, the number of exchanges in which it held without a finding."""
        passed: Counter[Pair] = Counter()
        held_sets = list(self._held_sets)
        for held, count in zip(held_sets, self._held_counts, strict=True):
            for pair in held:
                passed[pair] += count
        members = [frozenset(held) for held in held_sets]
        broken = (self.failed, self.advised, self.departed)
        for pair in {pair for numbers in broken for pair in numbers}:
            spoilt = {number for numbers in broken for number in numbers.get(pair, ())}
            passed[pair] -= sum(pair in members[self._held_of[n - 1]] for n in spoilt)
        return passed

    def _cell(self, pair: Pair, passed: int) -> Cell:
        if pair[0] in self._header.excluded:
            return Cell(*pair, status=EXCLUDED, reason=EXCLUSION)
        failed = self.failed.get(pair, set())
        advised = self.advised.get(pair, set()) - failed
        departed = self._counted.count(self.departed.get(pair, set()) - failed - advised)
        status, reason = self._recorded_status(pair)
        if failed:
            status, reason = FAILED, None
        elif status != ERROR and (advised or departed or passed):
            status, reason = (ADVICE if advised else DEPARTURE if departed else PASSED), None
        count = self._counted.count
        return Cell(
            *pair,
            status=status,
            passed=passed,
            failed=count(failed),
            departed=departed,
            reason=reason,
            advised=count(advised),
        )

    def _recorded_status(self, pair: Pair) -> tuple[str, str | None]:
        """Return the status and the reason of a pair as far as they don't rest on exchanges."""
        requirement, operation = pair
        recorded = [self._statuses.get(key) for key in (pair, (requirement, None), (None, operation), (None, None))]
        if error := next((status for status in recorded if status and status.status == ERROR), None):
            return ERROR, error.reason
        if not self.selected(requirement):
            return NOT_EXERCISED, UNSELECTED
        offered = self._header.offered.get(operation, True)
        if offered is not True:
            return NOT_OFFERED, offered if isinstance(offered, str) else "the endpoint does not offer the operation"
        known = self._requirements.get(requirement)
        if (
            known is not None
            and known.needs
            and not any(self._header.offered.get(n, True) is True for n in known.needs)
        ):
            return NOT_OFFERED, f"the endpoint offers none of {', '.join(known.needs)}"
        if status := next((status for status in recorded if status), None):
            return status.status, status.reason
        if known is not None and known.rests_on is not None:
            return NOT_EXERCISED, NO_SUCH_ANSWER.format(known.rests_on)
        return NOT_EXERCISED, NO_EXCHANGE

    def selected(self, requirement: str) -> bool:
        """Whether a requirement was to be verified."""
        return self._header.requirements is None or requirement in self._header.requirements


def in_order(names: Iterable[str], catalogue: Iterable[str]) -> list[str]:
    """Return the distinct names: those of the catalogue in its order, then the others sorted."""
    wanted = set(names)
    known = [name for name in catalogue if name in wanted]
    return known + sorted(wanted.difference(known))


def _standing(record: StatusRecord) -> tuple[int, str]:
    return LADDER.index(record.status), record.reason


def by_reason(rows: Iterable[Row]) -> tuple[Unexercised, ...]:
    """Return the cells without exchanges by status and reason, withheld ones first."""
    found: defaultdict[tuple[str, str], defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for cell in row.cells.values():
            if cell.status in (WITHHELD, NOT_EXERCISED, NOT_OFFERED, EXCLUDED):
                found[cell.status, cell.reason or ""][row.id].append(cell.operation)
    return tuple(
        Unexercised(status, reason, {id: tuple(operations) for id, operations in cells.items()})
        for (status, reason), cells in sorted(found.items(), key=lambda item: (LADDER.index(item[0][0]), item[0][1]))
    )
