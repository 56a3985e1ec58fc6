"""httpx: transports that wrap another one and judge each exchange that goes by."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import TracebackType

import httpx

from atlas_conformance.adapters.traffic import Passage, TrafficJudge, decoded


class JudgingTransport(httpx.BaseTransport):
    """Passes every request to `wrapped` (None: the default transport) and shows the exchange to `traffic`.

    An answer is judged when its body has been read to the end; a request whose body is a stream is not judged.
    """

    def __init__(self, traffic: TrafficJudge, wrapped: httpx.BaseTransport | None = None) -> None:
        self._traffic = traffic
        self._wrapped = wrapped if wrapped is not None else httpx.HTTPTransport()

    def __enter__(self) -> JudgingTransport:
        self._wrapped.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._wrapped.__exit__(kind, error, traceback)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises what the wrapped transport does, and RequirementFailed if the judge raises."""
        passage = _begin(self._traffic, request)
        if passage is None:
            return self._wrapped.handle_request(request)
        try:
            response = self._wrapped.handle_request(request)
        except BaseException:
            passage.lose()
            raise
        if not _answered(passage, response):
            assert isinstance(response.stream, httpx.SyncByteStream)
            response.stream = _Stream(response.stream, passage)
        return response

    def close(self) -> None:
        """Close the wrapped transport."""
        self._wrapped.close()


class AsyncJudgingTransport(httpx.AsyncBaseTransport):
    """The same as `JudgingTransport`, for `httpx.AsyncClient`."""

    def __init__(self, traffic: TrafficJudge, wrapped: httpx.AsyncBaseTransport | None = None) -> None:
        self._traffic = traffic
        self._wrapped = wrapped if wrapped is not None else httpx.AsyncHTTPTransport()

    async def __aenter__(self) -> AsyncJudgingTransport:
        await self._wrapped.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self._wrapped.__aexit__(kind, error, traceback)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises what the wrapped transport does, and RequirementFailed if the judge raises."""
        passage = _begin(self._traffic, request)
        if passage is None:
            return await self._wrapped.handle_async_request(request)
        try:
            response = await self._wrapped.handle_async_request(request)
        except BaseException:
            passage.lose()
            raise
        if not _answered(passage, response):
            assert isinstance(response.stream, httpx.AsyncByteStream)
            response.stream = _AsyncStream(response.stream, passage)
        return response

    async def aclose(self) -> None:
        """Close the wrapped transport."""
        await self._wrapped.aclose()


class _Stream(httpx.SyncByteStream):
    """The body of an answer, noted as it is read."""

    def __init__(self, wrapped: httpx.SyncByteStream, passage: Passage) -> None:
        self._wrapped = wrapped
        self._passage = passage

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._wrapped:
            self._passage.add(piece)
            yield piece
        self._passage.undo(_undone)
        self._passage.complete()

    def close(self) -> None:
        self._passage.abandon()
        self._wrapped.close()


class _AsyncStream(httpx.AsyncByteStream):
    """The body of an answer, noted as it is read."""

    def __init__(self, wrapped: httpx.AsyncByteStream, passage: Passage) -> None:
        self._wrapped = wrapped
        self._passage = passage

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._wrapped:
            self._passage.add(piece)
            yield piece
        self._passage.undo(_undone)
        self._passage.complete()

    async def aclose(self) -> None:
        self._passage.abandon()
        await self._wrapped.aclose()


def _begin(traffic: TrafficJudge, request: httpx.Request) -> Passage | None:
    """Note a request; None where its exchange is not judged."""
    url = str(request.url)
    if not traffic.concerns(url):
        return None
    if not isinstance(request.stream, httpx.ByteStream):
        traffic.skip("have a request body that is a stream")
        return None
    return traffic.begin(request.method, url, _headers(request.headers), b"".join(request.stream))


def _answered(passage: Passage, response: httpx.Response) -> bool:
    """Note the head of an answer, and its body where that is there already; return whether it is."""
    headers = _headers(response.headers)
    try:
        content = response.content
    except httpx.ResponseNotRead:
        passage.answered(response.status_code, headers)
        return False
    passage.answered(response.status_code, decoded(headers))
    passage.add(content)
    passage.complete()
    return True


def _undone(encodings: str, body: bytes) -> bytes | None:
    """Undo content encodings as httpx does, which passes over those that it does not know."""
    try:
        content = httpx.Response(200, headers={"Content-Encoding": encodings}, content=body).content
    except httpx.DecodingError:
        return None
    return content if content != body else None


def _headers(headers: httpx.Headers) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw]
