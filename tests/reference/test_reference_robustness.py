"""No input earns a 5xx, and bytes that are no HTTP earn an error body."""

from __future__ import annotations

import json
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atlas_conformance.contracts.contract import Contract
from tests.reference.calling import Caller, error

OPERATIONS = Contract.load().operations

CREATES = [operation.id for operation in OPERATIONS.values() if operation.kind == "create"]


def raw(caller: Caller, sent: bytes) -> bytes:
    host, port = caller.server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(sent)
        received = b""
        while b"\r\n\r\n" not in received or not received.partition(b"\r\n\r\n")[2]:
            part = connection.recv(65_536)
            if not part:
                break
            received += part
    return received


def status_and_body(answer: bytes) -> tuple[int, dict[str, object]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"json" in head.lower()
    return int(head.split(b" ")[1]), json.loads(body)


def request(caller: Caller, target: bytes, headers: bytes = b"", method: bytes = b"GET") -> bytes:
    return b"%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s\r\n" % (
        method,
        target,
        caller.token.encode(),
        headers,
    )


@pytest.mark.parametrize(
    "target",
    [
        b"/%zz",
        b"/%",
        b"//",
        b"/a//b",
        b"/%ff%fe",
        b"/%00",
        b"/a?%zz=%",
        b"/?&&==",
        b"/..%2f..",
        b"/a;b=c",
        b"http://h/x",
        b"/#x",
    ],
)
def test_odd_targets(caller: Caller, target: bytes) -> None:
    status, body = status_and_body(raw(caller, request(caller, target)))
    assert (status, body["error"]) == (404, 404)


@pytest.mark.parametrize("place", [b"%zz", b"%ff" * 24, b"%00" * 24, b"%2f" * 24, b"%E2%82%AC", b"..", b"%0a"])
def test_odd_segments(caller: Caller, place: bytes) -> None:
    for template in (b"/api/atlas/v2/groups/%s/flexClusters/f/backup/restoreJobs", b"/api/atlas/v2/groups/%s/x"):
        status, _ = status_and_body(raw(caller, request(caller, template % place)))
        assert status in {400, 404}


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n: x\r\n\r\n",
    ],
)
def test_what_is_no_http(caller: Caller, sent: bytes) -> None:
    status, body = status_and_body(raw(caller, sent))
    assert (status, body["error"]) in {(400, 400), (401, 401)}


@pytest.mark.parametrize(
    "headers",
    [
        b"Accept: \xff\xfe\r\n",
        b"Accept: ,;q=x, */\r\n",
        b"Accept: " + b"a/b," * 20_000 + b"*/*\r\n",
        b"X-Junk: " + b"\xff" * 60_000 + b"\r\n",
        b"X: y\r\n" * 5_000,
        b"Content-Type: \xff; charset=\xff\r\n",
        b"Cookie: a\r\nCookie: b\r\nExpect: nothing\r\n",
    ],
    ids=lambda headers: repr(headers[:20]),
)
def test_odd_headers(caller: Caller, headers: bytes) -> None:
    for method in (b"GET", b"POST"):
        answer = raw(caller, request(caller, caller.path("flex-list").encode(), headers, method))
        assert int(answer.split(b" ")[1]) in {200, 406, 415}


def test_a_chunked_body_is_read(caller: Caller) -> None:
    body = json.dumps(caller.body("flex-create")).encode()
    headers = b"Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n"
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    answer = raw(caller, request(caller, caller.path("flex-create").encode(), headers, b"POST") + chunks)
    assert status_and_body(answer)[0] == 200


@pytest.mark.parametrize("operation", CREATES)
@pytest.mark.parametrize(
    "body",
    [
        b'{"snapshotId":"\\ud800"}',
        b'{"snapshotId":1e400}',
        b'{"oplogTs":' + b"9" * 5_000 + b"}",
        b'{"a":1,"a":2}',
        b'{"\\u0000":[]}',
    ],
)
def test_odd_bodies(caller: Caller, operation: str, body: bytes) -> None:
    error(caller.call(operation, raw=body), 400)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["deliveryType", "snapshotId", "targetClusterName", "targetGroupId", "oplogTs", "oplogInc"]
) | st.sampled_from(["pointInTimeUTCSeconds", "targetDeploymentItemName", "targetProjectId"])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(
    operation=st.sampled_from(CREATES),
    delivery=st.sampled_from(["automated", "download", "pointInTime"]),
    change=st.dictionaries(NAMES, VALUES, max_size=3),
)
def test_no_body_breaks_it(one_caller: Caller, operation: str, delivery: str, change: dict[str, object]) -> None:
    answer = one_caller.call(operation, body=one_caller.body(operation, delivery) | change)
    if answer.status_code != 200:
        assert answer.status_code in {400, 404}
        error(answer, answer.status_code)
