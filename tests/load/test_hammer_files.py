"""The files around `hammer`: its compose file says what the command understands; nothing imports the engine early."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from atlas_conformance.cli.hammer import hammer_command

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "atlas_conformance"
PATCHED = {"engine", "command", "local", "master", "worker"}
"""The modules of `hammer` that need the engine, which patches the interpreter when it is imported."""


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return loaded


def test_the_compose_file_holds_to_its_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, str(ROOT / "compose.yaml")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("service", "role"), [("master", "master"), ("worker", "worker")])
def test_the_compose_file_gives_options_that_there_are(service: str, role: str) -> None:
    command = compose()["services"][service]["command"]
    first, *options = (re.sub(r"\$\{[A-Z]+:-([^}]*)\}", r"\1", part) for part in command)
    assert first == "hammer"
    parsed = hammer_command.make_context("hammer", list(options)).params
    assert parsed[role] is True and parsed["target"] == "/work/target.toml"


def test_secrets_come_from_the_environment_alone() -> None:
    for service in compose()["services"].values():
        assert set(service["environment"].values()) == {None}


def imported(path: Path) -> set[str]:
    """The modules that a module imports at its top."""
    found: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_only_the_command_imports_the_engine() -> None:
    """Whoever else imports a part of `load`, such as tests do, keeps an interpreter without patches."""
    for path in (*(PACKAGE / "load").glob("*.py"), PACKAGE / "cli" / "hammer.py"):
        needs = {name for name in imported(path) if name.split(".")[0] in ("locust", "gevent")}
        needs |= {name for name in imported(path) if name in {f"atlas_conformance.load.{module}" for module in PATCHED}}
        assert not needs or path.stem in PATCHED, f"{path.name} imports {needs}"


def test_importing_the_rest_leaves_the_interpreter_as_it_is() -> None:
    modules = ", ".join(
        f"atlas_conformance.{name}" for name in ("load.station", "load.ending", "cli.hammer", "mutation.hammered")
    )
    script = f"import sys, {modules}; assert 'gevent' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
