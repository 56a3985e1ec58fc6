"""`atlas-conformance explain`: what a requirement asks for, why, and what keeping and failing it look like."""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

import click

from atlas_conformance.contracts.contract import Contract

_WIDEST = 100


def _known(context: click.Context, parameter: click.Parameter, ids: tuple[str, ...]) -> tuple[str, ...]:
    for id in ids:
        if id.upper() not in Contract.load().requirements:
            close = difflib.get_close_matches(id.upper(), Contract.load().requirements, 1)
            hint = f"did you mean {close[0]}?" if close else "`atlas-conformance requirements` lists them."
            raise click.BadParameter(f"there is no requirement {id!r}; {hint}")
    return tuple(id.upper() for id in ids)


@click.command("explain")
@click.argument("ids", nargs=-1, metavar="[ID]...", callback=_known)
@click.option(
    "--write",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the pages of all requirements into a folder instead, as Markdown with an index.",
)
def explain_command(ids: tuple[str, ...], write: Path | None) -> None:
    """Explain requirements: what each asks for and why, where that can be looked up, and how it is tested.

    Each page shows an exchange that conforms and one that fails, made by sending the suites' requests to the reference
    endpoint, sound and with a fault.

    Exit codes: 0 explained; 2 wrong usage, no such requirement, or a folder that cannot be written.
    """
    if bool(ids) == (write is not None):
        raise click.UsageError("name requirements to explain, such as T-TARGET, or a folder with --write DIR")
    if write is not None:
        from atlas_conformance.cli.explanations.folder import write_pages

        try:
            written, gone = write_pages(write)
        except OSError as error:
            raise click.UsageError(f"{write} cannot be written: {error.strerror or error}") from None
        taken = f"; {gone} of former requirements removed" if gone else ""
        click.echo(f"Written to {write}: {written} pages{taken}")
        return
    from atlas_conformance.cli.explanations.page import as_text, page_of

    width = min(shutil.get_terminal_size().columns, _WIDEST)
    click.echo("\n\n".join(as_text(page_of(id), width) for id in dict.fromkeys(ids)), nl=False)
