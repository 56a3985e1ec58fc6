"""What an endpoint says beside an answer: in interim (1xx) answers before it, and in trailers after its body.

The HTTP library passes neither on, so both are read from the bytes themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

RawHeaders: TypeAlias = list[tuple[bytes, bytes]]

_MOST = 100 * 1024
"""Longer headers or trailers end the connection in the HTTP library."""
_START = b"HTTP/1."
_INTERIM = re.compile(rb"HTTP/1\.[0-9] 1")
_BLOCK_END = re.compile(rb"\r?\n\r?\n")
_LAST_CHUNK = re.compile(rb"(?:\A|\n)0+[ \t]*(?:;[^\n]*)?\r?\n")


class Asides:
    """Follows the bytes of one answer after the other, and hands on the headers in what stands beside each."""

    __slots__ = ("_begin", "_heard", "_tail")

    def __init__(self, heard: Callable[[RawHeaders], object]) -> None:
        self._heard = heard
        self._begin: bytes | None = b""
        """What was read of the answer so far, while that may still be an interim one."""
        self._tail = b""

    def begin(self) -> None:
        """Expect the answer to a request that is being sent."""
        self._begin, self._tail = b"", b""

    def take(self, data: bytes) -> None:
        """Take bytes that were read; calls `heard` for each interim answer that is complete with them."""
        self._tail = data[-_MOST:] if len(data) >= _MOST or not self._tail else (self._tail + data)[-_MOST:]
        if self._begin is None:
            return
        begin: bytes | None = self._begin + data
        while begin and (_INTERIM.match(begin) or (len(begin) < 10 and _START.startswith(begin[:7]))):
            end = _BLOCK_END.search(begin)
            if end is None:
                break
            self._heard(_headers(begin[: end.start()].partition(b"\n")[2]))
            begin = begin[end.end() :]
        else:
            # Nothing interim stands there, unless nothing at all does.
            begin = None if begin else b""
        self._begin = begin if begin is None or len(begin) <= _MOST else None

    def end(self) -> None:
        """Look at the trailers of an answer in chunks that has been read to its end."""
        ends = [found.end() for found in _LAST_CHUNK.finditer(self._tail)]
        trailers = _headers(self._tail[ends[-1] :]) if ends else []
        if trailers:
            self._heard(trailers)


def _headers(block: bytes) -> RawHeaders:
    """Return the header fields in a block of lines."""
    parts = (line.rstrip(b"\r").partition(b":") for line in block.split(b"\n"))
    return [(name.strip(), value.strip()) for name, colon, value in parts if colon]
