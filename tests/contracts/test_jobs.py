"""Rules on one job as one answer shows it: S-* and T-* that need no history, each with a good and a bad answer."""

from __future__ import annotations

from typing import Any

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.dates import instant
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.judge import Judge
from tests.strategies.scenery import (
    AUTOMATED,
    DOWNLOAD,
    FLEX,
    JOB,
    KNOWN,
    MOMENT,
    OPLOG,
    OTHER_PROJECT,
    POINT,
    PROJECT,
    SECOND_SNAPSHOT,
    SNAPSHOT,
    TARGET,
    answer,
    dedicated_job,
    failed,
    finding_of,
    flex_job,
    held,
    page,
    plain_job,
    request,
    tenant_job,
)

OPERATIONS = Contract.load().operations

SHARED = ["flex-create", "flex-get", "tenant-create", "tenant-get"]
SHARED_CREATES = ["flex-create", "tenant-create"]
DEDICATED = ["cluster-create", "cluster-get", "cluster-create-v1", "cluster-get-v1"]
DEDICATED_READS = ["cluster-get", "cluster-get-v1"]
DEDICATED_CREATES = ["cluster-create", "cluster-create-v1"]
BODY_OF = {"automated": AUTOMATED, "download": DOWNLOAD, "pointInTime": POINT}
URL = "https://restore.example.net/a/b.tar.gz"


def shown(name: str, document: dict[str, Any], body: dict[str, Any] | None = None) -> Judgement:
    """Judge one answer of an operation that shows a job, alone or on a page."""
    found = OPERATIONS[name]
    if body is None and found.kind == "create" and found.resource.label == "cluster":
        body = BODY_OF.get(str(document.get("deliveryType")))
    return Judge(knowledge=KNOWN).judge(
        answer(request(name, body), page(document) if found.kind == "list" else document)
    )


def shared_job(name: str, **changes: Any) -> dict[str, Any]:
    return (flex_job if OPERATIONS[name].resource.label == "flex" else tenant_job)(**changes)


@pytest.mark.parametrize("name", [*SHARED, "flex-list"])
@pytest.mark.parametrize("status", ["PENDING", "QUEUED", "RUNNING"])
def test_open_shared_jobs_are_in_form(name: str, status: str) -> None:
    judgement = shown(name, shared_job(name, status=status))
    assert judgement.findings == ()
    assert {"S-ECHO", "S-DELIVERY", "S-URL", "S-STATUS", "S-FINISHED", "S-TIME"} <= held(judgement)


@pytest.mark.parametrize("name", ["flex-get", "tenant-get", "flex-list"])
@pytest.mark.parametrize("status", ["FAILED", "COMPLETED"])
def test_ended_shared_jobs_are_in_form(name: str, status: str) -> None:
    assert shown(name, shared_job(name, status=status)).findings == ()


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("projectId", OTHER_PROJECT),
        ("projectId", None),
        ("instanceName", "Flex1"),
        ("clusterName", "Tenant1"),
        ("clusterName", None),
    ],
)
def test_a_job_shows_the_path_that_it_is_read_through(name: str, field: str, value: Any) -> None:
    own = {"flex": "instanceName", "tenant": "clusterName"}[OPERATIONS[name].resource.label]
    if field not in ("projectId", own):
        pytest.skip("a property of the other family")
    assert failed(shown(name, shared_job(name, **{field: value}))) == {"S-ECHO"}


@pytest.mark.parametrize("name", SHARED_CREATES)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("snapshotId", SECOND_SNAPSHOT),
        ("targetDeploymentItemName", "target0"),
        ("targetProjectId", OTHER_PROJECT),
        ("targetProjectId", None),
    ],
)
def test_a_new_job_repeats_its_request(name: str, field: str, value: Any) -> None:
    judgement = shown(name, shared_job(name, **{field: value}))
    assert failed(judgement) == {"S-ECHO"}
    assert finding_of(judgement, "S-ECHO").pointer == f"/response/body/{field}"


@pytest.mark.parametrize("absent", [{}, {"targetProjectId": None}])
def test_a_target_project_left_out_is_that_of_the_path(absent: dict[str, None]) -> None:
    body = {k: v for k, v in FLEX.items() if k != "targetProjectId"} | absent
    assert failed(shown("flex-create", flex_job(), body)) == set()
    assert failed(shown("flex-create", flex_job(targetProjectId=None), body)) == set()
    assert failed(shown("flex-create", flex_job(targetProjectId=OTHER_PROJECT), body)) == {"S-ECHO"}


@pytest.mark.parametrize("name", [*SHARED, "flex-list"])
@pytest.mark.parametrize("value", ["restore", "automated", "", None])
def test_the_delivery_type_is_one_of_two(name: str, value: Any) -> None:
    assert "S-DELIVERY" in failed(shown(name, shared_job(name, deliveryType=value)))


