"""What the documents tell a reader to write is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

from atlas_conformance.cli.commands import command
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reports.model import EXIT_CODES
from atlas_conformance.targets.target_file import target_from_text
from tests.atlas_conformance.program import ROOT

OPERATIONS = Contract.load().operations

DOCUMENTS = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    "document", [ROOT / "docs" / "verify.md", ROOT / "docs" / "target-file.md"], ids=lambda path: path.name
)
def test_target_files_that_are_shown_can_be_used(document: Path) -> None:
    (text,) = blocks(document, "toml")
    target = target_from_text(text, dict.fromkeys(re.findall(r'"([A-Z][A-Z_]+)"', text), "value"))
    assert target.inventory.clusters
    assert target.credentials
    assert target.operations is None or target.operations <= {*OPERATIONS}


def test_every_key_of_a_target_file_is_shown() -> None:
    (text,) = blocks(ROOT / "docs" / "target-file.md", "toml")
    keys = set(re.findall(r"^[# ]*([a-z_]+) = ", text, re.MULTILINE)) | {*re.findall(r"[{,] ([a-z_]+) =", text)}
    folder = ROOT / "atlas_conformance" / "targets"
    source = "".join((folder / name).read_text("utf-8") for name in ("target_file.py", "identities.py"))
    takes = r"(?:\.(?:take|need|choice|strings|tables)\(|_number_from_0\(table, )\"([a-z_]+)\""
    taken = set(re.findall(takes, source))
    assert taken >= {"base_url", "snapshots", "max_jobs", "max_snapshots"}
    assert taken - keys - {"clusters", "restore_targets"} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_and_options_that_are_shown_exist(document: Path) -> None:
    assert isinstance(command, click.Group)
    text = document.read_text(encoding="utf-8")
    context = click.Context(command)
    for name, rest in re.findall(r"atlas-conformance ([a-z]+)([^`\n]*)", text):
        found = command.get_command(context, name)
        if found is None:
            assert f"`atlas-conformance {name}" not in text, f"{document.name} shows a command {name}"
            continue
        known = {option for parameter in found.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known


@pytest.mark.parametrize("name", ["README.md", "docs/verify.md"])
def test_the_page_names_every_exit_code(name: str) -> None:
    rows = re.findall(r"^\| ([0-9]) \| \S", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == ["0", "1", "2", "3", "4"]
    assert {*EXIT_CODES.values()} <= {int(row) for row in rows}


def test_the_figures_of_the_readme_are_those_of_the_kill_matrix() -> None:
    readme, matrix = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/kill-matrix.md"))
    caught, every = map(int, re.findall(r"^- (\d+) of (\d+) faults caught", matrix, re.MULTILINE)[0])
    passed, modes = map(int, re.findall(r"passes in (\d+) of (\d+) modes", matrix)[0])
    assert (caught, passed) == (every, modes)
    assert re.findall(r"more than (\d+) faults", readme) == [str((every - 1) // 100 * 100)]
    assert re.findall(r"passes in (\d+) modes", readme) == [str(modes)]


def test_the_architecture_page_names_every_room_and_file_that_there_is() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    package = ROOT / "atlas_conformance"
    rooms = {path.name for path in package.iterdir() if (path / "__init__.py").is_file()}
    assert rooms - set(re.findall(r"`([a-z]+)/`", text)) == set()
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    layers = linter["contracts"][0]["layers"]
    rows = re.findall(r"^\d\. ((?:`[a-z_]+`(?:, )?)+)$", text, re.MULTILINE)
    told = [set(re.findall(r"`([a-z_]+)`", row)) for row in rows]
    assert told == [set(layer.split(" | ")) - {"conftest"} for layer in layers if layer != "__main__"]
    places = (ROOT, package, ROOT / "contracts")
    named = re.findall(r"`([a-z_/]+\.(?:py|toml|yaml))`", text)
    assert len(named) > 10
    assert [name for name in named if not any((place / name).exists() for place in places)] == []
