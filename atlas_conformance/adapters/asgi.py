"""ASGI: a middleware that judges each exchange of the application below it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import quote

from atlas_conformance.adapters.failure import RequirementFailed
from atlas_conformance.adapters.traffic import Passage, TrafficJudge

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class JudgingMiddleware:
    """An ASGI application that passes everything to `app` and shows each exchange to `traffic`.

    Messages go through as they come. An exchange is judged when the application has sent the whole answer. What is to
    be raised is raised when it returns, so that it cannot catch it, a test client shows it and a server logs it. An
    exchange whose request the application did not read to its end, or whose answer it did not end, is not judged.
    """

    def __init__(self, app: Application, traffic: TrafficJudge) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one connection. Raises what the application does, and RequirementFailed if the judge raises."""
        scope = _with_list(scope)
        if scope["type"] != "http" or not self._traffic.concerns(_url(scope)):
            await self._app(scope, receive, send)
            return
        hearing = _Hearing(self._traffic, scope, receive, send)
        try:
            await self._app(scope, hearing.receive, hearing.send)
        except BaseException:
            hearing.lose()
            raise
        hearing.close()


class _Hearing:
    """One exchange: notes what the application receives and sends."""

    def __init__(self, traffic: TrafficJudge, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._body = bytearray()
        headers = _headers(scope["headers"])
        # An application may answer without having read the body, which then is not known.
        self._request_read = not any(
            name.lower() == "transfer-encoding" or (name.lower() == "content-length" and value.strip() != "0")
            for name, value in headers
        )
        self._answer_sent = False
        self._failed: RequirementFailed | None = None
        self._passage: Passage = traffic.begin(scope["method"], _url(scope), headers, b"")

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._passage.sent(message.get("body", b""))
            self._request_read = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        message = _with_list(message)
        await self._send(message)
        if message["type"] == "http.response.start":
            self._passage.answered(message["status"], _headers(message.get("headers", ())))
        elif message["type"] == "http.response.body":
            self._passage.add(message.get("body", b""))
            self._answer_sent = not message.get("more_body", False)
            if self._answer_sent:
                self._passage.end()
                if self._request_read:
                    self._judge()

    def lose(self) -> None:
        self._passage.lose()

    def close(self) -> None:
        if self._answer_sent and self._request_read:
            self._judge()
        else:
            self._passage.abandon()
        if self._failed is not None:
            raise self._failed

    def _judge(self) -> None:
        try:
            self._passage.complete()
        except RequirementFailed as failed:
            self._failed = failed


def _with_list(holder: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return a scope or a message whose headers can be read twice: they may be any iterable."""
    headers = holder.get("headers", ())
    return holder if isinstance(headers, list | tuple) else {**holder, "headers": list(headers)}


def _url(scope: MutableMapping[str, Any]) -> str:
    """Return the URL of a request, its path as it was sent where the server tells that."""
    raw: bytes | None = scope.get("raw_path")
    path = raw.decode("latin-1").partition("?")[0] if raw else quote(scope["path"], safe="/:@!$&'()*+,;=-._~")
    query = scope.get("query_string", b"").decode("latin-1")
    headers = {name.lower(): value for name, value in scope["headers"]}
    host = headers.get(b"host", b"").decode("latin-1")
    if not host:
        server = scope.get("server") or ("localhost", None)
        host = server[0] if server[1] is None else f"{server[0]}:{server[1]}"
    return f"{scope.get('scheme', 'http')}://{host}{path}{'?' if query else ''}{query}"


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs]