def test_a_job_with_a_target_restores() -> None:
    for name in SHARED_CREATES:
        assert failed(shown(name, shared_job(name, deliveryType="DOWNLOAD"))) == {"S-DELIVERY"}
    read = flex_job(
        deliveryType="DOWNLOAD",
        status="COMPLETED",
        snapshotUrl=URL,
        targetDeploymentItemName=None,
        targetProjectId=None,
    )
    assert shown("flex-get", read).findings == ()


@pytest.mark.parametrize("name", [*SHARED, "flex-list"])
def test_a_url_shows_only_on_downloads(name: str) -> None:
    judgement = shown(name, shared_job(name, snapshotUrl=URL))
    assert failed(judgement) == {"S-URL"}


@pytest.mark.parametrize("name", [*SHARED, "flex-list"])
@pytest.mark.parametrize("value", ["pending", "DONE", "", None, "CANCELLED"])
def test_the_status_is_one_of_five(name: str, value: Any) -> None:
    assert "S-STATUS" in failed(shown(name, shared_job(name, status=value)))


@pytest.mark.parametrize("name", SHARED_CREATES)
@pytest.mark.parametrize("status", ["COMPLETED", "FAILED"])
def test_a_fresh_job_has_not_ended(name: str, status: str) -> None:
    assert failed(shown(name, shared_job(name, status=status))) == {"S-NEW"}


@pytest.mark.parametrize("name", SHARED_CREATES)
def test_a_fresh_job_has_an_id(name: str) -> None:
    assert failed(shown(name, shared_job(name, id=None))) == {"S-NEW"}


@pytest.mark.parametrize("name", [*SHARED, "flex-list"])
@pytest.mark.parametrize("status", ["PENDING", "QUEUED", "RUNNING"])
def test_an_open_job_shows_no_end(name: str, status: str) -> None:
    assert failed(shown(name, shared_job(name, status=status, restoreFinishedDate="2026-02-23T03:22:08Z"))) == {
        "S-FINISHED"
    }


@pytest.mark.parametrize("name", ["flex-get", "tenant-get", "flex-list"])
@pytest.mark.parametrize("status", ["FAILED", "COMPLETED"])
def test_an_ended_job_shows_its_end(name: str, status: str) -> None:
    assert failed(shown(name, shared_job(name, status=status, restoreFinishedDate=None))) == {"S-FINISHED"}


@pytest.mark.parametrize(
    ("changes", "right"),
    [
        ({"snapshotFinishedDate": "2026-02-23T03:21:08Z"}, True),
        ({"snapshotFinishedDate": "2026-02-23T03:21:08.001Z"}, False),
        ({"snapshotFinishedDate": None}, True),
        ({"restoreFinishedDate": "2026-02-23T03:21:08Z"}, True),
        ({"restoreFinishedDate": "2026-02-23T03:21:07.999999999Z"}, False),
        ({"expirationDate": "2026-02-23T03:21:08Z"}, True),
        ({"restoreFinishedDate": "2026-02-23T03:21:08+00:00"}, True),
        ({"expirationDate": "2026-02-23T03:21:08.5Z"}, True),
        ({"expirationDate": None}, True),
        ({"expirationDate": "2026-02-23T03:21:07Z"}, False),
        ({"restoreScheduledDate": "2026-02-23T03:22:09Z"}, False),
    ],
)
def test_the_order_of_dates(changes: dict[str, Any], right: bool) -> None:
    judgement = shown("flex-get", flex_job(status="COMPLETED", **changes))
    assert failed(judgement) == (set() if right else {"S-TIME"})


@pytest.mark.parametrize(
    "field", ["snapshotFinishedDate", "restoreScheduledDate", "restoreFinishedDate", "expirationDate"]
)
@pytest.mark.parametrize(
    "value",
    [
        "2026-02-23T03:22:08+01:00",
        "2026-02-23T03:22:08-00:30",
        "2026-02-23T03:22:08",
        "2026-02-23",
        "tomorrow",
        "",
        "2026-02-30T00:00:00Z",
        "1771816928",
    ],
)
def test_dates_are_utc(field: str, value: str) -> None:
    assert "S-TIME" in failed(shown("flex-get", flex_job(status="COMPLETED", **{field: value})))


def test_instants_are_ordered_beyond_seconds_and_through_leap_seconds() -> None:
    def at(text: str) -> Any:
        found = instant(text)
        assert found is not None
        return found

    assert at("2026-02-23T03:21:08.1Z") < at("2026-02-23T03:21:08.25Z")
    assert at("2016-12-31T23:59:60Z") < at("2017-01-01T00:00:00Z")
    assert at("2026-02-23T03:21:08.123456789Z") >= at("2026-02-23T03:21:08.123456Z")
    for other in (
        None,
        7,
        "",
        "2026-02-23T03:21:08z",
        "2026-02-23T03:21:08Z\n",
        "٢026-02-23T03:21:08Z",
        "2026-13-01T00:00:00Z",
    ):
        assert instant(other) is None


