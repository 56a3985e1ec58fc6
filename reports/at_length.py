"""All that a report says, for a terminal: the matrix, what was not exercised and why, each failure in full."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from atlas_conformance.reports.contrasts import LABEL, contrast_words
from atlas_conformance.reports.counted import request_size
from atlas_conformance.reports.grid import matrix_lines
from atlas_conformance.reports.model import ADVICE, DEPARTURE, ERROR, FAILED, FindingGroup, Report, Row
from atlas_conformance.reports.signs import STYLES
from atlas_conformance.reports.wording import (
    Curl,
    curl_command,
    jobs_by_state,
    jobs_in_order,
    listed,
    one_line,
    plural,
    readable,
    rerun,
    shortened,
    status_line,
    visible,
    why_unexercised,
)

_FULL_FAILURES = 10
_JOBS_SHOWN = 20
_BODY_LINES = 24


def print_at_length(report: Report, console: Console, signs: Mapping[str, str], curl: Curl | None) -> None:
    """Print all parts, each under its heading; parts of which there is nothing to say are left out."""
    _print_matrix(report, console, signs)
    _print_unexercised(report, console)
    _print_departures(report, console)
    _print_advice(report, console, signs)
    _print_failures(report, console, curl, signs)
    _print_errors(report, console, signs)
    _print_jobs(report, console)


def _print_matrix(report: Report, console: Console, signs: Mapping[str, str]) -> None:
    console.print()
    for line in matrix_lines(report, console.width, signs):
        console.print(line, soft_wrap=True)
    console.print()
    legend = Text()
    for status, sign in signs.items():
        if count := report.count(status):
            words = f"{sign} {status} {count:,}"
            if legend and len(legend.plain.rpartition("\n")[2]) + len(words) > console.width:
                legend.append("\n")
            legend.append(sign, STYLES[status])
            legend.append(words[len(sign) :] + "   ", "dim")
    legend.rstrip()
    console.print(legend, soft_wrap=True)


def _print_unexercised(report: Report, console: Console) -> None:
    reasons = [reason for reason in report.unexercised if any(report.rows[id].selected for id in reason.cells)]
    if not reasons:
        return
    _heading(console, "Not exercised")
    for reason in reasons:
        line = Text(f"{reason.status}, because ", STYLES[reason.status])
        line.append(one_line(reason.reason), "")
        line.append(f" ({plural(reason.count, 'cell')})", "dim")
        console.print(line)
        _wrapped(console, Text(shortened(why_unexercised(reason, report), 1200), "dim"), 4)


def _print_departures(report: Report, console: Console) -> None:
    if not report.departures:
        return
    _heading(console, "Known departures of the real service")
    for use in report.departures:
        line = Text(use.id, STYLES[DEPARTURE])
        line.append(f" of {use.requirement}, {listed(use.operations)}: ")
        line.append(one_line(use.statement))
        console.print(line)


def _print_advice(report: Report, console: Console, signs: Mapping[str, str]) -> None:
    rows = report.requirements(ADVICE)
    if not rows:
        return
    _heading(console, "Advice: what should hold, and fails nothing")
    for row in rows:
        groups = [group for group in report.advice if group.requirement == row.id]
        shown = min(groups, key=lambda group: (request_size(group.sample), group.sample.n))
        advised = {operation: cell.advised for operation, cell in row.cells.items() if cell.advised}
        console.print(Text.assemble((f"{signs[ADVICE]} {row.id}  ", STYLES[ADVICE]), (listed(advised), "bold")))
        _wrapped(console, Text(one_line(row.statement, 600)), 2)
        exchange = shown.sample.exchange
        _field(console, "Expected", one_line(shown.finding.expected, 600))
        _field(console, "Seen", f"{one_line(shown.finding.seen, 600)} at {one_line(shown.finding.pointer)}")
        _source(console, row, shown.operation)
        _field(console, "Request", f"exchange {shown.sample.n}, {one_line(shown.sample.test)}")
        _verbatim(console, one_line(f"{exchange.request.method} {exchange.request.target}", 2000))


def _print_failures(report: Report, console: Console, curl: Curl | None, signs: Mapping[str, str]) -> None:
    by_requirement = _headlines_by_requirement(report)
    if not by_requirement:
        return
    _heading(console, "Failures")
    for id, groups in list(by_requirement.items())[:_FULL_FAILURES]:
        _print_failure(report, console, report.rows[id], groups, curl, signs)
    left = len(by_requirement) - _FULL_FAILURES
    if left > 0:
        console.print(Text(f"And {plural(left, 'more failing requirement')}, named below.", "italic"))


def _headlines_by_requirement(report: Report) -> dict[str, list[FindingGroup]]:
    """Return the groups that stand for themselves by requirement, in order, the smallest request of each first."""
    found: dict[str, list[FindingGroup]] = {}
    for group in report.headlines:
        found.setdefault(group.requirement, []).append(group)
    for groups in found.values():
        groups.sort(key=lambda group: (request_size(group.sample), group.sample.n))
    return found


def _print_failure(
    report: Report, console: Console, row: Row, groups: list[FindingGroup], curl: Curl | None, signs: Mapping[str, str]
) -> None:
    shown = groups[0]
    exchange = shown.sample.exchange
    broken = {o: cell.failed for o, cell in row.cells.items() if cell.failed}
    title = Text(f"{signs[FAILED]} {row.id}  ", STYLES[FAILED])
    title.append(listed(broken), "bold")
    if shown.unstable:
        title.append("  unstable", "bold magenta")
    console.print(title)
    _wrapped(console, Text(one_line(row.statement, 600)), 2)
    console.print()
    _field(console, "Expected", one_line(shown.finding.expected, 600))
    _field(console, "Seen", one_line(shown.finding.seen, 600), "bold")
    _field(console, "Where", f"{one_line(shown.finding.pointer)} of {shown.operation}")
    if (contrast := contrast_words(report.contrasts, shown.key)) is not None:
        _field(console, LABEL, contrast, "bold")
    _source(console, row, shown.operation)
    command = curl_command(curl, exchange.request, shown.sample.n)
    request = f"{exchange.request.method} {exchange.request.target}"
    _field(console, "Request", f"exchange {shown.sample.n}, {one_line(shown.sample.test)}")
    _verbatim(console, command or visible(shortened(request, 2000)))
    _field(console, "Response", status_line(exchange.response))
    _verbatim(console, readable(exchange.response.body, lines=_BODY_LINES, characters=2000), "dim")
    if shown.unstable and shown.repeat is not None and shown.repeat.again is not None:
        again = shown.repeat.again
        _field(console, "Again", f"exchange {again.n}, the same request: {status_line(again.exchange.response)}")
        _verbatim(console, readable(again.exchange.response.body, lines=_BODY_LINES, characters=2000), "dim")
    _field(console, "Run again", "")
    _verbatim(console, rerun(report.header, row.id), "cyan")
    others = [f"{group.operation} at {one_line(group.place, 80)} ({group.count:,})" for group in groups[1:]]
    if others:
        _field(console, "Also at", _some(others))
    explained = {f"{group.requirement} on {group.operation}": group.count for g in groups for group in g.also}
    if explained:
        _field(console, "Explains", _some([f"{name} ({count:,})" for name, count in explained.items()]))
    console.print()


def _print_errors(report: Report, console: Console, signs: Mapping[str, str]) -> None:
    if not report.errors:
        return
    _heading(console, "Errors of the suite itself, not of the endpoint")
    for error in report.errors[:20]:
        where = one_line(error.where)
        console.print(Text.assemble((f"{signs[ERROR]} {where}: ", STYLES[ERROR]), one_line(error.message, 1000)))
    if len(report.errors) > 20:
        console.print(Text(f"And {len(report.errors) - 20:,} more.", "italic"))


def _print_jobs(report: Report, console: Console) -> None:
    if not report.jobs:
        return
    if report.header.target.get("loopback"):
        # A mock on this machine costs nobody anything: its jobs are in the other reports.
        left = one_line(f"{plural(len(report.jobs), 'job')} left behind: {jobs_by_state(report.jobs)}.")
        console.print()
        console.print(Text(left, "dim"), soft_wrap=True)
        return
    _heading(console, "Jobs left behind")
    jobs = jobs_in_order(report)
    for job in jobs[:_JOBS_SHOWN]:
        console.print(Text(one_line(f"{job.id}  {job.family}  {job.cluster} in {job.project}  {job.state}")))
    rest = jobs[_JOBS_SHOWN:]
    if rest:
        states = one_line(jobs_by_state(rest))
        console.print(Text(f"And {len(rest):,} more, in summary.json and the journal: {states}.", "italic"))


def _heading(console: Console, words: str) -> None:
    console.print()
    console.print(Text(words, "bold underline"))


def _field(console: Console, name: str, text: str, style: str = "") -> None:
    lines = Text(text, style).wrap(console, max(20, console.width - 13)) if text else [Text()]
    for index, line in enumerate(lines):
        label = Text("  " + ("" if index else name).ljust(11), "dim")
        line.rstrip()
        whole = Text.assemble(label, line)
        whole.rstrip()
        console.print(whole, soft_wrap=True)


def _wrapped(console: Console, text: Text, indent: int) -> None:
    """Print `text` wrapped, each line indented by a number of columns."""
    for line in text.wrap(console, max(20, console.width - indent)):
        line.rstrip()
        console.print(Text(" " * indent).append_text(line), soft_wrap=True)


def _source(console: Console, row: Row, operation: str) -> None:
    """Print where a requirement can be looked up as one line, so that its address can be followed."""
    if row.source:
        console.print(Text.assemble(("  Source     ", "dim"), row.source_on(operation)), soft_wrap=True)


def _verbatim(console: Console, text: str, style: str = "") -> None:
    """Print text that a person may copy: never wrapped, each line indented."""
    for line in text.split("\n"):
        console.print(Text("    " + line, style), soft_wrap=True)


def _some(items: list[str], limit: int = 8) -> str:
    more = f", and {len(items) - limit:,} more" if len(items) > limit else ""
    return ", ".join(items[:limit]) + more
