"""requests: an adapter that wraps another one and judges each exchange that goes by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from atlas_conformance.adapters.traffic import Passage, TrafficJudge, decoded


class JudgingAdapter(BaseAdapter):
    """Passes every request to `wrapped` (None: the default adapter) and shows the exchange to `traffic`.

    Mount it with `session.mount("https://", JudgingAdapter(traffic))`. An answer that is asked for with `stream=True`,
    and a request whose body is a stream, are not judged. What `HTTPDigestAuth` sends after a 401 is.
    """

    def __init__(self, traffic: TrafficJudge, wrapped: BaseAdapter | None = None) -> None:
        super().__init__()
        self._traffic = traffic
        self._wrapped = wrapped if wrapped is not None else HTTPAdapter()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request. Raises what the wrapped adapter does, and RequirementFailed if the judge raises."""
        given: dict[str, Any] = {"timeout": timeout, "verify": verify, "cert": cert, "proxies": proxies}
        passage = self._begin(request, stream)
        if passage is None:
            return self._by_way_of_this(self._wrapped.send(request, stream=stream, **given))
        try:
            response = self._by_way_of_this(self._wrapped.send(request, stream=stream, **given))
            content = response.content or b""
        except BaseException:
            passage.lose()
            raise
        headers = response.headers.items()
        passage.answered(response.status_code, decoded(headers) if _is_undone(response) else list(headers))
        passage.add(content)
        passage.complete()
        return response

    def _by_way_of_this(self, response: requests.Response) -> requests.Response:
        """Return a response whose `connection`, by which `HTTPDigestAuth` sends, is this adapter."""
        if getattr(response, "connection", None) is self._wrapped:
            response.connection = self  # type: ignore[assignment]
        return response

    def _begin(self, request: requests.PreparedRequest, stream: bool) -> Passage | None:
        """Note a request; None where its exchange is not judged."""
        url = request.url or ""
        if not self._traffic.concerns(url):
            return None
        body = request.body
        if isinstance(body, str):
            body = body.encode()
        if stream or not isinstance(body, bytes | None):
            self._traffic.skip("have a body that is a stream")
            return None
        headers = [(_text(name), _text(value)) for name, value in request.headers.items()]
        return self._traffic.begin(request.method or "", url, headers, body or b"")

    def close(self) -> None:
        """Close the wrapped adapter."""
        self._wrapped.close()


def _is_undone(response: requests.Response) -> bool:
    """Whether the body is read without its content encodings: urllib3 names those that it knows here."""
    known = getattr(response.raw, "CONTENT_DECODERS", None)
    encodings = [name.strip().lower() for name in response.headers.get("Content-Encoding", "").split(",")]
    return known is None or all(name in ("", "identity", *known) for name in encodings)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
