"""What the exchanges of each group of findings have in common, kept while a journal is counted.

From it `defects` tells which groups come of one cause: the same exchanges, the same jobs, the same place.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeAlias

import orjson

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.reports.grouping import Key
from atlas_conformance.reports.records import ExchangeRecord, FindingRecord

Grouped: TypeAlias = tuple[bool, Key]
"""Whether a group is advice, and its key: a requirement may have both at one place."""

_AT_HAND = 64
"""How many exchanges are kept at hand: most findings come right after their exchange."""
_LONGEST_BODY = 256 * 1024
"""Exchanges with longer answers are not kept: what is found on them is counted, and joined by its place alone."""
_MOST_JOBS = 20_000
_MOST_JOBS_OF_A_GROUP = 400
_MOST_RELATED = 2_000
_TOLD = re.compile(r"[0-9a-f]{24}")
_RESULT = re.compile(r"/results/(\d+)")
_WRAPPERS = ("content", "envelope")

OUTCOME, HEADER, BODY, ERROR = "outcome", "header", "body", "error body"
"""What a finding may be about: whether a request is taken, a header of the answer, its body."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a finding is about: the part of the exchange, and the field's own name, whatever it is wrapped in.

    Of an outcome the field is the one of the request that should have decided it, empty where that is not told. `role`
    is the same for the fields of several operations that mean the same, such as `name` and `clusterName`.
    """

    part: str
    field: str
    role: str = ""


def place_of(requirement: str, operation: str, place: str) -> Place:
    """Return what a finding of a requirement on an operation is about; the place is as `Finding.place` has it."""
    found = _place_of(requirement, place)
    return replace(found, role=_roles(operation).get(found.field, found.field))


@cache
def _roles(operation: str) -> Mapping[str, str]:
    """Return what the fields of an operation's path and body mean."""
    known = Contract.load().operations.get(operation)
    if known is None:
        return {}
    resource = known.resource
    roles = dict(zip(resource.place_fields, ("own project", "own cluster"), strict=False))
    roles |= dict(zip(resource.target or (), ("target's project", "target"), strict=False))
    return roles | {name: role for role, name in known.roles.items()}


def _place_of(requirement: str, place: str) -> Place:
    steps = [step for step in place.split("/")[1:] if step != "*"]
    if steps[:1] == ["request"]:
        return Place(OUTCOME, steps[2] if len(steps) > 2 else "")
    if steps[:2] == ["response", "headers"]:
        return Place(HEADER, "/".join(steps[2:]))
    if steps[:2] == ["response", "body"]:
        inner = steps[3:] if steps[2:3] and steps[2] in _WRAPPERS else steps[2:]
        inner = inner[1:] if inner[:1] == ["results"] and len(inner) > 1 else inner
        return Place(ERROR if requirement.startswith("E-") else BODY, inner[0] if inner else "")
    return Place(OUTCOME, "")


@dataclass(slots=True)
class Facts:
    """What is known of the exchanges of one group.

    `exchanges` are their numbers, `related` those of others that findings rest on. `jobs` counts the findings by the
    ids of what they are about, `made` are the jobs that are faulty from their beginning: they came of requests that
    should have been refused, have the wrong id, or do not begin as a fresh one does. `tests` are the functions that
    sent them, `marks` counts what their requests had of what a requirement may blame (`mark` in requirements.toml),
    `seen` the requests themselves. `statuses` are the status codes that answered, `since` is when the first one was
    sent (epoch seconds).
    """

    exchanges: set[int] = field(default_factory=set)
    related: set[int] = field(default_factory=set)
    jobs: Counter[str] = field(default_factory=Counter)
    made: set[str] = field(default_factory=set)
    tests: set[str] = field(default_factory=set)
    marks: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    seen: int = 0
    since: float | None = None


