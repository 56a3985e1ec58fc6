"""The journal of a run, judged again, says what the run said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from atlas_conformance.checking import check_command
from reference.command import environment
from reference.fixtures import target_toml
from reference.server import ReferenceServer
from tests.atlas_conformance.program import atlas

FAULTS = ("cluster-get/finished-at-drifts", "cluster-create/automated-refused")


def findings(summary: dict[str, Any]) -> dict[tuple[str, str, str], int]:
    """Return how many exchanges show each finding."""
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
        arguments = ("--target", file, "--profile", "quick", "--seed", "5", "--report", "reports")
        ended = atlas("run", *arguments, cwd=tmp_path, environ=dict(environment(server.credentials)))
    assert ended.returncode == 1, ended.stderr
    result = CliRunner().invoke(
        check_command, [str(tmp_path / "reports" / "journal.jsonl"), "--report", str(tmp_path / "again")]
    )
    assert result.exit_code == 1, result.output
    run, again = (
        json.loads((tmp_path / name / "summary.json").read_text(encoding="utf-8")) for name in ("reports", "again")
    )
    assert findings(again) == findings(run)
    verdicts = {id: row["verdict"] for id, row in run["requirements"].items() if row["exercised"]}
    assert {id: again["requirements"][id]["verdict"] for id in verdicts} == verdicts
