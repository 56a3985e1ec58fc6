"""What an endpoint says is left of an allowance, and that the client makes it last."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from atlas_conformance.contracts.exchange import Request, Response
from atlas_conformance.http.client import Client
from atlas_conformance.http.pacing import Pacer
from atlas_conformance.http.quota import Quota, quota_of
from atlas_conformance.http.target import Limits, Target
from tests.targets.scripted_wire import Arrival, WireServer, answer

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("headers", "quota"),
    [
        ({"RateLimit-Remaining": "7"}, Quota(7)),
        ({"RateLimit-Limit": "1200", "RateLimit-Remaining": " 7 ", "RateLimit-Reset": "9"}, Quota(7, 1200, 9.0)),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW) + 30)}, Quota(0, None, 30.0)),
        ({"X-Rate-Limit-Remaining": "3", "X-Rate-Limit-Reset": str(int(NOW) - 30)}, Quota(3, None, 0.0)),
        ({"RateLimit": "limit=100, remaining=50, reset=5"}, Quota(50, 100, 5.0)),
        ({"RateLimit": '"default";r=50;t=30'}, Quota(50, None, 30.0)),
        ({"RateLimit": '"burst";q=10;r=4'}, Quota(4, 10, None)),
        ({"RateLimit-Remaining": "-1"}, None),
        ({"RateLimit-Remaining": "many"}, None),
        ({"RateLimit-Remaining": "1" * 40}, None),
        ({"RateLimit": "nothing of the kind"}, None),
        ({}, None),
    ],
)
def test_every_form_is_read(headers: dict[str, str], quota: Quota | None) -> None:
    assert quota_of(Response(200, tuple(headers.items()), b""), NOW) == quota


class Minute:
    """An endpoint that grants `limit` requests in each window of some seconds, on a clock of the test's own."""

    def __init__(self, limit: int, seconds: float, *, tells_reset: bool) -> None:
        self.limit, self.seconds, self.tells_reset = limit, seconds, tells_reset
        self.now, self.window, self.used, self.refused = 17.0, 0, 0, 0

    def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 0.001)

    def ask(self) -> Quota:
        window = int(self.now // self.seconds)
        if window != self.window:
            self.window, self.used = window, 0
        self.used += 1
        self.refused += self.used > self.limit
        left = self.seconds - self.now % self.seconds
        return Quota(max(0, self.limit - self.used), self.limit, left if self.tells_reset else None)


@pytest.mark.parametrize("tells_reset", [True, False])
@pytest.mark.parametrize(("limit", "seconds"), [(100, 60.0), (1200, 60.0), (20, 10.0)])
def test_the_client_slows_before_it_is_refused_and_uses_up_what_it_has(
    limit: int, seconds: float, tells_reset: bool
) -> None:
    minute = Minute(limit, seconds, tells_reset=tells_reset)
    pacer = Pacer(None, clock=lambda: minute.now, sleep=minute.sleep)
    started = minute.now
    for _ in range(6 * limit):
        pacer.take("owner")
        minute.now += 0.01
        pacer.note(minute.ask(), "owner")
    assert minute.refused == 0
    if tells_reset:
        assert minute.now - started < 7 * seconds


def test_callers_have_allowances_of_their_own() -> None:
    minute = Minute(10, 60.0, tells_reset=True)
    pacer = Pacer(None, clock=lambda: minute.now, sleep=minute.sleep)
    for _ in range(10):
        pacer.take("owner")
        pacer.note(minute.ask(), "owner")
    before = minute.now
    pacer.take("reader")
    assert minute.now == before


@pytest.mark.parametrize("quota", [Quota(0), Quota(0, 0, 3600.0), Quota(3, 1200, 60.0)])
def test_a_header_that_never_changes_stops_nobody(quota: Quota) -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pacer = Pacer(None, clock=lambda: now[0], sleep=sleep)
    for _ in range(500):
        pacer.take()
        pacer.note(quota)
    assert now[0] == 0.0


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("most", [10, 100, 100_000])
@pytest.mark.parametrize("limit", ["random", "fixed", "none"])
def test_random_headers_stop_nobody_for_long_and_are_remarked_upon_once(seed: int, most: int, limit: str) -> None:
    random, now, remarks = Random(f"{seed}:{most}:{limit}"), [0.0], []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pacer = Pacer(None, clock=lambda: now[0], sleep=sleep)
    pacer.remark = remarks.append
    for _ in range(1_000):
        pacer.take()
        now[0] += 0.002
        granted = {"random": random.randint(0, most), "fixed": most, "none": None}[limit]
        pacer.note(Quota(random.randint(0, most), granted))
    assert now[0] < 2.0 + (300.0 if most == 10 else 10.0)
    (remark,) = remarks
    assert "ignored, as they cannot be true" in remark


@pytest.mark.parametrize("seed", range(5))
def test_true_headers_of_many_answers_at_once_are_believed(seed: int) -> None:
    """Eight requests are under way together, their answers come in any order, and others use the allowance too."""
    random = Random(seed)
    minute = Minute(200, 60.0, tells_reset=False)
    pacer = Pacer(None, clock=lambda: minute.now, sleep=minute.sleep)
    remarks: list[str] = []
    pacer.remark = remarks.append
    for _ in range(100):
        for _ in range(8):
            pacer.take()
        answers = [minute.ask() for _ in range(8 + random.randint(0, 2))][:8]
        minute.now += 0.01
        random.shuffle(answers)
        for quota in answers:
            pacer.note(quota)
    assert remarks == []


def test_one_wait_is_bounded_and_ends_when_the_client_does() -> None:
    now, stopped = [0.0], [False]

    def sleep(seconds: float) -> None:
        assert seconds <= 0.5  # slices, so that a renewal that another thread learns of is seen
        now[0] += seconds
        stopped[0] = now[0] > 3.0

    pacer = Pacer(None, clock=lambda: now[0], sleep=sleep, stopped=lambda: stopped[0])
    for remaining in (2, 1, 0):
        pacer.note(Quota(remaining, 1200, 3600.0))
    pacer.take()
    pacer.take()
    assert stopped[0]
    assert now[0] < 4.0


def test_the_client_notes_what_answers_say(server: WireServer) -> None:
    left = iter(range(8, -1, -1))

    def script(arrival: Arrival) -> bytes:
        return answer(200, b"{}", ("RateLimit-Remaining", str(next(left))), ("RateLimit-Reset", "50"))

    server.script = script
    now, slept = [0.0], [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds
        slept[0] += seconds

    def requests() -> Iterator[Request]:
        return (Request("GET", "/api/x") for _ in range(8))

    target = Target(server.url, limits=Limits(pause_seconds=60.0))
    with Client(target, workers=1, sleep=sleep, monotonic=lambda: now[0]) as client:
        client.send_all(requests())
    assert slept[0] > 20.0
