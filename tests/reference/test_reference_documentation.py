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
PAGE = (ROOT / "docs" / "mock.md").read_text(encoding="utf-8")


def ran(folder: Path, file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(file)]
    return subprocess.run(command, cwd=folder, env=surroundings(), capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("name", ["test_restore.py", "restore.test.mjs", "scenario.toml"])
def test_the_page_shows_the_examples(name: str) -> None:
    assert f"\n{(EXAMPLES / name).read_text(encoding='utf-8').rstrip()}\n```" in PAGE


def test_the_python_examples_pass(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = readme.partition("## A mock Atlas")[2].partition("```python\n")[2].partition("```")[0]
    (tmp_path / "test_readme.py").write_text(block, encoding="utf-8")
    (tmp_path / "test_page.py").write_text((EXAMPLES / "test_restore.py").read_text(encoding="utf-8"), encoding="utf-8")
    result = ran(tmp_path, tmp_path)
    assert result.returncode == 0, result.stdout
    assert "4 passed" in result.stdout


def test_the_scenario_of_the_page_is_served() -> None:
    with MockAtlas(EXAMPLES / "scenario.toml") as mock:
        assert mock.credentials.owner.public == "mock"


def test_the_page_names_every_key_of_a_scenario_and_every_control_request() -> None:
    for key in Scenario.model_fields:
        assert key in PAGE, key
    for _, path in _ACTIONS:
        assert path in PAGE, path
    assert read_scenario(EXAMPLES / "scenario.toml").rules
