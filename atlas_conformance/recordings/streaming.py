"""JSON text read piece by piece: values of a document far larger than memory, one at a time.

A value that is too large or nested too deeply is passed over: it costs neither memory nor the values after it. A parser
of events, such as ijson's, holds a string of any length before it reports it, and reads a lone surrogate as "?".
"""

from __future__ import annotations

import codecs
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol

LARGEST_VALUE = 64 * 1024 * 1024
"""No value takes up more memory than this while it is read; one that would is passed over."""
PASSED_OVER = 256 * 1024 * 1024
"""Of a value that is passed over no more than this is read on; then the text counts as cut off."""

_PIECE = 1 << 18
_LONGEST_PIECE = 1 << 22
_MARGIN = 16  # an error this near the end of what was read may be a token that is cut in two
_UNFINISHED = 3  # the longest part of a number that is no number by itself: the "e+" of 1e+5
_LARGE = 4 * 1024 * 1024
_MOST_PARTS = 1_000_000  # of a large value; each takes up far more memory than its text
_BLANK = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_INSIDE = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_BRACKET = re.compile(r"[{}\[\]]")


class ByteSource(Protocol):
    """What is read: bytes, at most `size` at a time, none at the end."""

    def read1(self, size: int, /) -> bytes:
        """Return the next bytes."""
        ...


class NotJsonText(Exception):
    """The text is no JSON; the message is a short clause that says where."""


class CutOff(Exception):
    """The text ends in the middle of a value."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a value that was passed over; `reason` completes a sentence that begins with what it is."""

    reason: str


def any_integer(digits: str) -> int | float:
    """Read an integer; one of thousands of digits, which Python declines to read, becomes an infinity."""
    try:
        return int(digits)
    except ValueError:
        return -inf if digits.startswith("-") else inf


class JsonStream:
    """A cursor over a JSON text in a binary stream; memory holds one piece, or one value where that is longer.

    Every method raises CutOff where the text ends too early and NotJsonText where it is no JSON.
    """

    def __init__(self, file: ByteSource, piece: int = _PIECE, largest: int = LARGEST_VALUE) -> None:
        """Start at the beginning of `file`; `piece` is how many bytes are read at a time, `largest` how much memory one
        value may take up.
        """
        self._file = file
        self._piece = piece
        self._largest = largest
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._scan = json.JSONDecoder(strict=False).raw_decode
        self._scan_any_integer = json.JSONDecoder(strict=False, parse_int=any_integer).raw_decode
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
        """Read the next value as a whole and pass it; return an Unreadable where it is too large or too deep."""
        if not self.peek():
            raise CutOff
        while True:
            try:
                try:
                    value, end = self._scan(self._text, self._at)
                except json.JSONDecodeError:
                    raise
                except ValueError:  # an integer of thousands of digits
                    value, end = self._scan_any_integer(self._text, self._at)
            except json.JSONDecodeError as error:
                near = error.pos >= len(self._text) - _MARGIN or error.msg.startswith("Unterminated string")
                if not near:
                    raise NotJsonText(f"{error.msg.lower()} at character {self._passed + error.pos + 1}") from None
                if sys.getsizeof(self._text) > self._largest:
                    return self._passed_over(f"is larger than {self._largest // 2**20} MB")
                if not self._read():
                    raise CutOff from None
                if len(self._text) > _LARGE and self._has_too_many_parts():
                    return self._passed_over("has too many parts to be read")
                continue
            except RecursionError:
                return self._passed_over("is nested too deeply")
            if not isinstance(value, dict) and _is_number(value) and len(self._text) - end < _UNFINISHED:
                length = end - self._at
                if self._read():
                    continue  # the number may go on in the next piece
                end = self._at + length
                if not self._text[end:].strip(".eE+-"):
                    raise CutOff
            self._at = end
            return value

    def skip(self) -> None:
        """Pass the next value without reading it, in memory that does not grow with it."""
        opening = self.peek()
        if not opening:
            raise CutOff
        if opening not in '{["':
            self.value()
            return
        left = PASSED_OVER
        depth, quoted = 0, False
        while True:
            end, depth, quoted = self._passing(depth, quoted)
            left -= end - self._at
            self._at = end
            if not depth and not quoted:
                return
            if left < 0 or not self._read():
                raise CutOff

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

    def _has_too_many_parts(self) -> bool:
        """Tell whether what was read holds too many brackets and commas, at first whatever they stand in."""
        if sum(map(self._text.count, "[{,")) <= _MOST_PARTS:
            return False
        bare = _STRING.sub("", self._text)
        return sum(map(bare.count, "[{,")) > _MOST_PARTS

    def _passed_over(self, reason: str) -> Unreadable:
        self.skip()
        return Unreadable(reason)

    def _passing(self, depth: int, quoted: bool) -> tuple[int, int, bool]:
        """Go on in a value that is passed over, as far as was read; return where that is, how deep, and whether in a
        string. A backslash that was read last waits for what follows.
        """
        text, at = self._text, self._at
        whole = len(text)
        while True:
            if quoted:
                at = _end_of_string(text, at)
                if at < 0:
                    return whole - _odd_backslash(text, self._at), depth, True
                quoted = False
                if not depth:
                    return at, 0, False
            opening = text.find('"', at)
            stop = whole if opening < 0 else opening
            part = text[at:stop].replace("[]", "").replace("{}", "")
            closes = part.count("}") + part.count("]")
            if depth > closes:
                depth += part.count("{") + part.count("[") - closes
            else:
                for match in _BRACKET.finditer(text, at, stop):
                    depth += 1 if match[0] in "{[" else -1
                    if not depth:
                        return match.end(), 0, False
            if opening < 0:
                return whole, depth, False
            at, quoted = opening + 1, True

    def _read(self) -> bool:
        """Read a piece, a longer one while a value goes on; return whether there was anything more."""
        if self._ended:
            return False
        kept = self._text[self._at :]
        size = max(self._piece, min(len(kept), _LONGEST_PIECE))  # a long value is not scanned once for each piece
        self._passed += self._at
        self._text, self._at = kept, 0
        data = self._bytes(size)
        self._ended = not data
        try:
            more = self._decoder.decode(data, final=False)
        except UnicodeDecodeError:
            raise NotJsonText(f"not UTF-8 after character {self._passed + len(kept)}") from None
        if self._first and more:
            more, self._first = more.removeprefix("\ufeff"), False
        self._text = kept + more
        return bool(more) or not self._ended

    def _bytes(self, size: int) -> bytes:
        """Return the next bytes: `size` of them if there are enough, as decompressors give few at a time."""
        parts: list[bytes] = []
        while size > 0:
            try:
                part = self._file.read1(size)
            except EOFError:
                break  # a compressed stream that was cut off
            if not part:
                break
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _end_of_string(text: str, at: int) -> int:
    """Return the place after the quote that ends the string which `at` is in, or -1 where it goes on beyond `text`."""
    inside = _INSIDE.match(text, at)
    assert inside is not None
    return inside.end() + 1 if text.startswith('"', inside.end()) else -1


def _odd_backslash(text: str, at: int) -> int:
    """Return 1 where `text` ends, from `at` on, in a backslash that escapes what comes next, else 0."""
    end = len(text)
    count = 0
    while end - count > at and text[end - count - 1] == "\\":
        count += 1
    return count % 2
