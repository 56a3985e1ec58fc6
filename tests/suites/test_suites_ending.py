"""How a run ends: what it leaves behind, and what happens when its time is up."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from atlas_conformance.cli.run import run_suites
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.http.client import Attempt
from atlas_conformance.http.failures import NoAnswer, TargetError
from atlas_conformance.http.limits import parse_duration
from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.reports.journal import Journal
from atlas_conformance.reports.records import ExchangeRecord, JobRecord
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.outcomes import RunEnded
from atlas_conformance.runner.plugin import SuitePlugin
from atlas_conformance.runner.session import Session
from atlas_conformance.strategies.bodies import base_bodies
from atlas_conformance.strategies.requests import build
from atlas_conformance.strategies.scenes import path_parameters
from atlas_conformance.targets.target_file import target_from_text, write_target
from tests.safety.posing import NAME, Posed, names_resolve
from tests.safety.wiretap import Wiretap

CREATED = ("flex-create", "cluster-create", "tenant-create", "cluster-create-v1", "flex-download", "snapshot-take")


def run(server: ReferenceServer, folder: Path, **options: object) -> tuple[int, SuitePlugin]:
    """Run the suites against a running endpoint, with reports; return the exit code and the plugin."""
    target = folder / "target.toml"
    target.write_text(target_toml(server.url, server.inventory), encoding="utf-8")
    given = Options(target=str(target), profile="quick", seed=7, report=folder / "out", **options)  # type: ignore[arg-type]
    plugin = SuitePlugin(Session(given, environ=dict(environment(server.credentials))), show=lambda finished: None)
    return run_suites(plugin), plugin


def jobs_told(folder: Path) -> list[JobRecord]:
    return [record for record in Journal(folder / "out" / "journal.jsonl") if isinstance(record, JobRecord)]


def made(folder: Path) -> set[str]:
    """The ids of all jobs and snapshots that successes of creates show, but for what was deleted, read by hand."""
    found, deleted = set(), set()
    for record in Journal(folder / "out" / "journal.jsonl"):
        if not isinstance(record, ExchangeRecord):
            continue
        status = record.exchange.response.status
        if record.operation == "snapshot-delete" and 200 <= status < 300:
            deleted.add(record.exchange.request.path.rpartition("/")[2])
        if record.operation in CREATED and status == 200:
            document = json.loads(record.exchange.response.body)
            inner = document.get("content") or document.get("envelope") or document
            found.add(inner["id"])
    return found - deleted


def test_every_job_is_reported_with_its_state_and_what_can_be_cancelled_is(tmp_path: Path) -> None:
    with ReferenceServer(seed=7, step=30.0) as slow:
        code, _ = run(slow, tmp_path, requirements=("T-POINT", "S-ECHO", "T-ECHO"))
    assert code == 0
    jobs = jobs_told(tmp_path)
    assert {job.id for job in jobs} == made(tmp_path)
    assert len(jobs) == len({job.id for job in jobs}) > 10
    states = {family: Counter(job.state for job in jobs if job.family == family) for family in ("cluster", "flex")}
    assert set(states["cluster"]) == {"cancelled"}
    assert set(states["flex"]) <= {"PENDING", "QUEUED", "RUNNING"}
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert {(job["id"], job["state"]) for job in summary["jobs"]} == {(job.id, job.state) for job in jobs}
    assert all(job.id in page for job in jobs)


def test_on_a_remote_endpoint_the_jobs_of_the_run_are_cancelled_and_no_others(tmp_path: Path) -> None:
    with names_resolve(), ReferenceServer(seed=7, step=30.0) as slow:
        host, _, port = slow.url.removeprefix("http://").rpartition(":")
        with Wiretap((host, int(port))) as tap:
            posed = Posed(slow, tap, NAME, max_jobs=4)
            posed.run(tmp_path, "restore", "quick", 7, requirements=("T-ECHO",))
            seen = list(tap.requests())
    cancels = [one.target.rpartition("/")[2] for one in seen if one.method == "DELETE" and one.status == 204]
    assert cancels
    assert list(posed.rulebook("restore", 7).violations(seen)) == []


def test_when_the_time_is_up_the_run_is_partial_and_says_so(tmp_path: Path) -> None:
    with ReferenceServer(seed=7, step=0.02, latency=0.02) as running:
        code, plugin = run(running, tmp_path, time_limit="3s")
    assert code == 4
    assert plugin.failure is None
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert summary["partial"] is True
    assert summary["partial_reason"] == "the time limit of 3 s has passed"
    assert summary["verdict"] == "incomplete"
    assert summary["errors"] == []
    assert 0 < summary["exchanges"] < 4_000
    # A create that the end cut off may have made a job all the same.
    assert {job["id"] for job in summary["jobs"]} - {"unknown"} == made(tmp_path)
    journal = Journal(tmp_path / "out" / "journal.jsonl")
    assert list(journal)
    assert journal.partial == "the time limit of 3 s has passed"


def test_what_was_answered_before_the_end_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of requests that are sent at the same time, some are answered and the first is cut off."""
    with ReferenceServer(seed=7, step=0.02) as server:
        session = Session(Options(profile="quick", seed=7, workers=4, report=tmp_path), server=server)
        try:
            endpoint = session.open().for_test("cut off")
            create = endpoint.contract.operations["flex-create"]
            scene = endpoint.scenes_of(create)[0]
            where = path_parameters(create, scene, "")
            bodies = [*base_bodies(create, scene), *base_bodies(create, scene)]
            requests = [build(create, where, body.document) for body in bodies]
            answered = endpoint.client.attempts(requests[1:])

            def attempts(given: Iterable[Request]) -> Iterator[Attempt]:
                assert list(given) == requests
                yield NoAnswer(requests[0], "the time is up", "stopped")
                yield from answered

            monkeypatch.setattr(endpoint.client, "attempts", attempts)
            before = endpoint.journal.exchanges
            with pytest.raises(RunEnded, match="the time is up"):
                endpoint.send_all(requests)
            assert endpoint.journal.exchanges - before == len(requests) - 1 > 0
            session.finish()
        finally:
            session.close()
    made = [one for one in Journal(tmp_path / "journal.jsonl") if isinstance(one, ExchangeRecord)]
    assert [one.exchange.request.body for one in made if one.test == "cut off"] == [one.body for one in requests[1:]]


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30min", 1800), ("2h", 7200), ("1.5 hours", 5400)])
def test_lengths_of_time(text: str, seconds: float) -> None:
    assert parse_duration(text, "--time-limit") == seconds
    target = target_from_text(f'base_url = "http://127.0.0.1:1"\n[limits]\ntime_limit = "{text}"\n', {})
    assert target.limits.run_seconds == seconds
    assert target_from_text(write_target(target), {}).limits == target.limits


@pytest.mark.parametrize("text", ["", "5", "0s", "-3s", "9999h", "soon", "1d"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(TargetError, match="such as 30min or 2h"):
        parse_duration(text, "--time-limit")


def test_a_run_that_has_seen_enough_waits_for_no_job(tmp_path: Path) -> None:
    after: list[float] = []
    with ReferenceServer(seed=7, fault="flex-get/always-pretty") as server:

        class Noting:
            now = staticmethod(time.monotonic)

            def sleep(self, seconds: float) -> None:
                if session.endpoint.stopped:
                    after.append(seconds)
                time.sleep(seconds)

        session = Session(Options(profile="quick", seed=7), stop=lambda finding: True, server=server, clock=Noting())
        plugin = SuitePlugin(session, show=lambda finished: None)
        plugin.first = "V-PRETTY", ("flex-get",)
        run_suites(plugin)
    assert session.endpoint.stopped
    assert after == []
