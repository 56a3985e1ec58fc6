"""After the tests: for each failure the smallest request that shows it, and the nearest one with the other outcome.

What the run has seen already answers most of it. Where the two nearest requests differ in several things, a few more
are sent, each with some of the differences (delta debugging). What is sent is judged and journalled like all else, and
does not count.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.reading import Reading
from atlas_conformance.reports.counted import request_size
from atlas_conformance.reports.model import EVERY_CREATE, FindingGroup, Report
from atlas_conformance.reports.records import ContrastRecord, Record
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.evidence import (
    ACCEPTANCE,
    LONGEST_BODY,
    OTHER,
    REFUSAL,
    Evidence,
    Question,
    Seen,
    gather,
    nearest,
    question_of,
    refused_alike,
)
from atlas_conformance.runner.features import Value
from atlas_conformance.runner.minimising import shortest_failing, smallest_failing
from atlas_conformance.runner.phrasing import Pair, Rule, sentence_of
from atlas_conformance.runner.probing import Probe, Prober
from atlas_conformance.runner.request_parts import (
    BODY,
    HEADER,
    PATH,
    PROPERTY,
    QUERY,
    SCHEME,
    Parts,
    Place,
    differences,
    mixed,
    parts_of,
    request_of,
)
from atlas_conformance.strategies.requests import headers

_LONG = 100
"""Texts of more characters are made shorter."""
_CONFORMING = ("accepted", "conforming")
_REFUSED = re.compile(r" (not found|refused here|refused)$")
_VALUES: Mapping[str, str] = {
    "B-TYPE": "values of another type",
    "B-RANGE": "numbers out of range",
    "T-ENUM": "other words",
} | dict.fromkeys(("B-PATTERN", "P-GROUP", "P-NAME", "P-JOB", "P-SNAPSHOT"), "malformed values")
"""What the values are called that a requirement refuses."""


@dataclass(frozen=True)
class _Shown:
    """A request with a known outcome: its exchange's number, and its parts."""

    n: int
    parts: Parts


def explain(prober: Prober, report: Report, records: Iterable[Record]) -> None:
    """Look for the smallest request and the contrast of each failure of `report`, and journal what is found.

    `records` are those of the journal so far; what else is to be known, `prober` asks the endpoint.
    """
    defects = report.failing_defects
    heads = [(defect.headline, defect) for defect in defects]
    wanted = [*heads, *((group, defect) for defect in defects for group in defect.same)]
    wanted = [(group, defect) for group, defect in wanted if _may_be_explained(group)]
    if wanted:
        evidence = gather(records, {group.operation for group, _ in wanted})
        search = _Search(prober.endpoint, evidence, prober)
        for group, defect in wanted:
            search.explain(group, defect.groups)


def _may_be_explained(group: FindingGroup) -> bool:
    """Whether one request shows a failure, again and again."""
    sample = group.sample
    alone = sample.exchange.response.status != 0 and sample.test != EVERY_CREATE and not group.unstable
    return alone and group.operation == sample.operation and group.operation in Contract.load().operations


