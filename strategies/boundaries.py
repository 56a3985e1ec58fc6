"""Values at and just beyond the boundaries of a property, by construction from its schema.

Each list is ordered: the values that tell most come first, so a short run takes the head of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from atlas_conformance.contracts.patterns import compile_pattern
from atlas_conformance.strategies.disguises import disguises

INT32_LIMIT = 2**31
LETTERS_OF_OTHER_SCRIPTS = ("ß", "К", "数", "ا", "क", "ª", "𝒳")
DIGITS_OF_OTHER_SCRIPTS = ("٣", "０", "Ⅷ", "²")
LOOKALIKES = ("\u200b", "\u0301", "\u202e", "\ufffd", "\U0001f600")
PUNCTUATION = tuple("""/ "\\%*#?;<>=[]{}^`|~!$""")


@dataclass(frozen=True, slots=True)
class Value:
    """A value for one property, the requirement that it breaks (None: none), and what is particular to it."""

    value: Any
    breaks: str | None
    what: str


def refused_values(schema: Mapping[str, Any], good: Any) -> Iterator[Value]:
    """Yield values that a property's schema refuses, each one step away from the conforming value `good`."""
    if schema.get("type") == "string":
        texts = list(_texts(good, schema, fitting=False))
        types = [Value(v, "B-TYPE", f"{w} for a string") for v, w in _not_strings(good)]
        yield from _interleave(texts, types)
    else:
        numbers = list(_numbers_beyond(schema, good))
        types = [Value(v, "B-TYPE", f"{w} for an integer") for v, w in _not_integers(good)]
        yield from _interleave(numbers, types)


def accepted_values(schema: Mapping[str, Any], good: Any) -> Iterator[Value]:
    """Yield values at the inner side of a property's boundaries."""
    if schema.get("type") == "string":
        yield from (Value(v.value, None, v.what) for v in _texts(good, schema, fitting=True))
    else:
        yield Value(schema["minimum"], None, "the smallest number")
        yield Value(schema["maximum"], None, "the largest number")


def fits(schema: Mapping[str, Any], text: str) -> bool:
    """Whether a text keeps a string property's pattern and lengths (ECMA-262, code points)."""
    pattern = schema.get("pattern")
    if pattern is not None and not compile_pattern(pattern).matches(text):
        return False
    if "enum" in schema and text not in schema["enum"]:
        return False
    return bool(schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)))


def longest(schema: Mapping[str, Any]) -> int:
    """The greatest length that a string property takes, in code points."""
    if "maxLength" in schema:
        return int(schema["maxLength"])
    return 24 if "{24}" in schema.get("pattern", "") else 64


def text_edits(
    good: str, most: int, *, disguised: int = 2, keep: Callable[[str], bool] = lambda text: True
) -> Iterator[tuple[str, str]]:
    """Yield (text, what) pairs near `good`, each once, of those that `keep` takes: all of them, by default.

    After each `disguised` texts that some clean-up turns back into `good` comes one that is merely wrong.
    """
    seen = {good}
    first, second = ((pair for pair in pairs if keep(pair[0])) for pairs in (disguises(good), _wrong_texts(good, most)))
    for pairs in iter(lambda: [*islice(first, disguised), *islice(second, 1)], []):
        for text, what in pairs:
            if text not in seen:
                seen.add(text)
                yield text, what


def _wrong_texts(good: str, most: int) -> Iterator[tuple[str, str]]:
    middle = len(good) // 2
    yield "", "an empty string"
    yield good[:middle] + "_" + good[middle + 1 :], "an underscore"
    yield good[:middle] + "/" + good[middle + 1 :], "a slash"
    yield (good * most)[: most + 1], "one code point too long"
    yield good[:middle] + " " + good[middle + 1 :], "a space inside"
    yield good[:-1] + LOOKALIKES[-1], "an emoji"
    yield good[:-1], "one code point shorter"
    yield good[:middle] + "." + good[middle + 1 :], "a full stop"
    yield good[:-1] + "g", "a letter beyond hexadecimal"
    yield good[:-1] + LETTERS_OF_OTHER_SCRIPTS[0], "a letter of another script"
    yield good * 40, "far too long"
    yield good[:-1] + " ", "a space for its last character"
    yield " " + good[1:], "a space for its first character"
    yield "-" + good[1:], "a hyphen for its first character"
    yield good[:-1] + "\n", "a newline in place of the last character"
    yield good[:-1] + "\ud800", "a lone surrogate"
    yield good[:middle] + "*" + good[middle + 1 :], "an asterisk"
    for letter in LETTERS_OF_OTHER_SCRIPTS:
        yield good[:-1] + letter, f"the letter U+{ord(letter):04X}"
    for digit in DIGITS_OF_OTHER_SCRIPTS:
        yield good[:-1] + digit, f"the number U+{ord(digit):04X}"
    yield "\n" + good, "a leading newline"
    yield good[:middle] + "\n" + good[middle:], "a newline inside"
    yield good[:-1] + "\x00", "a NUL"
    yield good[:-1] + "\r", "a carriage return"
    yield good[:-1] + "\t", "a tab"
    for mark in LOOKALIKES:
        yield good[:-1] + mark, f"U+{ord(mark):04X}"
    for sign in PUNCTUATION:
        yield good[:middle] + sign + good[middle + 1 :], f"the sign {sign!r}"
    yield (good * most)[:most], "the greatest length"
    yield ("𝒳" * (most + 1)), "one astral letter too many"


def _texts(good: str, schema: Mapping[str, Any], *, fitting: bool) -> Iterator[Value]:
    breaks = "T-ENUM" if "enum" in schema else "B-PATTERN"
    for text, what in text_edits(good, longest(schema), keep=lambda text: fits(schema, text) is fitting):
        yield Value(text, breaks, what)


def _not_strings(good: str) -> Iterator[tuple[Any, str]]:
    yield 123456789012345678901234 if len(good) == 24 else 42, "a number"
    yield [], "an empty array"
    yield True, "true"
    yield False, "false"
    yield {"$oid": good}, "an object"
    yield [good], "an array"
    yield 0, "zero"
    yield {}, "an empty object"
    yield 1.5, "a fraction"


def _not_integers(good: int) -> Iterator[tuple[Any, str]]:
    yield str(good), "a string"
    yield True, "true"
    yield good + 0.5, "a fraction"
    yield [good], "an array"
    yield False, "false"
    yield {"value": good}, "an object"
    yield "", "an empty string"
    yield [], "an empty array"


def _numbers_beyond(schema: Mapping[str, Any], good: int) -> Iterator[Value]:
    least = schema["minimum"]
    for number, what in (
        (least - 1, "one below the least"),
        (INT32_LIMIT, "one beyond 32 bits"),
        (0, "zero"),
        (-1, "minus one"),
        (good * 1_000, "a number a thousand times as large, as milliseconds are"),
        (2**32 + least, "a number that wraps at 32 bits"),
        (2**63, "one beyond 64 bits"),
        (-INT32_LIMIT - 1, "one below 32 bits"),
        (10**30, "a huge number"),
    ):
        if not least <= number < INT32_LIMIT:
            yield Value(number, "B-RANGE", what)


def _interleave(first: list[Value], second: list[Value]) -> Iterator[Value]:
    """Alternate two lists, so that the head of the result holds the telling values of both."""
    for i in range(max(len(first), len(second))):
        yield from first[2 * i : 2 * i + 2]
        yield from second[i : i + 1]
