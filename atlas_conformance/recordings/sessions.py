"""Jobs followed through recordings, and the pages of a HAR file between which they are not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from atlas_conformance.contracts.chronicle import Chronicle
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.judge import Judge
from atlas_conformance.contracts.knowledge import Knowledge

_NONE: Counter[tuple[str, str, str]] = Counter()
_MOST_PAGES = 16
"""How many pages are followed at the same time; of more, the one seen longest ago is forgotten."""


@dataclass
class _Page:
    chronicle: Chronicle
    alone: bool = False


class PagesDiffer(Exception):
    """A job fails because of what other pages show, so pages have to be followed one by one."""


class Sessions:
    """Judges exchanges in their order, each in the light of those before it.

    Where a recording is followed by page, a page whose jobs fail only because of what other pages show is a session of
    its own: a new client, or a mock that began again with the same ids. From then on it is followed alone, and pages
    after it are compared with it.

    To follow each page by itself takes twice the time, so it is done only once it is known to be needed: before, such a
    failure raises PagesDiffer.
    """

    def __init__(self, knowledge: Knowledge, remember: int, *, page_by_page: bool) -> None:
        """Know nothing of any job yet; of more than `remember` jobs the one seen longest ago is forgotten.

        `page_by_page` says that pages are known to differ.
        """
        self.knowledge = knowledge
        self.parted: list[str] = []
        self._remember = remember
        self._page_by_page = page_by_page
        self._joined = Chronicle(knowledge, remember=remember)
        self._recording = ""
        self._paged = False
        self._pages: dict[str, _Page] = {}

    def know(self, knowledge: Knowledge) -> None:
        """Forget all jobs, and judge in the light of `knowledge` from now on."""
        self.knowledge = knowledge
        self._joined = Chronicle(knowledge, remember=self._remember)
        self._pages = {}

    def begin(self, recording: str, *, paged: bool) -> None:
        """Note that another recording begins, and whether it has several pages that may be sessions of their own."""
        self._recording = recording
        self._paged = paged
        self._pages = {}

    def feed(self, exchange: Exchange, page: str | None) -> Judgement:
        """Judge one more exchange, which belongs to `page` of the recording, or (None) to no page.

        Raises PagesDiffer where pages are not followed one by one and have to be.
        """
        if page is None or not self._paged:
            return self._joined.tell(exchange).judgement
        if not self._page_by_page:
            joined = self._joined.tell(exchange).judgement
            failures = _failures(joined)
            if failures and failures - _failures(Judge(knowledge=self.knowledge).judge_sent(exchange)):
                raise PagesDiffer
            return joined
        own = self._page(page)
        alone = own.chronicle.tell(exchange).judgement
        if own.alone:
            return alone
        joined = self._joined.tell(exchange).judgement
        more = _failures(joined) - _failures(alone)
        if not more:
            return joined
        own.alone = True
        self._joined = own.chronicle
        requirement = next(iter(more))[0]
        self.parted.append(
            f"Page {page} of {self._recording} is taken for a session of its own: compared with other pages, its jobs"
            f" would fail {requirement} (--sessions one does so)."
        )
        return alone

    def _page(self, name: str) -> _Page:
        page = self._pages.pop(name, None)
        if page is None:
            page = _Page(Chronicle(self.knowledge, remember=self._remember))
            if len(self._pages) >= _MOST_PAGES:
                del self._pages[next(iter(self._pages))]
        self._pages[name] = page
        return page


def _failures(judgement: Judgement) -> Counter[tuple[str, str, str]]:
    found = [finding for finding in judgement.findings if finding.fails]
    return Counter((finding.requirement, finding.operation, finding.pointer) for finding in found) if found else _NONE