@dataclass
class _Search:
    endpoint: Endpoint
    evidence: Evidence
    prober: Prober

    def explain(self, group: FindingGroup, kin: Sequence[FindingGroup]) -> None:
        """Look for what explains one failure; `kin` are the groups of findings that have the same cause."""
        failing = self._failing(group)
        if failing is None:
            return
        question = question_of(group.key, failing, self._reading(failing.request))
        if question.kind == OTHER and not self._is_shown_alone(group):
            return
        others = self._others(question)
        told = nearest(failing, others) or self._refused(question)
        base = told or nearest(failing, self._successes(question))
        if base is None:
            return
        places = differences(base.parts, failing.parts)
        if not places:
            return  # the same request had the other outcome: it was not the request
        worst = _Shown(failing.n, failing.parts)
        if len(places) > 1:
            found = self._smallest(question, base, places)
            if found is None:
                return
            worst, places = found
        worst = self._shortened(question, worst, places)
        if told is None:
            return  # the smallest request is all that can be had
        good = self._neighbour(question, base, worst, places)
        self._tell(question, worst, good, others, kin)

    def _failing(self, group: FindingGroup) -> Seen | None:
        """Return the exchange that shows a failure, if its request can be taken apart."""
        sample = group.sample
        for seen in self.evidence.of(group.operation):
            if seen.n == sample.n:
                return seen
        request = sample.exchange.request
        parts = parts_of(request, Contract.load().operations[group.operation])
        if parts is None or len(request.body or b"") <= LONGEST_BODY:
            return None
        keys = frozenset({group.key})
        status, size = sample.exchange.response.status, request_size(sample)
        return Seen(sample.n, request, status, keys, frozenset(), parts, sample.passing, size)

    def _is_shown_alone(self, group: FindingGroup) -> bool:
        """Whether one exchange shows a failure by itself: what rests on several says nothing of one request."""
        found = self.endpoint.judge.judge_sent(group.sample.exchange).findings
        return group.key in {finding.key for finding in found}

    def _others(self, question: Question) -> list[Seen]:
        """Return the exchanges with the outcome that is missed."""
        item = Place(PATH, question.operation.roles.get(question.operation.resource.what, ""))
        seen = self.evidence.of(question.operation.id)
        if question.kind == OTHER:
            # Another job may be in another state.
            seen = [one for one in seen if one.parts.get(item) == question.failing.parts.get(item)]
        others = [one for one in seen if question.is_other(one, self._reading)]
        if question.kind != OTHER or others or question.failing.status < 500:
            return others
        return self._successes(question)

    def _successes(self, question: Question) -> list[Seen]:
        """Return the exchanges in which all went well, whether they exercised the requirement or not."""
        seen = self.evidence.of(question.operation.id)
        return [one for one in seen if not one.keys and one.status == question.operation.success]

    def _reading(self, request: Request) -> Reading | None:
        return self.endpoint.chronicle.reading(request)

    # Probing

    def _asked(self, question: Question, parts: Parts) -> Probe | None:
        """Send the request that parts make, where its answer can tell something."""
        request = request_of(parts, question.operation)
        reading = self._reading(request)
        if reading is None:
            return None
        if question.kind == REFUSAL and reading.violations:
            return None
        if question.kind == ACCEPTANCE and question.key[0] not in {v.requirement for v in reading.violations}:
            return None
        return self.prober.ask(request, question.key)

    def _fails(self, question: Question, parts: Parts) -> _Shown | None:
        probe = self._asked(question, parts)
        return None if probe is None or question.key not in probe.keys else _Shown(probe.n, parts)

    def _smallest(
        self, question: Question, base: Seen, places: Sequence[Place]
    ) -> tuple[_Shown, tuple[Place, ...]] | None:
        """Return the request with the fewest differences that still fails, and those differences.

        None where the requests that were answered so no longer are: then nothing can be concluded.
        """
        failing = question.failing
        if self._fails(question, failing.parts) is None:
            return None
        kept = smallest_failing(
            places, lambda some: self._fails(question, mixed(base.parts, failing.parts, some)) is not None
        )
        worst = self._fails(question, mixed(base.parts, failing.parts, kept))
        if worst is None:
            return None
        if question.kind == REFUSAL and not self._holds(question, base.parts):
            return None
        return worst, kept

    def _holds(self, question: Question, parts: Parts) -> _Shown | None:
        """Return the request that parts make if it has the other outcome."""
        probe = self._asked(question, parts)
        if probe is None or question.key in probe.keys:
            return None
        if question.kind == REFUSAL and probe.status != question.operation.success:
            return None
        return _Shown(probe.n, parts) if probe.status < 500 else None

    def _shortened(self, question: Question, worst: _Shown, places: Sequence[Place]) -> _Shown:
        """Make the long texts among the differences shorter."""
        if question.kind == REFUSAL:
            return worst  # what it names has to exist
        for place in places:
            text = _text_at(place, worst.parts.get(place))
            if text is not None and len(text) > _LONG:
                worst = self._with_shortest(question, worst, place, text)
        return worst

    def _with_shortest(self, question: Question, worst: _Shown, place: Place, text: str) -> _Shown:
        def fails(some: str) -> bool:
            return self._fails(question, _with_text(worst.parts, place, some)) is not None

        shortest = shortest_failing(text, fails)
        return self._fails(question, _with_text(worst.parts, place, shortest)) or worst

    # Telling

    def _neighbour(self, question: Question, base: Seen, worst: _Shown, places: Sequence[Place]) -> _Shown:
        """Return the request with the other outcome that differs least: in one thing, if one was found."""
        if len(places) > 1 and question.kind != ACCEPTANCE:
            for place in places:
                kept = [other for other in places if other != place]
                found = self._holds(question, mixed(base.parts, worst.parts, kept))
                if found is not None:
                    return found
        return _Shown(base.n, base.parts)

    def _tell(
        self, question: Question, worst: _Shown, good: _Shown, others: list[Seen], kin: Sequence[FindingGroup]
    ) -> None:
        """Journal the contrast of two requests, for a failure and for what it explains at the same place."""
        alike = [seen.parts for seen in self.evidence.of(question.operation.id) if question.is_alike(seen)]
        words, rule = question.words, None
        if question.kind == ACCEPTANCE:
            refused = self._refused_alike(question)
            near = self._refused_neighbour(question, worst, good, refused)
            words = _CONFORMING if near is None and others else question.words
            good = near or good
            rule = self._rule(question, refused)
            others = [*others, *refused]
        places = differences(good.parts, worst.parts)
        if question.kind == OTHER and not _is_told_apart(question, places, worst, alike, others):
            return
        unlike = [seen.parts for seen in others]
        pair = Pair(words, question.operation, worst.parts, good.parts, alike, unlike, rule)
        sentence = sentence_of(pair, places)
        _, _, where = question.key
        explained = [one.key for one in kin if one.key in question.failing.keys and one.place == where]
        for key in dict.fromkeys((question.key, *explained, *self._specific(question, worst, places))):
            self.endpoint.journal.contrast(ContrastRecord(worst.n, good.n, *key, sentence))

    def _refused_alike(self, question: Question) -> list[Seen]:
        return list(refused_alike(question, self.evidence, self._reading))

    def _refused(self, question: Question) -> Seen | None:
        """Return, where no conforming request was accepted, the nearest one that was refused as it should be."""
        if question.kind != ACCEPTANCE:
            return None
        near = nearest(question.failing, self._refused_alike(question))
        alone = near is not None and len(differences(near.parts, question.failing.parts)) == 1
        return near if alone else None

    def _refused_neighbour(
        self, question: Question, worst: _Shown, conforming: _Shown, refused: Sequence[Seen]
    ) -> _Shown | None:
        """Return a request that is refused as it should be, and has another value where the accepted one is wrong."""
        near = nearest(question.failing, refused)
        places = differences(conforming.parts, worst.parts)
        if near is None or len(places) != 1 or places[0] == BODY or differences(near.parts, worst.parts) != places:
            return None
        valued = all(places[0] in parts for parts in (near.parts, worst.parts, conforming.parts))
        return _Shown(near.n, near.parts) if valued else None

    def _rule(self, question: Question, refused: Sequence[Seen]) -> Rule:
        """Return what is to be said of the rule that an accepted request breaks."""
        requirement = question.key[0]
        reading = self._reading(question.failing.request)
        expected = next((v.expected for v in reading.violations if v.requirement == requirement), "") if reading else ""
        about = _REFUSED.sub("", expected) if requirement.startswith("N-") else ""
        return Rule(about, _VALUES.get(requirement, ""), tuple(seen.parts for seen in refused))

    def _specific(self, question: Question, worst: _Shown, places: Sequence[Place]) -> list[tuple[str, str, str]]:
        """Find the requirement that speaks of the one difference, on every exchange that has it; return its key."""
        if question.kind != REFUSAL or len(places) != 1:
            return []
        (place,) = places
        name = _requirement_about(place, worst.parts)
        operation, header = question.operation.id, self.endpoint.journal.header
        if (
            name is None
            or name == question.key[0]
            or name in header.excluded
            or not Contract.load().requirements[name].binds(operation)
        ):
            return []
        if header.requirements is not None and name not in header.requirements:
            return []
        expected = f"{question.operation.success}, as without that difference"
        finding = Finding(name, operation, expected, str(question.failing.status), question.key[2])
        for seen in self.evidence.of(operation):
            if question.is_alike(seen) and seen.parts.get(place) == worst.parts.get(place):
                self.endpoint.journal.finding(seen.n, finding)
        return [finding.key]


