"""What load records say together: throughput, latencies and findings over time, and the exact counts of a run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from atlas_conformance.load.histogram import Histogram
from atlas_conformance.load.record import ADVICE, FILE, End, Key, Pair, Sent, Start, read_record
from atlas_conformance.load.summary import Summary
from atlas_conformance.reports.journal import JournalError

INTERVALS = 240
"""How many intervals a run is cut into at most: they start a second wide and double in width as it goes on."""

PACED = frozenset({429})
"""Statuses that only ask to come back later: they are counted, and their latency says nothing."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the run: its name, how many requests it judged, and why its part ended early, or None."""

    name: str
    requests: int
    partial: str | None = None


@dataclass
class Load:
    """All that the load records of one run say.

    `origin` is the epoch second at which it began and `width` the seconds of each interval. `cells` holds a histogram
    of latencies for each (operation, status) and interval; the operation is empty where a request reached none.
    `findings` counts those of each key, known departures and advice left out, by interval; `held`, `advice`
    and `departures` count exchanges.
    """

    origin: float = 0.0
    width: float = 1.0
    requests: int = 0
    last: float = 0.0
    cells: defaultdict[tuple[str, int], dict[int, Histogram]] = field(default_factory=lambda: defaultdict(dict))
    findings: defaultdict[Key, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    held: Counter[Pair] = field(default_factory=Counter)
    failed: Counter[Pair] = field(default_factory=Counter)
    advice: Counter[Key] = field(default_factory=Counter)
    departures: Counter[tuple[str, str]] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    jobs: Counter[tuple[str, str]] = field(default_factory=Counter)
    whole_jobs: int = 0
    parts: list[Part] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Seconds from the start to the last answer."""
        return max(0.0, self.last - self.origin)

    def add(self, sent: Sent) -> None:
        """Count one request."""
        self.requests += 1
        self.last = max(self.last, sent.ended)
        interval = self.interval(sent.ended)
        histogram = self.cells[sent.operation or "", sent.status].setdefault(interval, Histogram())
        histogram.add(sent.latency)
        self.held.update(sent.held)
        if sent.cause is not None:
            self.causes[sent.cause] += 1
        self.failed.update({(key[0], key[1]) for key, departure in sent.found if departure is None})
        for key, departure in sent.found:
            if departure is None:
                self.findings[key][interval] += 1
            elif departure == ADVICE:
                self.advice[key] += 1
            else:
                self.departures[departure, key[1]] += 1

    def add_job(self, job: Summary) -> None:
        """Count one closed job."""
        self.jobs[job.family, job.state] += 1
        self.whole_jobs += job.whole

    def interval(self, moment: float) -> int:
        """Return the interval that a moment (epoch seconds) falls into, widening all of them where need be."""
        place = max(0, int((moment - self.origin) / self.width))
        while place >= INTERVALS:
            self._widen()
            place = max(0, int((moment - self.origin) / self.width))
        return place

    def _widen(self) -> None:
        self.width *= 2
        for name, row in self.cells.items():
            wider: dict[int, Histogram] = {}
            for place, histogram in row.items():
                wider.setdefault(place // 2, Histogram()).include(histogram)
            self.cells[name] = wider
        for key, counts in self.findings.items():
            halved: Counter[int] = Counter()
            for place, count in counts.items():
                halved[place // 2] += count
            self.findings[key] = halved

    # What is asked of it

    def answered(self, operation: str | None = None) -> Histogram:
        """Return the latencies of all answers (of one operation), paced ones left out."""
        return Histogram.joined(
            histogram
            for (name, status), row in self.cells.items()
            if status and status not in PACED and (operation is None or name == operation)
            for histogram in row.values()
        )

    def statuses(self) -> Counter[int]:
        """Return the number of requests by status; 0 had no answer."""
        found: Counter[int] = Counter()
        for (_, status), row in self.cells.items():
            found[status] += sum(histogram.total for histogram in row.values())
        return found

    @property
    def errors(self) -> int:
        """How many requests had no answer or a 5xx; a 503 that asks for a pause counts."""
        return sum(count for status, count in self.statuses().items() if status == 0 or status >= 500)

    @property
    def error_rate(self) -> float:
        """The share of requests, in per cent, that had no answer or a 5xx."""
        return 100 * self.errors / self.requests if self.requests else 0.0

    @property
    def paced(self) -> int:
        """How many answers only asked to come back later."""
        return sum(count for status, count in self.statuses().items() if status in PACED)

    @property
    def partial(self) -> str | None:
        """Why the run is not whole, or None."""
        short = [f"{part.name}: {part.partial}" for part in self.parts if part.partial is not None]
        return "; ".join(short) or None


def load_of(folders: Sequence[Path], lost: Mapping[Path, str] | None = None) -> Load:
    """Return what the load records in these folders say together; `lost` says of a folder why its process was lost.

    Raises JournalError where one of them holds none.
    """
    load = Load()
    load.origin = load.last = min((_began(folder / FILE) for folder in folders), default=0.0)
    for folder in folders:
        name, before, partial = folder.name, load.requests, "the record breaks off"
        for line in read_record(folder / FILE):
            if isinstance(line, Sent):
                load.add(line)
            elif isinstance(line, Start):
                name = line.name
            elif isinstance(line, End):
                partial = line.partial or ""
            else:
                load.add_job(line)
        reason = (lost or {}).get(folder) or partial
        load.parts.append(Part(name, load.requests - before, reason or None))
    return load


def _began(path: Path) -> float:
    first = next(iter(read_record(path)), None)
    if not isinstance(first, Start):
        raise JournalError(f"{path} is no load record: it holds nothing.")
    return first.epoch


def operations_of(load: Load, order: Iterable[str]) -> list[str]:
    """Return the operations that requests reached, in this order."""
    seen = {name for name, _ in load.cells}
    return [name for name in order if name in seen] + ([""] if "" in seen else [])
