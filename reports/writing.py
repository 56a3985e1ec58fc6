"""Writing the reports of a run into a folder, and ending its journal."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from atlas_conformance.reports.badge import badge
from atlas_conformance.reports.ctrf import ctrf
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


class ReportError(Exception):
    """A report could not be made or written; the message is one sentence. The exit code is 4."""

    exit_code = 4


def end_journal(
    writer: JournalWriter, tally: Tally, *, ended: str, partial: bool = False, because: str | None = None
) -> Report:
    """Append the closing line with the verdict of `tally` and return the report of the whole journal.

    `tally` must have observed every record of `writer`; `ended` is RFC 3339 in UTC; `partial` marks a run cut short,
    and `because` says why. Raise ReportError where the journal cannot be written, or read back.
    """
    verdict = tally.verdict(partial=partial)
    try:
        writer.close(ended=ended, verdict=verdict, exit=EXIT_CODES[verdict], partial=partial, because=because)
        return tally.report(Journal(writer.path).exchanges, (because or CUT_SHORT) if partial else None)
    except JournalError as problem:
        raise ReportError(str(problem)) from None


def report_of(path: Path) -> Report:
    """Return the report of a journal on disk; raise ReportError where it cannot be read."""
    try:
        return build(Journal(path))
    except JournalError as problem:
        raise ReportError(str(problem)) from None


def write_reports(
    directory: Path,
    report: Report,
    journal: Path,
    *,
    curl: Curl | None = None,
    standing: Standing | None = None,
) -> tuple[Path, ...]:
    """Write every format of `report` into `directory`, and `journal` as its journal; return the paths.

    Each file appears whole or not at all. All formats are tried; raise ReportError naming each that failed.
    """
    written: list[Path] = []
    failed: list[str] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ReportError(f"The reports cannot be written to {directory}: {_reason(problem)}.") from None
    for name, format in FILES.items():
        try:
            _replace(directory / name, RENDERERS[format](report, curl, standing))
            written.append(directory / name)
        except Exception as problem:  # a format that fails must not keep the others from being written
            failed.append(f"{name} ({_reason(problem)})")
    kept = directory / JOURNAL
    try:
        if not (kept.exists() and kept.samefile(journal)):
            shutil.copyfile(journal, kept)
        written.append(kept)
    except OSError as problem:
        failed.append(f"{JOURNAL} ({_reason(problem)})")
    if failed:
        raise ReportError(f"Reports that cannot be written to {directory}: {', '.join(failed)}.")
    return tuple(written)


def write_file(path: Path, content: bytes) -> None:
    """Write one report, whole or not at all, its folder if need be; raise ReportError where that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, content)
    except OSError as problem:
        raise ReportError(f"{path} cannot be written: {_reason(problem)}.") from None


def _replace(path: Path, content: bytes) -> None:
    """Put `content` in the place of `path` in one step."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _reason(problem: Exception) -> str:
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    return f"{type(problem).__name__}: {problem}"
