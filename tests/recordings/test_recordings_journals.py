"""The journal of a run, judged again, says what the run said."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from atlas_conformance.cli.check import check_command
from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.reports.journal import Journal
from atlas_conformance.reports.records import FindingRecord
from tests.atlas_conformance.program import atlas

FAULTS = ("cluster-get/finished-at-drifts", "cluster-create/automated-refused")


def shown(journal: Path) -> dict[tuple[str, str, str], int]:
    """Return how many exchanges of a journal show each finding, those in passing too, which a run does not count."""
    found = {(r.finding.key, r.n) for r in Journal(journal) if isinstance(r, FindingRecord)}
    return dict(Counter(key for key, _ in found))


def findings(summary: dict[str, Any]) -> dict[tuple[str, str, str], int]:
    """Return how many exchanges a summary counts for each finding."""
    return {
        (id, group["operation"], group["place"]): group["count"]
        for id, row in summary["requirements"].items()
        for group in row["findings"]
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_the_journal_of_a_run_gives_the_same_findings(tmp_path: Path, fault: str) -> None:
    with ReferenceServer(seed=3, step=0.02, fault=fault) as server:
        file = tmp_path / "atlas.toml"
        file.write_text(target_toml(server.url, server.inventory), encoding="utf-8")
        # Of several processes each knows the jobs that it has seen itself; judged again, the journal is of one.
        arguments = ("--target", file, "--profile", "quick", "--seed", "5", "--report", "reports", "--processes", "1")
        ended = atlas("run", *arguments, cwd=tmp_path, environ=dict(environment(server.credentials)))
    assert ended.returncode == 1, ended.stderr
    result = CliRunner().invoke(
        check_command, [str(tmp_path / "reports" / "journal.jsonl"), "--report", str(tmp_path / "again")]
    )
    assert result.exit_code == 1, result.output
    run, again = (
        json.loads((tmp_path / name / "summary.json").read_text(encoding="utf-8")) for name in ("reports", "again")
    )
    assert findings(again) == shown(tmp_path / "reports" / "journal.jsonl")
    assert findings(again).keys() == findings(run).keys()
    verdicts = {id: row["verdict"] for id, row in run["requirements"].items() if row["exercised"]}
    assert {id: again["requirements"][id]["verdict"] for id in verdicts} == verdicts
