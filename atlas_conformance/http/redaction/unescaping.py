"""Text without the escapes of JSON, URLs and HTML, and where each part of it stood."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

_ESCAPE = re.compile(
    rb"\\+u([dD][89abAB][0-9a-fA-F]{2})\\+u([dD][c-fC-F][0-9a-fA-F]{2})"  # one letter in two units
    rb"|\\+u([0-9a-fA-F]{4})"
    rb"|%(?:25)*([0-9a-fA-F]{2})"
    rb"|&#(?:0*([0-9]{1,7})|[xX]0*([0-9a-fA-F]{1,6}));"
    rb'|\\+(["/])'
)
_LAST_LETTER = 0x10FFFF
Span = tuple[int, int]


class Unescaped:
    """A text whose every escape is undone, however often it was applied: `text`."""

    def __init__(self, raw: bytes) -> None:
        """Undo the escapes of `raw`, UTF-8."""
        parts: list[bytes] = []
        self._places: list[int] = []
        self._escapes: list[tuple[int, int, int, int]] = []
        at = length = 0
        for match in _ESCAPE.finditer(raw):
            letter = _letter(match)
            if letter is None:
                continue
            parts += (raw[at : match.start()], letter)
            length += match.start() - at
            self._places.append(length)
            self._escapes.append((length, length + len(letter), match.start(), match.end()))
            at, length = match.end(), length + len(letter)
        parts.append(raw[at:])
        self.text = b"".join(parts)

    def places(self, spans: Iterable[Span]) -> Iterator[Span]:
        """Yield where parts of `text` stand in the text with escapes; a part of an escape stands for all of it."""
        for start, end in spans:
            yield self._before(start), self._after(end)

    def _before(self, place: int) -> int:
        found = bisect_right(self._places, place) - 1
        if found < 0:
            return place
        _, end, raw_start, raw_end = self._escapes[found]
        return raw_start if place < end else raw_end + place - end

    def _after(self, place: int) -> int:
        found = bisect_right(self._places, place - 1) - 1
        if found < 0:
            return place
        _, end, _, raw_end = self._escapes[found]
        return raw_end if place <= end else raw_end + place - end


def has_escapes(text: bytes) -> bool:
    """Tell whether anything in a text may be an escape."""
    return b"\\" in text or b"%" in text or b"&#" in text


def _letter(match: re.Match[bytes]) -> bytes | None:
    high, low, unit, octet, decimal, hexadecimal, plain = match.groups()
    if plain is not None:
        return bytes(plain)
    if octet is not None:
        return bytes([int(octet, 16)])
    if high is not None:
        code = 0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00
    elif unit is not None:
        code = int(unit, 16)
    else:
        code = int(decimal) if decimal is not None else int(hexadecimal, 16)
    return chr(code).encode("utf-8", "surrogatepass") if code <= _LAST_LETTER else None
