"""What a run has seen of one operation, from its journal: who was answered how, and which of two answers is nearest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.reading import Reading
from atlas_conformance.reports.counted import request_size
from atlas_conformance.reports.grouping import Key
from atlas_conformance.reports.records import ExchangeRecord, FindingRecord, Record
from atlas_conformance.runner.request_parts import (
    BODY,
    CREDENTIAL,
    PROPERTY,
    SCHEME,
    Parts,
    Place,
    differences,
    parts_of,
)

LONGEST_BODY = 65_536
"""Requests with longer bodies are not taken apart."""


@dataclass(frozen=True)
class Seen:
    """One exchange as far as it tells for or against a cause: its number, request, status, the keys of what was found
    on it, what held in it, and the parts of its request. `passing` as in ExchangeRecord.
    """

    n: int
    request: Request
    status: int
    keys: frozenset[Key]
    held: frozenset[tuple[str, str]]
    parts: Parts
    passing: bool
    size: int


@dataclass
class Evidence:
    """The exchanges of the operations that something was found on."""

    by_operation: dict[str, list[Seen]] = field(default_factory=dict)

    def of(self, operation: str) -> list[Seen]:
        """Return what was seen of an operation."""
        return self.by_operation.get(operation, [])


def gather(records: Iterable[Record], wanted: Collection[str]) -> Evidence:
    """Return the evidence on the operations `wanted` out of a journal's records."""
    exchanges: dict[int, ExchangeRecord] = {}
    keys: defaultdict[int, set[Key]] = defaultdict(set)
    for record in records:
        if isinstance(record, ExchangeRecord):
            body = record.exchange.request.body
            if record.operation in wanted and record.exchange.response.status and len(body or b"") <= LONGEST_BODY:
                exchanges[record.n] = record
        elif isinstance(record, FindingRecord) and record.finding.departure is None:
            keys[record.n].add(record.finding.key)
    found: dict[str, list[Seen]] = {}
    for n, record in exchanges.items():
        assert record.operation is not None
        parts = parts_of(record.exchange.request, Contract.load().operations[record.operation])
        if parts is not None:
            seen = Seen(
                n,
                record.exchange.request,
                record.exchange.response.status,
                frozenset(keys[n]),
                frozenset(record.held),
                parts,
                record.passing,
                request_size(record),
            )
            found.setdefault(record.operation, []).append(seen)
    return Evidence(found)


def nearest(failing: Seen, others: Iterable[Seen]) -> Seen | None:
    """Return the exchange whose request differs least from the failing one's; None where there is none."""
    return min(others, key=lambda other: _distance(failing, other), default=None)


def _distance(failing: Seen, other: Seen) -> tuple[int, float, bool, int, int]:
    places = differences(other.parts, failing.parts)
    unlike = sum(_unlike(place, failing.parts.get(place), other.parts.get(place)) for place in places)
    count = len(places) + (_WHOLE_BODY if BODY in places else 0)
    return (count, unlike, other.passing, other.size, other.n)


_WHOLE_BODY = 9
"""How many differences more a body counts that cannot be taken apart."""
_TELLING = frozenset({CREDENTIAL, SCHEME, Place(PROPERTY, "deliveryType")})
"""Where a difference makes another kind of request of it."""


def _unlike(place: Place, one: object, other: object) -> float:
    """Return how much two parts differ, in their letters and in their shape, from 0 to 1; 2 for a telling part."""
    if one is None or other is None:
        return 1.0
    if place in _TELLING:
        return 2.0
    spelt = [str(part)[-64:] for part in (one, other)]
    shapes = ["".join("a" if c.isalpha() else "0" if c.isnumeric() else c for c in text) for text in spelt]
    ratios = [SequenceMatcher(None, a, b, autojunk=False).ratio() for a, b in (spelt, shapes)]
    foreign = spelt[0].isascii() and not spelt[1].isascii()
    return 1.0 - sum(ratios) / (4 if foreign else 2)


@dataclass(frozen=True)
class Question:
    """What is to be explained: a finding's key, the exchange that shows it, and how to recognise requests with the
    other outcome. `words` are what is said of the two outcomes.
    """

    key: Key
    operation: Operation
    failing: Seen
    kind: str
    words: tuple[str, str]

    def is_alike(self, seen: Seen) -> bool:
        """Whether an exchange has the same finding."""
        return self.key in seen.keys

    def is_other(self, seen: Seen, reading: Callable[[Request], Reading | None]) -> bool:
        """Whether an exchange had the outcome that is missed."""
        if self.key in seen.keys:
            return False
        if self.kind == OTHER:
            return self.key[:2] in seen.held
        if self.failing.request.credential != seen.request.credential or seen.status != self.operation.success:
            return False
        read = reading(seen.request)
        return read is not None and not read.violations


REFUSAL, ACCEPTANCE, OTHER = "refusal", "acceptance", "other"
"""A request that should have been accepted, one that should have been refused, and all other failures."""


def question_of(key: Key, failing: Seen, reading: Reading | None) -> Question:
    """Return what is to be explained about a finding, shown by an exchange whose request reads so."""
    operation = Contract.load().operations[key[1]]
    if reading is not None and 400 <= failing.status < 500 and reading.must_succeed_or_refuse_by_name:
        return Question(key, operation, failing, REFUSAL, ("refused", "accepted"))
    if reading is not None and failing.status < 300 and key[0] in {v.requirement for v in reading.violations}:
        return Question(key, operation, failing, ACCEPTANCE, ("accepted", "refused"))
    return Question(key, operation, failing, OTHER, ("fails", "holds"))


def refused_alike(
    question: Question, evidence: Evidence, reading: Callable[[Request], Reading | None]
) -> Iterator[Seen]:
    """Yield the exchanges that break the same rule at the same place and were refused as they should be."""
    for seen in evidence.of(question.operation.id):
        if 400 <= seen.status < 500 and not seen.keys:
            read = reading(seen.request)
            broken = {(v.requirement, v.pointer) for v in read.violations} if read is not None else set()
            if any(_same_rule(question.key, rule) for rule in broken):
                yield seen


def _same_rule(key: Key, rule: tuple[str, str]) -> bool:
    return (key[0], key[2]) == rule
