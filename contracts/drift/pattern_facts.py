"""What can be said of a pattern without matching: how long its texts are, and how it is written plainly.

Two patterns that are written alike once groups, classes and repetitions are written in one way mean the same. What is
not understood keeps its spelling, and says nothing about lengths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from math import inf

_REPEATED = re.compile(r"\{([0-9]{1,9})(?:(,)([0-9]{1,9})?)?\}")
_CLASSES = {"d": ((48, 57),), "w": ((48, 57), (65, 90), (95, 95), (97, 122))}
_CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "0": 0}
_DEEPEST = 40
_LONGEST = 5_000


@dataclass(frozen=True, slots=True)
class PatternFacts:
    """The plain spelling of a pattern, and the least and most characters of a text that it takes."""

    plain: str
    least: int
    most: float


@cache
def pattern_facts(source: str) -> PatternFacts:
    """Return what can be said of an ECMA-262 pattern."""
    try:
        reader = _Reader(source)
        branches = reader.branches()
        if reader.at < len(source):
            raise _NotUnderstood
    except _NotUnderstood:
        return PatternFacts(source, 0, inf)
    closed = all(branch.starts and branch.ends for branch in branches)
    return PatternFacts(
        "|".join(sorted({branch.plain for branch in branches})),
        min(branch.least for branch in branches),
        max(branch.most for branch in branches) if closed else inf,
    )


class _NotUnderstood(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Term:
    """One repeated thing of a sequence. An `anchor` is "^", "$" or ""; `width` 1 marks a single character."""

    plain: str
    least: int
    most: float
    low: int = 1
    high: float = 1
    anchor: str = ""

    def written(self) -> str:
        if (self.low, self.high) == (1, 1):
            return self.plain
        return f"{self.plain}{{{self.low},{'' if self.high == inf else self.high}}}"


@dataclass(frozen=True, slots=True)
class _Branch:
    terms: tuple[_Term, ...]

    @property
    def plain(self) -> str:
        return "".join(term.written() for term in self.terms)

    @property
    def least(self) -> int:
        return sum(term.least * term.low for term in self.terms)

    @property
    def most(self) -> float:
        return sum(0 if term.most == 0 or term.high == 0 else term.most * term.high for term in self.terms)

    @property
    def starts(self) -> bool:
        return bool(self.terms) and "^" in self.terms[0].anchor and self.terms[0].low > 0

    @property
    def ends(self) -> bool:
        return bool(self.terms) and "$" in self.terms[-1].anchor and self.terms[-1].low > 0


class _Reader:
    """Reads one pattern from left to right."""

    def __init__(self, source: str) -> None:
        if len(source) > _LONGEST:
            raise _NotUnderstood
        self.source, self.at, self.depth = source, 0, 0

    def skip(self, text: str) -> bool:
        found = self.source.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found

    def take(self) -> str:
        if self.at >= len(self.source):
            raise _NotUnderstood
        self.at += 1
        return self.source[self.at - 1]

    def branches(self) -> list[_Branch]:
        found = [self.branch()]
        while self.skip("|"):
            found.append(self.branch())
        return found

    def branch(self) -> _Branch:
        terms: list[_Term] = []
        while self.at < len(self.source) and self.source[self.at] not in "|)":
            for term in self.repeated():
                last = terms[-1] if terms else None
                if last is not None and last.plain == term.plain and last.least == last.most == 1 == term.most:
                    terms[-1] = _Term(last.plain, 1, 1, last.low + term.low, last.high + term.high)
                else:
                    terms.append(term)
        return _Branch(tuple(terms))

    def repeated(self) -> tuple[_Term, ...]:
        inner = self.term()
        low, high = self.quantifier()
        if (low, high) == (1, 1):
            return inner
        if len(inner) == 1 and (inner[0].low, inner[0].high) == (1, 1):
            term = inner[0]
        else:
            whole = _Branch(inner)
            term = _Term(f"(?:{whole.plain})", whole.least, whole.most)
        return (_Term(term.plain, term.least, term.most, low, high, term.anchor),)

    def quantifier(self) -> tuple[int, float]:
        low: int = 1
        high: float = 1
        if self.skip("*"):
            low, high = 0, inf
        elif self.skip("+"):
            low, high = 1, inf
        elif self.skip("?"):
            low, high = 0, 1
        elif match := _REPEATED.match(self.source, self.at):
            self.at = match.end()
            low = int(match[1])
            high = low if match[2] is None else inf if match[3] is None else int(match[3])
            if high < low:
                raise _NotUnderstood
        else:
            return 1, 1
        self.skip("?")
        return low, high

    def term(self) -> tuple[_Term, ...]:
        if self.skip("^"):
            return (_Term("^", 0, 0, anchor="^"),)
        if self.skip("$"):
            return (_Term("$", 0, 0, anchor="$"),)
        for ahead in ("(?=", "(?!", "(?<=", "(?<!"):
            if self.skip(ahead):
                plain = "|".join(branch.plain for branch in self.inside())
                return (_Term(f"{ahead}{plain})", 0, 0),)
        if self.skip("(?:") or (not self.source.startswith("(?", self.at) and self.skip("(")):
            return self.group(self.inside())
        if self.skip("["):
            return (_Term(self.character_class(), 1, 1),)
        character = self.take()
        if character == "\\":
            return (self.escape(),)
        if character == ".":
            return (_Term(".", 1, 1),)
        if character in "()*+?":
            raise _NotUnderstood
        return (_Term(_spelt(((ord(character), ord(character)),), (), False), 1, 1),)

    def inside(self) -> list[_Branch]:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _NotUnderstood
        found = self.branches()
        if not self.skip(")"):
            raise _NotUnderstood
        self.depth -= 1
        return found

    def group(self, branches: list[_Branch]) -> tuple[_Term, ...]:
        if len(branches) == 1:
            return branches[0].terms
        anchor = "^" * all(each.starts for each in branches) + "$" * all(each.ends for each in branches)
        plain = "|".join(sorted({each.plain for each in branches}))
        least, most = min(each.least for each in branches), max(each.most for each in branches)
        return (_Term(f"(?:{plain})", least, most, anchor=anchor),)

    def escape(self) -> _Term:
        kind = self.take()
        if kind in "bB":
            return _Term(f"\\{kind}", 0, 0)
        if kind in "123456789k":
            raise _NotUnderstood
        ranges, names = self.escaped(kind)
        return _Term(_spelt(ranges, names, False), 1, 1)

    def escaped(self, kind: str) -> tuple[tuple[tuple[int, int], ...], tuple[str, ...]]:
        """Return the characters that an escape stands for: ranges, and names of sets that stay as they are."""
        if kind in _CLASSES:
            return _CLASSES[kind], ()
        if kind in "DWsS":
            return (), (f"\\{kind}",)
        if kind in "pP" and self.skip("{"):
            end = self.source.find("}", self.at)
            if end < 0:
                raise _NotUnderstood
            name, self.at = self.source[self.at : end], end + 1
            return (), (f"\\{kind}{{{name}}}",)
        point = self.code_point(kind)
        return ((point, point),), ()

    def code_point(self, kind: str) -> int:
        if kind in _CONTROLS:
            return _CONTROLS[kind]
        digits = ""
        if kind == "x":
            digits = self.take() + self.take()
        elif kind == "u" and self.skip("{"):
            end = self.source.find("}", self.at)
            digits, self.at = self.source[self.at : max(end, self.at)], end + 1
        elif kind == "u":
            digits = "".join(self.take() for _ in range(4))
        elif kind.isalnum():
            raise _NotUnderstood
        else:
            return ord(kind)
        if not re.fullmatch(r"[0-9A-Fa-f]{1,6}", digits):
            raise _NotUnderstood
        return int(digits, 16)

    def character_class(self) -> str:
        negated = self.skip("^")
        ranges: list[tuple[int, int]] = []
        names: list[str] = []
        while not self.skip("]"):
            first, named = self.member()
            names += named
            ahead = self.source[self.at + 1 : self.at + 2]
            if len(first) == 1 and first[0][0] == first[0][1] and ahead != "]" and self.skip("-"):
                last, named = self.member()
                if named or len(last) != 1 or last[0][0] != last[0][1] or last[0][0] < first[0][0]:
                    raise _NotUnderstood
                first = ((first[0][0], last[0][0]),)
            ranges += first
        return _spelt(tuple(ranges), tuple(names), negated)

    def member(self) -> tuple[tuple[tuple[int, int], ...], tuple[str, ...]]:
        character = self.take()
        if character != "\\":
            return ((ord(character), ord(character)),), ()
        kind = self.take()
        return (((8, 8),), ()) if kind == "b" else self.escaped(kind)


def _spelt(ranges: tuple[tuple[int, int], ...], names: tuple[str, ...], negated: bool) -> str:
    """Return the one spelling of a set of characters."""
    merged: list[list[int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1][1] = max(merged[-1][1], high)
        else:
            merged.append([low, high])
    inner = ",".join([*(f"{low:x}-{high:x}" for low, high in merged), *sorted(set(names))])
    return f"[{'^' if negated else ''}{inner}]"
