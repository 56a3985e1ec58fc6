"""The ledger: jobs followed across users on real intervals, closed with a summary, and forgotten."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.load import keeping
from atlas_conformance.load.ledger import Ledger
from atlas_conformance.load.summary import Summary
from tests.strategies.scenery import (
    AUTOMATED,
    FLEX,
    JOB,
    KNOWN,
    UNKNOWN,
    answer,
    dedicated_job,
    dedicated_snapshot,
    failed,
    flex_job,
    held,
    page,
    plain_item,
    refused,
    request,
)

DONE = {"status": "COMPLETED"}


def identity(number: int) -> str:
    return f"{number:024x}"


def read(started: float, ended: float, job: str = JOB, **shown: Any) -> Exchange:
    return answer(request("flex-get", job=job), flex_job(id=job, **shown), started=started, ended=ended)


def create(started: float, ended: float, job: str = JOB) -> Exchange:
    return answer(request("flex-create"), flex_job(id=job), started=started, ended=ended)


def finish(ledger: Ledger, job: str, at: float) -> list[Judgement]:
    """Create a job, and read it until it has settled."""
    return [
        ledger.feed(create(at, at + 0.1, job)),
        ledger.feed(read(at + 0.2, at + 0.3, job, **DONE)),
        ledger.feed(read(at + 0.4, at + 0.5, job, **DONE)),
    ]


def listed(started: float, *jobs: str, ended: float | None = None, **query: str) -> Exchange:
    """A list that shows these jobs, all of them ended."""
    sent = request("flex-list", query={"itemsPerPage": str(len(jobs)), **query})
    shown = page(*(flex_job(id=job, **DONE) for job in jobs), rels=("self", "next"), totalCount=1_000)
    return answer(sent, shown, started=started, ended=ended)


def test_two_creates_with_one_id_are_found_whoever_sent_them() -> None:
    ledger = Ledger(KNOWN)
    assert not ledger.feed(create(0.0, 1.0)).findings
    assert "S-NEW" in failed(ledger.feed(create(0.5, 1.5)))
    assert [e.started for e in ledger.evidence] == [0.0]


def test_an_id_of_a_forgotten_job_is_still_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "SETTLED", 1)
    ledger = Ledger(KNOWN)
    finish(ledger, identity(1), 0.0)
    finish(ledger, identity(2), 10.0)
    assert ledger.job(identity(1)) is None
    assert "S-NEW" in failed(ledger.feed(create(20.0, 21.0, identity(1))))


@pytest.mark.parametrize(("started", "ended", "found"), [(2.0, 3.0, True), (0.5, 3.0, False), (1.0, 3.0, False)])
def test_a_status_moves_back_only_between_reads_that_do_not_overlap(started: float, ended: float, found: bool) -> None:
    ledger = Ledger(KNOWN)
    ledger.feed(read(0.0, 1.0, status="RUNNING"))
    assert ("S-FLOW" in failed(ledger.feed(read(started, ended, status="PENDING")))) is found


def test_a_read_that_ended_before_may_come_in_later() -> None:
    """Answers are judged in the order of their coming, which need not be that of their time."""
    ledger = Ledger(KNOWN)
    ledger.feed(read(5.0, 6.0, status="RUNNING"))
    assert not ledger.feed(read(1.0, 2.0, status="PENDING")).findings


def test_a_job_that_settled_is_forgotten_with_a_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "SETTLED", 2)
    summaries: list[Summary] = []
    ledger = Ledger(KNOWN, closed=summaries.append)
    for number in range(5):
        for judgement in finish(ledger, identity(number), 10.0 * number):
            assert not judgement.findings
    assert [summary.job for summary in summaries] == [identity(0), identity(1), identity(2)]
    assert all(summary.whole and summary.state == "COMPLETED" for summary in summaries)
    assert summaries[0].seconds == pytest.approx(0.2)
    ledger.close_all()
    assert len(summaries) == 5
    assert not list(ledger.jobs()) and not ledger.open and not ledger.settled


def test_memory_does_not_grow_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("SETTLED", 5), ("CLOSED", 7), ("STRANGERS", 6), ("OPEN", 9), ("ADOPTED", 3)):
        monkeypatch.setattr(keeping, name, size)
    ledger = Ledger(KNOWN)
    sizes = []
    for number in range(0, 400, 4):
        finish(ledger, identity(number), float(number))
        ledger.feed(create(number + 0.6, number + 0.7, identity(number + 1)))  # stays open, as nobody reads it
        ledger.feed(listed(number + 0.8, *(identity(10_000 + number + more) for more in range(3))))
        sizes.append(kept(ledger))
    assert max(sizes[50:]) <= max(sizes[:50]) + 2
    assert len(list(ledger.jobs())) <= 9


def kept(ledger: Ledger) -> int:
    """How many things a ledger holds, in whatever place."""
    total = 0
    for value in vars(ledger).values():
        if isinstance(value, dict):
            total += sum(len(inner) if isinstance(inner, dict) else 1 for inner in value.values())
    return total


def test_a_forgotten_job_is_held_to_its_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "SETTLED", 1)
    ledger = Ledger(KNOWN)
    finish(ledger, identity(1), 0.0)
    finish(ledger, identity(2), 10.0)
    assert not ledger.feed(read(20.0, 21.0, identity(1), **DONE)).findings
    assert "S-FLOW" in failed(ledger.feed(read(22.0, 23.0, identity(1), status="RUNNING")))


def test_one_job_answered_to_the_id_of_another() -> None:
    ledger = Ledger(KNOWN)
    ledger.feed(create(0.0, 0.5))
    swapped = answer(request("flex-get"), flex_job(id=UNKNOWN), started=1.0)
    assert "S-SAME" in failed(ledger.feed(swapped))


def test_a_cancel_and_a_late_answer_from_before_it() -> None:
    """A read that overlaps with the cancel comes in last; cancelling once more may then succeed or not."""
    ledger = Ledger(KNOWN)
    ledger.feed(answer(request("cluster-create"), dedicated_job(), started=0.0))
    ledger.feed(answer(request("cluster-cancel"), b"", status=204, started=1.0))
    ledger.feed(answer(request("cluster-get"), dedicated_job(cancelled=True), started=2.0, ended=2.1))
    ledger.feed(answer(request("cluster-get"), dedicated_job(), started=0.9, ended=2.5))
    assert not ledger.feed(answer(request("cluster-cancel"), b"", status=204, started=3.0)).findings


# Targets that may be busy


def busy_refusal(started: float) -> Exchange:
    return refused(request("cluster-create", AUTOMATED), 400, started=started, errorCode="TARGET_BUSY")


def test_a_refusal_for_a_target_that_a_create_under_way_may_hold_is_no_failure() -> None:
    ledger = Ledger(KNOWN)
    assert "B-ACCEPT" in failed(ledger.feed(busy_refusal(0.0)))
    with ledger.sending(request("cluster-create", AUTOMATED)), ledger.sending(request("cluster-create", AUTOMATED)):
        assert not ledger.feed(busy_refusal(1.0)).findings
    assert "B-ACCEPT" in failed(ledger.feed(busy_refusal(2.0)))


def test_a_target_whose_create_had_no_answer_may_be_busy_for_good() -> None:
    ledger = Ledger(KNOWN)
    ledger.unanswered(request("cluster-create", AUTOMATED))
    assert not ledger.feed(busy_refusal(5.0)).findings


def test_where_others_send_too_any_target_may_be_busy() -> None:
    assert not Ledger(KNOWN, alone=False).feed(busy_refusal(0.0)).findings


# Lists


def test_a_page_that_lost_a_job_between_two_that_it_shows() -> None:
    ledger = Ledger(KNOWN)
    a, b, c = identity(1), identity(2), identity(3)
    assert not ledger.feed(listed(0.0, a, b, c)).findings
    judgement = ledger.feed(listed(1.0, a, c))
    assert "L-PAGE" in failed(judgement)
    assert ledger.evidence[-1].started == 0.0


@pytest.mark.parametrize(
    ("first", "second", "started"),
    [
        ((1, 2, 3), (0, 1, 2), 1.0),  # a newer job has come in, and pushed one off the end
        ((1, 2, 3), (2, 3, 4), 1.0),  # the next page
        ((1, 2, 3), (1, 9, 2), 1.0),  # a job that was not there before
        ((1, 2, 3), (1, 3, 4), 0.2),  # the two pages overlap in time
        ((1, 2, 3), (3, 1, 5), 1.0),  # a list without an order
    ],
)
def test_pages_that_lost_nothing(first: tuple[int, ...], second: tuple[int, ...], started: float) -> None:
    ledger = Ledger(KNOWN)
    ledger.feed(listed(0.0, *map(identity, first), ended=0.5))
    assert "L-PAGE" not in failed(ledger.feed(listed(started, *map(identity, second), ended=started + 0.5)))


def test_a_job_that_still_runs_may_move_in_the_list() -> None:
    ledger = Ledger(KNOWN)
    running = [flex_job(id=identity(1), **DONE), flex_job(id=identity(2)), flex_job(id=identity(3), **DONE)]
    sent = request("flex-list", query={"itemsPerPage": "3"})
    shown = page(*running, rels=("self", "next"), totalCount=50)
    ledger.feed(answer(sent, shown, started=0.0))
    assert not ledger.feed(listed(1.0, identity(1), identity(3))).findings


def test_the_count_is_never_less_than_what_was_listed_before() -> None:
    ledger = Ledger(KNOWN)
    for number in range(3):
        ledger.feed(create(float(number), number + 0.5, identity(number)))
    jobs = [flex_job(id=identity(number)) for number in range(3)]
    sent = request("flex-list", query={"itemsPerPage": "1"})
    ledger.feed(answer(request("flex-list"), page(*jobs), started=5.0))
    honest = answer(sent, page(jobs[2], rels=("self", "next"), totalCount=3), started=6.0)
    assert not ledger.feed(honest).findings
    behind = answer(sent, page(jobs[2], rels=("self", "next"), totalCount=2), started=7.0)
    assert "L-TOTAL" in failed(ledger.feed(behind))


def test_a_closed_job_says_nothing_of_one_of_another_family(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "SETTLED", 1)
    ledger = Ledger(KNOWN)
    finish(ledger, identity(1), 0.0)
    finish(ledger, identity(2), 10.0)
    job = dedicated_job(id=identity(1))
    assert not failed(ledger.feed(answer(request("cluster-create"), job, started=20.0)))
    assert not failed(ledger.feed(answer(request("cluster-get", job=identity(1)), job, started=21.0)))


def test_a_whole_list_that_lacks_a_job() -> None:
    ledger = Ledger(KNOWN)
    ledger.feed(create(0.0, 0.5))
    ledger.feed(answer(request("flex-list"), page(flex_job()), started=1.0))
    assert "L-FOUND" in failed(ledger.feed(answer(request("flex-list"), page(), started=2.0)))


def test_what_was_there_before_is_followed_too() -> None:
    ledger = Ledger(KNOWN)
    ledger.feed(answer(request("flex-list"), page(flex_job(status="RUNNING")), started=0.0))
    assert [job.job for job in ledger.open.values()] == [JOB]
    assert "S-FLOW" in held(ledger.feed(read(1.0, 1.5, status="RUNNING")))
    assert "S-FLOW" in failed(ledger.feed(read(2.0, 2.5, status="PENDING")))


def test_a_job_that_a_list_shows_before_its_create_is_answered_is_new_all_the_same() -> None:
    ledger = Ledger(KNOWN)
    ledger.feed(answer(request("flex-list"), page(flex_job()), started=0.2, ended=0.4))
    assert "S-NEW" not in failed(ledger.feed(create(0.0, 1.0)))
    old = replace(create(3.0, 4.0, UNKNOWN), request=request("flex-create", FLEX))
    ledger.feed(answer(request("flex-list"), page(flex_job(id=UNKNOWN)), started=1.0, ended=2.0))
    assert "S-NEW" in failed(ledger.feed(old))


def snapshots(started: float, *ids: str, total: int = 1_000) -> Exchange:
    """A page of snapshots, all of them done."""
    sent = request("snapshot-list", query={"itemsPerPage": str(len(ids))})
    shown = page(*(dedicated_snapshot(id=one) for one in ids), rels=("self", "next"), totalCount=total)
    return answer(sent, shown, started=started)


def taken(at: float, snapshot: str) -> Exchange:
    return answer(request("snapshot-take"), plain_item("snapshot-take", id=snapshot), started=at)


@pytest.mark.parametrize("alone", [True, False])
def test_a_page_that_lost_a_snapshot_which_nobody_deletes(alone: bool) -> None:
    a, b, c = (identity(number) for number in (1, 2, 3))
    ledger = Ledger(KNOWN, alone=alone)
    ledger.feed(snapshots(0.0, a, b, c))
    # Where others send too, one that this process did not take may be deleted by them.
    assert ("L-PAGE" in failed(ledger.feed(snapshots(1.0, a, c)))) is alone


def test_a_list_may_lose_a_snapshot_and_count_fewer_once_its_delete_was_sent() -> None:
    ledger = Ledger(KNOWN)
    ids = [identity(number) for number in (1, 2, 3)]
    for at, snapshot in enumerate(ids):
        ledger.feed(taken(float(at), snapshot))
        ledger.feed(answer(request("snapshot-get", snapshotId=snapshot), done(snapshot), started=at + 0.5))
    sent = request("snapshot-list", query={"itemsPerPage": "2"})
    ledger.feed(answer(request("snapshot-list"), page(*map(done, ids)), started=40.0))
    fewer = answer(sent, page(done(ids[0]), done(ids[2]), totalCount=2), started=42.0)
    found = [finding for finding in Ledger.feed(ledger, fewer).findings if finding.requirement in ("L-PAGE", "L-TOTAL")]
    assert {finding.pointer for finding in found} == {"/response/body/results", "/response/body/totalCount"}
    with ledger.sending(request("snapshot-delete", snapshotId=ids[1])):
        later = answer(sent, page(done(ids[0]), done(ids[2]), totalCount=2), started=43.0)
        assert not {"L-PAGE", "L-TOTAL"} & set(failed(ledger.feed(later)))


def done(snapshot: str) -> dict[str, Any]:
    """A snapshot that this run took, once it is done."""
    return plain_item("snapshot-take", id=snapshot) | {"status": "completed", "createdAt": "2026-02-15T17:06:43Z"}
