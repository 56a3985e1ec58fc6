"""The endpoint as suites see it: send requests, have each exchange judged and journalled, learn what departs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from contracts.chronicle import Chronicle
from contracts.exchange import Exchange, Request, Response
from contracts.finding import Finding, Judgement
from contracts.knowledge import Knowledge
from contracts.operations import OPERATIONS, match, operations_at
from reports.journal import JournalWriter
from strategies.requests import build
from strategies.scenes import Scene, harmless_scene, invented_scene, path_parameters, scenes
from suites.profiles import Profile
from suites.repeating import Repeating
from targets.client import Client
from targets.failures import MissingCredentials, NoAnswer, NotSent, Unsendable, Withheld
from targets.polling import REMOTE, Intervals
from targets.redaction import redact
from targets.target import draw_absent

_CLOSE_BY = Intervals(first=0.01, cap=0.1)
_SHRINKING_BUDGET = 400
"""Exchanges that one test may spend on making a failing request smaller."""


class Departed(AssertionError):
    """The endpoint departs from the contract in a way that no earlier test of the run has shown."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        lines = [
            f"{f.requirement} on {f.operation}: expected {f.expected}, seen {f.seen} ({f.pointer})" for f in findings
        ]
        super().__init__("\n".join(lines))


class EndpointLost(RuntimeError):
    """The endpoint no longer answers at all: nothing more can be said of it.

    `found` tells whether a finding already names the request after which it was gone.
    """

    def __init__(self, reason: str, *, found: bool = False) -> None:
        super().__init__(reason)
        self.found = found


@dataclass(frozen=True)
class Judged:
    """One exchange, its number in the journal, and what the judge said of it."""

    exchange: Exchange
    judgement: Judgement
    number: int

    @property
    def status(self) -> int:
        """The status code of the answer."""
        return self.exchange.response.status