# Dedicated clusters


@pytest.mark.parametrize("name", [*DEDICATED, "cluster-list"])
@pytest.mark.parametrize("delivery", ["automated", "download", "pointInTime"])
def test_open_dedicated_jobs_are_in_form(name: str, delivery: str) -> None:
    assert shown(name, dedicated_job(delivery)).findings == ()


@pytest.mark.parametrize("name", [*DEDICATED_READS, "cluster-list"])
def test_finished_dedicated_jobs_are_in_form(name: str) -> None:
    ends = {"expiresAt": "2026-02-24T03:21:08Z"}
    parts = [{"replicaSetName": "a", "downloadUrl": URL}, {"replicaSetName": "b"}]
    for job in (
        dedicated_job("download", deliveryUrl=[URL], **ends),
        dedicated_job("download", deliveryUrl=[URL, URL], components=parts, finishedAt="2026-02-23T03:22:08Z", **ends),
        dedicated_job("automated", finishedAt="2026-02-23T03:22:08Z", components=[{"replicaSetName": "a"}]),
        dedicated_job("automated", finishedAt="2026-02-23T03:22:08Z", failed=True),
        dedicated_job("pointInTime", cancelled=True),
        dedicated_job("download", expired=True, **ends),
        dedicated_job("automated", cancelled=None, failed=None, expired=None, targetDeploymentItemName="x"),
        dedicated_job("pointInTime", targetClusterName=None, targetGroupId=None),
    ):
        assert shown(name, job).findings == ()


@pytest.mark.parametrize("name", [*DEDICATED, "cluster-list"])
@pytest.mark.parametrize("field", sorted(TARGET))
def test_a_download_shows_no_target(name: str, field: str) -> None:
    judgement = shown(name, dedicated_job("download", **{field: TARGET[field]}))
    assert failed(judgement) == {"T-ONLY-TARGET"}
    assert finding_of(judgement, "T-ONLY-TARGET").pointer.endswith(f"/{field}")


@pytest.mark.parametrize("name", [*DEDICATED, "cluster-list"])
@pytest.mark.parametrize("delivery", ["automated", "pointInTime"])
@pytest.mark.parametrize(
    "changes",
    [{"deliveryUrl": [URL]}, {"components": [{"downloadUrl": URL}]}, {"components": [{}, {"downloadUrl": "x"}]}],
)
def test_urls_show_only_on_downloads(name: str, delivery: str, changes: dict[str, Any]) -> None:
    assert failed(shown(name, dedicated_job(delivery, **changes))) == {"T-ONLY-URL"}


@pytest.mark.parametrize(
    "url",
    ["http://a.example/b", "/a/b", "", "a.example", "ftp://a.example/", "https:///x", "https://", "https://a b/c"],
)
def test_a_download_url_is_absolute_https(url: str) -> None:
    for changes in ({"deliveryUrl": [URL, url]}, {"components": [{"downloadUrl": url}]}):
        assert failed(shown("cluster-get", dedicated_job("download", **changes))) == {"T-ONLY-URL"}


@pytest.mark.parametrize("url", [URL, "https://a.example", "https://a.example:8443/b?c=d&e=f#g", "https://[::1]/x"])
def test_https_urls_of_every_shape_are_fine(url: str) -> None:
    assert shown("cluster-get", dedicated_job("download", deliveryUrl=[url])).findings == ()


@pytest.mark.parametrize("name", [*DEDICATED, "cluster-list"])
@pytest.mark.parametrize("delivery", ["automated", "download"])
@pytest.mark.parametrize(
    ("field", "value"), [("oplogTs", 1_764_547_200), ("oplogInc", 1), ("pointInTimeUTCSeconds", 1_764_547_200)]
)
def test_a_moment_shows_only_on_point_in_time(name: str, delivery: str, field: str, value: int) -> None:
    assert failed(shown(name, dedicated_job(delivery, **{field: value}))) == {"T-ONLY-POINT"}


