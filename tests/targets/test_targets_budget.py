"""The budget of jobs when several creates are under way: a place that may yet come back is waited for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from atlas_conformance.contracts.exchange import Request, Response
from atlas_conformance.contracts.inventory import Cluster, Inventory, RestoreTarget
from atlas_conformance.http.failures import Withheld
from atlas_conformance.http.guard.guard import Guard
from atlas_conformance.http.target import Safety, Target

PROJECT, SNAPSHOT = "a123456789abcdef01234567", "c123456789abcdef01234567"
INVENTORY = Inventory(
    (Cluster(PROJECT, "Flex0", "flex", snapshots=(SNAPSHOT,)),),
    (RestoreTarget(PROJECT, "Victim", frozenset({"flex"})),),
)
CREATE = Request(
    "POST",
    f"/api/atlas/v2/groups/{PROJECT}/flexClusters/Flex0/backup/restoreJobs",
    body=json.dumps({"snapshotId": SNAPSHOT, "targetDeploymentItemName": "Victim"}).encode(),
)
TAKEN, REFUSED = Response(200, (), b"{}"), Response(400, (), b"{}")


@pytest.fixture(params=["http://127.0.0.1:9", "https://atlas.example.org"])
def guard(request: pytest.FixtureRequest) -> Guard:
    safety = Safety("restore", frozenset({(PROJECT, "Victim")}), 1, confirmed=True)
    return Guard(Target(request.param, inventory=INVENTORY, safety=safety))


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.mark.parametrize("sent", [True, False])
def test_a_place_that_comes_back_is_taken(guard: Guard, threads: ThreadPoolExecutor, sent: bool) -> None:
    guard.check(CREATE)
    waiting = threads.submit(guard.check, CREATE, wait=True)
    assert not waiting.done()
    guard.settle(CREATE, REFUSED if sent else None, sent=sent)
    assert waiting.result() is None
    assert guard.jobs_left == 0


def test_a_place_that_is_gone_is_not_waited_for(guard: Guard, threads: ThreadPoolExecutor) -> None:
    guard.check(CREATE)
    waiting = threads.submit(guard.check, CREATE, wait=True)
    guard.settle(CREATE, TAKEN)
    with pytest.raises(Withheld, match="the budget of 1 jobs is used up"):
        waiting.result()
    with pytest.raises(Withheld):
        guard.check(CREATE, wait=True)


def test_without_waiting_it_is_withheld_at_once(guard: Guard) -> None:
    guard.check(CREATE)
    with pytest.raises(Withheld):
        guard.check(CREATE)


def test_on_loopback_there_is_no_budget_unless_the_target_names_one() -> None:
    free = Guard(Target("http://127.0.0.1:9", inventory=INVENTORY))
    for _ in range(50):
        free.check(CREATE)
        free.settle(CREATE, TAKEN)
    assert (free.budget, free.jobs_left) == (None, None)
    free.treat_as_remote("it fronts one")
    assert free.budget == 20
