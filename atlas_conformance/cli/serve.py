"""`atlas-conformance serve`: the reference endpoint in the foreground, for anyone who wants a mock Atlas."""

from __future__ import annotations

import os
import select
import shlex
import signal
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import click

from atlas_conformance.contracts.operation import LEVELS, Level
from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.freedoms import FREEDOMS, IMITATIONS
from atlas_conformance.reference.server import ReferenceServer, ServerError

_LOOK_SECONDS = 0.5


def announcement(server: ReferenceServer) -> Iterator[str]:
    """Yield the lines that tell a person what is served: fixtures as comments, the rest to be pasted into a shell."""
    yield f"# The reference endpoint listens on {server.url}; Ctrl-C stops it."
    for cluster in server.inventory.clusters:
        kind = "sharded" if cluster.sharded else cluster.kind
        yield f"# {kind:<9} {cluster.project} {cluster.name}  snapshots {' '.join(cluster.snapshots)}"
    owner, account = server.credentials.owner, server.credentials.owner_account
    usual = {
        "MONGODB_ATLAS_BASE_URL": server.url,
        "MONGODB_ATLAS_PUBLIC_API_KEY": owner.public,
        "MONGODB_ATLAS_PRIVATE_API_KEY": owner.private,
        "MONGODB_ATLAS_CLIENT_ID": account.id,
        "MONGODB_ATLAS_CLIENT_SECRET": account.secret,
    }
    for name, value in (usual | dict(environment(server.credentials))).items():
        yield f"export {name}={shlex.quote(value)}"


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
@click.option(
    "--seed", type=click.IntRange(0), help="What fixtures and credentials are drawn from; at random if left out."
)
@click.option("--level", type=click.Choice(LEVELS), default="workflow", show_default=True)
@click.option(
    "--scheme", multiple=True, type=click.Choice(["digest", "bearer"]), help="Offer this one only. Repeatable."
)
@click.option("--rate", type=click.IntRange(1), help="Requests a minute for each credential; no limit if left out.")
@click.option(
    "--latency", type=click.IntRange(0), default=0, show_default=True, help="Milliseconds added to each answer."
)
@click.option(
    "--disturb",
    type=click.FloatRange(0, 33),
    default=0.0,
    show_default=True,
    help="Percent of requests whose connection is reset; as many each are answered 503, or late.",
)
@click.option("--freedom", multiple=True, metavar="NAME=CHOICE", help="Another allowed behaviour. Repeatable.")
@click.option("--list-freedoms", is_flag=True, is_eager=True, expose_value=False, callback=_list_freedoms)
@click.option(
    "--imitate", multiple=True, type=click.Choice(sorted(IMITATIONS)), help="Show a known departure. Repeatable."
)
@click.option("--fault", metavar="ID", help="Start with one fault of the catalogue.")
@click.option("--write-target", type=click.Path(dir_okay=False, path_type=Path), help="Write a target file for it.")
def serve_command(
    port: int,
    host: str,
    step: int | None,
    database: str,
    seed: int | None,
    level: Level,
    scheme: tuple[str, ...],
    rate: int | None,
    latency: int,
    disturb: float,
    freedom: tuple[str, ...],
    imitate: tuple[str, ...],
    fault: str | None,
    write_target: Path | None,
) -> None:
    """Serve the reference endpoint until Ctrl-C."""
    stopped = threading.Event()
    server = ReferenceServer(
        step=None if step is None else step / 1000,
        seed=seed,
        database=database,
        freedoms=_freedoms(freedom),
        imitate=imitate,
        fault=fault,
        level=level,
        authentication=scheme or ("digest", "bearer"),
        rate=rate,
        latency=latency / 1000,
        disturbances=dict.fromkeys(("resets", "unavailable", "slow"), disturb / 100) if disturb else None,
        host=host,
        port=port,
        in_process=True,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        with server:
            if write_target is not None:
                write_target.write_text(target_toml(server.url, server.inventory, level=level), encoding="utf-8")
            for line in announcement(server):
                click.echo(line)
            while not stopped.wait(_LOOK_SECONDS) and not reader_left():
                pass
    except ServerError as error:
        raise click.UsageError(str(error)) from None
    except BrokenPipeError:
        return  # who wanted the first lines alone has them
    except OSError as error:
        raise click.UsageError(f"{write_target} can't be written: {error.strerror}") from None
