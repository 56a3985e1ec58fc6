"""The geometry of the plots over time: paths in a box of 1000 by 100, and the words that stand for them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from atlas_conformance.load.histogram import Histogram
from atlas_conformance.load.load import PACED, Load
from atlas_conformance.reports.pictures import milliseconds
from atlas_conformance.reports.wording import number, plural

WIDTH, HEIGHT = 1000.0, 100.0
PERCENTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a plot: a slug for its style, its name, the path's data, and what it says in words."""

    slug: str
    name: str
    path: str
    words: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot over the run's time: its curves, and the labels of its upper and lower end."""

    title: str
    curves: tuple[Curve, ...]
    top: str
    bottom: str
    words: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of findings: where it stands, and what was found then."""

    x: str
    words: str


@dataclass(frozen=True, slots=True)
class FindingRow:
    """The findings of one requirement on one operation on the time axis."""

    name: str
    operation: str
    count: str
    first: str
    marks: tuple[Mark, ...]
    words: str


def status_slug(status: int) -> str:
    """Return the style classes of a status: its hundreds give the colour, itself the dashes; `none` for no answer."""
    return f"s{status // 100}xx curve-{status}" if status else "none"


def intervals_of(load: Load) -> int:
    """Return how many intervals the run has."""
    places = [place for row in load.cells.values() for place in row]
    places += [place for row in load.findings.values() for place in row]
    return max(places, default=0) + 1


def throughput(load: Load, operation: str | None = None) -> Plot:
    """Return requests a second over time, a curve for each status (of one operation, or of all)."""
    rows: dict[int, dict[int, int]] = {}
    for (name, status), row in load.cells.items():
        if operation is None or name == operation:
            counts = rows.setdefault(status, {})
            for place, histogram in row.items():
                counts[place] = counts.get(place, 0) + histogram.total
    length = intervals_of(load)
    most = max((count / load.width for counts in rows.values() for count in counts.values()), default=1.0)
    curves = []
    for status, counts in sorted(rows.items()):
        total, name = sum(counts.values()), str(status) if status else "no answer"
        values = [counts.get(place, 0) / load.width / most for place in range(length)]
        said = f"{name}: {number(total)}"
        curves.append(Curve(status_slug(status), f"{name} ({number(total)})", _path(values), said))
    words = ", ".join(curve.words for curve in curves) or "nothing was sent"
    return Plot("requests a second", tuple(curves), f"{most:.0f}" if most >= 10 else f"{most:.1f}", "0",
                f"Requests by status over time: {words}")  # fmt: skip


def latency(load: Load, operation: str | None = None) -> Plot | None:
    """Return percentiles of the latency over time on a logarithmic axis; None where nothing was answered."""
    length = intervals_of(load)
    rows: list[list[Histogram]] = [[] for _ in range(length)]
    for (name, status), row in load.cells.items():
        if status and status not in PACED and (operation is None or name == operation):
            for place, histogram in row.items():
                rows[place].append(histogram)
    joined = [Histogram.joined(histograms) for histograms in rows]
    if not any(histogram.total for histogram in joined):
        return None
    series = {
        name: [histogram.quantile(share) if histogram.total else None for histogram in joined]
        for name, share in PERCENTILES
    }
    known = [value for values in series.values() for value in values if value]
    low, high = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)) + 1e-9)
    high = max(high, low + 1)

    def level(seconds: float | None) -> float | None:
        return None if not seconds else (math.log10(seconds) - low) / (high - low)

    whole = load.answered(operation)
    curves = tuple(
        Curve(name, f"{name} {milliseconds(whole.quantile(share))}", _path([level(v) for v in series[name]]), name)
        for name, share in PERCENTILES
    )
    words = ", ".join(curve.name for curve in curves)
    return Plot("latency", curves, milliseconds(10.0**high), milliseconds(10.0**low), f"Latency over time: {words}")


def finding_rows(load: Load) -> tuple[FindingRow, ...]:
    """Return a row for each requirement and operation that failed, the earliest first."""
    length = intervals_of(load)
    rows: dict[tuple[str, str], dict[int, int]] = {}
    for key, counts in load.findings.items():
        row = rows.setdefault((key[0], key[1]), {})
        for place, count in counts.items():
            row[place] = row.get(place, 0) + count
    return tuple(
        _finding_row(requirement, operation, row, load, length)
        for (requirement, operation), row in sorted(rows.items(), key=lambda item: (min(item[1]), item[0]))
    )


def marks_of(load: Load, operation: str | None = None) -> tuple[Mark, ...]:
    """Return the moments of findings (on one operation, or on all), for the plots of the same axis."""
    found: dict[int, set[str]] = {}
    for key, counts in load.findings.items():
        if operation is None or key[1] == operation:
            for place in counts:
                found.setdefault(place, set()).add(key[0])
    length = intervals_of(load)
    return tuple(
        Mark(_x(place, length), f"{place * load.width:.0f} s: {', '.join(sorted(names))}")
        for place, names in sorted(found.items())
    )


def axis(load: Load) -> tuple[tuple[str, str], ...]:
    """Return (position in per cent, label) of some moments on the time axis."""
    span = intervals_of(load) * load.width
    return tuple((f"{25 * part}%", f"{span * part / 4:.0f} s") for part in range(5))


def _finding_row(requirement: str, operation: str, row: Mapping[int, int], load: Load, length: int) -> FindingRow:
    total, first = sum(row.values()), min(row) * load.width
    marks = tuple(
        Mark(_x(place, length), f"{place * load.width:.0f} s: {plural(count, 'exchange')}")
        for place, count in sorted(row.items())
    )
    words = f"{requirement} on {operation}: {plural(total, 'exchange')}, first at {first:.0f} s"
    return FindingRow(requirement, operation, number(total), f"{first:.0f} s", marks, words)


def _x(place: int, length: int) -> str:
    return f"{WIDTH * (place + 0.5) / length:.1f}"


def _path(values: Sequence[float | None]) -> str:
    """Return the data of a path through values from 0 (bottom) to 1 (top), broken where there is none."""
    length = len(values)
    if length == 1 and values[0] is not None:
        y = HEIGHT * (1 - min(1.0, max(0.0, values[0])))
        return f"M0 {y:.1f}H{WIDTH:.0f}"
    parts: list[str] = []
    down = False
    for place, value in enumerate(values):
        if value is None:
            down = False
            continue
        y = HEIGHT * (1 - min(1.0, max(0.0, value)))
        parts.append(f"{'L' if down else 'M'}{_x(place, length)} {y:.1f}")
        if not down and (place + 1 == length or values[place + 1] is None):
            parts.append("h2")  # a lone value still shows
        down = True
    return "".join(parts)
