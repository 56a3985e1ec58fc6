"""Requests that Schemathesis makes of the OpenAPI description: its coverage cases, and what its fuzzing draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from contracts.exchange import Request
from contracts.operations import OPENAPI, Operation

_BASE = "http://endpoint.invalid"
_CLIENTS_OWN = frozenset({"authorization", "user-agent", "accept-encoding", "connection", "content-length", "cookie"})
_MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@cache
def _schema() -> Any:
    return schemathesis.openapi.from_path(OPENAPI)


def _operation(operation: Operation) -> Any:
    return _schema().find_operation_by_id(operation.id)


def coverage_requests(operation: Operation, known: Mapping[str, str]) -> Iterator[Request]:
    """Yield a request for each coverage case of `operation`, positive and negative.

    `known` are path parameters of something that exists; they stand in for the placeholder of every path parameter that
    a case leaves conforming, so that the case gets past the router.
    """
    found = _operation(operation)
    schema = _schema()
    config = schema.config.generation_for(operation=found)
    placeholder: Mapping[str, Any] | None = None
    for case in schema.iter_coverage_cases(found, generation_modes=_MODES, generation_config=config):
        if placeholder is None:
            placeholder = dict(case.path_parameters)
        request = _request(case, known, placeholder)
        if request is not None:
            yield request


def fuzzed_requests(operation: Operation, known: Mapping[str, str]) -> st.SearchStrategy[Request]:
    """Draw requests of `operation` as Schemathesis' fuzzing phase does, conforming and not; path parameters stay
    good.
    """
    drawn = st.one_of(*(_operation(operation).as_strategy(generation_mode=mode) for mode in _MODES))
    made = drawn.map(lambda case: _request(case, known, dict(case.path_parameters)))
    return made.flatmap(lambda request: st.just(request) if request is not None else st.nothing())


def _request(case: Any, known: Mapping[str, str], placeholder: Mapping[str, Any]) -> Request | None:
    """Turn a case into a request; None where it cannot be written as one."""
    case.path_parameters = {
        name: known.get(name, value) if placeholder.get(name) == value else value
        for name, value in case.path_parameters.items()
    }
    try:
        arguments = case.as_transport_kwargs(base_url=_BASE)
        arguments.pop("timeout", None)
        prepared = requests.Request(**arguments).prepare()
    except (ValueError, TypeError, requests.RequestException):
        return None
    headers = tuple(
        (_text(name), _text(value))
        for name, value in prepared.headers.items()
        if _text(name).lower() not in _CLIENTS_OWN and not _text(name).lower().startswith("x-schemathesis")
    )
    body = prepared.body
    if isinstance(body, str):
        body = body.encode("utf-8")
    if body is not None and not isinstance(body, bytes):
        return None
    target = prepared.path_url
    method = prepared.method or "GET"
    return Request(method, target, headers, body) if target.startswith("/api/") else None


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
