"""Jobs followed through recordings, and the pages of a HAR file between which they are not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from atlas_conformance.contracts.chronicle import Chronicle
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.knowledge import Knowledge

_MOST_PAGES = 16
"""So many pages are followed at the same time; of more, the one seen longest ago is forgotten."""


@dataclass
class _Page:
    chronicle: Chronicle
    alone: bool = False


class Sessions:
    """Judges exchanges in their order, each in the light of those before it.

    Where a recording is followed by page, a page whose jobs fail only because of what other pages show is a session of
    its own: a new client, or a mock that began anew with the same ids. From then on it is followed alone, and pages after
    it are held against it.
    """

    def __init__(self, knowledge: Knowledge, remember: int, parted: list[str] | None = None) -> None:
        """Know nothing of any job yet; of more than `remember` jobs the one seen longest ago is forgotten. `parted` are
        sentences on pages that were sessions of their own before.
        """
        self.knowledge = knowledge
        self.parted = [] if parted is None else parted
        self._remember = remember
        self._joined = Chronicle(knowledge, remember=remember)
        self._recording = ""
        self._by_page = False
        self._pages: dict[str, _Page] = {}

    def begin(self, recording: str, *, by_page: bool) -> None:
        """Note that another recording begins, and whether it is followed by page."""
        self._recording = recording
        self._by_page = by_page
        self._pages = {}

    def feed(self, exchange: Exchange, page: str | None) -> Judgement:
        """Judge one more exchange, which belongs to `page` of the recording, or (None) to no page."""
        if page is None or not self._by_page:
            return self._joined.feed(exchange)
        own = self._page(page)
        alone = own.chronicle.feed(exchange)
        if own.alone:
            return alone
        joined = self._joined.feed(exchange)
        more = _failures(joined) - _failures(alone)
        if not more:
            return joined
        own.alone = True
        self._joined = own.chronicle
        requirement = next(iter(more))[0]
        self.parted.append(
            f"{page} of {self._recording} is taken for a session of its own: with other pages, its jobs would fail"
            f" {requirement} (--sessions one joins all pages)."
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
    found = (finding for finding in judgement.findings if finding.departure is None)
    return Counter((finding.requirement, finding.operation, finding.pointer) for finding in found)