@pytest.mark.parametrize("name", DEDICATED_CREATES)
def test_a_shown_moment_is_the_one_asked_for(name: str) -> None:
    moment = MOMENT.utc_seconds or 0
    assert shown(name, dedicated_job("pointInTime"), POINT).findings == ()
    assert failed(shown(name, dedicated_job("pointInTime", pointInTimeUTCSeconds=None), POINT)) == {"T-ECHO"}
    other = failed(shown(name, dedicated_job("pointInTime", pointInTimeUTCSeconds=moment + 1), POINT))
    assert other == {"T-ECHO", "T-ONLY-POINT"}
    pair = {"oplogTs": MOMENT.oplog_ts, "oplogInc": MOMENT.oplog_inc, "pointInTimeUTCSeconds": None}
    assert shown(name, dedicated_job("pointInTime", **pair), OPLOG).findings == ()
    other = failed(shown(name, dedicated_job("pointInTime", **(pair | {"oplogInc": 4})), OPLOG))
    assert other == {"T-ECHO", "T-ONLY-POINT"}
    both = POINT | OPLOG
    for kept in (pair, {"pointInTimeUTCSeconds": moment}, pair | {"pointInTimeUTCSeconds": moment}):
        assert shown(name, dedicated_job("pointInTime", **kept), both).findings == ()


@pytest.mark.parametrize("name", DEDICATED_CREATES)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("snapshotId", SECOND_SNAPSHOT),
        ("snapshotId", None),
        ("targetClusterName", "Other"),
        ("targetClusterName", None),
        ("targetGroupId", OTHER_PROJECT),
        ("targetGroupId", None),
    ],
)
def test_an_automated_job_repeats_its_request(name: str, field: str, value: Any) -> None:
    judgement = shown(name, dedicated_job("automated", **{field: value}))
    assert failed(judgement) == {"T-ECHO"}
    assert finding_of(judgement, "T-ECHO").pointer == f"/response/body/{field}"


@pytest.mark.parametrize("name", DEDICATED_CREATES)
def test_every_job_repeats_its_delivery_type_and_snapshot(name: str) -> None:
    for value in (None, SECOND_SNAPSHOT):
        assert failed(shown(name, dedicated_job("download", snapshotId=value))) == {"T-ECHO"}
    assert "T-ECHO" in failed(shown(name, dedicated_job("automated"), DOWNLOAD | TARGET))
    assert "T-ECHO" in failed(shown(name, dedicated_job("pointInTime", targetClusterName="Other"), POINT))


@pytest.mark.parametrize("name", DEDICATED_CREATES)
def test_a_snapshot_that_was_taken_beside_a_moment_is_shown_as_sent(name: str) -> None:
    """T-ECHO asks for `snapshotId` wherever it was sent."""
    body = POINT | {"snapshotId": SNAPSHOT}
    assert shown(name, dedicated_job("pointInTime", snapshotId=SNAPSHOT), body).findings == ()
    assert failed(shown(name, dedicated_job("pointInTime", snapshotId=SECOND_SNAPSHOT), body)) == {"T-ECHO"}


@pytest.mark.parametrize("name", DEDICATED_CREATES)
@pytest.mark.parametrize(
    "changes",
    [{"id": None}, {"finishedAt": "2026-02-23T03:22:08Z"}, {"cancelled": True}, {"failed": True}, {"expired": True}],
)
@pytest.mark.parametrize("delivery", ["automated", "download", "pointInTime"])
def test_a_fresh_dedicated_job_has_just_begun(name: str, changes: dict[str, Any], delivery: str) -> None:
    assert failed(shown(name, dedicated_job(delivery, **changes))) == {"T-NEW"}


@pytest.mark.parametrize("name", [*DEDICATED_READS, "cluster-list"])
def test_failed_and_cancelled_exclude_each_other(name: str) -> None:
    assert failed(shown(name, dedicated_job(failed=True, cancelled=True))) == {"T-FLAGS"}


@pytest.mark.parametrize("name", [*DEDICATED_READS, "cluster-list"])
@pytest.mark.parametrize("delivery", ["automated", "pointInTime"])
def test_any_job_may_show_when_it_expires(name: str, delivery: str) -> None:
    assert not failed(shown(name, dedicated_job(delivery, expiresAt="2026-02-24T03:21:08Z")))


@pytest.mark.parametrize("name", DEDICATED_READS)
@pytest.mark.parametrize("value", ["Automated", "RESTORE", None, 7])
def test_a_job_of_no_known_delivery_type_is_c_schema(name: str, value: Any) -> None:
    assert failed(shown(name, dedicated_job(deliveryType=value))) == {"C-SCHEMA"}


@pytest.mark.parametrize("family", ["flex", "tenant", "cluster"])
@pytest.mark.parametrize("junk", [[], {}, "", 0, True, [[]], {"a": {}}, 10**40])
def test_no_value_of_any_property_stops_the_judge(family: str, junk: Any) -> None:
    for field in plain_job(family):
        name = {"flex": "flex-create", "tenant": "tenant-create", "cluster": "cluster-create"}[family]
        assert isinstance(shown(name, plain_job(family) | {field: junk}), Judgement)


def test_the_inventory_of_this_module_names_the_job() -> None:
    assert plain_job("flex")["id"] == JOB
    assert plain_job("flex")["projectId"] == PROJECT
