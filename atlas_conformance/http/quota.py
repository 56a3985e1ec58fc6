"""What an endpoint says is left of a caller's allowance (`RateLimit-Remaining` and its kin), and making it last."""

from __future__ import annotations

import re
from dataclasses import dataclass

from atlas_conformance.contracts.exchange import Response

_FAMILIES = ("ratelimit", "x-ratelimit", "x-rate-limit")
_NUMBER = re.compile(r"[0-9]{1,12}")
_REMAINING = re.compile(r"(?:^|[\s,;])(?:remaining|r)\s*=\s*([0-9]{1,12})")
_RESET = re.compile(r"(?:^|[\s,;])(?:reset|t)\s*=\s*([0-9]{1,12})")
_LIMIT = re.compile(r"(?:^|[\s,;])(?:limit|q)\s*=\s*([0-9]{1,12})")
_EPOCH = 1_000_000_000
"""A reset of at least this is a moment in epoch seconds, not a number of seconds from now."""
_WINDOW_SECONDS = 60.0
"""The longest that a window lasts whose end is not told: the real service counts by the minute (R)."""


_MOST_DOUBTS = 3
"""How many impossible values of a caller's headers may be due to answers out of order, or to chance."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What one answer said: requests that are left, how many a window grants, and seconds until it starts again."""

    remaining: int
    limit: int | None = None
    reset: float | None = None

    @property
    def possible(self) -> bool:
        """Whether it can be true by itself: no more can be left than is granted."""
        return self.limit is None or self.remaining <= self.limit


def quota_of(response: Response, now: float) -> Quota | None:
    """Return what an answer says of its caller's allowance, or None; `now` is epoch seconds.

    Read are `RateLimit-Remaining`, `-Limit` and `-Reset`, the same with `X-` before, and the one field `RateLimit` in
    either of its forms (`remaining=5, reset=9` and `"default";r=5;t=9`).
    """
    for family in _FAMILIES:
        remaining = _number(response.header(f"{family}-remaining"))
        if remaining is not None:
            limit = _number(response.header(f"{family}-limit"))
            return Quota(remaining, limit, _reset(_number(response.header(f"{family}-reset")), now))
    field = response.header("ratelimit")
    if field is None or (found := _REMAINING.search(field)) is None:
        return None
    limited, reset = _LIMIT.search(field), _RESET.search(field)
    return Quota(int(found[1]), int(limited[1]) if limited else None, _reset(int(reset[1]) if reset else None, now))


def _number(value: str | None) -> int | None:
    return int(value) if value is not None and _NUMBER.fullmatch(value := value.strip()) else None


def _reset(value: int | None, now: float) -> float | None:
    if value is None:
        return None
    return max(0.0, value - now) if value >= _EPOCH else float(value)


class Window:
    """One caller's allowance over time; moments are monotonic seconds. Not safe to share between threads by itself.

    What is said is believed only once it was seen to go down, so that a constant header never stops a run, and only
    while it can be true: `disbelief` says why it is not believed any more, or is None. Of a window the last twentieth
    is spread over the time that is left of it: so its end, where it is not told, is soon noticed.
    """

    disbelief: str | None

    def __init__(self, quota: Quota, now: float) -> None:
        self._said = quota.remaining
        self._left = quota.remaining
        self._limit = quota.limit
        self._end = now + (_WINDOW_SECONDS if quota.reset is None else quota.reset)
        self._next = 0.0
        self._believed = False
        self._doubts = 0.0
        self._noted, self._renewed = now, now - 1.0
        self._burst = 0.0
        self._most = quota.remaining
        self._sent = 0
        """Requests that were sent since the last answer that said how many are left."""
        self.disbelief = None
        if not quota.possible:
            self._disbelieve(f"{quota.remaining} of {quota.limit} requests left are more than all")

    def note(self, quota: Quota, now: float) -> None:
        """Take in what a later answer said."""
        if self.disbelief is not None:
            return
        if not quota.possible:
            self._disbelieve(f"{quota.remaining} of {quota.limit} requests left are more than all")
            return
        self._doubt(quota, now)
        if self.disbelief is not None:
            return
        self._limit = quota.limit or self._limit
        # Answers to requests that were under way together may come in any order.
        renewed = quota.remaining > self._said + 8 + (self._limit or 0) // 10
        over = now >= self._end
        if quota.reset is not None:
            self._end = now + quota.reset
        elif renewed or over:
            self._end = now + _WINDOW_SECONDS
        if renewed or over:
            self._next = 0.0
            self._left = quota.remaining
        else:
            self._believed = self._believed or quota.remaining < self._said
            self._left = min(self._left, quota.remaining)
        self._said = quota.remaining

    def _doubt(self, quota: Quota, now: float) -> None:
        """Weigh a value that no window of requests could have: what is granted changes, or what is left jumps.

        Within a window less is left after each request, by about one. Others may use the same allowance, answers that
        were under way together come in any order, and a window starts again: so a jump happens, but not repeatedly.
        """
        sent, self._sent = self._sent, 0
        elapsed, self._noted = now - self._noted, now
        self._most = max(self._most, quota.remaining)
        limit = self._limit or self._most
        self._burst = max(float(sent), 0.9 * self._burst)
        if self._burst > 1.5 and self._renewed <= now < self._renewed + 0.5:
            return  # answers of the old window and of the new one still come in together
        granted = quota.limit is not None and self._limit is not None and quota.limit != self._limit
        disorder = 2 * self._burst + limit // 10 if self._burst > 1.5 else 0.0
        may_rise = disorder + limit * elapsed / _WINDOW_SECONDS
        rose = quota.remaining - self._said > may_rise
        full = quota.remaining >= limit - max(1, limit // 20) - self._burst
        if rose and (now >= self._end or (full and now - self._renewed >= 1.0)):
            rose, self._renewed = False, now
        fell = self._said - quota.remaining > 16 + 4 * sent + limit // 10
        if granted or rose or fell:
            self._doubts += 1
        elif self._burst > 1.5:  # of requests one after the other each answer is sure
            self._doubts = max(0.0, self._doubts - 0.25)
        if self._doubts > _MOST_DOUBTS:
            jumps = f"{self._said} requests left, then {quota.remaining}"
            grants = f"{self._limit} requests granted, then {quota.limit}"
            self._disbelieve(f"what they say jumps ({grants if granted else jumps})")

    def _disbelieve(self, why: str) -> None:
        self.disbelief = why

    def take(self, now: float, longest: float) -> float:
        """Return 0 and count a request that may be sent now, else the seconds (`longest` at most) to wait for it."""
        if self.disbelief is not None:
            return 0.0
        wait = self._wait(now, longest)
        self._sent += not wait
        return wait

    def _wait(self, now: float, longest: float) -> float:
        if not self._believed or self._doubts >= 1 or now >= self._end:
            return 0.0
        if self._left > max(4, (self._limit or 0) // 20):
            self._left -= 1
            return 0.0
        if now < self._next:
            return self._next - now
        self._left = max(0, self._left - 1)
        self._next = now + min(longest, self._end - now) / (self._left + 1)
        return 0.0
