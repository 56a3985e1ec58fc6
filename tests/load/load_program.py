"""Running `hammer` as a person does: in processes of its own, against an endpoint of the test's."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.server import ReferenceServer
from tests.atlas_conformance.program import COMMAND, TIME_LIMIT, surroundings

PATIENCE = 60.0


def run(*arguments: str | Path, cwd: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `atlas-conformance hammer` to its end."""
    return subprocess.run(
        [*COMMAND, "hammer", *map(str, arguments)], cwd=cwd, env={**surroundings(), **environ}, capture_output=True,
        text=True, encoding="utf-8", timeout=TIME_LIMIT,
    )  # fmt: skip


@contextmanager
def started(
    *arguments: str | Path, cwd: Path, environ: Mapping[str, str], log: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Start `atlas-conformance hammer` with its output in a file, and end it in any case."""
    with (cwd / log).open("wb") as file:
        process = subprocess.Popen(
            [*COMMAND, "hammer", *map(str, arguments)], cwd=cwd, env={**surroundings(), **environ}, stdout=file,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def described(server: ReferenceServer, folder: Path) -> tuple[Path, dict[str, str]]:
    """Write a target file for the endpoint; return it, and the variables that it names."""
    path = folder / "target.toml"
    path.write_text(target_toml(server.url, server.inventory), encoding="utf-8")
    return path, dict(environment(server.credentials))


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is so; fail, naming it, where it does not come to be."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, f"no {what} within {PATIENCE:.0f} s"
        time.sleep(0.05)


def last_line(text: str) -> str:
    """Return the verdict of a run: its last line, joined where the terminal's width broke it."""
    found = re.search(r"(PASSED|FAILED|INCOMPLETE|NOT EXERCISED|ERROR)[^\n]*(\n[^\n]+)*\Z", text.strip())
    return found[0].replace("\n", " ") if found else ""
