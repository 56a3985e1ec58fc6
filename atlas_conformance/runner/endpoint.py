"""The endpoint as suites see it: send requests, have each exchange judged and journalled, learn what fails."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random

from atlas_conformance.contracts.body_reading import REFUSED
from atlas_conformance.contracts.chronicle import Chronicle
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.finding import Finding, Judgement
from atlas_conformance.contracts.history import JobKey
from atlas_conformance.contracts.inventory import Kind
from atlas_conformance.contracts.judge import Judge
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.http.client import Attempt, Client
from atlas_conformance.http.failures import MissingCredentials, NoAnswer, NotSent, Unsendable, Withheld
from atlas_conformance.http.polling import Intervals
from atlas_conformance.http.redaction.redaction import hushed, redact_request
from atlas_conformance.http.target import draw_absent
from atlas_conformance.reports.journal import JournalWriter
from atlas_conformance.reports.model import UNTOLD
from atlas_conformance.reports.records import RepeatRecord
from atlas_conformance.runner.counting import counted, created_job, once_for_each_state
from atlas_conformance.runner.outcomes import EndpointLost, Judged, NewFailure, RunEnded
from atlas_conformance.runner.profiles import Profile
from atlas_conformance.runner.rationing import Lesson, Ration
from atlas_conformance.runner.repeating import Repeating, outcome_of
from atlas_conformance.runner.unanswered import LARGE, is_spoilt, no_answer_finding, unanswered
from atlas_conformance.runner.untested import Untested
from atlas_conformance.strategies.requests import build
from atlas_conformance.strategies.sampling import CaseOrRequest, sample
from atlas_conformance.strategies.scenes import Scene, harmless_scene, invented_scene, path_parameters, scenes

_TRIES_OF_CLOSED = 4
"""Retries after a dropped connection."""
_SHRINKING_BUDGET = 400
"""Exchanges that one test may spend on making a failing request smaller."""


@dataclass
class Endpoint:
    """Sends requests through the client, judges every exchange, writes it to the journal, and remembers what was found.

    `intervals` are the waits between looks at a job. `stop` is asked after each finding whether the run has seen
    enough; `None` lets it go on to the end. `sleep` and `monotonic` serve the waits for jobs. It is held to
    `contract`. `about` are the requirements that the test under way covers. `shared_jobs` are the jobs that tests read
    which need one and no matter which, by the create and the place (None: there is none). In a `crowded` run other
    processes create jobs beside this one; `doubtful` says that what was found in the test under way may be of their
    making. `restless` are the lists that change by themselves; `foreign` are the keys of jobs and snapshots that
    other processes made, and tell of. `indents_errors` is whether `pretty=true` does so to errors anywhere; None as
    long as nobody asked.
    """

    client: Client
    knowledge: Knowledge
    journal: JournalWriter
    profile: Profile
    seed: int
    intervals: Intervals
    stop: Callable[[Finding], bool] | None = None
    sleep: Callable[[float], object] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    contract: Contract = field(default_factory=Contract.load)
    test: str = ""
    stopped: bool = False
    exploring: bool = False
    about: frozenset[str] = frozenset()
    crowded: bool = False
    doubtful: bool = False
    restless: frozenset[str] = frozenset()
    indents_errors: bool | None = None
    foreign: frozenset[JobKey] = frozenset()
    shared_jobs: dict[tuple[str, str, str], str | None] = field(default_factory=dict, init=False)
    chronicle: Chronicle = field(init=False)
    untested: Untested = field(default_factory=Untested, init=False)
    _repeating: Repeating = field(init=False)
    _ration: Ration = field(init=False)
    _known: set[tuple[str, str, str]] = field(default_factory=set, init=False)
    _known_before_test: frozenset[tuple[str, str, str]] = field(default=frozenset(), init=False)
    _spent_after_failure: int | None = field(default=None, init=False)
    _owed: list[Finding] = field(default_factory=list, init=False)
    _own: set[str] = field(default_factory=set, init=False)
    _states_counted: set[tuple[tuple[str, str], str]] = field(default_factory=set, init=False)
    _passing: int = field(default=0, init=False)
    _departed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.sleep is time.sleep:
            self.sleep = self.client.pause  # which ends when the run is ended
        self.chronicle = Chronicle(self.knowledge, contract=self.contract)
        self.waits: Callable[[float, str], object] = lambda until, what: None
        """Told until when (monotonic seconds) is waited, and for what."""
        self.excluded: frozenset[str] = frozenset()
        """Requirements of which nothing is said."""
        self.unsettled: list[Request] = []
        """Creates that may have made a job which no answer told of."""
        self.client.on_paced = self._paced
        self.client.on_unsettled = self._unsettled
        self._repeating = Repeating(self.judge)
        self._ration = Ration(self.client.guard, self.knowledge)

    # What the endpoint is

    @property
    def judge(self) -> Judge:
        """The judge of every exchange."""
        return self.chronicle.judge

    @property
    def rationed(self) -> bool:
        """Whether a budget bounds how many jobs the run may create."""
        return self._ration.in_force

    @property
    def inventory_is_open(self) -> bool:
        """Whether every well-formed id counts as existing, or as good as one that was made up."""
        return self.knowledge.inventory.takes_any

    def offers(self, operation_id: str) -> bool:
        """Whether the endpoint offers the operation."""
        return self.knowledge.offers(operation_id)

    def random(self, purpose: str) -> Random:
        """A random source that depends on the run's seed and the purpose alone."""
        return Random(f"{self.seed}:{purpose}")

    def scenes(self, kind: Kind | None) -> tuple[Scene, ...]:
        """The scenes that requests of a kind of cluster may be built around in this run's mode; never empty.

        Where nothing can or may be restored, or nothing more, the scene is one in which even a wrongly accepted create
        touches nothing.
        """
        absent = self.knowledge.inventory.absent or draw_absent(self.seed)
        guard = self.client.guard
        restores = guard.mode == "restore" and guard.jobs_left != 0
        found = self._real_scenes(kind) if restores or self.inventory_is_open else ()
        if found:
            return found
        if self.inventory_is_open:
            return (invented_scene(absent, real=True),)
        return (harmless_scene(self.knowledge.inventory, kind, absent),)

    def scenes_of(self, operation: Operation) -> tuple[Scene, ...]:
        """The scenes of an operation's kind of cluster; those that it serves, sharded or not, first."""
        found = self.scenes(operation.cluster_kind)
        return tuple(sorted(found, key=lambda scene: scene.sharded is not operation.sharded))

    def _real_scenes(self, kind: Kind | None) -> tuple[Scene, ...]:
        """The scenes on what is known to exist; of several targets, those that the guard lets restores reach."""
        inventory = self.knowledge.inventory
        if self.client.guard.remote:
            destroyable = self.client.target.safety.destroyable
            targets = tuple(target for target in inventory.targets if (target.project, target.name) in destroyable)
            if found := scenes(replace(inventory, targets=targets), kind):
                return found
        return scenes(inventory, kind)

    def absent_item(self, operation: Operation) -> str:
        """A well-formed id under which what an operation is about, a job or a snapshot, exists nowhere."""
        absent = self.knowledge.inventory.absent or draw_absent(self.seed)
        return absent.named(operation.resource.what) or absent.job

    # What counts

    @contextmanager
    def in_passing(self) -> Iterator[None]:
        """Judge and journal what is sent inside, but count none of it: it prepares, waits, watches or repeats."""
        self._passing += 1
        try:
            yield
        finally:
            self._passing -= 1

    def adopt(self, job: str) -> None:
        """Let a job that was made in passing, or by somebody else, count as the test's own."""
        self._own.add(job)

    @property
    def _is_passing(self) -> bool:
        """Whether what is sent now does not count; an exploration that has found something only makes it smaller."""
        return self._passing > 0 or (self.exploring and self._departed)

    def doubts(self) -> bool:
        """Whether other processes of this run may have caused what was seen; if so, the test is rerun alone."""
        self.doubtful |= self.crowded
        return self.crowded

    # Sending

    def begin_test(self, name: str, about: Iterable[str] = ()) -> None:
        """Start a new test: from now on `verify` fails on findings that were not known at this moment.

        `about` are the requirements that it covers.
        """
        self.test = name
        self.about = frozenset(about)
        self._own = set()
        self._states_counted = set()
        self._departed = False
        self.doubtful = False
        self._owed = []
        self._known_before_test = frozenset(self._known)
        self._spent_after_failure = None

    def send(self, request: Request, *, free_target: bool = False, lesson: Lesson | None = None) -> Judged | None:
        """Send one request; None where the guard withheld it or the target lacks what it takes to send it.

        `lesson` is what a create teaches besides what its request shows, where there is a budget of jobs.
        """
        judged = self.send_all([request], free_target=free_target, lesson=lesson)
        return judged[0] if judged else None

    def sample(self, operation: Operation, cases: Iterable[CaseOrRequest]) -> list[CaseOrRequest]:
        """The share of these cases that the run's profile sends for this operation."""
        return sample(cases, self.profile.share, list(self.contract.operations).index(operation.id))

    def send_all(
        self, requests: Iterable[Request], *, free_target: bool = False, lesson: Lesson | None = None
    ) -> list[Judged | None]:
        """Send requests, at the same time as far as the run's workers allow; judge and journal them in their order.

        What is found is tried again, after all were sent; a run that stops at the first sight spares itself that.
        """
        requests = list(requests)
        outcomes: dict[int, Judged | None] = {}
        refused: dict[int, Exchange] = {}
        for place, attempt in enumerate(self._attempts(requests, lesson)):
            if self.stopped:
                break
            if not isinstance(attempt, Exchange):
                outcomes[place] = self._not_sent(attempt)
            elif len(requests) > 1 and self.client.workers > 1 and self._may_be_contended(attempt):
                refused[place] = attempt
            else:
                outcomes[place] = self.record(attempt, free_target=free_target)
        for place, exchange in refused.items():
            outcomes[place] = self.record(exchange, free_target=free_target)
        for judged in outcomes.values():
            if judged is not None and judged.judgement.findings:
                self.try_again(judged)
        return [outcomes[place] for place in sorted(outcomes)]

    def _may_be_contended(self, exchange: Exchange) -> bool:
        """Whether a refused create may have lost its target to one that was sent at the same time.

        It is judged after that one then, as it may have been answered after it.
        """
        if exchange.request.method != "POST" or exchange.response.status not in REFUSED:
            return False
        reading = self.chronicle.reading(exchange.request)
        return reading is not None and not reading.violations and self.chronicle.target_of(reading) is not None

    def _attempts(self, requests: list[Request], lesson: Lesson | None = None) -> Iterator[Attempt]:
        """Yield what becomes of each request; a create that is not worth one of the jobs left is withheld."""
        objections = self._ration.objections(requests, lesson)
        sent = self.client.attempts(r for r, objection in zip(requests, objections, strict=True) if objection is None)
        for request, objection in zip(requests, objections, strict=True):
            yield next(sent) if objection is None else Withheld(request, objection)

    def try_again(self, judged: Judged) -> None:
        """Send the request of an exchange with findings once more, and journal whether they repeat.

        A DELETE that was carried out is not repeated: what it deleted or cancelled is no longer as it was.
        """
        carried_out = judged.exchange.request.method == "DELETE" and 200 <= judged.status < 300
        if self.stop is not None or judged.status == 0 or carried_out:
            return

        def send() -> tuple[int, Judgement] | None:
            attempt = next(self._attempts([judged.exchange.request]))
            if not isinstance(attempt, Exchange):
                return None
            with self.in_passing():
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
                raise NewFailure(new)

    def end_test(self) -> None:
        """Raise NewFailure on all that the test has found for the first time."""
        owed, self._owed = self._owed, []
        if owed:
            raise NewFailure(owed)

    def new_findings(self, judged: Judged) -> list[Finding]:
        """The failures of an exchange that were not known before the test began."""
        return [f for f in judged.judgement.findings if f.fails and f.key not in self._known_before_test]

    def record(self, exchange: Exchange, *, free_target: bool = False) -> Judged:
        """Judge and journal an exchange that was had by other means than `send`."""
        told = self.chronicle.tell(exchange, free_target=free_target)
        judgement, passing = self._without_excluded(told.judgement), self._is_passing
        if exchange.request.method == "POST" and exchange.response.status in REFUSED and judgement.findings:
            self.doubts()  # a job of another process may keep the target busy
        held: frozenset[tuple[str, str]] = frozenset()
        if not passing:
            if (created := created_job(told)) is not None:
                self._own.add(created)
            held = counted(self.judge, told, self.about, self._own if self.client.guard.mode == "restore" else None)
            held = once_for_each_state(told, held, self.about, self._states_counted)
        found = self.contract.match(exchange.request.method, exchange.request.path)
        operation = found[0].id if found is not None else None
        number = self.journal.exchange(
            redact_request(exchange, self.client.secrets),
            operation=operation,
            test=self.test,
            judgement=Judgement(held, hushed(exchange, judgement.findings)),
            passing=passing,
        )
        self._note(judgement.findings)
        return Judged(exchange, judgement, number)

    def _without_excluded(self, judgement: Judgement) -> Judgement:
        """Return the judgement without what it says of excluded requirements."""
        if not self.excluded:
            return judgement
        held = frozenset(pair for pair in judgement.held if pair[0] not in self.excluded)
        return Judgement(held, tuple(f for f in judgement.findings if f.requirement not in self.excluded))

    def report(self, judged: Judged, *findings: Finding, related: Iterable[Judged] = ()) -> None:
        """Add findings that rest on several exchanges; `judged` is the telling one. The test fails on new ones."""
        findings = self._without_excluded(Judgement(findings=findings)).findings
        if not findings:
            return
        self.journal.finding(judged.number, *findings, related=[j.number for j in related])
        self._note(findings)
        self.require([Judged(judged.exchange, Judgement(findings=findings), judged.number)])

    def convict(self, exchange: Exchange, finding: Finding) -> None:
        """Journal an exchange with this one finding, whatever else it shows."""
        self.journal.exchange(
            redact_request(exchange, self.client.secrets),
            operation=finding.operation,
            test=self.test,
            judgement=Judgement(findings=(finding,)),
            passing=self._is_passing,
        )
        self._note([finding])

    def _note(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            if finding.departure is None:
                self._departed = True
                self._known.add(finding.key)
                if self.stop is not None and self.stop(finding):
                    self.stopped = True

    def _paced(self, exchange: Exchange) -> None:
        """Judge an answer that asked for a pause (A-RATE); a bare 503 that did not last says nothing."""
        if exchange.response.asks_to_wait:
            with self.in_passing():
                self.record(exchange)

    def _unsettled(self, request: Request) -> None:
        found = self.contract.match(request.method, request.path)
        if found is not None and found[0].kind == "create":
            self.unsettled.append(request)
            self.chronicle.lose(request)

    def _not_sent(self, failure: NotSent) -> Judged | None:
        found = self.contract.operations_at(failure.request.path)
        operation = next((o.id for o, _ in found if o.method == failure.request.method), None)
        if isinstance(failure, Withheld):
            if operation is not None:
                self.untested.withhold(self.test, operation, failure.reason)
            return None
        if isinstance(failure, MissingCredentials | Unsendable):
            return None
        assert isinstance(failure, NoAnswer)
        return self._no_answer(failure, operation)

    def _no_answer(self, failure: NoAnswer, operation: str | None) -> Judged | None:
        """Tell an endpoint that is gone from one that drops the connection on this request alone (C-STATUS)."""
        if failure.cause == "stopped":
            raise RunEnded(failure.reason)
        spoilt = is_spoilt(failure)
        large = len(failure.request.body or b"") > LARGE
        if operation is None or not self.offers(operation) or (large and not spoilt):
            return None
        pauses = iter(self.intervals)
        for _ in range(_TRIES_OF_CLOSED if failure.cause == "closed" else 1):
            attempt = next(self._attempts([failure.request]))
            if isinstance(attempt, Exchange):
                return self._spoilt(failure, operation, attempt) if spoilt else self.record(attempt)
            if isinstance(attempt, Withheld):
                if spoilt:
                    self._spoilt(failure, operation, None)
                return self._not_sent(attempt)
            if isinstance(attempt, NoAnswer) and attempt.cause == "stopped":
                raise RunEnded(attempt.reason)
            self.sleep(next(pauses))
        lost = isinstance(self.client.attempt_all([self._plain_read()])[0], NoAnswer)
        if lost and failure.cause not in ("closed", "malformed"):
            raise EndpointLost(failure.reason)
        judged = self._record_unanswered(failure, no_answer_finding(failure, operation, gone=lost))
        if lost:
            raise EndpointLost(failure.reason, found=True)
        return judged

    def learn(self, exchanges: Iterable[Exchange]) -> None:
        """Let the chronicle know of exchanges that other processes had; what they made is not this one's to tell of."""
        for exchange in exchanges:
            self.chronicle.feed(exchange)
        self.foreign = frozenset(made.key for made in self.chronicle.made())

    def take_in(self, failures: Iterable[NoAnswer]) -> None:
        """Repeat what the preflight had no answer to, and record what the endpoint spoilt."""
        with contextlib.suppress(EndpointLost, RunEnded):  # the first test comes upon that too, and says so
            for failure in failures:
                if is_spoilt(failure):
                    self._not_sent(failure)

    def _spoilt(self, failure: NoAnswer, operation: str, again: Exchange | None) -> Judged | None:
        """Record an invalid answer (C-STATUS), and the answer to the retry, if there was one."""
        departed = self._departed
        finding = no_answer_finding(failure, operation)
        first = self._record_unanswered(failure, finding)
        # What counts is the second exchange: the test goes on with it.
        self._departed = departed
        judged = None if again is None else self.record(again)
        outcome = UNTOLD if judged is None else outcome_of(finding, judged.judgement)
        number = None if judged is None else judged.number
        self.journal.repeat(RepeatRecord(first.number, number, *finding.key, outcome))
        return judged

    def _record_unanswered(self, failure: NoAnswer, finding: Finding) -> Judged:
        exchange, judgement = unanswered(failure), self._without_excluded(Judgement(findings=(finding,)))
        number = self.journal.exchange(
            redact_request(exchange, self.client.secrets),
            operation=finding.operation,
            test=self.test,
            judgement=judgement,
            passing=self._is_passing,
        )
        self._note(judgement.findings)
        return Judged(exchange, judgement, number)

    def _plain_read(self) -> Request:
        operation = self.contract.operations["flex-get"]
        return build(operation, path_parameters(operation, self.scenes("flex")[0], self.absent_item(operation)))

    # What could not be exercised

    def not_exercised(self, requirement: str, operation: str, reason: str) -> None:
        """Note why a requirement could not be exercised on an operation."""
        self.untested.note(requirement, operation, reason)

    @contextmanager
    def waiting(self, seconds: tuple[float, float]) -> Iterator[Callable[[], bool]]:
        """Yield a function that sleeps a growing while and says whether the time limit still allows another try.

        `seconds` are the limits on loopback and on a remote endpoint.
        """
        remote = self.client.guard.remote
        limit = self.monotonic() + seconds[1 if remote else 0]
        pauses = iter(self.intervals)

        def again() -> bool:
            left = limit - self.monotonic()
            if left <= 0 or self.stopped:
                return False
            pause = min(next(pauses), left)
            self.waits(time.monotonic() + pause, "for a job to go on")
            self.sleep(pause)
            return not self.client.ended

        yield again
