"""JSON text read piece by piece: values of a document far larger than memory, one at a time."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from io import BufferedIOBase
from typing import Any

_PIECE = 1 << 18
_MARGIN = 16  # an error this near the end of what was read may be a token that is cut in two
_UNFINISHED = 3  # the longest part of a number that is none by itself: the "e+" of 1e+5
_BLANK = re.compile(r"[ \t\n\r]*")


class NotJsonText(Exception):
    """The text is no JSON; the message is a short clause that says where."""


class CutOff(Exception):
    """The text ends in the middle of a value."""


class JsonStream:
    """A cursor over a JSON text in a binary stream; memory holds one piece, or one value where that is longer.

    Every method raises CutOff where the text ends too early and NotJsonText where it is no JSON.
    """

    def __init__(self, file: BufferedIOBase, piece: int = _PIECE) -> None:
        """Start at the beginning of `file`; `piece` is how many bytes are read at a time."""
        self._file = file
        self._piece = piece
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._scan = json.JSONDecoder(strict=False).raw_decode
        self._text = ""
        self._at = 0
        self._passed = 0
        self._ended = False
        self._first = True

    @property
    def position(self) -> int:
        """The number of characters before the cursor."""
        return self._passed + self._at

    def peek(self) -> str:
        """Return the next character that is no blank, without passing it; empty at the end of the text."""
        while True:
            match = _BLANK.match(self._text, self._at)
            assert match is not None
            self._at = match.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read():
                return ""

    def take(self, wanted: str) -> None:
        """Pass the next character, which must be `wanted`."""
        found = self.peek()
        if not found:
            raise CutOff
        if found != wanted:
            raise NotJsonText(f"{wanted!r} is wanted at character {self.position + 1}, and {found!r} stands there")
        self._at += 1

    def value(self) -> Any:
        """Read the next value as a whole and pass it."""
        if not self.peek():
            raise CutOff
        while True:
            try:
                value, end = self._scan(self._text, self._at)
            except json.JSONDecodeError as error:
                near = error.pos >= len(self._text) - _MARGIN or error.msg.startswith("Unterminated string")
                if not near:
                    raise NotJsonText(f"{error.msg.lower()} at character {self._passed + error.pos + 1}") from None
                if not self._read():
                    raise CutOff from None
                continue
            except RecursionError:
                raise NotJsonText(f"a value at character {self.position + 1} is nested too deeply") from None
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if number and len(self._text) - end < _UNFINISHED:
                length = end - self._at
                if self._read():
                    continue  # the number may go on in the next piece
                end = self._at + length
                if not self._text[end:].strip(".eE+-"):
                    raise CutOff
            self._at = end
            return value

    def members(self) -> Iterator[str]:
        """Yield the name of each member of the object that comes next; the caller passes each value."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        while True:
            if self.peek() not in ('"', ""):
                raise NotJsonText(f"a member's name is wanted at character {self.position + 1}")
            name = self.value()
            self.take(":")
            yield name
            if self.peek() == "}":
                self.take("}")
                return
            self.take(",")

    def items(self) -> Iterator[Any]:
        """Yield each item of the array that comes next."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            yield self.value()
            if self.peek() == "]":
                self.take("]")
                return
            self.take(",")

    def _read(self) -> bool:
        """Read a piece, a longer one while a value goes on; return whether there was anything more."""
        if self._ended:
            return False
        kept = self._text[self._at :]
        size = max(self._piece, len(kept))  # so that a long value is scanned a few times, not once for each piece
        try:
            data = self._file.read1(size)
        except EOFError:
            data = b""  # a compressed stream that was cut off
        self._ended = not data
        try:
            more = self._decoder.decode(data, final=False)
        except UnicodeDecodeError:
            raise NotJsonText(f"not UTF-8 after character {self._passed + len(self._text)}") from None
        if self._first and more:
            more, self._first = more.removeprefix("\ufeff"), False
        self._passed += self._at
        self._text, self._at = kept + more, 0
        return bool(more) or not self._ended
