"""`atlas-conformance doctor`: what a run would do, before it does it."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import click
import orjson
from rich.console import Console

from atlas_conformance.cli.run import run_suites
from atlas_conformance.contracts.operation import LEVELS
from atlas_conformance.http.failures import PreflightFailed, TargetError
from atlas_conformance.http.limits import parse_rate
from atlas_conformance.http.target import Target, with_mode, with_rate
from atlas_conformance.reference.server import ServerError
from atlas_conformance.reports.output import complain
from atlas_conformance.reports.progress import Progress, stderr_console
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.rehearsal.plan import Plan
from atlas_conformance.runner.rehearsal.rehearsing import RehearsalFailed, rehearse
from atlas_conformance.runner.rehearsal.survey import Survey, survey, unasked
from atlas_conformance.runner.rehearsal.terminal import print_plan
from atlas_conformance.targets.target_file import target_from_file

_USAGE, _UNREACHABLE, _SUITE_ERROR = 2, 3, 4


@click.command("doctor")
@click.option("--target", type=click.Path(), metavar="FILE", required=True, help="Target file (TOML) of the endpoint.")
@click.option("--level", type=click.Choice(LEVELS), help="Level that the endpoint claims. Default: found out.")
@click.option(
    "--profile",
    type=click.Choice(["quick", "standard", "thorough"]),
    default="standard",
    show_default=True,
    help="How many requests the run would send.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Number that decides which requests the run would send.",
)
@click.option("--requirement", multiple=True, metavar="ID", help="Verify this requirement alone. Repeatable.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Connections used at the same time.")
@click.option("--mode", type=click.Choice(["read", "refusals", "restore"]), help="What the run may send, as for `run`.")
@click.option("--rate", metavar="N/PERIOD", help="Requests at most, such as 60/min or 10/s.")
@click.option("--offline", is_flag=True, help="Send nothing to the endpoint.")
@click.option(
    "--json", "file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the plan as JSON."
)
def doctor_command(
    target: str,
    level: Any,
    profile: str,
    seed: int,
    requirement: tuple[str, ...],
    workers: int | None,
    mode: Any,
    rate: str | None,
    offline: bool,
    file: Path | None,
) -> None:
    """Show what a run would do, before it does it: what it would send, exercise and delete.

    It sends a few GETs, those with which every run begins; with --offline it sends nothing. (A service account without
    an API key gets its token first.) It rehearses the run with the reference endpoint, which gets what the target file
    lists, so the figures are what the suites really do.

    \b
    Exit codes:
      0  the plan is shown
      2  wrong usage, target file or environment
      3  the endpoint cannot be reached or verified
      4  an error of the suite itself
    """
    try:
        options = Options(
            target=target, level=level, profile=profile, seed=seed, requirements=requirement, workers=workers
        ).checked()
        described = _described(target, level, mode, rate)
        found = unasked(described) if offline else survey(described, seed)
    except TargetError as error:
        _complain(str(error), _USAGE)
    except PreflightFailed as error:
        _complain(str(error), _UNREACHABLE)
    try:
        plan = _rehearsed(described, found, options)
    except (RehearsalFailed, ServerError) as error:
        _complain(f"the rehearsal failed: {error}", _SUITE_ERROR)
    if file is not None:
        _write(plan, file)
    try:
        print_plan(plan, Console())
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _described(file: str, level: Any, mode: Any, rate: str | None) -> Target:
    target = target_from_file(file, os.environ)
    if level is not None:
        target = replace(target, level=level)
    return with_rate(with_mode(target, mode), parse_rate(rate, "--rate") if rate is not None else None)


def _rehearsed(target: Target, found: Survey, options: Options) -> Plan:
    console = stderr_console()
    console.print("Rehearsing with the reference endpoint", highlight=False)
    with Progress(console) as progress:
        return rehearse(
            target, found, options, run_suites, lambda exchanges: progress.update(exchanges=exchanges, findings=0)
        )


def _write(plan: Plan, file: Path) -> None:
    try:
        file.write_bytes(orjson.dumps(plan.as_json(), option=orjson.OPT_INDENT_2) + b"\n")
    except OSError as error:
        _complain(f"{file} cannot be written ({(error.strerror or str(error)).lower()})", _USAGE)


def _complain(sentence: str, code: int) -> NoReturn:
    complain(sentence)
    sys.exit(code)
