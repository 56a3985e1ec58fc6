"""Watching that refused creates create nothing, by the list of jobs or snapshots where one is offered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.validation import NotJson, parse_json
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.jobs import read_list, until_idle
from atlas_conformance.runner.outcomes import Judged
from atlas_conformance.strategies.requests import Case
from atlas_conformance.strategies.scenes import Scene

_TRIED_ALONE = 60
"""How many refused creates are repeated, one at a time, to find which of them created a job."""

_TRIED_WHEN_IDLE = 6
"""How many creates that a busy target excuses are retried when it is idle."""


def send_watched(endpoint: Endpoint, operation: Operation, scene: Scene, cases: Iterable[Case]) -> list[Judged | None]:
    """Send creates that must be refused, and return their answers; fail on one that creates a job all the same."""
    cases = endpoint.sample(operation, cases)
    listing = endpoint.contract.find(operation.resource.name, "list")
    if not scene.real or listing is None or not endpoint.offers(listing.id) or listing.id in endpoint.restless:
        return _send(endpoint, cases)
    with _watched(endpoint, operation, scene) as stray:
        answers = _send(endpoint, cases)
        if not stray() or endpoint.doubts():
            return answers
        for case in cases[:_TRIED_ALONE]:
            with endpoint.in_passing():
                judged = endpoint.send(case.request)
            if judged is None or judged.status < 400 or not stray():
                continue
            with endpoint.in_passing():  # somebody else may have made a job just then; nobody does so twice on cue
                endpoint.send(case.request)
            if stray():
                _report(endpoint, judged, case)
    return answers


def _send(endpoint: Endpoint, cases: Iterable[Case]) -> list[Judged | None]:
    """Send creates that must be refused; some of those that a busy target may have had refused, once it is idle."""
    answers = endpoint.send_all(case.request for case in cases)
    excused = [
        judged.exchange.request
        for judged in answers
        if judged is not None and judged.status == 409 and not judged.judgement.findings
        if endpoint.chronicle.busy(judged.exchange.request, judged.exchange.started)
    ]
    if excused:
        answers += retry_when_idle(endpoint, excused[:: -(-len(excused) // _TRIED_WHEN_IDLE)])
    return answers


def retry_when_idle(endpoint: Endpoint, requests: Iterable[Request]) -> list[Judged | None]:
    """Send creates once more when their target is idle: a busy one may be refused before anybody looks at the rest."""
    if not until_idle(endpoint):
        return []
    with endpoint.in_passing():
        return endpoint.send_all(requests)


@contextmanager
def _watched(endpoint: Endpoint, operation: Operation, scene: Scene) -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether jobs appeared since it was last asked that no create of this run answered
    for.
    """
    known = _listed(endpoint, operation, scene)

    def stray() -> bool:
        nonlocal known
        before, known = known, _listed(endpoint, operation, scene)
        if before is None or known is None:
            return False
        if not known.total - before.total > known.created - before.created:
            return False
        # A list that goes on changing while nothing is sent says nothing of what was sent before.
        again, known = known, _listed(endpoint, operation, scene)
        return known is not None and known.total == again.total

    yield stray


@dataclass(frozen=True)
class _Listed:
    """How many jobs a list counts, and how many creates of this run may have made one by then."""

    total: int
    created: int
    """Creates that may have made them: those that succeeded, and those whose answer never came."""


def _listed(endpoint: Endpoint, operation: Operation, scene: Scene) -> _Listed | None:
    """Read how many jobs the scene's list counts; None where it could not be read."""
    created = len(endpoint.chronicle.made()) + len(endpoint.recorder.unsettled)
    with endpoint.in_passing():
        judged = read_list(endpoint, operation.resource, scene, itemsPerPage="1")
    if judged is None:
        return None
    try:
        total = parse_json(judged.exchange.response.body)["totalCount"]
    except (NotJson, KeyError, TypeError):
        return None
    return _Listed(total, created) if isinstance(total, int) and not isinstance(total, bool) else None


def _report(endpoint: Endpoint, judged: Judged, case: Case) -> None:
    reading = endpoint.chronicle.reading(judged.exchange.request)
    requirement, pointer = case.breaks or "C-STATUS", "/response/status"
    if reading is not None and reading.violations:
        requirement, pointer = reading.violations[0].requirement, reading.violations[0].pointer
    seen = f"{judged.status}, and a new job in the list"
    expected = f"{case.what}: refused, and nothing created"
    operation = reading.operation.id if reading is not None else ""
    endpoint.report(judged, Finding(requirement, operation, expected, seen, pointer))
