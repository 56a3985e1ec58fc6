"""`atlas-conformance drift`: the contract against a vendor's OpenAPI description."""

from __future__ import annotations

import os
import sys
from itertools import groupby
from pathlib import Path

import click
import orjson

from atlas_conformance.cli.program import PROGRAM
from atlas_conformance.drift.comparing import differences
from atlas_conformance.drift.difference import Difference
from atlas_conformance.drift.documents import DriftError
from atlas_conformance.reports.wording import one_line, plural, visible

_USAGE = 2


@click.command("drift")
@click.argument("openapi", type=click.Path(path_type=Path), metavar="OPENAPI")
@click.option("--json", "as_json", is_flag=True, help="Print the differences as one JSON array.")
def drift_command(openapi: Path, as_json: bool) -> None:
    """Compare the contract with a vendor's OpenAPI description (3.0 or 3.1, YAML or JSON).

    Each difference is told with whom it breaks: clients or endpoints that keep to the contract, or nobody.

    \b
    Exit codes:
      0  no difference
      1  differences
      2  wrong usage, or a file that is no such description
    """
    try:
        found = differences(openapi)
    except DriftError as problem:
        click.echo(f"{PROGRAM}: {visible(str(problem))}", err=True)
        sys.exit(_USAGE)
    try:
        _show(found, as_json)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1 if found else 0)


def _show(found: list[Difference], as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps([each.as_json() for each in found], option=orjson.OPT_INDENT_2).decode())
        return
    for operation, group in groupby(found, key=lambda each: each.operation):
        click.secho(f"\n{one_line(operation)}", bold=True)
        for each in group:
            whom = f"breaks {' and '.join(each.breaks)}" if each.breaks else "breaks nobody"
            click.secho(f"  {each.kind}, {whom}: ", fg="red" if each.breaks else None, nl=False)
            click.echo(one_line(each.sentence, 400))
            click.secho(f"    ours   {one_line(each.ours)}\n    theirs {one_line(each.theirs)}", dim=True)
    breaking = sum(bool(each.breaks) for each in found)
    click.echo(f"\n{plural(len(found), 'difference')}, {breaking:,} of them breaking" if found else "No difference.")
