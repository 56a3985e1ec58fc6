"""Lists under load: what a page must show when jobs come in while it is read (L-PAGE, L-FOUND).

Pages that are read one after the other while jobs are created may rightly overlap. What one page shows is another
matter: it is a window on the list at one moment. Jobs that have ended no longer change, so two of them keep their
order, whatever the list is ordered by. A page that shows what stands on both sides of such a job must show the job.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.resources import Resource

SIGHTINGS = 6
"""How many earlier pages of each list are kept to compare with."""

FLOORS = 2_048
"""How many steps of the number of jobs that a list has shown are kept."""


def is_settled(resource: Resource, document: Mapping[str, Any]) -> bool:
    """Whether a document of a job no longer changes: it has ended, and is no download, whose URL may lapse."""
    download = document.get("deliveryType") in ("download", "DOWNLOAD")
    return not download and resource.ended(document)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One page as it was seen: the settled jobs on it in their order, and the exchange."""

    ids: tuple[str, ...]
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Lost:
    """Settled jobs that a page left out, and the earlier exchange that showed them between two that the page shows."""

    jobs: tuple[str, ...]
    before: Exchange


@dataclass
class ListMemory:
    """What is remembered of one list: the last pages, and how many of the run's jobs it had shown by when."""

    orderly: bool = True
    """False once two settled jobs were seen in either order: then nothing follows from where a job stands."""
    _pages: deque[Sighting] = field(default_factory=lambda: deque(maxlen=SIGHTINGS))
    _times: list[float] = field(default_factory=list)
    _counts: list[int] = field(default_factory=list)
    _shown: int = 0

    def see(
        self,
        settled: Sequence[str],
        shown: frozenset[str],
        exchange: Exchange,
        kept: Callable[[str], bool] = lambda job: True,
    ) -> Lost | None:
        """Take one more page, and return what it lost.

        `settled` are the ids of the settled jobs on it in their order, `shown` all ids on it. `kept` tells of an id
        whether the list must go on showing it.
        """
        lost: Lost | None = None
        places = {job: place for place, job in enumerate(settled)}
        for page in self._pages:
            if not self.orderly:
                break
            if page.exchange.ended > exchange.started:
                continue  # they overlap in time, so the job may have come in between
            common = [place for place, job in enumerate(page.ids) if job in places]
            if len(common) < 2:
                continue
            order = [places[page.ids[place]] for place in common]
            if any(after < before for before, after in pairwise(order)):
                self.orderly = False
                break
            between = page.ids[common[0] : common[-1] + 1]
            missing = tuple(job for job in between if job not in shown and kept(job))
            if missing and (lost is None or len(missing) > len(lost.jobs)):
                lost = Lost(missing, page.exchange)
        if len(settled) > 1:
            self._pages.append(Sighting(tuple(settled), exchange))
        return lost if self.orderly else None

    def count(self, jobs: int, ended: float) -> None:
        """Note that this many jobs of the run were shown for the first time, by an exchange that ended then."""
        self._shown += jobs
        latest = max(ended, self._times[-1]) if self._times else ended
        self._times.append(latest)
        self._counts.append(self._shown)
        if len(self._times) > FLOORS:
            del self._times[: FLOORS // 2]
            del self._counts[: FLOORS // 2]

    def floor(self, started: float) -> int:
        """How many jobs of the run the list had shown, at least, before an exchange that started then."""
        place = bisect_right(self._times, started)
        return self._counts[place - 1] if place else 0
