"""`atlas-conformance compare`: what is worse, and what is better, than in an earlier run."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from atlas_conformance.cli.journalled import gate_options, in_one_sentence
from atlas_conformance.contracts.requirement import Basis
from atlas_conformance.reports.earlier import outline_at
from atlas_conformance.reports.gates.gate import Gate, Policy
from atlas_conformance.reports.output import to_reader
from atlas_conformance.reports.terminal import print_standing


@click.command("compare")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@gate_options
def compare_command(
    old: Path, new: Path, gate: Gate | None, waivers: Path | None, strict: bool, basis: tuple[Basis, ...]
) -> None:
    """Compare two runs: folders of reports, summaries or journals.

    Failures match by requirement, operation and place. What was exercised in OLD and is not in NEW is lost coverage,
    and counts as worse.

    Exit codes: 0 the gate lets NEW through; 1 it does not; 2 wrong usage; 4 NEW reached no verdict.
    """
    with in_one_sentence():
        policy = Policy.load(gate, old, waivers, bases=basis, strict=strict)
        standing = policy.decide(outline_at(new))
    with to_reader():
        print_standing(standing, Console())
    click.get_current_context().exit(standing.exit_code)
