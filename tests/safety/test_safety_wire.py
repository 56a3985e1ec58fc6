"""What leaves, seen on the wire of a loopback endpoint that poses as a remote one: never more than the mode allows.

`benchmarks/wire.py` does the same with 100,000 requests and more.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from atlas_conformance.contracts.inventory import Absent
from atlas_conformance.http.target import MODES, Mode
from atlas_conformance.reference.server import ReferenceServer
from tests.safety.posing import HOSTS, NAME, Posed, names_resolve
from tests.safety.rulebook import Facts, Rulebook
from tests.safety.tempting import Tempting
from tests.safety.wiretap import Seen, Wiretap, fronted, redirecting

SEED = 5


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer(seed=SEED, step=0.01) as running:
        yield running


@pytest.fixture(autouse=True)
def _names() -> Iterator[None]:
    with names_resolve():
        yield


def upstream(server: ReferenceServer) -> tuple[str, int]:
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    return host, int(port)


def tempted(posed: Posed, mode: Mode, count: int) -> None:
    """Send a number of tempting requests."""
    target = posed.target(mode, SEED)
    assert target.inventory.absent is not None
    tempting = Tempting(posed.server.inventory, target.inventory.absent, SEED)
    posed.send(mode, SEED, tempting.requests(count), learn=tempting.jobs.append)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("host", HOSTS)
def test_tempting_requests_are_withheld_however_the_host_is_written(
    server: ReferenceServer, host: str, mode: Mode
) -> None:
    server.reset()
    with Wiretap(upstream(server)) as tap:
        posed = Posed(server, tap, host)
        tempted(posed, mode, 300)
        seen = list(tap.requests())
    assert list(posed.rulebook(mode, SEED).violations(seen)) == []
    assert posed.tries.tried == 300
    assert 0 < posed.tries.withheld < 300
    assert len(seen) > 20


@pytest.mark.parametrize("fault", [None, "flex-create/absent-snapshot-taken", "cluster-create/n-cluster-unchecked"])
@pytest.mark.parametrize("mode", MODES)
def test_a_run_sends_nothing_beyond_its_mode(
    server: ReferenceServer, tmp_path: Path, mode: Mode, fault: str | None
) -> None:
    server.reset(fault=fault)
    with Wiretap(upstream(server)) as tap:
        posed = Posed(server, tap, NAME, max_jobs=6)
        posed.run(tmp_path, mode, "quick", SEED, requirements=("B-REQUIRED", "N-SNAPSHOT", "T-CANCEL", "A-NONE"))
        seen = list(tap.requests())
    assert list(posed.rulebook(mode, SEED).violations(seen)) == []
    assert len(seen) > 30
    assert posed.tries.withheld > 0


@pytest.mark.parametrize("most", [None, 0, 1])
@pytest.mark.parametrize("mode", MODES)
def test_a_run_takes_few_snapshots_and_deletes_only_those(
    server: ReferenceServer, tmp_path: Path, mode: Mode, most: int | None
) -> None:
    server.reset()
    with Wiretap(upstream(server)) as tap:
        posed = Posed(server, tap, NAME, max_jobs=12, max_snapshots=most)
        posed.run(tmp_path, mode, "quick", SEED, requirements=("SNAP-FOUND", "P-SNAPSHOT", "SNAP-NEW"))
        seen = list(tap.requests())
    assert list(posed.rulebook(mode, SEED).violations(seen)) == []
    taken = [one for one in seen if one.method == "POST" and one.target.endswith("/snapshots") and one.status == 200]
    deleted = [one for one in seen if one.method == "DELETE" and one.status == 204]
    expected = 0 if mode != "restore" else 2 if most is None else most
    assert len(taken) == len(deleted) == expected


def test_nothing_and_no_credential_follows_a_redirect(server: ReferenceServer, tmp_path: Path) -> None:
    server.reset()
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        place = f"http://{NAME}:{elsewhere.getsockname()[1]}"
        with Wiretap(upstream(server), redirecting(place, 3)) as tap:
            posed = Posed(server, tap, NAME)
            tempted(posed, "restore", 200)
            posed.run(tmp_path, "refusals", "quick", SEED, requirements=("P-JOB", "B-JSON"))
            redirected = sum(300 <= one.status < 400 for one in tap.requests())
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
    assert redirected > 20


def test_loopback_that_fronts_something_counts_as_remote_from_the_first_answer(
    server: ReferenceServer, tmp_path: Path
) -> None:
    server.reset()
    for host in ("localhost", "LocalHost.", "127.0.0.1"):
        with Wiretap(upstream(server), fronted) as tap:
            posed = Posed(server, tap, host)
            posed.run(tmp_path, None, "quick", SEED, requirements=("B-REQUIRED", "P-JOB"))
            seen = list(tap.requests())
        assert list(posed.rulebook("read", SEED).violations(seen)) == []
        assert len(seen) > 5


def test_the_rulebook_complains() -> None:
    """The tests above prove nothing unless it does."""
    with ReferenceServer(seed=SEED) as running:
        inventory = running.inventory
    absent = Absent("a0" * 12, "absent-x", "a1" * 12, "a2" * 12, "absent-y")
    facts = Facts(inventory, absent, frozenset(), 0, "h:1")
    cluster = next(cluster for cluster in inventory.clusters if cluster.kind == "flex")
    path = f"/api/atlas/v2/groups/{cluster.project}/flexClusters/{cluster.name}/backup/restoreJobs"
    host = (("Host", "h:1"),)
    real = b'{"snapshotId": "%s", "targetDeploymentItemName": "z"}' % cluster.snapshots[0].encode()
    gone = b'{"snapshotId": "%s", "targetDeploymentItemName": "absent-y"}' % absent.snapshot.encode()
    taken = Seen("POST", path, host, gone, 200, b"{}")
    for seen, modes in (
        (Seen("POST", path, host, real), MODES),
        (Seen("POST", path, host, gone), ("read",)),
        (Seen("POST", path.replace(cluster.project, absent.project), host, real), ("read", "refusals")),
        (Seen("POST", path, host, gone.replace(b"absent-y", b"Z")), ("read", "refusals")),
        (Seen("DELETE", path + "/" + "b" * 24, host, b""), MODES),
        (Seen("GET", path, host, b"x"), MODES),
        (Seen("GET", path, (("Host", "elsewhere"),), b""), MODES),
        (Seen("GET", path, (*host, ("X-HTTP-Method-Override", "POST")), b""), MODES),
        (Seen("POST", "/api/oauth/token", host, b"grant_type=password"), MODES),
        (Seen("PUT", path, host, b"{}"), MODES),
    ):
        for mode in modes:
            assert list(Rulebook(facts, mode).violations([seen])) != [], (mode, seen)
    assert list(Rulebook(facts, "refusals").violations([taken])) == []
    twice = [Seen("POST", path, host, real, 200, b"{}")] * 2
    allowed = Facts(inventory, absent, frozenset({(cluster.project, "z")}), 1, "h:1")
    assert any("were allowed" in said for said in Rulebook(allowed, "restore").violations(twice))
    assert list(Rulebook(allowed, "restore").violations(twice[:1])) == []
