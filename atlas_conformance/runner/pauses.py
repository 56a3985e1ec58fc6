"""Waiting for what takes time: at growing intervals, within a limit, and known to whoever watches the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from atlas_conformance.http.client import Client
from atlas_conformance.http.polling import Intervals


class Clock(Protocol):
    """What passes the time of a run."""

    def sleep(self, seconds: float) -> object:
        """Let that many seconds pass."""

    def now(self) -> float:
        """Return the seconds that have passed since some moment."""


class Pauses:
    """The waits of one run.

    `intervals` are those between two looks at a job. `tell` is called with the moment (monotonic seconds) until which
    the run waits, and for what. Without a `clock` real time passes, and a wait ends when the client is ended.
    """

    def __init__(
        self, client: Client, intervals: Intervals, tell: Callable[[float, str], object], clock: Clock | None = None
    ) -> None:
        self.intervals = intervals
        self._client = client
        self._tell = tell
        self._sleep = client.pause if clock is None else clock.sleep
        self._now = time.monotonic if clock is None else clock.now

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._sleep(seconds)

    @contextmanager
    def waiting(self, seconds: tuple[float, float], stopped: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
        """Yield a function that sleeps a growing while and says whether the time limit still allows another try.

        `seconds` are the limits on loopback and on a remote endpoint; `stopped` says whether the run has seen enough.
        """
        limit = self._now() + seconds[1 if self._client.guard.remote else 0]
        pauses = iter(self.intervals)

        def again() -> bool:
            left = limit - self._now()
            if left <= 0 or stopped():
                return False
            pause = min(next(pauses), left)
            self._tell(time.monotonic() + pause, "for a job to go on")
            self._sleep(pause)
            return not self._client.ended

        yield again
