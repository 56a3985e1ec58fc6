"""ECMA-262 patterns."""

from __future__ import annotations

import unicodedata

import jsonschema_rs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.patterns import UnsupportedPattern, compile_pattern

HEX = "^([a-f0-9]{24})$"
NAME = "^[a-zA-Z0-9][a-zA-Z0-9-]*$"
ITEM = r"^[\p{L}\p{N}\-_.(),:&@+']{1,64}$"


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (HEX, "a" * 24, True),
        (HEX, "a" * 24 + "\n", False),
        (HEX, "a" * 23, False),
        (HEX, "a" * 25, False),
        (HEX, "A" * 24, False),
        (HEX, "٣" * 24, False),
        (NAME, "Cluster0", True),
        (NAME, "Cluster0\n", False),
        (NAME, "-Cluster0", False),
        (NAME, "Größe", False),
        (NAME, "a" * 65, True),
        (ITEM, "Größe", True),
        (ITEM, "Кластер", True),
        (ITEM, "数据", True),
        (ITEM, "٣", True),
        (ITEM, "'&@+()-_.,:", True),
        (ITEM, "a b", False),
        (ITEM, "a\n", False),
        (ITEM, "", False),
        (ITEM, "\U0001d49c" * 64, True),
        (ITEM, "\U0001d49c" * 65, False),
        (ITEM, "e\u0301", False),
        (r"^\d$", "٣", False),
        (r"^\D$", "٣", True),
        (r"^\w$", "é", False),
        (r"^\W$", "é", True),
        (r"^\s$", "\ufeff", True),
        (r"^\s$", "\x1c", False),
        (r"^\S$", "\x1c", True),
        (r"^[\s\d]$", "\u3000", True),
        (r"^.$", "\u2028", False),
        (r"^.$", "\x85", True),
        (r"^a$", "b\na", False),
        (r"a", "bab", True),
        (r"^a|b$", "ax", True),
        (r"^(?:a|b)+?$", "abba", True),
        (r"^a(?=b)b(?!c)", "abd", True),
        (r"^a(?=b)b(?!c)", "abc", False),
        (r"^a{2,}$", "aaa", True),
        (r"^a{2,3}$", "aaaa", False),
        (r"^[^a]$", "\n", True),
        (r"^[]$", "a", False),
        (r"[]", "", False),
        (r"^[^]$", "\n", True),
        (r"^[a\-z]$", "b", False),
        (r"^[a-]$", "-", True),
        (r"^[\u0041-\u{43}]$", "B", True),
        (r"^\x41\t\.$", "A\t.", True),
        (r"^\u{1F600}$", "😀", True),
        (r"^[[&&a]$", "&", True),
        (r"^\P{L}$", "1", True),
        (r"^\p{Lu}$", "Ä", True),
        (r"^\/ \#$".replace(r"\#", "#"), "/ #", True),
        (r"^[\b]$", "\b", True),
        (r"^\0$", "\0", True),
    ],
)
def test_a_pattern_means_what_ecma_262_says(pattern: str, text: str, expected: bool) -> None:
    assert compile_pattern(pattern).matches(text) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        "(", ")", "[", "[a", "a{", "a{1", "{1}", "*", "+a", "a**", "a++", "a{2}{3}", "a{3,2}", "]", "}", "^*",
        r"\b", r"\B", r"\1", r"\k<n>", r"(?<n>a)", r"(?<=a)", r"(?i)a", r"(?i:a)", r"\p{Script=Greek}", r"\p{Alpha}",
        r"\pL", r"\p{L", r"[\D]", r"[a-\d]", r"[\p{L}-z]", "[z-a]", r"\e", r"\#", r"\x4", r"\u00", r"\u{110000}",
        r"\u{}", r"\u{41", r"\ud83d\ude00", r"\00", r"\ca", "\\", r"[\B]", r"(?=a)*", r"\Z", r"\A", r"\p{LC}",
        r"\u{+1}", r"\x 4",
    ],
)  # fmt: skip
def test_what_could_mean_something_else_is_refused(pattern: str) -> None:
    with pytest.raises(UnsupportedPattern, match="cannot be used: "):
        compile_pattern(pattern)


def patterns_in(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {node["pattern"]} if isinstance(node.get("pattern"), str) else set()
        return own.union(*(patterns_in(child) for child in node.values()))
    if isinstance(node, list):
        return set().union(*(patterns_in(child) for child in node))
    return set()


PATTERNS = sorted(patterns_in([dict(schema) for schema in Contract.load().schemas.documents.values()]))
CHARACTERS = st.characters(exclude_categories=["Cs", "Cn"])
TEXT = st.one_of(
    st.text(CHARACTERS),
    st.text("abcdef0123456789", min_size=22, max_size=25),
    st.text("abZ9-_.é数\U0001d49c٣ \n", max_size=66),
    st.builds(str.__mul__, CHARACTERS, st.sampled_from([1, 23, 24, 25, 63, 64, 65])),
)
ENDINGS = st.sampled_from(["", "", "", "\n", "\r", "\u2028", " ", "\0"])


def test_the_schemas_patterns_are_those_of_the_contract() -> None:
    assert set(PATTERNS) >= {HEX, NAME, ITEM}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_another_engine_agrees_on_the_schemas_patterns(pattern: str) -> None:
    other = jsonschema_rs.Draft202012Validator({"pattern": pattern})

    @settings(max_examples=400, deadline=None)
    @example(text="a" * 24, ending="\n")
    @example(text="\U0001d49c" * 64, ending="")
    @example(text="\U0001d49c" * 64, ending="\U0001d49c")
    @given(text=TEXT, ending=ENDINGS)
    def agrees(text: str, ending: str) -> None:
        assert compile_pattern(pattern).matches(text + ending) is other.is_valid(text + ending)

    agrees()


def test_both_engines_know_the_same_letters_and_numbers() -> None:
    """They may know different versions of Unicode, but agree on what Python's own tables already hold."""
    other = jsonschema_rs.Draft202012Validator({"pattern": ITEM})
    matcher = compile_pattern(ITEM)
    points = [chr(point) for point in range(0x30000) if not 0xD800 <= point <= 0xDFFF]
    differing = [point for point in points if matcher.matches(point) is not other.is_valid(point)]
    assert [point for point in differing if unicodedata.category(point) != "Cn"] == []
    assert all(matcher.matches(point) for point in differing), "a document that only the faster one takes"


@pytest.mark.parametrize("pattern", [HEX, NAME, ITEM])
def test_lone_surrogates_match_nothing(pattern: str) -> None:
    assert not compile_pattern(pattern).matches("\ud800")
