"""What GitHub, PyPI and pre-commit read: valid by their schemas, true to the project, with scripts that work."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WORKFLOWS = ROOT / ".github" / "workflows"
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
SCHEMAS = {
    "vendor.github-workflows": sorted(WORKFLOWS.glob("*.yml")),
    "vendor.github-issue-forms": [form for form in FORMS if form.name != "config.yml"],
    "vendor.github-issue-config": [form for form in FORMS if form.name == "config.yml"],
    "vendor.citation-file-format": [ROOT / "CITATION.cff"],
}


def loaded(path: Path) -> Any:
    """Return a YAML file's content. The key `on` of a workflow is read as True, as YAML 1.1 has it."""
    return yaml.safe_load(path.read_text("utf-8"))


def steps() -> list[tuple[str, dict[str, Any]]]:
    """Return every step of every workflow, with the workflow's name."""
    workflows = sorted(WORKFLOWS.glob("*.yml"))
    return [(path.stem, step) for path in workflows for job in loaded(path)["jobs"].values() for step in job["steps"]]


def script(name: str) -> str:
    """Return the script of a step by the step's name."""
    return str(next(step["run"] for _, step in steps() if step.get("name") == name))


@pytest.mark.parametrize("schema", SCHEMAS)
def test_each_file_holds_to_the_schema_of_those_who_read_it(schema: str) -> None:
    assert SCHEMAS[schema]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, SCHEMAS[schema])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tests_run_on_every_supported_python() -> None:
    job = loaded(WORKFLOWS / "tests.yml")["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert PROJECT["requires-python"] == ">=3.11"
    assert script("Test") == "make test PYTHON=python"


def test_the_coverage_is_printed_and_at_least_90() -> None:
    recipe = re.search(r"^test:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert recipe is not None
    assert "coverage run -m pytest" in recipe[1]
    assert re.search(r"@echo \"Coverage .*coverage report --format=total", recipe[1])
    assert "$(if $(ARGS),,$(BIN) coverage report --format=total --fail-under=90 " in recipe[1]
    run = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["coverage"]["run"]
    assert run["branch"] and "subprocess" in run["patch"] and run["source_pkgs"] == ["atlas_conformance"]


def test_only_the_step_that_publishes_can_prove_who_it_is() -> None:
    workflow = loaded(WORKFLOWS / "release.yml")
    assert workflow[True] == {"push": {"tags": ["v*"]}}
    assert workflow["permissions"] == {"contents": "read"}
    publish = workflow["jobs"]["publish"]
    assert (publish["needs"], publish["environment"]) == ("build", "pypi")
    assert publish["permissions"] == {"id-token": "write"}
    assert [step["uses"].partition("@")[0] for step in publish["steps"]] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]
    assert "permissions" not in workflow["jobs"]["build"]


def test_no_script_of_a_workflow_has_an_expression_in_it() -> None:
    scripts = [step["run"] for _, step in steps() if "run" in step]
    assert len(scripts) >= 4 and not any("${{" in text for text in scripts)


@pytest.mark.parametrize(("tag", "code"), [(f"v{PROJECT['version']}", 0), ("v99.0", 1), (PROJECT["version"], 1)])
def test_a_tag_that_is_not_the_version_stops_the_release(tag: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    environ = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "TAG": tag}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script("Compare the tag with the version")]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("::error::" in done.stdout) is bool(code)


def test_the_citation_names_the_version_and_the_licence() -> None:
    citation = loaded(ROOT / "CITATION.cff")
    assert (citation["title"], citation["version"]) == (PROJECT["name"], PROJECT["version"])
    assert citation["license"] == PROJECT["license"]


def test_the_changelog_ends_with_released_versions_or_says_that_there_are_none() -> None:
    heads = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert heads[0] == "Unreleased"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)", head) for head in heads[1:])


def hooks() -> dict[str, list[str]]:
    """Return the command of each pre-commit hook, run by this interpreter in the place of the project's own."""
    (repository,) = loaded(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    place = {".venv/bin/python": sys.executable}
    return {h["id"]: [place.get(part, part) for part in shlex.split(h["entry"])] for h in repository["hooks"]}


def test_each_hook_is_a_check_that_make_runs_too() -> None:
    recipe = (ROOT / "Makefile").read_text("utf-8")
    found = hooks()
    assert set(found) == {"ruff", "mypy", "layers", "github-workflows"}
    assert shlex.join(found["ruff"][2:]) in recipe
    assert "mypy" in found["mypy"] and "$(BIN) mypy" in recipe
    assert f"$(VENV)/bin/{Path(found['layers'][0]).name} {found['layers'][1]}" in recipe


def test_a_commit_that_breaks_the_style_is_stopped(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text('"""A module."""\n', "utf-8")
    bad.write_text("import os\n", "utf-8")
    config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    codes = [
        subprocess.run([*hooks()["ruff"], *config, str(file)], capture_output=True, timeout=30).returncode
        for file in (good, bad)
    ]
    assert codes == [0, 1]


def test_a_commit_that_breaks_a_workflow_is_stopped(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text((WORKFLOWS / "tests.yml").read_text("utf-8").replace("runs-on:", "runs-at:"), "utf-8")
    done = subprocess.run([*hooks()["github-workflows"], str(broken)], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1, done.stdout + done.stderr


@pytest.mark.unmeasured
@pytest.mark.parametrize("time", ["first", "second"])
def test_what_tests_start_is_not_measured(time: str) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        assert "COVERAGE_PROCESS_CONFIG" not in os.environ
