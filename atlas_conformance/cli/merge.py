"""`atlas-conformance merge`: join the journals of shards into one run and report on it."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from atlas_conformance.cli.journalled import curl_of, gate_options, in_one_sentence, verbose_option
from atlas_conformance.contracts.requirement import Basis
from atlas_conformance.reports.annotations import workflow_commands
from atlas_conformance.reports.claim import claimed
from atlas_conformance.reports.comparison import outline
from atlas_conformance.reports.gates.gate import Gate, Policy
from atlas_conformance.reports.gates.merging import merge
from atlas_conformance.reports.output import complain, refuse_to_overwrite, to_reader
from atlas_conformance.reports.scratch import scratch_folder
from atlas_conformance.reports.terminal import print_report
from atlas_conformance.reports.wording import plural
from atlas_conformance.reports.writing import FILES, JOURNAL, Written, write_reports


@click.command("merge")
@click.argument("shards", type=click.Path(path_type=Path, exists=True), nargs=-1, required=True)
@click.option("--report", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Folder for reports.")
@click.option("--baseline", type=click.Path(path_type=Path), metavar="OLD", help="Earlier run to compare with.")
@click.option(
    "--update-waivers", is_flag=True, help="Add a waiver with blanks to the file for each failure that has none."
)
@gate_options
@verbose_option
@click.option("--format", "form", type=click.Choice(["text", "github"]), default="text", show_default=True,
              help="github adds workflow commands that mark failures.")  # fmt: skip
def merge_command(
    shards: tuple[Path, ...],
    report: Path | None,
    baseline: Path | None,
    update_waivers: bool,
    gate: Gate | None,
    waivers: Path | None,
    strict: bool,
    basis: tuple[Basis, ...],
    verbose: bool,
    form: str,
) -> None:
    """Join all SHARDS of a run (journals, or folders of reports) into one report.

    It refuses shards that are not the parts of one run: another contract, seed or target; a shard that is missing,
    given twice or cut off.

    Exit codes are those of a run: 0, 1 or 4, by the gate if there is one; 2 wrong usage, or shards that do not belong
    together.
    """
    if update_waivers and waivers is None:
        raise click.UsageError("--update-waivers needs --waivers FILE to write to")
    if gate == "new" and baseline is None:
        raise click.UsageError("the gate 'new' needs an earlier run to compare with: --baseline OLD")
    if report is not None:
        refuse_to_overwrite(shards, (report / name for name in (*FILES, JOURNAL)))
    with in_one_sentence(), claimed(report), scratch_folder() as folder:
        policy = Policy.load(gate, baseline, waivers, update=update_waivers, bases=basis, strict=strict)
        joined = merge(shards, folder / JOURNAL, strict=strict)
        run = outline(joined)
        added = policy.write_waivers(run)
        standing = None if policy.silent else policy.decide(run, errors=bool(joined.errors))
        curl = curl_of(joined.header)
        written = Written()
        if report is not None:
            written = write_reports(report, joined, folder / JOURNAL, curl=curl, standing=standing)
    with to_reader():
        console = Console()
        if added:
            print(f"Added to {waivers}: {plural(added, 'waiver')} with blanks to fill")
        print_report(joined, console, curl=curl, written=written.paths, verbose=verbose, standing=standing)
        if form == "github":
            for line in workflow_commands(joined, standing):
                print(line)
    complain(*written.failures)
    click.get_current_context().exit(joined.exit_code if standing is None else standing.exit_code)
