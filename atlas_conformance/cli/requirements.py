"""`atlas-conformance requirements`: every requirement, by family."""

from __future__ import annotations

import shutil
import textwrap

import click

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.requirement import Requirement
from atlas_conformance.reports.wording import FAMILIES

_WIDEST = 110


def _known(context: click.Context, parameter: click.Parameter, beginnings: tuple[str, ...]) -> tuple[str, ...]:
    for beginning in beginnings:
        if not any(name.startswith(beginning) for name in Contract.load().requirements):
            raise click.BadParameter(f"no requirement's id begins with {beginning!r}.")
    return beginnings


@click.command("requirements")
@click.argument("ids", nargs=-1, metavar="[ID]...", callback=_known)
def requirements_command(ids: tuple[str, ...]) -> None:
    """List requirements by family: id, words, source, basis, and the operations that each binds.

    ID is an id or the beginning of one, such as T- or B-PATTERN; without any, all are listed.
    `atlas-conformance explain ID` says more of one.
    """
    chosen = [r for r in Contract.load().requirements.values() if not ids or r.id.startswith(ids)]
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    for letter, heading in FAMILIES.items():
        members = [r for r in chosen if r.id.partition("-")[0] == letter]
        if members:
            click.secho(f"\n{heading}", bold=True)
        for requirement in members:
            click.echo(_wrapped(f"  {requirement.id:<15}{requirement.statement}", width))
            click.secho(f"{' ' * 17}Source: {requirement.source}", dim=True)
            click.secho(_wrapped(" " * 17 + _binding(requirement), width), dim=True)
    click.echo(f"\n{len(chosen)} requirements" if len(chosen) != 1 else "")


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(text, width, subsequent_indent=" " * 17, break_on_hyphens=False)


def _binding(requirement: Requirement) -> str:
    every = len(requirement.operations) == len(Contract.load().operations)
    bound = "every operation" if every else ", ".join(requirement.operations)
    return f"{requirement.force}; {requirement.level}; {bound}"
