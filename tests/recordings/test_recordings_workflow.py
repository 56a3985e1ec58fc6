"""`record` and `check` judge the operations around a restore: each of the nine, as they go by and afterwards."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from atlas_conformance.cli.check import check_command
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.inventory import Cluster
from atlas_conformance.reference.server import ReferenceServer
from tests.atlas_conformance.program import COMMAND, surroundings

OPERATIONS = Contract.load().operations
WORKFLOW = {operation.id for operation in OPERATIONS.values() if operation.level == "workflow"}


class Caller:
    """Calls the operations around a restore through the address of a recorder."""

    def __init__(self, client: httpx.Client, token: str) -> None:
        self._client = client
        self._token = token
        self.called: set[str] = set()

    def __call__(self, name: str, cluster: Cluster, snapshot: str = "", body: object = None) -> httpx.Response:
        operation = OPERATIONS[name]
        values = {"project": cluster.project, "cluster": cluster.name, "snapshot": snapshot}
        path = operation.path(**{p.role: values[p.role] for p in operation.parameters})
        headers = {"Authorization": f"Bearer {self._token}", "Accept": operation.media_type or "*/*"}
        self.called.add(name)
        return self._client.request(operation.method, path, headers=headers, json=body)


def story(call: Caller, server: ReferenceServer) -> None:
    """List, take, read, download and delete, on a flex cluster, a replica set and a sharded cluster."""
    clusters = server.inventory.clusters
    flex = next(c for c in clusters if c.kind == "flex" and c.snapshots)
    replica = next(c for c in clusters if c.kind == "dedicated" and not c.sharded)
    sharded = next(c for c in clusters if c.sharded and c.snapshots)
    call("flex-snapshot-list", flex)
    call("flex-snapshot-get", flex, flex.snapshots[0])
    call("flex-download", flex, body={"snapshotId": flex.snapshots[0]})
    call("snapshot-list", replica)
    taken = call("snapshot-take", replica, body={"description": "before the upgrade", "retentionInDays": 2}).json()
    call("snapshot-get", replica, taken["id"])
    call("snapshot-delete", replica, taken["id"])
    call("snapshot-get", replica, taken["id"])
    call("sharded-snapshot-list", sharded)
    call("sharded-snapshot-get", sharded, sharded.snapshots[0])


@pytest.mark.parametrize(
    ("fault", "requirement"),
    [
        (None, None),
        ("snapshot-take/description-lost", "SNAP-NEW"),
        ("sharded-snapshot-get/done-without-date", "SNAP-DONE"),
        ("flex-download/shows-restore", "S-DELIVERY"),
    ],
)
def test_the_nine_are_judged_while_they_go_by_and_again_afterwards(
    tmp_path: Path, fault: str | None, requirement: str | None
) -> None:
    out = tmp_path / "out.har"
    with ReferenceServer(seed=4, fault=fault, in_process=True) as server:
        command = [*COMMAND, "record", "--upstream", server.url, "--out", str(out), "--verbose"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings(), cwd=tmp_path)
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split()[1].rstrip(",")
            with httpx.Client(base_url=address) as client:
                basic = (server.credentials.owner_account.id, server.credentials.owner_account.secret)
                granted = client.post("/api/oauth/token", data={"grant_type": "client_credentials"}, auth=basic)
                call = Caller(client, granted.json()["access_token"])
                story(call, server)
            process.send_signal(signal.SIGINT)
            printed, _ = process.communicate(timeout=30)
        finally:
            process.kill()
            process.wait()
    assert call.called == WORKFLOW
    again = CliRunner().invoke(check_command, [str(out), "--verbose"])
    for code, text in ((process.returncode, printed), (again.exit_code, again.output)):
        assert code == (0 if requirement is None else 1), text
        for name in ("SNAP-STATUS", "SNAP-FOUND"):
            assert name in text
        if requirement is not None:
            assert f"✗ {requirement}" in text or f"{requirement} at" in text
