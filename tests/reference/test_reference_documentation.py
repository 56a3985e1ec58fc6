"""The examples of the documentation work, and the page shows them as they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from atlas_conformance.reference.control_api import _ACTIONS
from atlas_conformance.reference.mock import MockAtlas
from atlas_conformance.reference.scenario import Scenario
from atlas_conformance.reference.scenario_file import read_scenario
from tests.reference.test_reference_clients import ROOT, surroundings

EXAMPLES = ROOT / "docs" / "examples"
MOCK, SCENARIOS = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("mock.md", "scenarios.md"))


def ran(folder: Path, file: Path) -> subprocess.CompletedProcess[str]:
    plugins = ("-p", "no:cacheprovider", "-p", "atlas_conformance.pytest_plugin")
    command = [sys.executable, "-m", "pytest", "-q", *plugins, "--rootdir", str(folder), str(file)]
    environ = surroundings(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("page", "name"), [(MOCK, "test_restore.py"), (MOCK, "restore.test.mjs"), (SCENARIOS, "scenario.toml")]
)
def test_the_pages_show_the_examples(page: str, name: str) -> None:
    assert f"\n{(EXAMPLES / name).read_text(encoding='utf-8').rstrip()}\n```" in page


def test_the_python_examples_pass(tmp_path: Path) -> None:
    (tmp_path / "test_page.py").write_text((EXAMPLES / "test_restore.py").read_text(encoding="utf-8"), encoding="utf-8")
    result = ran(tmp_path, tmp_path)
    assert result.returncode == 0, result.stdout
    assert "3 passed" in result.stdout


def test_the_scenario_of_the_page_is_served() -> None:
    with MockAtlas(EXAMPLES / "scenario.toml") as mock:
        assert mock.credentials.owner.public == "mock"


def test_the_pages_name_every_key_of_a_scenario_and_every_control_request() -> None:
    for key in Scenario.model_fields:
        assert key in SCENARIOS, key
    for _, path in _ACTIONS:
        assert path in SCENARIOS, path
    assert read_scenario(EXAMPLES / "scenario.toml").rules
