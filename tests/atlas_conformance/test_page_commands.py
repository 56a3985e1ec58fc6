"""Every command that a page shows runs, in the order of the page, as far as it can in a few seconds."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.atlas_conformance.desk import Desk, furnished, shell_lines
from tests.atlas_conformance.program import ROOT

PAGES = {path.name: path.read_text("utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
SHOWN = {name: shell_lines(text) for name, text in PAGES.items() if shell_lines(text)}
SEVERAL_MACHINES = {"--master", "--worker"}
"""Options of commands that belong together; tests/load runs them."""


def ours(name: str) -> list[list[str]]:
    """Return the commands of a page that this test runs; those of an earlier page are not repeated."""
    earlier = [command for page in list(SHOWN)[: list(SHOWN).index(name)] for command in SHOWN[page]]
    named = [command for command in SHOWN[name] if command[0] in ("atlas-conformance", "pytest")]
    return [command for command in named if command not in earlier and not SEVERAL_MACHINES & {*command}]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with furnished(tmp_path_factory.mktemp("pages")) as desk:
        yield desk


@pytest.mark.parametrize("name", [name for name in SHOWN if ours(name)])
def test_every_command_runs_in_the_order_of_the_page(name: str, desk: Desk) -> None:
    failed = {}
    for command in ours(name):
        if command[:2] == ["atlas-conformance", "init"]:
            command = [*command, "--force"]
        code, said = desk.run(command)
        if code != 0 or "Traceback" in said:
            failed[shlex.join(command)] = f"exit code {code}\n{said}"
    assert not failed, "\n\n".join(f"{command}: {said}" for command, said in failed.items())


def test_no_page_was_missed() -> None:
    assert sum(len(ours(name)) for name in SHOWN) >= 30
    assert {"README.md", "ci.md", "drift.md", "hammer.md", "mock.md", "recorded-traffic.md", "verify.md"} <= {*SHOWN}


def test_the_other_commands_name_what_is_there() -> None:
    pages = [*SHOWN.values(), shell_lines((ROOT / "CONTRIBUTING.md").read_text("utf-8"))]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for command in (command for page in pages for command in page):
        if command[0] == "make":
            assert re.search(rf"^{command[1]}:", makefile, re.MULTILINE), command
        elif command[0] in ("node", "java"):
            assert any((ROOT / "docs" / "examples" / word).is_file() for word in command), command
        elif command[0] == "pip":
            assert (ROOT / command[command.index("-c") + 1]).is_file()
        else:
            assert command[0] in ("atlas-conformance", "pytest", "set", ".venv/bin/python"), command


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
def test_the_example_in_javascript_passes(desk: Desk) -> None:
    (command,) = (command for command in SHOWN["mock.md"] if command[0] == "node")
    lines = (f"{name}={value}" for name, value in desk.variables.items())
    Path(desk.folder, "mock.env").write_text("\n".join(lines), "utf-8")
    code, said = desk.run(command)
    assert code == 0, said
