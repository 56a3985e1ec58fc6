"""Slips in what a caller says of an exchange: each is one sentence that says what would be right.

What has the wrong type is found when a request, a response or an exchange is made. What traffic may really hold, and a
caller who writes it by hand hardly means, is found by `check_meant`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from atlas_conformance.contracts.naming import kind_of, unknown

if TYPE_CHECKING:
    from atlas_conformance.contracts.exchange import Exchange

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def text(what: str, value: Any) -> str:
    """Return a text. Raises TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"the {what} of a request is a str, not {kind_of(value)}")
    return value


def pairs(value: Any, whose: str) -> tuple[tuple[str, str], ...]:
    """Return headers that are given as a list or a tuple. Raises TypeError for anything else."""
    if isinstance(value, list | tuple):
        return tuple(value)
    write = ": write tuple(headers.items())" if isinstance(value, Mapping) else ""
    raise TypeError(f"the headers of a {whose} are a tuple of (name, value) pairs, not {kind_of(value)}{write}")


def octets(value: Any, whose: str, nothing: str) -> bytes:
    """Return a body that is given as bytes of some kind. Raises TypeError for anything else."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    write = ": write body.encode()" if isinstance(value, str) else ""
    raise TypeError(f"the body of a {whose} is bytes ({nothing} where there is none), not {kind_of(value)}{write}")


def status(value: Any) -> int:
    """Return a status code. Raises TypeError for what is no int."""
    if not isinstance(value, int):
        raise TypeError(f"the status of a response is an int, not {kind_of(value)}")
    return value


def moment(what: str, value: Any) -> float:
    """Return a time. Raises TypeError for what is no number."""
    if not isinstance(value, int | float):
        write = f": write {what}.timestamp()" if hasattr(value, "timestamp") else ""
        raise TypeError(f"{what} is a number of seconds since the Unix epoch, not {kind_of(value)}{write}")
    return value


def check_meant(exchange: Exchange, credentials: Collection[str], schemes: Collection[str]) -> None:
    """Raise ValueError, or TypeError for headers that are no texts, where a caller cannot mean an exchange so."""
    request = exchange.request
    method, target = request.method, request.target
    if method not in _METHODS and method.upper() in _METHODS:
        raise ValueError(f"the methods of HTTP are case-sensitive: write {method.upper()!r}, not {method!r}")
    if not target.startswith("/"):
        # Only the path is repeated: the rest of a URL may hold credentials.
        path = "/" + target.partition("://")[2].partition("/")[2].partition("?")[0]
        write = f": write {path!r} and its query" if path != "/" else ""
        raise ValueError(f"the target of a request is what follows the base URL, and starts with '/'{write}")
    if request.credential not in credentials:
        raise ValueError(unknown("credential", request.credential, credentials))
    if request.scheme not in schemes:
        raise ValueError(unknown("scheme", request.scheme, schemes))
    for headers in (request.headers or (), exchange.response.headers):
        for pair in headers:
            if not (isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(part, str) for part in pair)):
                raise TypeError(f"a header is a tuple of two texts, its name and its value, not {_shape(pair)}")


def _shape(pair: Any) -> str:
    """Describe what is no header without showing its value, which may be a secret."""
    return f"({', '.join(type(part).__name__ for part in pair)})" if isinstance(pair, tuple) else kind_of(pair)
