"""The client: the one way by which requests reach an endpoint, with the safety guard below everything."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib import metadata
from types import TracebackType
from typing import TypeAlias
from urllib.parse import urlsplit

import httpcore

from contracts.exchange import Credential, Exchange, Request, Response, Scheme
from targets.authentication import TOKEN_PATH, WRONG, Answer, BearerSession, DigestSession, TokenRefused, basic
from targets.choosing import choice, offers
from targets.explanation import explained
from targets.failures import MissingCredentials, NoAnswer, NotSent, Unsendable, Withheld
from targets.guard import Guard
from targets.pacing import Pacer, retry_after
from targets.polling import LOOPBACK, REMOTE
from targets.quota import quota_of
from targets.redaction import mask_text, redact_response, without_echoes
from targets.secret import Credentials, Secret
from targets.target import Target
from targets.wire import Line, RawHeaders, Reply, tls_context

Attempt: TypeAlias = Exchange | NotSent
"""What became of a request: an exchange, or why there is none."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_TURNS = 4
"""So many times a harmless request is sent whose connection is reset."""
_FRAMED_METHODS = frozenset({"POST", "PUT", "PATCH"})


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
    waited out and sent again, and `on_unsettled` with each write that may have had an effect which no answer tells of
    (it was cut off, or answered 503). `prefer` is the scheme of requests that leave it open. `sleep` and `monotonic`
    serve pauses and pacing.
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
        sleep: Callable[[float], object] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises TargetError where certificate files or the environment's proxy are unusable."""
        self.target = target
        self.workers = workers
        self.prefer = prefer
        self.guard = Guard(target)
        self.paced = 0
        """How many answers asked for a pause and were sent again."""
        self.on_unsettled: Callable[[Request], object] | None = None
        self.on_paced = on_paced
        self._on_exchange = on_exchange
        self._closed = False
        self._ended = threading.Event()
        self._ended_because = "the client was closed"
        self.pause = sleep or self._ended.wait
        """Waits for so many seconds, or until the client is ended."""
        self._pacer = Pacer(
            target.limits.rate,
            clock=monotonic,
            sleep=self.pause,
            stopped=self._ended.is_set,
            longest=target.limits.pause_seconds,
        )
        self._context: ssl.SSLContext | None = tls_context(target)
        self._local = threading.local()
        self._lines: list[Line] = []
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._threads_started = 0
        parts = urlsplit(target.base_url)
        self._host = parts.netloc.encode("ascii")
        self._base_path = parts.path.rstrip("/").encode("ascii")
        self._origin = (parts.scheme.encode(), (parts.hostname or "").encode("ascii"), parts.port)
        self._agent = (user_agent or _user_agent(target.contact)).encode("ascii")
        self._bearers = {
            name: BearerSession(identity, self._fetch_token, monotonic)
            for name, identity in (*target.credentials.items(), ("wrong", WRONG))
            if identity.bearer
        }
        # Fails here, not in a worker thread, where a proxy or certificate is unusable.
        self._line()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection and stop what is running: a request under way ends in NoAnswer at once."""
        self._closed = True
        self._ended_because = "the client was closed"
        self._ended.set()
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            lines, self._lines = self._lines, []
        for line in lines:
            line.cut()
        if executor is not None:
            executor.shutdown(wait=True)
        for line in lines:
            line.close()

    def end(self, because: str) -> None:
        """End every request under way, and every later one, in NoAnswer with this reason, until `resume`."""
        self._ended_because = because
        self._ended.set()
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            line.cut()

    @property
    def ended(self) -> bool:
        """Whether nothing more is sent."""
        return self._ended.is_set()

    def resume(self) -> None:
        """Let requests be sent again after `end`; a closed client stays closed."""
        if not self._closed:
            self._ended.clear()

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every secret in use: the target's, and the tokens fetched so far."""
        fetched = (token for bearer in self._bearers.values() for token in bearer.seen)
        return (*self.target.secrets, *fetched)

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
        """Like `send_all`, with the failure itself in the place of each exchange that did not come about."""
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
            raise attempt
        shown = redact_response(attempt, self.secrets)
        if self._on_exchange:
            self._on_exchange(shown)
        return shown

    def _perform(self, request: Request) -> _Outcome:
        """Check, send, wait and send again as asked; never raises for what NotSent covers."""
        paced: list[Exchange] = []
        limits = self.target.limits
        waited = 0.0
        unsettled = False
        writes = request.method not in _SAFE_METHODS
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
                if pause is None or len(paced) >= limits.retries or waited + pause > limits.pause_seconds:
                    return _Outcome(exchange, tuple(paced), unsettled)
                paced.append(exchange)
                waited += pause
                if writes:
                    # What is sent again counts again: the first one may have done what its answer does not tell.
                    unsettled = unsettled or answered.status == 503
                    self.guard.settle(request, answered)
                    checked = False
                    self.guard.check(request, wait=True)
                    checked = True
                answered = None
                self._pacer.hold(pause)
        except (MissingCredentials, Unsendable) as failure:
            sent = False
            return _Outcome(failure, tuple(paced), unsettled)
        except NotSent as failure:
            # What the budget does not allow a second time never left.
            return _Outcome(failure, tuple(paced), unsettled or (writes and not isinstance(failure, Withheld)))
        finally:
            if checked:
                self.guard.settle(request, answered, sent=sent)

    @staticmethod
    def _asked_pause(exchange: Exchange) -> float | None:
        """Return the seconds that a 429 or 503 asks to wait for, or None."""
        response = exchange.response
        return retry_after(response.header("retry-after"), exchange.ended) if response.status in (429, 503) else None

    def _authenticated(self, request: Request) -> Exchange:
        headers, raw_target = self._prepared(request)
        bearers = self._bearers
        scheme, identity = choice(
            request, self.target.credentials, self.prefer, lambda: self._token(request, bearers["owner"])
        )
        if identity is None:
            return self._exchange(request, raw_target, headers, None)
        if request.scheme != scheme:
            # The judge needs to know which scheme an answer speaks of.
            request = replace(request, scheme=scheme)
        if scheme == "digest":
            return self._digest(request, raw_target, headers, identity)
        if request.credential == "wrong-secret":
            assert identity.token is not None
            return self._exchange(request, raw_target, headers, Secret(f"Bearer {identity.token.reveal()}"))
        bearer = self._bearers[request.credential]
        token = self._token(request, bearer)
        exchange = self._exchange(request, raw_target, headers, Secret(f"Bearer {token.reveal()}"))
        if exchange.response.status != 401:
            bearer.accepted()
            return exchange
        try:
            renewed = bearer.renewed(token)
        except TokenRefused:
            return exchange
        if renewed is None:
            return exchange
        return self._exchange(request, raw_target, headers, Secret(f"Bearer {renewed.reveal()}"))

    def _digest(self, request: Request, raw_target: bytes, headers: RawHeaders, identity: Credentials) -> Exchange:
        sessions: dict[Credential, DigestSession] = self._local.__dict__.setdefault("digests", {})
        session = sessions.get(request.credential)
        if session is None:
            assert identity.public_key is not None
            assert identity.private_key is not None
            session = sessions[request.credential] = DigestSession(identity.public_key, identity.private_key)
        exchanges: list[Exchange] = []

        def send(authorization: Secret | None) -> Answer:
            exchange = self._exchange(request, raw_target, headers, authorization, turns=1)
            exchanges.append(exchange)
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
                if turn == _TURNS or not self._worth_another(failure, turn, harmless=False):
                    raise

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

    def _fetch_token(self, authorization: Secret) -> tuple[int, bytes]:
        exchange = self._token_exchange(authorization)
        return exchange.response.status, exchange.response.body

    def _token_exchange(self, authorization: Secret) -> Exchange:
        """Post the client-credentials request to the target's own token endpoint."""
        body = b"grant_type=client_credentials"
        headers = (("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded"))
        request = Request("POST", TOKEN_PATH, headers, body, credential="none")
        raw_headers, raw_target = self._prepared(request)
        pauses = iter(REMOTE if self.guard.remote else LOOPBACK)
        for _ in range(self.target.limits.retries + 1):
            exchange = self._exchange(request, raw_target, raw_headers, authorization, harmless=True)
            if exchange.response.status not in (429, 503):
                break
            pause = self._asked_pause(exchange)
            pause = next(pauses) if pause is None else pause
            if pause > self.target.limits.pause_seconds:
                break
            self._pacer.hold(pause)
        return exchange

    def _prepared(self, request: Request) -> tuple[RawHeaders, bytes]:
        """Return the header lines, Authorization left out, and the request target as bytes."""
        if not request.target.startswith("/"):
            raise Unsendable(request, "its target does not start with a slash")
        try:
            target = self._base_path + request.target.encode("ascii")
            own = [(name.encode("ascii"), value.encode("latin-1")) for name, value in request.headers or ()]
            request.method.encode("ascii")
        except UnicodeEncodeError:
            raise Unsendable(request, "its target or a header holds a letter that HTTP/1.1 cannot carry") from None
        present = {name.lower() for name, _ in own}
        headers: RawHeaders = [] if b"host" in present else [(b"Host", self._host)]
        if b"user-agent" not in present:
            headers.append((b"User-Agent", self._agent))
        if b"accept-encoding" not in present:
            headers.append((b"Accept-Encoding", b"gzip, deflate"))
        headers += own
        body = request.body
        framed = body is not None or request.method in _FRAMED_METHODS
        if framed and b"content-length" not in present and b"transfer-encoding" not in present:
            headers.append((b"Content-Length", b"%d" % len(body or b"")))
        return headers, target

    def _exchange(
        self,
        request: Request,
        raw_target: bytes,
        headers: RawHeaders,
        authorization: Secret | None,
        *,
        harmless: bool = False,
        turns: int = _TURNS,
    ) -> Exchange:
        """Send, and send again where a kept connection turns out closed, or a harmless request's was reset."""
        scheme, host, port = self._origin
        url = httpcore.URL(scheme=scheme, host=host, port=port, target=raw_target)
        line = self._line()
        for turn in range(1, turns + 1):
            self._pacer.take(request.credential)
            if self._ended.is_set():
                raise NoAnswer(request, self._ended_because, "stopped")
            started = time.time()
            failure: NotSent | None = None
            stopped = False
            try:
                reply = line.send(url, request.method.encode(), headers, request.body, authorization)
            except Exception as error:
                stopped = self._ended.is_set()
                failure = explained(request, error, self.target.limits, self._host.decode(), stopped=stopped)
                if failure is None:
                    raise
            if failure is None:
                response = _response(reply)
                if authorization is not None:
                    response = without_echoes(response, authorization)
                exchange = Exchange(request, response, started, time.time())
                quota = quota_of(exchange.response, exchange.ended)
                if quota is not None:
                    self._pacer.note(quota, request.credential)
                return exchange
            # Raised out here, so that no frame of the transport, which holds the credentials, hangs on it.
            if turn == turns or stopped or not self._worth_another(failure, turn, harmless=harmless):
                raise self._without_secrets(failure)
        raise AssertionError("unreachable")

    def _worth_another(self, failure: NotSent, turn: int, *, harmless: bool) -> bool:
        """Whether a request that failed in its `turn` (from 1) on this thread's line may simply be sent again."""
        if not isinstance(failure, NoAnswer) or failure.cause != "closed":
            return False
        if harmless or failure.request.method in _SAFE_METHODS:
            return True
        return turn == 1 and not self._line().opened and self.guard.repeatable(failure.request)

    def _without_secrets(self, failure: NotSent) -> NotSent:
        """Return the failure with a reason that repeats no secret, whatever the endpoint sent."""
        if isinstance(failure, NoAnswer):
            reason = self._ended_because if failure.cause == "stopped" else failure.reason
            return NoAnswer(failure.request, mask_text(reason, self.secrets), failure.cause)
        return type(failure)(failure.request, mask_text(failure.reason, self.secrets))

    def _line(self) -> Line:
        line: Line | None = getattr(self._local, "line", None)
        if line is None:
            line = Line(self.target, self._context)
            self._local.line = line
            with self._lock:
                self._lines.append(line)
        return line


def _response(reply: Reply) -> Response:
    headers = tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in reply.headers])
    return Response(reply.status, headers, reply.body)


def _user_agent(contact: str | None) -> str:
    try:
        version = metadata.version("atlas-conformance")
    except metadata.PackageNotFoundError:
        version = "0"
    return f"atlas-conformance/{version}" + (f" (+{contact})" if contact else "")