def _requirement_about(place: Place, parts: Parts) -> str | None:
    """Return the requirement that is about one part of a request and nothing else."""
    if place.kind == QUERY:
        return {"envelope": "V-ENVELOPE", "pretty": "V-PRETTY"}.get(place.name)
    if place == SCHEME:
        return {"digest": "A-DIGEST", "bearer": "A-BEARER"}.get(parts[SCHEME])
    return None


def _is_told_apart(
    question: Question, places: Sequence[Place], worst: _Shown, alike: Sequence[Parts], others: Sequence[Seen]
) -> bool:
    """Whether a difference goes with the failure wherever it was seen, so that it is worth a word."""
    if len(places) != 1 or _is_usual(places[0], worst.parts, question.operation):
        return False
    (place,) = places
    held = {seen.parts.get(place) for seen in others}
    if worst.parts.get(place) in held:
        return False
    having = [parts for parts in alike if parts.get(place) not in held]
    return 3 * len(having) >= len(alike)


def _is_usual(place: Place, parts: Parts, operation: Operation) -> bool:
    """Whether a failing request has at a place what most requests have: then it is the other one that is odd."""
    if place.kind == QUERY:
        return place not in parts
    usual = {name.lower(): value for name, value in headers(operation)}
    sent = parts.get(place)
    return place.kind == HEADER and (sent[-1][1] if sent else None) == usual.get(place.name)


def _text_at(place: Place, part: object) -> str | None:
    """Return the text of a part that may be made shorter, or None."""
    if place.kind == PROPERTY and isinstance(part, tuple):
        data = Value(part[1], json=True).data
        return data if isinstance(data, str) else None
    if place.kind == HEADER and isinstance(part, tuple):
        return str(part[-1][1])
    return None


def _with_text(parts: Parts, place: Place, text: str) -> Parts:
    """Return the parts with another text at a place."""
    part = parts[place]
    spelt = (part[0], json.dumps(text)) if place.kind == PROPERTY else (*part[:-1], (part[-1][0], text))
    return {**parts, place: spelt}
