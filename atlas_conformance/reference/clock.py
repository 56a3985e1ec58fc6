"""The endpoint's clock: it runs as the wall clock does, until somebody stops it or moves it forward."""

from __future__ import annotations

import time
from email.utils import formatdate

_EPOCH = time.time() - time.monotonic()


def wall_time() -> float:
    """Return epoch seconds that never run backwards while the process lives."""
    return _EPOCH + time.monotonic()


class Clock:
    """Epoch seconds that never run backwards but by `restart`. Use it from one thread.

    `moved` tells whether it was ever stopped or moved since.
    """

    def __init__(self) -> None:
        self.moved = False
        self._ahead = 0.0
        self._frozen: float | None = None
        self._second = 0
        self._date = (b"date", b"")

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._frozen is not None

    def now(self) -> float:
        """Return the time that the endpoint goes by."""
        if not self.moved:
            return _EPOCH + time.monotonic()
        return self._ahead + wall_time() if self._frozen is None else self._frozen

    def ahead(self) -> float:
        """Return by how many seconds `now` is ahead of the wall clock; below zero where it stands still."""
        return self._ahead if self._frozen is None else self._frozen - wall_time()

    def freeze(self) -> None:
        """Stop the clock."""
        self._frozen = self.now()
        self.moved = True

    def resume(self) -> None:
        """Let the clock run on from where it stands."""
        self._ahead = self.ahead()
        self._frozen = None

    def advance(self, seconds: float) -> None:
        """Move the clock forward, whether it runs or stands; raises ValueError for a number below zero."""
        if not 0 <= seconds < 1e10:
            raise ValueError(f"time moves forward, by 0 seconds or more, not by {seconds:g}")
        self.moved = True
        if self._frozen is None:
            self._ahead += seconds
        else:
            self._frozen += seconds

    def move_to(self, moment: float) -> None:
        """Move the clock forward to a moment; where that is past, it stays."""
        if moment > self.now():
            self.moved = True
            if self._frozen is None:
                self._ahead = moment - wall_time()
            else:
                self._frozen = moment

    def restart(self) -> None:
        """Go by the wall clock again."""
        self._ahead, self._frozen, self.moved = 0.0, None, False

    def date(self, now: float) -> tuple[bytes, bytes]:
        """Return the Date header of an answer that is given at `now`."""
        if int(now) != self._second:
            self._second = int(now)
            self._date = (b"date", formatdate(self._second, usegmt=True).encode())
        return self._date
