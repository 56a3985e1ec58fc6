"""Whole runs under load, each in processes of its own: alone, with workers, with one that is killed, with a fault."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
from contextlib import ExitStack
from pathlib import Path

import jsonschema_rs
import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.load.record import FILE, Sent, read_record
from atlas_conformance.mutation.hammered import try_hammered
from atlas_conformance.mutation.trials import fault_trials
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.reports.journal import Journal
from atlas_conformance.reports.records import ExchangeRecord, FindingRecord
from atlas_conformance.reports.writing import JOURNAL
from tests.atlas_conformance.program import ROOT
from tests.load.load_program import described, free_port, last_line, run, started, until

OPERATIONS = Contract.load().operations

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("locust") is None, reason="Locust, of the extra load, is not installed"
)


def records(folder: Path) -> list[Sent]:
    return [line for line in read_record(folder / FILE) if isinstance(line, Sent)]


def test_a_short_run_of_the_reference_endpoint_passes(tmp_path: Path) -> None:
    ended = run("--users", "8", "--duration", "2s", "--ramp", "1s", "--seed", "3", "--report", "reports",
                cwd=tmp_path, environ={})  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-3_000:] + ended.stderr
    assert last_line(ended.stdout).startswith("PASSED")
    assert "Hammering the reference endpoint: 8 users for 2 s, seed 3" in ended.stderr
    assert "Traceback" not in ended.stderr
    reports = tmp_path / "reports"
    load = json.loads((reports / "load.json").read_text("utf-8"))
    sent = records(reports)
    assert load["requests"] == len(sent) > 50 and load["findings"] == [] and load["partial"] is None
    kinds = {OPERATIONS[line.operation].kind for line in sent if line.operation}
    assert kinds >= {"create", "get", "list"}
    assert load["jobs_followed_to_the_end"] > 0
    summary = json.loads((reports / "summary.json").read_text("utf-8"))
    assert summary["exchanges"] == len(sent) and summary["profile"] == "hammer"
    journal = list(Journal(reports / JOURNAL))
    exchanges = [record for record in journal if isinstance(record, ExchangeRecord)]
    assert 0 < len(exchanges) <= len(sent)
    for name, schema in (("journal.jsonl", "journal"), ("summary.json", "summary")):
        check = jsonschema_rs.validator_for(json.loads((ROOT / f"reports/{schema}.schema.json").read_text("utf-8")))
        text = (reports / name).read_text("utf-8")
        lines = text.splitlines() if schema == "journal" else [text]
        assert [str(error) for line in lines for error in check.iter_errors(json.loads(line))] == []
    text = (reports / JOURNAL).read_text("utf-8") + (reports / FILE).read_text("utf-8")
    assert not re.search(r"[Bb]earer [A-Za-z0-9_-]{20}", text)
    assert not re.search(r'nonce=\\"[0-9a-f]{8}', text)
    assert (reports / "load.html").read_text("utf-8").startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["reports"]


def test_a_concurrency_fault_is_found_with_the_exchanges_that_show_it(tmp_path: Path) -> None:
    fault = "flex-create/one-id-for-two"
    with ReferenceServer(seed=1, fault=fault) as server:
        target, environ = described(server, tmp_path)
        ended = run("--target", target, "--users", "20", "--duration", "40s", "--seed", "1", "--stop-at", "S-NEW",
                    "--report", "reports", cwd=tmp_path, environ=environ)  # fmt: skip
    assert ended.returncode == 1, ended.stdout[-3_000:] + ended.stderr
    assert "--stop-at S-NEW" in ended.stdout  # how to run it again
    journal = list(Journal(tmp_path / "reports" / JOURNAL))
    found = next(r for r in journal if isinstance(r, FindingRecord) and r.finding.requirement == "S-NEW")
    numbers = {record.n: record for record in journal if isinstance(record, ExchangeRecord)}
    twins = [numbers[n].exchange.response.body for n in (found.n, found.related[0])]
    first, second = (json.loads(body) for body in twins)
    assert first.get("content", first)["id"] == second.get("content", second)["id"]
    load = json.loads((tmp_path / "reports" / "load.json").read_text("utf-8"))
    assert any(one["requirement"] == "S-NEW" and one["at"] for one in load["findings"])


def test_the_proof_hammers_an_endpoint_whose_fault_shows_only_then() -> None:
    (trial,) = fault_trials(["cluster-get/scope-forgotten"], seed=5)
    assert trial.users == 50
    with ReferenceServer(seed=5, fault=trial.fault) as server:
        outcome = try_hammered(trial, server)
    assert outcome.good and outcome.exchanges > 0, outcome


def test_two_workers_make_one_report_and_a_killed_one_loses_nothing(tmp_path: Path) -> None:
    """One worker is killed in the middle: the run goes on, says so, and has all that the worker had judged."""
    port = str(free_port())
    with ReferenceServer(seed=2) as server, ExitStack() as processes:
        target, environ = described(server, tmp_path)
        common = ("--target", target, "--port", port)
        master = processes.enter_context(
            started("--master", "--workers", "2", "--users", "8", "--duration", "8s", "--seed", "4", "--report", "m",
                    *common, cwd=tmp_path, environ=environ, log="master.log")
        )  # fmt: skip
        workers = [
            processes.enter_context(
                started("--worker", "--master-host", "127.0.0.1", "--report", name, *common, cwd=tmp_path,
                        environ=environ, log=f"{name}.log")
            )
            for name in ("w1", "w2")
        ]  # fmt: skip
        until(lambda: all(len_of(tmp_path / name) > 60 for name in ("w1", "w2")), "requests of both workers")
        os.kill(workers[1].pid, signal.SIGKILL)
        workers[1].wait(10)
        assert master.wait(90) == 4, (tmp_path / "master.log").read_text("utf-8")[-3_000:]
        assert workers[0].wait(30) == 0, (tmp_path / "w1.log").read_text("utf-8")
    log = (tmp_path / "master.log").read_text("utf-8")
    assert last_line(log).startswith("INCOMPLETE") and "it was lost on" in log and "Traceback" not in log
    load = json.loads((tmp_path / "m" / "load.json").read_text("utf-8"))
    parts = {part["name"]: part for part in load["parts"]}
    assert len(parts) == 2 and sum("it was lost on" in (part["partial"] or "") for part in parts.values()) == 1
    judged = [len(records(tmp_path / name)) for name in ("w1", "w2")]
    assert sorted(part["requests"] for part in parts.values()) == sorted(judged) and load["requests"] == sum(judged)
    # The joined journal holds every exchange that either journal holds, the cut off one included.
    each = [sum(isinstance(r, ExchangeRecord) for r in Journal(tmp_path / name / JOURNAL)) for name in ("w1", "w2")]
    joined = [record for record in Journal(tmp_path / "m" / JOURNAL) if isinstance(record, ExchangeRecord)]
    assert len(joined) == sum(each) and [record.n for record in joined] == list(range(1, sum(each) + 1))
    assert load["findings"] == []


def test_an_endpoint_that_dies_late_is_reported_although_nobody_waited_for_it_long(tmp_path: Path) -> None:
    """What it was not asked since then has not passed."""
    with ReferenceServer(seed=2) as server:
        target, environ = described(server, tmp_path)
        options = ("--target", target, "--users", "4", "--duration", "5s", "--seed", "4", "--report", "m")
        with started(*options, cwd=tmp_path, environ=environ, log="run.log") as process:
            until(lambda: len_of(tmp_path / "m") > 60, "requests")
            server.stop()
            assert process.wait(60) == 3, (tmp_path / "run.log").read_text("utf-8")[-3_000:]
    log = (tmp_path / "run.log").read_text("utf-8")
    assert "ENDPOINT LOST" in log and "Traceback" not in log
    assert json.loads((tmp_path / "m" / "summary.json").read_text("utf-8"))["exit_code"] == 3


def test_an_endpoint_that_dies_amid_the_users_of_a_worker_is_lost_to_the_master_too(tmp_path: Path) -> None:
    port = str(free_port())
    with ReferenceServer(seed=2) as server, ExitStack() as processes:
        target, environ = described(server, tmp_path)
        common = ("--target", target, "--port", port)
        master = processes.enter_context(
            started("--master", "--users", "4", "--duration", "5s", "--seed", "4", "--report", "m", *common,
                    cwd=tmp_path, environ=environ, log="master.log")
        )  # fmt: skip
        worker = processes.enter_context(
            started("--worker", "--master-host", "127.0.0.1", "--report", "w", *common, cwd=tmp_path, environ=environ,
                    log="worker.log")
        )  # fmt: skip
        until(lambda: len_of(tmp_path / "w") > 60, "requests")
        server.stop()
        assert worker.wait(60) == 3, (tmp_path / "worker.log").read_text("utf-8")[-3_000:]
        assert master.wait(60) == 3, (tmp_path / "master.log").read_text("utf-8")[-3_000:]
    assert "ENDPOINT LOST" in (tmp_path / "master.log").read_text("utf-8")


def len_of(folder: Path) -> int:
    path = folder / FILE
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_on_a_host_that_is_not_loopback_it_reads_only(tmp_path: Path) -> None:
    """Another spelling of loopback counts as remote; the rate is never exceeded."""
    with ReferenceServer(seed=3) as server:
        target, environ = described(server, tmp_path)
        target.write_text(target.read_text("utf-8").replace("127.0.0.1", "127.1"), encoding="utf-8")
        ended = run("--target", target, "--users", "5", "--duration", "2s", "--rate", "30/s", "--seed", "1",
                    "--report", "reports", cwd=tmp_path, environ=environ)  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-3_000:] + ended.stderr
    sent = records(tmp_path / "reports")
    assert {OPERATIONS[line.operation].method for line in sent if line.operation} == {"GET"}
    assert len({line.operation for line in sent}) > 3
    moments = sorted(line.started for line in sent)
    windows = [b - a for a, b in zip(moments, moments[15:], strict=False)]
    assert min(windows) > 0.4  # fifteen requests after another one take half a second
    journal = Journal(tmp_path / "reports" / JOURNAL)
    assert journal.header.mode == "read"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--duration", "soon"), 2, "--duration is 'soon'; write a length of time"),
        (("--target", "none.toml"), 2, "none.toml"),
        (("--base-url", "http://127.0.0.1:9"), 3, "nothing listens at 127.0.0.1:9"),
        (("--report", "/proc/no"), 2, "cannot be written to"),
        (("--master", "--base-url", "http://127.0.0.1:9", "--bind", "203.0.113.7"), 2, "cannot be listened on"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    ended = run(*arguments, cwd=tmp_path, environ={})
    assert (ended.returncode, ended.stdout) == (code, ""), ended.stdout + ended.stderr
    assert sentence in ended.stderr and "Traceback" not in ended.stderr


def test_the_gate_by_basis_is_that_of_a_run(tmp_path: Path) -> None:
    with ReferenceServer(seed=1, fault="flex-create/date-zero") as server:
        target, environ = described(server, tmp_path)
        ended = {
            basis: run("--target", target, "--users", "4", "--duration", "2s", "--seed", "1", "--basis", basis,
                       "--report", f"{basis}-reports", cwd=tmp_path, environ=environ)
            for basis in ("documented", "inferred")
        }  # fmt: skip
    assert [ended[basis].returncode for basis in ("documented", "inferred")] == [1, 0], ended["inferred"].stdout[
        -2_000:
    ]
    for basis, code in (("documented", 1), ("inferred", 0)):
        assert "S-TIME" in ended[basis].stdout
        assert json.loads((tmp_path / f"{basis}-reports" / "load.json").read_text("utf-8"))["exit_code"] == code


def test_a_basis_that_there_is_not_gets_a_sentence(tmp_path: Path) -> None:
    ended = run("--basis", "hearsay", cwd=tmp_path, environ={})
    assert ended.returncode == 2
    assert "there is no basis 'hearsay'" in ended.stderr and "Traceback" not in ended.stderr
