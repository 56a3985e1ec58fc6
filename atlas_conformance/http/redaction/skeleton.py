"""What is left of a text without escapes, case and signs, and where each letter of it stood.

A secret is found in it however it is written: in other case, escaped once or more, with separators, over several lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789"
_LOWER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")
_SIGNS = bytes(sorted(set(range(256)) - set(_LETTERS) - set(_LETTERS.upper())))
_DEPTH = 4
"""How often an escape may be escaped itself."""
_KEY = re.compile(rb'"[^"]*"\s*:')
_ENTITY = re.compile(rb"&(?:#0*([0-9]{1,7})|#[xX]0*([0-9a-fA-F]{1,6})|([a-zA-Z]{2,24}));")
_ESCAPE = re.compile(
    r"(?:\\+u(?:\{0*)?|\\+U0000|%[uU]|[uU]\+)([0-9a-fA-F]{4})\}?|(?:\\+|0)[xX]([0-9a-fA-F]{2})|%([0-9a-fA-F]{2})"
    r"|&(?:#0*([0-9]{1,7})|#[xX]0*([0-9a-fA-F]{1,6})|([a-zA-Z]{2,24}));|\\+([0-3][0-7]{2})|\\+[nrtbf]"
)
_UNIT = re.compile(rb"(?:\\U0000|%[uU]|[uU]\+)(?=[0-9a-fA-F]{4})")
_NO_ESCAPE = re.compile(rb"\\(?![uxnrtbf'\"]|[0-3][0-7]{2})")
"""A backslash that Python's decoder reads in another way, or not at all."""
_STRUCTURE = b'"\\,[]{} \t\r\n'.replace(b"\\", b"")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def bones(text: bytes) -> bytes:
    """Return the ASCII letters and digits of a text, in lower case."""
    return text.translate(_LOWER, _SIGNS)


def views(text: bytes) -> Iterator[bytes]:
    """Yield the bones of a text as it stands, and of each stage of undoing its escapes.

    Where it may be JSON, also of its values alone, as a secret may be split over several of them.
    """
    for stage in stages(text):
        yield bones(stage)
    if b'"' in text:
        for stage in stages(_KEY.sub(b"", text).translate(None, _STRUCTURE)):
            yield bones(stage)


def stages(text: bytes) -> Iterator[bytes]:
    """Yield a text, and then the same with its escapes undone, until there are none left to undo.

    What begins with 0x is undone in a stage of its own.
    """
    yield text
    for _ in range(_DEPTH + 1):
        if not _may_have_escapes(text):
            return
        undone = _undone(text)
        if undone == text:
            return
        yield undone
        text = undone


def _may_have_escapes(text: bytes) -> bool:
    if b"\\" in text or b"%" in text or b"&" in text:
        return True
    return b"0x" in text or b"0X" in text or b"u+" in text or b"U+" in text


def _undone(text: bytes) -> bytes:
    """Return a text with its escapes undone once; of letters beyond ASCII it need not tell which ones they are.

    The escapes of URLs and of C are made into those of Python, whose own decoder is fast.
    """
    before = text
    if b"&" in text:
        text = _ENTITY.sub(_letter_of_entity, text)
    while b"\\\\" in text:
        text = text.replace(b"\\\\", b"\\")
    if b"U" in text or b"u+" in text or b"%u" in text:
        text = _UNIT.sub(rb"\\u", text)
    if b"\\" in text:
        text = _NO_ESCAPE.sub(b"", text.replace(b"\\U", b"\\u").replace(b"\\X", b"\\x"))
    if b"%" in text:
        text = text.replace(b"%", b"\\x")
    if b"\\" not in text and text == before:
        # Not before the others are undone: a 0 that ends one of them, and an x behind it, begin none.
        text = text.replace(b"0x", b"\\x").replace(b"0X", b"\\x")
    if b"\\" not in text:
        return text
    return text.decode("unicode_escape", "ignore").encode("ascii", "ignore")


def _letter_of_entity(match: re.Match[bytes]) -> bytes:
    decimal, code, name = match.groups()
    if name is not None:
        return _NAMED.get(name.decode(), " ").encode()
    number = int(decimal) if decimal is not None else int(code, 16)
    return bytes([number]) if number < 0x80 else b""


class Mapped:
    """The bones of a short text, `found`, with the place in the text from which each of them is.

    `depth` is how many stages of escapes are undone first.
    """

    def __init__(self, text: str, depth: int) -> None:
        letters = [(letter, at, at + 1) for at, letter in enumerate(text)]
        for _ in range(depth):
            letters = list(_undo(letters))
        self._letters = [one for one in letters if one[0].isascii() and one[0].isalnum()]
        self.found = "".join(letter for letter, _, _ in self._letters).lower()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where bones from `start` to `end` stand in the text."""
        return self._letters[start][1], self._letters[end - 1][2]


def _undo(letters: list[tuple[str, int, int]]) -> Iterator[tuple[str, int, int]]:
    text = "".join(letter for letter, _, _ in letters)
    at = 0
    for match in _ESCAPE.finditer(text):
        yield from letters[at : match.start()]
        at = match.end()
        unit, byte, octet, decimal, code, name, octal = match.groups()
        if name is not None:
            letter = _NAMED.get(name, " ")
        elif octal is not None:
            letter = chr(int(octal, 8))
        elif match.lastindex is None:
            letter = " "
        else:
            number = int(decimal) if decimal is not None else int(unit or byte or octet or code, 16)
            letter = chr(number) if number < 0x110000 else "\ufffd"
        yield letter, letters[match.start()][1], letters[at - 1][2]
    yield from letters[at:]
