"""Jobs: creating, watching, listing and cancelling them."""

from __future__ import annotations

import time
from typing import get_args

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.inventory import Impossible
from atlas_conformance.reference.jobs import Job
from tests.reference.calling import Caller, error, schema

OPERATIONS = Contract.load().operations

CREATES = [operation.id for operation in OPERATIONS.values() if operation.kind == "create"]
GET_OF = {
    "flex-create": "flex-get",
    "tenant-create": "tenant-get",
    "cluster-create": "cluster-get",
    "cluster-create-v1": "cluster-get-v1",
}


@pytest.mark.parametrize("operation", CREATES)
def test_a_job_is_created_and_read_back(caller: Caller, operation: str) -> None:
    answer = caller.call(operation, headers={"Accept": str(OPERATIONS[operation].media_type)})
    assert answer.headers["content-type"] == f"{OPERATIONS[operation].media_type};charset=utf-8"
    job = answer.json()
    schema(str(OPERATIONS[operation].response_schema)).validate(job)
    read = caller.call(OPERATIONS[operation].links["read"], at={"job": job["id"]})
    assert read.status_code == 200
    assert read.json()["id"] == job["id"]
    same = "description" if OPERATIONS[operation].resource.what == "snapshot" else "snapshotId"
    assert read.json()[same] == job[same] == caller.body(operation)[same]


@pytest.mark.parametrize("operation", ["flex-create", "tenant-create"])
def test_status_moves_forward_to_the_end(caller: Caller, operation: str) -> None:
    job = caller.create(operation)
    assert job["status"] == "PENDING"
    assert "restoreFinishedDate" not in job
    seen = [job["status"]]
    deadline = time.monotonic() + 5
    while seen[-1] != "COMPLETED" and time.monotonic() < deadline:
        seen.append(caller.call(GET_OF[operation], at={"job": job["id"]}).json()["status"])
    order = ["PENDING", "QUEUED", "RUNNING", "COMPLETED"]
    assert seen == sorted(seen, key=order.index)
    assert seen[-1] == "COMPLETED"
    ended = [caller.call(GET_OF[operation], at={"job": job["id"]}).json() for _ in range(2)]
    assert ended[0] == ended[1]
    assert job["snapshotFinishedDate"] <= job["restoreScheduledDate"] <= ended[0]["restoreFinishedDate"]
    assert job["restoreScheduledDate"] < job["expirationDate"]


def test_each_phase_lasts_one_step() -> None:
    job = Job("0" * 24, "", "", "RESTORE", created=1_000.0, step=2.0, fails=True)
    seen = [job.status(1_000.0 + half) for half in range(8)]
    assert seen == ["PENDING"] * 2 + ["QUEUED"] * 2 + ["RUNNING"] * 2 + ["FAILED"] * 2
    assert job.status(999.0) == "PENDING"


def test_restoring_the_failing_snapshot_fails(caller: Caller) -> None:
    failing = caller.server.fixtures.failing
    for operation in ("flex-create", "tenant-create", "cluster-create"):
        kind = OPERATIONS[operation].cluster_kind
        cluster = next(
            one for one in caller.server.inventory.clusters if one.kind == kind and failing.intersection(one.snapshots)
        )
        body = caller.body(operation, cluster=cluster)
        body["snapshotId"] = next(iter(failing.intersection(cluster.snapshots)))
        job = caller.create(operation, body=body, at={"cluster": cluster})
        caller.settle()
        ended = caller.call(GET_OF[operation], at={"cluster": cluster, "job": job["id"]}).json()
        if kind == "dedicated":
            assert ended["failed"] is True
            assert ended["cancelled"] is False
            assert "finishedAt" in ended
        else:
            assert ended["status"] == "FAILED"
            assert "restoreFinishedDate" in ended


def test_a_sharded_download_has_components(caller: Caller) -> None:
    cluster = caller.cluster("cluster", sharded=True)
    body = caller.body("cluster-create", "download", cluster)
    job = caller.create("cluster-create", body=body, at={"cluster": cluster})
    assert "deliveryUrl" not in job
    assert all("downloadUrl" not in component for component in job["components"])
    caller.settle()
    ended = caller.call("cluster-get", at={"cluster": cluster, "job": job["id"]}).json()
    assert len(ended["components"]) == 2
    assert all(component["downloadUrl"].startswith("https://") for component in ended["components"])
    assert "expiresAt" in ended
    assert "finishedAt" not in ended
    assert not {"targetClusterName", "targetGroupId"} & set(ended)


def test_a_point_in_time_is_echoed(caller: Caller) -> None:
    point = caller.cluster("cluster").point_in_time
    assert point is not None
    body = caller.body("cluster-create", "pointInTime")
    del body["pointInTimeUTCSeconds"]
    job = caller.create("cluster-create", body=body | {"oplogTs": point.oplog_ts, "oplogInc": point.oplog_inc})
    assert (job["oplogTs"], job["oplogInc"]) == (point.oplog_ts, point.oplog_inc)
    assert "pointInTimeUTCSeconds" not in job
    schema("cluster-restore-job.json").validate(job)
    automated = caller.create("cluster-create", body=caller.body("cluster-create") | {"oplogTs": point.oplog_ts})
    assert "oplogTs" not in automated


