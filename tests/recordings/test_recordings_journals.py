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
from tests.recordings.samples import entry, har, job

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


@pytest.mark.unmeasured
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


def small_journal(folder: Path) -> list[bytes]:
    """Return the lines of a journal of 30 exchanges, each with a finding."""
    (folder / "a.har").write_bytes(har(*[entry(job(status="DONE")) for _ in range(30)]))
    CliRunner().invoke(check_command, [str(folder / "a.har"), "--report", str(folder / "first")])
    return (folder / "first" / "journal.jsonl").read_bytes().splitlines(keepends=True)


def altered(line: bytes, **members: Any) -> bytes:
    return json.dumps(json.loads(line) | members).encode() + b"\n"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lines: lines[:4] + lines[7:], "line 5 is exchange 3, and exchange 2 is wanted there"),
        (lambda lines: lines[:5] + lines[6:], "its closing line counts 30 exchanges and 60 findings"),
        (lambda lines: lines + lines, "is a second header"),
        (lambda lines: [*lines, lines[3]], "comes after its closing line"),
        (lambda lines: [*lines[:4], b"{\n", *lines[5:]], "line 5 is no JSON"),
        (lambda lines: [*lines[:4], b"[" * 9_000 + b"\n", *lines[5:]], "line 5 is no JSON"),
        (lambda lines: [lines[0], altered(lines[1], started="x"), *lines[2:]], "kind exchange, and its 'started'"),
        (lambda lines: [lines[0], altered(lines[1], held=[[1]]), *lines[2:]], "kind exchange, and its 'held'"),
        (lambda lines: [altered(lines[0], knowledge={"clusters": 7}), *lines[1:]], "a header whose knowledge"),
        (lambda lines: [altered(lines[0], target=7), *lines[1:]], "line 1 is of kind header, and its 'target'"),
    ],
)
def test_a_journal_that_is_not_whole_is_refused_by_line_and_reason(tmp_path: Path, change: Any, words: str) -> None:
    lines = small_journal(tmp_path)
    file = tmp_path / "changed.jsonl"
    file.write_bytes(b"".join(lines))
    assert CliRunner().invoke(check_command, [str(file)]).exit_code == 1
    file.write_bytes(b"".join(change(lines)))
    result = CliRunner().invoke(check_command, [str(file)])
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_journal_that_breaks_off_is_judged_up_to_there(tmp_path: Path) -> None:
    lines = small_journal(tmp_path)
    file = tmp_path / "cut.jsonl"
    file.write_bytes(b"".join(lines[:21]) + lines[21][:10])
    result = CliRunner().invoke(check_command, [str(file)])
    assert result.exit_code == 2
    assert "breaks off after 7 exchanges; it was judged up to there" in result.stderr
