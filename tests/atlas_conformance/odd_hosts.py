"""Hosts that are no Atlas: each is what becomes of one connection."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

_ANSWER = "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}\r\n{}"
_CHALLENGE = 'WWW-Authenticate: Digest realm="MMS", nonce="abc", qop="auth", algorithm=MD5\r\n'


def answers_html(connection: socket.socket) -> None:
    """A web server of another kind."""
    page = "<!DOCTYPE html><title>It works!</title>"
    while connection.recv(65_536):
        connection.sendall(_ANSWER.format("200 OK", "text/html", len(page), "", page).encode())


def lets_nobody_in(connection: socket.socket) -> None:
    """An endpoint to which every key is the wrong one."""
    body = '{"error": 401, "errorCode": "UNAUTHORIZED"}'
    while connection.recv(65_536):
        answer = _ANSWER.format("401 Unauthorized", "application/json", len(body), _CHALLENGE, body)
        connection.sendall(answer.encode())


def hangs(connection: socket.socket) -> None:
    """Takes the request and says nothing."""
    while connection.recv(65_536):
        pass


def breaks_off_the_handshake(connection: socket.socket) -> None:
    """Sends the first half of a TLS ServerHello, and leaves."""
    connection.recv(65_536)
    connection.sendall(bytes.fromhex("160303007a0200007603"))
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(65_536):
        pass


@contextlib.contextmanager
def listening(host: Callable[[socket.socket], None]) -> Iterator[int]:
    """Yield the port on which `host` is asked about each connection, each in a thread of its own."""

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            host(connection)

    def all_of_them() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=all_of_them, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
