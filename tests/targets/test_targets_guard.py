"""The safety guard: what may leave in each mode, and what may not whatever it looks like."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from atlas_conformance.contracts.exchange import Request, Response
from atlas_conformance.contracts.inventory import Absent, Cluster, Inventory, RestoreTarget
from atlas_conformance.http.failures import Withheld
from atlas_conformance.http.guard.guard import Guard
from atlas_conformance.http.hosts import is_loopback_host, is_loopback_url
from atlas_conformance.http.target import Mode, Safety, Target

P1, P2, S1 = "0123456789abcdef01234567", "a123456789abcdef01234567", "b123456789abcdef01234567"
FOREIGN = "c123456789abcdef01234567"
ABSENT = Absent("d0" * 12, "absent-cluster", "d1" * 12, "d2" * 12, "absent-target")
INVENTORY = Inventory(
    (Cluster(P1, "Source", "dedicated", snapshots=(S1,)), Cluster(P1, "Flexy", "flex", snapshots=(S1,))),
    (RestoreTarget(P2, "Victim", frozenset({"flex", "dedicated"})), RestoreTarget(P2, "Dear", frozenset({"flex"}))),
    ABSENT,
)
JOB = "e123456789abcdef01234567"


def guard(
    mode: Mode | None, *, confirmed: bool = True, max_jobs: int = 20, url: str = "https://cloud.example.org"
) -> Guard:
    safety = Safety(mode, frozenset({(P2, "Victim")}), max_jobs, confirmed)
    return Guard(Target(url, inventory=INVENTORY, safety=safety))


def flex(body: Any, project: str = P1, name: str = "Flexy", **more: Any) -> Request:
    raw = body if isinstance(body, bytes | None) else json.dumps(body, ensure_ascii=False).encode()
    return Request("POST", f"/api/atlas/v2/groups/{project}/flexClusters/{name}/backup/restoreJobs", body=raw, **more)


def dedicated(body: Any, name: str = "Source", suffix: str = "", method: str = "POST", project: str = P1) -> Request:
    path = f"/api/atlas/v2/groups/{project}/clusters/{name}/backup/restoreJobs{suffix}"
    return Request(method, path, body=None if body is None else json.dumps(body).encode())


GONE = {"snapshotId": ABSENT.snapshot, "targetDeploymentItemName": ABSENT.target}
REAL = {"snapshotId": S1, "targetDeploymentItemName": "Victim", "targetProjectId": P2}


def allowed(checked: Guard, request: Request) -> bool:
    try:
        checked.check(request)
    except Withheld:
        return False
    return True


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("::1", True),
        ("[::1]", True),
        ("0:0:0:0:0:0:0:1", True),
        ("localhost.example.org", False),
        ("127.0.0.1.nip.io", False),
        ("0.0.0.0", False),
        ("2130706433", False),
        ("127.1", False),
        ("::ffff:127.0.0.1", False),
        ("10.0.0.1", False),
        ("", False),
        ("my-localhost", False),
        ("localhost..", False),
        ("[::1", False),
    ],
)
def test_loopback_is_decided_by_spelling(host: str, loopback: bool) -> None:
    assert is_loopback_host(host) is loopback


def test_loopback_urls() -> None:
    assert is_loopback_url("http://LocalHost.:80/base")
    assert is_loopback_url("https://[::1]:8443")
    assert not is_loopback_url("http://localhost@cloud.example.org")
    assert not is_loopback_url("http://[::1")


@pytest.mark.parametrize(
    ("mode", "confirmed", "url", "expected"),
    [
        (None, False, "http://127.0.0.1:1", "restore"),
        (None, False, "https://cloud.example.org", "read"),
        ("restore", False, "https://cloud.example.org", "refusals"),
        ("restore", True, "https://cloud.example.org", "restore"),
        ("read", False, "http://localhost", "read"),
        ("restore", False, "http://localhost", "restore"),
    ],
)
def test_modes(mode: Mode | None, confirmed: bool, url: str, expected: str) -> None:
    assert guard(mode, confirmed=confirmed, url=url).mode == expected


def test_loopback_allows_everything_until_it_fronts_something() -> None:
    checked = guard(None, url="http://127.0.0.1:9")
    assert allowed(checked, flex(REAL))
    assert allowed(checked, Request("PUT", "/anything"))
    checked.treat_as_remote("its answers carry via")
    assert checked.mode == "read"
    assert not allowed(checked, flex(REAL))
    assert not allowed(checked, flex(GONE))


def test_read_sends_reads_alone() -> None:
    checked = guard("read")
    for method in ("GET", "HEAD", "OPTIONS"):
        assert allowed(checked, Request(method, "/api/atlas/v2/groups/x"))
    for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "get", "post", "CONNECT"):
        assert not allowed(checked, Request(method, flex(GONE).target, body=flex(GONE).body))
    for name in ("X-HTTP-Method-Override", "x_http_method", "X-Original-URL", "Host", "Transfer-Encoding"):
        assert not allowed(checked, Request("GET", "/api", ((name, "POST"),)))
    assert not allowed(checked, Request("GET", "/api", body=b"POST /api HTTP/1.1\r\n\r\n"))


@pytest.mark.parametrize(
    "request_",
    [
        flex(GONE),
        flex(GONE, credential="none"),
        flex({**GONE, "targetProjectId": ABSENT.project}),
        flex({**GONE, "targetProjectId": P2}),
        flex({**GONE, "snapshotId": ABSENT.snapshot + "\n"}),
        flex({**GONE, "targetDeploymentItemName": "bad name!"}),
        flex({**GONE, "targetDeploymentItemName": None}),
        flex({"snapshotId": ABSENT.snapshot}),
        flex({**GONE, "snapshotId": 5}),
        flex({**GONE, "unheardOf": True}),
        flex(json.dumps(GONE).encode()[:-1]),
        flex(b"", name=ABSENT.cluster),
        flex(b"[" * 100_000, project=ABSENT.project),
        dedicated({"deliveryType": "pointInTime", "targetClusterName": ABSENT.target, "targetGroupId": P1}),
        dedicated({"deliveryType": "download", "snapshotId": ABSENT.snapshot}),
        dedicated(None, suffix="/" + ABSENT.job, method="DELETE"),
        dedicated(None, suffix="/xyz", method="DELETE"),
    ],
)
def test_refusals_send_what_can_touch_nothing(request_: Request) -> None:
    assert allowed(guard("refusals"), request_)


HARMFUL = [
    flex(REAL),
    flex({**GONE, "snapshotId": S1}),
    flex({**GONE, "snapshotId": FOREIGN}),
    flex({**GONE, "targetDeploymentItemName": "Victim"}),
    flex({**GONE, "targetDeploymentItemName": "victim\n"}),
    flex({**GONE, "targetDeploymentItemName": " Victim "}),
    flex({**GONE, "targetDeploymentItemName": "Victim\0x"}),
    flex({**GONE, "targetDeploymentItemName": "".join(chr(ord(c) + 0xFEE0) for c in "Victim")}),
    flex({**GONE, "targetDeploymentItemName": "Somebody"}),
    flex({**GONE, "snapshotId": S1.upper()}),
    flex({**GONE, "snapshotId": f" {S1}"}),
    flex({**GONE, "snapshotId": [S1]}),
    flex({**GONE, "snapshotId": {"$oid": S1}}),
    flex({**GONE, "targetProjectId": FOREIGN}),
    flex({**GONE, "target_cluster_name": "Victim"}),
    flex({**GONE, "snapshot_id": "Victim"}),
    flex({**GONE, "targetDeploymentItemName": "Vic%74im"}),
    flex({**GONE, "targetDeploymentItemName": "Vic%2574im"}),
    flex({**GONE, "targetDeploymentItemName": "Vic\\u0074im"}),
    flex({"content": GONE}),
    flex({"snapshotId": [ABSENT.snapshot], "targetDeploymentItemName": [ABSENT.target]}),
    flex(json.dumps(GONE).encode()[:-1] + b', "snapshotId": 5, "targetDeploymentItemName": 5}'),
    flex(b"targetProjectId=%s" % ABSENT.project.encode()),
    flex({**GONE, "extra": {"deep": [{"id": S1}]}}),
    flex(b'{"snapshotId": "%s", "snapshotId": "%s"}' % (S1.encode(), ABSENT.snapshot.encode())),
    flex(b'{"snapshotId": "%s", "a": "%s",}' % (S1.encode(), ABSENT.snapshot.encode())),
    flex(b"snapshotId=%s&targetDeploymentItemName=Victim" % ABSENT.snapshot.encode()),
    flex(("\ufeff" + json.dumps(REAL)).encode("utf-16")),
    flex(b"", name="Flexy"),
    flex({}),
    flex(REAL, name=ABSENT.cluster),
    flex(GONE, headers=(("X-HTTP-Method-Override", "DELETE"),)),
    replace(flex(GONE), target=flex(GONE).target + f"?snapshotId={S1}"),
    replace(flex(GONE), target=flex(GONE).target.replace("Flexy", "%2e%2e")),
    replace(flex(GONE), target=flex(GONE).target.replace("Flexy", "a%2Fb")),
    replace(flex(GONE), target=flex(GONE).target.replace("Flexy", "a%252fb")),
    replace(flex(GONE), target="/" + flex(GONE).target),
    replace(flex(GONE), target=flex(GONE).target + "/.."),
    replace(flex(GONE), target=f"/api/atlas/v2/groups/{P1}/clusters"),
    replace(flex(GONE), method="PUT"),
    dedicated({"deliveryType": "automated", "snapshotId": S1, "targetClusterName": ABSENT.target, "targetGroupId": P1}),
    dedicated({"deliveryType": "download", "snapshotId": S1}),
    dedicated({"deliveryType": "download"}),
    dedicated(None, suffix="/" + JOB, method="DELETE"),
    dedicated(None, method="DELETE"),
    dedicated(None, suffix="/%2e%2e", method="DELETE"),
    dedicated(None, suffix="/", method="DELETE"),
]


@pytest.mark.parametrize("request_", HARMFUL, ids=range(len(HARMFUL)))
def test_refusals_withhold_what_could_touch_something(request_: Request) -> None:
    assert not allowed(guard("refusals"), request_)
    assert not allowed(guard("restore", confirmed=False), request_)


def test_nothing_is_known_to_be_absent_without_an_inventory() -> None:
    checked = Guard(Target("https://cloud.example.org", safety=Safety("refusals", confirmed=True)))
    assert not allowed(checked, flex(GONE))


def test_restore_destroys_what_is_listed_and_nothing_else() -> None:
    checked = guard("restore")
    assert allowed(checked, flex(REAL))
    assert allowed(checked, dedicated({"deliveryType": "download", "snapshotId": S1}))
    assert allowed(checked, flex({**REAL, "snapshotId": ABSENT.snapshot}))
    for other in (
        {**REAL, "targetDeploymentItemName": "Dear"},
        {**REAL, "targetProjectId": P1},
        {**REAL, "targetProjectId": FOREIGN},
        {"snapshotId": S1, "targetDeploymentItemName": "Victim"},
        {**REAL, "snapshotId": FOREIGN},
        {**REAL, "targetProjectId": None},
        {**REAL, "targetName": "Dear"},
        {"snapshotId": S1},
        {**REAL, "targetProjectId": ABSENT.project},
        {**REAL, "targetDeploymentItemName": None},
        {**REAL, "targetDeploymentItemName": ["Victim"]},
        {**REAL, "targetProjectId": [P2]},
        {"content": REAL},
    ):
        assert not allowed(checked, flex(other)), other
    assert not allowed(checked, flex(REAL, project=FOREIGN))
    assert not allowed(checked, dedicated({"deliveryType": "download", "snapshotId": S1, "targetClusterName": "Dear"}))


def test_the_budget_counts_creates_that_were_taken_or_may_have_been() -> None:
    checked = guard("restore", max_jobs=2)
    for response in (Response(400, (), b"{}"), Response(404, (), b"{}")):
        assert allowed(checked, flex(REAL))
        checked.settle(flex(REAL), response)
    assert checked.jobs_left == 2
    assert allowed(checked, flex(REAL))
    checked.settle(flex(REAL), None)
    assert allowed(checked, flex(REAL))
    assert not allowed(checked, flex(REAL))
    checked.settle(flex(REAL), Response(200, (), json.dumps({"id": JOB}).encode()))
    assert checked.jobs_left == 0
    assert not allowed(checked, flex(REAL))
    assert allowed(checked, flex(GONE))
    assert checked.created == ((P1, "Flexy", JOB),)


def test_only_jobs_of_this_run_are_cancelled() -> None:
    checked = guard("restore")
    cancel = dedicated(None, suffix="/" + JOB, method="DELETE")
    assert not allowed(checked, cancel)
    create = dedicated({"deliveryType": "download", "snapshotId": S1})
    assert allowed(checked, create)
    checked.settle(create, Response(200, (), json.dumps({"status": 200, "content": {"id": JOB}}).encode()))
    assert allowed(checked, cancel)
    assert not allowed(checked, replace(cancel, target=cancel.target.replace("Source", "Other")))


def test_what_is_withheld_says_why() -> None:
    with pytest.raises(Withheld, match="the mode is refusals, and its snapshot is not known to be absent") as caught:
        guard("refusals").check(flex(REAL))
    assert caught.value.request == flex(REAL)


SNAPSHOTS = f"/api/atlas/v2/groups/{P1}/clusters/Source/backup/snapshots"
TAKEN = "f" * 24


def take(path: str = SNAPSHOTS, body: bytes = b'{"description":"x"}') -> Request:
    return Request("POST", path, body=body)


def drop(snapshot: str, path: str = SNAPSHOTS) -> Request:
    return Request("DELETE", f"{path}/{snapshot}")


def taken_by(checked: Guard, snapshot: str = TAKEN) -> None:
    checked.check(take())
    checked.settle(take(), Response(200, (), json.dumps({"id": snapshot}).encode()))


@pytest.mark.parametrize(("mode", "allows"), [("read", False), ("refusals", False), ("restore", True)])
def test_a_snapshot_is_taken_in_the_mode_restore_alone(mode: Mode, allows: bool) -> None:
    assert allowed(guard(mode), take()) is allows
    assert allowed(guard(mode), take(SNAPSHOTS.replace("Source", "absent-cluster"))) is (mode != "read")
    assert not allowed(guard(mode), take(SNAPSHOTS.replace("Source", "Other")))


def test_two_snapshots_are_taken_of_a_remote_endpoint_and_refused_ones_cost_nothing() -> None:
    checked = guard("restore")
    assert checked.snapshots_left == 2
    checked.check(take())
    checked.settle(take(), Response(400, (), b"{}"))
    assert checked.snapshots_left == 2
    taken_by(checked, "f" * 24)
    taken_by(checked, "e" * 24)
    assert not allowed(checked, take())
    assert checked.jobs_left == 20


def test_only_snapshots_of_the_run_are_deleted() -> None:
    checked = guard("restore")
    assert not allowed(checked, drop(S1))
    assert not allowed(checked, drop(TAKEN))
    assert allowed(checked, drop(ABSENT.snapshot))
    taken_by(checked)
    assert allowed(checked, drop(TAKEN))
    assert not allowed(checked, drop(TAKEN, SNAPSHOTS.replace("Source", "Flexy")))
    assert checked.snapshots_kept == ((P1, "Source", TAKEN),)
    checked.settle(drop(TAKEN), Response(204, (), b""))
    assert checked.snapshots_kept == ()


def test_a_job_is_no_snapshot() -> None:
    checked = guard("restore")
    checked.check(flex(REAL))
    checked.settle(flex(REAL), Response(200, (), json.dumps({"id": JOB}).encode()))
    assert not allowed(checked, drop(JOB, SNAPSHOTS.replace("Source", "Flexy")))
    assert checked.created == ((P1, "Flexy", JOB),)


def test_on_loopback_too_the_snapshots_of_others_stay() -> None:
    checked = guard(None, url="http://127.0.0.1:1")
    assert checked.snapshots_left is None
    assert not allowed(checked, drop(S1))
    assert not allowed(checked, drop(TAKEN))
    taken_by(checked)
    assert allowed(checked, drop(TAKEN))
    assert allowed(checked, drop(TAKEN.upper()))


def test_a_snapshot_of_the_run_may_be_restored_to_what_may_be_destroyed() -> None:
    checked = guard("restore")
    body = {"deliveryType": "automated", "snapshotId": TAKEN, "targetClusterName": "Victim", "targetGroupId": P2}
    assert not allowed(checked, dedicated(body))
    taken_by(checked)
    assert allowed(checked, dedicated(body))
    assert not allowed(checked, dedicated(body | {"targetClusterName": "Dear"}))


def test_a_download_destroys_nothing() -> None:
    path = f"/api/atlas/v2/groups/{P1}/flexClusters/Flexy/backup/download"
    body = json.dumps({"snapshotId": S1}).encode()
    assert allowed(guard("restore"), Request("POST", path, body=body))
    assert not allowed(guard("refusals"), Request("POST", path, body=body))
