"""Lists: L-PAGE and L-TOTAL on one page and on a walk, and the jobs on a page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.judge import Judge
from atlas_conformance.contracts.listing import judge_walk, listed, page_of
from atlas_conformance.contracts.verdicts import Verdicts
from tests.strategies.scenery import KNOWN, answer, dedicated_job, failed, flex_job, held, page, request


def job_id(number: int) -> str:
    return f"{number:024x}"


def one(query: dict[str, str] | None, document: Any, name: str = "flex-list") -> Judgement:
    return Judge(knowledge=KNOWN).judge(answer(request(name, query=query), document))


def page_at(size: int, number: int, total: int, **changes: Any) -> dict[str, Any]:
    """Page `number` of a list of `total` jobs, as a conforming endpoint shows it."""
    first = (number - 1) * size
    jobs = [flex_job(id=job_id(i)) for i in range(first, min(first + size, total))]
    rels = ["self"] + (["previous"] if number > 1 else []) + (["next"] if total > size * number else [])
    return page(*jobs, rels=rels, **({"totalCount": total} | changes))


def asked(size: int, number: int) -> dict[str, str]:
    return {"itemsPerPage": str(size), "pageNum": str(number)}


@settings(max_examples=40, deadline=None)
@given(size=st.integers(1, 7), number=st.integers(1, 6), total=st.integers(0, 20))
def test_every_page_of_a_list_is_in_form(size: int, number: int, total: int) -> None:
    judgement = one(asked(size, number), page_at(size, number, total))
    assert judgement.findings == ()
    assert "L-PAGE" in held(judgement)


@settings(max_examples=40, deadline=None)
@given(size=st.integers(1, 7), total=st.integers(0, 20), wrong=st.integers(-3, 3).filter(bool))
def test_a_wrong_count_is_found_on_the_last_page(size: int, total: int, wrong: int) -> None:
    number = max(1, -(-total // size))
    document = page_at(size, number, total, totalCount=max(0, total + wrong))
    found = failed(one(asked(size, number), document))
    assert found == ({"L-TOTAL"} if total + wrong >= 0 or total else set())


@pytest.mark.parametrize(
    ("address", "held"),
    [
        ("/jobs?itemsPerPage=2&pageNum=3", True),
        ("/jobs?after=65f1", True),
        ("http://[", True),
        (None, True),
        ("/jobs?itemsPerPage=2&pageNum=2", False),
        ("/jobs?pageNum=1&itemsPerPage=2", False),
        ("https://example.net/self", False),
    ],
)
def test_the_link_to_the_next_page_leads_there(address: str | None, held: bool) -> None:
    document = page_at(2, 2, 9)
    next(link for link in document["links"] if link["rel"] == "next")["href"] = address
    assert ("L-PAGE" not in failed(one(asked(2, 2), document))) == held


def test_the_default_page_has_a_hundred_jobs() -> None:
    assert one(None, page_at(100, 1, 250)).findings == ()
    assert failed(one(None, page_at(101, 1, 250))) == {"L-PAGE"}


@pytest.mark.parametrize(
    "changes",
    [{"totalCount": -1}, {"links": []}, {"links": [{"rel": "next"}]}],
)
def test_a_page_out_of_form_is_l_page(changes: dict[str, Any]) -> None:
    assert "L-PAGE" in failed(one(asked(2, 1), page_at(2, 1, 3) | changes))


def test_a_page_without_a_readable_count_is_found() -> None:
    assert one(asked(2, 1), page_at(2, 1, 3, totalCount=None)).findings == ()  # which leaves it out
    for value in (None, "3", 1.5, [3]):
        assert failed(one(asked(2, 1), page_at(2, 1, 3) | {"totalCount": value})) & {"L-PAGE", "C-SCHEMA"}


def test_a_next_link_shows_exactly_where_a_next_page_is() -> None:
    first, last = page_at(2, 1, 3), page_at(2, 2, 3)
    # On a full page either the number of jobs or the link is wrong; which, a walk tells.
    assert failed(one(asked(2, 1), first | {"links": [{"rel": "self"}]})) == {"L-TOTAL"}
    assert "L-PAGE" in failed(walked([first | {"links": [{"rel": "self"}]}, last]))
    assert walked([first, last]).findings == ()
    full = page_at(2, 1, 2)
    assert "L-PAGE" in failed(walked([full | {"links": [{"rel": "self"}, {"rel": "next"}]}, page_at(2, 2, 2)]))
    assert failed(one(asked(2, 2), last | {"links": [*last["links"], {"rel": "next"}]})) == {"L-PAGE"}


def test_a_job_twice_on_a_page_is_l_page() -> None:
    assert failed(one(asked(5, 1), page(flex_job(), flex_job()))) == {"L-PAGE"}


def test_more_jobs_than_asked_for_is_l_page() -> None:
    jobs = [flex_job(id=job_id(i)) for i in range(3)]
    assert failed(one(asked(2, 1), page(*jobs))) == {"L-PAGE"}


def test_a_page_that_does_not_move_is_l_total() -> None:
    assert "L-TOTAL" in failed(one(asked(2, 9), page(flex_job())))


def test_the_count_may_be_declined() -> None:
    document = page_at(5, 1, 3, totalCount=None)
    assert one(asked(5, 1) | {"includeCount": "false"}, document).findings == ()
    assert one(asked(5, 1) | {"includeCount": "true"}, document).findings == ()
    assert failed(one(asked(5, 1) | {"includeCount": "false"}, page_at(5, 1, 3))) == {"L-PAGE"}


@pytest.mark.parametrize("value", ["perhaps", "TRUE", "0", ""])
def test_an_odd_include_count_may_mean_either(value: str) -> None:
    """No rule says how a value that is no boolean is read, so the count may be there or not."""
    for count in (3, None):
        assert one(asked(5, 1) | {"includeCount": value}, page_at(5, 1, 3, totalCount=count)).findings == ()


@pytest.mark.parametrize(
    "query", [{"itemsPerPage": "0"}, {"itemsPerPage": "501"}, {"pageNum": "0"}, {"pageNum": "x"}, {"itemsPerPage": "٣"}]
)
def test_out_of_range_anything_in_form_is_right(query: dict[str, str]) -> None:
    assert page_of(request("flex-list", query=query)) is None
    assert one(query, page_at(2, 1, 9)).findings == ()


def test_every_job_on_a_page_is_judged_where_it_stands() -> None:
    jobs = [flex_job(id=job_id(i)) for i in range(3)]
    jobs[2]["status"] = "DONE"
    pointers = {f.pointer for f in one(None, page(*jobs)).findings}
    assert pointers == {"/response/body/results/2/status"}
    dedicated = one(None, page(dedicated_job(failed=True, cancelled=True)), "cluster-list")
    assert [f.pointer for f in dedicated.findings] == ["/response/body/results/0/failed"]


def test_members_that_are_no_objects_are_left_to_the_schema() -> None:
    assert list(listed({"results": [1, {"id": "a"}, None]}, "/x")) == [("/x/results/1", {"id": "a"})]
    assert list(listed({"results": {}}, "")) == []
    assert "C-SCHEMA" in failed(one(None, page() | {"results": [1]}))
    assert "C-SCHEMA" in failed(one(None, {"links": [{"rel": "self"}], "results": {}, "totalCount": 0}))


def walked(pages: list[dict[str, Any]], owed: frozenset[str] = frozenset()) -> Judgement:
    verdicts = Verdicts("flex-list")
    judge_walk(pages, owed, verdicts)
    return verdicts.judgement()


@settings(max_examples=40, deadline=None)
@given(size=st.integers(1, 7), total=st.integers(0, 20))
def test_a_walk_of_a_quiet_list_is_in_form(size: int, total: int) -> None:
    pages = [page_at(size, number, total) for number in range(1, total // size + 2)]
    judgement = walked(pages, frozenset(job_id(i) for i in range(total)))
    assert judgement.findings == ()


@settings(max_examples=40, deadline=None)
@given(size=st.integers(1, 5), total=st.integers(2, 15), data=st.data())
def test_a_walk_that_doubles_or_loses_a_job_is_found(size: int, total: int, data: st.DataObject) -> None:
    pages = [page_at(size, number, total) for number in range(1, total // size + 2)]
    full = [p for p in pages if p["results"]]
    victim = data.draw(st.integers(0, len(full) - 1))
    owed = frozenset(job_id(i) for i in range(total))
    lost = [dict(p) for p in full]
    lost[victim]["results"] = lost[victim]["results"][:-1]
    assert failed(walked(lost, owed)) >= {"L-TOTAL", "L-FOUND"}
    doubled = [dict(p) for p in full]
    doubled[victim]["results"] = [*doubled[victim]["results"], doubled[victim]["results"][0]]
    assert "L-PAGE" in failed(walked(doubled, owed))


def test_a_walk_whose_pages_disagree_on_the_count_is_l_total() -> None:
    pages = [page_at(2, 1, 3), page_at(2, 2, 3, totalCount=4)]
    assert failed(walked(pages)) == {"L-TOTAL"}
    uncounted = [{k: v for k, v in p.items() if k != "totalCount"} for p in pages]
    assert walked(uncounted).findings == ()


def test_a_job_that_one_large_page_shows_is_lost_between_pages() -> None:
    pages = [page_at(2, 1, 4), page_at(2, 3, 4)]
    owed = frozenset(job_id(number) for number in range(4))
    lost = walked(pages, owed)
    assert {finding.requirement for finding in lost.findings if finding.pointer.endswith("/results")} == {"L-FOUND"}
    verdicts = Verdicts("flex-list")
    judge_walk(pages, owed, verdicts, shown_whole=owed)
    found = [finding for finding in verdicts.judgement().findings if finding.pointer.endswith("/results")]
    assert {finding.requirement for finding in found} == {"L-PAGE"}
    assert "2 lost, such as " in found[0].seen
