"""The endpoint as a test sees it: what there is to send requests about, sending them, and what is expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from random import Random

from atlas_conformance.contracts.chronicle import Chronicle
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.inventory import Kind
from atlas_conformance.contracts.judge import Judge
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.http.client import Client
from atlas_conformance.reports.journal import JournalWriter
from atlas_conformance.runner.context import TestContext
from atlas_conformance.runner.expected import Expected
from atlas_conformance.runner.job_pool import JobPool
from atlas_conformance.runner.outcomes import Judged
from atlas_conformance.runner.pauses import Pauses
from atlas_conformance.runner.profiles import Profile
from atlas_conformance.runner.rationing import Lesson
from atlas_conformance.runner.recorder import Recorder
from atlas_conformance.runner.scenery import Scenery
from atlas_conformance.runner.sender import Sender
from atlas_conformance.runner.traits import Traits
from atlas_conformance.strategies.requests import Case
from atlas_conformance.strategies.sampling import CaseOrRequest, sample
from atlas_conformance.strategies.scenes import Scene


@dataclass(frozen=True)
class Endpoint:
    """What a test is handed: the objects of the run that it uses, each with one job, and the test's own context.

    `restless` are the lists that change by themselves. `expected` says what the tests so far expected of answers.
    """

    sender: Sender
    recorder: Recorder
    scenery: Scenery
    pauses: Pauses
    pool: JobPool
    profile: Profile
    seed: int
    restless: frozenset[str] = frozenset()
    traits: Traits = field(default_factory=Traits)
    expected: Expected = field(default_factory=Expected)
    context: TestContext = field(default_factory=TestContext)

    def for_test(self, name: str, about: Iterable[str] = ()) -> Endpoint:
        """Begin a test, which covers the requirements `about`, and return the endpoint as it sees it."""
        context = TestContext(name, frozenset(about))
        self.recorder.begin(context)
        return replace(self, context=context)

    # What there is

    @property
    def client(self) -> Client:
        """The client that everything is sent through."""
        return self.sender.client

    @property
    def journal(self) -> JournalWriter:
        """The journal that everything is written to."""
        return self.recorder.journal

    @property
    def knowledge(self) -> Knowledge:
        """What is known of the endpoint."""
        return self.recorder.knowledge

    @property
    def chronicle(self) -> Chronicle:
        """What the exchanges so far tell of jobs and snapshots."""
        return self.recorder.chronicle

    @property
    def judge(self) -> Judge:
        """The judge of every exchange."""
        return self.chronicle.judge

    @property
    def contract(self) -> Contract:
        """What it is held to."""
        return self.judge.contract

    @property
    def rationed(self) -> bool:
        """Whether a budget bounds how many jobs the run may create."""
        return self.sender.rationed

    @property
    def stopped(self) -> bool:
        """Whether the run has seen enough."""
        return self.recorder.stopped

    @property
    def inventory_is_open(self) -> bool:
        """Whether every well-formed id counts as existing, or as good as one that was made up."""
        return self.scenery.is_open

    def offers(self, operation_id: str) -> bool:
        """Whether the endpoint offers the operation."""
        return self.knowledge.offers(operation_id)

    def random(self, purpose: str) -> Random:
        """A random source that depends on the run's seed and the purpose alone."""
        return Random(f"{self.seed}:{purpose}")

    def scenes(self, kind: Kind | None) -> tuple[Scene, ...]:
        """The scenes that requests of a kind of cluster may be built around (see Scenery)."""
        return self.scenery.scenes(kind)

    def scenes_of(self, operation: Operation) -> tuple[Scene, ...]:
        """The scenes of an operation's kind of cluster; those that it serves, sharded or not, first."""
        return self.scenery.scenes_of(operation)

    def absent_item(self, operation: Operation) -> str:
        """A well-formed id under which what an operation is about, a job or a snapshot, exists nowhere."""
        return self.scenery.absent_item(operation)

    def sample(self, operation: Operation, cases: Iterable[CaseOrRequest]) -> list[CaseOrRequest]:
        """The share of these cases that the run's profile sends for this operation."""
        return sample(cases, self.profile.share, list(self.contract.operations).index(operation.id))

    # Sending

    def send(self, request: Request, *, free_target: bool = False, lesson: Lesson | None = None) -> Judged | None:
        """Send one request; None where the guard withheld it or the target lacks what it takes to send it.

        `lesson` is what a create teaches besides what its request shows, where there is a budget of jobs.
        """
        judged = self.send_all([request], free_target=free_target, lesson=lesson)
        return judged[0] if judged else None

    def send_all(
        self, requests: Iterable[Request], *, free_target: bool = False, lesson: Lesson | None = None
    ) -> list[Judged | None]:
        """Send requests, at the same time as far as the run's workers allow (see Sender)."""
        return self.sender.send_all(requests, free_target=free_target, lesson=lesson)

    def send_sample(self, operation: Operation, cases: Iterable[CaseOrRequest]) -> list[Judged | None]:
        """Send the share of these cases that the run's profile sends for this operation."""
        sampled = self.sample(operation, cases)
        return self.send_all(case.request if isinstance(case, Case) else case for case in sampled)

    def waiting(self, seconds: tuple[float, float]) -> AbstractContextManager[Callable[[], bool]]:
        """Yield a function that sleeps a growing while and says whether the time limit still allows another try.

        `seconds` are the limits on loopback and on a remote endpoint.
        """
        return self.pauses.waiting(seconds, lambda: self.recorder.stopped)

    # What is expected, and what counts

    def require(self, judged: Iterable[Judged | None]) -> None:
        """Let the test fail on findings of these exchanges that were not known before it began.

        An exploring test fails at once, so that Hypothesis makes the request smaller; any other one goes on to its end.
        An exchange may be given several times. Tests say what they expect instead (see `expectations`).
        """
        self.recorder.require(judged)

    def record(self, exchange: Exchange, *, free_target: bool = False) -> Judged:
        """Judge and journal an exchange that was had by other means than `send`."""
        return self.recorder.record(exchange, free_target=free_target)

    def report(self, judged: Judged, *findings: Finding, related: Iterable[Judged] = ()) -> None:
        """Add findings that rest on several exchanges; `judged` is the telling one. The test fails on new ones."""
        self.recorder.report(judged, *findings, related=related)

    def in_passing(self) -> AbstractContextManager[None]:
        """Judge and journal what is sent inside, but count none of it: it prepares, waits, watches or repeats."""
        return self.recorder.in_passing()

    def adopt(self, job: str) -> None:
        """Let a job that was made in passing, or by somebody else, count as the test's own."""
        self.recorder.adopt(job)

    def leave_out(self, *requirements: str) -> None:
        """Let the test no longer cover these requirements (see Recorder)."""
        self.recorder.leave_out(*requirements)

    def doubts(self) -> bool:
        """Whether other processes of this run may have caused what was seen; if so, the test is rerun alone."""
        return self.recorder.doubts()

    def not_exercised(self, requirement: str, operation: str, reason: str) -> None:
        """Note why a requirement could not be exercised on an operation."""
        self.recorder.untested.note(requirement, operation, reason)
