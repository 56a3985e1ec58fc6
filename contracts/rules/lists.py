"""L-PAGE, L-TOTAL: one page of a list."""

from __future__ import annotations

import re
from collections.abc import Iterator

from atlas_conformance.contracts.outcomes import Outcome, holds
from atlas_conformance.contracts.rulebook import rule
from atlas_conformance.contracts.views import PageView

_NOT_SHOWN = object()
_PAGE_NUMBER = re.compile(r"[?&]pageNum=([^&#]*)")


@rule("L-PAGE", on=PageView)
def a_page_always_has_results(page: PageView) -> Outcome:
    """A page has results, empty where there is nothing."""
    results = page.document.get("results", "none")
    held = isinstance(results, list)
    return holds(held, "results, empty where there is nothing", results, f"{page.pointer}/results")


@rule("L-PAGE", on=PageView)
def a_page_is_no_longer_than_asked_and_shows_each_once(page: PageView) -> Iterator[Outcome]:
    """A page holds at most as many results as were asked for, each once."""
    if page.asked is None:
        return
    size, results, pointer = page.asked[0], page.document["results"], f"{page.pointer}/results"
    yield holds(len(results) <= size, f"at most {size} results", f"{len(results)} results", pointer)
    # A job that shows no id is a matter of the schema: nobody can tell it from another.
    ids = [item["id"] for item in results if isinstance(item, dict) and isinstance(item.get("id"), str)]
    doubled = len(ids) - len(set(ids))
    yield holds(doubled == 0, "each job once", f"{doubled} doubled", pointer)


@rule("L-PAGE", on=PageView)
def a_list_without_pages_shows_its_results(page: PageView) -> Outcome | None:
    """A list that takes no page parameters shows all that it has as results."""
    if page.paged:
        return None
    results = page.document.get("results")
    return holds(isinstance(results, list), "results", results, f"{page.pointer}/results")


@rule("L-PAGE", on=PageView)
def a_total_is_not_told_where_it_is_declined(page: PageView) -> Outcome | None:
    """A page shows no totalCount with includeCount=false."""
    if page.request.parameter("includeCount") == "false" and page.asked is not None:
        total = page.document.get("totalCount", _NOT_SHOWN)
        seen = "none" if total is _NOT_SHOWN else total
        return holds(total is _NOT_SHOWN, "no totalCount with includeCount=false", seen, f"{page.pointer}/totalCount")
    return None


@rule("L-PAGE", on=PageView)
def a_total_is_a_count(page: PageView) -> Outcome | None:
    """totalCount, where it shows, is an integer from 0."""
    if page.asked is None or "totalCount" not in page.document:
        return None
    told = page.document["totalCount"]
    return holds(page.total is not None, "totalCount an integer from 0", told, f"{page.pointer}/totalCount")


@rule("L-TOTAL", on=PageView)
def the_total_fits_the_page(page: PageView) -> Iterator[Outcome]:
    """The number of all items fits what the page shows."""
    if page.asked is None or page.total is None:
        return
    (size, number), total, where = page.asked, page.total, f"{page.pointer}/totalCount"
    count, before = len(page.document["results"]), (number - 1) * size
    if count > size:
        return
    if count == size:
        held, expected = total >= before + count, f"totalCount at least {before + count}"
    elif count:
        held, expected = total == before + count, f"totalCount {before + count}, as this is the last page"
    else:
        held, expected = total <= before, f"totalCount at most {before}, as this page is empty"
    yield holds(held, expected, total, where)


@rule("L-PAGE", on=PageView)
def the_links_fit_the_page(page: PageView) -> Iterator[Outcome]:
    """Where links are shown, there is one to the page itself, and none to a next page after one that is not full.

    Whether something follows a full page, the next page alone can tell: see `judge_walk`.
    """
    if page.asked is None or page.relations is None:
        return
    relations, where = sorted(page.relations), f"{page.pointer}/links"
    yield holds("self" in relations, "links with rel self", relations, where)
    if len(page.document["results"]) < page.asked[0]:
        yield holds("next" not in relations, "no link with rel next on the last page", relations, where)


@rule("L-PAGE", on=PageView)
def the_next_page_is_another_one(page: PageView) -> Outcome | None:
    """The link to the next page does not lead to the page itself again, and a page number in it is the next one."""
    following = page.leads_to("next") if page.asked is not None else None
    if page.asked is None or following is None:
        return None
    number = _PAGE_NUMBER.search(following)
    held = following != page.leads_to("self") and (number is None or number[1] == str(page.asked[1] + 1))
    expected = f"a link with rel next that leads to page {page.asked[1] + 1}"
    return holds(held, expected, following, f"{page.pointer}/links")


@rule("L-TOTAL", on=PageView)
def the_total_fits_the_links(page: PageView) -> Outcome | None:
    """A link to a next page shows exactly where the number of all items says that there is one."""
    if page.asked is None or page.relations is None or page.total is None:
        return None
    (size, number), total = page.asked, page.total
    if len(page.document["results"]) != size:
        return None
    owed = total > size * number
    expected = "a totalCount that agrees with the links: rel next exactly where more items follow"
    seen = f"totalCount {total} {'without' if owed else 'with'} rel next"
    return holds(("next" in page.relations) == owed, expected, seen, f"{page.pointer}/totalCount")
