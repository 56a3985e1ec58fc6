"""ECMA-262 regular expressions in Unicode mode, the dialect of JSON Schema's `pattern`, on top of the `regex` package.

Python's own dialect differs where it hurts: `$` also matches before a trailing newline, `\\d` and `\\w` take every
script. A pattern is therefore read construct by construct and written again with one meaning only; what is not
understood raises.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import regex


class UnsupportedPattern(ValueError):
    """The pattern is no ECMA-262 pattern, or uses a construct that this module does not translate."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """A compiled pattern: `source` as it was given, in ECMA-262."""

    source: str
    _compiled: regex.Pattern[str] = field(repr=False, compare=False)

    def matches(self, text: str) -> bool:
        """Tell whether the pattern is found anywhere in the text, as JSON Schema asks."""
        return self._compiled.search(text) is not None


@cache
def compile_pattern(source: str) -> Matcher:
    """Compile an ECMA-262 pattern (flag `u`). Raises UnsupportedPattern where its meaning here could differ."""
    return Matcher(source, regex.compile(_Translator(source).pattern(), regex.VERSION0))


_SYNTAX = frozenset("^$\\.*+?()[]{}|/")
_CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_SPACE = r"\t\n\x0b\x0c\r\x20\xa0\ufeff\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_NEWLINES = r"\n\r\u2028\u2029"
# Inside a class, the ranges of each class escape; a negated one has a class of its own, so it cannot stand inside
# another.
_CLASS_ESCAPES = {"d": "0-9", "w": "0-9A-Z_a-z", "s": _SPACE}
# General categories by their short names mean the same in both dialects; other properties are not needed here.
_MINORS = {"C": "cfnos", "L": "lmotu", "M": "cen", "N": "dlo", "P": "cdefios", "S": "ckmo", "Z": "lps"}
_CATEGORIES = frozenset(major + minor for major, minors in _MINORS.items() for minor in ("", *minors))
_HEX = frozenset("0123456789abcdefABCDEF")


def _literal(code_point: int) -> str:
    """Write a code point so that it is never read as syntax."""
    if chr(code_point).isascii() and chr(code_point).isalnum():
        return chr(code_point)
    return f"\\x{code_point:02x}" if code_point < 0x100 else f"\\U{code_point:08x}"


class _Translator:
    """Reads one pattern from left to right and writes it in the dialect of `regex`."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0

    def refuse(self, why: str) -> UnsupportedPattern:
        return UnsupportedPattern(f"the pattern {self.source!r} cannot be used: {why} (at character {self.at + 1})")

    def peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def take(self, expected: str = "") -> str:
        """Consume one character, which must be the expected one if one is named."""
        character = self.peek()
        if not character or (expected and character != expected):
            raise self.refuse(f"{expected or 'another character'} is missing")
        self.at += 1
        return character

    def skip(self, text: str) -> bool:
        """Consume the text if it comes next."""
        found = self.source.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found

    def pattern(self) -> str:
        written = self.alternatives()
        if self.at < len(self.source):
            raise self.refuse("a closing parenthesis has no opening one")
        return written

    def alternatives(self) -> str:
        branches = [self.sequence()]
        while self.skip("|"):
            branches.append(self.sequence())
        return "|".join(branches)

    def sequence(self) -> str:
        parts: list[str] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.term())
        return "".join(parts)

    def term(self) -> str:
        if self.skip("^"):
            return r"\A"
        if self.skip("$"):
            return r"\Z"
        for ahead in ("(?=", "(?!"):
            if self.skip(ahead):
                return self.group(ahead)
        return self.atom() + self.quantifier()

    def group(self, opening: str) -> str:
        inside = self.alternatives()
        self.take(")")
        return f"{opening}{inside})"

    def atom(self) -> str:
        if self.skip("(?:"):
            return self.group("(?:")
        if self.source.startswith("(?", self.at):
            raise self.refuse("groups other than (…), (?:…), (?=…) and (?!…) are not translated")
        if self.skip("("):
            return self.group("(")
        if self.skip("["):
            return self.character_class()
        if self.skip("."):
            return f"[^{_NEWLINES}]"
        if self.skip("\\"):
            return self.escape()
        if self.peek() in _SYNTAX - {"/"}:
            raise self.refuse(f"{self.peek()} needs a backslash before it, or something to repeat")
        return _literal(ord(self.take()))

    def quantifier(self) -> str:
        if self.peek() and self.peek() in "*+?":
            written = self.take()
        elif self.skip("{"):
            least = self.digits()
            most = self.digits(optional=True) if self.skip(",") else least
            self.take("}")
            if most and int(most) < int(least):
                raise self.refuse("a repetition's bounds are the wrong way round")
            written = f"{{{least},{most}}}"
        else:
            return ""
        written += "?" if self.skip("?") else ""
        if self.peek() and self.peek() in "*+?{":
            raise self.refuse("a repetition cannot be repeated")
        return written

    def digits(self, optional: bool = False) -> str:
        start = self.at
        while self.peek() in tuple("0123456789"):
            self.at += 1
        if start == self.at and not optional:
            raise self.refuse("a number is missing")
        return self.source[start : self.at]

    def escape(self) -> str:
        """Translate an escape outside a class, the backslash being read already."""
        kind = self.peek()
        if kind in _CLASS_ESCAPES:
            self.take()
            return f"[{_CLASS_ESCAPES[kind]}]"
        if kind.lower() in _CLASS_ESCAPES:
            self.take()
            return f"[^{_CLASS_ESCAPES[kind.lower()]}]"
        if kind in ("p", "P"):
            return self.category()
        return _literal(self.code_point(also=""))

    def category(self) -> str:
        kind = self.take()
        self.take("{")
        end = self.source.find("}", self.at)
        name = self.source[self.at : end] if end >= 0 else ""
        if name not in _CATEGORIES:
            raise self.refuse("of Unicode properties, only general categories such as L or Nd are translated")
        self.at = end + 1
        return f"\\{kind}{{{name}}}"

    def code_point(self, also: str) -> int:
        """Read a character escape after its backslash; besides syntax, the characters in `also` may be escaped."""
        kind = self.take()
        if kind in _CONTROLS:
            return _CONTROLS[kind]
        if kind in _SYNTAX or kind in also:
            return ord(kind)
        if kind == "0" and not self.peek().isdigit():
            return 0
        if kind == "x":
            return self.hexadecimal(2)
        if kind == "u" and self.skip("{"):
            end = self.source.find("}", self.at)
            return self.hexadecimal(end - self.at, closing="}")
        if kind == "u":
            high = self.hexadecimal(4)
            if 0xD800 <= high <= 0xDFFF:
                raise self.refuse("surrogates are not translated; \\u{…} names any code point")
            return high
        raise self.refuse(f"the escape \\{kind} is not translated")

    def hexadecimal(self, length: int, closing: str = "") -> int:
        digits = self.source[self.at : self.at + max(length, 0)]
        if not digits or len(digits) != length or not _HEX.issuperset(digits) or int(digits, 16) > 0x10FFFF:
            raise self.refuse("a hexadecimal code point is missing")
        self.at += length
        if closing:
            self.take(closing)
        return int(digits, 16)

    def character_class(self) -> str:
        """Translate a class, the opening bracket being read already."""
        negated = self.skip("^")
        members: list[str] = []
        while not self.skip("]"):
            members.append(self.member())
        if not members:
            return r"(?s:.)" if negated else r"(?!)"
        return f"[{'^' if negated else ''}{''.join(members)}]"

    def member(self) -> str:
        """Translate a member of a class: a character, a range, a class escape or a category."""
        low = self.class_atom()
        if self.peek() != "-" or self.source[self.at + 1 : self.at + 2] in ("]", ""):
            return low if isinstance(low, str) else _literal(low)
        self.take("-")
        high = self.class_atom()
        if isinstance(low, str) or isinstance(high, str):
            raise self.refuse("a range needs a single character at each end")
        if high < low:
            raise self.refuse("a range's ends are the wrong way round")
        return f"{_literal(low)}-{_literal(high)}"

    def class_atom(self) -> int | str:
        """Return a code point, or the written form of something that stands for several."""
        if not self.skip("\\"):
            return ord(self.take())
        kind = self.peek()
        if kind in _CLASS_ESCAPES:
            self.take()
            return _CLASS_ESCAPES[kind]
        if kind in ("p", "P"):
            return self.category()
        if kind == "b":
            self.take()
            return 8
        return self.code_point(also="-")
