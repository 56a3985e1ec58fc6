"""`atlas-conformance report`: render a journal again, in any format."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from atlas_conformance.cli.journalled import curl_of, gate_options, in_one_sentence, standing_of, verbose_option
from atlas_conformance.contracts.requirement import Basis
from atlas_conformance.reports.annotations import workflow_commands
from atlas_conformance.reports.gates.gate import Gate, Policy
from atlas_conformance.reports.output import complain, refuse_to_overwrite, to_reader
from atlas_conformance.reports.terminal import print_report
from atlas_conformance.reports.writing import JOURNAL, RENDERERS, ReportError, report_of, write_file


def _output(name: str, words: str) -> click.Option:
    return click.Option([f"--{name}"], type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help=words)


@click.command("report")
@click.argument("journal", type=click.Path(path_type=Path))
@click.option("--baseline", type=click.Path(path_type=Path), metavar="OLD", help="Earlier run to compare with.")
@gate_options
@verbose_option
@click.option("--format", "form", type=click.Choice(["text", "github"]), help="What to print; text where no file is"
              " asked for. github prints workflow commands that mark failures.")  # fmt: skip
def report_command(
    journal: Path,
    baseline: Path | None,
    gate: Gate | None,
    waivers: Path | None,
    strict: bool,
    basis: tuple[Basis, ...],
    verbose: bool,
    form: str | None,
    **files: Path | None,
) -> None:
    """Render JOURNAL (a file, or a folder of reports that holds one) in any number of formats.

    The same journal gives the same bytes. A journal without its closing line is rendered as the partial run that it is.

    Exit codes are those of the run: 0, 1, 3 or 4, by the gate where one is given; 2 wrong usage, no journal, or a file
    that cannot be written.
    """
    wanted = {format: path for format, path in files.items() if path is not None}
    refuse_to_overwrite((journal, *(path for path in (waivers, baseline) if path is not None)), wanted.values())
    failures: list[str] = []
    with in_one_sentence():
        policy = Policy.load(gate, baseline, waivers, bases=basis, strict=strict)
        report = report_of(journal / JOURNAL if journal.is_dir() else journal, strict=strict)
        standing = standing_of(report, policy)
        curl = curl_of(report.header)
    for format, path in wanted.items():
        try:
            write_file(path, RENDERERS[format](report, curl, standing))
        except ReportError as problem:
            failures.append(str(problem))
        except BrokenPipeError:
            continue
        except Exception as problem:  # one format that fails must not keep the others from being written
            failures.append(f"{path} cannot be written: {type(problem).__name__}: {problem}.")
    with to_reader():
        if form == "github":
            for line in workflow_commands(report, standing):
                print(line)
        elif form == "text" or not wanted:
            console = Console()
            print_report(report, console, curl=curl, verbose=verbose, standing=standing)
    if failures:
        complain(*failures)
        click.get_current_context().exit(2)
    click.get_current_context().exit(report.exit_code if standing is None else standing.exit_code)


report_command.params += [
    _output("html", "The page."),
    _output("junit", "JUnit XML."),
    _output("sarif", "SARIF 2.1.0."),
    _output("ctrf", "CTRF JSON."),
    _output("markdown", "The summary of a GitHub step."),
    _output("badge", "An SVG badge."),
    _output("json", "summary.json."),
]
