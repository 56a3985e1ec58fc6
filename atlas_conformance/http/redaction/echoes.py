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
from itertools import pairwise

import ahocorasick_rs

from atlas_conformance.http.redaction.skeleton import Mapped, bones, stages, views
from atlas_conformance.http.secret import MASK

LEAST_LENGTH = 6
"""Shorter values would mask half the text."""
_LONG = 12
"""Bones of at least this number are no coincidence, whatever stands between them."""
_GRAM = 6
_PIECE = b"\1" * _GRAM
_PIECES = 16
"""Bones of at least this number are recognised by their pieces."""
_COVERED = 0.75
"""The share of a secret's letters that shows, in pieces, from which on the secret shows."""
BLOCK = 8
"""Values that are found by one finder; who forgets the oldest of many values forgets as many at once."""
_TOGETHER = 4
"""Of the last values, which are fewer than a block, this number has one finder."""
_MANY_USES = 100
"""From so many searches on, one finder of all values is worth the time that it takes to make."""
_MASK = MASK.encode()
_STRETCH = 1024 * 1024
"""Bytes that are searched at once: they may hold a form so often that a list of all places would fill memory."""
_PORTION = 128 * 1024
"""A longer string is not looked through letter by letter."""
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\Z)|[^"]+|"', re.DOTALL)


@lru_cache(maxsize=16)
def forms_of(values: tuple[str, ...], passing: tuple[str, ...] = ()) -> Forms:
    """Return the forms of these values, kept for the next time, and made so that many texts are searched quickly.

    Rare encodings of `passing` ones, which change with each request, are not looked for.
    """
    return Forms(values, lasting=True, passing=passing)


class _Finder:
    """Finds some bones in a text, whole or in pieces."""

    def __init__(self, whole: Iterable[bytes]) -> None:
        bones = tuple(whole)
        self._lines = b"".join(bone + b"\n" for bone in bones)
        self._grams = tuple({gram for bone in bones for gram in _grams(bone)})
        self._automaton = ahocorasick_rs.BytesAhoCorasick(self._grams)

    def finds(self, part: bytes) -> bool:
        """Tell whether any piece stands in this part of a text."""
        return bool(self._automaton.find_matches_as_indexes(part))

    def pieces(self, parts: Iterable[bytes]) -> set[bytes]:
        """Return every piece that stands in the parts of a text."""
        matches = (self._automaton.find_matches_as_indexes(part, overlapping=True) for part in parts)
        return {self._grams[number] for found in matches for number, _, _ in found}

    def shows(self, parts: Iterable[bytes]) -> bool:
        """Tell whether the parts of a text hold so many pieces that they may show any of the bones."""
        pieces = self.pieces(parts)
        looked: set[bytes] = set()
        for piece in pieces:
            for bone in self._holding(piece):
                if bone not in looked and _is_shown(bone, pieces):
                    return True
                looked.add(bone)
        return False

    def _holding(self, piece: bytes) -> Iterator[bytes]:
        at = self._lines.find(piece)
        while at >= 0:
            end = self._lines.index(b"\n", at)
            yield self._lines[self._lines.rfind(b"\n", 0, at) + 1 : end]
            at = self._lines.find(piece, end)


@lru_cache(maxsize=64)
def _finder_of(values: tuple[str, ...], *, rare: bool) -> _Finder:
    return _Finder(bone for value in values for bone in _bare_forms_of(value, rare=rare))


@lru_cache(maxsize=256)
def _bare_forms_of(value: str, *, rare: bool) -> tuple[bytes, ...]:
    return tuple(bare_forms(value, rare=rare))


def _finders_of(values: tuple[str, ...], *, rare: bool) -> tuple[_Finder, ...]:
    """Return what finds these values.

    An endpoint may hand out a value with each answer, which comes last, and a finder of many values takes long to make.
    So each block of values has its finder, which is there already for most of them, and the last few values have one
    each.
    """
    ends = [0, *range(BLOCK, len(values) + 1, BLOCK)]
    ends += range(ends[-1] + _TOGETHER, len(values) + 1, _TOGETHER)
    ends += range(ends[-1] + 1, len(values) + 1)
    parts = [values[start:end] for start, end in pairwise(ends)]
    return tuple(_finder_of(part, rare=rare) for part in parts if any(_bare_forms_of(v, rare=rare) for v in part))


class Forms:
    """Every way in which some values may be written.

    `lasting` ones take a while to make; they tell quickly of a text that it holds none, and find values in pieces.
    `rare` encodings, such as base32, are looked for by lasting ones, and by others if asked for, and never of values
    that are `passing`.
    """

    def __init__(
        self, values: Iterable[str], *, lasting: bool = False, rare: bool = False, passing: Iterable[str] = ()
    ) -> None:
        rare = rare or lasting
        sorts = [(_long_enough(values), rare), (_long_enough(passing), False)]
        self._kept = kept = sorted({value for sort, _ in sorts for value in sort}, key=len, reverse=True)
        made = _bare_forms_of if lasting else bare_forms
        forms = (made(value, rare=rare) for sort, rare in sorts for value in sort)
        self._bones = tuple(dict.fromkeys(form for of_value in forms for form in of_value))
        # Of a value of hardly any ASCII letters nothing is left: it is looked for as it is, and letter by letter.
        self._odd_pattern = odd_pattern(kept)
        self._finders: tuple[_Finder, ...] = ()
        if lasting:
            self._finders = tuple(finder for sort, rare in sorts for finder in _finders_of(sort, rare=rare))
        self._uses = 0

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
        self._uses += 1
        if self._uses == _MANY_USES and len(self._finders) > 1:
            self._finders = (_Finder(self._bones),)
        parts = list(_stretches(b"\n".join(views(text))))
        # Most texts hold no piece at all, and hardly any holds as many as a value has.
        return any(finder.shows(parts) for part in parts for finder in self._finders if finder.finds(part))

    def _holds(self, view: bytes) -> bool:
        return any(form in view for form in self._shown_in(view))

    def _shown_in(self, view: bytes) -> Iterable[bytes]:
        """Return the bones of which a view may hold the whole: those whose beginning it holds."""
        if not self._finders:
            return self._bones
        pieces = self._pieces(view)
        return [bone for bone in self._bones if bone[:_GRAM] in pieces] if pieces else ()

    def _pieces(self, view: bytes) -> set[bytes]:
        parts = list(_stretches(view))
        return set().union(*(finder.pieces(parts) for finder in self._finders))

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
        return any(len(bone) >= _PIECES and _is_shown(bone, pieces) for bone in self._bones)


def _long_enough(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(value for value in values if len(value) >= LEAST_LENGTH)


def odd_pattern(values: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds, letter by letter, those of the values of which hardly any bones are left; None if all have
    enough.
    """
    odd = [value for value in values if len(bones(value.encode("utf-8", "ignore"))) < LEAST_LENGTH]
    return re.compile("|".join(map(_escaped, odd))) if odd else None


def _grams(bone: bytes) -> Iterator[bytes]:
    """Yield the pieces of some bones, one from each of them on."""
    return (bone[at : at + _GRAM] for at in range(len(bone) - _GRAM + 1))


def _is_shown(bone: bytes, pieces: Iterable[bytes]) -> bool:
    """Tell whether pieces that a text holds make up these bones: all of short ones, most of long ones."""
    shown = bytearray(len(bone))
    for piece in pieces:
        at = bone.find(piece)
        while at >= 0:
            shown[at : at + _GRAM] = _PIECE
            at = bone.find(piece, at + 1)
    return sum(shown) >= len(bone) * (1 if len(bone) < _PIECES else _COVERED)


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
