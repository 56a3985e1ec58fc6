"""Pacing: evenly spaced requests, and pauses that an endpoint asks for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from re import compile as pattern

_SECONDS = pattern(r"[0-9]{1,9}")


class Pacer:
    """Hands out moments to send at, to any number of threads; `clock` is monotonic seconds, `sleep` waits."""

    def __init__(
        self,
        rate: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0
        self._held_until = 0.0
        self._lock = threading.Lock()
        self._idle = rate is None

    def take(self) -> None:
        """Wait until the next request may be sent."""
        if self._idle:
            return
        while True:
            with self._lock:
                now = self._clock()
                held = self._held_until > now
                if held:
                    wait = self._held_until - now
                elif not self._interval:
                    self._idle = True
                    return
                else:
                    slot = max(now, self._next)
                    self._next = slot + self._interval
                    wait = slot - now
            if wait > 0:
                self._sleep(wait)
            if not held:
                return

    def hold(self, seconds: float) -> None:
        """Let nobody send for `seconds` from now."""
        with self._lock:
            self._held_until = max(self._held_until, self._clock() + seconds)
            self._idle = False


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
