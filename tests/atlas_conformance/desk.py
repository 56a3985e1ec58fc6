"""A folder in which the commands of the documents run: with the files that they take for granted, and short."""

from __future__ import annotations

import gzip
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from atlas_conformance.reference.mock import MockAtlas
from tests.atlas_conformance.program import COMMAND, ROOT, TIME_LIMIT, surroundings
from tests.mocks.careful import careful_mock
from tests.mocks.serving import served

JOBS = f"/api/atlas/v2/groups/{'a' * 24}/flexClusters/Flex0/backup/restoreJobs"
OPEN = {"http://127.0.0.1:4010", "mock:app"}
"""Mocks of the pages that ask for no credentials."""
BRIEF = {  # what makes a command end soon; a later option wins over an earlier one
    "run": ["--profile", "quick", "--processes", "1"],
    "doctor": ["--profile", "quick", "--requirement", "C-MEDIA"],
    "hammer": ["--users", "3", "--duration", "2s", "--ramp", "1s"],
}


def shell_lines(page: str) -> list[list[str]]:
    """Return the commands that a page shows, in its order, each as its words."""
    shell = "\n".join(re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE))
    return [words for line in shell.splitlines() if (words := shlex.split(line, comments=True))]


def serves(command: list[str]) -> bool:
    """Return whether a command goes on until Ctrl-C."""
    return command[1] in ("serve", "record") and "--scenario-schema" not in command


@dataclass
class Desk:
    """A folder with what the pages take for granted, and the addresses that stand for those on the pages."""

    folder: Path
    addresses: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, command: list[str]) -> tuple[int, str]:
        """Run a command of a page to its end; return its exit code and what it printed.

        A command that serves is stopped as by Ctrl-C once it was used.
        """
        if command[0] == "atlas-conformance":
            words = [*COMMAND, *self._arguments(command)]
        elif command[0] == "pytest":
            plugin = ("-p", "atlas_conformance.pytest_plugin", "-p", "no:cacheprovider", "--requirement", "C-MEDIA")
            words = [sys.executable, "-m", *command, *plugin]
        else:
            words = command
        started = subprocess.Popen(
            words,
            cwd=self.folder,
            env=surroundings(**({} if OPEN & {*command} else self.variables)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with started:
            said = ""
            try:
                if serves(command):
                    said = self._used(command, started)
                    started.send_signal(signal.SIGINT)
                said += started.communicate(timeout=TIME_LIMIT)[0]
            finally:
                started.kill()
        return started.returncode, said

    def _arguments(self, command: list[str]) -> list[str]:
        name, *given = (self.addresses.get(part, part) for part in command[1:] if part != "&")
        given = [found for part in given for found in self._matching(part)]
        if "--port" in given:
            given[given.index("--port") + 1] = "0"
        given += BRIEF.get(name, [])
        if name == "serve":
            given += ["--port", "0"]
        if name == "run" and "--requirement" not in given:
            given += ["--requirement", "C-MEDIA"]
        if name == "run" and "--seed" not in given:
            given += ["--seed", "1"]
        return [name, *given]

    def _matching(self, part: str) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.glob(part)) if "*" in part else [part]

    def _used(self, command: list[str], started: subprocess.Popen[str]) -> str:
        assert started.stdout is not None
        said, deadline = "", time.monotonic() + 30
        while not (found := re.search(r"https?://127\.0\.0\.1:\d+", said)) and time.monotonic() < deadline:
            said += started.stdout.readline()
        assert found, said
        if command[1] == "record":
            httpx.get(f"{found.group()}{JOBS}", trust_env=False)
        elif "--write-env" in command:
            written = self.folder / command[command.index("--write-env") + 1]
            while f"MONGODB_ATLAS_BASE_URL={found.group()}" not in text(written) and time.monotonic() < deadline:
                time.sleep(0.02)
            assert found.group() in text(written), said
        return said


def text(file: Path) -> str:
    """Return a file's text; nothing where there is no file yet."""
    return file.read_text("utf-8") if file.exists() else ""


@contextmanager
def furnished(folder: Path) -> Iterator[Desk]:
    """Give a desk in a folder, with a mock that asks for nothing, one that asks for credentials, and a recording."""
    shutil.copytree(ROOT / "contracts" / "schemas", folder / "schemas")
    for name in ("vendor-openapi.yaml", "openapi-2026-07.yaml", "openapi-2026-08.yaml"):
        shutil.copy(ROOT / "contracts" / "openapi.yaml", folder / name)
    for example in (ROOT / "docs" / "examples").iterdir():
        shutil.copy(example, folder / example.name)
    (folder / "waivers.toml").write_text("", "utf-8")
    (folder / "mock.py").write_text("from tests.mocks.careful import careful_mock\n\napp = careful_mock()\n", "utf-8")
    with served(careful_mock()) as careful, MockAtlas(seed=1) as atlas:
        addresses = {
            "http://127.0.0.1:4010": careful,
            "https://atlas.example.com": atlas.url,
            "http://127.0.0.1:8080": atlas.url,
        }
        desk = Desk(folder, addresses, dict(atlas.environment))
        for command in (
            "atlas-conformance init --base-url https://atlas.example.com --out atlas.toml",
            "atlas-conformance record --upstream http://127.0.0.1:8080 --out traffic.har",
            "atlas-conformance run --target atlas.toml --report reports/2026-01-01",
        ):
            code, said = desk.run(shlex.split(command))
            assert code == 0, said
        shutil.copy(folder / "traffic.har", folder / "monday.har")
        (folder / "tuesday.har.gz").write_bytes(gzip.compress((folder / "traffic.har").read_bytes()))
        yield desk
