"""What the program says about itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas_conformance.contracts.contract import Contract
from tests.atlas_conformance.program import atlas

REQUIREMENTS = Contract.load().requirements


def test_alone_it_prints_its_help_and_does_nothing(tmp_path: Path) -> None:
    ended = atlas(cwd=tmp_path)
    assert ended.returncode == 2  # so that a script whose command went missing does not pass
    for command in ("run", "init", "doctor", "serve", "requirements"):
        assert f"\n  {command} " in ended.stderr
    assert "Error" not in ended.stderr


@pytest.mark.parametrize("command", ["run", "init", "doctor", "serve", "requirements"])
def test_each_command_has_help(tmp_path: Path, command: str) -> None:
    ended = atlas(command, "--help", cwd=tmp_path)
    assert ended.returncode == 0
    assert ended.stdout.startswith(f"Usage: atlas-conformance {command} ")
    assert ended.stderr == ""


def test_the_help_of_run_tells_every_exit_code(tmp_path: Path) -> None:
    text = atlas("run", "--help", cwd=tmp_path).stdout
    assert all(f"\n    {code}  " in text for code in range(5))


def test_every_requirement_is_listed_under_its_family(tmp_path: Path) -> None:
    lines = atlas("requirements", cwd=tmp_path).stdout.splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ") and not line.startswith("   ")]
    assert sorted(listed) == sorted(REQUIREMENTS)
    assert lines.index("Request bodies") < lines.index("Authentication")


def test_requirements_are_chosen_by_the_beginning_of_their_ids(tmp_path: Path) -> None:
    text = atlas("requirements", "T-ENUM", "A-R", cwd=tmp_path).stdout
    chosen = [name for name in REQUIREMENTS if name.startswith(("T-ENUM", "A-R"))]
    assert [name for name in REQUIREMENTS if f"  {name} " in text] == chosen
    ended = atlas("requirements", "X-", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "'X-'" in ended.stderr
