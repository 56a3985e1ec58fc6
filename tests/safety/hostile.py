"""An endpoint that answers writes with one harm after another, or everything with the same one."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from types import MappingProxyType, TracebackType

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_BOMB = gzip.compress(bytes(500_000_000), 1)


def _harms() -> Iterator[tuple[str, bytes]]:
    yield "stall", _HEAD + b"Content-Length: 100\r\n\r\n{"
    yield "endless", _HEAD + b"Content-Length: 1073741824\r\n\r\n"
    yield "endless-chunks", _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    yield "invalid-utf-8", _HEAD + b'Content-Length: 9\r\n\r\n{"\xff\xfe": 1}'
    yield "less-than-announced", _HEAD + b"Content-Length: 50\r\n\r\n{}"
    yield "more-than-announced", _HEAD + b"Content-Length: 2\r\n\r\n{}" + b"HTTP/1.1 200 OK\r\n\r\n" * 50
    heavy = b"[" + b"{}," * 1_300_000 + b"{}]"
    yield "heavy-document", _HEAD + b"Content-Length: %d\r\n\r\n" % len(heavy) + heavy
    yield "closes-early", b"HTTP/1.1 200 O"
    yield "two-lengths", _HEAD + b"Content-Length: 2\r\nContent-Length: 9\r\n\r\n{}"
    yield "a-million-headers", _HEAD + b"".join(b"X-%d: 1\r\n" % n for n in range(1_000_001)) + b"\r\n"
    yield "one-long-header", _HEAD + b"X-Long: " + b"x" * 5_000_000 + b"\r\n\r\n"
    yield "gzip-bomb", _HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(_BOMB) + _BOMB
    twice = gzip.compress(_BOMB, 1)
    yield "double-bomb", _HEAD + b"Content-Encoding: gzip, gzip\r\nContent-Length: %d\r\n\r\n" % len(twice) + twice
    brotli = b"\xdb\xff\xff\x8f" + bytes(60)
    yield "brotli-bomb", _HEAD + b"Content-Encoding: br\r\nContent-Length: %d\r\n\r\n" % len(brotli) + brotli
    yield "nonsense", b"SSH-2.0-OpenSSH_9.6\r\n\r\n"
    yield "continues-for-ever", b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000


HARM: Mapping[str, bytes] = MappingProxyType(dict(_harms()))
"""What is sent, by name; `stall` and the endless ones go on after it."""

_STAYS_OPEN = ("stall", "endless", "endless-chunks")
_ERROR = {"error": 404, "errorCode": "RESOURCE_NOT_FOUND", "detail": "no", "reason": "Not Found", "parameters": None}


class Hostile:
    """Serves on loopback as a context manager.

    `/api/<harm>` is answered with that harm, `/api/fine` as it should be, and of all else reads with a sound 404 and
    writes with the next harm; with `everywhere`, every request with that one. `met` are the harms that were dealt out.
    """

    def __init__(self, everywhere: str | None = None) -> None:
        self._everywhere = everywhere
        self._turns = itertools.cycle(HARM)
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self.met: set[str] = set()

    def __enter__(self) -> Hostile:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        data = b""
        with connection, contextlib.suppress(OSError):
            while True:
                while b"\r\n\r\n" not in data:
                    piece = connection.recv(65_536)
                    if not piece:
                        return
                    data += piece
                head, _, data = data.partition(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
                )
                while len(data) < length:
                    piece = connection.recv(65_536)
                    if not piece:
                        return
                    data += piece
                data = data[length:]
                harm = self._harm(head)
                if harm is None:
                    fine = b"/api/fine" in head.split(b"\r\n")[0]
                    body = b'{"fine": true}' if fine else json.dumps(_ERROR).encode()
                    status = b"200 OK" if fine else b"404 Not Found"
                    lines = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                    connection.sendall(lines % (status, len(body)) + body)
                    continue
                self._deal(connection, harm)
                return

    def _harm(self, head: bytes) -> str | None:
        method, target, _ = head.split(b"\r\n")[0].decode("latin-1").split(" ", 2)
        with self._lock:
            if self._everywhere is not None:
                return self._everywhere
            if target.rpartition("/")[2] in HARM:
                return target.rpartition("/")[2]
            if method in ("GET", "HEAD", "OPTIONS"):
                return None
            harm = next(self._turns)
            self.met.add(harm)
            return harm

    @staticmethod
    def _deal(connection: socket.socket, harm: str) -> None:
        connection.sendall(HARM[harm])
        if harm in _STAYS_OPEN:
            piece = bytes(65_536) if harm == "endless" else b"10000\r\n" + bytes(65_536) + b"\r\n"
            for _ in range(0 if harm == "stall" else 20_000):
                connection.sendall(piece)
            connection.recv(1)
        connection.shutdown(socket.SHUT_RDWR)
