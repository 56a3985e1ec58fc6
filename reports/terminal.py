"""The end of a run on a terminal or in a log: one screen that says what is wrong, and what to do next.

What a person needs first stands last, where the eye is when a run ends: the defects, the one to look at first in front,
what to run next, and as the very last line the verdict. Everything else comes before that where it is asked for.
"""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from atlas_conformance.reports.at_length import print_at_length
from atlas_conformance.reports.contrasts import LABEL, contrast_words
from atlas_conformance.reports.grouping import Key
from atlas_conformance.reports.model import (
    ADVICE,
    DEPARTURE,
    ERROR,
    FAILED,
    NOT_EXERCISED,
    NOT_OFFERED,
    PASSED,
    WITHHELD,
    Defect,
    Report,
)
from atlas_conformance.reports.records import ContrastRecord
from atlas_conformance.reports.sentences import extent, named
from atlas_conformance.reports.signs import PLAIN_SYMBOLS, STYLES, SYMBOLS
from atlas_conformance.reports.standing import Standing, short_standing_lines, standing_lines
from atlas_conformance.reports.wording import (
    Curl,
    duration,
    jobs_by_state,
    jobs_in_order,
    one_line,
    plural,
    rerun,
    shortened,
    status_line,
    verdict_sentence,
    verdict_word,
    visible,
)

LINES, COLUMNS = 30, 100
"""The screen that the end of a run fits."""


def print_report(
    report: Report,
    console: Console,
    *,
    curl: Curl | None = None,
    written: Iterable[Path] = (),
    verbose: bool = False,
    standing: Standing | None = None,
) -> None:
    """Print the end of a run, with everything else before it if `verbose`.

    `written` are the files that were written, `standing` is where the run stands, which comes before the verdict is
    said. Characters that the console's encoding does not have are written as escapes.
    """
    if "utf" in console.encoding.lower():
        _print_all(report, console, SYMBOLS, curl, written, verbose, standing)
        return
    with console.capture() as capture:
        _print_all(report, console, PLAIN_SYMBOLS, curl, written, verbose, standing)
    text = capture.get().replace("…", "...")
    console.file.write(text.encode(console.encoding, "backslashreplace").decode(console.encoding))


