"""Judging the traffic that other people's tests make, with no server in between: httpx, requests and ASGI.

One `TrafficJudge` takes every exchange; a transport, an adapter or a middleware hands them to it and passes them on as
they are.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from atlas_conformance.adapters.asgi import JudgingMiddleware
    from atlas_conformance.adapters.failure import Failure, RequirementFailed
    from atlas_conformance.adapters.httpx import AsyncJudgingTransport, JudgingTransport
    from atlas_conformance.adapters.requests import JudgingAdapter
    from atlas_conformance.adapters.traffic import TrafficJudge

__all__ = [
    "AsyncJudgingTransport",
    "Failure",
    "JudgingAdapter",
    "JudgingMiddleware",
    "JudgingTransport",
    "RequirementFailed",
    "TrafficJudge",
]

_MODULES = {
    "AsyncJudgingTransport": "httpx",
    "Failure": "failure",
    "JudgingAdapter": "requests",
    "JudgingMiddleware": "asgi",
    "JudgingTransport": "httpx",
    "RequirementFailed": "failure",
    "TrafficJudge": "traffic",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for, and only that: whoever uses httpx need not load requests."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
