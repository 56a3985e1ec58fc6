"""The client: the one way by which requests reach an endpoint, with the safety guard below everything."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TypeAlias

from atlas_conformance.contracts.exchange import NEARLY_RIGHT, Credential, Exchange, Request, Response, Scheme
from atlas_conformance.http.authentication import (
    TOKEN_PATH,
    WRONG,
    WRONG_ACCOUNT,
    Answer,
    BearerSession,
    DigestSession,
    TokenRefused,
    basic,
)
from atlas_conformance.http.choosing import choice, offers
from atlas_conformance.http.failures import MissingCredentials, NoAnswer, NotSent, Unsendable, Withheld
from atlas_conformance.http.guard.fronts import Turn
from atlas_conformance.http.guard.guard import READS, Guard
from atlas_conformance.http.lines import TURNS, Lines
from atlas_conformance.http.pacing import Pacer, Patience, retry_after
from atlas_conformance.http.polling import LOOPBACK, REMOTE
from atlas_conformance.http.redaction.handed import Handed, names_in
from atlas_conformance.http.redaction.redaction import redact_response
from atlas_conformance.http.secret import Credentials, Secret
from atlas_conformance.http.target import Target
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
        self._patience, self._token_patience = (Patience(target.limits.pause_seconds, monotonic) for _ in range(2))
        self._writer = RequestWriter(target, user_agent)
        self._lines = Lines(target, self._writer, self.guard, self._pacer, self._ended, lambda: self.secrets)
        self._handed = Handed(names_in(target.inventory))
        self._nearly_right: dict[str, Secret] = {}
        self._local = threading.local()
        self._executor: ThreadPoolExecutor | None = None
        self._threads_started = 0
        self._bearers = {
            name: BearerSession(identity, self._fetch_token, monotonic)
            for name, identity in (*target.credentials.items(), ("wrong", WRONG))
            if identity.bearer
        }

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
        fetched = (token for bearer in self._bearers.values() for token in bearer.seen)
        return (*self.target.secrets, *fetched, *self._nearly_right.values(), *self._handed.secrets)

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
                self.on_paced(redact_response(exchange, self.secrets))
        attempt = outcome.attempt
        if outcome.unsettled and self.on_unsettled:
            self.on_unsettled(attempt.request)
        if isinstance(attempt, NotSent):
            if isinstance(attempt, NoAnswer) and self._on_no_answer:
                self._on_no_answer(attempt)
            raise attempt
        self._handed.note(attempt.response)
        shown = redact_response(attempt, self.secrets)
        if self._on_exchange:
            self._on_exchange(shown)
        return shown

    def _perform(self, request: Request) -> _Outcome:
        """Check, send, wait and retry as asked; never raises for what NotSent covers."""
        paced: list[Exchange] = []
        limits = self.target.limits
        self._local.waited = 0.0
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
                exchange = self._authenticated(request)
                answered = exchange.response
                pause = self._asked_pause(exchange)
                if pause is None and answered.status == 503:
                    # A server between releases says so to one request and not to the next; one that means it stays so.
                    pause = next(pauses)
                self._patience.note(answered.status)
                if pause is None or len(paced) >= limits.retries or not self._may_wait(pause):
                    return _Outcome(exchange, tuple(paced), unsettled)
                paced.append(exchange)
                self._local.waited += pause
                if writes:
                    # A retry counts again: the first one may have done what its answer does not tell.
                    unsettled = unsettled or answered.status == 503
                    self.guard.settle(request, answered)
                    checked = False
                    self.guard.check(request, wait=True)
                    checked = True
                answered = None
                self._pacer.hold(pause, _asked_for(exchange.response))
        except (MissingCredentials, Unsendable, Withheld) as failure:
            # What the budget does not allow a second time never left, nor what is withheld at the last moment.
            sent = False
            return _Outcome(failure, tuple(paced), unsettled)
        except NotSent as failure:
            return _Outcome(failure, tuple(paced), unsettled or writes)
        finally:
            if checked:
                self.guard.settle(request, answered, sent=sent)

    def _may_wait(self, pause: float) -> bool:
        """Whether the request of this thread may wait that much longer, after what it, and the run, has waited."""
        waited: float = getattr(self._local, "waited", 0.0)
        return waited + pause <= self.target.limits.pause_seconds and self._patience.lasts()

    @staticmethod
    def _asked_pause(exchange: Exchange) -> float | None:
        """Return the seconds that a 429 or 503 asks to wait for, or None."""
        response = exchange.response
        return retry_after(response.header("retry-after"), exchange.ended) if response.status in (429, 503) else None

    def _authenticated(self, request: Request) -> Exchange:
        bearers = self._bearers
        scheme, identity = choice(
            request, self.target.credentials, self.prefer, lambda: self._token(request, bearers["owner"])
        )
        if identity is None:
            return self._lines.exchange(request, None)
        if request.scheme != scheme:
            # The judge needs to know which scheme an answer speaks of.
            request = replace(request, scheme=scheme)
        if request.credential == "basic":
            assert identity.public_key is not None
            assert identity.private_key is not None
            pair = basic(identity.public_key, identity.private_key)
            self._nearly_right[request.credential] = Secret(pair.reveal().partition(" ")[2])
            return self._lines.exchange(request, pair)
        if request.credential == "known-nonce":
            return self._forged(request)
        if scheme == "digest":
            return self._digest(request, identity)
        if request.credential in NEARLY_RIGHT:
            assert identity.token is not None
            self._nearly_right[request.credential] = identity.token
            return self._lines.exchange(request, Secret(f"Bearer {identity.token.reveal()}"))
        bearer = self._bearers[request.credential]
        token = self._token(request, bearer)
        exchange = self._lines.exchange(request, Secret(f"Bearer {token.reveal()}"))
        if exchange.response.status != 401:
            bearer.accepted()
            return exchange
        try:
            renewed = bearer.renewed(token)
        except TokenRefused:
            return exchange
        if renewed is None:
            return exchange
        return self._lines.exchange(request, Secret(f"Bearer {renewed.reveal()}"))

    def _digest(self, request: Request, identity: Credentials) -> Exchange:
        _, raw_target = self._writer.written(request)
        sessions: dict[Credential, DigestSession] = self._local.__dict__.setdefault("digests", {})
        session = sessions.get(request.credential)
        if session is None:
            assert identity.public_key is not None
            assert identity.private_key is not None
            session = sessions[request.credential] = DigestSession(identity.public_key, identity.private_key)
        exchanges: list[Exchange] = []

        def send(authorization: Secret | None) -> Answer:
            exchange = self._lines.exchange(request, authorization, turns=1)
            exchanges.append(exchange)
            self._handed.note(exchange.response)
            status = exchange.response.status
            if status != 401:
                return Answer(status, ())
            challenges = (value for name, value in exchange.response.headers if name.lower() == "www-authenticate")
            return Answer(status, tuple(value for value in challenges if "digest " in value.lower()))

        turn = 0
        while True:
            try:
                session.run(request.method, raw_target, send)
                return exchanges[-1]
            except NoAnswer as failure:
                # Sent again it is signed again: an endpoint may take each count of a nonce once.
                turn += 1
                if turn == TURNS or not self._lines.worth_another(failure, turn, harmless=False):
                    raise

    def _forged(self, request: Request) -> Exchange:
        """Send a wrong response to the nonce by which the owner was let in last, in this thread."""
        _, raw_target = self._writer.written(request)
        session: DigestSession | None = self._local.__dict__.get("digests", {}).get("owner")
        authorization = None if session is None else session.forged(request.method, raw_target)
        if authorization is None:
            raise MissingCredentials(request, "no nonce is known that has let the owner in")
        return self._lines.exchange(request, authorization)

    def _token(self, request: Request, bearer: BearerSession) -> Secret:
        try:
            return bearer.token()
        except TokenRefused as error:
            reason = f"no bearer token: {error}"
        raise MissingCredentials(request, reason)

    def fetch_token(self) -> Exchange | None:
        """Ask the token endpoint for a token as the owner's service account; None where the target names none.

        The exchange carries the token: redact it before it is kept. Raises NoAnswer.
        """
        owner = self.target.credentials.get("owner")
        if owner is None or owner.client_id is None or owner.client_secret is None:
            return None
        return self._token_exchange(basic(owner.client_id, owner.client_secret))

    def ask_for_tokens_in_vain(self) -> Iterator[tuple[str, Exchange]]:
        """Ask the token endpoint for tokens that it must not give, and yield each answer after what was wrong.

        Nothing where the target names no service account. The exchanges may carry a token: redact them before they are
        kept. Raises NoAnswer.
        """
        owner = self.target.credentials.get("owner")
        if owner is None or owner.client_id is None or owner.client_secret is None:
            return
        assert WRONG_ACCOUNT.client_id is not None
        assert WRONG_ACCOUNT.client_secret is not None
        yield "a wrong client secret", self._token_exchange(basic(owner.client_id, WRONG_ACCOUNT.client_secret))
        cut = Secret(owner.client_secret.reveal()[:-1])
        yield "a client secret that is cut", self._token_exchange(basic(owner.client_id, cut))
        unknown = basic(WRONG_ACCOUNT.client_id, WRONG_ACCOUNT.client_secret)
        yield "an unknown client", self._token_exchange(unknown)
        yield "no client", self._token_exchange(None)

    def _fetch_token(self, authorization: Secret) -> tuple[int, bytes]:
        exchange = self._token_exchange(authorization)
        return exchange.response.status, exchange.response.body

    def _token_exchange(self, authorization: Secret | None) -> Exchange:
        """Post the client-credentials request to the target's own token endpoint."""
        body = b"grant_type=client_credentials"
        headers = (("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded"))
        request = Request("POST", TOKEN_PATH, headers, body, credential="none")
        pauses = iter(REMOTE if self.guard.remote else LOOPBACK)
        for _ in range(self.target.limits.retries + 1):
            exchange = self._lines.exchange(request, authorization, harmless=True)
            if exchange.response.status not in (429, 503):
                break
            pause = self._asked_pause(exchange)
            pause = next(pauses) if pause is None else pause
            self._token_patience.note(exchange.response.status)
            if not self._may_wait(pause) or not self._token_patience.lasts():
                break
            self._local.waited = getattr(self._local, "waited", 0.0) + pause
            self._pacer.hold(pause, _asked_for(exchange.response))
        self._token_patience.note(exchange.response.status)
        return exchange


def _asked_for(response: Response) -> str:
    """Say in a few words why a request waits after an answer that asks to come back later."""
    told = " with Retry-After" if response.header("retry-after") is not None else ""
    return f"as the endpoint answered {response.status}{told}"
