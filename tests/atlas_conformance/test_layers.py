"""The layers of the package, which import-linter holds, and the number of arrows between its rooms, which falls."""

from __future__ import annotations

from pathlib import Path

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "atlas_conformance"
MOST_ARROWS = 40
"""How many pairs of rooms are tied by an import; lower it whenever one goes."""
NO_ROOMS = {"__main__", "conftest", "pytest_plugin", "testing"}
"""Single modules that only tie rooms together."""


def test_the_layers_hold(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0, capsys.readouterr().out


def test_every_layer_is_declared_once() -> None:
    layers = read_configuration(str(ROOT / "pyproject.toml"))["contracts_options"][0]["layers"]
    declared = [name.strip() for layer in layers for name in layer.split("|")]
    top = {path.stem for path in (ROOT / PACKAGE).iterdir() if path.suffix == ".py" or path.is_dir()}
    assert sorted(declared) == sorted(top - {"__init__", "__pycache__"})


def test_the_arrows_between_rooms_only_become_fewer() -> None:
    graph = grimp.build_graph(PACKAGE, exclude_type_checking_imports=True, cache_dir=None)

    def room(module: str) -> str:
        return module.split(".")[1] if "." in module else "__init__"

    arrows = {
        (room(module), room(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    }
    arrows = {(a, b) for a, b in arrows if a != b and not {a, b} & {*NO_ROOMS, "__init__"}}
    assert not [(a, b) for a, b in arrows if (b, a) in arrows]
    assert len(arrows) <= MOST_ARROWS, sorted(arrows)
