"""Workflow commands by which GitHub marks failures in its pages: one line each, on stdout."""

from __future__ import annotations

from collections.abc import Iterator

from atlas_conformance.reports.headlines import in_short, waived
from atlas_conformance.reports.model import ERROR, INCOMPLETE, NOT_EXERCISED, UNREACHABLE, Report
from atlas_conformance.reports.sentences import named
from atlas_conformance.reports.standing import Standing, lost_words
from atlas_conformance.reports.wording import one_line, verdict_sentence

_LIMIT = 10
"""GitHub shows no more than ten errors, ten warnings and ten notices of a step."""


def workflow_commands(report: Report, standing: Standing | None = None) -> list[str]:
    """Return the lines: errors for failures, warnings for what is unstable, waived or lost, notices for advice."""
    errors: list[str] = []
    warnings: list[str] = []
    for defect in report.failing_defects:
        group = defect.headline
        words = (
            f"{in_short(defect, report)} {report.rows[group.requirement].statement} "
            f"Expected {one_line(group.finding.expected)}; seen {one_line(group.finding.seen)} "
            f"at {one_line(group.finding.pointer)}. Source: {report.rows[group.requirement].source_on(group.operation)}"
        )
        kind = "waived" if waived(defect, standing) is not None else "unstable" if defect.unstable else "failed"
        line = f"{group.requirement} on {named(defect.operations)} ({kind})"
        if kind == "failed":
            errors.append(_command("error", line, words))
        else:
            warnings.append(_command("warning", line, words))
    notices = [
        _command(
            "notice",
            f"{group.requirement} on {group.operation} (advice)",
            f"{report.rows[group.requirement].statement} Expected {one_line(group.finding.expected)}; seen "
            f"{one_line(group.finding.seen)} at {one_line(group.finding.pointer)}. "
            f"Source: {report.rows[group.requirement].source_on(group.operation)}",
        )
        for group in report.advice
    ]
    if standing is not None:
        errors += [_command("error", "Waiver", complaint) for complaint in standing.complaints]
        if standing.comparison is not None:
            warnings += [_command("warning", "Lost coverage", words) for words in lost_words(standing.comparison)]
    errors += [_command("error", "Error of the suite", f"{e.where}: {e.message}") for e in report.errors]
    if report.verdict in (INCOMPLETE, UNREACHABLE, NOT_EXERCISED, ERROR):
        errors.append(_command("error", "No verdict", verdict_sentence(report)))
    sentence = verdict_sentence(report) + (f" {standing.sentence}" if standing is not None else "")
    verdict = _command("notice", "Atlas conformance", sentence)
    return [*_some("error", errors), *_some("warning", warnings), *_some("notice", notices, _LIMIT - 1), verdict]


def _some(kind: str, lines: list[str], limit: int = _LIMIT) -> Iterator[str]:
    if len(lines) <= limit:
        yield from lines
        return
    yield from lines[: limit - 1]
    yield _command(kind, "More", f"{len(lines) - limit + 1:,} more are in the report.")


def _command(kind: str, title: str, message: str) -> str:
    """Return a workflow command; an endpoint's text can end neither its line nor its properties."""
    return f"::{kind} title={_property(one_line(title, 200))}::{_data(one_line(message, 2000))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
