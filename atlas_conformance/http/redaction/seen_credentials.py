"""The credentials that traffic has shown so far, and finding them in what comes before or after.

Memory is bounded: of each sort the latest ones are known. A text that holds none is distinguished at a small cost that
does not grow with their number.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence

import ahocorasick_rs

from atlas_conformance.http.redaction.echoes import LEAST_LENGTH, bare_forms, encoded, odd_pattern
from atlas_conformance.http.redaction.shown import Kind, Shown
from atlas_conformance.http.redaction.skeleton import bones, views
from atlas_conformance.http.redaction.unescaping import Unescaped, has_escapes

_END = 8
"""So many bones at the end of a form tell that a text may hold it."""
_STRETCH = 128 * 1024
"""Bones that are searched at once: a list of all places of a form could fill memory."""
_SHORT = 15
"""Shorter values are known in smaller numbers."""
_PIECE = 8_192
"""A longer value is kept in pieces of this length, so that the number of values bounds the memory."""
_LEAST_LETTERS = 4
"""A value of fewer different letters is what somebody wrote instead of a secret."""
_SIZES = {(False, False): 500, (False, True): 100, (True, False): 50, (True, True): 16}
"""How many values of a sort (short, passing) are known at least; twice as many are the most."""
_SPARED = 1_000
_PORTION = 1 << 20
"""A longer text is searched in portions, so that memory does not grow with it."""


class SeenCredentials:
    """Credentials as they are seen; a repr does not show them."""

    __slots__ = ("_bare", "_ordinary", "_spared", "_windows", "forgotten")

    def __init__(self, ordinary: str = "") -> None:
        """Know none yet; a value that stands anywhere in the text `ordinary` never becomes one."""
        self._ordinary = ordinary
        self._bare = b"\n".join(bones(line.encode()) for line in ordinary.splitlines())
        self._spared: dict[str, None] = {}
        self._windows = {sort: _Window(size, passing=sort[1]) for sort, size in _SIZES.items()}
        self.forgotten = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __len__(self) -> int:
        """How many are known."""
        return sum(map(len, self._windows.values()))

    def __contains__(self, value: str) -> bool:
        """Whether a value is known."""
        return any(value in window for window in self._windows.values())

    def add(self, shown: Iterable[Shown]) -> None:
        """Take credentials over; what is too short or too common a word to be masked is passed over."""
        for whole, kind in shown:
            for start in range(0, len(whole), _PIECE):
                value = whole[start : start + _PIECE]
                if len(value) >= LEAST_LENGTH and value not in self._spared:
                    window = self._windows[len(value) < _SHORT, kind == "passing"]
                    if not window.knows(value) and self._is_credential(value):
                        self.forgotten |= window.add(value, kind)

    def _is_credential(self, value: str) -> bool:
        if len(set(value)) < _LEAST_LETTERS or value in self._ordinary:
            return False
        bare = bones(value.encode("utf-8", "surrogatepass"))
        return len(bare) < LEAST_LENGTH or bare not in self._bare

    def spare(self, value: str) -> None:
        """From now on take a value for an ordinary word."""
        for window in self._windows.values():
            window.discard(value)
        if len(self._spared) >= _SPARED:
            del self._spared[next(iter(self._spared))]
        self._spared[value] = None

    def found_in(self, text: bytes) -> dict[str, Kind]:
        """Return the values that a text may hold in any form, whole or their last piece, longest first; most texts hold
        none.
        """
        found: dict[str, Kind] = {}
        for portion in _portions(text):
            searched = b"\n".join(views(portion))
            for window in self._windows.values():
                window.find(searched, portion, found)
        return dict(sorted(found.items(), key=lambda pair: -len(pair[0]))) if found else found


def masked(text: bytes, values: Iterable[str], mask: bytes) -> bytes:
    """Return a text with the usual forms of the values, to their last sign, replaced by `mask`; the same object where
    there is none. What is written in any other way is left to `Forms`.
    """
    forms = [form for value in values for form in _forms(value)]
    if len(text) <= _PORTION:
        return _masked(text, forms, mask)
    found = b"".join(_masked(portion, forms, mask) for portion in _portions(text))
    return text if found == text else found


def _masked(text: bytes, forms: Sequence[bytes], mask: bytes) -> bytes:
    spans = list(_spans(text, forms))
    if has_escapes(text):
        unescaped = Unescaped(text)
        spans += unescaped.places(_spans(unescaped.text, forms))
    if not spans:
        return text
    parts: list[bytes] = []
    at = 0
    for start, end in sorted(spans):
        if start >= at:
            parts += (text[at:start], mask)
        at = max(at, end)
    parts.append(text[at:])
    return b"".join(parts)


def _portions(text: bytes) -> Iterator[bytes]:
    """Yield a text in portions that end with a quote, as no credential goes on behind one."""
    at = 0
    while len(text) - at > _PORTION:
        end = text.rfind(b'"', at, at + _PORTION) + 1 or at + _PORTION
        yield text[at:end]
        at = end
    yield text[at:] if at else text


def _spans(text: bytes, forms: Iterable[bytes]) -> Iterator[tuple[int, int]]:
    for form in forms:
        start = text.find(form)
        while start >= 0:
            yield start, start + len(form)
            start = text.find(form, start + len(form))


def _forms(value: str) -> dict[bytes, None]:
    """Return the ways to write a value, but for those that escape single letters."""
    more = (value.replace(" ", "+"), html.escape(value))
    return dict.fromkeys(form.encode("utf-8", "surrogatepass") for form in (*encoded(value), *more))


class _Window:
    """At least the latest `size` values, and at most twice as many."""

    def __init__(self, size: int, *, passing: bool) -> None:
        self._size = size
        self._passing = passing
        self._young, self._old = _Index(passing=passing), _Index(passing=passing)

    def __len__(self) -> int:
        return len(self._young.kinds) + len(self._old.kinds)

    def __contains__(self, value: str) -> bool:
        return value in self._young.kinds or value in self._old.kinds

    def knows(self, value: str) -> bool:
        """Tell whether a value is among the latest, so that it need not be added again."""
        return value in self._young.kinds

    def add(self, value: str, kind: Kind) -> bool:
        """Add a value; return whether older ones are forgotten for it."""
        forgets = False
        if len(self._young.kinds) >= self._size:
            forgets = bool(self._old.kinds)
            self._young, self._old = _Index(passing=self._passing), self._young
        self._young.add(value, kind)
        return forgets

    def discard(self, value: str) -> None:
        """Forget a value."""
        for index in (self._young, self._old):
            index.kinds.pop(value, None)

    def find(self, bare: bytes, text: bytes, found: dict[str, Kind]) -> None:
        """Add to `found` what a text may hold, the bones of which are `bare`."""
        for index in (self._young, self._old):
            if index.kinds:
                index.find(bare, text, found)


class _Index:
    """Values, and what finds them; made only once a text is searched."""

    __slots__ = ("_finders", "_new", "_odd", "_passing", "kinds")

    def __init__(self, *, passing: bool) -> None:
        self.kinds: dict[str, Kind] = {}
        self._passing = passing
        self._new: list[str] = []
        self._odd: list[tuple[tuple[bytes, ...], str]] = []
        self._finders: list[_Finder] = []

    def add(self, value: str, kind: Kind) -> None:
        self.kinds[value] = kind
        self._new.append(value)

    def find(self, bare: bytes, text: bytes, found: dict[str, Kind]) -> None:
        if self._new:
            self._take_in()
        for finder in self._finders:
            for value in finder.found_in(bare):
                self._note(value, found)
        if self._odd:
            unescaped = Unescaped(text).text
            for forms, value in self._odd:
                if any(form in text or form in unescaped for form in forms):
                    self._note(value, found)

    def _note(self, value: str, found: dict[str, Kind]) -> None:
        if value in self.kinds:
            found[value] = self.kinds[value]

    def _take_in(self) -> None:
        """Make what finds the new values: those before them are gone through again only once they are fewer."""
        self._odd += [(tuple(_forms(value)), value) for value in self._new if odd_pattern([value])]
        ends = [
            (end, value)
            for value in self._new
            for end in {form[-_END:] for form in bare_forms(value, rare=not self._passing)}
        ]
        self._new = []
        while self._finders and len(self._finders[-1].ends) <= len(ends):
            ends = [*self._finders.pop().ends, *ends]
        if ends:
            self._finders.append(_Finder(ends))


class _Finder:
    """Finds values by the ends of their forms: tokens of one issuer begin alike, and end each in its own way."""

    __slots__ = ("_finder", "ends")

    def __init__(self, ends: list[tuple[bytes, str]]) -> None:
        self.ends = ends
        self._finder = ahocorasick_rs.BytesAhoCorasick([end for end, _ in ends])

    def found_in(self, bare: bytes) -> Iterator[str]:
        """Yield the values that some bones may hold."""
        if len(bare) <= _STRETCH and not self._finder.find_matches_as_indexes(bare):
            return
        for start in range(0, len(bare), _STRETCH):
            stretch = bare[start : start + _STRETCH + _END - 1]
            matches = self._finder.find_matches_as_indexes(stretch, overlapping=True)
            for number in {match[0] for match in matches}:
                yield self.ends[number][1]
