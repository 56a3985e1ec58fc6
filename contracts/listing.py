"""Lists: which page a request asks for, what a page shows, and the pages of one walk together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.verdicts import Verdicts

DEFAULT_ITEMS_PER_PAGE = 100
_OF_FORM = frozenset({"envelope", "pretty", "itemsPerPage", "pageNum", "includeCount"})
"""Query parameters that leave a list what it is."""


def listed(document: Mapping[str, Any], pointer: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each job of a list answer with the pointer to it; members that are no objects are left to C-SCHEMA."""
    results = document.get("results")
    if isinstance(results, list):
        for i, job in enumerate(results):
            if isinstance(job, dict):
                yield f"{pointer}/results/{i}", job


def page_of(request: Request) -> tuple[int, int] | None:
    """Return (itemsPerPage, pageNum) that a list request asks for; None where it asks for something out of range."""
    numbers = []
    for name, default, most in (("itemsPerPage", DEFAULT_ITEMS_PER_PAGE, 500), ("pageNum", 1, 10**9)):
        value = request.parameter(name)
        if value is None:
            numbers.append(default)
        elif value.isascii() and value.isdigit() and 1 <= int(value[:12]) <= most:
            numbers.append(int(value))
        else:
            return None
    return numbers[0], numbers[1]


def is_whole(request: Request, document: Mapping[str, Any], shown: int) -> bool:
    """Tell whether one page with this number of items is the whole list; one that has a next page is not."""
    links = document.get("links")
    if isinstance(links, list) and any(isinstance(link, dict) and link.get("rel") == "next" for link in links):
        return False
    page = page_of(request)
    filtered = any(name not in _OF_FORM for name, _ in request.query)
    return page is not None and page[1] == 1 and shown < page[0] and not filtered


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _judge_next(page: Mapping[str, Any], owed: bool, verdicts: Verdicts) -> None:
    links = page.get("links")
    if isinstance(links, list):
        relations = sorted(str(link.get("rel")) for link in links if isinstance(link, dict))
        expected = "links with rel next, as a next page is" if owed else "no rel next, as the next page is empty"
        verdicts.check("L-PAGE", ("next" in relations) == owed, expected, relations, "/response/body/links")


def judge_walk(
    pages: Sequence[Mapping[str, Any]],
    expected_ids: frozenset[str],
    verdicts: Verdicts,
    shown_whole: frozenset[str] = frozenset(),
) -> None:
    """Judge the pages of one walk through a list that nothing changed meanwhile.

    L-PAGE: no job stands on two pages, none is lost that the list shows on one page (`shown_whole`), and links, where
    shown, lead to a next page exactly where that shows something. L-TOTAL: every page tells the same `totalCount`, the
    number of jobs seen. L-FOUND: every other id of `expected_ids` is seen.
    """
    jobs = [job for page in pages for _, job in listed(page, "")]
    ids = [job["id"] for job in jobs if isinstance(job.get("id"), str)]
    doubled = sorted({i for i in ids if ids.count(i) > 1}) if len(set(ids)) < len(ids) else []
    verdicts.check(
        "L-PAGE", not doubled, "pages that do not overlap", f"{len(doubled)} jobs doubled", "/response/body/results"
    )
    totals = {page["totalCount"] for page in pages if _is_count(page.get("totalCount"))}
    if totals:
        count = len(set(ids)) + len(jobs) - len(ids)
        held = totals == {count}
        expected = f"totalCount {count}, the number of jobs on all pages"
        verdicts.check("L-TOTAL", held, expected, sorted(totals), "/response/body/totalCount")
    for page, following in pairwise(pages):
        _judge_next(page, bool(following.get("results")), verdicts)
    lost = sorted(expected_ids - set(ids))
    between = [one for one in lost if one in shown_whole]
    if between:
        expected, seen = "every job of the list on one of its pages", f"{len(between)} lost, such as {between[0]}"
        verdicts.failed("L-PAGE", expected, seen, "/response/body/results")
    elif expected_ids:
        seen = f"{len(lost)} lost, such as {lost[0]}" if lost else "none lost"
        verdicts.check("L-FOUND", not lost, "every created job in the list", seen, "/response/body/results")
