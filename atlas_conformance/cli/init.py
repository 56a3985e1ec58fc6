"""`atlas-conformance init`: ask an endpoint what exists behind it, and write a target file."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import NoReturn

import click

from atlas_conformance.contracts.reading import HEX24
from atlas_conformance.http.client import Client
from atlas_conformance.http.failures import PreflightFailed, TargetError
from atlas_conformance.http.limits import parse_rate
from atlas_conformance.http.target import Target, with_rate
from atlas_conformance.reports.output import complain
from atlas_conformance.reports.program import PROGRAM
from atlas_conformance.reports.wording import plural, visible
from atlas_conformance.targets.asking import Asked, ask
from atlas_conformance.targets.drafting import draft
from atlas_conformance.targets.target_file import target_from_url

_USAGE, _UNREACHABLE = 2, 3


def _project_ids(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    for project in given:
        if not HEX24.matches(project):
            raise click.BadParameter(f"{visible(project)!r} is not an id of 24 lower-case hexadecimal digits.")
    return given


@click.command("init")
@click.option("--base-url", metavar="URL", help="Base URL of the endpoint. Default: MONGODB_ATLAS_BASE_URL.")
@click.option(
    "--project", multiple=True, metavar="ID", callback=_project_ids, help="Ask about this project alone. Repeatable."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("atlas.toml"),
    show_default=True,
    metavar="FILE",
    help="The target file to write.",
)
@click.option(
    "--scenario",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a scenario for `serve --scenario` instead, with the same projects, clusters and snapshots.",
)
@click.option("--force", is_flag=True, help="Overwrite the file if it exists.")
@click.option("--rate", metavar="N/PERIOD", help="Requests at most, such as 60/min or 10/s.")
def init_command(
    base_url: str | None,
    project: tuple[str, ...],
    out: Path,
    scenario: Path | None,
    force: bool,
    rate: str | None,
) -> None:
    """Ask an endpoint what exists behind it, and write a commented target file for `run`.

    It asks for projects, their clusters and their snapshots, with GETs alone. Fill in what the endpoint does not list.
    With the file as it is written, a run changes nothing. Credentials come from MONGODB_ATLAS_PUBLIC_API_KEY and
    MONGODB_ATLAS_PRIVATE_API_KEY, or from MONGODB_ATLAS_CLIENT_ID and MONGODB_ATLAS_CLIENT_SECRET; a service account
    gets its token first.

    \b
    Exit codes:
      0  the file is written
      2  wrong usage or environment, or the file already exists
      3  the endpoint cannot be reached, or refuses the credentials
    """
    if scenario is not None and scenario.exists() and not force:
        _complain(f"{scenario} already exists; --force overwrites it, --scenario FILE names another", _USAGE)
    if scenario is None and out.exists() and not force:
        _complain(f"{out} already exists; --force overwrites it, --out FILE names another", _USAGE)
    try:
        target = target_from_url(base_url, os.environ)
        target = with_rate(target, parse_rate(rate, "--rate") if rate is not None else None)
        asked = _asked(target, project)
    except TargetError as error:
        # A target file, which this sentence would send a person to, is what is yet to be made.
        _complain(str(error).replace("name a target file or set", "give --base-url or set"), _USAGE)
    except PreflightFailed as error:
        _complain(str(error), _UNREACHABLE)
    if scenario is not None:
        _write_scenario(scenario, asked, force)
        return
    _write(out, draft(target.base_url, asked), force)
    click.echo(f"Wrote {visible(str(out))}: {_counts(asked)}.")
    for remark in asked.remarks:
        click.echo(f"  {visible(remark)}")
    if asked.clusters:
        click.echo(f"See what a run would do: {PROGRAM} doctor --target {shlex.quote(str(out))}")
    else:
        click.echo("Fill in the places that say FILL IN before you run.")


def _write_scenario(out: Path, asked: Asked, force: bool) -> None:
    from atlas_conformance.reference.scenario_fixtures import scenario_of_clusters

    if not asked.clusters:
        _complain("the endpoint lists no cluster, so there is no scenario to make", _USAGE)
    names = {project.id: project.name for project in asked.projects if project.name}
    _write(out, scenario_of_clusters([found.cluster for found in asked.clusters], names), force)
    click.echo(f"Wrote {visible(str(out))}: {_counts(asked)}. Credentials in it are made up.")
    for remark in asked.remarks:
        click.echo(f"  {visible(remark)}")
    click.echo(f"Serve it: {PROGRAM} serve --scenario {shlex.quote(str(out))}")


def _counts(asked: Asked) -> str:
    snapshots = sum(len(found.cluster.snapshots) for found in asked.clusters)
    things = (("project", len(asked.projects)), ("cluster", len(asked.clusters)), ("snapshot", snapshots))
    return f"{', '.join(plural(n, thing) for thing, n in things)}, by {plural(asked.requests, 'GET')}"


def _asked(target: Target, projects: tuple[str, ...]) -> Asked:
    owner = target.credentials.get("owner")
    # An API key comes first: it takes no request but the GETs themselves.
    with Client(target, workers=1, prefer="digest" if owner is not None and owner.digest else None) as client:
        return ask(client, projects)


def _write(out: Path, text: str, force: bool) -> None:
    try:
        with out.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        _complain(f"{out} already exists; --force overwrites it, --out FILE names another", _USAGE)
    except OSError as error:
        _complain(f"{out} cannot be written ({(error.strerror or str(error)).lower()})", _USAGE)


def _complain(sentence: str, code: int) -> NoReturn:
    complain(sentence)
    sys.exit(code)