class Evidence:
    """Takes in exchanges and findings in the order of a journal, and keeps the facts of each group."""

    def __init__(self) -> None:
        self.facts: defaultdict[Grouped, Facts] = defaultdict(Facts)
        self.created: Counter[str] = Counter()
        """How many creates of each operation succeeded."""
        self.creates: dict[str, int] = {}
        """The exchange that created each job, as long as there are not too many."""
        self._at_hand: OrderedDict[int, ExchangeRecord] = OrderedDict()
        self._jobs = 0

    def add_exchange(self, record: ExchangeRecord) -> None:
        """Take in one more exchange."""
        if len(record.exchange.response.body) <= _LONGEST_BODY:
            self._at_hand[record.n] = record
        if len(self._at_hand) > _AT_HAND:
            self._at_hand.popitem(last=False)
        if record.exchange.request.method == "POST" and 200 <= record.exchange.response.status < 300:
            self.created[record.operation or ""] += 1
            if (
                len(self.creates) < _MOST_JOBS
                and (made := _id_of(document_of(record.exchange.response.body))) is not None
            ):
                self.creates.setdefault(made, record.n)

    def add_finding(self, record: FindingRecord, grouped: Grouped, exchanges: set[int], *, anew: bool) -> None:
        """Take in a finding of a group, which shows on these exchanges so far, and `anew` on this one."""
        facts = self.facts[grouped]
        facts.exchanges = exchanges
        if len(facts.related) < _MOST_RELATED:
            facts.related.update(record.related)
        found = self._at_hand.get(record.n)
        if found is None:
            return
        job = None
        if len(facts.jobs) < _MOST_JOBS_OF_A_GROUP and self._jobs < _MOST_JOBS:
            job = job_of(found, record.finding)
            if job is not None:
                self._jobs += job not in facts.jobs
                facts.jobs[job] += 1
        if not anew:
            return
        status = found.exchange.response.status
        facts.seen += 1
        facts.statuses[status] += 1
        facts.tests.add(found.test.partition("[")[0])
        facts.marks.update(marks_of(found))
        facts.since = found.exchange.started if facts.since is None else min(facts.since, found.exchange.started)
        if job is not None and 200 <= status < 300 and found.exchange.request.method == "POST":
            place = _place_of(record.finding.requirement, record.finding.place)
            at_birth = record.finding.requirement in _at_birth()
            if at_birth or place.part == OUTCOME or (place.part, place.field) == (BODY, "id"):
                facts.made.add(job)


@cache
def _at_birth() -> frozenset[str]:
    """Return the requirements on how a job or a snapshot begins."""
    resources = {operation.resource for operation in Contract.load().operations.values()}
    return frozenset(resource.common["new"] for resource in resources if "new" in resource.common)


@cache
def _marks() -> frozenset[str]:
    """Return what the requirements may blame a request for."""
    return frozenset({known.mark for known in Contract.load().requirements.values() if known.mark is not None})


def marks_of(record: ExchangeRecord) -> Iterator[str]:
    """Yield what a request has of what a requirement may blame: query parameters by name, and who asked."""
    request = record.exchange.request
    for mark in _marks():
        name, _, value = mark.partition("=")
        if name in request.target and any(n == name and (not value or v == value) for n, v in request.query):
            yield mark


def job_of(record: ExchangeRecord, finding: Finding) -> str | None:
    """Return the id of the job or snapshot that a finding is about, None if that is unknown."""
    told = _TOLD.search(finding.seen) if finding.pointer.endswith("/results") else None
    if told is not None:
        return told[0]
    request, response = record.exchange.request, record.exchange.response
    found = _RESULT.search(finding.pointer) if finding.pointer.startswith("/response/body") else None
    operation = Contract.load().operations.get(record.operation or "")
    if found is not None:
        results = document_of(response.body).get("results")
        item = results[int(found[1])] if isinstance(results, list) and int(found[1]) < len(results) else None
        return _id_of(item)
    if operation is None:
        return None
    if operation.kind == "create":
        return _id_of(document_of(response.body))
    named = Contract.load().match(request.method, request.path)
    return None if named is None else operation.item(named[1])


def _id_of(document: Any) -> str | None:
    found = document.get("id") if isinstance(document, dict) else None
    return found if isinstance(found, str) else None


def document_of(body: bytes) -> Mapping[str, Any]:
    """Return the object that a body holds, out of its envelope; an empty one where it holds none."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(document, dict):
        return {}
    inner = next((document[name] for name in _WRAPPERS if isinstance(document.get(name), dict)), None)
    return document if inner is None or "id" in document else inner
