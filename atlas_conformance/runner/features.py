"""What is particular to a value, in plain words: the feature that those with one outcome have, and no other."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import regex

_DEEP = 64
"""Brackets of one kind from which on a body counts as deeply nested."""
_MOST_NAMED = 2
"""Several features may distinguish values equally well: how many of them are named."""
_ID = re.compile(r"[0-9a-f]{24}\Z")
_SIGNS = regex.compile(r"[^\p{L}\p{N}\p{M}\p{C}\s]")
_NO_JSON = object()


@dataclass(frozen=True)
class Value:
    """A value as it is written: a JSON text where it is `json`, else plain text."""

    text: str
    json: bool = False

    @cached_property
    def data(self) -> Any:
        """What the text says; for one that is no JSON, a thing of no type."""
        if not self.json:
            return self.text
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return _NO_JSON

    @cached_property
    def words(self) -> str:
        """The text of a string, empty for everything else."""
        return self.data if isinstance(self.data, str) else ""

    @property
    def is_id(self) -> bool:
        """Whether it is a well-formed id, of which no feature says anything."""
        return _ID.match(self.words) is not None

    @cached_property
    def type(self) -> str:
        """The name of its JSON type."""
        for kind, name in _TYPES:
            if isinstance(self.data, kind):
                return name
        return "null" if self.data is None else "no JSON"


_TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "a boolean"),
    ((int, float), "a number"),
    (str, "a text"),
    (list, "an array"),
    (dict, "an object"),
)


@dataclass(frozen=True)
class Feature:
    """A feature in words, and what tells whether a value has it."""

    words: str
    holds: Callable[[Value], bool]


def _of_text(words: str, holds: Callable[[str], bool]) -> Feature:
    return Feature(words, lambda value: isinstance(value.data, str) and holds(value.words))


def _some(words: str, holds: Callable[[str], bool]) -> Feature:
    """A feature of a text of which some character has it."""
    return _of_text(words, lambda text: any(map(holds, text)))


def _category(*wanted: str) -> Callable[[str], bool]:
    return lambda character: not character.isascii() and unicodedata.category(character).startswith(wanted)


def _is_escaped(value: Value) -> bool:
    text = value.words
    return value.json and "\\" in value.text and value.text != json.dumps(text, ensure_ascii=False)


def _is_number(value: Value, pattern: str) -> bool:
    return value.type == "a number" and re.search(pattern, value.text) is not None


_OF_SPELLING: tuple[Feature, ...] = (
    Feature("escaped characters", lambda value: isinstance(value.data, str) and _is_escaped(value)),
    Feature("a number with a fraction of zero", lambda value: value.json and _is_number(value, r"\.0+\Z")),
    Feature("a number with an exponent", lambda value: value.json and _is_number(value, "[eE]")),
    Feature("a number with a fraction", lambda value: isinstance(value.data, float) and not value.data.is_integer()),
    Feature("a negative number", lambda value: value.type == "a number" and value.data < 0),
    Feature("zero", lambda value: value.type == "a number" and value.data == 0),
    _of_text("an empty text", lambda text: text == ""),
    _of_text("a line break at the end", lambda text: text.endswith("\n")),
    _some("a line break", lambda character: character in "\r\n"),
    _of_text("a blank at the end", lambda text: text[-1:].isspace()),
    _of_text("a blank at the front", lambda text: text[:1].isspace()),
    _some("a blank", lambda character: character in " \t"),
    _some("a lone surrogate", lambda character: "\ud800" <= character <= "\udfff"),
    _some("a control character", lambda character: unicodedata.category(character) == "Cc"),
    _of_text(
        "a percent sign with two digits, as if it were encoded twice",
        lambda text: re.search("%[0-9A-Fa-f]{2}", text) is not None,
    ),
    _of_text("a charset parameter", lambda text: re.search(r"(?i);\s*charset=", text) is not None),
    _of_text("parameters of a media type", lambda text: re.search(r"\w/\S+\s*;", text) is not None),
)
"""Features beside which no other one need be named."""

_OF_SCRIPTS: tuple[Feature, ...] = (
    _some("letters beyond ASCII", _category("L")),
    _some("digits beyond ASCII", _category("Nd")),
    _some("numbers that are no digits", _category("No", "Nl")),
    _some("characters outside the basic plane", lambda character: ord(character) > 0xFFFF),
    _some("marks, signs or emoji beyond ASCII", _category("M", "S", "P", "C")),
    _some("characters beyond ASCII", lambda character: not character.isascii()),
)
"""Features of which the first says what the later ones say once more in general terms."""

_OF_LETTERS: tuple[Feature, ...] = (
    _of_text("zeros at the front", lambda text: text.startswith("0")),
    _of_text("digits alone", lambda text: text.isascii() and text.isdigit()),
    _of_text("a digit at the front", lambda text: text[:1].isascii() and text[:1].isdigit()),
    _of_text("a hyphen at the front", lambda text: text.startswith("-")),
    _of_text("a hyphen at the end", lambda text: text.endswith("-")),
    _of_text("two hyphens in a row", lambda text: "--" in text),
    _some("upper-case letters", lambda character: "A" <= character <= "Z"),
    _of_text(
        "letters beyond hexadecimal", lambda text: re.fullmatch("(?=.*[g-zG-Z])[0-9A-Za-z]{24}", text) is not None
    ),
)

FEATURES = (*_OF_SPELLING, *_OF_SCRIPTS, *_OF_LETTERS)
"""The features that are looked for, of two that tell as much the first."""

FEATURES_OF_MEDIA: tuple[Feature, ...] = (
    *(feature for feature in _OF_SPELLING if "parameter" in feature.words),
    _of_text("a versioned media type", lambda text: "application/vnd.atlas." in text),
    _of_text("an unversioned media type", lambda text: "application/vnd.atlas." not in text),
)
"""The features of a header that names a media type."""

FEATURES_OF_BODIES: tuple[Feature, ...] = (
    _of_text("deep nesting", lambda text: _is_deep(text)),
    _of_text("an empty body", lambda text: text.strip() == ""),
    _of_text("a body that is an array", lambda text: text.lstrip().startswith("[") and _parses(text)),
    _of_text("a body that is a text", lambda text: text.lstrip().startswith('"') and _parses(text)),
    _of_text("a body that is no JSON object", lambda text: not text.lstrip().startswith("{")),
    _of_text("a comma after the last property", lambda text: re.search(r",\s*\}", text) is not None),
    _of_text("something after the end of the object", lambda text: _goes_on(text)),
    _of_text("a body that breaks off", lambda text: not text.rstrip().endswith("}") and not _goes_on(text)),
    _of_text("a comment", lambda text: re.search(r"//|/\*", text) is not None),
    _of_text("single quotes", lambda text: re.search(r"[{,]\s*'", text) is not None),
    _of_text("names without quotes", lambda text: re.search(r"[{,]\s*[A-Za-z_]\w*\s*:", text) is not None),
    _of_text("NaN or Infinity", lambda text: re.search(r"\b(NaN|Infinity)\b", text) is not None),
    _of_text("a property given twice", lambda text: _parses(text) and _repeats(text)),
    _of_text("a body that is no JSON", lambda text: not _parses(text)),
)
"""The features of a body that cannot be taken apart into properties."""


def _is_deep(text: str) -> bool:
    return max(text.count("["), text.count("{")) > _DEEP


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _goes_on(text: str) -> bool:
    try:
        _, end = json.JSONDecoder().raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return False
    return bool(text.lstrip()[end:].strip())


def _repeats(text: str) -> bool:
    names = json.loads(text, object_pairs_hook=lambda pairs: [name for name, _ in pairs])
    return isinstance(names, list) and len(set(map(str, names))) < len(names)


def feature_of(
    value: Value,
    near: Value | None,
    alike: Collection[Value] = (),
    others: Collection[Value] = (),
    features: Iterable[Feature] = FEATURES,
    *,
    sized: bool = True,
) -> str | None:
    """Return, in words, what `value` has that `near`, a value with the other outcome, has not; None where nothing is.

    `alike` are all values with its outcome, `others` all with the other one: a feature counts only if none of
    `others` has it, and that of most of `alike` comes first. Only where it is `sized`, lengths and single signs count.
    """
    unlike = [*others, *([near] if near is not None else [])]
    if near is not None and value.json and near.json and value.type != near.type:
        return f"{_spelt(value)} in place of {near.type}"
    if value.is_id and any(other.is_id for other in unlike):
        return None
    if (repaired := _repaired(value, unlike)) is not None:
        return repaired
    counted = (*_sizes(value, unlike), *_signs(value)) if sized else ()
    candidates = [feature for feature in (*features, *counted) if feature.holds(value)]
    telling = [feature for feature in candidates if not any(map(feature.holds, unlike))]
    counts = [sum(map(feature.holds, alike)) for feature in telling]
    best = [feature.words for feature, count in zip(telling, counts, strict=True) if count == max(counts)]
    return " or ".join(_distinct(best)[:_MOST_NAMED]) or None


def _repaired(value: Value, others: Iterable[Value]) -> str | None:
    """Return what would have to be put right for the value to be another one, or None."""
    text, texts = value.words, {other.words for other in others} - {value.words}
    if not text:
        return None
    if text.casefold() in {other.casefold() for other in texts}:
        return "upper-case letters" if text.isupper() else "letters in another case"
    for words, repair in _REPAIRS:
        if (repaired := repair(text)) != text and repaired in texts:
            return words
    return None


_REPAIRS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("a line break at the end", lambda text: text.removesuffix("\n")),
    ("a blank at the end", lambda text: text.rstrip(" \t")),
    ("a blank at the front", lambda text: text.lstrip(" \t")),
    ("white space around it", str.strip),
    ("a hyphen at the front", lambda text: text.lstrip("-")),
    ("zeros at the front", lambda text: text.lstrip("0")),
    ("percent-encoding", unquote),
    ("characters of other scripts that look alike", lambda text: unicodedata.normalize("NFKC", text)),
    ("accents that are left out", lambda text: _bare(text)),
)
"""What a sloppy endpoint puts right, and how."""


def _bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def _distinct(words: list[str]) -> list[str]:
    """Leave out what says once more, or in general terms, what comes before it."""
    return words[:1] if words and words[0] in _ENOUGH else words


_ENOUGH = frozenset(feature.words for feature in (*_OF_SPELLING, *_OF_SCRIPTS, *FEATURES_OF_BODIES))


def _spelt(value: Value) -> str:
    if value.type == "a text" and re.fullmatch(r"-?[0-9.]+", value.words):
        return "a number in quotes"
    if value.type == "a number" and isinstance(value.data, float) and not value.data.is_integer():
        return "a number with a fraction"
    return value.type


def _signs(value: Value) -> list[Feature]:
    """Return the features of the single signs in a text."""
    signs = dict.fromkeys(_SIGNS.findall(value.words))
    return [_of_text(f"the sign {sign}", lambda text, sign=sign: sign in text) for sign in signs]  # type: ignore[misc]


def _sizes(value: Value, unlike: list[Value]) -> list[Feature]:
    """Return the features of a text's length, or a number's size, beyond all others'."""
    if value.type == "a number":
        sizes = [other.data for other in unlike if other.type == "a number"]
        return _beyond(value.data, sizes, lambda other: other.data if other.type == "a number" else None, "{}")
    if not isinstance(value.data, str):
        return []
    lengths = [len(other.words) for other in unlike if isinstance(other.data, str)]

    def length(other: Value) -> int | None:
        return len(other.words) if isinstance(other.data, str) else None

    return _beyond(len(value.words), lengths, length, "{} characters" if len(value.words) != 1 else "{} character")


def _beyond(size: Any, sizes: list[Any], of: Callable[[Value], Any], words: str) -> list[Feature]:
    if not sizes:
        return []
    said = words.format(size)
    if size > (most := max(sizes)):
        return [Feature(f"{said}, more than {most}", lambda other: of(other) is not None and of(other) > most)]
    if size < (least := min(sizes)):
        return [Feature(f"{said}, less than {least}", lambda other: of(other) is not None and of(other) < least)]
    return []
