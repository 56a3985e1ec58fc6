"""Many runs over time: one HTML page with the verdict of each requirement in each run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from atlas_conformance.reports.earlier import SUMMARY, summary_at
from atlas_conformance.reports.html import asset, policy, template
from atlas_conformance.reports.model import ERROR, FAILED, LADDER
from atlas_conformance.reports.signs import SYMBOLS
from atlas_conformance.reports.wording import FAMILIES, number, one_line, plural
from atlas_conformance.reports.writing import ReportError

_GONE = "none"


@dataclass(frozen=True, slots=True)
class Run:
    """One run: when, how it ended, what it was, and the verdict and the number of exchanges of each requirement."""

    started: str
    verdict: str
    words: str
    partial: bool
    verdicts: dict[str, tuple[str, int]]

    @classmethod
    def of_summary(cls, document: dict[str, Any], path: Path) -> Run:
        """Return the run of a summary.json that stands at `path`; raise ReportError where it lacks something."""
        try:
            verdicts = {id: (row["verdict"], row["exercised"]) for id, row in document["requirements"].items()}
            where = document["target"]["base_url"] or "the reference endpoint"
            words = (
                f"{document['sentence']} Profile {document['profile']}, seed {document['seed']}, "
                f"{plural(document['exchanges'], 'exchange')}, {where}, in {path}"
            )
            return cls(document["started"], document["verdict"], words, document["partial"], verdicts)
        except (KeyError, TypeError, AttributeError) as problem:
            raise ReportError(f"{path} is no whole summary of a run: {type(problem).__name__} at {problem}.") from None


@dataclass(frozen=True, slots=True)
class Point:
    """The verdict of a requirement in a run; `changed` where the run before had another one."""

    slug: str
    sign: str
    words: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Line:
    """The points of a requirement, from the earliest run to the latest."""

    requirement: str
    points: tuple[Point, ...]

    @property
    def changes(self) -> int:
        """How often the verdict changed."""
        return sum(point.changed for point in self.points)


@dataclass(frozen=True, slots=True)
class Bar:
    """A run in the picture at the top: its place, and how many requirements had each verdict, in per cent."""

    x: str
    width: str
    parts: tuple[tuple[str, str, str], ...]
    words: str


def runs_at(folders: Sequence[Path]) -> list[Run]:
    """Return the runs in time order: of each folder's summary.json, or of those of the folders in it.

    Raises ReportError on a folder that holds none.
    """
    paths: list[Path] = []
    for folder in folders:
        found = [folder] if not folder.is_dir() or (folder / SUMMARY).exists() else sorted(folder.glob(f"*/{SUMMARY}"))
        if not found:
            raise ReportError(f"{folder} holds no {SUMMARY}, and neither do the folders in it.")
        paths += found
    runs = [Run.of_summary(summary_at(path), path) for path in paths]
    return sorted(runs, key=lambda run: run.started)


def history_html(runs: Sequence[Run]) -> str:
    """Return the page as text, to be stored in UTF-8; `runs` are in time order and at least one."""
    ids = dict.fromkeys(id for run in reversed(runs) for id in run.verdicts)
    lines = [_line(id, runs) for id in ids]
    families: dict[str, list[Line]] = {}
    for line in lines:
        letter = line.requirement.partition("-")[0]
        families.setdefault(FAMILIES.get(letter, letter), []).append(line)
    style, script = asset("report.css"), ""
    return template("history.html.j2").render(
        style=Markup(style),
        policy=policy(style, script),
        runs=runs,
        sentence=_sentence(runs, lines),
        changed=sorted((line for line in lines if line.changes), key=lambda line: -line.changes),
        families=families,
        bars=_bars(runs),
        statuses=[(status, status.replace(" ", "-"), SYMBOLS[status]) for status in LADDER],
    )


def _line(id: str, runs: Sequence[Run]) -> Line:
    points = []
    before: str | None = None
    for run in runs:
        verdict, exercised = run.verdicts.get(id, (_GONE, 0))
        words = "not known to the run" if verdict == _GONE else f"{verdict}, {plural(exercised, 'exchange')}"
        changed = before is not None and verdict != before
        sign = SYMBOLS.get(verdict, "")
        points.append(Point(verdict.replace(" ", "-"), sign, one_line(f"{run.started}: {words}"), changed))
        before = verdict
    return Line(one_line(id, 60), tuple(points))


def _bars(runs: Sequence[Run]) -> list[Bar]:
    width = 100 / len(runs)
    bars = []
    for index, run in enumerate(runs):
        total = len(run.verdicts) or 1
        counts = {status: sum(v == status for v, _ in run.verdicts.values()) for status in LADDER}
        parts, y = [], 0.0
        for status, count in counts.items():
            if count:
                height = 100 * count / total
                parts.append((status.replace(" ", "-"), f"{y:.3f}%", f"{height:.3f}%"))
                y += height
        told = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
        words = one_line(f"{run.started}: {told}")
        bars.append(Bar(f"{index * width + width * 0.08:.3f}%", f"{width * 0.84:.3f}%", tuple(parts), words))
    return bars


def _sentence(runs: Sequence[Run], lines: Sequence[Line]) -> str:
    latest = runs[-1]
    bad = [id for id, (verdict, _) in latest.verdicts.items() if verdict in (FAILED, ERROR)]
    steady = sum(not line.changes for line in lines)
    return (
        f"{plural(len(runs), 'run')} from {runs[0].started} to {latest.started}. In the latest one "
        f"{plural(len(bad), 'requirement')} did not hold; {number(steady)} of {len(lines)} had the same verdict in all."
    )
