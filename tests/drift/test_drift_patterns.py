"""The lengths that patterns imply, and one spelling for those that mean the same."""

from __future__ import annotations

import re
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas_conformance.contracts.drift.pattern_facts import pattern_facts


@pytest.mark.parametrize(
    ("pattern", "least", "most"),
    [
        ("^([a-f0-9]{24})$", 24, 24),
        ("^[a-zA-Z0-9][a-zA-Z0-9-]*$", 1, inf),
        (r"^[\p{L}\p{N}\-_.(),:&@+']{1,64}$", 1, 64),
        ("[a-f]{3}", 3, inf),
        ("^a|b$", 1, inf),
        ("^(a|bcd)$", 1, 3),
        ("(^a$|^bcd$)", 1, 3),
        ("^(?=.{2,9}$)[a-z]+$", 1, inf),
        ("^(ab){2,3}c?$", 4, 7),
        (r"^\u{1F600}\x41$", 2, 2),
        ("", 0, inf),
        ("^$", 0, 0),
        (r"^(a)\1$", 0, inf),
        ("(", 0, inf),
        ("(" * 5_000, 0, inf),
    ],
)
def test_the_lengths_that_a_pattern_implies(pattern: str, least: int, most: float) -> None:
    facts = pattern_facts(pattern)
    assert (facts.least, facts.most) == (least, most)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("^[a-f0-9]{24}$", "^([0-9a-f]{24})$", True),
        (r"^\d+$", "^[0-9][0-9]*$", True),
        ("^aa$", "^a{2}$", True),
        ("^(?:a|b)$", "^(b|a)$", True),
        (r"^[\w-]+$", r"^[-A-Za-z0-9_]{1,}$", True),
        ("^[a-f]{24}$", "^[a-f]{23}$", False),
        ("^[a-f]$", "[a-f]", False),
        ("^[^a]$", "^[a]$", False),
        ("^(ab)+$", "^ab+$", False),
        ("^a.b$", r"^a\.b$", False),
    ],
)
def test_one_spelling_for_what_means_the_same(one: str, other: str, same: bool) -> None:
    assert (pattern_facts(one).plain == pattern_facts(other).plain) is same


_ATOMS = st.sampled_from(["a", "b", "[ab]", "(ab|c)", "(a)", r"\d", "(?:b{2})"])
_TIMES = st.sampled_from(["", "?", "{2}", "{1,3}", "{0,2}"])


@given(st.lists(st.tuples(_ATOMS, _TIMES), max_size=5), st.text("abc1", max_size=12))
def test_no_text_that_a_pattern_takes_is_out_of_its_lengths(parts: list[tuple[str, str]], text: str) -> None:
    pattern = "^" + "".join(atom + times for atom, times in parts) + "$"
    facts = pattern_facts(pattern)
    if re.fullmatch(pattern[1:-1], text):
        assert facts.least <= len(text) <= facts.most
    assert facts.most < inf
