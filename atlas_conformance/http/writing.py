"""Writing a request for the wire: the header lines and the target of HTTP/1.1, as bytes."""

from __future__ import annotations

from importlib import metadata
from urllib.parse import urlsplit

import httpcore

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.http.asides import RawHeaders
from atlas_conformance.http.failures import Unsendable
from atlas_conformance.http.target import Target

_FRAMED_METHODS = frozenset({"POST", "PUT", "PATCH"})


class RequestWriter:
    """Writes requests to one target, with what each of them carries besides its own headers: the target's as well.

    `host` is the target's host with its port, as it stands in the `Host` header.
    """

    def __init__(self, target: Target, user_agent: str | None = None) -> None:
        parts = urlsplit(target.base_url)
        self.host = parts.netloc
        self._host = parts.netloc.encode("ascii")
        self._base_path = parts.path.rstrip("/").encode("ascii")
        self._origin = (parts.scheme.encode(), (parts.hostname or "").encode("ascii"), parts.port)
        self._own = [(name, header.value) for name, header in target.headers.items()]
        self._agent = (user_agent or _user_agent(target.contact)).encode("ascii")

    def url(self, raw_target: bytes) -> httpcore.URL:
        """Return where a request target leads."""
        scheme, host, port = self._origin
        return httpcore.URL(scheme=scheme, host=host, port=port, target=raw_target)

    def written(self, request: Request) -> tuple[RawHeaders, bytes]:
        """Return the header lines, Authorization left out, and the request target, the base URL's path included.

        Raises Unsendable.
        """
        if not request.target.startswith("/"):
            raise Unsendable(request, "its target does not start with a slash")
        try:
            target = self._base_path + request.target.encode("ascii")
            own = [(name.encode("ascii"), value.encode("latin-1")) for name, value in request.headers or ()]
            request.method.encode("ascii")
        except UnicodeEncodeError:
            raise Unsendable(request, "its target or a header holds a letter that HTTP/1.1 cannot carry") from None
        present = {name.lower() for name, _ in own}
        headers: RawHeaders = [] if b"host" in present else [(b"Host", self._host)]
        if b"user-agent" not in present:
            headers.append((b"User-Agent", self._agent))
        if b"accept-encoding" not in present:
            headers.append((b"Accept-Encoding", b"gzip, deflate"))
        headers += own
        for name, value in self._own:
            if name.lower().encode() not in present:
                headers.append((name.encode("ascii"), value.reveal().encode("ascii")))
        body = request.body
        framed = body is not None or request.method in _FRAMED_METHODS
        if framed and b"content-length" not in present and b"transfer-encoding" not in present:
            headers.append((b"Content-Length", b"%d" % len(body or b"")))
        return headers, target


def _user_agent(contact: str | None) -> str:
    try:
        version = metadata.version("atlas-conformance")
    except metadata.PackageNotFoundError:
        version = "0"
    return f"atlas-conformance/{version}" + (f" (+{contact})" if contact else "")
