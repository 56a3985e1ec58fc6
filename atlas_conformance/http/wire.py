"""One thread's line to an endpoint: kept-alive HTTP/1.1 connections on which a time limit covers the whole answer."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

import h11
import httpcore
import httpx

from atlas_conformance.http.asides import Asides, RawHeaders
from atlas_conformance.http.failures import TargetError
from atlas_conformance.http.secret import Secret
from atlas_conformance.http.target import Target

_WRITE_BYTES = 64 * 1024
_READ_BYTES = 64 * 1024
_SOCKET_OPTIONS: tuple[tuple[int, int, int], ...] = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)


class TooLarge(Exception):
    """A body, or what it decodes to, exceeds the size limit; the argument is the limit in bytes."""


class Undecodable(Exception):
    """A body does not undo its content encoding; the argument says why."""


class _Clock:
    """The moment (monotonic seconds) until which the current answer has time, and whether a connection was opened.

    `gate` is asked before each part of a request leaves, and raises where it must not. `asides` take what is read.
    """

    __slots__ = ("asides", "deadline", "gate", "opened")

    def __init__(self) -> None:
        self.deadline = float("inf")
        self.opened = False
        self.gate: Callable[[], object] | None = None
        self.asides: Asides | None = None

    def left(self, timeout: float | None) -> float:
        left = self.deadline - time.monotonic()
        return left if timeout is None or left < timeout else timeout


class _Stream(httpcore.NetworkStream):
    """A stream whose every step is bounded by the clock, so that a dripping peer cannot stretch an answer.

    What is short is kept until the answer is read: a request's head and body travel together, not in two packets.
    """

    def __init__(self, inner: httpcore.NetworkStream, clock: _Clock) -> None:
        self._inner = inner
        self._clock = clock
        self._kept = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._kept:
            # A peer may have closed its side before it was sent everything, and have said why: that is read then.
            with contextlib.suppress(httpcore.WriteError):
                self._flush(timeout)
        left = self._clock.left(timeout)
        if left <= 0:
            raise httpcore.ReadTimeout("time limit")
        data = self._inner.read(max_bytes, left)
        if self._clock.asides is not None:
            self._clock.asides.take(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._kept = self._kept + buffer if self._kept else buffer
        if len(self._kept) > _WRITE_BYTES:
            self._flush(timeout)

    def _flush(self, timeout: float | None) -> None:
        kept, self._kept = self._kept, b""
        for start in range(0, len(kept), _WRITE_BYTES):
            left = self._clock.left(timeout)
            if left <= 0:
                raise httpcore.WriteTimeout("time limit")
            if self._clock.gate is not None:
                self._clock.gate()
            self._inner.write(kept if len(kept) <= _WRITE_BYTES else kept[start : start + _WRITE_BYTES], left)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._clock.left(timeout)
        if left <= 0:
            raise httpcore.ConnectTimeout("time limit")
        if self._kept:
            self._flush(timeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Opens TCP connections and remembers the streams, so that they can be cut from another thread."""

    def __init__(self, clock: _Clock) -> None:
        self._inner = httpcore.SyncBackend()
        self._clock = clock
        self.latest: httpcore.NetworkStream | None = None

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        self._clock.opened = True
        left = self._clock.left(timeout)
        if left <= 0:
            raise httpcore.ConnectTimeout("time limit")
        stream = self._inner.connect_tcp(host, port, left, local_address, socket_options)
        self.latest = stream
        return _Stream(stream, self._clock)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Direct:
    """One connection without a proxy, kept alive and opened again where it is no longer good.

    A pool does the same for many, at a sixth of an exchange's cost.
    """

    def __init__(self, make: Callable[[httpcore.Origin], httpcore.HTTPConnection]) -> None:
        self._make = make
        self._connection: httpcore.HTTPConnection | None = None

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        connection = self._connection
        if connection is None or not connection.is_available() or connection.has_expired():
            self.close()
            connection = self._connection = self._make(request.url.origin)
        return connection.handle_request(request)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class Reply:
    """What came back: status, raw headers in order, and the body with its content encoding undone."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: RawHeaders, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Line:
    """Connections of one thread to one endpoint; not to be shared between threads, save `cut` and `close`."""

    def __init__(
        self, target: Target, context: ssl.SSLContext | None, heard: Callable[[RawHeaders], object] | None = None
    ) -> None:
        """`heard` is called with the headers of each answer, interim ones too, as soon as they are there, before the
        body is read, and with its trailers.
        """
        self._heard = heard
        self._limits = target.limits
        self._clock = _Clock()
        if heard is not None:
            self._clock.asides = Asides(heard)
        self._backend = _Backend(self._clock)
        self._transport = _transport(target, context, self._backend)
        step = {"connect": target.limits.connect_seconds, "read": None, "write": None, "pool": 1.0}
        self._extensions = {"timeout": step}

    @property
    def opened(self) -> bool:
        """Whether the latest `send` opened a connection; false means that it used a kept one."""
        return self._clock.opened

    def send(
        self,
        url: httpcore.URL,
        method: bytes,
        headers: RawHeaders,
        body: bytes | None,
        authorization: Secret | None = None,
        gate: Callable[[], object] | None = None,
    ) -> Reply:
        """Send one request and read the whole answer; `authorization` is the value of that header.

        `gate` is called at the last moment before anything leaves. Raises httpcore's exceptions, TooLarge, Undecodable,
        and what `gate` raises. Every connection that did not end well is dropped.
        """
        clock = self._clock
        clock.gate = gate
        clock.opened = False
        clock.deadline = time.monotonic() + self._limits.timeout_seconds
        asides = clock.asides
        if asides is not None:
            asides.begin()
        content = (body,) if body else ()
        if authorization is not None:
            headers = [*headers, (b"Authorization", authorization.reveal().encode("latin-1"))]
        request = httpcore.Request(method, url, headers=headers, content=content, extensions=self._extensions)
        response = self._transport.handle_request(request)
        try:
            if self._heard is not None:
                self._heard(response.headers)
            received = 0
            chunks: list[bytes] = []
            limit = self._limits.body_bytes
            stream = response.stream
            assert isinstance(stream, Iterable)
            for chunk in stream:
                received += len(chunk)
                if received > limit:
                    raise TooLarge(limit)
                chunks.append(chunk)
        finally:
            more = _more_was_sent(stream)
            response.close()
            if more:
                # What follows an answer unasked must not be taken for the answer to the next request.
                self._transport.close()
        answer = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        for name, value in response.headers:
            if len(name) == 17 and asides is not None and name.lower() == b"transfer-encoding":
                asides.end()
            if len(name) == 16 and name.lower() == b"content-encoding":
                answer = decoded(answer, value.decode("latin-1"), limit)
        return Reply(response.status, response.headers, answer)

    def cut(self) -> None:
        """Break the connection under a running `send` of another thread, which then raises at once."""
        self._clock.deadline = 0.0
        latest = self._backend.latest
        connection = latest.get_extra_info("socket") if latest is not None else None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close every connection."""
        with contextlib.suppress(Exception):
            self._transport.close()


