"""Recording: each exchange is judged and written to the journal, and what of it counts is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from atlas_conformance.contracts.body_reading import REFUSED
from atlas_conformance.contracts.chronicle import Chronicle
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.finding import Finding, Judgement
from atlas_conformance.contracts.history import JobKey
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.http.failures import NoAnswer
from atlas_conformance.http.guard.guard import Guard
from atlas_conformance.http.redaction.echoes import Forms
from atlas_conformance.http.redaction.redaction import hushed, redact_request
from atlas_conformance.http.secret import Secret
from atlas_conformance.reports.journal import JournalWriter
from atlas_conformance.runner.context import TestContext
from atlas_conformance.runner.counting import counted, created_job, once_for_each_state
from atlas_conformance.runner.outcomes import Judged, NewFailure
from atlas_conformance.runner.unanswered import unanswered
from atlas_conformance.runner.untested import Untested

Key = tuple[str, str, str]

_SHRINKING_BUDGET = 400
"""Exchanges that one test may spend on making a failing request smaller."""


@dataclass
class _Test:
    """What has come of the test under way.

    `required` are the numbers of the exchanges on whose findings it fails. `spent` are the exchanges since an exploring
    test failed, None before.
    """

    context: TestContext = field(default_factory=TestContext)
    known_before: frozenset[Key] = frozenset()
    own: set[str] = field(default_factory=set)
    states_counted: set[tuple[tuple[str, str], str]] = field(default_factory=set)
    owed: list[Finding] = field(default_factory=list)
    required: set[int] = field(default_factory=set)
    departed: bool = False
    doubtful: bool = False
    spent: int | None = None


class Recorder:
    """Judges exchanges, writes them to the journal, and knows what was found, in the run and in the test under way.

    `secrets` returns what must not be written, or its forms. The endpoint is held to `contract`, None for that of the
    package. `stop` is asked after each finding whether the run has seen enough; None lets it go on to the end. Of
    requirements among `excluded` nothing is said. In a `crowded` run other processes create jobs beside this one.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        journal: JournalWriter,
        guard: Guard,
        secrets: Callable[[], Iterable[Secret] | Forms],
        *,
        contract: Contract | None = None,
        stop: Callable[[Finding], bool] | None = None,
        excluded: Iterable[str] = (),
        crowded: bool = False,
    ) -> None:
        self.knowledge = knowledge
        self.journal = journal
        self.chronicle = Chronicle(knowledge, contract=contract)
        self.foreign: frozenset[JobKey] = frozenset()
        """The keys of jobs and snapshots that other processes made, and tell of."""
        self.untested = Untested()
        self.unsettled: list[Request] = []
        """Creates that may have made a job which no answer told of."""
        self.stopped = False
        """Whether the run has seen enough."""
        self._guard = guard
        self._secrets = secrets
        self._stop = stop
        self._excluded = frozenset(excluded)
        self._crowded = crowded
        self._known: set[Key] = set()
        self._passing = 0
        self._explores = False
        self._test = _Test()

    # The test under way

    def begin(self, context: TestContext) -> None:
        """Start a test: from now on it fails on findings that are not known at this moment."""
        self._test = _Test(context, frozenset(self._known))

    @property
    def context(self) -> TestContext:
        """The test under way."""
        return self._test.context

    @property
    def doubtful(self) -> bool:
        """Whether what was found in the test under way may be of other processes' making."""
        return self._test.doubtful

    @property
    def stops_early(self) -> bool:
        """Whether the run ends as soon as it has seen enough."""
        return self._stop is not None

    def doubts(self) -> bool:
        """Whether other processes of this run may have caused what was seen; if so, the test is rerun alone."""
        self._test.doubtful |= self._crowded
        return self._crowded

    def leave_out(self, *requirements: str) -> None:
        """Let the test under way no longer cover these requirements: what earlier exchanges show of them depends on
        other tests.
        """
        context = self._test.context
        self._test.context = replace(context, about=context.about - set(requirements))

    def adopt(self, job: str) -> None:
        """Let a job that was made in passing, or by somebody else, count as the test's own."""
        self._test.own.add(job)

    @contextmanager
    def in_passing(self) -> Iterator[None]:
        """Judge and journal what is sent inside, but count none of it: it prepares, waits, watches or repeats."""
        self._passing += 1
        try:
            yield
        finally:
            self._passing -= 1

    @contextmanager
    def exploring(self) -> Iterator[None]:
        """Let the test fail at once on what it finds inside, so that Hypothesis makes the request smaller."""
        self._explores = True
        try:
            yield
        finally:
            self._explores = False

    @property
    def _is_passing(self) -> bool:
        """Whether what is sent now does not count; an exploration that has found something only makes it smaller."""
        return self._passing > 0 or (self._explores and self._test.departed)

    @property
    def is_spent(self) -> bool:
        """Whether the test has spent all that it may on making a failing request smaller."""
        return self._test.spent is not None and self._test.spent > _SHRINKING_BUDGET

    def spend(self, exchanges: int) -> None:
        """Count exchanges that serve to make a failing request smaller, if there is one."""
        if self._test.spent is not None:
            self._test.spent += exchanges

    def require(self, judged: Iterable[Judged | None]) -> None:
        """Let the test fail on findings of these exchanges that were not known before it began.

        An exploring test fails at once; any other one goes on to its end. An exchange may be given several times.
        """
        fresh = [j for j in judged if j is not None and j.number not in self._test.required]
        self._test.required.update(j.number for j in fresh)
        self._owe(finding for j in fresh for finding in j.judgement.findings)

    def _owe(self, findings: Iterable[Finding]) -> None:
        new = [f for f in findings if f.fails and f.key not in self._test.known_before]
        if new:
            self._test.owed += new
            if self._explores:
                self._test.spent = self._test.spent or 0
                raise NewFailure(new)

    def end(self) -> None:
        """End the test. Raises NewFailure on all that it has found for the first time."""
        owed, self._test.owed = self._test.owed, []
        if owed:
            raise NewFailure(owed)

    # What is written

    def record(self, exchange: Exchange, *, free_target: bool = False) -> Judged:
        """Judge and journal an exchange."""
        test = self._test
        told = self.chronicle.tell(exchange, free_target=free_target)
        judgement, passing = self._without_excluded(told.judgement), self._is_passing
        found = self.chronicle.judge.contract.match(exchange.request.method, exchange.request.path)
        if judgement.findings and _may_be_of_others(found[0] if found is not None else None, exchange.response.status):
            self.doubts()
        held: frozenset[tuple[str, str]] = frozenset()
        if not passing:
            if (created := created_job(told)) is not None:
                test.own.add(created)
            about = test.context.about
            held = counted(self.chronicle.judge, told, about, test.own if self._guard.mode == "restore" else None)
            held = once_for_each_state(told, held, about, test.states_counted)
        operation = found[0].id if found is not None else None
        shown = Judgement(held, hushed(exchange, judgement.findings))
        number = self._write(exchange, operation, shown, passing=passing)
        self._note(judgement.findings)
        return Judged(exchange, judgement, number)

    def record_unanswered(self, failure: NoAnswer, finding: Finding, *, decisive: bool = True) -> Judged:
        """Journal a request without an answer, with its finding.

        It is not `decisive` where the test goes on with the answer to a retry.
        """
        exchange, judgement = unanswered(failure), self._without_excluded(Judgement(findings=(finding,)))
        number = self._write(exchange, finding.operation, judgement, passing=self._is_passing)
        self._note(judgement.findings, decisive=decisive)
        return Judged(exchange, judgement, number)

    def report(self, judged: Judged, *findings: Finding, related: Iterable[Judged] = ()) -> None:
        """Add findings that rest on several exchanges; `judged` is the telling one. The test fails on new ones."""
        findings = self._without_excluded(Judgement(findings=findings)).findings
        if not findings:
            return
        self.journal.finding(judged.number, *findings, related=[j.number for j in related])
        self._note(findings)
        self._owe(findings)

    def convict(self, exchange: Exchange, finding: Finding) -> None:
        """Journal an exchange with this one finding, whatever else it shows."""
        self._write(exchange, finding.operation, Judgement(findings=(finding,)), passing=self._is_passing)
        self._note([finding])

    def paced(self, exchange: Exchange) -> None:
        """Judge an answer that asked for a pause (A-RATE); a bare 503 that did not last says nothing."""
        if exchange.response.asks_to_wait:
            with self.in_passing():
                self.record(exchange)

    def lose(self, request: Request) -> None:
        """Note a write whose effect no answer tells of."""
        found = self.chronicle.judge.contract.match(request.method, request.path)
        if found is not None and found[0].kind == "create":
            self.unsettled.append(request)
            self.chronicle.lose(request)

    def learn(self, exchanges: Iterable[Exchange]) -> None:
        """Let the chronicle know of exchanges that other processes had; what they made is not this one's to tell of."""
        for exchange in exchanges:
            self.chronicle.tell(exchange)
        self.foreign = frozenset(made.key for made in self.chronicle.made())

    def _write(self, exchange: Exchange, operation: str | None, judgement: Judgement, *, passing: bool) -> int:
        return self.journal.exchange(
            redact_request(exchange, self._secrets()),
            operation=operation,
            test=self._test.context.name,
            judgement=judgement,
            passing=passing,
        )

    def _without_excluded(self, judgement: Judgement) -> Judgement:
        """Return the judgement without what it says of excluded requirements."""
        if not self._excluded:
            return judgement
        held = frozenset(pair for pair in judgement.held if pair[0] not in self._excluded)
        return Judgement(held, tuple(f for f in judgement.findings if f.requirement not in self._excluded))

    def _note(self, findings: Iterable[Finding], *, decisive: bool = True) -> None:
        for finding in findings:
            if finding.departure is None:
                self._test.departed |= decisive
                self._known.add(finding.key)
                if self._stop is not None and self._stop(finding):
                    self.stopped = True


def _may_be_of_others(operation: Operation | None, status: int) -> bool:
    """Whether other processes of a run may be why an answer was a refusal.

    Their jobs keep targets busy, and they delete the snapshots that they took.
    """
    if operation is None or status not in REFUSED:
        return False
    return operation.kind == "create" or (operation.resource.what == "snapshot" and status == 404)
