"""`atlas-conformance check`: judge recorded traffic."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from atlas_conformance.cli.journalled import basis_option, standing_of, verbose_option
from atlas_conformance.contracts.requirement import Basis
from atlas_conformance.recordings.checking import Check, Checked, evidence_lines, unjudged_lines
from atlas_conformance.recordings.entries import NoRecording
from atlas_conformance.reports.claim import FolderInUse, claimed
from atlas_conformance.reports.gates.gate import Policy
from atlas_conformance.reports.journal import JournalError
from atlas_conformance.reports.output import complain, refuse_to_overwrite, to_reader
from atlas_conformance.reports.program import INTERRUPTED
from atlas_conformance.reports.progress import Progress, stderr_console
from atlas_conformance.reports.scratch import scratch_folder
from atlas_conformance.reports.standing import Standing
from atlas_conformance.reports.terminal import print_report, print_standing
from atlas_conformance.reports.wording import visible
from atlas_conformance.reports.writing import FILES, JOURNAL, ReportError, Written, write_reports

_USAGE, _ERROR = 2, 4


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--strict", is_flag=True, help="Known departures of the real service, and advice, fail too.")
@basis_option
@verbose_option
@click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for the reports: HTML, JUnit XML, JSON, and the journal of every exchange.",
)
@click.option(
    "--sessions",
    type=click.Choice(("pages", "one")),
    default="pages",
    show_default=True,
    help="Whether a page of a HAR file may be a separate session. If so, its jobs are not compared with those of other"
    " pages if only that makes them fail. With `one`, they always are.",
)
def check_command(
    files: tuple[Path, ...], strict: bool, basis: tuple[Basis, ...], verbose: bool, report: Path | None, sessions: str
) -> None:
    """Judge recorded traffic: HAR files and journals, plain or compressed, one after the other.

    FILE may be `-` for standard input, a pipe, a ZIP archive, or a folder of such files.

    It follows jobs by their ids from file to file: give the files in the order of their recording.

    \b
    Exit codes:
      0  everything that was exercised holds
      1  a requirement fails
      2  wrong usage, a file that is no recording, or one that breaks off
      4  an error of the program itself, or nothing was exercised
    """
    console = stderr_console()
    written = Written()
    if report is not None:
        refuse_to_overwrite(files, (report / name for name in (*FILES, JOURNAL)))
    try:
        with claimed(report), scratch_folder() as scratch, Progress(console) as progress:
            journal = None if report is None else scratch / JOURNAL
            check = Check(
                files,
                strict,
                journal,
                lambda exchanges, failures, what: progress.update(exchanges=exchanges, findings=failures, suite=what),
                by_page=sessions == "pages",
            )
            checked = check.run()
            standing = standing_of(checked.report, Policy(bases=basis))
            if report is not None and journal is not None:
                written = write_reports(report, checked.report, journal, standing=standing)
    except (NoRecording, FolderInUse) as problem:
        _complain(str(problem), _USAGE)
    except (JournalError, ReportError) as problem:
        _complain(str(problem), _ERROR)
    except KeyboardInterrupt:
        _complain("interrupted", INTERRUPTED)
    _show(checked, written.paths, standing, verbose)
    complain(*written.failures, *(f"{cut}; it was judged up to there" for cut in checked.cuts))
    sys.exit(checked.report.exit_code if standing is None else standing.exit_code)


def _show(checked: Checked, written: tuple[Path, ...], standing: Standing | None, verbose: bool) -> None:
    with to_reader():
        print_report(checked.report, Console(), written=written, verbose=verbose)
        for line in evidence_lines(checked.report):
            print(visible(line))
        for line in unjudged_lines(checked):
            print(visible(line))
        if standing is not None:
            print_standing(standing, Console())


def _complain(sentence: str, code: int) -> None:
    complain(sentence)
    sys.exit(code)
