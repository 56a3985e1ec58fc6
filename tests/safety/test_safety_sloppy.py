"""What a sloppy endpoint could make of a create: in the mode `restore` too it reaches only what is on the list."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.inventory import Absent, Cluster, Inventory, RestoreTarget
from atlas_conformance.http.failures import Withheld
from atlas_conformance.http.guard.guard import Guard
from atlas_conformance.http.target import Safety, Target
from tests.safety.rulebook import Facts, Rulebook
from tests.safety.wiretap import Seen

HERE, THERE, SNAPSHOT = "0123456789abcdef01234567", "a123456789abcdef01234567", "b123456789abcdef01234567"
ABSENT = Absent("d0" * 12, "absent-cluster", "d1" * 12, "d2" * 12, "absent-target")
FOR_ALL = frozenset({"flex", "dedicated"})
INVENTORY = Inventory(
    (Cluster(HERE, "Source", "dedicated", snapshots=(SNAPSHOT,)), Cluster(HERE, "Flexy", "flex", snapshots=(SNAPSHOT,)),
     Cluster(HERE, "Scratch", "dedicated", snapshots=(SNAPSHOT,))),
    (RestoreTarget(HERE, "Victim", FOR_ALL), RestoreTarget(THERE, "Victim", FOR_ALL),
     RestoreTarget(THERE, "Dear", FOR_ALL)),
    ABSENT,
)  # fmt: skip
LISTED = frozenset({(HERE, "Victim"), (HERE, "Scratch")})
MALFORMED = [
    "", THERE[:-1], THERE[1:], THERE[:-1] + "G", THERE[:5] + THERE[6:], THERE + "0", f"x{THERE}", THERE.upper() + "Z",
    THERE[:12] + "".join(f"%{ord(c):02x}" for c in THERE[12:]), THERE[:12] + "/" + THERE[12:], f"{{{THERE}}}",
    [THERE[:-1]], THERE[:20], "\u0430" + THERE[1:], THERE[:-1] + "\ud800", f"{THERE[:12]} {THERE[12:]}",
]  # fmt: skip
"""Nearly the project in which nothing is to be destroyed."""


def guard() -> Guard:
    return Guard(Target("https://atlas.example.org", inventory=INVENTORY, safety=Safety("restore", LISTED, 99, True)))


def create(body: Any, kind: str = "flexClusters", name: str = "Flexy", project: str = HERE) -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request("POST", f"/api/atlas/v2/groups/{project}/{kind}/{name}/backup/restoreJobs", body=raw)


def is_sent(request: Request) -> bool:
    try:
        guard().check(request)
    except Withheld:
        return False
    return True


def is_in_order(request: Request) -> bool:
    """What the rulebook, which shares nothing with the guard, says."""
    facts = Facts(INVENTORY, ABSENT, LISTED, 99, "h")
    seen = Seen(request.method, request.target, (("Host", "h"),), request.body or b"", 400, b"{}")
    return not list(Rulebook(facts, "restore").violations([seen]))


@pytest.mark.parametrize("project", MALFORMED, ids=ascii)
def test_a_malformed_target_project_is_not_sent_beside_a_name_that_another_project_has_too(project: Any) -> None:
    body = {"snapshotId": SNAPSHOT, "targetDeploymentItemName": "Victim", "targetProjectId": project}
    assert is_sent(create(body)) is is_in_order(create(body)) is (project == "")
    dedicated = {"deliveryType": "automated", "snapshotId": SNAPSHOT, "targetClusterName": "Victim"}
    dedicated["targetGroupId"] = project
    assert is_sent(create(dedicated, "clusters", "Source")) is (project == "")
    # To a name that exists nowhere it is sent, as there is nothing to destroy, unless it holds the whole id.
    assert THERE in str(project).lower() or is_sent(create(body | {"targetDeploymentItemName": ABSENT.target}))


@pytest.mark.parametrize("name", ["De/ar", "Dear!", "Dea*r", "D ear", "Dear\n!", ["Dear"], "DEAR;", "/Dear"], ids=ascii)
def test_a_malformed_target_name_is_not_sent_where_it_may_be_repaired_to_one_that_is_not_listed(name: Any) -> None:
    body = {"deliveryType": "automated", "snapshotId": SNAPSHOT, "targetClusterName": name, "targetGroupId": THERE}
    assert not is_sent(create(body, "clusters", "Scratch"))
    assert not is_in_order(create(body, "clusters", "Scratch"))


MOMENT = {"deliveryType": "pointInTime", "pointInTimeUTCSeconds": 1_700_000_000}


@pytest.mark.parametrize(
    ("request_", "sent"),
    [
        (create(b"", "clusters", "Source"), False),
        (create(b"{}", "clusters", "Source"), False),
        (create(b"{}", "clusters", "Scratch"), True),
        (create(b"", "clusters", "Scratch"), True),
        (create(b"", "clusters", ABSENT.cluster), True),
        # An absent snapshot keeps nothing safe where a moment is enough to restore.
        (create({**MOMENT, "snapshotId": ABSENT.snapshot}, "clusters", "Source"), False),
        (create({"snapshotId": ABSENT.snapshot, "oplogTs": 1}, "clusters", "Source"), False),
        (create({"snapshotId": ABSENT.snapshot}, "clusters", "Source"), True),
        (create({**MOMENT, "targetClusterName": ABSENT.target}, "clusters", "Source"), True),
        # The other kind's key is one that an endpoint skips.
        (create({**MOMENT, "targetDeploymentItemName": ABSENT.target}, "clusters", "Source"), False),
        (create({"deliveryType": "download", "snapshotId": SNAPSHOT}, "clusters", "Source"), True),
        # Both nearly right: a project and a cluster that may be repaired.
        (create(b"", "clusters", "Sou_rce", HERE[:-1]), False),
        (create(b"", "clusters", "_", "x"), True),
    ],
)
def test_what_is_left_out_or_skipped_counts_as_the_place_in_the_path(request_: Request, sent: bool) -> None:
    assert is_sent(request_) is is_in_order(request_) is sent


def download(body: Any, name: str = "Flexy") -> Request:
    return replace(create(body), target=f"/api/atlas/v2/groups/{HERE}/flexClusters/{name}/backup/download")


WARE = {"snapshotId": SNAPSHOT}
RESTORES = [
    {**WARE, "deliveryType": "automated"}, {**WARE, "deliveryType": None}, {**WARE, "deliveryType": ["download"]},
    {**WARE, "DeliveryType": "automated"}, {**WARE, "deliverytype": 1}, {**WARE, "delivery": {"type": "automated"}},
    {**WARE, "x": {"deliveryType": "automated"}}, [{**WARE, "deliveryType": "automated"}], {**WARE, "oplogTs": 1},
    {**WARE, "pointInTimeUTCSeconds": 1}, [WARE, {**WARE, "deliveryType": "automated"}], [WARE, {}],
    {**WARE, "targetDeploymentItemName": "Victim", "targetProjectId": THERE},
]  # fmt: skip


@pytest.mark.parametrize("body", RESTORES, ids=str)
def test_a_download_that_speaks_of_a_restore_is_one(body: Any) -> None:
    """An endpoint may share its reading of bodies among the operations."""
    assert not is_sent(download(body))


@pytest.mark.parametrize("body", [WARE, {**WARE, "deliveryType": "download"}, {**WARE, "x": 1}], ids=str)
def test_a_plain_download_is_sent(body: Any) -> None:
    assert is_sent(download(body)) is is_in_order(download(body)) is True


@pytest.mark.parametrize(
    "body",
    [
        b'{"snapshotId": "%b", "deliveryType": "automated", "deliveryType": "download"}' % SNAPSHOT.encode(),
        b'{"snapshotId": "%b", "deliveryType": "download", "deliveryType": 7}' % SNAPSHOT.encode(),
        {**WARE, "deliveryType": "download", "DeliveryType": "automated"},
        {**WARE, "deliveryType": "download", "deliverytype": "automated"},
        [{**WARE, "deliveryType": "download"}, WARE],
        [{**WARE, "targetClusterName": [ABSENT.target], "deliveryType": "automated"}],
    ],
    ids=str,
)
def test_what_an_endpoint_may_miss_or_read_otherwise_makes_no_download(body: Any) -> None:
    assert not is_sent(create(body, "clusters", "Source"))
    assert not is_in_order(create(body, "clusters", "Source"))


def test_the_same_requests_are_all_sent_to_loopback() -> None:
    """There the suites exercise all of it."""
    target = Target("http://127.0.0.1:1", inventory=INVENTORY, safety=replace(Safety(), destroyable=LISTED))
    here = Guard(target)
    for project in MALFORMED:
        body = {"snapshotId": SNAPSHOT, "targetDeploymentItemName": "Victim", "targetProjectId": project}
        here.check(create(body))
    here.check(create(b"", "clusters", "Source"))


def test_malformed_projects_are_sent_where_all_that_they_may_mean_is_listed() -> None:
    body = {"snapshotId": SNAPSHOT, "targetDeploymentItemName": "Victim", "targetProjectId": HERE[:-1]}
    both = LISTED | {(THERE, "Victim")}
    safety = Safety("restore", both, 99, True)
    Guard(Target("https://atlas.example.org", inventory=INVENTORY, safety=safety)).check(create(body))
