"""The growing intervals at which something is asked again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Intervals:
    """The waits between asks, in seconds: the first, each next one `factor` times as long, none above `cap`."""

    first: float
    cap: float
    factor: float = 1.5

    def __iter__(self) -> Iterator[float]:
        wait = self.first
        while True:
            yield min(wait, self.cap)
            wait = min(wait * self.factor, self.cap)


LOOPBACK = Intervals(first=0.01, cap=0.25)
REMOTE = Intervals(first=1.0, cap=30.0)
