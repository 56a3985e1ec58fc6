"""Running suites inside this process against a reference endpoint, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from atlas_conformance.cli.run import run_suites
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.http.target import Mode
from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.reports.model import Report
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.plugin import SuitePlugin
from atlas_conformance.runner.session import Session

REQUIREMENTS = Contract.load().requirements

KEYS = ("public_key", "private_key")
LEVELS = ("core", "extended", "workflow")
ACCOUNT = ("client_id", "client_secret")


def verified(
    server: ReferenceServer,
    folder: Path,
    *,
    requirements: Iterable[str] = (),
    seed: int = 11,
    level: str = "extended",
    without: Iterable[str] = (),
    profile: str = "quick",
    mode: Mode | None = None,
) -> tuple[int, Report]:
    """Run the suites against a running endpoint; return the exit code and the report.

    `requirements` selects by requirement (none: everything); `without` are keys that the target file leaves out;
    `mode` what may be sent.
    """
    lines = target_toml(server.url, server.inventory, level=level).splitlines()
    kept = [line for line in lines if line.partition(" = ")[0] not in set(without)]
    target = folder / "target.toml"
    target.write_text("\n".join(kept) + "\n", encoding="utf-8")
    options = Options(target=str(target), profile=profile, seed=seed, requirements=tuple(requirements), mode=mode)
    session = Session(options, environ=dict(environment(server.credentials)))
    plugin = SuitePlugin(session, show=lambda finished: None)
    code = run_suites(plugin)
    assert plugin.failure is None, plugin.failure
    assert session.report is not None
    return code, session.report


def complaint(report: Report) -> list[str]:
    """Everything in a report that no conforming endpoint should see: findings and errors, a line each."""
    found = [
        f"{g.requirement} {g.operation} {g.place}: expected {g.finding.expected}, seen {g.finding.seen}"
        for g in report.groups
    ]
    return found + [f"error at {error.where}: {error.message}" for error in report.errors]


def unexercised(report: Report, level: str) -> set[str]:
    """The requirements of a level that a run exercised on no operation."""
    return {
        name
        for name, requirement in REQUIREMENTS.items()
        if LEVELS.index(requirement.level) <= LEVELS.index(level) and not report.rows[name].exercised
    }
