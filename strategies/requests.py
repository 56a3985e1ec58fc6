"""Building requests: the ordinary form of each operation, and the case that a suite makes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from atlas_conformance.contracts.exchange import Credential, Headers, Request, Scheme
from atlas_conformance.contracts.media import asked_media_type
from atlas_conformance.contracts.operation import Operation

_FEW = 10
_STRING = re.compile(r'(: ")([a-zA-Z0-9])')


@dataclass(frozen=True)
class Case:
    """A request and what it is meant to exercise.

    `breaks` is the one requirement that the request breaks, or None for a conforming request; `what` says in a few
    words what is particular to it.
    """

    request: Request
    breaks: str | None
    what: str


def headers(operation: Operation, accept: str | None = "") -> Headers:
    """Return the ordinary headers of a request; `accept` None leaves `Accept` out, "" asks for the operation's own."""
    sent = []
    if operation.kind == "create":
        sent.append(("Content-Type", "application/json"))
    wanted = asked_media_type(operation) if accept == "" else accept
    if wanted is not None:
        sent.append(("Accept", wanted))
    return tuple(sent)


def encode(document: Any) -> bytes:
    """Encode a JSON document compactly, in UTF-8; a lone surrogate, which UTF-8 cannot hold, is escaped."""
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError:
        return json.dumps(document, separators=(",", ":"), allow_nan=False).encode()


def other_writings(body: bytes) -> Iterator[bytes]:
    """Yield a JSON object of a body in other ways of writing: in reverse order, indented and with a letter of each
    value escaped; and with `links`, which every body may have.
    """
    document = json.loads(body)
    text = json.dumps(dict(reversed(document.items())), indent=2)
    yield _STRING.sub(lambda found: f"{found[1]}\\u{ord(found[2]):04x}", text).encode()
    yield encode(document | {"links": []})


def build(
    operation: Operation,
    parameters: Mapping[str, str],
    document: Any = None,
    *,
    query: Mapping[str, str] | None = None,
    credential: Credential = "owner",
    scheme: Scheme = "any",
    accept: str | None = "",
) -> Request:
    """Build the request of `operation` with these path parameters; `document`, where not None, becomes the body."""
    target = operation.expand(parameters)
    if query:
        target += "?" + "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in query.items())
    body = encode(document) if document is not None else None
    return Request(operation.method, target, headers(operation, accept), body, credential, scheme)


def with_query(request: Request, query: str) -> Request:
    """Return the request with this text added to its query."""
    return replace(request, target=f"{request.target}{'&' if '?' in request.target else '?'}{query}")


def short_page(request: Request, operation: Operation) -> Request:
    """Return a list's request for a page of a few jobs, where it does not ask for pages itself; any other as it is.

    What is asked of a list many times over, and is not about its jobs, need not move a hundred of them.
    """
    asks = any(name in ("itemsPerPage", "pageNum") for name, _ in request.query)
    return request if operation.kind != "list" or asks else with_query(request, f"itemsPerPage={_FEW}")


def with_header(request: Request, name: str, value: str | None) -> Request:
    """Return the request with this one value of a header, or without the header where `value` is None."""
    kept = tuple((k, v) for k, v in request.headers or () if k.lower() != name.lower())
    return replace(request, headers=kept if value is None else (*kept, (name, value)))
