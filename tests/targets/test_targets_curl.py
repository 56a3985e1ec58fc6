"""curl commands: run by a shell, they send the same bytes as the client."""

from __future__ import annotations

import shutil
import subprocess
from types import MappingProxyType

import pytest

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.http.client import Client
from atlas_conformance.http.curl import curl
from atlas_conformance.http.secret import Credentials, Secret
from atlas_conformance.http.target import Target
from tests.targets.scripted_wire import WireServer, answer

PATH = "/api/atlas/v2/groups/x/y"
KEYS = Credentials(
    public_key=Secret("pub-canary"),
    private_key=Secret("priv-canary"),
    names=MappingProxyType({"public_key": "PUB", "private_key": "PRIV"}),
)
TOKEN = Credentials(token=Secret("tok-canary"), names=MappingProxyType({"token": "TOK"}))
REQUESTS = [
    Request("GET", PATH + "/%2e./../a//b/?q=[1-3]{a,b}'%20$HOME`id`"),
    Request("GET", PATH, (("Accept", "a/b"), ("X-Empty", ""), ("X-Quote", 'it\'s "$HOME" \\ %s'))),
    Request("HEAD", PATH),
    Request("DELETE", PATH),
    Request("POST", PATH),
    Request("POST", PATH, (("Content-Type", "application/json"),), b'{"a": "it\'s $HOME \\u0041 \xc3\xa9"}\n\n'),
    Request("POST", PATH, (), b"@/etc/passwd"),
    Request("POST", PATH, (), b""),
    Request("POST", PATH, (), bytes(range(256)) + b"%s %d '\\n --"),
    Request("POST", PATH, (), b"-n\0x"),
    Request("PUT", PATH, (), b"\0" * 9 + b"1" * 150_000),
    Request("PATCH", PATH, (), b"\r\n"),
]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("request_", REQUESTS, ids=range(len(REQUESTS)))
def test_the_command_sends_what_the_client_sends(server: WireServer, request_: Request) -> None:
    server.script = lambda arrival: answer(200, b"" if arrival.method == "HEAD" else b"{}")
    with Client(Target(server.url)) as client:
        client.send(request_)
    command = curl(request_, server.url)
    subprocess.run(["sh"], input=command.encode(), check=True, capture_output=True, timeout=20)
    ours, theirs = server.arrivals
    assert ours.line == theirs.line
    assert ours.body == theirs.body

    def compared(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
        return sorted((n.lower(), v) for n, v in headers if n.lower() not in ("user-agent", "accept-encoding"))

    assert compared(ours.headers) == compared(theirs.headers)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_credentials_come_from_the_environment(server: WireServer) -> None:
    server.script = lambda arrival: answer(
        401 if arrival.header("authorization") is None else 200,
        b"{}",
        ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"'),
    )
    environ = {"PATH": "/usr/bin:/bin", "PUB": "pub-canary", "PRIV": "priv-canary", "TOK": "tok-canary"}
    commands = [curl(Request("GET", PATH), server.url, KEYS), curl(Request("GET", PATH), server.url, TOKEN)]
    assert "canary" not in "".join(commands)
    for command in commands:
        subprocess.run(["sh", "-c", command], check=True, capture_output=True, timeout=20, env=environ)
    digest, bearer = server.arrivals[-2:]
    assert 'username="pub-canary"' in (digest.header("authorization") or "")
    assert bearer.header("authorization") == "Bearer tok-canary"


def test_identities() -> None:
    assert "--user" not in curl(Request("GET", PATH, credential="none"), "http://h", KEYS)
    assert "wrongkey:" in curl(Request("GET", PATH, credential="wrong"), "http://h", KEYS)
    assert "Bearer wrong.token" in curl(Request("GET", PATH, credential="wrong", scheme="bearer"), "http://h", KEYS)
    account = Credentials(client_id=Secret("id-canary"), client_secret=Secret("s-canary"))
    assert '"Authorization: Bearer $MONGODB_ATLAS_ACCESS_TOKEN"' in curl(Request("GET", PATH), "http://h", account)
