"""The client: the one way by which requests reach an endpoint, with the safety guard below everything."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import TypeAlias

from atlas_conformance.contracts.exchange import Credential, Exchange, Request, Response, Scheme
from atlas_conformance.http.choosing import offers
from atlas_conformance.http.failures import MissingCredentials, NoAnswer, NotSent, Unsendable, Withheld
from atlas_conformance.http.guard.fronts import Turn
from atlas_conformance.http.guard.guard import READS, Guard
from atlas_conformance.http.lines import Lines
from atlas_conformance.http.pacing import Pacer
from atlas_conformance.http.polling import LOOPBACK, REMOTE
from atlas_conformance.http.redaction.echoes import Forms
from atlas_conformance.http.redaction.handed import Handed, names_in
from atlas_conformance.http.redaction.redaction import known_forms, redact_response
from atlas_conformance.http.secret import Secret
from atlas_conformance.http.signing import Signer
from atlas_conformance.http.target import Target
from atlas_conformance.http.tokens import TokenEndpoint
from atlas_conformance.http.waiting import Waiting, asked_pause
from atlas_conformance.http.writing import RequestWriter

Attempt: TypeAlias = Exchange | NotSent
"""What became of a request: an exchange, or why there is none."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """One request's end: the answer or failure, the answers before it that asked for a pause, and whether one that was
    not the last may have had an effect.
    """

    attempt: Attempt
    paced: tuple[Exchange, ...] = ()
    unsettled: bool = False


class Client:
    """Sends requests to one target; safe to use from several threads; use it as a context manager or close it.

    `workers`, which may be changed between two calls, is how many requests are under way at the same time.

    Every exchange and every failure that leaves the client is free of secrets. From the thread that called `send` or
    `send_all`, in request order, are called: `on_exchange` with each exchange, `on_paced` with each 429 or 503 that was
    waited out and retried, and `on_unsettled` with each write that may have had an effect which no answer tells of
    (it was cut off, or answered 503). `prefer` is the scheme of requests that leave it open. `sleep` and `monotonic`
    serve pauses and pacing. `turn` is shared by the clients of several processes (see Guard).
    """

    def __init__(
        self,
        target: Target,
        *,
        workers: int = 4,
        on_exchange: Callable[[Exchange], object] | None = None,
        on_paced: Callable[[Exchange], object] | None = None,
        user_agent: str | None = None,
        prefer: Scheme | None = None,
        turn: Turn | None = None,
        sleep: Callable[[float], object] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises TargetError where certificate files or the environment's proxy are unusable."""
        self.target = target
        self.workers = workers
        self.prefer = prefer
        self.guard = Guard(target, turn)
        self.paced = 0
        """How many answers asked for a pause, with their requests retried."""
        self.on_unsettled: Callable[[Request], object] | None = None
        self.on_paced = on_paced
        self._on_no_answer: Callable[[NoAnswer], object] | None = None
        self._on_exchange = on_exchange
        self._closed = False
        self._ended = threading.Event()
        self.pause = sleep or self._ended.wait
        """Waits for a number of seconds, or until the client is ended."""
        self._pacer = Pacer(
            target.limits.rate,
            clock=monotonic,
            sleep=self.pause,
            stopped=self._ended.is_set,
            longest=target.limits.pause_seconds,
        )
        self._waiting = Waiting(self._pacer, target.limits.pause_seconds, monotonic)
        self._writer = RequestWriter(target, user_agent)
        self._lines = Lines(target, self._writer, self.guard, self._pacer, self._ended, lambda: self.secrets)
        self._handed = Handed(names_in(target.inventory))
        self._known: tuple[tuple[Secret, ...], Forms] | None = None
        self._executor: ThreadPoolExecutor | None = None
        self._threads_started = 0
        self.tokens = TokenEndpoint(target, self.guard, self._lines, self._waiting)
        """The target's own token endpoint."""
        self._signer = Signer(target.credentials, self.tokens, self._lines, self._writer, self._handed, monotonic)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection and stop what is running: a request under way ends in NoAnswer at once."""
        self._closed = True
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)
        self._lines.end("the client was closed")
        if executor is not None:
            executor.shutdown(wait=True)
        self._lines.close()

    def end(self, because: str) -> None:
        """End every request under way, and every later one, in NoAnswer with this reason, until `resume`."""
        self._lines.end(because)

    @property
    def ended(self) -> bool:
        """Whether nothing more is sent."""
        return self._ended.is_set()

    def resume(self) -> None:
        """Let requests be sent after `end`; a closed client stays closed."""
        if not self._closed:
            self._ended.clear()

    @property
    def lost_connections(self) -> int:
        """How many connections were closed before an answer was complete; most of their requests were retried."""
        return self._lines.lost

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every secret in use: the target's, the tokens fetched so far, and what the endpoint handed out lately."""
        return (*self.target.secrets, *self._signer.secrets, *self._handed.secrets)

    @property
    def forms(self) -> Forms:
        """Every way in which one of the `secrets` may be written."""
        known, secrets = self._known, self.secrets
        if known is None or known[0] != secrets:
            self._known = known = secrets, known_forms(secrets)
        return known[1]

    def tell_outcomes(self, *, paced: Callable[[Exchange], object], unsettled: Callable[[Request], object]) -> None:
        """Call these from now on as `on_paced` and `on_unsettled`."""
        self.on_paced, self.on_unsettled = paced, unsettled

    def tell_failures(self, told: Callable[[NoAnswer], object] | None) -> None:
        """Call `told`, or nothing, with each failure that an answer, or the lack of one, was."""
        self._on_no_answer = told

    def tell_waits(self, waits: Callable[[float, str], object], remark: Callable[[str], object]) -> None:
        """Have `waits` told, from any thread, until when (monotonic seconds) the client waits, and for what.

        `remark` is handed a sentence where the endpoint says of an allowance what cannot be true.
        """
        self._pacer.waits, self._pacer.remark = waits, remark

    def offers(self, credential: Credential, scheme: Scheme = "any") -> bool:
        """Tell whether a request with this credential and scheme can be sent with what is known of the target."""
        return offers(self.target.credentials, credential, scheme)

    def send(self, request: Request) -> Exchange:
        """Send one request and return the exchange.

        Raises Withheld (the guard), MissingCredentials and Unsendable before anything is sent, and NoAnswer where no
        complete answer came.
        """
        return self._deliver(self._perform(request))

    def send_all(self, requests: Iterable[Request]) -> list[Exchange]:
        """Send requests at the same time, as far as workers and rate allow; return the exchanges in request order.

        Raises what `send` raises for the first request that failed, after all the others have been sent.
        """
        attempts = self.attempt_all(requests)
        exchanges: list[Exchange] = []
        for attempt in attempts:
            if isinstance(attempt, NotSent):
                raise attempt
            exchanges.append(attempt)
        return exchanges

    def attempt_all(self, requests: Iterable[Request]) -> list[Attempt]:
        """Like `send_all`, with the failure itself instead of each exchange that did not come about."""
        return list(self.attempts(requests))

    def attempts(self, requests: Iterable[Request]) -> Iterator[Attempt]:
        """Yield what becomes of each request, in request order; closing the iterator leaves the rest unsent.

        With more than one worker those after it may be under way already.
        """
        for outcome in self._outcomes(list(requests)):
            try:
                yield self._deliver(outcome)
            except NotSent as failure:
                yield failure

    def _outcomes(self, requests: Sequence[Request]) -> Iterator[_Outcome]:
        if self.workers <= 1 or len(requests) <= 1:
            yield from map(self._perform, requests)
            return
        executor = self._threads()
        futures: list[Future[_Outcome]] = [executor.submit(self._perform, request) for request in requests]
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()

    def _threads(self) -> ThreadPoolExecutor:
        """The threads that send, as many as `workers` says by now."""
        if self._executor is not None and self._threads_started != self.workers:
            self._executor.shutdown(wait=False)
            self._executor = None
        if self._executor is None:
            self._executor = ThreadPoolExecutor(self.workers, thread_name_prefix="client")
            self._threads_started = self.workers
        return self._executor

    def _deliver(self, outcome: _Outcome) -> Exchange:
        for exchange in outcome.paced:
            self.paced += 1
            if self.on_paced:
                self.on_paced(redact_response(exchange, self.forms))
        attempt = outcome.attempt
        if outcome.unsettled and self.on_unsettled:
            self.on_unsettled(attempt.request)
        if isinstance(attempt, NotSent):
            if isinstance(attempt, NoAnswer) and self._on_no_answer:
                self._on_no_answer(attempt)
            raise attempt
        self._handed.note(attempt.response)
        shown = redact_response(attempt, self.forms)
        if self._on_exchange:
            self._on_exchange(shown)
        return shown

    def _perform(self, request: Request) -> _Outcome:
        """Check, send, wait and retry as asked; never raises for what NotSent covers."""
        paced: list[Exchange] = []
        limits = self.target.limits
        self._waiting.begin()
        unsettled = False
        writes = request.method not in READS
        pauses = iter(REMOTE if self.guard.remote else LOOPBACK)
        try:
            self.guard.check(request, wait=True)
        except NotSent as failure:
            return _Outcome(failure)
        checked, sent = True, True
        answered: Response | None = None
        try:
            while True:
                exchange = self._signer.exchange(request, self.prefer)
                answered = exchange.response
                pause = asked_pause(exchange)
                if pause is None and answered.status == 503:
                    # A server between releases says so to one request and not to the next; one that means it stays so.
                    pause = next(pauses)
                self._waiting.note(answered.status)
                if pause is None or len(paced) >= limits.retries or not self._waiting.allows(pause):
                    return _Outcome(exchange, tuple(paced), unsettled)
                paced.append(exchange)
                self._waiting.spend(pause)
                if writes:
                    # A retry counts again: the first one may have done what its answer does not tell.
                    unsettled = unsettled or answered.status == 503
                    self.guard.settle(request, answered)
                    checked = False
                    self.guard.check(request, wait=True)
                    checked = True
                answered = None
                self._waiting.hold(pause, exchange.response)
        except (MissingCredentials, Unsendable, Withheld) as failure:
            # What the budget does not allow a second time never left, nor what is withheld at the last moment.
            sent = False
            return _Outcome(failure, tuple(paced), unsettled)
        except NotSent as failure:
            return _Outcome(failure, tuple(paced), unsettled or writes)
        finally:
            if checked:
                self.guard.settle(request, answered, sent=sent)
