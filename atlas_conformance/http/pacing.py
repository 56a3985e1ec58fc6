"""Pacing: evenly spaced requests, pauses that an endpoint asks for, and slowing down before an allowance is used up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from re import compile as pattern

from atlas_conformance.http.quota import Quota, Window

_SECONDS = pattern(r"[0-9]{1,9}")
_WORTH_TELLING = 1.0
_SLICE = 0.5
"""Seconds after which one who waits for an allowance looks again: another thread's answer may have renewed it."""


class Pacer:
    """Hands out moments to send at, to any number of threads; `clock` is monotonic seconds, `sleep` waits.

    Nobody is kept waiting once `stopped` says true. `longest` bounds, in seconds, one wait for an allowance. `waits` is
    called, from any thread, with the end of a wait (on `clock`) and its reason. `remark` is called with a sentence if
    what an endpoint says about an allowance cannot be true, so that it is ignored from then on.
    """

    def __init__(
        self,
        rate: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        stopped: Callable[[], bool] = lambda: False,
        longest: float = 60.0,
    ) -> None:
        self.waits: Callable[[float, str], object] = lambda until, what: None
        self.remark: Callable[[str], object] = lambda sentence: None
        self._disbelieved = False
        self._interval = 1 / rate if rate else 0.0
        self._clock = clock
        self._sleep = sleep
        self._stopped = stopped
        self._longest = longest
        self._next = 0.0
        self._held_until = 0.0
        self._held_for = ""
        self._windows: dict[str, Window] = {}
        self._lock = threading.Lock()
        self._idle = rate is None

    def take(self, caller: str = "") -> None:
        """Wait until the next request of `caller` may be sent."""
        if self._idle:
            return
        while not self._stopped():
            wait, settled = self._wait(caller)
            if wait > 0:
                self._sleep(wait)
            if settled:
                return

    def _wait(self, caller: str) -> tuple[float, bool]:
        """Return for how long to wait, and whether the request may be sent after that or has to ask again."""
        with self._lock:
            now = self._clock()
            if self._held_until > now:
                self.waits(self._held_until, self._held_for)
                return self._held_until - now, False
            window = self._windows.get(caller)
            if window is not None and not self._disbelieved and (wait := window.take(now, self._longest)) > 0:
                self.waits(now + wait, "for requests that the endpoint says are left (RateLimit-Remaining)")
                return min(wait, _SLICE), False
            if not self._interval:
                self._idle = not self._windows
                return 0.0, True
            slot = max(now, self._next)
            self._next = slot + self._interval
            if slot - now > _WORTH_TELLING:
                self.waits(slot, "for the rate that was asked for")
            return slot - now, True

    def hold(self, seconds: float, what: str = "as the endpoint asks for it") -> None:
        """Let nobody send for `seconds` from now; `what` says in a few words why."""
        with self._lock:
            until = self._clock() + seconds
            if until > self._held_until:
                self._held_until, self._held_for = until, what
            self._idle = False

    def note(self, quota: Quota, caller: str = "") -> None:
        """Take in what an answer to `caller` said of what is left to it."""
        with self._lock:
            now = self._clock()
            window = self._windows.get(caller)
            if window is None:
                self._windows[caller] = Window(quota, now)
                self._idle = False
            else:
                window.note(quota, now)
            why = self._windows[caller].disbelief
            if why is None or self._disbelieved:
                return
            self._disbelieved = True
        self.remark(f"the endpoint's RateLimit headers are ignored, as they cannot be true: {why}")


class Patience:
    """For how long an endpoint that only asks to wait is waited for; safe to use from several threads.

    Once nothing but 429 and 503 has come for `longest` seconds, nobody waits any more, until another answer comes.
    """

    def __init__(self, longest: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._longest = longest
        self._clock = clock
        self._since: float | None = None

    def note(self, status: int) -> None:
        """Take in the status of an answer."""
        if status not in (429, 503):
            self._since = None
        elif self._since is None:
            self._since = self._clock()

    def lasts(self) -> bool:
        """Whether it is still worth to wait."""
        since = self._since
        return since is None or self._clock() - since < self._longest


def retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds that a `Retry-After` value asks for (delta or HTTP date; `now` is epoch seconds), or None."""
    if value is None:
        return None
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None
