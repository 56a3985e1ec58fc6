"""What users do and what is kept of it: the pool, actions, timetables, and the recorder."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.http.client import Client
from atlas_conformance.http.failures import NoAnswer, Withheld
from atlas_conformance.http.guard.guard import Guard
from atlas_conformance.http.target import Safety, Target
from atlas_conformance.load import recorder as recorders
from atlas_conformance.load.acting import WEIGHTS, Actor
from atlas_conformance.load.crew import Clock, Crew
from atlas_conformance.load.ledger import Ledger
from atlas_conformance.load.plan import Plan
from atlas_conformance.load.pool import Pool, pool
from atlas_conformance.load.record import FILE, RecordWriter, Sent, Start, read_record
from atlas_conformance.load.recorder import Recorder
from atlas_conformance.reports.journal import Journal, JournalWriter
from atlas_conformance.reports.records import ExchangeRecord, FindingRecord
from tests.reports.sample_journal import header
from tests.strategies.scenery import ABSENT, INVENTORY, KNOWN, answer, failure, flex_job, page, refused, request

OPERATIONS = Contract.load().operations

LOCAL = Target("http://127.0.0.1:9", inventory=INVENTORY)
REMOTE = replace(LOCAL, base_url="http://atlas.example.com")


def draw(target: Target, seed: int = 1, knowledge: Knowledge = KNOWN) -> Pool:
    return pool(knowledge, Guard(target), lambda credential, scheme: credential == "owner", seed, ABSENT)


@pytest.fixture(scope="module")
def drawn() -> Pool:
    return draw(LOCAL)


# The pool


def test_a_seed_draws_the_same_requests_again(drawn: Pool) -> None:
    assert draw(LOCAL) == drawn
    assert draw(LOCAL, seed=2).misuse != drawn.misuse


def test_the_pool_holds_conforming_creates_and_refused_requests_of_every_operation(drawn: Pool) -> None:
    created = {found[0].id for one in drawn.creates if (found := Contract.load().match(one.method, one.path))}
    assert created == {o.id for o in OPERATIONS.values() if o.kind == "create"}
    misused = {found[0].id for one in drawn.misuse if (found := Contract.load().match(one.method, one.path))}
    assert misused == set(OPERATIONS)
    assert {operation.id for operation, _ in drawn.lists} == {o.id for o in OPERATIONS.values() if o.kind == "list"}
    assert drawn.schemes == ("digest", "bearer")


def test_on_a_remote_host_nothing_is_drawn_but_reads() -> None:
    found = draw(REMOTE)
    assert found.creates == () and {one.method for one in found.misuse} == {"GET"}


def test_where_refusals_are_allowed_no_create_names_what_exists() -> None:
    found = draw(replace(REMOTE, safety=Safety(mode="refusals", confirmed=True)))
    guard = Guard(replace(REMOTE, safety=Safety(mode="refusals", confirmed=True)))
    assert found.creates == ()
    posts = [one for one in found.misuse if one.method == "POST"]
    let_out = [one for one in posts if not withheld(guard, one)]
    assert len(let_out) > len(posts) / 2


def withheld(guard: Guard, sent: Request) -> bool:
    try:
        guard.check(sent)
    except Withheld:
        return True
    return False


# Users


def actions(pool_: Pool, ledger: Ledger, seed: str, times: int, **options: Any) -> list[str]:
    actor = Actor(pool_, ledger, KNOWN, seed)
    return [actor.next(**options).name for _ in range(times)]


def test_users_do_everything_once_there_are_jobs(drawn: Pool) -> None:
    ledger = Ledger(KNOWN)
    made = answer(request("cluster-create"), {"id": "a" * 24, "deliveryType": "automated"}, started=0.0)
    ledger.feed(made)
    ledger.feed(answer(request("flex-create"), flex_job(), started=0.0))
    for at in (1.0, 2.0):
        ledger.feed(answer(request("flex-get"), flex_job(status="COMPLETED"), started=at))
    ledger.feed(answer(request("flex-create"), flex_job(id="b" * 24), started=0.0))
    seen = Counter(actions(drawn, ledger, "1", 600))
    assert set(seen) == set(WEIGHTS) - {"look elsewhere"} | ({"look elsewhere"} & set(seen))
    assert seen["poll"] > seen["create"] > 0
    assert actions(drawn, ledger, "1", 50) == actions(drawn, ledger, "1", 50) != actions(drawn, ledger, "2", 50)


def test_where_nothing_more_may_be_created_nothing_is(drawn: Pool) -> None:
    assert "create" not in actions(drawn, Ledger(KNOWN), "1", 200, creates=False)


def test_both_schemes_carry_their_share(drawn: Pool) -> None:
    actor = Actor(drawn, Ledger(KNOWN), KNOWN, "1")
    schemes = Counter(actor.next().request.scheme for _ in range(200))
    assert schemes["digest"] > 50 and schemes["bearer"] > 50


def test_a_timetable_is_not_shifted_by_a_slow_answer() -> None:
    clock = Clock(2.0, 100.0)
    assert [clock.take(now) for now in (100.0, 109.0, 109.5)] == [100.0, 102.0, 104.0]
    assert Clock(0.0, 100.0).take(109.0) == 109.0


def test_the_timetables_of_users_lie_evenly_between_each_other(drawn: Pool) -> None:
    plan = Plan(users=4, duration=10.0, ramp=0.0, rate=10.0, seed=1)
    ledger = Ledger(KNOWN)
    with Client(LOCAL) as client:
        crew = Crew(plan, client, ledger, None, lambda seed: Actor(drawn, ledger, KNOWN, seed), threading.Event())  # type: ignore[arg-type]
        for _ in range(4):
            crew.enter()
    moments = [clock.next for clock in crew._clocks.values()]
    assert plan.period == pytest.approx(0.5)
    gaps = [(moment - moments[0]) % plan.period for moment in moments]
    assert gaps == pytest.approx([0.0, 0.125, 0.25, 0.375])


# What is kept


@pytest.fixture
def kept(tmp_path: Path) -> Recorder:
    journal = JournalWriter(tmp_path / "journal.jsonl", header())
    record = RecordWriter(tmp_path / FILE, Start(0.0, "one"))
    return Recorder(Ledger(KNOWN), journal, record, tuple)


def closed(recorder: Recorder) -> tuple[list[ExchangeRecord], list[FindingRecord], list[Sent]]:
    recorder.record.close()
    recorder.journal.close(ended="2026-01-05T10:00:12Z", verdict="passed", exit=0)
    records = list(Journal(recorder.journal.path))
    exchanges = [record for record in records if isinstance(record, ExchangeRecord)]
    findings = [record for record in records if isinstance(record, FindingRecord)]
    return exchanges, findings, [line for line in read_record(recorder.record.path) if isinstance(line, Sent)]


def feed(recorder: Recorder, *exchanges: Exchange) -> None:
    for exchange in exchanges:
        recorder.take(exchange, exchange.started, "user 1: poll")


def test_every_request_has_a_line_and_few_a_whole_exchange(kept: Recorder) -> None:
    feed(kept, *(answer(request("flex-get"), flex_job(), started=float(at)) for at in range(100)))
    exchanges, findings, lines = closed(kept)
    assert len(lines) == kept.requests == 100 and not findings
    assert 2 <= len(exchanges) <= 6


def test_a_finding_comes_with_the_exchanges_that_it_rests_on(kept: Recorder) -> None:
    told: list[Finding] = []
    kept.found = lambda finding, moment: told.append(finding)
    shown = [flex_job(status="RUNNING")] * 40 + [flex_job(status="PENDING")]
    feed(kept, *(answer(request("flex-get"), job, started=float(at)) for at, job in enumerate(shown)))
    exchanges, (finding,), lines = closed(kept)
    numbers = {record.n: record.exchange for record in exchanges}
    assert (finding.finding.requirement, told) == ("S-FLOW", [finding.finding])
    assert [numbers[n].started for n in finding.related] == [38.0, 39.0] and numbers[finding.n].started == 40.0
    assert lines[-1].found == ((finding.finding.key, None),)


def test_a_finding_that_comes_again_and_again_is_counted_and_no_longer_kept(
    kept: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorders, "EXAMPLES", 3)
    feed(kept, *(answer(request("flex-list"), page(totalCount=-1), started=float(at)) for at in range(50)))
    exchanges, findings, lines = closed(kept)
    assert len({finding.n for finding in findings}) == 3 and len(exchanges) == 3
    assert sum(bool(line.found) for line in lines) == 50 == max(kept.failures.values())


def test_a_429_is_counted_and_fails_nothing(kept: Recorder) -> None:
    feed(kept, refused(request("flex-get"), 429, errorCode="RATE_LIMITED", reason="Too Many Requests"))
    assert (kept.paced, kept.errors, kept.failures) == (1, 0, Counter())


def test_a_request_without_an_answer_is_an_error_and_no_finding(kept: Recorder) -> None:
    kept.take(NoAnswer(request("flex-create"), "no complete answer within 10 s", "timeout"), 5.0, "user 1: create")
    kept.take(NoAnswer(request("flex-create"), "the client was closed", "stopped"), 5.0, "user 1: create")
    _, findings, lines = closed(kept)
    assert (kept.errors, len(findings)) == (1, 0)
    assert [(line.status, line.cause, line.operation) for line in lines] == [(0, "timeout", "flex-create")]


def test_what_the_guard_withheld_is_reported_once_for_each_operation(kept: Recorder) -> None:
    for _ in range(3):
        kept.take(Withheld(request("flex-create"), "the mode is read"), 0.0, "user 1: create")
    assert kept.withheld == {"flex-create": "the mode is read"} and kept.requests == 0


def test_an_error_under_pressure_is_found(kept: Recorder) -> None:
    broken = failure(500, "UNEXPECTED_ERROR", reason="Internal Server Error")
    feed(kept, answer(request("flex-get"), broken, status=500))
    assert ("C-5XX", "flex-get") in {key[:2] for key in kept.failures} and kept.errors == 1
