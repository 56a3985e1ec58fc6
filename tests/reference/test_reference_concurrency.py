"""Faults of concurrency: invisible to a client that waits for each answer, visible to two that do not."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reference.application import Application
from atlas_conformance.reference.fault import Fault
from atlas_conformance.reference.faults import catalogue, find
from tests.reference.test_reference_faults import (
    CREDENTIALS,
    FIXTURES,
    Different,
    bodies,
    endpoint,
    families,
    place,
    probe,
    sound_answers,
)

OPERATIONS = Contract.load().operations

CONCURRENT = [fault.id for fault in catalogue().values() if fault.kind == "concurrent"]
ACCEPT = b"application/vnd.atlas.2025-03-12+json, application/json;q=0.1"


class Client:
    """Sends calls to an application that serves a fault, one after the other or all at once."""

    def __init__(self, fault: Fault | None) -> None:
        self.application = Application(endpoint(fault))
        account = CREDENTIALS.owner_account
        basic = base64.b64encode(f"{account.id}:{account.secret}".encode())
        form = b"grant_type=client_credentials"
        answer = self.one("POST", "/api/oauth/token", form, b"Basic " + basic)
        self.token = b"Bearer " + json.loads(answer[1])["access_token"].encode()

    def one(self, method: str, target: str, body: bytes = b"", who: bytes | None = None) -> tuple[int, bytes]:
        return self.all((method, target, body), who=who)[0]

    def all(self, *calls: tuple[str, str, bytes], who: bytes | None = None) -> list[tuple[int, bytes]]:
        async def together() -> list[tuple[int, bytes]]:
            return list(await asyncio.gather(*(self._call(*call, who or self.token) for call in calls)))

        return asyncio.run(together())

    async def _call(self, method: str, target: str, body: bytes, who: bytes) -> tuple[int, bytes]:
        headers = [(b"authorization", who), (b"accept", ACCEPT), (b"content-type", b"application/json")]
        if body:
            headers.append((b"content-length", str(len(body)).encode()))
        scope = {"method": method, "target": target.encode(), "raw_path": target.encode(), "headers": headers}
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.application(scope, receive, send)
        return sent[0]["status"], sent[1]["body"]

    def create(self, operation: str) -> tuple[str, str, bytes]:
        family = OPERATIONS[operation].resource.label
        kind = "dedicated" if family == "cluster" else family
        cluster = next(one for one in FIXTURES.inventory.clusters if one.kind == kind)
        return "POST", place(operation, cluster), json.dumps(next(bodies(operation))).encode()


def test_there_are_many_and_each_holds_calls_open() -> None:
    assert len(CONCURRENT) >= 10
    assert all(find(fault).pause > 0 for fault in CONCURRENT)
    assert all(fault.pause == 0 for fault in catalogue().values() if fault.kind != "concurrent")


@pytest.mark.parametrize("fault_id", CONCURRENT)
def test_it_does_not_show_to_a_client_that_waits(fault_id: str) -> None:
    wanted = families(find(fault_id))
    try:
        assert probe(find(fault_id), wanted, sound_answers(wanted)) == sound_answers(wanted)
    except Different as shown:
        pytest.fail(f"it shows: {shown}"[:500])


@pytest.mark.parametrize("operation", ["flex-create", "tenant-create", "cluster-create", "cluster-create-v1"])
def test_two_creates_at_once_are_given_one_id(operation: str) -> None:
    client = Client(find(f"{operation}/one-id-for-two"))
    create = client.create(operation)
    ids = [json.loads(body)["id"] for _, body in client.all(create, create)]
    assert len(set(ids)) == 1
    after = [json.loads(client.one(*create)[1])["id"] for _ in range(2)]
    assert len({*ids, *after}) == 3


def test_calls_at_once_do_not_disturb_each_other_on_a_sound_endpoint() -> None:
    client = Client(None)
    create = client.create("flex-create")
    ids = [json.loads(body)["id"] for _, body in client.all(*[create] * 5)]
    assert len(set(ids)) == 5


def test_a_read_shows_another_job_while_another_read_is_open() -> None:
    client = Client(find("flex-get/swapped-answer"))
    create = client.create("flex-create")
    jobs = [json.loads(client.one(*create)[1])["id"] for _ in range(2)]
    reads = [("GET", f"{create[1]}/{job}", b"") for job in jobs]
    alone = [json.loads(client.one(*read)[1])["id"] for read in reads]
    assert alone == jobs
    together = [json.loads(body)["id"] for _, body in client.all(*reads)]
    assert together != jobs


def test_pressure_breaks_what_one_call_does_not() -> None:
    client = Client(find("cluster-create/500-under-pressure"))
    create = client.create("cluster-create")
    assert client.one(*create)[0] == 200
    assert 500 in {status for status, _ in client.all(*[create] * 6)}
    assert client.one(*create)[0] == 200


def test_calls_do_not_keep_each_other_in_memory() -> None:
    client = Client(find("flex-get/finish-moves"))
    create = client.create("flex-create")
    client.all(*[create] * 3)
    assert client.application._open == {}
