"""SNAP-*: what snapshots show, alone, over time, and together with the jobs that restore them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from atlas_conformance.contracts.chronicle import Chronicle
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.judge import Judge
from atlas_conformance.contracts.knowledge import Knowledge
from tests.strategies.scenery import (
    AUTOMATED,
    FLEX,
    INVENTORY,
    KNOWN,
    TAKE,
    UNKNOWN,
    answer,
    dedicated_job,
    dedicated_snapshot,
    departures,
    failed,
    flex_job,
    flex_snapshot,
    held,
    page,
    plain_item,
    refused,
    request,
)

SHARDED = replace(INVENTORY.clusters[2], name="Sharded0", sharded=True, snapshots=(UNKNOWN,))
WITH_SHARDED = Knowledge(replace(INVENTORY, clusters=(*INVENTORY.clusters, SHARDED)), digest=True)
TAKEN_ID = "699bc7a48decccf9757f00aa"


def get(document: dict[str, Any], at: float = 0.0) -> Exchange:
    return answer(request("snapshot-get", snapshotId=document.get("id", TAKEN_ID)), document, started=at)


def flex_get(document: dict[str, Any], at: float = 0.0) -> Exchange:
    return answer(request("flex-snapshot-get"), document, started=at)


def take(at: float = 0.0, **changes: Any) -> Exchange:
    return answer(request("snapshot-take"), plain_item("snapshot-take", id=TAKEN_ID, **changes), started=at)


def delete(at: float) -> Exchange:
    return answer(request("snapshot-delete", snapshotId=TAKEN_ID), b"", status=204, media="", started=at)


def missing(at: float) -> Exchange:
    return refused(request("snapshot-get", snapshotId=TAKEN_ID), 404, started=at)


def listed(*snapshots: dict[str, Any], at: float) -> Exchange:
    return answer(request("snapshot-list"), page(*snapshots), started=at)


def restored(at: float, status: int = 200, **changes: Any) -> Exchange:
    sent = request("cluster-create", AUTOMATED | {"snapshotId": TAKEN_ID})
    if status != 200:
        return refused(sent, status, started=at)
    return answer(sent, dedicated_job(**({"snapshotId": TAKEN_ID} | changes)), started=at)


def told(*exchanges: Exchange, knowledge: Knowledge = KNOWN) -> list[Judgement]:
    chronicle = Chronicle(knowledge)
    return [chronicle.feed(exchange) for exchange in exchanges]


def done(**changes: Any) -> dict[str, Any]:
    fixed = {"id": TAKEN_ID, "snapshotType": "onDemand", "description": TAKE["description"]}
    return dedicated_snapshot(**(fixed | changes))


@pytest.mark.parametrize(
    ("exchange", "requirement"),
    [
        (get(dedicated_snapshot(status="done")), "SNAP-STATUS"),
        (get(dedicated_snapshot(status="COMPLETED")), "SNAP-STATUS"),
        (flex_get(flex_snapshot(status="completed")), "SNAP-STATUS"),
        (get(dedicated_snapshot(createdAt=None)), "SNAP-DONE"),
        (get(dedicated_snapshot(status="queued")), "SNAP-DONE"),
        (flex_get(flex_snapshot(finishTime=None)), "SNAP-DONE"),
        (flex_get(flex_snapshot(status="RUNNING")), "SNAP-DONE"),
        (flex_get(flex_snapshot(status="FAILED", finishTime=None)), "SNAP-DONE"),
        (get(dedicated_snapshot(createdAt="2026-02-15T17:06:43+01:00")), "SNAP-TIME"),
        (get(dedicated_snapshot(expiresAt="2026-02-15T17:06:42Z")), "SNAP-TIME"),
        (flex_get(flex_snapshot(startTime="2026-02-15T17:05:09Z")), "SNAP-TIME"),
        (flex_get(flex_snapshot(startTime=None, finishTime="2026-02-15T17:05:09Z")), "SNAP-TIME"),
        (take(status="completed"), "SNAP-NEW"),
        (take(status=None), "SNAP-NEW"),
        (take(snapshotType="scheduled"), "SNAP-NEW"),
        (take(description="another"), "SNAP-NEW"),
        (take(description=None), "SNAP-NEW"),
    ],
)
def test_what_one_answer_shows(exchange: Exchange, requirement: str) -> None:
    assert requirement in failed(Judge(knowledge=KNOWN).judge(exchange))


@pytest.mark.parametrize(
    "exchange",
    [
        get(dedicated_snapshot()),
        get(dedicated_snapshot(status="inProgress")),
        get(dedicated_snapshot(status="inProgress", createdAt=None)),
        get(dedicated_snapshot(status="failed", createdAt=None)),
        get(dedicated_snapshot(createdAt="2026-02-15T17:06:43+00:00")),
        get(dedicated_snapshot(status=None)),
        flex_get(flex_snapshot(status="RUNNING", finishTime=None)),
        flex_get(flex_snapshot(startTime="2026-02-15T17:05:10Z")),
        take(),
        take(status="inProgress"),
    ],
)
def test_what_conforms_is_silent(exchange: Exchange) -> None:
    assert Judge(knowledge=KNOWN).judge(exchange).findings == ()


def test_on_demand_is_a_known_departure_of_snapshots_on_demand_alone() -> None:
    shown = Judge(knowledge=KNOWN).judge(get(dedicated_snapshot(snapshotType="onDemand", frequencyType="ondemand")))
    assert (departures(shown), failed(shown)) == ({"K-FREQUENCY"}, set())
    assert failed(Judge(knowledge=KNOWN).judge(get(dedicated_snapshot(frequencyType="ondemand")))) == {"C-SCHEMA"}
    wrong = get(dedicated_snapshot(snapshotType="onDemand", frequencyType="never"))
    assert failed(Judge(knowledge=KNOWN).judge(wrong)) == {"C-SCHEMA"}


def test_a_status_moves_forward_and_its_end_stays() -> None:
    queued = done(status="queued", createdAt=None)
    *before, last = told(take(), get(queued, 1), get(done(), 2), get(queued, 3))
    assert all(judgement.findings == () for judgement in before)
    assert "SNAP-FLOW" in failed(last)
    assert "SNAP-FLOW" in failed(told(get(done(), 1), get(done(status="failed"), 2))[-1])


@pytest.mark.parametrize(
    "change",
    [{"createdAt": "2026-02-15T17:06:44Z"}, {"type": "shardedCluster"}, {"snapshotType": "fallback"},
     {"description": "another"}],
)  # fmt: skip
def test_what_identifies_a_snapshot_never_changes(change: dict[str, Any]) -> None:
    assert failed(told(get(done(), 1), get(done(**change), 2))[-1]) == {"SNAP-FIXED"}


def test_sizes_versions_and_expiry_may_change() -> None:
    changed = done(expiresAt="2026-03-01T00:00:00Z", storageSizeBytes=2, mongodVersion="8.0.20")
    assert told(get(done(), 1), get(changed, 2))[-1].findings == ()


def test_an_id_is_new() -> None:
    assert "SNAP-NEW" in failed(told(take(0), take(5))[-1])


def test_a_taken_snapshot_is_found_at_once_and_in_the_list_within_30_seconds() -> None:
    assert "SNAP-FOUND" in failed(told(take(), missing(1))[-1])
    assert told(take(), listed(at=20))[-1].findings == ()
    assert "SNAP-FOUND" in failed(told(take(), listed(at=31))[-1])
    shown = told(take(), listed(done(), at=2), listed(at=4))
    assert "SNAP-FOUND" in failed(shown[-1])
    assert "SNAP-FOUND" in held(told(take(), get(done(status="queued", createdAt=None), 1))[-1])


def test_of_a_sharded_cluster_one_of_two_gets_finds_it() -> None:
    def of(name: str, status: int, at: float) -> Exchange:
        sent = request(name, clusterName="Sharded0", **({} if name == "snapshot-take" else {"snapshotId": TAKEN_ID}))
        document = plain_item("snapshot-take", id=TAKEN_ID, type="shardedCluster")
        return answer(sent, document, started=at) if status == 200 else refused(sent, status, started=at)

    def seen(*exchanges: Exchange) -> Judgement:
        return told(*exchanges, knowledge=WITH_SHARDED)[-1]

    taken, plain = of("snapshot-take", 200, 0), of("snapshot-get", 404, 1)
    assert seen(taken, plain).findings == ()
    assert seen(taken, plain, of("sharded-snapshot-get", 200, 2)).findings == ()
    assert "SNAP-FOUND" in failed(seen(taken, plain, of("sharded-snapshot-get", 404, 2)))


def test_a_deleted_snapshot_is_gone_within_30_seconds_and_stays_gone() -> None:
    begun = (take(), get(done(), 1), delete(2))
    assert told(*begun, get(done(), 10))[-1].findings == ()
    assert "SNAP-FOUND" in failed(told(*begun, get(done(), 40))[-1])
    # That it is shown is the failure, where it is one; what it shows then says nothing more.
    assert told(*begun, get(done(createdAt="2026-01-01T00:00:00Z"), 10))[-1].findings == ()
    assert failed(told(*begun, get(done(createdAt="2026-01-01T00:00:00Z"), 40))[-1]) == {"SNAP-FOUND"}
    assert "SNAP-FOUND" in failed(told(*begun, missing(3), get(done(), 5))[-1])
    assert "SNAP-FOUND" in held(told(*begun, missing(3))[-1])
    assert "SNAP-FOUND" in failed(told(*begun, listed(done(), at=40))[-1])
    assert told(*begun, listed(at=40))[-1].findings == ()


@pytest.mark.parametrize("given", [TAKEN_ID.upper(), f" {TAKEN_ID}", f"%36{TAKEN_ID[1:]}", f"{{{TAKEN_ID}}}"])
def test_a_delete_that_cleans_up_its_id_has_deleted_the_snapshot(given: str) -> None:
    wrong = answer(request("snapshot-delete", snapshotId=given), b"", status=204, media="", started=2)
    deleted = told(take(), get(done(), 1), wrong)
    assert failed(deleted[-1]) == {"P-SNAPSHOT"}
    assert told(take(), get(done(), 1), wrong, missing(40))[-1].findings == ()
    another = answer(request("snapshot-delete", snapshotId="f" * 25), b"", status=204, media="", started=2)
    assert "SNAP-FOUND" in failed(told(take(), get(done(), 1), another, missing(40))[-1])


def test_a_delete_whose_answer_was_lost_leaves_everything_open() -> None:
    chronicle = Chronicle(KNOWN)
    chronicle.feed(take())
    chronicle.lose(request("snapshot-delete", snapshotId=TAKEN_ID))
    assert chronicle.feed(missing(3)).findings == ()
    assert chronicle.feed(get(done(), 60)).findings == ()


def test_what_a_list_shows_completed_can_be_restored() -> None:
    shown = (take(), listed(done(), at=2))
    assert "SNAP-RESTORE" in failed(told(*shown, restored(3, 404))[-1])
    assert told(*shown, restored(3, 409))[-1].findings == ()
    assert "SNAP-RESTORE" in held(told(*shown, restored(3))[-1])
    unfinished = (take(), listed(done(status="inProgress"), at=2))
    assert told(*unfinished, restored(3, 404))[-1].findings == ()


def test_what_was_deleted_cannot_be_restored() -> None:
    gone = (take(), listed(done(), at=1), delete(2), missing(3))
    assert "SNAP-RESTORE" in failed(told(*gone, restored(4))[-1])
    for status in (400, 404, 409):
        assert told(*gone, restored(4, status))[-1].findings == ()
    still = (take(), listed(done(), at=1), delete(2))
    assert told(*still, restored(4))[-1].findings == ()


@pytest.mark.parametrize(("shown", "right"), [("43", True), ("44", True), ("45", False), ("43.9", True), ("40", False)])
def test_a_job_shows_the_date_of_its_snapshot_to_the_second(shown: str, right: bool) -> None:
    judged = told(listed(done(), at=1), restored(2, timestamp=f"2026-02-15T17:06:{shown}Z"))[-1]
    assert ("SNAP-RESTORE" in failed(judged)) is not right
    flex = answer(request("flex-create", FLEX), flex_job(snapshotFinishedDate=f"2026-02-15T17:06:{shown}Z"), started=2)
    judged = told(flex_get(flex_snapshot(), 1), flex)[-1]
    assert ("SNAP-RESTORE" in failed(judged)) is not right


def test_a_download_is_one_and_shows_no_target() -> None:
    def download(**changes: Any) -> Exchange:
        return answer(request("flex-download"), plain_item("flex-download", **changes))

    assert Judge(knowledge=KNOWN).judge(download()).findings == ()
    assert Judge(knowledge=KNOWN).judge(download(status="COMPLETED", restoreFinishedDate="2026-02-23T03:22:08Z",
                          snapshotUrl="https://x.example/1")).findings == ()  # fmt: skip
    assert "S-DELIVERY" in failed(Judge(knowledge=KNOWN).judge(download(deliveryType="RESTORE")))
    assert "S-DELIVERY" in failed(Judge(knowledge=KNOWN).judge(download(targetDeploymentItemName="Target0")))
    read = answer(request("flex-get"), flex_job(), started=1)
    assert "S-DELIVERY" in failed(told(download(), read)[-1])


@pytest.mark.parametrize(
    ("body", "free"),
    [(b"", True), (b" ", True), (b"{}", True), (b'{"retentionInDays":366}', True), (b'{"retentionInDays":365}', False)],
)
def test_where_a_request_for_a_snapshot_is_free(body: bytes, free: bool) -> None:
    sent = replace(request("snapshot-take"), body=body)
    assert (Judge(knowledge=KNOWN).judge(refused(sent, 400)).findings == ()) is free


def test_the_list_of_sharded_clusters_owes_results_and_no_more() -> None:
    sent = request("sharded-snapshot-list", clusterName="Sharded0")
    assert Judge(knowledge=WITH_SHARDED).judge(answer(sent, {"results": []})).findings == ()
    assert "L-PAGE" in failed(Judge(knowledge=WITH_SHARDED).judge(answer(sent, {})))
    for status in (400, 404):
        assert Judge(knowledge=WITH_SHARDED).judge(refused(request("sharded-snapshot-list"), status)).findings == ()
        assert "L-FOUND" in failed(Judge(knowledge=WITH_SHARDED).judge(refused(sent, status)))
