"""An exchange: one request sent to an endpoint and the response that came back.

The same types carry live traffic, recorded traffic and load, so the judge is written once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias, get_args
from urllib.parse import parse_qsl, unquote

from atlas_conformance.contracts import slips
from atlas_conformance.contracts.naming import kind_of

Headers: TypeAlias = tuple[tuple[str, str], ...]

Credential: TypeAlias = Literal[
    "owner", "reader", "off-list", "wrong", "wrong-secret", "cut-token", "changed-token", "recased-token",
    "known-nonce", "basic", "none", "unknown",
]  # fmt: skip
"""Whose credentials a request carries: a Project Owner's, a lesser role's, an owner's from an address outside the API
access list, ones that nobody has, ones that are nearly the owner's (see `NEARLY_RIGHT`), none at all, or (recorded
traffic) not known."""

CREDENTIALS: tuple[Credential, ...] = get_args(Credential)
"""Whose credentials a request may carry."""

NEARLY_RIGHT: frozenset[Credential] = frozenset(
    {"wrong-secret", "cut-token", "changed-token", "recased-token", "known-nonce", "basic"}
)
"""The owner's with something wrong: another secret (of a token: one letter more), a token without its last character,
with another last one, or in swapped case; by digest a wrong response to a nonce that has let a request in; and the
public key by HTTP Basic with another private key."""

NOBODY: frozenset[Credential] = NEARLY_RIGHT | {"none", "wrong"}
"""Credentials that let nobody in."""

Scheme: TypeAlias = Literal["any", "digest", "bearer"]
"""Which authentication scheme carries the credential; `any` leaves the choice to the client."""

SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
"""The schemes that a request may ask for."""


def header(headers: Headers | None, name: str) -> str | None:
    """Return the first value of the header `name` (any case), or None where it is absent or not recorded."""
    wanted = name.lower()
    for key, value in headers or ():
        if key.lower() == wanted:
            return value
    return None


@dataclass(frozen=True)
class Request:
    """A request to one endpoint.

    `target` is the origin-form request target after the endpoint's base URL: it starts with `/api/` and is already
    percent-encoded, query included. `headers` are those the request itself asks for (never credentials); None means
    that a recording left them out. `body` None means no body, unless `body_recorded` is false: then it is not known.
    A list of headers is taken as a tuple, and a bytearray as bytes; other types raise TypeError.
    """

    method: str
    target: str
    headers: Headers | None = ()
    body: bytes | None = None
    credential: Credential = "owner"
    scheme: Scheme = "any"
    body_recorded: bool = True

    def __post_init__(self) -> None:
        # Every exchange of a run comes by here, so the usual types are told at a glance.
        if self.method.__class__ is not str:
            slips.check_text("method", self.method)
        if self.target.__class__ is not str:
            slips.check_text("target", self.target)
        if self.headers.__class__ is not tuple and self.headers is not None:
            object.__setattr__(self, "headers", slips.pairs(self.headers, "request"))
        if self.body.__class__ is not bytes and self.body is not None:
            object.__setattr__(self, "body", slips.octets(self.body, "request", "None"))

    @cached_property
    def path(self) -> str:
        """The path of the target, still percent-encoded, without the query."""
        return self.target.partition("?")[0]

    @cached_property
    def query(self) -> tuple[tuple[str, str], ...]:
        """The decoded query parameters in order, blank values kept."""
        return tuple(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    def parameter(self, name: str) -> str | None:
        """Return the last value of the query parameter `name`, or None."""
        return next((value for key, value in reversed(self.query) if key == name), None)

    def header(self, name: str) -> str | None:
        """Return the first value of the header `name`, or None where absent or not recorded."""
        return header(self.headers, name)


@dataclass(frozen=True)
class Response:
    """A response: its status code, headers in the order received, and the decoded body (content encodings undone).

    A list of headers is taken as a tuple, and a bytearray as bytes; other types raise TypeError.
    """

    status: int
    headers: Headers
    body: bytes

    def __post_init__(self) -> None:
        if self.status.__class__ is not int:
            slips.check_status(self.status)
        if self.headers.__class__ is not tuple:
            object.__setattr__(self, "headers", slips.pairs(self.headers, "response"))
        if self.body.__class__ is not bytes:
            object.__setattr__(self, "body", slips.octets(self.body, "response", "b''"))

    def header(self, name: str) -> str | None:
        """Return the first value of the header `name`, or None."""
        return self._by_name.get(name.lower())

    @property
    def asks_to_wait(self) -> bool:
        """Whether it only asks to come back later: 429, or 503 with `Retry-After`."""
        return self.status == 429 or (self.status == 503 and self.header("retry-after") is not None)

    @cached_property
    def _by_name(self) -> dict[str, str]:
        return {key.lower(): value for key, value in reversed(self.headers)}

    @cached_property
    def content_type(self) -> str:
        """The lower-case media type of the body without parameters; empty where the header is absent."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Exchange:
    """One request and its response.

    `started` and `ended` are seconds since the Unix epoch (floats) taken just before the request was sent and just
    after the response was read: two exchanges whose intervals overlap may have been served in either order.
    """

    request: Request
    response: Response
    started: float
    ended: float

    def __post_init__(self) -> None:
        if self.started.__class__ is not float:
            slips.check_moment("started", self.started)
        if self.ended.__class__ is not float:
            slips.check_moment("ended", self.ended)
        if not isinstance(self.request, Request):
            raise TypeError(f"the request of an exchange is a Request, not {kind_of(self.request)}")
        if not isinstance(self.response, Response):
            raise TypeError(f"the response of an exchange is a Response, not {kind_of(self.response)}")


def decoded_segments(path: str) -> tuple[str, ...]:
    """Split a path at its slashes and percent-decode each segment (UTF-8; undecodable bytes become U+FFFD)."""
    return tuple(unquote(segment) for segment in path.split("/"))
