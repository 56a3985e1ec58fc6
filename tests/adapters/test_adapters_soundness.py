"""Through every adapter the reference endpoint is silent, whichever allowed behaviour it shows, and a fault is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import requests

from atlas_conformance.adapters import JudgingAdapter, JudgingTransport, TrafficJudge
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.inventory import Inventory
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.reference.freedoms import FREEDOMS
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.strategies.bodies import conforming_bodies, departing_bodies
from atlas_conformance.strategies.paths import malformed_paths
from atlas_conformance.strategies.representations import in_every_form
from atlas_conformance.strategies.requests import build
from atlas_conformance.strategies.scenes import path_parameters, scenes

Send = Callable[[Request], tuple[int, Any]]


@pytest.fixture(scope="module")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer(seed=3, authentication=(), in_process=True, step=0.01) as served:
        yield served


def through_httpx(server: ReferenceServer, traffic: TrafficJudge) -> Send:
    client = httpx.Client(base_url=server.url, transport=JudgingTransport(traffic))

    def send(request: Request) -> tuple[int, Any]:
        answer = client.request(
            request.method, request.target, headers=list(request.headers or ()), content=request.body
        )
        return answer.status_code, answer.json() if answer.content else None

    return send


def through_requests(server: ReferenceServer, traffic: TrafficJudge) -> Send:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", JudgingAdapter(traffic))

    def send(request: Request) -> tuple[int, Any]:
        headers = dict(request.headers or ())
        answer = session.request(request.method, server.url + request.target, headers=headers, data=request.body)
        return answer.status_code, answer.json() if answer.content else None

    return send


def walk(inventory: Inventory, send: Send) -> None:
    """Create jobs of every family, read, list and cancel them in every form, and send what must be refused."""
    operations = Contract.load().operations
    for create in [operation for operation in operations.values() if operation.kind == "create"]:
        scene = scenes(inventory, create.cluster_kind)[0]
        parameters = path_parameters(create, scene, "")
        bodies = [body.document for body in conforming_bodies(create, scene)][:3]
        for document in bodies:
            status, job = send(build(create, parameters, document))
            assert status in (200, 400, 403, 404, 409, 410)
            if status != 200:
                continue
            for operation in operations.values():
                if (
                    operation.resource.label == create.resource.label
                    and operation.api == create.api
                    and operation.kind != "create"
                ):
                    request = build(operation, path_parameters(operation, scene, job["id"]))
                    for case in in_every_form(request) if operation.kind == "get" else ():
                        send(case.request)
                    send(request)
        for body in list(departing_bodies(create, scene))[::40]:
            send(build(create, parameters, body.document))
        for case in list(malformed_paths(create, scene, "", most=2)):
            send(case.request)


def choices() -> list[dict[str, str]]:
    """The usual behaviour, and two in which every freedom is another one."""
    return [{}, *({name: values[turn % len(values)] for name, values in FREEDOMS.items()} for turn in (1, 2))]


@pytest.mark.parametrize("adapter", [through_httpx, through_requests])
@pytest.mark.parametrize("freedoms", choices(), ids=["usual", "second", "third"])
def test_a_conforming_endpoint_is_silent(server: ReferenceServer, adapter: Any, freedoms: dict[str, str]) -> None:
    server.reset(freedoms=freedoms)
    for knowledge, credential in ((Knowledge(server.inventory), "owner"), (Knowledge(), "unknown")):
        traffic = TrafficJudge(knowledge, base_url=server.url, credential=credential)  # type: ignore[arg-type]
        walk(server.inventory, adapter(server, traffic))
        assert [str(failure) for failure in traffic.failures] == []
        assert traffic.judged > 100
        assert not traffic.unjudged
        assert {"B-PATTERN", "S-FLOW", "T-FLAGS", "L-PAGE", "V-ENVELOPE"} <= {held for held, _ in traffic.held}


@pytest.mark.parametrize(
    ("fault", "requirement"),
    [
        ("flex-create/closed", "S-STATUS"),
        ("flex-list/always-next", "L-PAGE"),
        ("flex-list/error-no-code", "E-SCHEMA"),
    ],
)
def test_a_fault_is_found(server: ReferenceServer, fault: str, requirement: str) -> None:
    server.reset(fault=fault)
    traffic = TrafficJudge(Knowledge(server.inventory), credential="owner")
    send = through_httpx(server, traffic)
    walk(server.inventory, send)
    listing = Contract.load().operations["flex-list"]
    send(next(malformed_paths(listing, scenes(server.inventory, "flex")[0], "")).request)
    assert requirement in {failure.requirement for failure in traffic.failures}
