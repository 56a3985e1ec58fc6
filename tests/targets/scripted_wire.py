"""A scripted loopback server: what arrives is kept byte for byte, what is answered is up to the test."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Arrival:
    """One request as it came over the wire, and the number of the connection it came on."""

    line: bytes
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int

    @property
    def method(self) -> str:
        return self.line.split(b" ", 1)[0].decode()

    @property
    def target(self) -> str:
        return self.line.split(b" ")[1].decode("latin-1")

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


Script = Callable[[Arrival], bytes | None]


def answer(status: int = 200, body: bytes = b"{}", *headers: tuple[str, str], media: str = "application/json") -> bytes:
    """Write a response with a Content-Length."""
    lines = [f"HTTP/1.1 {status} Phrase", f"Content-Type: {media}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class WireServer:
    """Answers each arrival with what `script` returns; None closes the connection without an answer."""

    script: Script = lambda arrival: answer()
    arrivals: list[Arrival] = field(default_factory=list)
    close_after: bool = False

    def start(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._open: list[socket.socket] = []
        self._count = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()
        self._thread.join(2)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            self._count += 1
            threading.Thread(target=self._serve, args=(connection, self._count), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        data = b""
        try:
            while True:
                while b"\r\n\r\n" not in data:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    data += piece
                head, _, data = data.partition(b"\r\n\r\n")
                line, *rest = head.split(b"\r\n")
                pairs = [item.decode("latin-1").partition(":") for item in rest]
                headers = tuple((name, value.strip()) for name, _, value in pairs)
                length = int(next((v for n, v in headers if n.lower() == "content-length"), "0"))
                while len(data) < length:
                    data += connection.recv(65536)
                arrival = Arrival(line, headers, data[:length], number)
                data = data[length:]
                self.arrivals.append(arrival)
                said = self.script(arrival)
                if said is None:
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                connection.sendall(said)
                if self.close_after:
                    connection.shutdown(socket.SHUT_RDWR)
                    return
        except (OSError, ValueError):
            return
        finally:
            connection.close()
