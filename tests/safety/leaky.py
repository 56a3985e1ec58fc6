"""An endpoint that gives away what it gets, and hands out keys of its own: a front of the reference endpoint.

Whatever credential comes in goes back out in headers and bodies, in many spellings; cookies, nonces and download URLs
are added. All that must not be found in anything that a run writes is remembered in `canaries`.
"""

from __future__ import annotations

import base64
import html
import http.client
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit

_MOST_CANARIES = 120
"""Beyond so many, nonces and signatures of further requests are not remembered: there is one of each per request."""
_FIELD = re.compile(r'\b(nonce|cnonce|response)="([^"]+)"')
COOKIE = "c4n4ry-cookie-5Jq2"
PATH_KEY = "c4n4ry-path-8Tz1"
QUERY_KEY = "c4n4ry-query-3Rw9"
KEY_URL = f"https://downloads.example.test/{PATH_KEY}/x.tgz?signature={QUERY_KEY}"


def spellings(value: str) -> list[str]:
    """Return a value as endpoints write it when they repeat it."""
    code = base64.b64encode(value.encode()).decode()
    return [
        value,
        quote(value, safe=""),
        quote(quote(value, safe=""), safe=""),
        code,
        base64.b64encode(f"x{value}".encode()).decode(),
        base64.b64encode(f"user {value}".encode()).decode(),
        base64.urlsafe_b64encode(value.encode()).decode(),
        value.encode().hex(),
        "".join(f"\\u{ord(letter):04x}" for letter in value),
        value[0] + "".join(f"\\u{ord(letter):04X}" for letter in value[1:3]) + value[3:],
        "".join(f"%{ord(letter):02x}" for letter in value),
        html.escape(value),
        "".join(f"&#{ord(letter)};" for letter in value),
        value.upper(),
        value.swapcase(),
        ":".join(f"{byte:02X}" for byte in value.encode()),
        " ".join(f"{byte:02x}" for byte in value.encode()),
        quote(code, safe=""),
        "".join(f"%25{ord(letter):02X}" for letter in value),
        value[::-1],
    ]


class Leaky:
    """Serves on loopback as a context manager; `url` is its base URL."""

    def __init__(self, upstream: str) -> None:
        self.canaries: set[str] = {COOKIE, PATH_KEY, QUERY_KEY}
        self._lock = threading.Lock()
        host = urlsplit(upstream).netloc
        leaky = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                connection = http.client.HTTPConnection(host, timeout=10)
                kept = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                try:
                    connection.request(self.command, self.path, body or None, kept)
                    answer = connection.getresponse()
                    leaky.answer(self, answer.status, answer.getheaders(), answer.read())
                finally:
                    connection.close()

            do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = do_OPTIONS = _serve

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Leaky:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def answer(self, handler: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Send an answer with everything given away that is known."""
        given = handler.headers.get("Authorization") or ""
        told = self._told(given)
        for name, value in headers:
            if name.lower() == "www-authenticate":
                told += [match[2] for match in _FIELD.finditer(value)]
        with self._lock:
            if len(self.canaries) < _MOST_CANARIES:
                self.canaries.update(value for value in told if len(value) > 5)
        body = self._body(status, body, [given, *told] if given else told)
        handler.send_response_only(status)
        for name, value in headers:
            if name.lower() != "content-length":
                handler.send_header(name, value)
        for number, value in enumerate([given, *told] if given else told):
            for turn, spelling in enumerate(spellings(value)[:6]):
                handler.send_header(f"X-Echo-{number}-{turn}", spelling or "none")
        handler.send_header("Set-Cookie", f"session={COOKIE}; Path=/; HttpOnly")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD" and status != 204:
            handler.wfile.write(body)

    @staticmethod
    def _told(given: str) -> list[str]:
        scheme, _, rest = given.partition(" ")
        if scheme.lower() == "digest":
            return [match[2] for match in _FIELD.finditer(rest)]
        if scheme.lower() == "basic":
            return base64.b64decode(rest).decode().split(":", 1) if len(rest) > 20 else []
        return [rest] if len(rest) > 10 else []

    def _body(self, status: int, body: bytes, told: list[str]) -> bytes:
        try:
            document: Any = json.loads(body)
        except ValueError:
            return body
        if not isinstance(document, dict):
            return body
        if "access_token" in document:
            with self._lock:
                self.canaries.add(document["access_token"])
            return body
        if status >= 400:
            said = " ".join(spelling for value in told for spelling in spellings(value))
            document["detail"] = f"cookie {COOKIE}; {said}"
            document["parameters"] = [{"header": value} for value in told]
        for job in [document, *[job for job in document.get("results", ()) if isinstance(job, dict)]]:
            if "id" in job:
                job["deliveryUrl"] = [KEY_URL, f"http:{KEY_URL}", f"/{PATH_KEY}", PATH_KEY]
                job["components"] = [{"downloadUrl": KEY_URL, "replicaSetName": "rs"}, {"downloadUrl": PATH_KEY}]
                job["snapshotUrl"] = KEY_URL.replace("https", "ftp")
        # Escapes that are in the text already stay as they are.
        return re.sub(rb"\\\\u([0-9a-fA-F]{4})", rb"\\u\1", json.dumps(document).encode())
