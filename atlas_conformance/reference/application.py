"""The ASGI application: requests in, calls to the endpoint, answers out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from atlas_conformance.reference.bodies import BODY_LIMIT
from atlas_conformance.reference.clock import Clock
from atlas_conformance.reference.control_api import CONTROL_PATH, Control
from atlas_conformance.reference.directions import Directions
from atlas_conformance.reference.disturbances import Turbulence, cut
from atlas_conformance.reference.endpoint import Endpoint, RawHeaders
from atlas_conformance.reference.messages import Call

DRAIN_LIMIT = 64 * 1_048_576
"""How much of a body that is too large is read off the connection, so that the answer reaches a client that is still
sending."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Application:
    """Hands each HTTP request to the endpoint. `endpoint` may be exchanged between two requests; `latency` is seconds
    added to each answer, `turbulence` what happens to requests besides.

    `control` answers requests that steer the endpoint, where there is one, and `directions` single out requests that
    are answered otherwise.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        latency: float = 0.0,
        turbulence: Turbulence | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.latency = latency
        self._open: dict[int, Call] = {}
        self.turbulence = turbulence
        self.clock = clock or Clock()
        self.control: Control | None = None
        self.directions: Directions | None = None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        pairs: RawHeaders = scope["headers"]
        headers = dict(pairs)
        body: bytes | None = b""
        drained = True
        if b"content-length" in headers or b"transfer-encoding" in headers:
            body, drained = await _body(receive)
        path, question, query = scope["target"].decode("latin-1").partition("?")
        if not path.startswith("/"):
            path = scope["raw_path"].decode("latin-1")  # a request target in absolute form
        accept = b""
        if b"accept" in headers:
            accept = b",".join(value for name, value in pairs if name == b"accept")
        call = Call(
            method=scope["method"],
            target=path + question + query,
            path=path,
            query_string=query,
            headers=headers,
            accept=accept.decode("latin-1"),
            body=body,
            now=self.clock.now(),
        )
        if self.clock.moved:
            call.ahead = self.clock.ahead()
        if self.control is not None and path.startswith(CONTROL_PATH):
            await _send(send, *self.control.answer(call))
            return
        happens = self.turbulence.next(call.wall) if self.turbulence is not None else "none"
        late = self.latency
        if self.turbulence is not None and happens == "slow":
            late += self.turbulence.disturbances.slow_seconds
        directions, direction = self.directions, None
        if directions is not None and directions.rules:
            direction = directions.next(call, self.endpoint)
        if direction is not None:
            late += direction.rule.delay
            happens = "reset-before" if direction.rule.drop else happens
        if late:
            await asyncio.sleep(late)
            self._wait_over(call)
        if happens == "reset-before":
            cut(scope["transport"])
            return
        if self.turbulence is not None and happens in ("unavailable", "unavailable-soon", "limited"):
            status, answered, content = self.turbulence.answer(happens)
        elif direction is not None:
            status, answered, content = direction.handle(call)
        elif self.endpoint.pause:
            status, answered, content = await self._handle_among_others(call, self.endpoint.pause)
        else:
            status, answered, content = self.endpoint.handle(call)
        if self.control is not None:
            self.control.note(call, status)
        if happens == "reset-after":
            cut(scope["transport"])
            return
        if not drained:
            answered.append((b"connection", b"close"))
        answered.append(self.clock.date(call.now))
        await send({"type": "http.response.start", "status": status, "headers": answered})
        await send({"type": "http.response.body", "body": content})

    def _wait_over(self, call: Call) -> None:
        call.now, call.ahead = self.clock.now(), self.clock.ahead()

    async def _handle_among_others(self, call: Call, seconds: float) -> tuple[int, RawHeaders, bytes]:
        """Hold a call open for a while before it is handled; it and those that are open then know each other."""
        for other in self._open.values():
            other.beside.append(call)
        call.beside.extend(self._open.values())
        self._open[id(call)] = call
        try:
            await asyncio.sleep(seconds)
            self._wait_over(call)
            return self.endpoint.handle(call)
        finally:
            del self._open[id(call)]
            call.beside = []  # else each call would keep those before it alive


async def _send(send: Send, status: int, headers: RawHeaders, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive) -> tuple[bytes | None, bool]:
    """Return a request's body, None where it is too large; and whether all of it was read."""
    message = await receive()
    if not message.get("more_body"):
        body = message.get("body", b"")
        return (body if len(body) <= BODY_LIMIT else None), True
    parts, size = [message["body"]], len(message["body"])
    while message.get("more_body") and size <= DRAIN_LIMIT:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size <= BODY_LIMIT:
            parts.append(part)
        else:
            parts.clear()
    return (b"".join(parts) if size <= BODY_LIMIT else None), not message.get("more_body")