@dataclass
class Endpoint:
    """Sends requests through the client, judges every exchange, writes it to the journal, and remembers what was found.

    `stop` is asked after each finding whether the run has seen enough; `None` lets it go on to the end.
    """

    client: Client
    knowledge: Knowledge
    journal: JournalWriter
    profile: Profile
    seed: int
    stop: Callable[[Finding], bool] | None = None
    test: str = ""
    stopped: bool = False
    exploring: bool = False
    chronicle: Chronicle = field(init=False)
    _repeating: Repeating = field(init=False)
    _known: set[tuple[str, str, str]] = field(default_factory=set, init=False)
    _known_before_test: frozenset[tuple[str, str, str]] = field(default=frozenset(), init=False)
    _spent_after_failure: int | None = field(default=None, init=False)
    _owed: list[Finding] = field(default_factory=list, init=False)
    _withheld: dict[tuple[str, str], str] = field(default_factory=dict, init=False)
    _unexercised: dict[tuple[str, str], str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.chronicle = Chronicle(self.knowledge)
        self._repeating = Repeating(self.knowledge)

    # What the endpoint is

    @property
    def inventory_is_open(self) -> bool:
        """Whether every well-formed id counts as existing."""
        return self.knowledge.inventory.takes_any

    def offers(self, operation_id: str) -> bool:
        """Whether the endpoint offers the operation."""
        return operation_id in self.knowledge.offered

    def random(self, purpose: str) -> Random:
        """A random source that depends on the run's seed and the purpose alone."""
        return Random(f"{self.seed}:{purpose}")

    def scenes(self, family: str) -> tuple[Scene, ...]:
        """The scenes that requests of a family may be built around in this run's mode; never empty.

        Where nothing may be restored, the scene is one in which even a wrongly accepted create touches nothing.
        """
        absent = self.knowledge.inventory.absent or draw_absent(self.seed)
        if self.client.guard.mode != "restore" and not self.inventory_is_open:
            return (harmless_scene(self.knowledge.inventory, family, absent),)
        found = scenes(self.knowledge.inventory, family)
        return found or (invented_scene(absent, real=self.inventory_is_open),)

    def absent_job(self) -> str:
        """A well-formed job id that exists nowhere."""
        return (self.knowledge.inventory.absent or draw_absent(self.seed)).job

    # Sending

    def begin_test(self, name: str) -> None:
        """Start a new test: from now on `verify` fails on findings that were not known at this moment."""
        self.test = name
        self._owed = []
        self._known_before_test = frozenset(self._known)
        self._spent_after_failure = None

    def send(self, request: Request, *, free_target: bool = False) -> Judged | None:
        """Send one request; None where the guard withheld it or the target lacks what it takes to send it."""
        judged = self.send_all([request], free_target=free_target)
        return judged[0] if judged else None

    def send_all(self, requests: Iterable[Request], *, free_target: bool = False) -> list[Judged | None]:
        """Send requests, at the same time as far as the run's workers allow; judge and journal them in their order.

        What is found is tried again, after all were sent; a run that stops at the first sight spares itself that.
        """
        outcomes: list[Judged | None] = []
        for attempt in self.client.attempts(requests):
            if self.stopped:
                break
            if isinstance(attempt, Exchange):
                outcomes.append(self.record(attempt, free_target=free_target))
            else:
                outcomes.append(self._not_sent(attempt))
        for judged in outcomes:
            if judged is not None and judged.judgement.findings:
                self.try_again(judged)
        return outcomes

    def try_again(self, judged: Judged) -> None:
        """Send the request of an exchange with findings once more, and journal whether they repeat."""
        if self.stop is not None or judged.status == 0:
            return

        def send() -> tuple[int, Judgement] | None:
            attempt = self.client.attempt_all([judged.exchange.request])[0]
            if not isinstance(attempt, Exchange):
                return None
            again = self.record(attempt)
            return again.number, again.judgement

        for record in self._repeating.try_again(judged.number, judged.exchange, judged.judgement, send):
            self.journal.repeat(record)

    def verify(self, requests: Iterable[Request]) -> list[Judged | None]:
        """Send requests and let the test fail on findings that were not known before it began (see `require`).

        Returns the judged exchanges, in the order of the requests.
        """
        if self._spent_after_failure is not None and self._spent_after_failure > _SHRINKING_BUDGET:
            return []
        judged = self.send_all(requests)
        if self._spent_after_failure is not None:
            self._spent_after_failure += len(judged)
        self.require(judged)
        return judged

    def require(self, judged: Iterable[Judged | None]) -> None:
        """Let the test fail on findings of these exchanges that were not known before it began.

        An exploring test fails at once, so that Hypothesis makes the request smaller; any other one goes on to its end.
        """
        new = [f for j in judged if j is not None for f in self.new_findings(j)]
        if new:
            self._owed += new
            if self.exploring:
                self._spent_after_failure = self._spent_after_failure or 0
                raise Departed(new)

    def end_test(self) -> None:
        """Raise Departed on all that the test has found anew."""
        owed, self._owed = self._owed, []
        if owed:
            raise Departed(owed)

    def new_findings(self, judged: Judged) -> list[Finding]:
        """The findings of an exchange, known departures left out, that were not known before the test began."""
        return [f for f in judged.judgement.findings if f.departure is None and f.key not in self._known_before_test]

    def record(self, exchange: Exchange, *, free_target: bool = False) -> Judged:
        """Judge and journal an exchange that was had by other means than `send`."""
        judgement = self.chronicle.feed(exchange, free_target=free_target)
        found = match(exchange.request.method, exchange.request.path)
        operation = found[0].id if found is not None else None
        number = self.journal.exchange(
            redact(exchange, self.client.secrets), operation=operation, test=self.test, judgement=judgement
        )
        self._note(judgement.findings)
        return Judged(exchange, judgement, number)

    def report(self, judged: Judged, *findings: Finding, related: Iterable[Judged] = ()) -> None:
        """Add findings that rest on several exchanges; `judged` is the telling one. The test fails on new ones."""
        self.journal.finding(judged.number, *findings, related=[j.number for j in related])
        self._note(findings)
        self.require([Judged(judged.exchange, Judgement(findings=findings), judged.number)])

    def _note(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            if finding.departure is None:
                self._known.add(finding.key)
                if self.stop is not None and self.stop(finding):
                    self.stopped = True

    def _not_sent(self, failure: NotSent) -> Judged | None:
        found = operations_at(failure.request.path)
        operation = next((o.id for o, _ in found if o.method == failure.request.method), None)
        if isinstance(failure, Withheld):
            if operation is not None:
                self._withheld.setdefault((self.test, operation), failure.reason)
            return None
        if isinstance(failure, MissingCredentials | Unsendable):
            return None
        assert isinstance(failure, NoAnswer)
        return self._no_answer(failure, operation)

    def _no_answer(self, failure: NoAnswer, operation: str | None) -> Judged | None:
        """Tell an endpoint that is gone from one that drops the connection on this request alone (C-STATUS)."""
        large = len(failure.request.body or b"") > 65_536
        if operation is None or operation not in self.knowledge.offered or large:
            return None
        first = self.client.attempt_all([failure.request])[0]
        if isinstance(first, Exchange):
            return self.record(first)
        lost = isinstance(self.client.attempt_all([self._plain_read()])[0], NoAnswer)
        if lost and failure.cause not in ("closed", "malformed"):
            raise EndpointLost(failure.reason)
        now = time.time()
        exchange = Exchange(failure.request, Response(0, (), b""), now, now)
        # An input that no answer follows, and after which none follows anything, is worse than one that earns a 500.
        requirement = "C-5XX" if lost else "C-STATUS"
        seen = f"no complete answer: {failure.reason}" + ("; since then the endpoint is gone" if lost else "")
        finding = Finding(requirement, operation, "an answer with a documented status", seen, "/response/status")
        judgement = Judgement(findings=(finding,))
        number = self.journal.exchange(
            redact(exchange, self.client.secrets), operation=operation, test=self.test, judgement=judgement
        )
        self._note(judgement.findings)
        if lost:
            raise EndpointLost(failure.reason, found=True)
        return Judged(exchange, judgement, number)

    def _plain_read(self) -> Request:
        operation = OPERATIONS["flex-get"]
        return build(operation, path_parameters(operation, self.scenes("flex")[0], self.absent_job()))

    # What could not be put to the test

    def not_exercised(self, requirement: str, operation: str, reason: str) -> None:
        """Note why a requirement could not be put to the test on an operation; the first reason stays."""
        self._unexercised.setdefault((requirement, operation), reason)

    def reasons(self) -> Iterator[tuple[str, str, str]]:
        """Every (requirement, operation, reason) noted."""
        for (requirement, operation), reason in self._unexercised.items():
            yield requirement, operation, reason

    def withheld(self) -> dict[str, str]:
        """For each operation of which something was withheld, the first reason."""
        found: dict[str, str] = {}
        for (_, operation), reason in self._withheld.items():
            found.setdefault(operation, reason)
        return found

    @contextmanager
    def waiting(self, seconds: tuple[float, float]) -> Iterator[Callable[[], bool]]:
        """Yield a function that sleeps a growing while and says whether the time limit still allows another try.

        `seconds` are the limits on loopback and on a remote endpoint.
        """
        remote = self.client.guard.remote
        limit = time.monotonic() + seconds[1 if remote else 0]
        pauses = iter(REMOTE if remote else _CLOSE_BY)

        def again() -> bool:
            left = limit - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(next(pauses), left))
            return True

        yield again
