"""Finding secrets that an endpoint repeats: as they are, escaped as JSON, URLs and HTML do it, in base64 or in hex."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from functools import cached_property, lru_cache

import ahocorasick_rs

from atlas_conformance.http.secret import MASK

LEAST_LENGTH = 6
"""Shorter values would mask half the text."""
_ESCAPES = ("\\u", "%", "&#")
_MASK = MASK.encode()
_STRETCH = 1024 * 1024
"""Bytes that are searched at once: they may hold a form so often that a list of all places would fill memory."""


@lru_cache(maxsize=16)
def forms_of(values: tuple[str, ...]) -> Forms:
    """Return the forms of these values, kept for the next time, and made so that many texts are searched quickly."""
    return Forms(values, lasting=True)


class Forms:
    """Every way in which some values may be written.

    `lasting` ones take a while to make, and tell quickly of a text that it holds none.
    """

    def __init__(self, values: tuple[str, ...], *, lasting: bool = False) -> None:
        kept = sorted({value for value in values if len(value) >= LEAST_LENGTH}, key=len, reverse=True)
        plain = dict.fromkeys(form for value in kept for form in encoded(value))
        self._texts = tuple(plain)
        self._bytes = tuple(text.encode("utf-8", "surrogatepass") for text in plain)
        self._values = kept
        self._escapes = (*_ESCAPES, "+") if any(" " in value for value in kept) else _ESCAPES
        self._byte_escapes = tuple(escape.encode() for escape in self._escapes)
        self._finder = ahocorasick_rs.BytesAhoCorasick(self._bytes) if lasting and self._values else None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(_escaped, self._values)))

    @cached_property
    def _byte_pattern(self) -> re.Pattern[bytes]:
        return re.compile(self._pattern.pattern.encode("utf-8", "surrogatepass"))

    def may_be_in(self, text: str) -> bool:
        """Tell whether text could hold a value: what holds none is most often told apart at once."""
        if any(escape in text for escape in self._escapes):
            return True
        if self._finder is None:
            return any(form in text for form in self._texts)
        return self._found(self._finder, text.encode("utf-8", "surrogatepass"))

    def _found(self, finder: ahocorasick_rs.BytesAhoCorasick, body: bytes) -> bool:
        if len(body) <= _STRETCH:
            return bool(finder.find_matches_as_indexes(body))
        more = max(map(len, self._bytes)) - 1
        starts = range(0, len(body), _STRETCH)
        return any(finder.find_matches_as_indexes(body[start : start + _STRETCH + more]) for start in starts)

    def masked(self, text: str) -> str:
        """Return text with every form of every value masked; the same object where there is none."""
        for form in self._texts:
            if form in text:
                text = text.replace(form, MASK)
        if self._values and any(escape in text for escape in self._escapes):
            text = self._pattern.sub(MASK, text)
        return text

    def masked_bytes(self, body: bytes) -> bytes:
        """Return a body with every form of every value masked; the same object where there is none."""
        if self._finder is None or self._found(self._finder, body):
            for form in self._bytes:
                if form in body:
                    body = body.replace(form, _MASK)
        if self._values and any(escape in body for escape in self._byte_escapes):
            found, count = self._byte_pattern.subn(_MASK, body)
            body = found if count else body
        return body


def encoded(value: str) -> Iterator[str]:
    """Yield a value as it is, in hex, and what of its base64 form is the same whatever stands around it."""
    yield value
    escaped = json.dumps(value)[1:-1]
    yield escaped
    yield escaped.replace("/", "\\/")
    raw = value.encode("utf-8", "surrogatepass")
    yield raw.hex()
    yield raw.hex().upper()
    for before in range(3):
        code = base64.b64encode(bytes(before) + raw).decode().rstrip("=")
        inner = code[(0, 2, 3)[before] : len(code) - ((before + len(raw)) % 3 != 0)]
        if len(inner) >= LEAST_LENGTH:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")


def _escaped(value: str) -> str:
    """Return a pattern of the value, each letter of which may be escaped for itself, in any of the usual ways."""
    return "".join(f"(?:{'|'.join(_ways(letter))})" for letter in value)


def _ways(letter: str) -> Iterator[str]:
    yield re.escape(letter)
    if letter in '"\\/':
        yield re.escape("\\" + letter)
    code = ord(letter)
    units = [code] if code < 0x10000 else [0xD800 + (code - 0x10000 >> 10), 0xDC00 + (code - 0x10000 & 0x3FF)]
    yield "".join(rf"\\+u(?i:{unit:04x})" for unit in units)
    yield "".join(f"%(?:25)*(?i:{byte:02x})" for byte in letter.encode("utf-8", "surrogatepass"))
    yield f"&#0*{code};|&#[xX]0*(?i:{code:x});"
    if letter == " ":
        yield r"\+"
