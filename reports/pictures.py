"""What the page draws: the geometry of each picture, in per cent of its width, with the words that stand for it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from atlas_conformance.reports.model import Report
from atlas_conformance.reports.watching import Sight, Timeline
from atlas_conformance.reports.wording import number, one_line, plural

SHOWN_JOBS = 24
"""How many followed jobs are drawn, those on which most was seen to change first."""

_STATES = {
    "PENDING": "waiting", "QUEUED": "waiting", "RUNNING": "running", "running": "running", "delivered": "running",
    "COMPLETED": "done", "finished": "done", "FAILED": "failed", "failed": "failed", "cancelled": "cancelled",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Band:
    """A part of a timeline in one state."""

    kind: str
    state: str
    x: str
    width: str
    words: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A read on a timeline; `changed` where it showed something else than the read before."""

    x: str
    changed: bool
    words: str


@dataclass(frozen=True, slots=True)
class JobPicture:
    """The timeline of one job: bands, marks, what changed, and all of it in words."""

    job: str
    operation: str
    words: str
    seconds: str
    bands: tuple[Band, ...]
    marks: tuple[Mark, ...]
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LatencyRow:
    """The latency of one operation: five positions on the common logarithmic axis, and the numbers."""

    operation: str
    least: str
    lower: str
    width: str
    median: str
    p95: str
    most: str
    texts: tuple[str, str, str]
    count: str
    words: str


@dataclass(frozen=True, slots=True)
class LatencyPicture:
    """The rows with their axis: (position, label) of each power of ten."""

    axis: tuple[tuple[str, str], ...]
    rows: tuple[LatencyRow, ...]


@dataclass(frozen=True, slots=True)
class EffortRow:
    """How often a requirement was exercised, as a bar on a logarithmic scale."""

    requirement: str
    verdict: str
    width: str
    count: str


def job_pictures(report: Report) -> tuple[JobPicture, ...]:
    """Return the pictures of the jobs on which most was seen to change, in the order of their creation."""
    order = sorted(range(len(report.timelines)), key=lambda i: (-_changes(report.timelines[i]), i))[:SHOWN_JOBS]
    return tuple(_job_picture(report.timelines[index]) for index in sorted(order))


def latency_picture(report: Report) -> LatencyPicture | None:
    """Return the picture of all latencies; None where nothing was answered."""
    if not report.latencies:
        return None
    least = min(latency.least for latency in report.latencies)
    low = math.floor(math.log10(max(least, 1e-6)))
    high = max(low + 1, math.ceil(math.log10(max(max(latency.most for latency in report.latencies), 1e-6))))

    def place(seconds: float) -> float:
        return 100 * (math.log10(max(seconds, 1e-6)) - low) / (high - low)

    rows = []
    for latency in report.latencies:
        lower, upper = place(latency.lower), place(latency.upper)
        texts = (milliseconds(latency.median), milliseconds(latency.p95), milliseconds(latency.most))
        words = f"{latency.operation}: median {texts[0]}, 95 of 100 within {texts[1]}, slowest {texts[2]}"
        rows.append(
            LatencyRow(
                operation=latency.operation,
                least=_percent(place(latency.least)),
                lower=_percent(lower),
                width=_percent(max(0.4, upper - lower)),
                median=_percent(place(latency.median)),
                p95=_percent(place(latency.p95)),
                most=_percent(place(latency.most)),
                texts=texts,
                count=number(latency.count),
                words=words,
            )
        )
    axis = tuple((_percent(place(10.0**power)), _decade(power)) for power in range(low, high + 1))
    return LatencyPicture(axis, tuple(rows))


def effort_rows(report: Report) -> tuple[EffortRow, ...]:
    """Return a bar for each selected requirement, in the catalogue's order."""
    rows = [row for row in report.rows.values() if row.selected]
    most = max((row.exercised for row in rows), default=0)
    scale = math.log10(most + 1) or 1.0
    return tuple(
        EffortRow(row.id, row.verdict, _percent(100 * math.log10(row.exercised + 1) / scale), number(row.exercised))
        for row in rows
    )


def milliseconds(seconds: float) -> str:
    """Return a latency as in `0.8 ms`, `12 ms` and `1.5 s`."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def _decade(power: int) -> str:
    return f"{10**power} s" if power >= 0 else f"{10.0 ** (power + 3):g} ms"


def _percent(value: float) -> str:
    return f"{min(100.0, max(0.0, value)):.3f}%"


def _changes(timeline: Timeline) -> int:
    return len({sight.state for sight in timeline.sights}) * 100 + sum(bool(sight.changes) for sight in timeline.sights)


def _job_picture(timeline: Timeline) -> JobPicture:
    first = timeline.sights[0].at
    span = timeline.seconds or 1.0

    def place(sight: Sight) -> float:
        return 96 * (sight.at - first) / span

    runs: list[list[Sight]] = []
    for sight in timeline.sights:
        if runs and runs[-1][0].state == sight.state:
            runs[-1].append(sight)
        else:
            runs.append([sight])
    bands = []
    for index, run in enumerate(runs):
        start = place(run[0])
        end = place(runs[index + 1][0]) if index + 1 < len(runs) else 100.0
        state = one_line(run[0].state, 40)
        words = f"{state} from {run[0].at - first:.2f} s, {plural(len(run), 'read')}"
        bands.append(Band(_STATES.get(run[0].state, "other"), state, _percent(start), _percent(end - start), words))
    marks = tuple(
        Mark(_percent(place(sight)), bool(sight.changes) and index > 0, _sight_words(sight, first))
        for index, sight in enumerate(timeline.sights)
    )
    told = [_sight_words(sight, first) for sight in timeline.sights[1:] if sight.changes]
    if timeline.left_out:
        told.append(f"{plural(timeline.left_out, 'later read')} not drawn")
    states = ", then ".join(f"{one_line(run[0].state, 40)} at {run[0].at - first:.2f} s" for run in runs[:12])
    return JobPicture(
        job=one_line(timeline.job, 60),
        operation=timeline.operation,
        words=f"Job {one_line(timeline.job, 60)}: {states}",
        seconds=f"{timeline.seconds:.2f} s",
        bands=tuple(bands),
        marks=marks,
        changes=tuple(told[:60]),
    )


def _sight_words(sight: Sight, first: float) -> str:
    changes = [f"{change.member} {change.before or 'absent'} → {change.after or 'absent'}" for change in sight.changes]
    what = "; ".join(changes) or "no change"
    return one_line(f"{sight.at - first:.2f} s, exchange {sight.n}: {what}", 400)
