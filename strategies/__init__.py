"""Requests to send and answers to give, from the contract's data: conforming ones, and ones that break one rule.

For tests of other people there are Hypothesis strategies: `conforming_requests`, `departing_requests`,
`conforming_answers` to a request, and `conforming_documents` of a resource.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from atlas_conformance.strategies.answers import conforming_answers, conforming_documents
    from atlas_conformance.strategies.drawn_cases import conforming_requests, departing_requests
    from atlas_conformance.strategies.requests import Case

__all__ = ["Case", "conforming_answers", "conforming_documents", "conforming_requests", "departing_requests"]

_MODULES = {
    "Case": "requests",
    "conforming_answers": "answers",
    "conforming_documents": "answers",
    "conforming_requests": "drawn_cases",
    "departing_requests": "drawn_cases",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: Hypothesis takes long to load, and the builders of requests do without it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
