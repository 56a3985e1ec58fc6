"""Sending requests only to learn which difference matters: judged and journalled, bounded, and never counted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.finding import Finding, Judgement
from atlas_conformance.contracts.history import JobHistory
from atlas_conformance.http.failures import NoAnswer
from atlas_conformance.http.redaction.redaction import hushed, redact_request
from atlas_conformance.reports.grouping import Key
from atlas_conformance.reports.model import CONTRAST
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.jobs import is_settled
from atlas_conformance.runner.left_behind import look_at

EACH, ALL = 24, 150
"""How many probes are sent at most for one requirement and operation, and exchanges in all, waits included."""
_SHARE = 4
"""A run spends no more than this part of its own exchanges on it, or as much as one requirement may cost."""
_MOST_UNANSWERED = 3
_MOST_WAITS = 4
"""How often the run waits at most until its jobs have ended: a busy target may be why a create was refused."""


@dataclass(frozen=True)
class Probe:
    """What came of a request: the exchange's number and status, and the keys of what was found on it."""

    n: int
    status: int
    keys: frozenset[Key]


@dataclass
class Prober:
    """Sends probes through an endpoint's client. `known` are the keys of what the run has found: a probe adds no other
    ones to the journal. `learn`, where given, tells the endpoint what has happened before, once something is sent.
    """

    endpoint: Endpoint
    known: frozenset[Key]
    learn: Callable[[], None] | None = None
    _asked: dict[Request, Probe | None] = field(default_factory=dict)
    _spent: Counter[tuple[str, str]] = field(default_factory=Counter)
    _unanswered: int = 0
    _waits: int = 0
    _sent_so_far: int = 0

    def __post_init__(self) -> None:
        self._before = self.endpoint.journal.exchanges
        self._limit = min(ALL, max(EACH, self._before // _SHARE))
        self.endpoint = self.endpoint.for_test(CONTRAST)

    @property
    def is_spent(self) -> bool:
        """Whether nothing more is to be sent."""
        gone = self._unanswered >= _MOST_UNANSWERED or self.endpoint.client.ended
        return gone or self.endpoint.journal.exchanges - self._before >= self._limit

    def ask(self, request: Request, key: Key) -> Probe | None:
        """Send a request on behalf of a finding, and return what came of it, which is remembered.

        None where it may not be sent, was not answered, or where as much as may be was spent.
        """
        if request not in self._asked:
            if self.is_spent or self._spent[key[:2]] >= EACH or not self._may_be_sent(request):
                return None
            learn, self.learn = self.learn, None
            if learn is not None:
                learn()
            before = self._sent_so_far
            self._asked[request] = self._sent(request)
            self._spent[key[:2]] += max(1, self._sent_so_far - before)
        return self._asked[request]

    def _may_be_sent(self, request: Request) -> bool:
        """Whether a probe does no harm: nothing is deleted or cancelled for it, and elsewhere nothing restored."""
        if request.method not in ("GET", "HEAD", "POST"):
            return False
        reading = self.endpoint.chronicle.reading(request)
        if reading is None:
            return False
        return request.method != "POST" or not self.endpoint.client.guard.remote or reading.must_be_refused

    def _sent(self, request: Request) -> Probe | None:
        probe = self._once(request, free_target=False)
        if probe is None or probe.keys or not 400 <= probe.status < 500 or not self._is_excused(request):
            return probe
        if self._waits >= _MOST_WAITS:
            return None
        self._waits += 1
        if not self._is_idle(request):
            self._waits = _MOST_WAITS  # what does not end once would be waited for in vain each time
            return None
        return self._once(request, free_target=True)

    def _is_idle(self, request: Request) -> bool:
        """Wait until every job that may hold the request's target has ended; whether that came about."""
        endpoint = self.endpoint
        target = endpoint.chronicle.target(request)

        def holders() -> list[JobHistory]:
            found = [job for job in endpoint.chronicle.made() if job.target in (None, target)]
            # One that was cancelled holds its target until it is seen to have ended.
            return [job for job in found if not is_settled(job)]

        with endpoint.waiting(endpoint.profile.patience) as again, endpoint.in_passing():
            while holders():
                look_at(endpoint, holders)
                if holders() and (self.is_spent or not again()):
                    return False
        return not endpoint.chronicle.busy(request, time.time())

    def _is_excused(self, request: Request) -> bool:
        """Whether a refusal says nothing, as a job of this run may hold the target."""
        reading = self.endpoint.chronicle.reading(request)
        return reading is not None and not reading.violations and self.endpoint.chronicle.busy(request)

    def _once(self, request: Request, *, free_target: bool) -> Probe | None:
        attempt = self.endpoint.client.attempt_all([request])[0]
        if not isinstance(attempt, Exchange):
            self._unanswered += isinstance(attempt, NoAnswer)
            return None
        self._unanswered = 0
        self._sent_so_far += 1
        judgement = self.endpoint.chronicle.tell(attempt, free_target=free_target).judgement
        return self._journalled(attempt, judgement)

    def _journalled(self, exchange: Exchange, judgement: Judgement) -> Probe:
        endpoint = self.endpoint
        found: tuple[Finding, ...] = tuple(f for f in judgement.findings if f.key in self.known)
        matched = Contract.load().match(exchange.request.method, exchange.request.path)
        n = endpoint.journal.exchange(
            redact_request(exchange, endpoint.client.forms),
            operation=None if matched is None else matched[0].id,
            test=CONTRAST,
            judgement=Judgement(findings=hushed(exchange, found)),
            passing=True,
        )
        keys = frozenset(f.key for f in judgement.findings if f.departure is None)
        return Probe(n, exchange.response.status, keys)
