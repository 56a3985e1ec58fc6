"""Whole runs against an endpoint whose answers are odd: they end with every report, and no error is the suite's."""

from __future__ import annotations

import json
from pathlib import Path

from atlas_conformance.reports.writing import FILES
from tests.atlas_conformance.program import atlas

APP = Path(__file__).with_name("odd_app.py")


def test_a_run_ends_with_its_report(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(APP.read_text("utf-8"), encoding="utf-8")
    ended = atlas(
        "run", "--app", "odd:app", "--profile", "quick", "--seed", "1", "--level", "extended", "--time-limit", "15s",
        "--report", "out", cwd=tmp_path,
        environ={"MONGODB_ATLAS_CLIENT_ID": "mdb_sa_id_x", "MONGODB_ATLAS_CLIENT_SECRET": "mdb_sa_sk_y"},
    )  # fmt: skip
    assert ended.returncode == 1, ended  # failures were seen, whether or not the time was enough
    assert "Traceback" not in ended.stderr
    assert "FAILED: " in ended.stdout
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert summary["errors"] == []
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*FILES, "journal.jsonl"}
