"""The httpx transports: what they judge, what they raise, and that nothing else changes for the client."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from typing import Any

import httpx
import pytest

from atlas_conformance.adapters import AsyncJudgingTransport, JudgingTransport, RequirementFailed, TrafficJudge
from tests.adapters.answering import HEADERS, JOB, LIST, READ, TOKEN, encoded, error, job, media_of

URL = "https://mock.example"


class Pieces(httpx.SyncByteStream):
    """A body that comes in pieces, and is not there before it is read."""

    def __init__(self, *pieces: bytes, breaks: bool = False) -> None:
        self.pieces, self.breaks, self.closed = pieces, breaks, False

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces
        if self.breaks:
            raise httpx.ReadError("cut off")

    def close(self) -> None:
        self.closed = True


class AsyncPieces(httpx.AsyncByteStream):
    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece


def answering(*answers: tuple[int, Any], stream: bool = False) -> Callable[[httpx.Request], httpx.Response]:
    """A handler that gives these answers in turn."""
    left = iter(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        status, document = next(left)
        body = encoded(document)
        headers = {"Content-Type": media_of(status)}
        if stream:
            return httpx.Response(status, headers=headers, stream=Pieces(body[:10], body[10:]))
        return httpx.Response(status, headers=headers, content=body)

    return handle


def client(traffic: TrafficJudge, handler: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
    return httpx.Client(transport=JudgingTransport(traffic, httpx.MockTransport(handler)), headers=HEADERS)


@pytest.mark.parametrize("stream", [False, True])
def test_a_conforming_answer_is_silent_and_counted(stream: bool) -> None:
    traffic = TrafficJudge(on_failure="raise")
    with client(traffic, answering((200, job()), (404, error(404)), stream=stream)) as http:
        assert http.get(URL + READ).json() == job()
        assert http.get(URL + READ.replace("5f1d", "0000")).status_code == 404
    assert (traffic.judged, traffic.failures) == (2, ())
    assert ("S-STATUS", "flex-get") in traffic.held
    traffic.assert_conforming()


@pytest.mark.parametrize("stream", [False, True])
def test_a_failing_answer_is_raised_with_all_that_a_reader_needs(stream: bool) -> None:
    traffic = TrafficJudge(on_failure="raise")
    with client(traffic, answering((200, job(status="DONE")), stream=stream)) as http:
        with pytest.raises(RequirementFailed) as raised:
            http.get(URL + READ)
    failed = raised.value
    assert (failed.requirement, failed.operation, failed.place) == ("S-STATUS", "flex-get", "/response/body/status")
    assert "DONE" in failed.seen
    assert failed.expected
    assert failed.source.startswith("Return One Restore Job for One Flex Cluster, Responses › 200 › status, https://")
    assert "S-STATUS does not hold on flex-get" in str(failed)
    assert READ in str(failed)


def test_failures_are_collected_once_each() -> None:
    traffic = TrafficJudge()
    with client(traffic, answering(*[(200, job(status="DONE"))] * 3, (418, error(418)))) as http:
        for _ in range(4):
            http.get(URL + READ)
    found = [failure.requirement for failure in traffic.failures]
    assert (found[0], found[-1], len(found)) == ("S-STATUS", "C-STATUS", len(set(found)))
    with pytest.raises(RequirementFailed, match="C-STATUS"):
        traffic.assert_conforming()


def test_a_history_over_several_exchanges_is_judged() -> None:
    traffic = TrafficJudge(on_failure="raise")
    done = job(status="COMPLETED", restoreFinishedDate="2026-01-03T00:00:00Z")
    with client(traffic, answering((200, job()), (200, done), (200, job()))) as http:
        http.get(URL + READ)
        http.get(URL + READ)
        with pytest.raises(RequirementFailed) as raised:
            http.get(URL + READ)
    assert "S-FLOW" in {failure.requirement for failure in raised.value.failures}


def test_a_list_page_is_judged_and_its_jobs_are_followed() -> None:
    traffic = TrafficJudge()
    page = {"results": [job(status="COMPLETED", restoreFinishedDate="2026-01-03T00:00:00Z")], "totalCount": 1}
    with client(traffic, answering((200, page), (200, job()))) as http:
        http.get(URL + LIST)
        http.get(URL + READ)
    assert {failure.requirement for failure in traffic.failures} == {"S-FLOW"}


def test_other_hosts_and_paths_pass_unjudged() -> None:
    traffic = TrafficJudge(base_url=f"{URL}:443/base/", on_failure="raise")
    wrong = (200, {"anything": True})
    with client(traffic, answering(*[wrong] * 5)) as http:
        for url in ("https://other.example/base" + READ, f"http://mock.example/base{READ}", f"{URL}{READ}"):
            assert http.get(url).json() == {"anything": True}
        assert http.get(f"{URL}/base/api/atlas/v2/clusters").json() == {"anything": True}
        assert http.get(f"{URL}/baseless{READ}").json() == {"anything": True}
    assert traffic.judged == 0
    with pytest.raises(AssertionError, match="no exchange was judged"):
        traffic.assert_conforming()


def test_an_envelope_and_a_compressed_body_are_read() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        body = gzip.compress(encoded({"status": 200, "content": job(status="DONE")}))
        headers = {"Content-Type": media_of(200), "Content-Encoding": "gzip"}
        return httpx.Response(200, headers=headers, stream=Pieces(body[:20], body[20:]))

    traffic = TrafficJudge()
    with client(traffic, handle) as http:
        assert http.get(URL + READ + "?envelope=true").json()["status"] == 200
    failure = traffic.failures[0]
    assert (failure.requirement, failure.place) == ("S-STATUS", "/response/body/content/status")


def test_streams_pass_as_they_come() -> None:
    traffic = TrafficJudge(on_failure="raise")
    bodies = [Pieces(b"{", b"}"), Pieces(b"{", breaks=True), Pieces(b"{}")]
    left = iter(bodies)
    with client(traffic, lambda _: httpx.Response(200, headers={"Content-Type": "x/y"}, stream=next(left))) as http:
        with http.stream("GET", URL + READ) as response:
            assert next(response.iter_raw()) == b"{"
        with pytest.raises(httpx.ReadError):
            http.get(URL + READ)
        assert http.post(URL + LIST, content=iter([b"{", b"}"])).content == b"{}"
    assert all(body.closed for body in bodies)
    assert traffic.judged == 0
    assert sum(traffic.unjudged.values()) == 3


def test_an_error_of_the_wrapped_transport_reaches_the_client() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("too slow")

    traffic = TrafficJudge()
    with client(traffic, handle) as http, pytest.raises(httpx.ConnectTimeout):
        http.post(URL + LIST, json={"snapshotId": "x"})
    assert traffic.unjudged == {"have no answer": 1}


def test_credentials_never_stay() -> None:
    traffic = TrafficJudge()
    echo = error(400, errorCode=f"Bearer {TOKEN}", detail=TOKEN, parameters=TOKEN)
    with client(traffic, answering((400, echo))) as http:
        assert http.get(URL + READ).json() == echo
    assert len(traffic.failures) >= 2
    assert TOKEN not in repr(traffic.failures) + "".join(map(str, traffic.failures))


def test_a_known_departure_fails_only_when_asked() -> None:
    answer = error(404, parameters=None)
    lax, strict = TrafficJudge(), TrafficJudge(strict=True)
    for traffic in (lax, strict):
        with client(traffic, answering((404, answer))) as http:
            http.get(URL + READ)
    assert (len(lax.failures), len(lax.known_departures)) == (0, 1)
    assert lax.known_departures[0].departure is not None
    assert (len(strict.failures), len(strict.known_departures)) == (1, 0)


def test_a_challenge_is_no_failure_of_valid_credentials() -> None:
    traffic = TrafficJudge(credential="owner", on_failure="raise")
    with client(traffic, answering((401, error(401)), (200, job()))) as http:
        assert http.get(URL + READ).status_code == 401
        assert http.get(URL + READ).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_the_asynchronous_transport_does_the_same(stream: bool) -> None:
    body = encoded(job(status="DONE"))

    def handle(request: httpx.Request) -> httpx.Response:
        headers = {"Content-Type": media_of(200)}
        if stream:
            return httpx.Response(200, headers=headers, stream=AsyncPieces(body[:9], body[9:]))
        return httpx.Response(200, headers=headers, content=body)

    async def ask(traffic: TrafficJudge) -> httpx.Response:
        transport = AsyncJudgingTransport(traffic, httpx.MockTransport(handle))
        async with httpx.AsyncClient(transport=transport, headers=HEADERS) as http:
            return await http.get(URL + READ)

    traffic = TrafficJudge()
    assert asyncio.run(ask(traffic)).json()["id"] == JOB
    assert traffic.failures[0].requirement == "S-STATUS"
    with pytest.raises(RequirementFailed):
        asyncio.run(ask(TrafficJudge(on_failure="raise")))


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ValueError, match="on_failure"):
        TrafficJudge(on_failure="explode")  # type: ignore[arg-type]
    for url in ("mock.example/base", "ftp://mock.example", "http://mock.example:port", "http://["):
        with pytest.raises(ValueError, match="base_url"):
            TrafficJudge(base_url=url)


class Started(httpx.MockTransport):
    """A transport that works only between its start and its end."""

    up = False

    def __enter__(self) -> Started:
        self.up = True
        return self

    def __exit__(self, *_: object) -> None:
        self.up = False

    async def __aenter__(self) -> Started:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()


def test_a_wrapped_transport_is_entered_and_left() -> None:
    wrapped = Started(answering((200, job())))
    with httpx.Client(transport=JudgingTransport(TrafficJudge(), wrapped), headers=HEADERS) as http:
        assert wrapped.up
        http.get(URL + READ)
    assert not wrapped.up

    async def asked() -> None:
        async with httpx.AsyncClient(transport=AsyncJudgingTransport(TrafficJudge(), wrapped)):
            assert wrapped.up

    asyncio.run(asked())
    assert not wrapped.up


def test_an_encoding_that_only_the_client_knows_is_undone_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Reversed:
        def decode(self, data: bytes) -> bytes:
            return data[::-1]

        def flush(self) -> bytes:
            return b""

    def handle(request: httpx.Request) -> httpx.Response:
        headers = {"Content-Type": media_of(200), "Content-Encoding": request.headers["Accept-Encoding"]}
        return httpx.Response(200, headers=headers, stream=Pieces(encoded(job(status="DONE"))[::-1]))

    decoders = import_module("httpx._decoders")
    monkeypatch.setitem(decoders.SUPPORTED_DECODERS, "br", Reversed)
    traffic = TrafficJudge()
    for encoding in ("br", "unheard-of"):
        with client(traffic, handle) as http:
            http.get(URL + READ, headers={"Accept-Encoding": encoding})
    assert (traffic.judged, sum(traffic.unjudged.values())) == (1, 1)
    assert "S-STATUS" in {failure.requirement for failure in traffic.failures}
