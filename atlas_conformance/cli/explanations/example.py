"""An exchange that fails a requirement, found by telling stories to faulty endpoints; the same with a sound one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import orjson

from atlas_conformance.cli.explanations.stories import CLOSED, Story, paced, stories_of
from atlas_conformance.cli.explanations.world import Moment, World
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.inventory import Kind
from atlas_conformance.http.redaction.redaction import redact
from atlas_conformance.reference.fault import Fault
from atlas_conformance.reference.faults import catalogue

_KINDS = ("shape", "negative", "rule", "subtle", "stateful")
_OF_SNAPSHOTS_BEFORE = frozenset({"SNAP-FLOW", "SNAP-RESTORE"})
"""Requirements that rest on an earlier sight of a snapshot, also where the exchange is not about it alone."""
_LONGEST = 2_000
"""An exchange with a longer body is shown only where no shorter one fails the requirement."""


@dataclass(frozen=True, slots=True)
class Example:
    """A failing exchange with its finding, and the same exchange with a sound endpoint.

    `before` and `conforming_before` are the earlier exchanges that the finding rests on. `fault` is what the endpoint
    of the failing one does wrong.
    """

    fault: Fault
    before: tuple[Exchange, ...]
    failing: Exchange
    finding: Finding
    conforming_before: tuple[Exchange, ...]
    conforming: Exchange


def faults_of(requirement: str) -> tuple[Fault, ...]:
    """Return the faults of the reference endpoint that break a requirement, the simplest kinds first."""
    found = [fault for fault in catalogue().values() if fault.requirement == requirement]
    order = (*_KINDS, "concurrent")
    return tuple(sorted(found, key=lambda fault: order.index(fault.kind)))


@cache
def example_of(requirement: str) -> Example | None:
    """Return an example of a requirement, if possible a short one that it leads; None where there is none.

    The same contract and the same faults give the same example.
    """
    second: Example | None = None
    for story in stories_of(requirement):
        for fault in faults_of(requirement):
            if fault.pause:
                continue
            for kind in _kinds(fault):
                for example, clear in _examples(requirement, story, fault, kind):
                    if clear:
                        return example
                    second = second or example
    return second


def _kinds(fault: Fault) -> list[Kind]:
    """Return the kinds of cluster on which a fault shows; all where it names no operation."""
    operations = Contract.load().operations
    named = [operations[name].cluster_kind for name in fault.operations if name in operations]
    return list(dict.fromkeys(kind for kind in named if kind is not None)) or ["flex", "dedicated", "tenant"]


def _world(story: Story, fault: Fault | None) -> World:
    return World(fault, closed=story in CLOSED, rate=2 if story is paced else None)


def _examples(requirement: str, story: Story, fault: Fault, kind: Kind) -> Iterator[tuple[Example, bool]]:
    """Yield the first failing exchanges of a story, and whether each is as a reader wants it.

    That is: short, led by the requirement, and answered otherwise than by a sound endpoint.
    """
    found: list[tuple[int, Moment]] = []
    with _world(story, fault) as world:
        for _ in story(world, kind):
            moment = world.moments[-1]
            if any(f.requirement == requirement and f.departure is None for f in moment.told.judgement.findings):
                found.append((len(world.moments) - 1, moment))
                if len(found) == 3:
                    break
        moments = list(world.moments)
    if not found:
        return
    sound = _told(story, fault, kind, found[-1][0] + 1)
    for index, moment in found:
        if index >= len(sound):
            continue
        same = sound[index]
        request = moment.exchange.request
        if same.told.judgement.findings or same.exchange.request.method != request.method:
            continue
        findings = [f for f in moment.told.judgement.findings if f.departure is None]
        finding = next(f for f in findings if f.requirement == requirement)
        short = len(request.body or b"") + len(moment.exchange.response.body or b"") < _LONGEST
        rests_on = _evidence(moments[:index], moment, finding)
        before = tuple(redact(moments[place].exchange) for place in rests_on)
        sound_before = tuple(redact(sound[place].exchange) for place in rests_on)
        differs = (before, moment.exchange.response) != (sound_before, same.exchange.response)
        yield (
            Example(fault, before, redact(moment.exchange), finding, sound_before, redact(same.exchange)),
            short and differs and findings[0].requirement == requirement,
        )


def _told(story: Story, fault: Fault, kind: Kind, count: int) -> list[Moment]:
    """Return the first moments of a story with a sound endpoint that makes the same choices where it is free."""
    sound = Fault("sound", "", (), "", "shape", freedoms=fault.freedoms)
    with _world(story, sound) as world:
        for _ in story(world, kind):
            if len(world.moments) >= count:
                break
        return list(world.moments)


def _evidence(earlier: list[Moment], moment: Moment, finding: Finding) -> list[int]:
    """Return where the creation and the last sight of the jobs or snapshots are that a finding rests on."""
    jobs = {key[-1] for key in moment.told.about}
    if finding.requirement in _OF_SNAPSHOTS_BEFORE:
        jobs = jobs or _snapshots_in(moment.exchange, finding.pointer)

    def shows(exchange: Exchange) -> bool:
        text = exchange.request.target + (exchange.response.body or b"").decode("utf-8", "replace")
        return any(job in text for job in jobs)

    seen = [place for place, one in enumerate(earlier) if shows(one.exchange)]
    return seen if len(seen) <= 2 else [seen[0], seen[-1]]


def _snapshots_in(exchange: Exchange, pointer: str) -> set[str]:
    """Return the id of the snapshot that a request names, or of the one in a list at which a finding points."""
    sent = orjson.loads(exchange.request.body) if exchange.request.body else {}
    if "snapshotId" in sent:
        return {sent["snapshotId"]}
    place = re.match(r"/response/body/results/(\d+)/", pointer)
    if place is None:
        return set()
    return {orjson.loads(exchange.response.body)["results"][int(place[1])]["id"]}
