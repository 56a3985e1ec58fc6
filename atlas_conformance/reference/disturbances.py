"""What a network and its proxies do to an endpoint that is sound: resets, 503s, slow answers, a limit by the second."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

import orjson

Kind: TypeAlias = Literal["none", "reset-before", "reset-after", "unavailable", "unavailable-soon", "slow", "limited"]

_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Disturbances:
    """How much of each.

    `resets`, `unavailable` and `slow` are shares of the requests, from 0 to 1. A reset cuts the connection, half of the
    times after the request was served. Half of the 503s carry `Retry-After` with `retry_after` seconds. A slow answer
    takes `slow_seconds` longer. `a_second` is how many requests are taken in one second, the others are answered 429
    with `Retry-After: 1`; 0 takes any number.
    """

    resets: float = 0.0
    unavailable: float = 0.0
    slow: float = 0.0
    slow_seconds: float = 0.3
    retry_after: float = 1
    a_second: float = 0

    @classmethod
    def of(cls, given: Mapping[str, float]) -> Disturbances:
        """Return the disturbances of these names; raises ValueError with one sentence where they make no sense."""
        known = [field.name for field in fields(cls)]
        for name, value in given.items():
            if name not in known:
                raise ValueError(f"there is no disturbance {name!r}; there are {', '.join(known)}")
            if value < 0:
                raise ValueError(f"the disturbance {name} is {value}; it must be 0 or more")
        found = cls(**given)
        if found.resets + found.unavailable + found.slow > 1:
            raise ValueError("the shares of resets, 503s and slow answers are more than 1 together")
        return found


class Turbulence:
    """Draws what happens to each request, from a seed."""

    def __init__(self, disturbances: Disturbances, seed: int) -> None:
        self.disturbances = disturbances
        self._draw = random.Random(f"disturbances {seed}")
        self._second = 0
        self._taken = 0

    def next(self, now: float) -> Kind:
        """Return what happens to the request that has come at `now` (epoch seconds)."""
        given = self.disturbances
        if given.a_second:
            if int(now) != self._second:
                self._second, self._taken = int(now), 0
            self._taken += 1
            if self._taken > given.a_second:
                return "limited"
        drawn, half = self._draw.random(), self._draw.random() < 0.5
        if drawn < given.resets:
            return "reset-before" if half else "reset-after"
        drawn -= given.resets
        if drawn < given.unavailable:
            return "unavailable" if half else "unavailable-soon"
        return "slow" if drawn - given.unavailable < given.slow else "none"

    def answer(self, kind: Kind) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Return status, headers and body of the answer to a request that was not served."""
        limited = kind == "limited"
        status, code, reason = (
            (429, "RATE_LIMITED", "Too Many Requests") if limited else (503, "UNAVAILABLE", "Service Unavailable")
        )
        body = orjson.dumps({"error": status, "errorCode": code, "detail": "Come back later.", "reason": reason})
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        if kind != "unavailable":
            seconds = 1 if limited else round(self.disturbances.retry_after)
            headers.append((b"retry-after", str(seconds).encode()))
        return status, headers, body


def cut(transport: Any) -> None:
    """Reset the connection of an asyncio transport."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()
