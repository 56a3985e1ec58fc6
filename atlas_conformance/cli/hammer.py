"""`atlas-conformance hammer`: many clients at once, in one process or on many machines."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from atlas_conformance.contracts.operation import LEVELS
from atlas_conformance.reports.program import PROGRAM


@click.command("hammer")
@click.option("--target", type=click.Path(), metavar="FILE", help="Target file (TOML) that describes the endpoint.")
@click.option("--base-url", metavar="URL", help="Base URL of an endpoint that accepts any well-formed id.")
@click.option("--level", type=click.Choice(LEVELS), help="Level that the endpoint claims. Default: found out.")
@click.option(
    "--users", type=click.IntRange(1, 100_000), default=50, show_default=True, metavar="N", help="Users at once."
)
@click.option("--duration", default="60s", show_default=True, metavar="TIME", help="Such as 60s, 10m or 2h.")
@click.option("--ramp", metavar="TIME", help="Time until all users have started. Default: all at once.")
@click.option(
    "--rate",
    metavar="N/PERIOD",
    help="Requests of all users together, evenly spaced, such as 200/s. Default: as fast as answers come.",
)
@click.option(
    "--seed", type=click.IntRange(0), metavar="N", help="Number that decides which requests are sent. Default: random."
)
@click.option(
    "--mode",
    type=click.Choice(["read", "refusals", "restore"]),
    help="What may be sent, as in `run`. Default: restore on loopback, read elsewhere.",
)
@click.option(
    "--report", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Folder for the reports."
)
@click.option(
    "--fail-p95",
    type=click.FloatRange(0, min_open=True),
    metavar="MS",
    help="Fail if the 95th percentile of latency is higher.",
)
@click.option(
    "--fail-error-rate",
    type=click.FloatRange(0, 100),
    metavar="P",
    help="Fail if more than P per cent of the requests had no answer or a 5xx.",
)
@click.option(
    "--verbose", is_flag=True, help="Print the matrix and every failure in full, not only what fits a screen."
)
@click.option("--strict", is_flag=True, help="Advice fails too, as of `run`.")
@click.option(
    "--basis",
    metavar="BASIS,...",
    help="Only failures of requirements of these bases exit with 1, as of `run`; --stop-at heeds every requirement.",
)
@click.option("--stop-at", multiple=True, metavar="ID", help="End as soon as this requirement fails. Repeatable.")
@click.option("--master", is_flag=True, help="Send nothing; lead workers on this or other machines.")
@click.option("--worker", is_flag=True, help="Work for a master.")
@click.option(
    "--workers",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    metavar="N",
    help="Number of workers that a master waits for.",
)
@click.option("--master-host", metavar="HOST", help="Where a worker finds its master.")
@click.option("--port", type=click.IntRange(1, 65_535), default=5557, show_default=True, help="The master's port.")
@click.option(
    "--bind",
    default="127.0.0.1",
    show_default=True,
    metavar="HOST",
    help="The address that a master listens on; 0.0.0.0 for all.",
)
def hammer_command(**given: object) -> None:
    """Verify an endpoint under load: many users at once, every exchange judged.

    Without --target and --base-url, it starts the reference endpoint on a free port and tests that.

    \b
    Exit codes:
      0  everything that was exercised holds, and no limit is broken
      1  a requirement fails, or a limit is broken
      2  wrong usage, target file or environment
      3  the endpoint or the master cannot be reached, or the endpoint cannot be verified
      4  an error of the program itself, a run that was cut off or lost a worker, or nothing was exercised
    """
    try:
        # First of all, as it makes the interpreter cooperative before sockets and threads are made of it.
        import atlas_conformance.load.engine  # noqa: F401
    except ImportError as error:
        missing = (error.name or "locust").partition(".")[0]
        if missing == "atlas_conformance":
            raise
        sentence = f"hammer needs {missing}, which is not installed: pip install 'atlas-conformance[load]'"
        click.echo(f"{PROGRAM}: {sentence}", err=True)
        sys.exit(2)
    from atlas_conformance.load.command import run

    sys.exit(run(**given))  # type: ignore[arg-type]
