"""The credentials that traffic has shown so far, and finding them in what comes before or after.

Memory is bounded: of each sort the latest ones are known. A text that holds none is told apart at a small cost that
does not grow with their number.
"""

from __future__ import annotations

import html
import struct
from collections.abc import Iterable, Iterator, Sequence

from atlas_conformance.http.redaction.echoes import LEAST_LENGTH, encoded
from atlas_conformance.http.redaction.shown import Kind, Shown
from atlas_conformance.http.redaction.unescaping import Unescaped, has_escapes

_BLOCK = 8
_BLOCK_AT = struct.Struct("=Q")
_TAIL = 2 * _BLOCK - 1
"""A form of this length holds a whole block of a text, wherever in the text it stands."""
_PIECE = 8_192
"""A longer value is kept in pieces of this length, so that the number of values bounds the memory."""
_LEAST_LETTERS = 4
"""A value of fewer different letters is what somebody wrote in the place of a secret."""
_SIZES = {(False, False): 500, (False, True): 100, (True, False): 50, (True, True): 16}
"""How many values of a sort (short, passing) are known at least; twice as many are the most. Each short one costs time
with every text."""
_SPARED = 1_000
_PORTION = 1 << 20
"""A longer text is searched in portions, so that memory does not grow with it."""


class SeenCredentials:
    """Credentials as they are seen; a repr does not show them."""

    __slots__ = ("_ordinary", "_spared", "_windows", "forgotten")

    def __init__(self, ordinary: str = "") -> None:
        """Know none yet; a value that stands anywhere in the text `ordinary` never becomes one."""
        self._ordinary = ordinary
        self._spared: dict[str, None] = {}
        self._windows = {sort: _Window(size) for sort, size in _SIZES.items()}
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
                    window = self._windows[len(value) < _TAIL, kind == "passing"]
                    if not window.knows(value) and self._is_credential(value):
                        self.forgotten |= window.add(value, kind)

    def _is_credential(self, value: str) -> bool:
        return len(set(value)) >= _LEAST_LETTERS and value not in self._ordinary

    def spare(self, value: str) -> None:
        """From now on take a value for an ordinary word."""
        for window in self._windows.values():
            window.discard(value)
        if len(self._spared) >= _SPARED:
            del self._spared[next(iter(self._spared))]
        self._spared[value] = None

    def found_in(self, text: bytes) -> dict[str, Kind]:
        """Return the values that a text may hold in any form, longest first; most texts hold none."""
        found: dict[str, Kind] = {}
        for portion in _portions(text):
            for searched in (portion, Unescaped(portion).text) if has_escapes(portion) else (portion,):
                blocks = frozenset(_blocks(searched))
                for window in self._windows.values():
                    window.find(searched, blocks, found)
        return dict(sorted(found.items(), key=lambda pair: -len(pair[0]))) if found else found


def masked(text: bytes, values: Iterable[str], mask: bytes) -> bytes:
    """Return a text with every form of the values replaced by `mask`; the same object where there is none."""
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


def _blocks(text: bytes) -> list[int]:
    """Return a text's blocks, one behind the other, as numbers."""
    return memoryview(text)[: len(text) // _BLOCK * _BLOCK].cast("Q").tolist()


class _Window:
    """At least the latest `size` values, and at most twice as many."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._young, self._old = _Index(), _Index()

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
            self._young, self._old = _Index(), self._young
        self._young.add(value, kind)
        return forgets

    def discard(self, value: str) -> None:
        """Forget a value."""
        for index in (self._young, self._old):
            index.kinds.pop(value, None)

    def find(self, text: bytes, blocks: frozenset[int], found: dict[str, Kind]) -> None:
        """Add to `found` what a text may hold."""
        for index in (self._young, self._old):
            if index.kinds:
                index.find(text, blocks, found)


class _Index:
    """Values, and what of their forms tells that a text may hold them; made only once a text is searched."""

    __slots__ = ("_new", "_short", "_telling", "_values", "kinds")

    def __init__(self) -> None:
        self.kinds: dict[str, Kind] = {}
        self._new: list[str] = []
        self._telling: set[int] = set()  # the keys of `_values`, as two sets are compared faster
        self._values: dict[int, tuple[str, ...]] = {}
        self._short: list[tuple[bytes, str]] = []

    def add(self, value: str, kind: Kind) -> None:
        self.kinds[value] = kind
        self._new.append(value)

    def find(self, text: bytes, blocks: frozenset[int], found: dict[str, Kind]) -> None:
        if self._new:
            self._take_in()
        if not self._telling.isdisjoint(blocks):
            for block in self._telling & blocks:
                for value in self._values[block]:
                    self._note(value, found)
        for form, value in self._short:
            if form in text:
                self._note(value, found)

    def _note(self, value: str, found: dict[str, Kind]) -> None:
        if value in self.kinds:
            found[value] = self.kinds[value]

    def _take_in(self) -> None:
        for value in self._new:
            alone = (value,)
            for form in _forms(value):
                if len(form) < _TAIL:
                    self._short.append((form, value))
                    continue
                tail = form[-_TAIL:]  # tokens of one issuer begin alike, and end each in its own way
                for start in range(_BLOCK):
                    (block,) = _BLOCK_AT.unpack_from(tail, start)
                    others = self._values.setdefault(block, alone)
                    if value not in others:
                        self._values[block] = (*others, value)
                    self._telling.add(block)
        self._new = []
