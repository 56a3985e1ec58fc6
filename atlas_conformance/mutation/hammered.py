"""Trials under load: the `hammer` command in a process of its own, against an endpoint that already runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atlas_conformance.mutation.trials import Outcome, Trial, leading
from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.reports.model import Report
from atlas_conformance.reports.writing import JOURNAL, ReportError, report_of

FAULT_SECONDS = 30.0
"""So long a fault is looked for."""

SOUND_SECONDS = 8.0
"""So long the sound endpoint is hammered."""

_ROOT = Path(__file__).resolve().parents[2]
_GRACE = 60.0


@dataclass(frozen=True)
class Hammered:
    """What a run under load came to: its report (None with the reason in `error`), its requests, and its seconds."""

    report: Report | None
    requests: int
    seconds: float
    error: str | None = None

    def failed(self, requirement: str) -> bool:
        """Whether the requirement failed."""
        return self.report is not None and any(group.requirement == requirement for group in self.report.groups)


def hammer(server: ReferenceServer, *, users: int, seconds: float, seed: int, stop_at: str | None = None) -> Hammered:
    """Hammer a running endpoint, to the end or until `stop_at` fails."""
    with tempfile.TemporaryDirectory(prefix="atlas-conformance-") as folder:
        target, reports = Path(folder) / "target.toml", Path(folder) / "reports"
        target.write_text(target_toml(server.url, server.inventory), encoding="utf-8")
        command = [
            sys.executable, "-m", "atlas_conformance", "hammer", "--target", str(target), "--report", str(reports),
            "--users", str(users), "--duration", f"{seconds:g}s", "--seed", str(seed),
            *(["--stop-at", stop_at] if stop_at is not None else []),
        ]  # fmt: skip
        started = time.monotonic()
        try:
            done = subprocess.run(
                command, env=_surroundings(environment(server.credentials)), stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=seconds + _GRACE, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Hammered(None, 0, time.monotonic() - started, f"no end after {seconds + _GRACE:.0f} s")
        took = time.monotonic() - started
        try:
            load = json.loads((reports / "load.json").read_text("utf-8"))
            return Hammered(report_of(reports / JOURNAL), load["requests"], load["seconds"])
        except (OSError, ReportError):
            return Hammered(None, 0, took, done.stderr.strip()[-500:] or "the run ended without a word")


def _surroundings(credentials: Mapping[str, str]) -> dict[str, str]:
    path = os.pathsep.join(part for part in (str(_ROOT), os.environ.get("PYTHONPATH", "")) if part)
    return {**os.environ, **credentials, "PYTHONPATH": path}


def try_hammered(trial: Trial, server: ReferenceServer) -> Outcome:
    """Try a trial under load on a server that shows its behaviour."""
    seconds = SOUND_SECONDS if trial.fault is None else FAULT_SECONDS
    found = hammer(server, users=trial.users, seconds=seconds, seed=trial.seed, stop_at=trial.requirement)
    if found.report is None:
        return Outcome(trial, False, None, (), "error", 0, found.seconds, found.error)
    report = found.report
    caught = any(trial.catches(group.finding) for group in (*report.groups, *report.advice))
    leads = leading(report)
    error = report.errors[0].message if report.errors else None
    first = leads[0] if leads else None
    others = tuple(dict.fromkeys(leads[1:]))
    return Outcome(trial, caught, first, others, report.verdict, found.requests, found.seconds, error, len(leads))
