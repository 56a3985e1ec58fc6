"""Preflight: what is wrong in one sentence, what is offered, and nothing but GETs."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.inventory import Cluster, Inventory
from atlas_conformance.http.client import Client
from atlas_conformance.http.failures import PreflightFailed
from atlas_conformance.http.secret import Credentials, Secret
from atlas_conformance.http.target import Limits, Target, Tls, with_absent
from atlas_conformance.targets.preflight import PreflightReport, preflight
from tests.targets.scripted_wire import Arrival, WireServer, answer

OPERATIONS = Contract.load().operations

P1 = "0123456789abcdef01234567"
KNOWN = Inventory((Cluster(P1, "Flexy", "flex"), Cluster(P1, "Source", "dedicated"), Cluster(P1, "Old", "tenant")))
KEYS = Credentials(
    public_key=Secret("publickey"),
    private_key=Secret("canary-key"),
    names=MappingProxyType({"public_key": "PUB", "private_key": "PRIV"}),
)


def error(status: int, code: str, *headers: tuple[str, str]) -> bytes:
    return answer(status, json.dumps({"error": status, "errorCode": code}).encode(), *headers)


def look(url: str, inventory: Inventory = Inventory(), **more: object) -> PreflightReport:  # noqa: B008
    target = with_absent(Target(url, inventory=inventory, limits=Limits(timeout_seconds=2, connect_seconds=1)), 5)
    with Client(replace(target, **more)) as client:  # type: ignore[arg-type]
        return preflight(client)


def failure(url: str, inventory: Inventory = Inventory(), **more: object) -> str:  # noqa: B008
    with pytest.raises(PreflightFailed) as caught:
        look(url, inventory, **more)
    message = str(caught.value)
    assert "\n" not in message
    assert "canary" not in message
    return message


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert failure(f"http://127.0.0.1:{port}") == f"nothing listens at 127.0.0.1:{port}"


def test_a_name_that_does_not_resolve() -> None:
    assert "does not resolve" in failure("http://nobody.invalid")


def test_a_host_that_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert "no complete answer within 0.3 s" in failure(url, limits=Limits(timeout_seconds=0.3))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", ["TLS handshake", "does it speak plain http?"]),
        (b"\x16\x03\x03\x00\x40\x02", ["broken off"]),
    ],
)
def test_a_port_that_does_not_finish_a_tls_handshake(said: bytes, words: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def cut() -> None:
            connection, _ = listener.accept()
            while b"\x13\x01" not in connection.recv(65536):
                pass
            connection.sendall(said)
            connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                connection.recv(65536)
            connection.close()

        thread = threading.Thread(target=cut)
        thread.start()
        message = failure(f"https://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert all(word in message for word in words), message


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(folder / "key.pem"),
        "-out",
        str(folder / "cert.pem"),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("openssl is not installed, so there is no certificate to try")
    return folder


def test_an_untrusted_certificate_and_its_bundle(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    plain, _ = listener.accept()
                    with context.wrap_socket(plain, server_side=True) as connection:
                        while connection.recv(65536):
                            connection.sendall(error(404, "NOT_FOUND"))
                except OSError:
                    if listener.fileno() < 0:
                        return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        assert "is not trusted" in failure(url)
        assert "ca_file" in failure(url)
        assert look(url, tls=Tls(ca_file=str(certificate / "cert.pem"))).open
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(2)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (answer(200, b"<!doctype html><p>hi", media="text/html"), "answers 200 with HTML"),
        (answer(404, b"no", media="text/plain"), "answers 404 with text/plain, which is no JSON"),
        (answer(204, b""), "an empty body"),
        (answer(302, b"", ("Location", "https://elsewhere.example/x?token=canary")), "redirects to elsewhere.example"),
        (error(401, "UNAUTHORIZED"), "names none; set MONGODB_ATLAS_PUBLIC_API_KEY"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "is not HTTP/1.1"),
        (None, "closed before the answer was complete"),
    ],
)
def test_what_is_no_such_api(server: WireServer, reply: bytes | None, words: str) -> None:
    server.script = lambda arrival: reply
    assert words in failure(server.url)


def test_a_wrong_key(server: WireServer) -> None:
    server.script = lambda arrival: error(401, "UNAUTHORIZED", ("WWW-Authenticate", 'Digest realm="r", nonce="n"'))
    message = failure(server.url, credentials={"owner": KEYS})
    assert message == "the endpoint refuses the credentials from PRIV and PUB (401)"


def test_an_account_that_the_token_endpoint_refuses(server: WireServer) -> None:
    server.script = lambda arrival: answer(401, b"{}")
    account = Credentials(client_id=Secret("an-id"), client_secret=Secret("canary"))
    assert "/api/oauth/token answered 401" in failure(server.url, credentials={"owner": account})


def test_a_project_that_is_not_there(server: WireServer) -> None:
    server.script = lambda arrival: error(404, "GROUP_NOT_FOUND")
    assert failure(server.url, KNOWN) == f"the endpoint knows no project {P1} (GROUP_NOT_FOUND)"
    assert not look(server.url).takes_any


def test_403_for_the_owner(server: WireServer) -> None:
    server.script = lambda arrival: error(403, "IP_ADDRESS_NOT_ON_ACCESS_LIST")
    assert "access list" in failure(server.url, KNOWN)


def test_a_stateless_mock_takes_any_id_and_only_gets_are_sent(server: WireServer) -> None:
    report = look(server.url)
    assert report.takes_any
    assert report.open
    assert report.fronts is None
    assert report.offered["flex-list"] == "yes"
    assert {arrival.method for arrival in server.arrivals} == {"GET"}
    assert len(report.exchanges) == len(server.arrivals)


def test_a_success_for_an_absent_job_is_no_mock_where_fixtures_are_known(server: WireServer) -> None:
    assert not look(server.url, KNOWN).takes_any


def endpoint(operations: set[str], arrival: Arrival) -> bytes:
    """Answer as an endpoint that has only some operations: 405 on a path it has, 404 elsewhere."""
    pass

    here = [operation for operation, _ in Contract.load().operations_at(arrival.target) if operation.id in operations]
    if arrival.header("authorization") is None:
        return error(401, "UNAUTHORIZED", ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"'))
    if not here:
        return answer(404, b'{"detail": "Not Found"}')
    allow = ("Allow", ", ".join(operation.method for operation in here))
    mine = [operation for operation in here if operation.method == arrival.method]
    if not mine:
        return error(405, "METHOD_NOT_ALLOWED", allow)
    return error(404, "RESOURCE_NOT_FOUND") if mine[0].kind == "get" else answer(200, b'{"results": []}')


def test_what_is_offered_is_found_out(server: WireServer) -> None:
    core = {operation.id for operation in OPERATIONS.values() if operation.level == "core"}
    owner = {"owner": KEYS}
    server.script = lambda arrival: endpoint(core, arrival)
    report = look(server.url, KNOWN, credentials=owner)
    assert {name for name, says in report.offered.items() if says == "yes"} == core
    others = {name: says for name, says in report.offered.items() if name not in core}
    assert all(report.reasons[name] for name in others)
    assert {name for name, says in others.items() if says != "no"} <= {"flex-download", "snapshot-take"}
    assert report.schemes == {"digest"}
    assert not report.open
    server.script = lambda arrival: endpoint(set(OPERATIONS), arrival)
    whole = look(server.url, KNOWN, credentials=owner).offered
    told_by_writes = {"cluster-cancel", "snapshot-delete", "snapshot-take", "flex-download"}
    assert {name for name, says in whole.items() if says != "yes"} <= told_by_writes
    assert whole["cluster-cancel"] == "unknown"


def test_what_is_claimed_is_not_found_out(server: WireServer) -> None:
    server.script = lambda arrival: error(405, "METHOD_NOT_ALLOWED")
    assert set(look(server.url, level="workflow").offered.values()) == {"yes"}
    extended = look(server.url, level="extended").offered
    assert (extended["flex-list"], extended["snapshot-list"]) == ("yes", "no")
    assert look(server.url, level="core").offered["flex-list"] == "no"
    assert look(server.url, operations=frozenset({"flex-create"})).offered["flex-get"] == "no"


@pytest.mark.parametrize("header", [("Server", "mdbws"), ("X-Java-Method", "a.b"), ("Via", "1.1 proxy")])
def test_a_loopback_address_that_fronts_the_real_service_is_remote(server: WireServer, header: tuple[str, str]) -> None:
    server.script = lambda arrival: error(404, "RESOURCE_NOT_FOUND", header)
    with Client(Target(server.url)) as client:
        assert client.guard.mode == "restore"
        assert preflight(client).fronts is not None
        assert client.guard.remote
        assert client.guard.mode == "read"
