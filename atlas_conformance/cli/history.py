"""`atlas-conformance history`: the verdicts of many runs over time, as one page."""

from __future__ import annotations

from pathlib import Path

import click

from atlas_conformance.cli.journalled import in_one_sentence
from atlas_conformance.reports.earlier import SUMMARY
from atlas_conformance.reports.history import history_html, runs_at
from atlas_conformance.reports.output import refuse_to_overwrite
from atlas_conformance.reports.wording import plural
from atlas_conformance.reports.writing import write_file


@click.command("history")
@click.argument("folders", type=click.Path(path_type=Path, exists=True), nargs=-1, required=True, metavar="DIR...")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("history.html"),
    show_default=True,
    metavar="FILE",
    help="The page.",
)
def history_command(folders: tuple[Path, ...], html: Path) -> None:
    """Show the verdict of each requirement over many runs.

    Each DIR is a folder of reports with its summary.json, or a folder of such folders.
    """
    read = [path for folder in folders for path in (folder, folder / SUMMARY, *folder.glob(f"*/{SUMMARY}"))]
    refuse_to_overwrite(read, [html])
    with in_one_sentence():
        runs = runs_at(folders)
        write_file(html, history_html(runs).encode("utf-8"))
    click.echo(f"Written: {html}, {plural(len(runs), 'run')}")
