"""A client that offers another protocol, as Java's does, is answered in HTTP/1.1 with its body read."""

from __future__ import annotations

import json
import socket

import pytest

from tests.reference.calling import Caller

OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\n"


def head(caller: Caller, operation: str, more: bytes) -> bytes:
    first = f"{'POST' if operation == 'flex-create' else 'GET'} {caller.path(operation)} HTTP/1.1\r\nHost: x\r\n"
    return (
        first.encode()
        + b"Authorization: Bearer "
        + caller.token.encode()
        + b"\r\nAccept: application/vnd.atlas.2024-11-13+json\r\nContent-Type: application/json\r\nX-Empty:\r\n"
        + more
        + b"\r\n"
    )


def answers(caller: Caller, pieces: list[bytes], wanted: int) -> list[bytes]:
    """Send pieces one after the other; return the status lines of as many answers."""
    host, port = caller.server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        received = b""
        while received.count(b"HTTP/1.1 ") < wanted or not received.endswith(b"}"):
            part = connection.recv(65_536)
            assert part, received
            received += part
    return [line for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")] + [
        b"HTTP/1.1 " + rest.split(b"\r\n")[0] for rest in received.split(b"}HTTP/1.1 ")[1:]
    ]


@pytest.mark.parametrize("size", [1, 7, 200, 100_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_the_offer_of_another_protocol_is_passed_over(caller: Caller, size: int, chunked: bool) -> None:
    body = json.dumps(caller.body("flex-create")).encode()
    if chunked:
        sent = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        request = head(caller, "flex-create", OFFER + b"Transfer-Encoding: chunked\r\n") + sent
    else:
        request = head(caller, "flex-create", OFFER + b"Content-Length: %d\r\n" % len(body)) + body
    whole = request + head(caller, "flex-list", OFFER) + head(caller, "flex-list", b"")
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    assert answers(caller, pieces, 3) == [b"HTTP/1.1 200 OK"] * 3


def test_a_tunnel_is_refused(caller: Caller) -> None:
    (status,) = answers(caller, [b"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n"], 1)
    assert status.split()[1] in (b"400", b"401", b"404", b"405")
