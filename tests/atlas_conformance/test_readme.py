"""Every command of the README runs, in the order of the page, as far as it can in a few seconds."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from atlas_conformance.reference.mock import MockAtlas
from tests.atlas_conformance.program import COMMAND, ROOT, TIME_LIMIT, surroundings
from tests.mocks.careful import careful_mock
from tests.mocks.serving import served

README = (ROOT / "README.md").read_text("utf-8")
SHELL = "\n".join(re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE))
COMMANDS = [shlex.split(line, comments=True) for line in SHELL.splitlines()]
JOBS = f"/api/atlas/v2/groups/{'a' * 24}/flexClusters/Flex0/backup/restoreJobs"
OPEN = {"http://127.0.0.1:4010", "mock:app"}
"""Mocks of the page that ask for no credentials."""
BRIEF = {  # what makes a command end soon; a later option goes before an earlier one
    "run": ["--profile", "quick", "--seed", "1"],
    "doctor": ["--profile", "quick", "--requirement", "C-MEDIA"],
    "hammer": ["--users", "3", "--duration", "2s"],
    "serve": ["--port", "0"],
}


@dataclass
class Desk:
    """A folder with what the README takes for granted, and the addresses that stand for those on the page."""

    folder: Path
    addresses: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)

    def arguments(self, command: list[str]) -> list[str]:
        """The arguments of a command of the page, so that it ends soon and finds its endpoint."""
        given = [self.addresses.get(part, part) for part in command[1:] if part != "&"]
        given += BRIEF.get(given[0], [])
        if given[0] == "run" and "--requirement" not in given:
            given += ["--requirement", "C-MEDIA"]
        return given

    def run(self, command: list[str]) -> tuple[int, str]:
        """Run a command to its end; one that serves is stopped as by Ctrl-C once it was used."""
        started = subprocess.Popen(
            [*COMMAND, *self.arguments(command)],
            cwd=self.folder,
            env=surroundings(**({} if OPEN & {*command} else self.variables)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with started:
            said = ""
            try:
                if command[1] in ("serve", "record"):
                    said = self._used(command[1], started)
                    started.send_signal(signal.SIGINT)
                said += started.communicate(timeout=TIME_LIMIT)[0]
            finally:
                started.kill()
        return started.returncode, said

    def _used(self, name: str, started: subprocess.Popen[str]) -> str:
        assert started.stdout is not None
        said, deadline = "", time.monotonic() + 30
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", said)) and time.monotonic() < deadline:
            said += started.stdout.readline()
        assert found, said
        if name == "record":
            httpx.get(f"{found.group()}{JOBS}", trust_env=False)
        else:
            while not (self.folder / "mock.env").exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            assert f"MONGODB_ATLAS_BASE_URL={found.group()}" in (self.folder / "mock.env").read_text("utf-8")
        return said


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "contracts" / "schemas", folder / "schemas")
    shutil.copy(ROOT / "contracts" / "openapi.yaml", folder / "vendor-openapi.yaml")
    (folder / "accepted.toml").write_text("", "utf-8")
    (folder / "mock.py").write_text("from tests.mocks.careful import careful_mock\n\napp = careful_mock()\n", "utf-8")
    with served(careful_mock()) as careful, MockAtlas(seed=1) as atlas:
        addresses = {
            "http://127.0.0.1:4010": careful,
            "https://atlas.example.com": atlas.url,
            "http://127.0.0.1:8080": atlas.url,
        }
        desk = Desk(folder, addresses, dict(atlas.environment))
        # What the page has from days before: a recording, and (once there is a target file) the reports of a run.
        recorded = next(command for command in COMMANDS if command[1:2] == ["record"])
        assert desk.run(recorded)[0] == 0
        yield desk


def test_every_command_runs_in_the_order_of_the_page(desk: Desk) -> None:
    commands = [command for command in COMMANDS if command[:1] == ["atlas-conformance"]]
    assert len(commands) >= 15
    failed = {}
    for command in commands:
        if command[1] == "record":
            continue  # it has recorded what `check` reads
        code, said = desk.run(command)
        if code != 0 or "Traceback" in said:
            failed[shlex.join(command)] = f"exit code {code}\n{said}"
        if "--report" in command:
            shutil.copytree(desk.folder / command[-1], desk.folder / "last-run")
    assert not failed, "\n\n".join(f"{command}: {said}" for command, said in failed.items())


def test_the_other_commands_name_what_is_there() -> None:
    others = [command for command in COMMANDS if command and command[0] != "atlas-conformance"]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert {command[0] for command in others} == {"make", "node"}
    for command in others:
        if command[0] == "make":
            assert re.search(rf"^{command[1]}:", makefile, re.MULTILINE)
        else:
            assert (ROOT / command[-1]).is_file()