@pytest.mark.parametrize("family", ["flex", "cluster"])
def test_pages_neither_overlap_nor_lose_a_job(caller: Caller, family: str) -> None:
    created = {caller.create(f"{family}-create")["id"] for _ in range(5)}
    whole = caller.call(f"{family}-list").json()
    schema(f"{family}-restore-job-list.json").validate(whole)
    everything = [job["id"] for job in whole["results"]]
    assert created <= set(everything)
    assert whole["totalCount"] == len(everything)
    pages, number = [], 1
    while True:
        page = caller.call(f"{family}-list", query=f"?itemsPerPage=2&pageNum={number}&includeCount=false").json()
        assert "totalCount" not in page
        pages += [job["id"] for job in page["results"]]
        if "next" not in {link["rel"] for link in page["links"]}:
            break
        number += 1
    assert pages == everything
    assert caller.call(f"{family}-list", query="?pageNum=900").json()["results"] == []


@pytest.mark.parametrize(
    "junk", ["itemsPerPage=0", "itemsPerPage=501", "itemsPerPage=x", "pageNum=-1", "pageNum=" + "9" * 40]
)
def test_a_page_out_of_range_is_refused(caller: Caller, junk: str) -> None:
    error(caller.call("flex-list", query=f"?{junk}"), 400)


def test_a_job_shows_through_its_own_cluster_only(caller: Caller) -> None:
    first, second = caller.cluster("flex"), caller.cluster("flex", other=True)
    job = caller.create("flex-create", at={"cluster": first})
    assert first.name == second.name
    error(caller.call("flex-get", at={"cluster": second, "job": job["id"]}), 404)
    other = next(c for c in caller.server.inventory.clusters if c.kind == "flex" and c.name != first.name)
    error(caller.call("flex-get", at={"cluster": other, "job": job["id"]}), 404)
    listed = caller.call("flex-list", at={"cluster": second}).json()["results"]
    assert job["id"] not in {one["id"] for one in listed}


def test_a_cancelled_job_reads_back_so_and_a_finished_one_is_kept(caller: Caller) -> None:
    job = caller.create("cluster-create")
    answer = caller.call("cluster-cancel", at={"job": job["id"]})
    assert (answer.status_code, answer.content) == (204, b"")
    caller.settle()
    read = caller.call("cluster-get", at={"job": job["id"]}).json()
    assert (read["cancelled"], read["failed"]) == (True, False)
    assert "finishedAt" not in read
    error(caller.call("cluster-cancel", at={"job": job["id"]}), 400)
    finished = caller.create("cluster-create")
    caller.settle()
    error(caller.call("cluster-cancel", at={"job": finished["id"]}), 400)
    assert caller.call("cluster-get", at={"job": finished["id"]}).json()["cancelled"] is False


def test_lists_show_what_was_there_before(caller: Caller) -> None:
    flex = caller.call("flex-list").json()["results"]
    assert {job["deliveryType"] for job in flex} == {"RESTORE", "DOWNLOAD"}
    assert all(("snapshotUrl" in job) == (job["deliveryType"] == "DOWNLOAD") for job in flex)
    dedicated = caller.call("cluster-list").json()["results"]
    assert any(job["cancelled"] for job in dedicated)
    assert any(job["failed"] for job in dedicated)
    assert any(job["expired"] for job in dedicated)
    for job in dedicated:
        assert ("deliveryUrl" in job) is False or job["deliveryType"] == "download"


def test_a_job_is_a_function_of_the_time_alone(caller: Caller) -> None:
    job = caller.create("cluster-create")
    caller.settle()
    reads = [caller.call("cluster-get", at={"job": job["id"]}).json() for _ in range(3)]
    assert reads[0] == reads[1] == reads[2]


def test_omitted_target_project_means_the_path_s(caller: Caller) -> None:
    body = caller.body("flex-create")
    del body["targetProjectId"]
    assert caller.create("flex-create", body=body)["targetProjectId"] == caller.cluster("flex").project


def test_every_restore_target_is_taken(caller: Caller) -> None:
    seen = set()
    for target in caller.server.inventory.targets:
        for operation in GET_OF:
            family = OPERATIONS[operation].resource.label
            cluster = caller.cluster(family)
            if cluster.kind not in target.accepts:
                continue
            body = caller.body(operation)
            if family == "cluster":
                body |= {"targetClusterName": target.name, "targetGroupId": target.project}
            else:
                body |= {"targetDeploymentItemName": target.name, "targetProjectId": target.project}
            seen.add((operation, target.impossible))
            if target.impossible is not None:
                error(caller.call(operation, body=body), 400)
                continue
            shown = caller.create(operation, body=body)
            assert target.name in {shown.get("targetDeploymentItemName"), shown.get("targetClusterName")}
    assert seen == {(operation, why) for operation in GET_OF for why in (None, *get_args(Impossible))}
