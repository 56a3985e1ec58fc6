"""Whole runs against the reference endpoint: a seeded regression, a removed suite, a flaky answer, shards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from atlas_conformance.cli.commands import command
from atlas_conformance.cli.run import run_suites
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.fault import Fault
from atlas_conformance.reference.messages import Answer, Call
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.reports.earlier import summary_at
from atlas_conformance.reports.gates.merging import merge
from atlas_conformance.reports.model import Report
from atlas_conformance.reports.summary import summary
from atlas_conformance.reports.writing import FILES
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.plugin import SuitePlugin
from atlas_conformance.runner.session import Session

SEED = 5
SELECTED = ("T-ECHO", "T-NEW", "B-REQUIRED", "L-STABLE", "L-PAGE")


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    """One reference endpoint for all runs of this module."""
    with ReferenceServer(seed=SEED, in_process=True) as started:
        yield started


def verified(server: ReferenceServer, **options: Any) -> tuple[int, Session]:
    """Run the selected requirements' suites and return the exit code and the finished session."""
    settings = {"profile": "quick", "seed": SEED, "requirements": SELECTED, "workers": 1, **options}
    session = Session(Options(**settings), server=server)
    plugin = SuitePlugin(session, show=lambda finished: None)
    code = run_suites(plugin)
    assert plugin.failure is None, plugin.failure
    return code, session


def report_of(session: Session) -> Report:
    """Return the report of a finished session."""
    assert session.report is not None
    return session.report


def test_a_seeded_regression_is_exactly_one_new_failure(server: ReferenceServer, tmp_path: Path) -> None:
    server.reset()
    code, _ = verified(server, report=tmp_path / "old", requirements=("T-ECHO",))
    assert code == 0
    server.reset(fault="cluster-create/snapshot-not-shown")
    try:
        code, session = verified(
            server, report=tmp_path / "new", requirements=("T-ECHO",), baseline=tmp_path / "old", gate="new"
        )
    finally:
        server.reset()
    standing = session.standing
    assert standing is not None and standing.comparison is not None
    assert [failure.key for failure in standing.comparison.new] == [
        ("T-ECHO", "cluster-create", "/response/body/snapshotId")
    ]
    assert code == 1 and standing.comparison.lost == () and not standing.comparison.new[0].unstable
    (group,) = [g for g in report_of(session).headlines if g.requirement == "T-ECHO"]
    assert group.repeat is not None and group.repeat.outcome == "repeated"
    assert summary_at(tmp_path / "new")["gate"]["baseline"]["new"] == [
        {"requirement": "T-ECHO", "operation": "cluster-create", "place": "/response/body/snapshotId"}
    ]
    again = [word for name, form in FILES.items() for word in (f"--{form}", str(tmp_path / "again" / name))]
    journal, old = str(tmp_path / "new" / "journal.jsonl"), str(tmp_path / "old")
    done = CliRunner().invoke(command, ["report", journal, "--baseline", old, "--gate", "new", *again])
    assert done.exit_code == 1, done.output
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "new" / name).read_bytes(), name


def test_a_removed_suite_is_lost_coverage(server: ReferenceServer, tmp_path: Path) -> None:
    server.reset()
    verified(server, report=tmp_path / "old", requirements=("T-ECHO", "B-REQUIRED"))
    code, session = verified(server, requirements=("T-ECHO",), baseline=tmp_path / "old")
    standing = session.standing
    assert standing is not None and standing.comparison is not None
    lost = {lost.requirement: lost for lost in standing.comparison.lost}
    assert code == 1 and lost["B-REQUIRED"].whole and standing.comparison.new == ()


def test_an_answer_that_fails_once_is_reported_as_unstable(server: ReferenceServer) -> None:
    seen: list[str] = []

    def once(backend: Backend, call: Call, answer: Answer) -> Answer:
        if answer.status == 200 and not seen:
            seen.append("failed")
            body = {"error": 500, "detail": "It failed.", "reason": "Internal Server Error", "parameters": []}
            return Answer(500, body)
        return answer

    server.reset(fault=Fault("flaky", "C-5XX", ("cluster-create",), "Fails once.", "subtle", answer=once))
    try:
        code, session = verified(server, requirements=("T-ECHO",))
    finally:
        server.reset()
    assert seen and code == 1
    unstable = report_of(session).unstable
    assert "C-5XX" in {group.requirement for group in unstable}, [group.key for group in report_of(session).groups]
    for group in unstable:
        assert group.sample.exchange.response.status == 500
        assert group.repeat is not None and group.repeat.again is not None
        assert group.repeat.again.exchange.response.status == 200


@pytest.mark.unmeasured
@pytest.mark.parametrize("fault", [None, "cluster-create/snapshot-not-shown"])
def test_shards_add_up_to_the_whole_run(server: ReferenceServer, tmp_path: Path, fault: str | None) -> None:
    """A quick run in one part and in several: the same summary, but for times and what the endpoint drew."""
    selected = () if fault is None else SELECTED
    try:
        server.reset(fault=fault)
        code, whole = verified(server, requirements=selected)
        expected = sameness(report_of(whole))
        assert code == (0 if fault is None else 1) and expected["exchanges"] > 500
        for count in (2, 4) if fault is None else (3,):
            paths = []
            for index in range(1, count + 1):
                server.reset(fault=fault)
                folder = tmp_path / f"{index}of{count}"
                _, session = verified(server, requirements=selected, shard=f"{index}/{count}", report=folder)
                assert report_of(session).header.shard == f"{index}/{count}"
                paths.append(folder)
            assert sameness(merge(paths, tmp_path / f"whole{count}.jsonl")) == expected
    finally:
        server.reset()


def sameness(report: Report) -> dict[str, Any]:
    """Return a report's summary without times and what is server-generated: ids of jobs, and dates, in its answers.

    Where an exchange stands in the journal is no property of it either.
    """
    document = summary(report)
    for name in ("started", "ended", "seconds", "jobs"):
        document.pop(name)
    for requirement in document["requirements"].values():
        for finding in requirement["findings"]:
            for name in ("exchange", "first_exchange", "request", "response", "repeat", "curl"):
                finding.pop(name)
            for name in ("exchange", "other_exchange"):
                (finding["contrast"] or {}).pop(name, None)
    for defect in document["defects"]:
        for name in ("exchange", "first_exchange", "since_seconds"):
            defect.pop(name)
    return document
