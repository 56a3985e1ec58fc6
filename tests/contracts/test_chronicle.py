"""A run's exchanges in order: new ids, finding jobs, scope, lists, cancels, and targets that may be busy."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from atlas_conformance.contracts.chronicle import Chronicle
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.strategies.requests import with_header
from tests.strategies.scenery import (
    ABSENT,
    AUTOMATED,
    DOWNLOAD,
    FLEX,
    JOB,
    KNOWN,
    OTHER_PROJECT,
    PROJECT,
    SECOND_SNAPSHOT,
    TARGET,
    UNKNOWN,
    answer,
    dedicated_job,
    failed,
    failure,
    flex_job,
    held,
    page,
    plain_job,
    refused,
    request,
    tenant_job,
)

OPERATIONS = Contract.load().operations

CREATES = {
    "flex-create": "flex-get",
    "tenant-create": "tenant-get",
    "cluster-create": "cluster-get",
    "cluster-create-v1": "cluster-get-v1",
}
each_create = pytest.mark.parametrize(("create", "read"), CREATES.items())
END = "2026-02-23T03:22:08Z"


def job_of(operation: str, **changes: Any) -> dict[str, Any]:
    return plain_job(OPERATIONS[operation].resource.label, **changes)


def made(chronicle: Chronicle, create: str, at: float = 0.0, **changes: Any) -> Judgement:
    """Feed a create of a plain job that starts at `at`."""
    return chronicle.feed(answer(request(create), job_of(create, **changes), started=at))


def new_requirement(create: str) -> str:
    return "T-NEW" if create.startswith("cluster") else "S-NEW"


@each_create
def test_a_life_in_order_yields_nothing(create: str, read: str) -> None:
    chronicle = Chronicle(KNOWN)
    judgements = [made(chronicle, create)]
    if create.startswith("cluster"):
        shapes: list[dict[str, Any]] = [{}, {}, {"finishedAt": END}, {"finishedAt": END}]
    else:
        shapes = [{}, {"status": "QUEUED"}, {"status": "COMPLETED"}, {"status": "COMPLETED"}]
    for i, shape in enumerate(shapes):
        judgements.append(chronicle.feed(answer(request(read), job_of(create, **shape), started=1.0 + i)))
    assert [judgement.findings for judgement in judgements] == [()] * 5
    assert new_requirement(create) in held(judgements[0])
    assert {"L-FOUND", "L-STABLE"} <= held(judgements[-1])
    job = chronicle.job(JOB)
    assert job is not None
    assert job.finished
    assert chronicle.created() == [job] == list(chronicle.jobs())


# S-NEW, T-NEW


@each_create
@pytest.mark.parametrize("other", CREATES)
def test_an_id_is_given_once(create: str, read: str, other: str) -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, create)
    same_family = OPERATIONS[other].resource.label == OPERATIONS[create].resource.label
    assert failed(made(chronicle, other, 1.0)) == ({new_requirement(other)} if same_family else set())
    assert failed(made(chronicle, other, 2.0, id=UNKNOWN)) == set()


@each_create
@pytest.mark.parametrize("other", CREATES)
def test_an_id_says_nothing_of_a_job_of_another_family(create: str, read: str, other: str) -> None:
    if OPERATIONS[other].resource.label == OPERATIONS[create].resource.label:
        return
    chronicle = Chronicle(KNOWN)
    made(chronicle, create)
    made(chronicle, other, 1.0)
    for name in (create, other):
        sent = request(CREATES[name])
        assert not failed(chronicle.feed(answer(sent, job_of(name), started=2.0)))
        own = chronicle.job(JOB, OPERATIONS[name].resource)
        assert own is not None and own.create_operation == name


def test_an_id_that_two_clusters_give_is_not_new_and_stands_for_two_jobs() -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, "flex-create")
    elsewhere = request("flex-create", groupId=OTHER_PROJECT)
    shown = flex_job(projectId=OTHER_PROJECT, targetProjectId=PROJECT)
    assert "S-NEW" in failed(chronicle.feed(answer(elsewhere, shown, started=1.0)))
    read = request("flex-get", groupId=OTHER_PROJECT)
    assert "L-SCOPE" not in failed(chronicle.feed(answer(read, shown, started=2.0)))
    assert not failed(chronicle.feed(answer(request("flex-get"), flex_job(), started=3.0)))


def test_an_id_that_a_list_showed_before_is_not_new() -> None:
    chronicle = Chronicle(KNOWN)
    chronicle.feed(answer(request("flex-list"), page(flex_job()), started=0))
    assert failed(made(chronicle, "flex-create", 1.0)) == {"S-NEW"}


def test_a_list_read_meanwhile_may_show_the_new_job_first() -> None:
    chronicle = Chronicle(KNOWN)
    chronicle.feed(answer(request("flex-list"), page(flex_job()), started=1, ended=2))
    created = answer(request("flex-create"), flex_job(), started=0, ended=3)
    assert chronicle.feed(created).findings == ()


# L-FOUND, L-SCOPE


@each_create
def test_a_created_job_is_found_by_its_id(create: str, read: str) -> None:
    for status in (400, 403, 404):
        chronicle = Chronicle(KNOWN)
        made(chronicle, create)
        assert failed(chronicle.feed(refused(request(read), status, started=1))) == {"L-FOUND"}


@each_create
@pytest.mark.parametrize("status", [201, 202])
def test_a_job_whose_create_has_a_wrong_status_is_followed(create: str, read: str, status: int) -> None:
    chronicle = Chronicle(KNOWN)
    created = chronicle.feed(answer(request(create), job_of(create), status=status))
    assert failed(created) == {"C-STATUS"}
    assert chronicle.busy(request(create))
    assert failed(chronicle.feed(refused(request(read), 404, started=2))) == {"L-FOUND"}


@each_create
def test_a_read_that_need_not_be_answered_is_no_l_found(create: str, read: str) -> None:
    for sent in (
        request(read, credential="reader"),
        request(read, query={"envelope": "maybe"}),
        with_header(request(read), "X-Odd", "1"),
    ):
        chronicle = Chronicle(KNOWN)
        made(chronicle, create)
        assert chronicle.feed(refused(sent, 403, started=1)).findings == ()


def test_a_read_that_was_sent_before_the_create_was_answered_may_miss_it() -> None:
    chronicle = Chronicle(KNOWN)
    chronicle.feed(answer(request("flex-create"), flex_job(), started=0, ended=5))
    assert chronicle.feed(refused(request("flex-get"), 404, started=1, ended=2)).findings == ()


ELSEWHERE = [{"groupId": OTHER_PROJECT}, {"name": "Flex1", "clusterName": "Other1"}]


@each_create
@pytest.mark.parametrize("place", ELSEWHERE)
def test_a_job_is_seen_through_its_own_cluster_alone(create: str, read: str, place: dict[str, Any]) -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, create)
    sent = request(read, **place)
    for status in (400, 403, 404):
        assert chronicle.feed(refused(sent, status, started=status)).findings == ()
    shown = job_of(create)
    if "groupId" in place and "projectId" in shown:
        shown["projectId"] = OTHER_PROJECT
    for field in ("instanceName", "clusterName"):
        if field in shown and "name" in place:
            shown[field] = place["name" if field == "instanceName" else "clusterName"]
    assert failed(chronicle.feed(answer(sent, shown, started=999))) == {"L-SCOPE"}


def test_a_list_of_another_cluster_does_not_hold_the_job() -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, "cluster-create")
    judgement = chronicle.feed(answer(request("cluster-list", clusterName="Other"), page(dedicated_job()), started=1))
    assert failed(judgement) == {"L-SCOPE"}


@pytest.mark.parametrize("status", [401, 406, 429, 503])
def test_scope_is_not_judged_by_answers_about_something_else(status: int) -> None:
    """429, 503 with Retry-After, 401 for credentials that nobody vouches for, 406 for an odd Accept: not the job."""
    chronicle = Chronicle(KNOWN)
    made(chronicle, "flex-create")
    sent = request("flex-get", groupId=OTHER_PROJECT)
    if status == 406:
        sent = with_header(sent, "Accept", "text/html")
    elif status == 401:
        sent = replace(sent, credential="unknown")
    body = failure(status, reason=None)
    exchange = answer(
        sent, body, status=status, headers=[("Retry-After", "1")] if status in (429, 503) else [], started=1
    )
    assert "L-SCOPE" not in failed(chronicle.feed(exchange))


def test_an_answer_that_shows_another_id_is_not_the_job() -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, "flex-create")
    judgement = chronicle.feed(answer(request("flex-get"), flex_job(id=UNKNOWN), started=1))
    assert failed(judgement) == {"S-SAME"}
    cluster = Chronicle(KNOWN)
    made(cluster, "cluster-create")
    assert failed(cluster.feed(answer(request("cluster-get"), dedicated_job(id=UNKNOWN), started=1))) == {"T-FLAGS"}


# Lists


@pytest.mark.parametrize(("create", "name"), [("flex-create", "flex-list"), ("cluster-create", "cluster-list")])
def test_a_created_job_stands_in_the_list_in_time(create: str, name: str) -> None:
    empty = page()
    soon, late = Contract.load().settled_within / 2, Contract.load().settled_within + 1
    for at, lost in ((soon, set()), (late, {"L-FOUND"})):
        chronicle = Chronicle(KNOWN)
        made(chronicle, create)
        assert failed(chronicle.feed(answer(request(name), empty, started=at))) == lost


def test_a_job_that_was_listed_stays_listed() -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, "flex-create")
    assert chronicle.feed(answer(request("flex-list"), page(flex_job()), started=1)).findings == ()
    assert failed(chronicle.feed(answer(request("flex-list"), page(), started=2))) == {"L-FOUND"}


def test_a_full_first_page_need_not_hold_every_job() -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, "flex-create")
    one = page(flex_job(id=UNKNOWN), rels=("self", "next"), totalCount=2)
    sent = request("flex-list", query={"itemsPerPage": "1"})
    assert chronicle.feed(answer(sent, one, started=Contract.load().settled_within * 2)).findings == ()


def test_lists_of_another_cluster_or_api_owe_nothing() -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, "cluster-create-v1")
    assert (
        chronicle.feed(answer(request("cluster-list"), page(), started=Contract.load().settled_within * 2)).findings
        == ()
    )
    chronicle = Chronicle(KNOWN)
    made(chronicle, "flex-create")
    other = request("flex-list", name="Flex1")
    assert chronicle.feed(answer(other, page(), started=Contract.load().settled_within * 2)).findings == ()


def test_reads_and_lists_are_one_history() -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, "flex-create")
    chronicle.feed(answer(request("flex-get"), flex_job(status="RUNNING"), started=1))
    backward = chronicle.feed(answer(request("flex-list"), page(flex_job(status="QUEUED")), started=2))
    assert failed(backward) == {"S-FLOW"}


def test_a_flex_job_made_through_the_tenant_route_may_show_in_either_form() -> None:
    """D4 lets the tenant route restore flex clusters: the flex operations then show the job in their own words."""
    chronicle = Chronicle(KNOWN)
    sent = request("tenant-create", FLEX, clusterName="Flex0")
    assert chronicle.feed(answer(sent, tenant_job(clusterName="Flex0", snapshotId=FLEX["snapshotId"]))).findings == ()
    assert chronicle.feed(answer(request("flex-get"), flex_job(), started=1)).findings == ()
    assert chronicle.feed(answer(request("flex-list"), page(flex_job(status="RUNNING")), started=2)).findings == ()


# T-CANCEL


def cancel(at: float, ended: float | None = None, status: int = 204) -> Exchange:
    sent = request("cluster-cancel")
    if status == 204:
        return answer(sent, b"", status=204, media="", started=at, ended=ended)
    return refused(sent, status, started=at, ended=ended)


def test_a_cancelled_job_reads_back_cancelled() -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, "cluster-create")
    assert chronicle.feed(cancel(1)).findings == ()
    assert chronicle.feed(answer(request("cluster-get"), dedicated_job(cancelled=True), started=2)).findings == ()
    other = Chronicle(KNOWN)
    made(other, "cluster-create")
    other.feed(cancel(1))
    assert "T-CANCEL" in failed(other.feed(answer(request("cluster-get"), dedicated_job(), started=2)))


def test_a_read_during_the_cancel_may_show_either() -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, "cluster-create")
    chronicle.feed(cancel(1, 5))
    assert chronicle.feed(answer(request("cluster-get"), dedicated_job(), started=2, ended=3)).findings == ()


@pytest.mark.parametrize("changes", [{"finishedAt": END}, {"finishedAt": END, "failed": True}])
def test_a_finished_job_is_not_changed_by_a_cancel(changes: dict[str, Any]) -> None:
    for status, found in ((204, set()), (400, set()), (409, set()), (404, set()), (405, set()), (403, {"T-CANCEL"})):
        chronicle = Chronicle(KNOWN)
        made(chronicle, "cluster-create")
        shown = dedicated_job(**changes)
        chronicle.feed(answer(request("cluster-get"), shown, started=1))
        assert failed(chronicle.feed(cancel(2, status=status))) - {"C-ALLOW"} == found
        assert chronicle.feed(answer(request("cluster-get"), shown, started=3)).findings == ()
        changed = answer(request("cluster-get"), shown | {"cancelled": True, "failed": False}, started=4)
        assert "T-CANCEL" in failed(chronicle.feed(changed))


def test_an_end_may_overtake_a_cancel() -> None:
    for changes in ({"finishedAt": END}, {"finishedAt": END, "failed": True}):
        chronicle = Chronicle(KNOWN)
        made(chronicle, "cluster-create")
        assert chronicle.feed(cancel(1)).findings == ()
        assert chronicle.feed(answer(request("cluster-get"), dedicated_job(**changes), started=2)).findings == ()


def test_a_cancel_that_overlaps_the_read_of_its_effect_is_right() -> None:
    """The cancel was served first, the read second; the read is fed first."""
    chronicle = Chronicle(KNOWN)
    made(chronicle, "cluster-create")
    assert (
        chronicle.feed(answer(request("cluster-get"), dedicated_job(cancelled=True), started=1, ended=5)).findings == ()
    )
    assert chronicle.feed(cancel(1, 5)).findings == ()


def test_a_refused_cancel_cancels_nothing() -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, "cluster-create")
    chronicle.feed(cancel(1, status=400))
    assert chronicle.feed(answer(request("cluster-get"), dedicated_job(), started=2)).findings == ()


def test_a_cancel_through_another_cluster_is_l_scope() -> None:
    for status, found in ((204, {"L-SCOPE"}), (404, set())):
        chronicle = Chronicle(KNOWN)
        made(chronicle, "cluster-create")
        exchange = cancel(1, status=status)
        elsewhere = request("cluster-cancel", clusterName="Other")
        assert failed(chronicle.feed(replace(exchange, request=elsewhere))) == found


def test_a_429_to_a_cancel_says_nothing() -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, "cluster-create")
    chronicle.feed(answer(request("cluster-get"), dedicated_job(finishedAt=END), started=1))
    assert chronicle.feed(refused(request("cluster-cancel"), 429, started=2, reason=None)).findings == ()


# Busy targets


@pytest.mark.parametrize("status", [400, 403, 404, 409])
@each_create
def test_a_target_that_may_be_busy_excuses_a_refusal(create: str, read: str, status: int) -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, create)
    assert chronicle.busy(request(create))
    assert chronicle.feed(refused(request(create), status, started=1)).findings == ()
    owed = chronicle.feed(refused(request(create), status, started=2), free_target=True)
    assert failed(owed) == {"B-ACCEPT"}


@each_create
def test_a_409_on_a_target_that_nobody_is_known_to_hold_may_speak_of_somebody_else(create: str, read: str) -> None:
    assert Chronicle(KNOWN).feed(refused(request(create), 409, started=1)).findings == ()


@each_create
def test_a_busy_target_may_be_refused_before_the_snapshot_is_looked_for(create: str, read: str) -> None:
    chronicle = Chronicle(KNOWN)
    body = (AUTOMATED if create.startswith("cluster") else FLEX) | {"snapshotId": ABSENT.snapshot}
    assert failed(chronicle.feed(refused(request(create, body), 403, started=1))) == {"N-SNAPSHOT"}
    made(chronicle, create, at=2)
    assert chronicle.feed(refused(request(create, body), 403, started=3)).findings == ()


@each_create
def test_a_target_is_free_once_its_jobs_have_ended(create: str, read: str) -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, create)
    shape = {"finishedAt": END} if create.startswith("cluster") else {"status": "COMPLETED"}
    chronicle.feed(answer(request(read), job_of(create, **shape), started=1))
    assert not chronicle.busy(request(create))
    assert failed(chronicle.feed(refused(request(create), 400, started=2))) == {"B-ACCEPT"}


def test_another_target_or_a_download_is_never_busy() -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, "cluster-create")
    elsewhere = AUTOMATED | {"targetGroupId": OTHER_PROJECT, "targetClusterName": "Target1"}
    assert failed(chronicle.feed(refused(request("cluster-create", elsewhere), 400, started=1))) == {"B-ACCEPT"}
    assert failed(chronicle.feed(refused(request("cluster-create", DOWNLOAD), 400, started=2))) == {"B-ACCEPT"}


def test_jobs_of_all_families_share_their_targets() -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, "flex-create")
    assert chronicle.busy(request("cluster-create"))
    assert chronicle.busy(request("tenant-create", {k: v for k, v in FLEX.items() if k != "targetProjectId"}))


def test_a_busy_target_excuses_no_broken_rule() -> None:
    chronicle = Chronicle(KNOWN)
    made(chronicle, "flex-create")
    bad = request("flex-create", groupId="x")
    assert failed(chronicle.feed(refused(bad, 409, started=1))) == {"P-GROUP"}


def test_a_target_was_busy_as_long_as_the_create_was_sent_before_the_end_was_seen() -> None:
    """The read that shows the end is fed first, but the create was sent before that read was answered."""
    chronicle = Chronicle(KNOWN)
    made(chronicle, "flex-create")
    chronicle.feed(answer(request("flex-get"), flex_job(status="COMPLETED"), started=1, ended=5))
    assert chronicle.feed(refused(request("flex-create"), 400, started=2, ended=3)).findings == ()


def test_a_job_whose_target_could_not_be_read_may_hold_any() -> None:
    """A body with a byte order mark is taken or refused; taken, its job holds a target all the same."""
    chronicle = Chronicle(KNOWN)
    sent = request("flex-create")
    marked = replace(sent, body=b"\xef\xbb\xbf" + (sent.body or b""))
    assert chronicle.feed(answer(marked, flex_job())).findings == ()
    assert chronicle.feed(refused(sent, 400, started=1)).findings == ()


# What is not followed


@pytest.mark.parametrize("credential", ["none", "wrong", "off-list"])
def test_what_strangers_are_shown_makes_no_history(credential: Any) -> None:
    chronicle = Chronicle(KNOWN)
    chronicle.feed(answer(request("flex-create", credential=credential), flex_job()))
    assert list(chronicle.jobs()) == []


def test_what_is_not_offered_makes_no_history() -> None:
    chronicle = Chronicle(replace(KNOWN, offered=frozenset({"flex-create"})))
    assert chronicle.feed(answer(request("flex-list"), page(flex_job()))) == Judgement()
    assert list(chronicle.jobs()) == []


def test_junk_in_an_answer_makes_no_history() -> None:
    chronicle = Chronicle(Knowledge())
    junk: list[Any] = [flex_job(id=None), flex_job(id=7), [], "x", page(flex_job()), {"id": []}]
    for document in junk:
        chronicle.feed(answer(request("flex-create"), document))
    assert list(chronicle.jobs()) == []
    chronicle.feed(answer(request("flex-list"), page(flex_job(id=None), flex_job(id=[]))))
    assert list(chronicle.jobs()) == []


def test_a_run_told_twice_is_judged_the_same_and_memory_follows_jobs_not_reads() -> None:
    def run(reads: int) -> tuple[list[Judgement], int]:
        chronicle = Chronicle(KNOWN)
        exchanges = [answer(request("cluster-create"), dedicated_job())]
        exchanges += [answer(request("cluster-get"), dedicated_job(), started=1.0 + i) for i in range(reads)]
        exchanges.append(answer(request("cluster-get"), dedicated_job(snapshotId=SECOND_SNAPSHOT), started=1_000))
        return [chronicle.feed(exchange) for exchange in exchanges], len(list(chronicle.jobs()))

    first, second = run(20), run(20)
    assert first == second
    assert first[1] == run(200)[1] == 1
    assert [failed(judgement) for judgement in first[0]][-1] == {"T-FLAGS"}


def test_the_target_of_the_scenery_is_named_by_creates() -> None:
    sent = json.loads(request("cluster-create").body or b"")
    assert {name: sent[name] for name in TARGET} == TARGET
    assert sent["targetGroupId"] == PROJECT
