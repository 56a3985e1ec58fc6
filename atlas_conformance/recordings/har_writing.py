"""Writing exchanges into a HAR 1.2 file that is whole after each of them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from atlas_conformance.contracts.exchange import Exchange, Headers

_BODILESS = ("GET", "HEAD", "DELETE", "OPTIONS")
_TAIL = b"\n]}}\n"


class HarWriter:
    """A HAR file that grows by one entry at a time; whoever ends the process leaves a whole file behind."""

    def __init__(self, path: Path, origin: str) -> None:
        """Create the file, replacing any that is there; `origin` is written before each request target.

        Raises OSError where it cannot be written.
        """
        self._origin = origin
        self._entries = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")
        creator = {"name": "atlas-conformance", "version": metadata.version("atlas-conformance")}
        head = orjson.dumps({"version": "1.2", "creator": creator})
        self._file.write(b'{"log": ' + head[:-1] + b',"entries":[')
        self._end()

    def __enter__(self) -> HarWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def add(self, exchange: Exchange) -> None:
        """Append an exchange, which must be redacted already. Raises OSError where it cannot be written."""
        self._file.seek(-len(_TAIL), 2)
        self._file.write((b"," if self._entries else b"") + b"\n" + orjson.dumps(_entry(exchange, self._origin)))
        self._entries += 1
        self._end()

    def _end(self) -> None:
        self._file.write(_TAIL)
        self._file.flush()


def _entry(exchange: Exchange, origin: str) -> dict[str, Any]:
    request, response = exchange.request, exchange.response
    started = datetime.fromtimestamp(exchange.started, UTC)
    milliseconds = max(0.0, round((exchange.ended - exchange.started) * 1000, 3))
    sent: dict[str, Any] = {
        "method": request.method,
        "url": origin + request.target,
        "httpVersion": "HTTP/1.1",
        "headers": _pairs(request.headers or ()),
        "queryString": [{"name": name, "value": value} for name, value in request.query],
        "cookies": [],
        "headersSize": -1,
        "bodySize": len(request.body or b""),
    }
    if request.body or request.method not in _BODILESS:  # nothing else says that a body is empty
        sent["postData"] = {"mimeType": request.header("content-type") or "", **_text(request.body or b"")}
    content = {"size": len(response.body), "mimeType": response.header("content-type") or ""}
    return {
        "startedDateTime": started.isoformat(timespec="microseconds"),
        "time": milliseconds,
        "request": sent,
        "response": {
            "status": response.status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "headers": _pairs(response.headers),
            "cookies": [],
            "redirectURL": response.header("location") or "",
            "headersSize": -1,
            "bodySize": -1,
            "content": {**content, **_text(response.body)},
        },
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
    }


def _pairs(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _text(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode("ascii"), "encoding": "base64"}
