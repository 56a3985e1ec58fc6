"""L-PAGE: one page of a list."""

from __future__ import annotations

from collections.abc import Iterator

from atlas_conformance.contracts.outcomes import Outcome, holds
from atlas_conformance.contracts.rulebook import rule
from atlas_conformance.contracts.views import PageView


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
def the_total_fits_the_page(page: PageView) -> Iterator[Outcome]:
    """The number of all items is told unless it was declined, and fits what the page shows."""
    if page.asked is None:
        return
    (size, number), total, where = page.asked, page.total, f"{page.pointer}/totalCount"
    if total is None:
        if page.request.parameter("includeCount") in (None, "true"):
            yield holds(False, "totalCount, the number of jobs", page.document.get("totalCount"), where)
        return
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
    """Where links are shown, there is one to the page itself, and one to a next page exactly where there is one."""
    links = page.document.get("links")
    if page.asked is None or links is None:
        return
    (size, number), total, where = page.asked, page.total, f"{page.pointer}/links"
    relations = [link.get("rel") for link in links if isinstance(link, dict)] if isinstance(links, list) else []
    yield holds("self" in relations, "links with rel self", relations, where)
    if total is not None:
        owed = total > size * number
        expected = "links with rel next, as a next page is" if owed else "no link with rel next on the last page"
        yield holds(("next" in relations) == owed, expected, relations, where)
