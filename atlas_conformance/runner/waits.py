"""What a run waits for at this moment, known to all its processes, so that the progress line can say it."""

from __future__ import annotations

import mmap
import struct
import time
from collections.abc import Callable

_UNTIL = struct.Struct("<d")
_SAID = _UNTIL.size
_TEXT = 16
_SIZE = 256
_SHORTEST = 1.0
"""A wait of fewer seconds is not worth a word."""


class Waits:
    """The latest wait of a run, in memory that processes forked later share; and remarks, each made by one of them.

    `remark` is handed each sentence on the endpoint that is said at once and once.
    """

    def __init__(self, remark: Callable[[str], object] = lambda sentence: None) -> None:
        self.remark = remark
        self._shared = mmap.mmap(-1, _SIZE)

    def tell(self, until: float, what: str) -> None:
        """Note that requests wait until a moment (monotonic seconds), and for what; for nothing ends the wait."""
        if what and until - time.monotonic() < _SHORTEST:
            return
        text = what.encode("utf-8", "replace")[: _SIZE - _TEXT]
        self._shared[_TEXT:_SIZE] = text.ljust(_SIZE - _TEXT, b"\0")
        _UNTIL.pack_into(self._shared, 0, until)

    def say(self, sentence: str) -> None:
        """Make a remark on the endpoint, unless one was made already."""
        if not self._shared[_SAID]:
            self._shared[_SAID] = 1
            self.remark(sentence)

    def now(self) -> str | None:
        """Return for how long is waited still, and for what, or None."""
        left = _UNTIL.unpack_from(self._shared, 0)[0] - time.monotonic()
        if left <= 0:
            return None
        what = self._shared[_TEXT:_SIZE].rstrip(b"\0").decode("utf-8", "ignore")
        return f"waiting {left:.0f} s {what}"
