"""Writing the reports of a run into a folder, and ending its journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from atlas_conformance.reports.badge import badge
from atlas_conformance.reports.ctrf import ctrf
from atlas_conformance.reports.files import copy_into, is_special, put
from atlas_conformance.reports.interrupts import undisturbed
from atlas_conformance.reports.journal import CUT_SHORT, Journal, JournalError, JournalWriter
from atlas_conformance.reports.junit import junit
from atlas_conformance.reports.markdown import markdown
from atlas_conformance.reports.matrix import Tally, build
from atlas_conformance.reports.model import EXIT_CODES, Report
from atlas_conformance.reports.sarif import sarif
from atlas_conformance.reports.standing import Standing
from atlas_conformance.reports.summary import summary_bytes
from atlas_conformance.reports.wording import Curl

JOURNAL = "journal.jsonl"
"""The name of the journal in a folder of reports."""

Format: TypeAlias = Callable[[Report, Curl | None, Standing | None], bytes]
"""Makes the bytes of a report in one format."""


def _page(report: Report, curl: Curl | None, standing: Standing | None) -> bytes:
    from atlas_conformance.reports.html import html  # it takes a while to load, and is not wanted of most runs

    return html(report, curl, standing).encode("utf-8")


RENDERERS: Mapping[str, Format] = {
    "json": summary_bytes,
    "html": _page,
    "junit": junit,
    "sarif": sarif,
    "ctrf": ctrf,
    "markdown": markdown,
    "badge": badge,
}
"""The formats by name."""

FILES: Mapping[str, str] = {
    "summary.json": "json",
    "junit.xml": "junit",
    "report.html": "html",
    "report.sarif": "sarif",
    "ctrf.json": "ctrf",
    "summary.md": "markdown",
    "badge.svg": "badge",
}
"""What is written beside the journal: file names, and the format of each."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the files, and a sentence on each that could not be."""

    paths: tuple[Path, ...] = ()
    failures: tuple[str, ...] = ()


class ReportError(Exception):
    """A report could not be made or written; the message is one sentence. The exit code is 4."""

    exit_code = 4


def end_journal(
    writer: JournalWriter,
    tally: Tally,
    *,
    ended: str,
    partial: bool = False,
    because: str | None = None,
    lost: bool = False,
) -> Report:
    """Append the closing line with the verdict of `tally` and return the report of the whole journal.

    `tally` must have observed every record of `writer`; `ended` is RFC 3339 in UTC; `partial` marks a run cut short,
    `because` says why, and `lost` that the endpoint is gone. A journal that cannot be ended makes a partial run of what
    it holds. Raise ReportError where it cannot be read back.
    """
    verdict = tally.verdict(partial=partial, lost=lost)
    why = (because or CUT_SHORT) if partial else None
    try:
        writer.close(ended=ended, verdict=verdict, exit=EXIT_CODES[verdict], partial=partial, because=because)
    except JournalError as problem:
        why = str(problem).rstrip(".")
    try:
        return tally.report(Journal(writer.path).exchanges, why)
    except JournalError as problem:
        raise ReportError(str(problem)) from None


def report_of(path: Path, *, strict: bool = False) -> Report:
    """Return the report of a journal, with `strict` advice as failure; raise ReportError if it cannot be read."""
    try:
        return build(Journal(path), strict=strict)
    except JournalError as problem:
        raise ReportError(str(problem)) from None


def write_reports(
    directory: Path,
    report: Report,
    journal: Path,
    *,
    curl: Curl | None = None,
    standing: Standing | None = None,
) -> Written:
    """Write every format of `report` into `directory`, and `journal` as its journal.

    Each file appears whole or not at all, and all of them are tried, whatever becomes of one. Never raises for what
    a format or the folder does: the failures say so.
    """
    written: list[Path] = []
    failures: list[str] = []

    def attempt(name: str, write: Callable[[Path], object]) -> None:
        try:
            write(directory / name)
            written.append(directory / name)
        except Exception as problem:  # one format that fails must not keep the others from being written
            failures.append(f"{directory / name} cannot be written: {_reason(problem)}.")

    # Who waits for a pipe's reader may give up.
    with nullcontext() if any(is_special(directory / name) for name in (*FILES, JOURNAL)) else undisturbed():
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            return Written(failures=(f"The reports cannot be written to {directory}: {_reason(problem)}.",))
        for name, form in FILES.items():
            attempt(name, lambda path, form=form: put(path, RENDERERS[form](report, curl, standing)))  # type: ignore[misc]
        attempt(JOURNAL, lambda path: copy_into(journal, path))
    return Written(tuple(written), tuple(failures))


def write_file(path: Path, content: bytes) -> None:
    """Write one report, whole or not at all, its folder if need be; raise ReportError where that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        put(path, content)
    except BrokenPipeError:
        raise  # nobody reads it to its end: that is no failure
    except OSError as problem:
        raise ReportError(f"{path} cannot be written: {_reason(problem)}.") from None


def _reason(problem: Exception) -> str:
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    return f"{type(problem).__name__}: {problem}"
