"""The wheel: one name at the top of site-packages, and all that the program needs inside it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import site
import subprocess
import sys
import sysconfig
import threading
import venv
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.atlas_conformance.program import ROOT, TIME_LIMIT, surroundings

TOP = "atlas_conformance"


@dataclass(frozen=True)
class Installed:
    """A virtual environment that holds the wheel, the wheel's names, and an empty folder to run in."""

    python: Path
    names: frozenset[str]
    cwd: Path

    @property
    def program(self) -> str:
        """The command as pip installed it."""
        return str(self.python.with_name("atlas-conformance"))

    def environ(self) -> dict[str, str]:
        """An environment in which the repository is not on the path."""
        return {name: value for name, value in surroundings().items() if name != "PYTHONPATH"}

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            command, cwd=self.cwd, env=self.environ(), capture_output=True, text=True, timeout=TIME_LIMIT
        )


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel and install it; dependencies are those of this interpreter, so that no network is needed."""
    built = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(built), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=TIME_LIMIT)
    (wheel,) = built.glob("*.whl")
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True, timeout=TIME_LIMIT)
    # As plain path entries: their own .pth files, one of which leads to the repository, are not read.
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    cwd = folder / "elsewhere"
    cwd.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        return Installed(python, frozenset(archive.namelist()), cwd)


def test_nothing_else_stands_at_the_top_of_site_packages(installed: Installed) -> None:
    tops = {name.partition("/")[0] for name in installed.names}
    assert {top for top in tops if not re.fullmatch(r"atlas_conformance-[0-9.]+\.dist-info", top)} == {TOP}
    (metadata,) = tops - {TOP}
    assert f"{metadata}/licenses/LICENSE" in installed.names


def test_it_carries_every_file_that_the_program_reads(installed: Installed) -> None:
    wanted = {
        f"{TOP}/{Path(folder, name).relative_to(ROOT / TOP).as_posix()}"
        for folder, _, names in os.walk(ROOT / TOP, followlinks=True)
        for name in names
        if "__pycache__" not in Path(folder).parts
    }
    for name in ("contracts/openapi.yaml", "contracts/schemas/error.json", "runner/session.ini", "suites/__init__.py"):
        assert f"{TOP}/{name}" in wanted
    assert {*wanted, f"{TOP}/conftest.py"} <= installed.names
    assert not [name for name in installed.names if name.endswith(".pyc") or "/tests/" in name]


def test_it_verifies_the_reference_endpoint_from_anywhere(installed: Installed) -> None:
    arguments = ("run", "--profile", "quick", "--requirement", "B-PATTERN", "--report", "reports")
    ended = installed.run(installed.program, *arguments)
    assert ended.returncode == 0, ended.stdout[-3_000:] + ended.stderr
    assert ended.stdout.splitlines()[-1].startswith("PASSED: ")
    assert (installed.cwd / "reports" / "report.html").stat().st_size > 10_000
    assert [path.name for path in installed.cwd.iterdir()] == ["reports"]


def test_it_runs_what_it_carries_and_not_the_repository(installed: Installed) -> None:
    script = "import atlas_conformance, sys; print(atlas_conformance.__file__); print(*sys.path, sep='\\n')"
    root, *path = installed.run(str(installed.python), "-c", script).stdout.splitlines()
    assert Path(root).is_relative_to(installed.python.parents[1])
    assert str(ROOT) not in path


OWN_PROGRAM = """
from atlas_conformance import Contract, Exchange, Finding, Judge, Knowledge, Request, Response, TrafficJudge
from atlas_conformance.adapters import JudgingAdapter, JudgingMiddleware, JudgingTransport
from atlas_conformance.strategies import conforming_answers
from contracts import OWN

request = Request("GET", f"/api/atlas/v2/groups/{'a' * 24}/flexClusters/F/backup/restoreJobs", credential="unknown")
exchange = Exchange(request, Response(404, (), b"{}"), 1.0, 2.0)
findings: tuple[Finding, ...] = Judge(Contract.load(), Knowledge()).judge(exchange).findings
traffic = TrafficJudge(on_failure="raise")
transport, adapter = JudgingTransport(traffic), JudgingAdapter(traffic)
answers = conforming_answers(request)
print(OWN, findings[0].requirement)
"""


@pytest.fixture
def own_folder(installed: Installed, tmp_path: Path) -> Path:
    """A folder of a user whose own packages have the names of the project's folders, and a program that uses both."""
    for name in ("contracts", "reports", "suites", "strategies"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"OWN = {name!r}\n")
    (tmp_path / "program.py").write_text(OWN_PROGRAM)
    return tmp_path


def test_a_program_beside_packages_of_the_same_names_is_typed_and_runs(installed: Installed, own_folder: Path) -> None:
    here = replace(installed, cwd=own_folder)
    typed = here.run(str(here.python), "-m", "mypy", "--strict", "--cache-dir", str(own_folder / "cache"), "program.py")
    assert typed.returncode == 0, typed.stdout + typed.stderr
    ran = here.run(str(here.python), "program.py")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("contracts ")


def test_the_run_works_beside_packages_of_the_same_names(installed: Installed, own_folder: Path) -> None:
    ended = replace(installed, cwd=own_folder).run(
        installed.program, "run", "--profile", "quick", "--requirement", "A-NONE"
    )
    assert ended.returncode == 0, ended.stdout[-3_000:] + ended.stderr


def test_pytest_finds_the_plugin_by_itself(installed: Installed, own_folder: Path) -> None:
    (own_folder / "test_own.py").write_text("""
def test_own(atlas_endpoint, atlas_judge):
    assert atlas_endpoint.url.startswith("http://127.0.0.1:")
""")
    here = replace(installed, cwd=own_folder)
    ended = here.run(str(here.python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_own.py")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs", "atlas_conformance.suites")
    ended = here.run(str(here.python), *command, "--requirement", "A-NONE", "--profile", "quick")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "PASSED: " in ended.stdout


def test_the_package_alone_loads_in_no_time(installed: Installed) -> None:
    script = (
        "import sys, time; before = set(sys.modules); start = time.perf_counter(); import atlas_conformance;"
        " took = time.perf_counter() - start; print(took, len(set(sys.modules) - before))"
    )
    told = [installed.run(str(installed.python), "-c", script).stdout.split() for _ in range(3)]
    assert min(float(took) for took, _ in told) < 0.1
    assert int(told[0][1]) < 40


def test_it_tells_its_version(installed: Installed) -> None:
    ended = installed.run(installed.program, "--version")
    assert ended.returncode == 0
    assert re.fullmatch(r"atlas-conformance, version [0-9]+\.[0-9]+\.[0-9]+\n", ended.stdout)


def test_it_serves_the_reference_endpoint_until_ctrl_c(installed: Installed) -> None:
    serving = subprocess.Popen(
        [installed.program, "serve", "--port", "0"],
        cwd=installed.cwd,
        env={**installed.environ(), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(30, serving.kill)
    watchdog.start()
    try:
        assert serving.stdout is not None
        first = serving.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:[0-9]+", first)
        assert found, first
        assert any(line.startswith("export MONGODB_ATLAS_BASE_URL=") for line in serving.stdout)
        reached = installed.run(installed.program, "run", "--base-url", found[0], "--requirement", "A-NONE")
        assert reached.returncode == 3
        assert "asks for credentials" in reached.stderr
    finally:
        os.kill(serving.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            serving.wait(timeout=5)
        watchdog.cancel()
        serving.kill()
        _, complaints = serving.communicate()
    assert serving.returncode == 0
    assert complaints == ""
