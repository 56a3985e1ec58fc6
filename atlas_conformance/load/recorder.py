"""From an attempt to the run's record: judge it, count it, and keep what findings rest on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Finding, Judgement
from atlas_conformance.http.client import Attempt
from atlas_conformance.http.failures import MissingCredentials, NoAnswer, Unsendable, Withheld
from atlas_conformance.http.redaction.echoes import Forms
from atlas_conformance.http.redaction.redaction import hushed, redact
from atlas_conformance.http.secret import Secret
from atlas_conformance.load.ledger import Ledger
from atlas_conformance.load.record import Key, RecordWriter
from atlas_conformance.reports.journal import JournalWriter
from atlas_conformance.runner.unanswered import is_spoilt, no_answer_finding, unanswered

SAMPLE = 2
"""How many exchanges of each operation, status and set of held requirements are journalled."""

EXAMPLES = 20
"""How many exchanges of each finding are journalled; the others are counted in the load record."""


@dataclass
class Recorder:
    """Takes what became of each request of a process.

    `secrets` are what is masked before anything is kept, or its forms; `found` is called with each failure, with the
    moment of its exchange. `silent_since` is when the first request had no answer after which none had one, and
    `broken_off` counts those that still waited for theirs when the run ended.
    """

    ledger: Ledger
    journal: JournalWriter
    record: RecordWriter
    secrets: Callable[[], Iterable[Secret] | Forms]
    found: Callable[[Finding, float], object] | None = None
    requests: int = 0
    errors: int = 0
    paced: int = 0
    silent_since: float | None = None
    broken_off: int = 0
    failures: Counter[Key] = field(default_factory=Counter)
    withheld: dict[str, str] = field(default_factory=dict)
    _sampled: Counter[tuple[str | None, int, int]] = field(default_factory=Counter)
    _examples: Counter[tuple[Key, str | None]] = field(default_factory=Counter)

    def take(self, attempt: Attempt, intended: float, who: str) -> None:
        """Record one attempt, meant to be sent at `intended` (epoch seconds); `who` names user and action."""
        if isinstance(attempt, Exchange):
            self.exchange(attempt, intended, who)
        elif isinstance(attempt, NoAnswer):
            self._no_answer(attempt, intended, who)
        elif isinstance(attempt, Withheld):
            found = Contract.load().match(attempt.request.method, attempt.request.path)
            if found is not None:
                self.withheld.setdefault(found[0].id, attempt.reason)
        elif not isinstance(attempt, MissingCredentials | Unsendable):
            raise attempt

    def exchange(self, exchange: Exchange, intended: float, who: str) -> Judgement:
        """Judge and record one exchange."""
        request, response = exchange.request, exchange.response
        judgement = self.ledger.feed(exchange)
        evidence = self.ledger.evidence if judgement.findings else ()
        found = Contract.load().match(request.method, request.path)
        operation = found[0].id if found is not None else None
        status = response.status
        held = self.record.sent(intended, exchange.started, exchange.ended, operation, status, judgement)
        self.requests += 1
        self.silent_since = None
        if status >= 500:
            self.errors += 1
            self.ledger.unanswered(request)
        elif status == 429:
            self.paced += 1
        if judgement.findings or self._is_sample(operation, status, held):
            self._keep(exchange, operation, judgement, evidence, who)
        return judgement

    def _is_sample(self, operation: str | None, status: int, held: int) -> bool:
        kind = (operation, status, held)
        self._sampled[kind] += 1
        return self._sampled[kind] <= SAMPLE

    def _keep(
        self, exchange: Exchange, operation: str | None, judgement: Judgement, evidence: Collection[Exchange], who: str
    ) -> None:
        """Journal an exchange with its findings, and before it the earlier ones that they rest on."""
        wanted = not judgement.findings
        for name, finding in {(finding.key, finding.departure): finding for finding in judgement.findings}.items():
            self._examples[name] += 1
            wanted = wanted or self._examples[name] <= EXAMPLES
            if finding.fails:
                self.failures[finding.key] += 1
                if self.found is not None:
                    self.found(finding, exchange.ended)
        if not wanted:
            return
        related = [self._journalled(earlier) for earlier in evidence]
        number = self.journal.exchange(
            redact(exchange, self.secrets()), operation=operation, test=who, judgement=Judgement(judgement.held)
        )
        self.journal.finding(number, *hushed(exchange, judgement.findings), related=related)
        self.journal.flush()

    def _journalled(self, earlier: Exchange) -> int:
        """Journal an earlier exchange as evidence, and return its number."""
        found = Contract.load().match(earlier.request.method, earlier.request.path)
        return self.journal.exchange(
            redact(earlier, self.secrets()), operation=found[0].id if found is not None else None, test="evidence"
        )

    def _no_answer(self, failure: NoAnswer, intended: float, who: str) -> None:
        now = time.time()
        found = Contract.load().match(failure.request.method, failure.request.path)
        operation = found[0].id if found is not None else None
        if failure.cause == "stopped":
            self.broken_off += 1
            return
        self.ledger.unanswered(failure.request)
        judgement = Judgement()
        if operation is not None and failure.cause != "timeout" and is_spoilt(failure):
            # Under load an endpoint may be too slow: that is among the figures. What is no answer is a failure.
            judgement = Judgement(findings=(no_answer_finding(failure, operation),))
            self._keep(unanswered(failure), operation, judgement, (), who)
        self.record.sent(intended, intended, now, operation, 0, judgement, failure.cause)
        self.requests += 1
        self.errors += 1
        self.silent_since = self.silent_since or now
