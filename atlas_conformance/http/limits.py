"""How a person writes a rate and a length of time."""

from __future__ import annotations

import re

from atlas_conformance.http.failures import TargetError

_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)/(s|sec|second|min|minute|h|hour)")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(s|sec|second|seconds|m|min|minute|minutes|h|hour|hours)")
_PERIODS = {"s": 1, "m": 60, "h": 3600}


def parse_rate(text: str, where: str) -> float:
    """Return requests per second from text such as `60/min`, `10/s`, `1000/hour`; raise TargetError otherwise."""
    match = _RATE.fullmatch(text)
    rate = float(match[1]) / _PERIODS[match[2][0]] if match else 0.0
    if not 0 < rate < 1e6:
        raise TargetError(f"{where} is {text!r}; write requests in a period, such as 60/min or 10/s")
    return rate


def parse_duration(text: str, where: str) -> float:
    """Return seconds from text such as `90s`, `30min`, `2h`; raise TargetError otherwise, or beyond a week."""
    match = _DURATION.fullmatch(text)
    seconds = float(match[1]) * _PERIODS[match[2][0]] if match else 0.0
    if not 0 < seconds <= 7 * 86400:
        raise TargetError(f"{where} is {text!r}; write a length of time of at most a week, such as 30min or 2h")
    return seconds
