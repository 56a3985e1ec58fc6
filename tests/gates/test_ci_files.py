"""The files for CI: valid by the schemas of those who read them, and doing what they say when their scripts run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FAKE = """#!/bin/sh
for argument in "$@"; do printf '%s\\n' "$argument" >> "$ARGUMENTS"; done
mkdir -p "$REPORT_DIR"; echo "## failed" > "$REPORT_DIR/summary.md"
exit "$FAKE_CODE"
"""


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ("vendor.github-actions", "action.yml"),
        ("vendor.gitlab-ci", "ci/gitlab.yml"),
    ],
)
def test_each_file_holds_to_its_schema(schema: str, name: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, "--data-transform", "gitlab-ci"]
    command = command if "gitlab" in schema else command[:-2]
    done = subprocess.run([*command, str(ROOT / name)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def action() -> dict[str, Any]:
    """Return the GitHub action."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    return loaded


def step(name: str) -> dict[str, Any]:
    """Return a step of the action by its name."""
    found: dict[str, Any] = next(s for s in action()["runs"]["steps"] if s.get("name") == name)
    return found


def run(script: str, shell: list[str], tmp_path: Path, code: int, **variables: str) -> tuple[int, list[str]]:
    """Run a script with a program in the place of the real one; return the exit code and the program's arguments."""
    program = tmp_path / "atlas-conformance" / "bin" / "atlas-conformance"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(FAKE)
    program.chmod(0o755)
    environ = {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "RUNNER_TEMP": str(tmp_path),
        "ARGUMENTS": str(tmp_path / "arguments"),
        "FAKE_CODE": str(code),
        "REPORT_DIR": str(tmp_path / "out"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        **variables,
    }
    done = subprocess.run([*shell, script], env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=30)
    arguments = tmp_path / "arguments"
    return done.returncode, arguments.read_text().splitlines() if arguments.exists() else []


EMPTY = dict.fromkeys(("BASE_URL", "TARGET", "LEVEL", "SEED", "MODE", "BASELINE", "GATE", "WAIVERS", "SHARD"), "")
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]


def test_the_action_runs_and_fails_by_the_gate_after_the_summary(tmp_path: Path) -> None:
    given = {
        **EMPTY,
        "PROFILE": "quick",
        "REPORT": str(tmp_path / "out"),
        "SEED": "7",
        "GATE": "new",
        "BASE_URL": "http://x/$(touch pwned)",
        "BASELINE": str(tmp_path),
    }
    code, arguments = run(step("Verify")["run"], BASH, tmp_path, 1, **given)
    assert code == 0 and not (tmp_path / "pwned").exists()
    assert arguments == [
        "run",
        "--profile",
        "quick",
        "--report",
        str(tmp_path / "out"),
        "--format",
        "github",
        "--base-url",
        "http://x/$(touch pwned)",
        "--seed",
        "7",
        "--baseline",
        str(tmp_path),
        "--gate",
        "new",
    ]
    assert (tmp_path / "output").read_text() == "exit-code=1\n"
    assert (tmp_path / "summary").read_text() == "## failed\n"
    assert run(step("Gate")["run"], BASH, tmp_path, 0, CODE="1")[0] == 1
    assert run(step("Gate")["run"], BASH, tmp_path, 0, CODE="0")[0] == 0
    assert run(step("Gate")["run"], BASH, tmp_path, 0, CODE="")[0] == 4


def test_the_action_without_an_earlier_run_lets_every_failure_count(tmp_path: Path) -> None:
    given = {**EMPTY, "PROFILE": "quick", "REPORT": "out", "GATE": "new", "BASELINE": "missing"}
    _, arguments = run(step("Verify")["run"], BASH, tmp_path, 0, **given)
    assert arguments[-2:] == ["--gate", "any"] and "--baseline" not in arguments


def test_no_script_of_the_action_has_an_expression_in_it() -> None:
    scripts = [s["run"] for s in action()["runs"]["steps"] if "run" in s]
    assert len(scripts) == 3 and not any("${{" in script for script in scripts)
    declared = set(action()["inputs"])
    used = {name for name in declared if f"inputs.{name}" in (ROOT / "action.yml").read_text("utf-8")}
    assert declared == used


def test_the_gitlab_job_runs_its_shard(tmp_path: Path) -> None:
    job = yaml.safe_load((ROOT / "ci" / "gitlab.yml").read_text("utf-8"))[".atlas-conformance"]
    variables = {
        **job["variables"],
        "ATLAS_SEED": "7",
        "ATLAS_TARGET": "a b.toml",
        "CI_NODE_TOTAL": "4",
        "CI_NODE_INDEX": "2",
    }
    code, arguments = run(job["script"][0], ["sh", "-eu", "-c"], tmp_path, 1, **variables)
    assert code == 1 and arguments == [
        "run",
        "--profile",
        "standard",
        "--report",
        "atlas-conformance-report",
        "--target",
        "a b.toml",
        "--seed",
        "7",
        "--shard",
        "2/4",
    ]


def test_the_container_is_small_and_unprivileged() -> None:
    lines = (ROOT / "Containerfile").read_text("utf-8").splitlines()
    images = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert len(images) == 2 and all(":" in image and image.endswith("-slim") for image in images)
    last = lines[max(index for index, line in enumerate(lines) if line.startswith("FROM ")) :]
    user = next(line.split()[1] for line in last if line.startswith("USER "))
    assert int(user) > 0 and 'ENTRYPOINT ["atlas-conformance"]' in last
