"""The lines to one target, one for each thread: sending, and sending again where a kept connection turns out closed."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from functools import partial

from atlas_conformance.contracts.exchange import Exchange, Request, Response
from atlas_conformance.http.asides import RawHeaders
from atlas_conformance.http.explanation import explained
from atlas_conformance.http.failures import NoAnswer, NotSent, Withheld
from atlas_conformance.http.guard.fronts import fronted_by
from atlas_conformance.http.guard.guard import READS, Guard
from atlas_conformance.http.pacing import Pacer
from atlas_conformance.http.quota import quota_of
from atlas_conformance.http.redaction.redaction import mask_text, without_echoes
from atlas_conformance.http.secret import Secret
from atlas_conformance.http.target import Target
from atlas_conformance.http.wire import Line, Reply, tls_context
from atlas_conformance.http.writing import RequestWriter

TURNS = 4
"""How many times a harmless request is sent when its connection is reset."""


class Lines:
    """Sends requests of any number of threads, each on a connection of its own.

    `pacer` says when, and once `ended` is set nothing is sent any more; no failure repeats one of the `secrets`.
    """

    def __init__(
        self,
        target: Target,
        writer: RequestWriter,
        guard: Guard,
        pacer: Pacer,
        ended: threading.Event,
        secrets: Callable[[], tuple[Secret, ...]],
    ) -> None:
        """Raises TargetError where certificate files or the environment's proxy are unusable."""
        self._ended = ended
        self._ended_because = ""
        self._pacer = pacer
        self._target = target
        self._writer = writer
        self._guard = guard
        self._secrets = secrets
        self._context: ssl.SSLContext | None = tls_context(target)
        self._local = threading.local()
        self._lines: list[Line] = []
        self.lost = 0
        """How many connections were closed before an answer was complete."""
        self._lock = threading.Lock()
        # Fails here, not in a worker thread, where a proxy or certificate is unusable.
        self._line()

    def end(self, because: str) -> None:
        """End every request under way, and every later one, in NoAnswer with this reason, until `ended` is cleared."""
        self._ended_because = because
        self._ended.set()
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            line.cut()

    def close(self) -> None:
        """Close every connection; none may be in use."""
        with self._lock:
            lines, self._lines = self._lines, []
        for line in lines:
            line.close()

    def exchange(
        self, request: Request, authorization: Secret | None, *, harmless: bool = False, turns: int = TURNS
    ) -> Exchange:
        """Send, and retry where a kept connection turns out closed, or a harmless request's was reset.

        `authorization` is the value of that header. Raises Unsendable and Withheld before anything is sent, and
        NoAnswer.
        """
        headers, raw_target = self._writer.written(request)
        url = self._writer.url(raw_target)
        line = self._line()
        gate = None if harmless else partial(self._guard.recheck, request)
        for turn in range(1, turns + 1):
            self._pacer.take(request.credential)
            if self._ended.is_set():
                raise NoAnswer(request, self._ended_because, "stopped")
            started = time.time()
            failure: NotSent | None = None
            stopped = False
            try:
                reply = line.send(url, request.method.encode(), headers, request.body, authorization, gate)
            except Withheld as held:
                failure = held
            except Exception as error:
                stopped = self._ended.is_set()
                failure = explained(request, error, self._target.limits, self._writer.host, stopped=stopped)
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
            if not stopped and isinstance(failure, NoAnswer) and failure.cause == "closed":
                with self._lock:
                    self.lost += 1
            # Raised out here, so that no frame of the transport, which holds the credentials, hangs on it.
            if turn == turns or stopped or not self.worth_another(failure, turn, harmless=harmless):
                raise self._without_secrets(failure)
        raise AssertionError("unreachable")

    def worth_another(self, failure: NotSent, turn: int, *, harmless: bool) -> bool:
        """Whether a request that failed in its `turn` (from 1) on this thread's line may simply be retried."""
        if not isinstance(failure, NoAnswer) or failure.cause != "closed":
            return False
        if harmless or failure.request.method in READS:
            return True
        return turn == 1 and not self._line().opened and self._guard.repeatable(failure.request)

    def _heard(self, headers: RawHeaders) -> None:
        """Look at an answer for what gives away that the endpoint is remote."""
        if not self._guard.remote and (found := fronted_by(headers)) is not None:
            self._guard.treat_as_remote(f"its answers carry {found}")

    def _without_secrets(self, failure: NotSent) -> NotSent:
        """Return the failure with a reason that repeats no secret, whatever the endpoint sent."""
        if isinstance(failure, NoAnswer):
            reason = self._ended_because if failure.cause == "stopped" else failure.reason
            return NoAnswer(failure.request, mask_text(reason, self._secrets()), failure.cause)
        return type(failure)(failure.request, mask_text(failure.reason, self._secrets()))

    def _line(self) -> Line:
        line: Line | None = getattr(self._local, "line", None)
        if line is None:
            line = Line(self._target, self._context, self._heard)
            self._local.line = line
            with self._lock:
                self._lines.append(line)
        return line


def _response(reply: Reply) -> Response:
    headers = tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in reply.headers])
    return Response(reply.status, headers, reply.body)
