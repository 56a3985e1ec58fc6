"""Telling from an answer that a remote service stands behind it, for every thread and process of a run at once."""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Iterable

_NAMES = {b"via": "via", b"x-java-method": "x-java-method"}
_LENGTHS = frozenset(map(len, (*_NAMES, b"server")))
_SERVER = re.compile(rb"(?i)(?<![a-z0-9])mdbws(?![a-z0-9])")
_MOST = 200
"""Bytes that a reason may have."""


def fronted_by(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the header by which an answer gives away the real service or a proxy behind it, or None.

    Case, hyphen or underscore in its name do not matter, nor what stands beside `mdbws` in `Server`.
    """
    for name, value in headers:
        if len(name) not in _LENGTHS:
            continue
        lower = name.lower().replace(b"_", b"-")
        if lower in _NAMES:
            return _NAMES[lower]
        if lower == b"server" and _SERVER.search(value):
            return "Server: mdbws"
    return None


class Turn:
    """Whether an endpoint that seemed to be this machine's turned out to be remote, and why; it never turns back.

    Processes that are forked after it was made share it with their parent.
    """

    __slots__ = ("_memory", "told")

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _MOST + 1)
        self.told: Callable[[str], object] | None = None
        """Called once, with the reason, in the thread of this process that found out."""

    def __bool__(self) -> bool:
        return self._memory[0] != 0

    @property
    def because(self) -> str:
        """Why, as the end of a sentence; empty where it has not turned."""
        return self._memory[1 : 1 + self._memory[0]].decode("utf-8", "replace")

    def note(self, because: str) -> None:
        """Turn for this reason, which is not empty; the first reason stays."""
        if self:
            return
        text = because.encode()[:_MOST]
        self._memory[1 : 1 + len(text)] = text
        self._memory[0] = len(text)
        if self.told is not None:
            self.told(because)
