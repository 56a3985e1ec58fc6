"""One verified endpoint, and one whole run against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.server import ReferenceServer
from tests.atlas_conformance.program import atlas


@dataclass(frozen=True)
class Described:
    """A reference endpoint, its target file, and the variables that the file names."""

    server: ReferenceServer
    file: Path
    environ: dict[str, str]


@dataclass(frozen=True)
class Run:
    """A run that ended, and the folder of its reports."""

    ended: CompletedProcess[str]
    reports: Path


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    """A reference endpoint that outlives several runs, as another person's would."""
    with ReferenceServer(seed=7, step=0.02) as server:
        file = tmp_path_factory.mktemp("target") / "atlas.toml"
        file.write_text(target_toml(server.url, server.inventory), encoding="utf-8")
        yield Described(server, file, dict(environment(server.credentials)))


@pytest.fixture(scope="session")
def whole_run(described: Described, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A quick run by target file, with reports."""
    described.server.reset()
    cwd = tmp_path_factory.mktemp("run")
    # Of several processes, which one creates a job first, and so which id it gets, depends on time.
    once = ("--processes", "1")
    arguments = ("--target", described.file, "--profile", "quick", "--seed", "5", "--report", "reports", *once)
    return Run(atlas("run", *arguments, cwd=cwd, environ=described.environ), cwd / "reports")
