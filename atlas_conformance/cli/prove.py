"""`atlas-conformance prove`: run the suites against every fault, and against the sound endpoint in its modes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from rich.console import Console

from atlas_conformance.cli.run import run_suites
from atlas_conformance.mutation.kill_matrix import Progress, markdown, print_matrix, write_matrix
from atlas_conformance.mutation.trials import fault_trials, sound_trials
from atlas_conformance.mutation.workers import try_all
from atlas_conformance.reference.faults import catalogue, find


def _known(context: click.Context, parameter: click.Parameter, faults: tuple[str, ...]) -> tuple[str, ...]:
    for fault in faults:
        try:
            find(fault)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    return faults


@click.command("prove")
@click.option("--fault", multiple=True, metavar="ID", callback=_known, help="Try this fault alone. Repeatable.")
@click.option(
    "--class",
    "classes",
    multiple=True,
    type=click.Choice(["shape", "negative", "rule", "stateful", "subtle", "concurrent"]),
    help="Try the faults of this class alone. Repeatable.",
)
@click.option("--profile", type=click.Choice(["quick", "standard", "thorough"]), default="standard", show_default=True)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=2 * (os.cpu_count() or 1),
    show_default="two a core",
    help="Processes at the same time; each waits for jobs most of the time.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Number that decides which requests are sent."
)
@click.option(
    "--report", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Folder for the matrix."
)
@click.option("--whole", is_flag=True, help="Let each run go to its end, to see every headline that its fault yields.")
@click.option("--list", "listing", is_flag=True, help="List the faults instead.")
def prove_command(
    fault: tuple[str, ...],
    classes: tuple[str, ...],
    profile: str,
    workers: int,
    seed: int,
    report: Path | None,
    whole: bool,
    listing: bool,
) -> None:
    """Prove that the suites catch every fault, by the right requirement, and pass a sound endpoint.

    Exit codes: 0 all caught and the sound endpoint passes in every mode; 1 otherwise; 2 wrong usage.
    """
    if listing:
        for known in catalogue().values():
            click.echo(f"{known.id}  ({known.kind}; {known.requirement})  {known.sentence}")
        return
    trials = fault_trials(fault, classes, seed)
    if not fault and not classes:
        trials = sound_trials(seed) + trials
    outcomes = []
    with Progress(Console(stderr=True), len(trials)) as progress:
        for outcome in try_all(trials, workers, profile, run_suites, whole=whole):
            outcomes.append(outcome)
            progress.add(outcome)
    order = {trial.name: place for place, trial in enumerate(trials)}
    outcomes.sort(key=lambda outcome: order[outcome.trial.name])
    print_matrix(outcomes, Console())
    if report is not None:
        write_matrix(report, outcomes, markdown(outcomes, profile, seed, progress.seconds, whole=whole))
    missing = len(trials) - len(outcomes)
    if missing:
        click.echo(f"atlas-conformance: {missing} trials did not end", err=True)
    sys.exit(0 if not missing and all(outcome.good for outcome in outcomes) else 1)