def _more_was_sent(stream: object) -> bool:
    """Whether bytes beyond the end of the answer have been received; httpcore and h11 keep them for the next one."""
    connection = getattr(getattr(stream, "_stream", stream), "_connection", None)
    state = getattr(connection, "_h11_state", None)
    return state is not None and state.their_state is h11.DONE and bool(state.trailing_data[0])


def decoded(body: bytes, encodings: str, limit: int) -> bytes:
    """Undo `gzip` and `deflate`, alone or stacked, without ever holding more than `limit` bytes of output.

    Raises TooLarge beyond the limit, and Undecodable for what is neither, or is broken off.
    """
    names = [name.strip().lower() for name in encodings.split(",")]
    for name in reversed(names):
        if name in ("", "identity") or not body:
            continue
        if name not in ("gzip", "x-gzip", "deflate"):
            raise Undecodable(f"the body's content encoding {name[:40]!r} was not asked for")
        raw = name == "deflate" and not (body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0)
        window = 31 if name != "deflate" else -15 if raw else 15
        inflater = zlib.decompressobj(window)
        try:
            body = inflater.decompress(body, limit + 1)
        except zlib.error as error:
            raise Undecodable(f"the body is not what its content encoding {name} says ({error})") from None
        if len(body) > limit:
            raise TooLarge(limit)
        if not inflater.eof:
            raise Undecodable(f"the body's {name} encoding is broken off")
    return body


def tls_context(target: Target) -> ssl.SSLContext | None:
    """Return the TLS settings of a target (None for plain http); raise TargetError for unusable certificate files."""
    if not target.base_url.startswith("https://"):
        return None
    try:
        if target.tls.ca_file:
            context = ssl.create_default_context(cafile=target.tls.ca_file)
        else:
            context = httpx.create_ssl_context()
        if target.tls.client_certificate:
            # An empty password keeps an encrypted key from asking at the terminal.
            context.load_cert_chain(target.tls.client_certificate, target.tls.client_key, password="")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or "not PEM"
        raise TargetError(f"a certificate or key file under [tls] is unusable ({reason})") from None
    return context


def proxy_for(target: Target) -> str | None:
    """Return the proxy that the environment names for the target's host; never one for loopback."""
    parts = urlsplit(target.base_url)
    if target.loopback or proxy_bypass_environment(parts.netloc.rpartition("@")[2]):
        return None
    proxies = getproxies_environment()
    return proxies.get(parts.scheme) or proxies.get("all") or None


def _transport(
    target: Target, context: ssl.SSLContext | None, backend: httpcore.NetworkBackend
) -> _Direct | httpcore.HTTPProxy:
    proxy = proxy_for(target)
    if proxy is None:
        return _Direct(
            lambda origin: httpcore.HTTPConnection(
                origin,
                ssl_context=context,
                keepalive_expiry=60.0,
                network_backend=backend,
                socket_options=_SOCKET_OPTIONS,
            )
        )
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise TargetError("the proxy that the environment names is not an http or https URL")
    auth = None
    if parts.username is not None:
        auth = (unquote(parts.username), unquote(parts.password or ""))
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return httpcore.HTTPProxy(
        proxy_url=f"{parts.scheme}://{host}:{port}",
        proxy_auth=auth,
        ssl_context=context,
        max_connections=1,
        keepalive_expiry=60.0,
        network_backend=backend,
        socket_options=_SOCKET_OPTIONS,
    )
