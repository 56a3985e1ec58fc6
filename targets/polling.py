"""Asking again at growing intervals until something has happened or the time is up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


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


@dataclass(frozen=True, slots=True)
class Polled(Generic[T]):
    """What came of polling: every answer in order, and whether the last one was what was waited for."""

    answers: tuple[T, ...]
    finished: bool

    @property
    def last(self) -> T:
        """The last answer."""
        return self.answers[-1]


def poll(
    ask: Callable[[], T],
    done: Callable[[T], bool],
    *,
    limit_seconds: float,
    intervals: Intervals = LOOPBACK,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Polled[T]:
    """Call `ask` until `done` of its answer is true or `limit_seconds` have passed; the last ask is at the limit.

    It is called at least once. What it raises goes through.
    """
    end = clock() + limit_seconds
    answers: list[T] = []
    for wait in intervals:
        answers.append(ask())
        if done(answers[-1]):
            return Polled(tuple(answers), True)
        left = end - clock()
        if left <= 0:
            break
        sleep(min(wait, left))
    return Polled(tuple(answers), False)
