"""A run that several processes share: the same as in one process, and nothing is lost when one of them ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from atlas_conformance.cli.run import run_suites
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.reports.journal import Journal
from atlas_conformance.reports.model import Report
from atlas_conformance.reports.records import ExchangeRecord
from atlas_conformance.reports.summary import summary
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.plugin import SuitePlugin
from atlas_conformance.runner.processes import homes
from atlas_conformance.runner.session import Session
from tests.suites.running import complaint

OPERATIONS = Contract.load().operations

SEED = 5
SELECTED = ("T-ECHO", "T-NEW", "B-REQUIRED", "L-STABLE", "L-PAGE")


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer(seed=SEED, step=0.02) as started:
        yield started


def verified(server: ReferenceServer, **options: Any) -> Report:
    """Run the selected requirements' suites and return the report."""
    chosen = {"profile": "quick", "seed": SEED, "requirements": SELECTED, "workers": 1, **options}
    session = Session(Options(**chosen), server=server)
    plugin = SuitePlugin(session, show=lambda finished: None)
    run_suites(plugin)
    assert plugin.failure is None, plugin.failure
    assert session.report is not None
    return session.report


def sameness(report: Report) -> dict[str, Any]:
    """Return a report's summary without times and what is server-generated."""
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


@pytest.mark.unmeasured
@pytest.mark.parametrize(("fault", "many"), [(None, 3), ("cluster-create/snapshot-not-shown", 2)])
def test_processes_come_to_what_one_comes_to(
    server: ReferenceServer, tmp_path: Path, fault: str | None, many: int
) -> None:
    reports = []
    for count in (1, many):
        server.reset(fault=fault)
        reports.append(verified(server, processes=count, report=tmp_path / str(count)))
    alone, shared = (sameness(report) for report in reports)
    assert alone["verdict"] == ("passed" if fault is None else "failed")
    assert shared == alone
    assert sorted(order_of(tmp_path / str(many))) == sorted(order_of(tmp_path / "1"))
    assert order_of(tmp_path / str(many))[:2] == order_of(tmp_path / "1")[:2]


@pytest.mark.unmeasured
def test_how_long_jobs_take_changes_no_count(server: ReferenceServer) -> None:
    chosen = ("S-URL", "S-FINISHED", "T-URL", "L-STABLE", "L-FOUND")
    counts = []
    for step in (0.001, 0.1):
        server.reset(step=step)
        rows = sameness(verified(server, requirements=chosen, workers=2))["requirements"]
        counts.append({id: rows[id]["operations"] for id in chosen})
    server.reset(step=0.02)
    assert counts[0] == counts[1]


def order_of(folder: Path) -> list[str]:
    """The tests of a journal in the order in which they appear, each once; what is sent after them is left out."""
    found = [record.test for record in Journal(folder / "journal.jsonl") if isinstance(record, ExchangeRecord)]
    kept = [test for before, test in zip(["", *found], found, strict=False) if test not in (before, "left behind")]
    assert len(kept) == len(set(kept)), "what a test sent stands together"
    return kept


def test_a_target_that_another_process_keeps_busy_does_not_fail_the_endpoint(server: ReferenceServer) -> None:
    server.reset(freedoms={"busy-target": "400"}, step=0.004)
    try:
        report = verified(server, processes=2, requirements=("B-ACCEPT",), shard="1/2")
    finally:
        server.reset(step=0.02)
    assert complaint(report) == []
    assert report.partial is None and report.rows["B-ACCEPT"].exercised


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are told by /proc")
def test_a_process_that_breaks_off_is_an_error_of_the_suite(server: ReferenceServer, tmp_path: Path) -> None:
    server.reset()
    before = children()
    reports: list[Report] = []
    run = threading.Thread(target=lambda: end_one(before))
    run.start()
    try:
        reports.append(verified(server, processes=2, requirements=("B-TYPE", "S-FLOW"), report=tmp_path))
    finally:
        run.join()
    (error,) = reports[0].errors
    assert error.where in ("process 1", "process 2") and "ended with code -9" in error.message
    assert reports[0].partial is not None and children() == before


def children() -> set[int]:
    """The living child processes of this one."""
    found = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {int(pid) for pid in found}


def end_one(before: set[int]) -> None:
    """Kill a process that is not among those that were there before."""
    limit = time.monotonic() + 60
    while not (new := children() - before):
        assert time.monotonic() < limit
        time.sleep(0.01)
    os.kill(min(new), signal.SIGKILL)


def item_of(family: str | None, *marks: str) -> Any:
    """A collected test, as far as `homes` looks."""
    item = SimpleNamespace(get_closest_marker=lambda name: name if name in marks else None)
    if family is not None:
        item.callspec = SimpleNamespace(params={"operation": OPERATIONS[f"{family}-create"]})
    return item


def test_what_takes_long_comes_first_in_each_process() -> None:
    items: Any = [item_of("flex"), item_of("cluster"), item_of("cluster", "takes_long"), item_of("flex", "takes_long")]
    assert [list(queue) for queue in homes(items, 2)] == [[3, 0], [2, 1]]
    assert [list(queue) for queue in homes(items, 1)] == [[2, 3, 0, 1]]


def test_families_stay_together_as_far_as_there_are_enough() -> None:
    families = ["flex", "cluster", "cluster", "tenant", None, "cluster", "flex"]
    items: Any = [item_of(family) for family in families]
    assert [list(queue) for queue in homes(items, 1)] == [[0, 1, 2, 3, 4, 5, 6]]
    assert [list(queue) for queue in homes(items, 2)] == [[1, 2, 4, 5], [0, 3, 6]]
    assert [list(queue) for queue in homes(items, 5)] == [[1, 2, 5], [0, 6], [3], [4], []]
