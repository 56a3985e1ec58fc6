"""What an endpoint says in interim answers and trailers is read, however its bytes come, and can turn it remote."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.http.asides import Asides, RawHeaders
from atlas_conformance.http.client import Client
from atlas_conformance.http.failures import Withheld
from atlas_conformance.http.target import Target
from tests.targets.scripted_wire import WireServer, answer

PATH = "/api/atlas/v2/groups/0123456789abcdef01234567/flexClusters/a/backup/restoreJobs"
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nServer: mdbws\r\n\r\n"


def said(*pieces: bytes) -> list[RawHeaders]:
    """What the bytes of one answer, coming in these pieces, say beside it."""
    heard: list[RawHeaders] = []
    asides = Asides(heard.append)
    asides.begin()
    for piece in pieces:
        asides.take(piece)
    asides.end()
    return heard


@given(st.lists(st.integers(1, 200), max_size=12))
def test_however_the_bytes_come(cuts: list[int]) -> None:
    whole = HINTS + b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED + b"2\r\n{}\r\n00;x=1\r\nVia: 1.1 x\r\nEtag: 0\r\n\r\n"
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = [whole[start:end] for start, end in itertools.pairwise(places)]
    assert said(*pieces) == [[(b"Server", b"mdbws")], [], [(b"Via", b"1.1 x"), (b"Etag", b"0")]]


@pytest.mark.parametrize(
    "whole",
    [
        b"",
        answer(200),
        CHUNKED + b"2\r\n{}\r\n0\r\n\r\n",
        # Bytes of a body are no interim answer.
        answer(200, HINTS),
        b"HTTP/1.1 103 Early",
        b"H",
    ],
)
def test_nothing_is_said_beside(whole: bytes) -> None:
    assert said(whole) == []


def test_a_line_may_end_without_a_carriage_return() -> None:
    assert said(b"HTTP/1.1 103 x\nVia: y\n\n" + answer()) == [[(b"Via", b"y")]]


def test_one_that_never_ends_is_given_up() -> None:
    assert said(b"HTTP/1.1 103 x\r\n", *[b"a: b\r\n" * 1_000] * 40, b"\r\n") == []


@pytest.mark.parametrize(
    "tell", [HINTS + answer(200), CHUNKED + b"2\r\n{}\r\n0\r\nVia: 1.1 x\r\n\r\n"], ids=["interim", "trailer"]
)
def test_nothing_is_written_after_such_a_tell(server: WireServer, tell: bytes) -> None:
    create = Request("POST", PATH, (), b"{}")
    with Client(Target(server.url)) as client:
        server.script = lambda arrival: answer(400)
        assert client.send(create).response.status == 400
        server.script = lambda arrival: tell
        assert client.send(Request("GET", PATH)).response.body == b"{}"
        assert client.guard.remote
        with pytest.raises(Withheld, match="its answers carry"):
            client.send(create)
    assert [arrival.method for arrival in server.arrivals] == ["POST", "GET"]
