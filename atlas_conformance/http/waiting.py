"""Waiting: how long an answer asks to wait, and for how long requests wait at most."""

from __future__ import annotations

import threading
from collections.abc import Callable

from atlas_conformance.contracts.exchange import Exchange, Response
from atlas_conformance.http.pacing import Pacer, Patience, retry_after


class Waiting:
    """The waits of one client's requests, of any number of threads.

    A request waits no longer than `longest` seconds in all, and none waits once nothing but 429 and 503 has come for
    that long. `pacer` keeps all requests back meanwhile; `monotonic` is seconds.
    """

    def __init__(self, pacer: Pacer, longest: float, monotonic: Callable[[], float]) -> None:
        self._pacer = pacer
        self._longest = longest
        self._monotonic = monotonic
        self._patience = self.patience()
        self._local = threading.local()

    def patience(self) -> Patience:
        """Return a patience of the same length for requests that are waited for on their own account."""
        return Patience(self._longest, self._monotonic)

    def begin(self) -> None:
        """Begin to count the waits of this thread's next request."""
        self._local.waited = 0.0

    def note(self, status: int) -> None:
        """Take in the status of an answer."""
        self._patience.note(status)

    def allows(self, pause: float) -> bool:
        """Whether the request of this thread may wait that much longer, after what it, and the run, has waited."""
        waited: float = getattr(self._local, "waited", 0.0)
        return waited + pause <= self._longest and self._patience.lasts()

    def spend(self, pause: float) -> None:
        """Count a pause of this thread's request."""
        self._local.waited = getattr(self._local, "waited", 0.0) + pause

    def hold(self, pause: float, response: Response) -> None:
        """Keep all requests back for a while, as a response asks to come back later."""
        told = " with Retry-After" if response.header("retry-after") is not None else ""
        self._pacer.hold(pause, f"as the endpoint answered {response.status}{told}")


def asked_pause(exchange: Exchange) -> float | None:
    """Return the seconds that a 429 or 503 asks to wait for, or None."""
    response = exchange.response
    return retry_after(response.header("retry-after"), exchange.ended) if response.status in (429, 503) else None
