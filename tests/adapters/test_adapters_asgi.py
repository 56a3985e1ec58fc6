"""The ASGI middleware: what it judges, what it raises, and that every message passes as it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from atlas_conformance.adapters import JudgingMiddleware, RequirementFailed, TrafficJudge
from tests.adapters.answering import HEADERS, LIST, READ, TOKEN, encoded, error, job, media_of

App = Callable[..., Awaitable[None]]


def answering(status: int, document: Any, *, stream: bool = False, reads: bool = True) -> App:
    """An application that gives this answer, with or without reading the body of the request first."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if reads:
            await Request(scope, receive).body()
        body = encoded(document)
        response: Response = Response(body, status, media_type=media_of(status))
        if stream:

            async def pieces() -> AsyncIterator[bytes]:
                yield body[:9]
                yield body[9:]

            response = StreamingResponse(pieces(), status, media_type=media_of(status))
        await response(scope, receive, send)

    return app


def ask(app: App, method: str = "GET", path: str = READ, **given: Any) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://mock.example", headers=HEADERS) as http:
            return await http.request(method, path, **given)

    return asyncio.run(asked())


@pytest.mark.parametrize("stream", [False, True])
def test_what_conforms_passes_and_what_fails_is_raised(stream: bool) -> None:
    traffic = TrafficJudge(on_failure="raise")
    assert ask(JudgingMiddleware(answering(200, job(), stream=stream), traffic)).json() == job()
    with pytest.raises(RequirementFailed) as raised:
        ask(JudgingMiddleware(answering(200, job(status="DONE"), stream=stream), traffic))
    assert raised.value.requirement == "S-STATUS"
    assert traffic.judged == 2


def test_a_history_is_judged_and_credentials_never_stay() -> None:
    traffic = TrafficJudge()
    done = job(status="COMPLETED", restoreFinishedDate="2026-01-03T00:00:00Z")
    for status, document in ((200, done), (200, job()), (400, error(400, errorCode=TOKEN))):
        ask(JudgingMiddleware(answering(status, document), traffic))
    assert {failure.requirement for failure in traffic.failures} >= {"S-FLOW", "E-CODE"}
    assert TOKEN not in repr(traffic.failures)


def test_the_body_of_a_request_is_read_along() -> None:
    traffic = TrafficJudge()
    ask(JudgingMiddleware(answering(200, job(status="PENDING")), traffic), "POST", LIST, json={"snapshotId": 3})
    assert "B-TYPE" in {failure.requirement for failure in traffic.failures}


def test_an_answer_without_a_look_at_the_body_is_not_judged() -> None:
    traffic = TrafficJudge(on_failure="raise")
    app = JudgingMiddleware(answering(200, {"odd": 1}, reads=False), traffic)
    assert ask(app, "POST", LIST, json={"snapshotId": 3}).json() == {"odd": 1}
    assert (traffic.judged, sum(traffic.unjudged.values())) == (0, 1)
    quick = TrafficJudge()
    ask(JudgingMiddleware(answering(200, job(), reads=False), quick))
    assert quick.judged == 1


def test_a_compressed_answer_is_read() -> None:
    traffic = TrafficJudge()
    app = GZipMiddleware(answering(200, job(status="DONE")), minimum_size=1)
    assert ask(JudgingMiddleware(app, traffic)).headers["content-encoding"] == "gzip"
    assert traffic.failures[0].requirement == "S-STATUS"


def test_other_paths_and_other_scopes_pass_unjudged() -> None:
    traffic = TrafficJudge(base_url="http://mock.example/base", on_failure="raise")
    app = JudgingMiddleware(answering(200, {"odd": 1}), traffic)
    for path in (READ, "/base/health"):
        assert ask(app, path=path).json() == {"odd": 1}
    seen: list[str] = []

    async def lifespan(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(JudgingMiddleware(lifespan, traffic)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]
    assert (traffic.judged, traffic.unjudged) == (0, {})


@pytest.mark.parametrize("host", [b"a:b", b"[", b"", b"\xff", b"mock.example:99999"])
def test_an_invalid_host_passes(host: bytes) -> None:
    traffic = TrafficJudge(base_url="http://mock.example", on_failure="raise")
    app = JudgingMiddleware(answering(200, {"odd": 1}, reads=False), traffic)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message["type"])

    scope = {"type": "http", "method": "GET", "path": READ, "query_string": b"", "headers": [(b"host", host)]}
    asyncio.run(app(scope, None, send))  # type: ignore[arg-type]
    assert sent == ["http.response.start", "http.response.body"]
    assert traffic.judged == 0


def test_an_error_of_the_application_passes() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("broken")

    traffic = TrafficJudge()
    with pytest.raises(RuntimeError, match="broken"):
        ask(JudgingMiddleware(broken, traffic))
    assert traffic.unjudged == {"have no answer": 1}


def test_an_answer_that_is_not_ended_is_not_judged() -> None:
    async def half(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})

    traffic = TrafficJudge(on_failure="raise")
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message["type"])

    scope = {"type": "http", "method": "GET", "path": READ, "query_string": b"", "headers": []}
    asyncio.run(JudgingMiddleware(half, traffic)(scope, None, send))  # type: ignore[arg-type]
    assert sent == ["http.response.start", "http.response.body"]
    assert (traffic.judged, sum(traffic.unjudged.values())) == (0, 1)


@pytest.mark.parametrize("breaks", [False, True])
def test_an_answer_is_judged_when_it_is_sent_whatever_the_application_does_afterwards(breaks: bool) -> None:
    traffic = TrafficJudge()
    judged_by_then: list[int] = []

    def going_on(document: Any) -> App:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await answering(200, document)(scope, receive, send)
            judged_by_then.append(traffic.judged)
            if breaks:
                raise RuntimeError("in the background")

        return app

    done = job(status="COMPLETED", restoreFinishedDate="2026-01-03T00:00:00Z")
    for document in (done, job()):
        if breaks:
            with pytest.raises(RuntimeError):
                ask(JudgingMiddleware(going_on(document), traffic))
        else:
            ask(JudgingMiddleware(going_on(document), traffic))
    assert judged_by_then == [1, 2]
    assert not traffic.unjudged
    assert "S-FLOW" in {failure.requirement for failure in traffic.failures}


def test_an_application_cannot_catch_what_is_raised() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await answering(200, job(status="DONE"))(scope, receive, send)
        except AssertionError:
            pytest.fail("the application was raised at")

    with pytest.raises(RequirementFailed):
        ask(JudgingMiddleware(app, TrafficJudge(on_failure="raise")))


def test_headers_may_be_any_iterable() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.extend(scope["headers"])

        async def sending(message: Any) -> None:
            if "headers" in message:
                message = {**message, "headers": iter(message["headers"])}
            await send(message)

        await answering(200, job())(scope, receive, sending)

    async def from_iterators(scope: Any, receive: Any, send: Any) -> None:
        await JudgingMiddleware(app, traffic)({**scope, "headers": iter(scope["headers"])}, receive, send)

    traffic = TrafficJudge(on_failure="raise")
    answer = ask(from_iterators)
    assert answer.headers["Content-Type"] == media_of(200)
    assert (b"accept", HEADERS["Accept"].encode()) in seen
    assert traffic.judged == 1
