"""An endpoint that only ever asks to wait is waited for within a bound, and so is its token endpoint."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from types import MappingProxyType

import pytest

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.http.authentication import BearerSession, TokenRefused
from atlas_conformance.http.client import Client
from atlas_conformance.http.failures import MissingCredentials
from atlas_conformance.http.pacing import Patience
from atlas_conformance.http.secret import Credentials, Secret
from atlas_conformance.http.target import Limits, Target
from tests.targets.scripted_wire import WireServer, answer

ACCOUNT = Credentials(client_id=Secret("client-id-1"), client_secret=Secret("client-secret-1"))


@pytest.fixture
def endpoint() -> Iterator[WireServer]:
    running = WireServer()
    running.start()
    yield running
    running.stop()


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


ASKED = ["-5", "soon", "", "1e3", "Thu, 32 Foo 2026", "٣", "3", None, "0", "59"]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("asked", ASKED, ids=ascii)
def test_waiting_for_ever_ends(endpoint: WireServer, status: int, asked: str | None) -> None:
    headers = () if asked is None else (("Retry-After", asked.encode("utf-8").decode("latin-1")),)
    endpoint.script = lambda arrival: answer(status, b"{}", *headers)
    clock = Clock()
    limits = Limits(pause_seconds=60.0)
    with Client(Target(endpoint.url, limits=limits), sleep=clock.sleep, monotonic=clock) as client:
        for _ in range(200):
            assert client.send(Request("GET", "/api/x")).response.status == status
    assert clock.now <= 2 * 60.0


def test_waits_for_a_token_count(endpoint: WireServer) -> None:
    """The token endpoint asks to wait for 25 s each time; the request itself then has 10 s left of 60."""
    endpoint.script = lambda arrival: answer(503, b"{}", ("Retry-After", "25"))
    clock = Clock()
    target = Target(endpoint.url, credentials=MappingProxyType({"owner": ACCOUNT}))
    with Client(target, sleep=clock.sleep, monotonic=clock) as client:
        for _ in range(50):
            with pytest.raises(MissingCredentials):
                client.send(Request("GET", "/api/x"))
            client.send(Request("GET", "/api/x", credential="none"))
    assert clock.now <= 3 * 60.0


def test_patience_comes_back_with_an_answer() -> None:
    clock = Clock()
    patience = Patience(10.0, clock)
    patience.note(503)
    clock.now = 9.0
    assert patience.lasts()
    patience.note(429)
    clock.now = 10.0
    assert not patience.lasts()
    patience.note(404)
    patience.note(503)
    assert patience.lasts()


def test_a_token_has_at_most_64_kilobytes() -> None:
    def fetched(size: int) -> str:
        body = json.dumps({"access_token": "x" * size}).encode()
        return BearerSession(ACCOUNT, lambda authorization: (200, body)).token().reveal()

    assert len(fetched(60_000)) == 60_000
    started = time.monotonic()
    for size in (66_000, 3_000_000):
        with pytest.raises(TokenRefused, match="more than 64 KB"):
            fetched(size)
    assert time.monotonic() - started < 1