def _print_all(
    report: Report,
    console: Console,
    signs: Mapping[str, str],
    curl: Curl | None,
    written: Iterable[Path],
    verbose: bool,
    standing: Standing | None,
) -> None:
    if verbose:
        print_at_length(report, console, signs, curl)
    console.print()
    console.print(Rule(style="dim", characters="─" if "✓" in signs.values() else "-"))
    width = min(console.width, COLUMNS)
    below = [*_notes(report, width, verbose), *_next(report, width, verbose), *_facts(report, written)]
    verdict = Text.assemble((f"{verdict_word(report)}: ", _style(report)), (verdict_sentence(report), "bold"))
    below += _lines(verdict, console, width)
    gate = [] if standing is None else _standing(standing, console, width, verbose)
    room = LINES - 3 - sum(1 + (line.cell_len - 1) // width for line in (*below, *gate))
    for line in (*_defects(report, signs, width, room, verbose), *below, *gate):
        line.rstrip()
        console.print(line, soft_wrap=True)


def print_standing(standing: Standing, console: Console) -> None:
    """Print where a run stands: the comparison with an earlier one, waivers, and as the last line the gate."""
    console.print()
    for line in _standing(standing, console, console.width, True):
        console.print(line, soft_wrap=True)


def _standing(standing: Standing, console: Console, width: int, verbose: bool) -> list[Text]:
    """Return where the run stands as lines; of long lists the beginning, unless `verbose`."""
    *lines, decision = standing_lines(standing) if verbose else short_standing_lines(standing)
    style = "bold green" if standing.exit_code == 0 else "bold red" if standing.exit_code == 1 else "bold magenta"
    shown = lines if verbose else [shortened(line, width) for line in lines]
    return [*(Text(_encodable(line, console)) for line in shown), Text(_encodable(decision, console), style)]


def _encodable(line: str, console: Console) -> str:
    return line.encode(console.encoding, "backslashreplace").decode(console.encoding)


def _style(report: Report) -> str:
    return {PASSED: "bold green", FAILED: "bold red"}.get(report.verdict, "bold magenta")


def _lines(text: Text, console: Console, width: int) -> list[Text]:
    return list(text.wrap(console, width))


def _defects(report: Report, signs: Mapping[str, str], width: int, room: int, verbose: bool) -> list[Text]:
    """Return the defects as lines, as many as there is room for, and how many more there are."""
    failing = report.failing_defects
    if not failing:
        return []
    lines = [Text(_count(failing), "bold underline")]
    for shown, defect in enumerate(failing):
        told = _defect(defect, report.contrasts, signs, width)
        left = len(failing) - shown
        if not verbose and len(lines) + len(told) + (left > 1) > max(room, 5):
            where = "--verbose and the reports have them all"
            lines.append(Text(shortened(f"And {plural(left, 'more defect')}: {where}", width), "italic"))
            break
        lines += told
    return [*lines, Text()]


def _count(failing: Sequence[Defect]) -> str:
    return "1 defect" if len(failing) == 1 else f"{len(failing):,} defects, the one to look at first in front"


def _defect(
    defect: Defect, contrasts: Mapping[Key, ContrastRecord], signs: Mapping[str, str], width: int
) -> list[Text]:
    """Return a defect as lines: which requirement where, what it explains, what is wrong, how far, the contrast."""
    title = Text.assemble((f"{signs[FAILED]} {defect.requirement}", STYLES[FAILED]))
    title.append(f"  {named(defect.operations)}", "bold")
    if defect.unstable:
        title.append("  unstable", "bold magenta")
    others = list(dict.fromkeys(group.requirement for group in defect.explains))
    if others:
        title.append(shortened(f"  explains {named(others, 4)}", max(20, width - len(title.plain))), "dim")
    title.truncate(width, overflow="ellipsis")
    reach = extent(defect.count, defect.exercised, defect.operations)
    told = shortened(one_line(defect.sentence, 600), max(20, 2 * width - len(reach) - 12))
    lines = [title, *_two_lines(f"{told} ({reach})", width)]
    contrast = contrast_words(contrasts, defect.headline.key)
    return lines if contrast is None else [*lines, *_two_lines(f"{LABEL}: {contrast}", width)]


def _two_lines(words: str, width: int) -> list[Text]:
    """Return words on as many lines as they need, of two at most."""
    first, *rest = textwrap.wrap(words, width - 2, break_on_hyphens=False)
    return [Text(f"  {first}"), *([Text(f"  {shortened(' '.join(rest), width - 2)}")] if rest else [])]


def _request(defect: Defect) -> str:
    """Return the request that shows a defect and its answer, in one line: the end of a long path tells more."""
    record = defect.headline.sample
    request = record.exchange.request
    target = one_line(request.target, 2000)
    target = target if len(target) <= 56 else f"…{target[-55:]}"
    return f"exchange {record.n:,}: {request.method} {target} → {status_line(record.exchange.response)}"


def _notes(report: Report, width: int, verbose: bool) -> list[Text]:
    """Return what else there is to know, a line each: errors of the suite, advice, what was not exercised, jobs."""
    lines: list[tuple[str, str]] = []
    for error in report.errors[:2]:
        lines.append((f"Error of the suite itself: {one_line(error.where)}: {one_line(error.message)}", STYLES[ERROR]))
    if len(report.errors) > 2:
        lines.append((f"And {plural(len(report.errors) - 2, 'more error')} of the suite itself", STYLES[ERROR]))
    if not verbose:
        if report.departures:
            lines.append((f"Known departures: {', '.join(use.id for use in report.departures)}", STYLES[DEPARTURE]))
        advised = [row.id for row in report.requirements(ADVICE)]
        if advised:
            lines.append((f"Advice: {', '.join(advised)}", STYLES[ADVICE]))
        lines += _unexercised(report)
        lines += _jobs(report)
    return [Text(shortened(line, width), style) for line, style in lines]


def _unexercised(report: Report) -> list[tuple[str, str]]:
    counts = {status: report.count(status) for status in (WITHHELD, NOT_EXERCISED, NOT_OFFERED)}
    parts = [f"{count:,} {status}" for status, count in counts.items() if count]
    return [(f"Of {_cells(report):,} cells: {', '.join(parts)} (--verbose says why)", "dim")] if parts else []


def _cells(report: Report) -> int:
    return sum(len(row.cells) for row in report.rows.values())


def _jobs(report: Report) -> list[tuple[str, str]]:
    """Return what is left behind; on an endpoint that is not of this machine, what may cost somebody something."""
    if not report.jobs:
        return []
    left = one_line(f"{plural(len(report.jobs), 'job')} left behind: {jobs_by_state(report.jobs)}.")
    if report.header.target.get("loopback"):
        return [(left, "dim")]
    shown = jobs_in_order(report)[:3]
    lines = [
        (f"  {one_line(f'{job.id}  {job.family}  {job.cluster} in {job.project}  {job.state}')}", "") for job in shown
    ]
    return [(left, "bold"), *lines]


def _next(report: Report, width: int, verbose: bool) -> list[Text]:
    """Return what to do next: look at the request that shows the first defect, run its requirement alone."""
    failing = report.failing_defects
    if not failing:
        return []
    command = rerun(report.header, failing[0].requirement) + ("" if verbose else " --verbose")
    shown = Text(shortened(f"  {_request(failing[0])}", width), "dim")
    again = (Text(f"  {line}", "cyan") for line in _broken(command, width - 4))
    return [Text("Next", "bold underline"), shown, *again, Text()]


def _broken(command: str, width: int) -> list[str]:
    """Return a command as lines of a shell, broken before its options where it is too long for one."""
    lines = [""]
    for part in re.split(r" (?=--)", command):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines[-1] += " \\"
            lines.append(f"  {part}")
        else:
            lines[-1] += f" {part}" if lines[-1] else part
    return lines


def _facts(report: Report, written: Iterable[Path]) -> list[Text]:
    header = report.header
    facts = [
        f"{plural(report.exchanges, 'exchange')} in {duration(report.seconds)}",
        plural(report.lost_connections, "lost connection") if report.lost_connections else "",
        f"profile {header.profile}",
        f"seed {header.seed}",
        one_line(str(header.target.get("base_url") or "")),
    ]
    lines = [Text(", ".join(fact for fact in facts if fact), "dim")]
    by_folder: dict[str, list[str]] = {}
    for path in written:
        folder, name = os.path.split(path)
        by_folder.setdefault(folder, []).append(name)
    for folder, names in by_folder.items():
        first = next((name for name in names if name.endswith(".html")), names[0])
        more = f" and {plural(len(names) - 1, 'more file')} beside it" if len(names) > 1 else ""
        lines.append(Text(f"Written: {visible(os.path.join(folder, first))}{more}", "dim"))
    return lines
