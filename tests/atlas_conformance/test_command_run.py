"""`atlas-conformance run`, and plain pytest on the suites, which does the same."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.reports.journal import Journal
from atlas_conformance.reports.records import ExchangeRecord
from tests.atlas_conformance.conftest import Described, Run
from tests.atlas_conformance.program import ROOT, TIME_LIMIT, atlas, surroundings

POLLING = ("test_lifecycle.py", "test_interleaving.py", "left behind", "test_snapshots.py")
"""Where jobs and snapshots are read until they have moved on, or cancelled: how often depends on the clock."""


def summary(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return found


def requests(folder: Path) -> list[tuple[object, ...]]:
    """The requests of a journal but those of polling suites, ids that the endpoint made up replaced by their rank."""
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    made: dict[str, str] = {}

    def told(text: str) -> str:
        return re.sub(r"\b[0-9a-f]{24}\b", lambda found: made.get(found[0], found[0]), text)

    def all_of_them() -> Iterator[tuple[object, ...]]:
        for line in lines:
            if line["kind"] != "exchange":
                continue
            for job in re.findall(r'"id"\s*:\s*"([0-9a-f]{24})"', line["response"].get("body") or ""):
                made.setdefault(job, f"job {len(made)}")
            request = line["request"]
            if not any(suite in line["test"] for suite in POLLING):
                rest = {name: value for name, value in request.items() if name != "target"}
                yield line["test"], told(request["target"]), told(json.dumps(rest)), line["credential"]

    return list(all_of_them())


def test_a_whole_run_passes_and_says_so_last(whole_run: Run) -> None:
    assert whole_run.ended.returncode == 0, whole_run.ended.stdout[-3_000:] + whole_run.ended.stderr
    assert whole_run.ended.stdout.splitlines()[-1].startswith("PASSED: All ")
    assert "profile quick, seed 5" in whole_run.ended.stderr
    assert len(whole_run.ended.stderr.splitlines()) <= 4  # sparse where it is no terminal


def test_the_reports_agree(whole_run: Run) -> None:
    names = {path.name for path in whole_run.reports.iterdir()}
    assert names >= {"summary.json", "junit.xml", "journal.jsonl", "report.html"}
    told = summary(whole_run.reports)
    assert told["verdict"] == "passed"
    assert told["seed"] == 5
    journal = Journal(whole_run.reports / "journal.jsonl")
    exchanges = sum(isinstance(record, ExchangeRecord) for record in journal)
    assert journal.partial is None
    assert f"{exchanges:,} exchanges" in whole_run.ended.stdout
    cases = (whole_run.reports / "junit.xml").read_text(encoding="utf-8")
    ElementTree.fromstring(cases)
    assert all(requirement in cases for requirement in told["requirements"])
    page = (whole_run.reports / "report.html").read_text(encoding="utf-8")
    assert all(requirement in page for requirement in told["requirements"])


def test_nothing_is_left_beside_the_reports(whole_run: Run) -> None:
    assert [path.name for path in whole_run.reports.parent.iterdir()] == ["reports"]


def test_pytest_on_the_suites_does_the_same(whole_run: Run, described: Described, tmp_path: Path) -> None:
    described.server.reset()
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "suites", "-q", "-p", "no:cacheprovider"),
            *("--target", str(described.file), "--profile", "quick", "--seed", "5", "--report", str(tmp_path)),
        ],
        cwd=ROOT,
        env=surroundings(**described.environ),
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
    )
    assert ended.returncode == whole_run.ended.returncode, ended.stdout[-3_000:] + ended.stderr
    assert "PASSED: All " in ended.stdout
    verdicts = [
        {name: told["verdict"] for name, told in summary(folder)["requirements"].items()}
        for folder in (tmp_path, whole_run.reports)
    ]
    assert verdicts[0] == verdicts[1]


def test_the_same_seed_sends_the_same_requests_in_the_same_order(
    whole_run: Run, described: Described, tmp_path: Path
) -> None:
    described.server.reset()
    once = ("--processes", "1")
    arguments = ("--target", described.file, "--profile", "quick", "--seed", "5", "--report", "reports", *once)
    # What the surroundings say about pytest and about hashing must not matter.
    environ = {**described.environ, "PYTEST_ADDOPTS": "-x --no-such-option", "PYTHONHASHSEED": "1"}
    assert atlas("run", *arguments, cwd=tmp_path, environ=environ).returncode == 0
    first, second = requests(whole_run.reports), requests(tmp_path / "reports")
    assert len(first) > 1_000
    assert first == second


def test_only_the_requirements_asked_for_are_verified(described: Described, tmp_path: Path) -> None:
    arguments = ("--requirement", "A-NONE", "--requirement", "B-RANGE", "--report", "reports", "--profile", "quick")
    ended = atlas("run", "--target", described.file, *arguments, cwd=tmp_path, environ=described.environ)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = summary(tmp_path / "reports")["requirements"]
    assert told["A-NONE"]["verdict"] == told["B-RANGE"]["verdict"] == "passed"
    assert told["V-FLOOR"]["exercised"] == 0


def test_a_departing_endpoint_is_reported_by_exit_code_1(tmp_path: Path) -> None:
    """The owner's key is taken for the reader's, so that a role that must not create does."""
    with ReferenceServer(seed=7) as server:
        environ = dict(environment(server.credentials))
        for part in ("PUBLIC_KEY", "PRIVATE_KEY", "CLIENT_ID", "CLIENT_SECRET"):
            environ[f"ATLAS_REFERENCE_READER_{part}"] = environ[f"ATLAS_REFERENCE_OWNER_{part}"]
        (tmp_path / "atlas.toml").write_text(target_toml(server.url, server.inventory), encoding="utf-8")
        arguments = ("--target", "atlas.toml", "--requirement", "A-ROLE", "--profile", "quick", "--report", "reports")
        ended = atlas("run", *arguments, cwd=tmp_path, environ=environ)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    told = summary(tmp_path / "reports")
    assert told["verdict"] == "failed"
    assert told["requirements"]["A-ROLE"]["verdict"] == "failed"
    assert "curl" in told["requirements"]["A-ROLE"]["findings"][0]
    assert ended.stdout.splitlines()[-1].startswith("FAILED: ")
