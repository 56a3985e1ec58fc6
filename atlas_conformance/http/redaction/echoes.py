"""Finding secrets that an endpoint repeats in whatever form: plain, in other case, escaped, encoded, or in pieces.

A text is searched without its escapes, case and signs (`skeleton`). What is found in one place is masked there; what
is spread over several cannot be, and then all of the text is to be left out.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache

import ahocorasick_rs

from atlas_conformance.http.redaction.skeleton import Mapped, bones, stages, views
from atlas_conformance.http.secret import MASK

LEAST_LENGTH = 6
"""Shorter values would mask half the text."""
_LONG = 12
"""Bones of at least this number are no coincidence, whatever stands between them."""
_GRAM = 6
_PIECES = 16
"""Bones of at least this number are recognised by their pieces."""
_COVERED = 0.75
"""The share of a secret's letters that shows, in pieces, from which on the secret shows."""
_TOGETHER = 4
"""How many values the shortest block of values has, but for those that came last."""
_MASK = MASK.encode()
_STRETCH = 1024 * 1024
"""Bytes that are searched at once: they may hold a form so often that a list of all places would fill memory."""
_PORTION = 128 * 1024
"""A longer string is not looked through letter by letter."""
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\Z)|[^"]+|"', re.DOTALL)


@lru_cache(maxsize=16)
def forms_of(values: tuple[str, ...]) -> Forms:
    """Return the forms of these values, kept for the next time, and made so that many texts are searched quickly."""
    return Forms(values, lasting=True)


class _Finder:
    """Finds the pieces of some bones in a text."""

    def __init__(self, whole: Iterable[bytes]) -> None:
        found = {bone[at : at + _GRAM] for bone in whole for at in range(len(bone) - _GRAM + 1)}
        self._grams = tuple(found)
        self._automaton = ahocorasick_rs.BytesAhoCorasick(self._grams)

    def finds(self, part: bytes) -> bool:
        """Tell whether any piece stands in this part of a text."""
        return bool(self._automaton.find_matches_as_indexes(part))

    def pieces(self, part: bytes) -> Iterator[bytes]:
        """Yield every piece that stands in this part of a text."""
        for number, _, _ in self._automaton.find_matches_as_indexes(part, overlapping=True):
            yield self._grams[number]


@lru_cache(maxsize=64)
def _finder_of(values: tuple[str, ...]) -> _Finder:
    return _Finder(bone for value in values for bone in _bare_forms_of(value))


@lru_cache(maxsize=256)
def _bare_forms_of(value: str) -> tuple[bytes, ...]:
    return tuple(bare_forms(value, rare=True))


def _finders_of(values: tuple[str, ...]) -> tuple[_Finder, ...]:
    """Return what finds the pieces of these values.

    An endpoint may hand out a value with each answer, which comes last, and a finder of many values takes long to make.
    So the values are cut into blocks, each half as long as the one before at most: most of them stay as they were.
    """
    parts, at = [], 0
    size = _TOGETHER << max(0, (len(values) // _TOGETHER).bit_length() - 1)
    while size >= _TOGETHER:
        if len(values) - at >= size:
            parts.append(values[at : at + size])
            at += size
        size //= 2
    parts.append(values[at:])
    return tuple(_finder_of(part) for part in parts if any(_bare_forms_of(value) for value in part))


class Forms:
    """Every way in which some values may be written.

    `lasting` ones take a while to make; they tell quickly of a text that it holds none, and find values in pieces.
    `rare` encodings, such as base32, are looked for by lasting ones, and by others if asked for.
    """

    def __init__(self, values: Iterable[str], *, lasting: bool = False, rare: bool = False) -> None:
        values = tuple(values)
        kept = sorted({value for value in values if len(value) >= LEAST_LENGTH}, key=len, reverse=True)
        self._kept = kept
        rare = rare or lasting
        forms = (_bare_forms_of(value) if lasting else bare_forms(value, rare=rare) for value in kept)
        self._bones = tuple(dict.fromkeys(form for of_value in forms for form in of_value))
        # Of a value of hardly any ASCII letters nothing is left: it is looked for as it is, and letter by letter.
        self._odd_pattern = odd_pattern(kept)
        self._finders: tuple[_Finder, ...] = ()
        if lasting:
            self._finders = _finders_of(tuple(value for value in values if len(value) >= LEAST_LENGTH))

    @cached_property
    def _bytes(self) -> tuple[bytes, ...]:
        plain = dict.fromkeys(form for value in self._kept for form in encoded(value))
        return tuple(text.encode("utf-8", "surrogatepass") for text in plain)

    def may_be_in(self, text: str) -> bool:
        """Tell whether text could hold a value: what holds none is most often distinguished at once."""
        return self._may_be_in(text.encode("utf-8", "surrogatepass"))

    def may_be_in_any(self, *texts: bytes) -> bool:
        """Tell whether texts could hold a value, each alone or together."""
        return self._may_be_in(b"\n".join(texts))

    def _may_be_in(self, text: bytes) -> bool:
        if not self._kept:
            return False
        if self._odd_pattern is not None:
            return True
        if not self._finders:
            return any(self._holds(view) for view in views(text))
        parts = (part for view in views(text) for part in _stretches(view))
        return any(finder.finds(part) for part in parts for finder in self._finders)

    def _holds(self, view: bytes) -> bool:
        return any(form in view for form in self._shown_in(view))

    def _shown_in(self, view: bytes) -> Iterable[bytes]:
        """Return the bones of which a view may hold the whole: those whose beginning it holds."""
        if not self._finders:
            return self._bones
        pieces = self._pieces(view)
        return [bone for bone in self._bones if bone[:_GRAM] in pieces] if pieces else ()

    def _pieces(self, view: bytes) -> set[bytes]:
        return {piece for part in _stretches(view) for finder in self._finders for piece in finder.pieces(part)}

    def masked(self, text: str) -> str:
        """Return text with every form of every value masked; the same object where there has none.

        Where a value shows in pieces, all of the text is masked.
        """
        raw = text.encode("utf-8", "surrogatepass")
        if not self._may_be_in(raw):
            return text
        shown = self.masked_bytes(raw)
        if self.remains_in(shown):
            return MASK
        return text if shown is raw else shown.decode("utf-8", "surrogatepass")

    def masked_bytes(self, body: bytes, mask: bytes = _MASK) -> bytes:
        """Return a body with `mask` for every form of every value that stands in one place; the same object where there
        has none.
        """
        if not self._may_be_in(body):
            return body
        for form in self._bytes:
            if form in body:
                body = body.replace(form, mask)
        if self._odd_pattern is not None:
            text = body.decode("utf-8", "surrogateescape")
            found, count = self._odd_pattern.subn(mask.decode(), text)
            body = found.encode("utf-8", "surrogateescape") if count else body
        if any(self._holds(view) for view in views(body)):
            # One string of a JSON text after the other: what is masked must not take a quote with it.
            is_json = body.lstrip()[:1] in (b"{", b"[")
            portions = _STRINGS.findall(body) if is_json else [body]
            shown = [p if is_json and p[:1] != b'"' else self._masked_portion(p, mask) for p in portions]
            body = b"".join(shown) if shown != portions else body
        return body

    def _masked_portion(self, portion: bytes, mask: bytes) -> bytes:
        if len(portion) < LEAST_LENGTH or len(portion) > _PORTION:
            return portion
        for depth, stage in enumerate(stages(portion)):
            if self._holds(bones(stage)):
                portion = self._masked_at(portion, depth, mask.decode())
        return portion

    def _masked_at(self, portion: bytes, depth: int, mask: str) -> bytes:
        text = portion.decode("latin-1")
        mapped = Mapped(text, depth)
        spans = [
            span
            for bone in self._bones
            for at in _places(mapped.found, bone.decode())
            if self._is_meant(text, bone, span := mapped.span(at, at + len(bone)), depth)
        ]
        parts: list[str] = []
        at = 0
        for start, end in sorted(spans):
            if start >= at:
                parts += (text[at:start], mask)
            at = max(at, end)
        parts.append(text[at:])
        return "".join(parts).encode("latin-1") if spans else portion

    def _is_meant(self, text: str, bone: bytes, span: tuple[int, int], depth: int) -> bool:
        """Whether what was found is the value: a short one must not have more signs in it than the value itself."""
        if len(bone) >= _LONG or depth:
            return True
        return span[1] - span[0] <= len(bone) + max(len(form) - len(bones(form)) for form in self._bytes)

    def remains_in(self, body: bytes) -> bool:
        """Tell whether a body still shows a value, spread over several places, after masking."""
        if not self._bones or not self._may_be_in(body):
            return False
        shown = list(views(body))
        if any(form in view for view in shown for form in self._shown_in(view) if len(form) >= _LONG):
            return True
        pieces = {piece for view in shown for piece in self._pieces(view)}
        several = (bone for bone in self._bones if len(bone) >= _PIECES and any(piece in bone for piece in pieces))
        return any(_covered(bone, pieces) >= _COVERED for bone in several)


def odd_pattern(values: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds, letter by letter, those of the values of which hardly any bones are left; None if all have
    enough.
    """
    odd = [value for value in values if len(bones(value.encode("utf-8", "ignore"))) < LEAST_LENGTH]
    return re.compile("|".join(map(_escaped, odd))) if odd else None


def _covered(bone: bytes, grams: set[bytes]) -> float:
    """Return the share of the bones that some of these pieces make up."""
    shown = bytearray(len(bone))
    for at in range(len(bone) - _GRAM + 1):
        if bone[at : at + _GRAM] in grams:
            shown[at : at + _GRAM] = b"\1" * _GRAM
    return sum(shown) / len(bone)


def _stretches(view: bytes) -> Iterator[bytes]:
    if len(view) <= _STRETCH:
        yield view
        return
    for start in range(0, len(view), _STRETCH):
        yield view[start : start + _STRETCH + _GRAM - 1]


def _places(text: str, form: str) -> Iterator[int]:
    at = text.find(form)
    while at >= 0:
        yield at
        at = text.find(form, at + len(form))


def bare_forms(value: str, *, rare: bool) -> Iterator[bytes]:
    """Yield the bones of a value and of its encodings, as far as they are the same whatever stands around them; the
    rare ones only if asked for.
    """
    raw = value.encode("utf-8", "surrogatepass")
    forms = [value, raw.hex(), value[::-1], *_base64(raw)]
    if rare:
        forms += ["".join(map(str, raw)), *_base32(raw)]
        forms += [other.encode("utf-8", "surrogatepass").hex() for other in (value.upper(), value.lower())]
    for form in dict.fromkeys(forms):
        bare = bones(form.encode("utf-8", "surrogatepass"))
        if len(bare) >= LEAST_LENGTH:
            yield bare


def _base64(raw: bytes) -> Iterator[str]:
    for before in range(3):
        code = base64.b64encode(bytes(before) + raw).decode().rstrip("=")
        yield code[(0, 2, 3)[before] : len(code) - ((before + len(raw)) % 3 != 0)]


def _base32(raw: bytes) -> Iterator[str]:
    for before in range(5):
        code = base64.b32encode(bytes(before) + raw).decode().rstrip("=")
        yield code[-(-8 * before // 5) : len(code) - ((before + len(raw)) % 5 != 0)]


def encoded(value: str) -> Iterator[str]:
    """Yield a value as it is, in hex, and what of its base64 form is the same whatever stands around it."""
    yield value
    escaped = json.dumps(value)[1:-1]
    yield escaped
    yield escaped.replace("/", "\\/")
    raw = value.encode("utf-8", "surrogatepass")
    yield raw.hex()
    yield raw.hex().upper()
    for inner in _base64(raw):
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
