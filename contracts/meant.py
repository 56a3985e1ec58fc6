"""What traffic may really hold, and a caller who writes it by hand hardly means: each is one sentence."""

from __future__ import annotations

from typing import Any

from atlas_conformance.contracts.exchange import CREDENTIALS, SCHEMES, Exchange
from atlas_conformance.contracts.naming import kind_of, unknown

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def check_meant(exchange: Exchange) -> None:
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
    if request.credential not in CREDENTIALS:
        raise ValueError(unknown("credential", request.credential, CREDENTIALS))
    if request.scheme not in SCHEMES:
        raise ValueError(unknown("scheme", request.scheme, SCHEMES))
    for headers in (request.headers or (), exchange.response.headers):
        for pair in headers:
            if not (isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(part, str) for part in pair)):
                raise TypeError(f"a header is a tuple of two texts, its name and its value, not {_shape(pair)}")


def _shape(pair: Any) -> str:
    """Describe what is no header without showing its value, which may be a secret."""
    return f"({', '.join(type(part).__name__ for part in pair)})" if isinstance(pair, tuple) else kind_of(pair)
