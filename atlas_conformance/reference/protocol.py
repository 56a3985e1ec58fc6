"""The HTTP protocol under the application."""

from __future__ import annotations

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_OF_UPGRADES = frozenset({b"upgrade", b"http2-settings"})


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with the request target kept as it was received, and errors told as JSON.

    A client that offers to go on in another protocol, as Java's does with each of its first requests, is answered in
    this one: the offer is left out of the request, as RFC 9110 (7.8) lets a server do. The parser would drop the body.
    """

    _offer: bytes | None = None

    def data_received(self, data: bytes) -> None:
        """Take what has come from the client."""
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        except httptools.HttpParserUpgrade as upgrade:
            head, self._offer = self._offer, None
            if head is None:
                self._unsupported_upgrade_warning()
                return
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            self.data_received(head + data[upgrade.args[0] :])

    def on_headers_complete(self) -> None:
        """Note the request target, and what a reset needs, before the application is called."""
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._offer = self._without_offer()
            return
        self.scope["target"] = self.url  # type: ignore[typeddict-unknown-key]
        self.scope["transport"] = self.transport  # type: ignore[typeddict-unknown-key]
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        if self._offer is None:
            super().on_message_complete()

    def _without_offer(self) -> bytes:
        """Return the head of the request without its offer of another protocol."""
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        for name, value in self.headers:
            if name in _OF_UPGRADES:
                continue
            if name == b"connection":
                value = b",".join(one for one in value.split(b",") if one.strip().lower() not in _OF_UPGRADES)
            lines.append(name + b": " + value)
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP with an error body (`C-MEDIA`, `E-SCHEMA`)."""
        document = {"error": 400, "errorCode": "INVALID_HTTP_REQUEST", "detail": msg, "reason": "Bad Request"}
        body = orjson.dumps(document)
        head = f"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
        self.transport.close()
