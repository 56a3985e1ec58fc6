"""`atlas-conformance serve`: the reference endpoint in the foreground, for anyone who wants a mock Atlas."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import select
import signal
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from atlas_conformance.cli.serving import announcement, env_file, env_json
from atlas_conformance.contracts.operation import LEVELS
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.freedoms import FREEDOMS, IMITATIONS
from atlas_conformance.reference.server import ReferenceServer, ServerError
from atlas_conformance.reference.tls import Certificate

_OUT = click.Path(dir_okay=False, path_type=Path)
_IN = click.Path(dir_okay=False, exists=True, path_type=Path)
_LOOK_SECONDS = 0.5


def reader_left() -> bool:
    """Whether stdout is a pipe that nobody reads any more, as after `serve | head -1`."""
    try:
        if not stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode):
            return False
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return any(event & select.POLLERR for _, event in poll.poll(0))
    except (AttributeError, OSError, ValueError):  # no such output, or a system that cannot tell
        return False


def _freedoms(given: tuple[str, ...]) -> dict[str, str]:
    chosen = {}
    for one in given:
        name, equals, choice = one.partition("=")
        if not equals:
            raise click.UsageError(f"--freedom takes NAME=CHOICE, such as busy-target=409, not {one!r}")
        chosen[name] = choice
    return chosen


def _list_freedoms(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        for name, choices in FREEDOMS.items():
            click.echo(f"{name:<24} {' | '.join(choices)}")
        context.exit()


def _print_schema(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        import json

        from atlas_conformance.reference.scenario import scenario_schema

        click.echo(json.dumps(scenario_schema(), indent=2))
        context.exit()


def _said(scenario: Path | None) -> dict[str, Any]:
    """Return what a scenario file says, as arguments of the endpoint."""
    if scenario is None:
        return {}
    from atlas_conformance.reference.scenario_file import ScenarioError, read_scenario
    from atlas_conformance.reference.scenario_fixtures import scenario_options

    try:
        return scenario_options(read_scenario(scenario))
    except ScenarioError as error:
        raise click.UsageError(str(error)) from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _certificate(given: Mapping[str, Any], folder: Path) -> tuple[tuple[str, str] | None, Certificate | None]:
    """Return the files of the certificate to serve with and its key, and what was made of it on the spot, if it was."""
    certificate, key, ca = given["tls_certificate"], given["tls_key"], given["write_ca"]
    if (certificate is None) != (key is None):
        raise click.UsageError("--tls-certificate and --tls-key belong together")
    if certificate is not None:
        return (str(certificate), str(key)), None
    if not given["tls"] and ca is None:
        return None, None
    from atlas_conformance.reference.tls import make_certificate

    try:
        made = make_certificate(folder, given["host"], ca)
    except ImportError:
        raise click.UsageError(
            "--tls needs trustme: pip install 'atlas-conformance[tls]', or give --tls-certificate and --tls-key"
        ) from None
    except OSError as error:
        raise click.UsageError(f"{ca} can't be written: {error.strerror}") from None
    return (str(made.certificate), str(made.key)), made


@click.command("serve")
@click.option("--port", type=click.IntRange(0, 65_535), default=8080, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--step",
    type=click.IntRange(1),
    show_default="50, or the latency where that is more",
    help="Milliseconds in each phase of a job.",
)
@click.option("--database", default=":memory:", show_default=True, help="A file that keeps the jobs.")
@click.option("--seed", type=click.IntRange(0), help="Number that decides ids and credentials. Default: random.")
@click.option("--level", type=click.Choice(LEVELS), show_default="workflow", help="Operations to offer.")
@click.option(
    "--scheme", multiple=True, type=click.Choice(["digest", "bearer"]), help="Offer this one only. Repeatable."
)
@click.option("--rate", type=click.IntRange(1), help="Requests a minute for each credential. Default: no limit.")
@click.option("--latency", type=click.IntRange(0), show_default="0", help="Milliseconds added to each answer.")
@click.option(
    "--disturb",
    type=click.FloatRange(0, 33),
    default=0.0,
    show_default=True,
    help="Percent of requests whose connection is dropped. The same percent gets a 503, and the same a late answer.",
)
@click.option("--freedom", multiple=True, metavar="NAME=CHOICE", help="Another allowed behaviour. Repeatable.")
@click.option(
    "--list-freedoms",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_freedoms,
    help="List the freedoms and their choices.",
)
@click.option(
    "--imitate", multiple=True, type=click.Choice(sorted(IMITATIONS)), help="Show a known departure. Repeatable."
)
@click.option("--fault", metavar="ID", help="Do one thing wrong, as `prove --list` names it.")
@click.option("--scenario", type=_IN, help="A TOML or YAML file with what exists and how it behaves.")
@click.option(
    "--scenario-schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON Schema of scenario files.",
)
@click.option("--write-scenario", type=_OUT, help="Also write what is served as a scenario file (TOML).")
@click.option("--write-target", type=_OUT, help="Also write a target file for it.")
@click.option(
    "--write-env",
    type=_OUT,
    multiple=True,
    help="Also write what clients need: .env lines, or JSON in *.json. Repeatable.",
)
@click.option(
    "--control/--no-control", default=None, help="Answer the control API on /_control. Default: only on loopback."
)
@click.option("--tls", is_flag=True, help="Serve https with a new certificate.")
@click.option("--write-ca", type=_OUT, help="Where to write the authority of that certificate.")
@click.option("--tls-certificate", type=_IN, help="Serve https with this certificate.")
@click.option("--tls-key", type=_IN, help="The key of that certificate.")
def serve_command(**given: Any) -> None:
    """Serve the reference endpoint until Ctrl-C."""
    stopped = threading.Event()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mock-atlas-")))
        certificate, made = _certificate(given, folder)
        control = _is_loopback(given["host"]) if given["control"] is None else given["control"]
        options = _options(given) | {"certificate": certificate, "control": control}
        level = options["level"]
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        try:
            with ReferenceServer(**options, in_process=True) as server:
                _write_files(given, server, level, made, control)
                for line in announcement(server, made, control=control):
                    click.echo(line)
                while not stopped.wait(_LOOK_SECONDS) and not reader_left():
                    pass
        except ServerError as error:
            raise click.UsageError(str(error)) from None
        except BrokenPipeError:
            return  # who wanted the first lines alone has them


def _options(given: dict[str, Any]) -> dict[str, Any]:
    """Return the endpoint's arguments: the command line wins over the scenario."""
    disturb, latency, step = given["disturb"], given["latency"], given["step"]
    usual = {"level": "workflow", "latency": 0.0, "authentication": ("digest", "bearer")}
    said = _said(given["scenario"])
    asked = {
        "seed": given["seed"],
        "level": given["level"],
        "authentication": given["scheme"] or None,
        "rate": given["rate"],
        "latency": None if latency is None else latency / 1000,
        "imitate": given["imitate"] or None,
    }
    chosen = {name: value for name, value in asked.items() if value is not None}
    return {
        **usual,
        **said,
        **chosen,
        "freedoms": {**said.get("freedoms", {}), **_freedoms(given["freedom"])},
        "step": None if step is None else step / 1000,
        "database": given["database"],
        "fault": given["fault"],
        "disturbances": dict.fromkeys(("resets", "unavailable", "slow"), disturb / 100) if disturb else None,
        "host": given["host"],
        "port": given["port"],
    }


def _write_files(
    given: dict[str, Any], server: ReferenceServer, level: str, made: Certificate | None, control: bool
) -> None:
    def scenario() -> str:
        from atlas_conformance.reference.scenario_fixtures import scenario_toml

        return scenario_toml(server.fixtures, server.credentials)

    authority = None if made is None else made.authority
    files: list[tuple[Path | None, Callable[[], str]]] = [
        (given["write_target"], lambda: target_toml(server.url, server.inventory, level=level, authority=authority)),
        (given["write_scenario"], scenario),
    ]
    for file in given["write_env"]:
        if file.suffix == ".json":
            files.append((file, lambda: env_json(server, made, control=control)))
        else:
            files.append((file, lambda: env_file(server, made)))
    for written, text in files:
        if written is not None:
            try:
                written.write_text(text(), encoding="utf-8")
            except OSError as error:
                raise click.UsageError(f"{written} can't be written: {error.strerror}") from None
