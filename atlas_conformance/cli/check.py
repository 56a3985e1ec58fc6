"""`atlas-conformance check`: judge recorded traffic."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

from atlas_conformance.cli.program import INTERRUPTED, PROGRAM
from atlas_conformance.recordings.checking import Check, Checked, evidence_lines, unjudged_lines
from atlas_conformance.recordings.entries import NoRecording
from atlas_conformance.reports.journal import JournalError
from atlas_conformance.reports.progress import Progress
from atlas_conformance.reports.terminal import print_report
from atlas_conformance.reports.wording import visible
from atlas_conformance.reports.writing import JOURNAL, ReportError, write_reports

_USAGE, _ERROR = 2, 4


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--strict", is_flag=True, help="Known departures of the real service fail too.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for the reports: HTML, JUnit XML, JSON, and the journal of every exchange.",
)
def check_command(files: tuple[Path, ...], strict: bool, report: Path | None) -> None:
    """Judge recorded traffic: HAR files and journals, plain or gzip, one after the other.

    Jobs are followed by their ids from file to file, so give the files in the order of their recording.

    \b
    Exit codes:
      0  everything that was exercised holds
      1  a requirement fails
      2  wrong usage, a file that is no recording, or one that breaks off
      4  an error of the program itself, or nothing was exercised
    """
    console = Console(file=sys.stderr)
    written: tuple[Path, ...] = ()
    try:
        with tempfile.TemporaryDirectory(prefix="atlas-conformance-") as scratch, Progress(console) as progress:
            journal = None if report is None else Path(scratch) / JOURNAL
            check = Check(
                files,
                strict,
                journal,
                lambda exchanges, failures, what: progress.update(exchanges=exchanges, findings=failures, suite=what),
            )
            checked = check.run()
            if report is not None and journal is not None:
                written = write_reports(report, checked.report, journal)
    except NoRecording as problem:
        _complain(str(problem), _USAGE)
    except (JournalError, ReportError) as problem:
        _complain(str(problem), _ERROR)
    except KeyboardInterrupt:
        _complain("interrupted", INTERRUPTED)
    _show(checked, written)
    for cut in checked.cuts:
        click.echo(f"{PROGRAM}: {visible(cut)}; it was judged up to there", err=True)
    sys.exit(checked.report.exit_code)


def _show(checked: Checked, written: tuple[Path, ...]) -> None:
    try:
        print_report(checked.report, Console(), written=written)
        for line in evidence_lines(checked.report):
            print(visible(line))
        for line in unjudged_lines(checked.unjudged):
            print(visible(line))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(sentence: str, code: int) -> None:
    click.echo(f"{PROGRAM}: {visible(sentence)}", err=True)
    sys.exit(code)
