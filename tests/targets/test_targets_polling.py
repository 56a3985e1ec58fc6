"""Polling: growing waits, a limit that holds."""

from __future__ import annotations

from targets.polling import LOOPBACK, REMOTE, Intervals, poll


class Time:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 4))
        self.now += seconds


def test_waits_grow_up_to_the_cap_until_done() -> None:
    time, answers = Time(), iter(range(10))
    polled = poll(
        lambda: next(answers),
        lambda n: n == 5,
        limit_seconds=100,
        intervals=Intervals(1.0, 3.0),
        clock=time.clock,
        sleep=time.sleep,
    )
    assert polled.finished
    assert polled.answers == (0, 1, 2, 3, 4, 5)
    assert polled.last == 5
    assert time.slept == [1.0, 1.5, 2.25, 3.0, 3.0]


def test_the_last_ask_is_at_the_limit() -> None:
    time = Time()
    polled = poll(
        time.clock, lambda n: False, limit_seconds=4, intervals=Intervals(1.0, 30.0), clock=time.clock, sleep=time.sleep
    )
    assert not polled.finished
    assert polled.last == 4.0
    assert time.slept == [1.0, 1.5, 1.5]


def test_no_time_still_asks_once() -> None:
    time = Time()
    assert poll(lambda: "x", lambda x: True, limit_seconds=0, clock=time.clock, sleep=time.sleep).finished
    assert not poll(lambda: "x", lambda x: False, limit_seconds=0, clock=time.clock, sleep=time.sleep).finished
    assert time.slept == []


def test_first_waits() -> None:
    assert (LOOPBACK.first, REMOTE.first) == (0.01, 1.0)
