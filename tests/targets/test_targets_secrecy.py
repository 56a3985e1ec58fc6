"""Secrets stay out of failures, representations and whole tracebacks with their local variables."""

from __future__ import annotations

import traceback
from types import MappingProxyType

import pytest

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.http.client import Client
from atlas_conformance.http.failures import NotSent
from atlas_conformance.http.secret import Credentials, Secret
from atlas_conformance.http.target import Target
from tests.targets.scripted_wire import WireServer, answer

KEYS = Credentials(public_key=Secret("canary-public"), private_key=Secret("canary-private"))
ACCOUNT = Credentials(client_id=Secret("canary-id"), client_secret=Secret("canary-secret"))
TOKEN = Credentials(token=Secret("canary-token"))


def outcome(client: Client) -> str:
    """Send one request and return everything that a crash report could show of it."""
    try:
        return repr(client.send(Request("GET", "/api/x")))
    except NotSent as failure:
        report = traceback.TracebackException.from_exception(failure, capture_locals=True)
        hidden = "" if failure.__context__ is None else "canary: a hidden cause holds its own frames"
        return "".join(report.format()) + hidden


@pytest.mark.parametrize("owner", [KEYS, ACCOUNT, TOKEN], ids=["digest", "account", "token"])
@pytest.mark.parametrize(
    "reply",
    [None, b"nonsense\r\n\r\n", answer(401, b"{}", ("WWW-Authenticate", "Digest x"))],
    ids=["closed", "malformed", "refused"],
)
def test_a_failure_shows_no_secret(server: WireServer, owner: Credentials, reply: bytes | None) -> None:
    server.script = lambda arrival: reply
    written = ""
    with Client(Target(server.url, credentials=MappingProxyType({"owner": owner}))) as client:
        written += repr(client.target) + str(client.secrets)
        for _ in range(2):
            written += outcome(client)
    assert "canary" not in written
    assert written.count("/api/x") >= 2
