"""A recording relay in front of an endpoint: every byte that a client sends is kept, and read only afterwards."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType

_PIECE = 65_536
_STATUS = re.compile(rb"\AHTTP/1\.1 \d{3} [^\r]*\r\n")


@dataclass(frozen=True)
class Seen:
    """One request as it stood on the wire, and the answer to it: status and body, 0 and nothing where none came.

    `at` is when its first byte arrived, in monotonic seconds.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    status: int = 0
    answer: bytes = b""
    at: float = 0.0

    def header(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for key, value in self.headers if key.lower() == name]


class Illegible(Exception):
    """What was sent is no sequence of HTTP/1.1 requests with a Content-Length."""


@dataclass
class _Connection:
    sent: bytearray = field(default_factory=bytearray)
    answered: bytearray = field(default_factory=bytearray)
    arrived: list[tuple[int, float]] = field(default_factory=list)

    def at(self, place: int) -> float:
        """When the byte at this place arrived."""
        return max((moment for start, moment in self.arrived if start <= place), default=0.0)


class Wiretap:
    """Listens on loopback and passes everything on to `upstream` (host, port); use it as a context manager.

    `rewrite` may change the first piece of each answer, which begins with its status line.
    """

    def __init__(self, upstream: tuple[str, int], rewrite: Callable[[bytes, int], bytes] | None = None) -> None:
        self._upstream = upstream
        self._rewrite = rewrite
        self._connections: list[_Connection] = []
        self._open: list[socket.socket] = []
        self._answers = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Wiretap:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            sockets = list(self._open)
        for one in sockets:
            _hang_up(one)
        self._thread.join(5)

    @property
    def connections(self) -> int:
        """How many connections were made."""
        return len(self._connections)

    def forget(self) -> None:
        """Drop what was recorded so far; no connection may be open that still matters."""
        self._connections = []

    def requests(self) -> Iterator[Seen]:
        """Yield every request, connection by connection. Raises Illegible."""
        for connection in self._connections:
            sent, answered = bytes(connection.sent), bytes(connection.answered)
            place = back = 0
            while (request := _message(sent, place)) is not None:
                began = connection.at(place)
                line, headers, body, place = request
                parts = line.split(b" ")
                if len(parts) != 3:
                    raise Illegible(repr(line[:100]))
                method, target = parts[0].decode("latin-1"), parts[1].decode("latin-1")
                status, shown = 0, b""
                # The last request may be without an answer.
                if (answer := _message(answered, back, bodiless=method == "HEAD")) is not None:
                    status, shown, back = int(answer[0].split(b" ")[1]), answer[2], answer[3]
                yield Seen(method, target, headers, body, status, shown, began)
            if place < len(sent) and sent.find(b"\r\n\r\n", place) < 0 and len(sent) - place > 65_536:
                raise Illegible("more than 64 KiB without an end of the headers")

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            connection = _Connection()
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(client, connection), daemon=True).start()

    def _serve(self, client: socket.socket, connection: _Connection) -> None:
        try:
            upstream = socket.create_connection(self._upstream)
        except OSError:
            _hang_up(client)
            return
        for one in (client, upstream):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open += [client, upstream]
        back = threading.Thread(target=self._answer, args=(upstream, client, connection), daemon=True)
        back.start()
        try:
            while piece := client.recv(_PIECE):
                connection.arrived.append((len(connection.sent), time.monotonic()))
                connection.sent += piece
                upstream.sendall(piece)
        except OSError:
            pass
        finally:
            _hang_up(upstream)
            back.join(5)
            _hang_up(client)
            with self._lock:
                self._open = [one for one in self._open if one not in (client, upstream)]

    def _answer(self, upstream: socket.socket, client: socket.socket, connection: _Connection) -> None:
        try:
            while piece := upstream.recv(_PIECE):
                if self._rewrite is not None and _STATUS.match(piece):
                    with self._lock:
                        self._answers += 1
                        number = self._answers
                    piece = self._rewrite(piece, number)
                connection.answered += piece
                client.sendall(piece)
        except OSError:
            return
        finally:
            _hang_up(client)


def _hang_up(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def _message(
    data: bytes, place: int, *, bodiless: bool = False
) -> tuple[bytes, tuple[tuple[str, str], ...], bytes, int] | None:
    """Return first line, headers and body of the message at `place`, framed by Content-Length alone, and where it ends;
    None where there is none, or only a part of one.
    """
    end = data.find(b"\r\n\r\n", place)
    if end < 0:
        return None
    line, *rest = data[place:end].split(b"\r\n")
    pairs = [header.decode("latin-1").partition(":") for header in rest]
    headers = tuple((name, value.strip()) for name, _, value in pairs)
    lengths = {value for name, value in headers if name.lower() == "content-length"}
    if len(lengths) > 1 or not all(value.isdigit() for value in lengths):
        raise Illegible(repr(lengths))
    length = 0 if bodiless else int(next(iter(lengths), "0"))
    after = end + 4 + length
    return None if after > len(data) else (line, headers, data[end + 4 : after], after)


def fronted(piece: bytes, number: int) -> bytes:
    """Give an answer a header by which it shows that something stands before the endpoint."""
    return _STATUS.sub(lambda match: match[0] + b"Via: 1.1 front\r\n", piece)


def redirecting(place: str, every: int) -> Callable[[bytes, int], bytes]:
    """Return a rewriter that makes a redirect of each so-manieth answer, in turn with each status, to `place`."""
    statuses = (b"301 Moved Permanently", b"302 Found", b"303 See Other", b"307 Temporary Redirect",
                b"308 Permanent Redirect")  # fmt: skip

    def rewrite(piece: bytes, number: int) -> bytes:
        if number % every:
            return piece
        status = statuses[number // every % len(statuses)]
        location = f"Location: {place}/api/atlas/v2/groups?from={number}\r\n".encode()
        return _STATUS.sub(lambda match: b"HTTP/1.1 " + status + b"\r\n" + location, piece)

    return rewrite
