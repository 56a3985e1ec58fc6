"""A share of the cases: at least one of each requirement, and all of them over as many turns as the share."""

from __future__ import annotations

from collections import Counter

import pytest

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.strategies.requests import Case
from atlas_conformance.strategies.sampling import sample

CASES = [Case(Request("GET", f"/{i}"), ("A-NONE", "A-WRONG", None)[i % 3 if i < 9 else 0], str(i)) for i in range(20)]


def test_without_a_share_every_case_is_kept() -> None:
    assert sample(iter(CASES), 1, 3) == CASES


@pytest.mark.parametrize("share", [2, 3, 5, 50])
def test_each_requirement_keeps_a_case_and_together_the_turns_keep_all(share: int) -> None:
    seen: Counter[str] = Counter()
    for turn in range(share):
        kept = sample(CASES, share, turn)
        assert {case.breaks for case in kept} == {"A-NONE", "A-WRONG", None}
        assert kept == [case for case in CASES if case in kept], "the order stays"
        seen.update(case.what for case in kept)
    assert seen.keys() == {case.what for case in CASES}
    assert max(seen.values()) <= -(-share // 3), "no case is sent much oftener than others"


def test_plain_requests_count_as_one_group() -> None:
    requests = [case.request for case in CASES]
    assert sample(requests, 5, 1) == requests[1::5]


def test_of_no_cases_none_is_kept() -> None:
    assert sample([], 5, 2) == []
