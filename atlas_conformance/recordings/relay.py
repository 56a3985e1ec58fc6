"""A relay between clients and one upstream that passes every byte on and watches the HTTP/1.1 that goes by.

Bytes are passed on as they came, in both directions; the one exception is the value of the `Host` line, which has to
name the upstream. What goes by is read by h11 on the side: what h11 cannot read is passed on all the same.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import h11

from atlas_conformance.contracts.exchange import Headers
from atlas_conformance.recordings.watched import Message, Watched

_PIECE = 65_536
_LONGEST_HEAD = 262_144
_HOST = re.compile(rb"(\r\n[Hh][Oo][Ss][Tt]:[ \t]*)[^\r\n]*")
_BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Upstream:
    """Where everything goes: a host and port, the value of the Host line, and TLS settings (None: plain http)."""

    host: str
    port: int
    authority: str
    context: ssl.SSLContext | None = None

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection. Raises OSError (ssl.SSLError is one) where there is none to be had."""
        name = self.host if self.context is not None else None
        return await asyncio.open_connection(self.host, self.port, ssl=self.context, server_hostname=name)


@dataclass
class Relay:
    """Serves clients; calls `watched` with each exchange that went by, `troubled` with a sentence on each failure."""

    upstream: Upstream
    watched: Callable[[Watched], None]
    troubled: Callable[[str], None]
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Serve one client connection to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(client, back)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # either side hung up, or the relay stops
        finally:
            self._tasks.discard(task)
            back.close()

    async def stop(self) -> None:
        """End every connection."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            answers, forth = await self.upstream.connect()
        except OSError as problem:
            reason = problem.strerror or str(problem) or type(problem).__name__
            self.troubled(f"{self.upstream.authority} cannot be reached: {reason}")
            back.write(_BAD_GATEWAY)
            await back.drain()
            return
        line = _Line(self.watched)
        answering = asyncio.ensure_future(_pass_answers(answers, back, line))
        asking = asyncio.ensure_future(_pass_requests(client, forth, line, self.upstream.authority.encode("ascii")))
        try:
            # An upstream that hangs up ends the connection; a client that only stops asking still gets its answers.
            await answering
        finally:
            for task in (answering, asking):
                task.cancel()
            await asyncio.gather(answering, asking, return_exceptions=True)
            forth.close()


class _Line:
    """What is known of one connection: requests that wait for their answer, and the answer that is coming in."""

    def __init__(self, watched: Callable[[Watched], None]) -> None:
        self._watched = watched
        self._waiting: deque[tuple[Message, float]] = deque()
        self._answer: Message | None = None
        self._parser: h11.Connection | None = None
        self.legible = True

    def asked(self, request: Message, started: float) -> None:
        """Note a request whose head has gone by; its body may still come."""
        self._waiting.append((request, started))

    def answered(self, data: bytes) -> None:
        """Note bytes of answers; empty at the end of the connection."""
        if not self.legible:
            return
        try:
            while self._waiting and (data or self._parser is not None):
                rest = self._read(data)
                if rest is None:
                    return
                data = rest
        except (h11.RemoteProtocolError, h11.LocalProtocolError):
            self.legible = False

    def _read(self, data: bytes) -> bytes | None:
        """Read on in the current answer; return what follows it, or None while it goes on."""
        request, started = self._waiting[0]
        if self._parser is None:
            self._parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
            self._parser.send(h11.Request(method=request.method, target="/", headers=[("Host", "upstream")]))
            self._parser.send(h11.EndOfMessage())
        self._parser.receive_data(data)
        while True:
            event = self._parser.next_event()
            if isinstance(event, h11.Response):
                self._answer = Message(status=event.status_code, headers=_raw(event))
            elif isinstance(event, h11.InformationalResponse):
                if event.status_code == 101:
                    self.legible = False
                    return None
            elif isinstance(event, h11.Data):
                assert self._answer is not None
                self._answer.add(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                assert self._answer is not None
                rest = self._parser.trailing_data[0]
                self._waiting.popleft()
                answer, self._answer, self._parser = self._answer, None, None
                self._watched(Watched(request, answer, started, time.time()))
                return rest
            else:
                return None


async def _pass_answers(answers: asyncio.StreamReader, back: asyncio.StreamWriter, line: _Line) -> None:
    while data := await answers.read(_PIECE):
        back.write(data)
        await back.drain()
        line.answered(data)
    line.answered(b"")
    with suppress(OSError):
        back.write_eof()


async def _pass_requests(
    client: asyncio.StreamReader, forth: asyncio.StreamWriter, line: _Line, authority: bytes
) -> None:
    """Pass requests on, the Host line of each renamed, until the client stops."""
    data = b""
    while line.legible:
        head, data = await _head(client, data)
        if not head:
            break
        started = time.time()
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=_LONGEST_HEAD)
        parser.receive_data(head)
        try:
            event = parser.next_event()
        except h11.RemoteProtocolError:
            event = None
        if not isinstance(event, h11.Request):
            line.legible = False
            data = _HOST.sub(lambda match: match[1] + authority, head, count=1) + data
            break
        request = Message(event.method.decode(), event.target.decode("latin-1"), headers=_raw(event))
        line.asked(request, started)
        forth.write(_HOST.sub(lambda match: match[1] + authority, head, count=1))
        data = await _pass_body(parser, request, client, forth, data, line)
    if data:
        forth.write(data)
    while data := await client.read(_PIECE):
        forth.write(data)
        await forth.drain()
    await forth.drain()
    if forth.can_write_eof():
        forth.write_eof()


async def _head(client: asyncio.StreamReader, data: bytes) -> tuple[bytes, bytes]:
    """Return the next message head with its empty line, and what came after it; no head where the client stops."""
    while (end := data.find(b"\r\n\r\n")) < 0 and len(data) < _LONGEST_HEAD:
        more = await client.read(_PIECE)
        if not more:
            return b"", data
        data += more
    return (data[: end + 4], data[end + 4 :]) if end >= 0 else (data, b"")


async def _pass_body(
    parser: h11.Connection,
    request: Message,
    client: asyncio.StreamReader,
    forth: asyncio.StreamWriter,
    data: bytes,
    line: _Line,
) -> bytes:
    """Pass the body of a request on and return what came after it."""
    while True:
        try:
            if data:
                parser.receive_data(data)
            while isinstance(event := parser.next_event(), h11.Data):
                request.add(bytes(event.data))
        except h11.RemoteProtocolError:
            line.legible = False
            return data
        if isinstance(event, h11.EndOfMessage) or event is h11.PAUSED:
            rest = parser.trailing_data[0]
            forth.write(data[: len(data) - len(rest)])
            await forth.drain()
            return rest
        forth.write(data)
        await forth.drain()
        data = await client.read(_PIECE)
        if not data:
            line.legible = False
            return b""


def _raw(message: h11.Request | h11.Response) -> Headers:
    """Return the header lines as they were written."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in message.headers.raw_items())
