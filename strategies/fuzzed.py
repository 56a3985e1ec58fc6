"""Requests that Schemathesis makes of the OpenAPI description: its coverage cases, and what its fuzzing draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from typing import Any

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from atlas_conformance.contracts.contract import FOLDER, Contract
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.strategies.requests import short_page

_BASE = "http://endpoint.invalid"
_CLIENTS_OWN = frozenset({"authorization", "user-agent", "accept-encoding", "connection", "content-length", "cookie"})
_FLAGS = frozenset({"envelope", "pretty"})
_MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@cache
def _schema() -> Any:
    # As parsed already: Schemathesis would parse the file again, and at a tenth of the speed.
    schema = schemathesis.openapi.from_dict(deepcopy(dict(Contract.load().openapi)))
    schema.location = (FOLDER / "openapi.yaml").absolute().as_uri()
    return schema


def get_ready() -> None:
    """Read the description, as the first request would have it done."""
    _schema()


def _operation(operation: Operation) -> Any:
    return _schema().find_operation_by_id(operation.id)


def coverage_requests(operation: Operation, known: Mapping[str, str]) -> Iterator[Request]:
    """Yield a request for each coverage case of `operation`, positive and negative.

    `known` are path parameters of something that exists; they stand in for those of each case, so that it gets past the
    router. Cases that differ from the first in nothing but the path, or the values of `envelope` and `pretty`, are left
    out: `paths.malformed_paths` and `malformed.odd_queries` have more of them. Methods that the path does not have come
    with the first operation of the path.
    """
    found = _operation(operation)
    schema = _schema()
    # What was asked for before must make no difference to what is asked for now.
    schema.coverage_unexpected_methods_seen.clear()
    alone = (
        next(other for other in Contract.load().operations.values() if other.template == operation.template)
        is operation
    )
    config = schema.config.generation_for(operation=found)
    first: Mapping[str, Any] | None = None
    for case in schema.iter_coverage_cases(found, generation_modes=_MODES, generation_config=config):
        if first is None:
            first, query = dict(case.path_parameters), dict(case.query)
        elif case.path_parameters != first or (case.query != query and _FLAGS.issuperset(case.query)):
            continue
        if case.method.upper() != operation.method and not alone:
            continue
        request = _request(case, known)
        if request is not None:
            yield short_page(request, operation)


def fuzzed_requests(operation: Operation, known: Mapping[str, str]) -> st.SearchStrategy[Request]:
    """Draw requests of `operation` as Schemathesis' fuzzing phase does, conforming and not; path parameters stay
    good.
    """
    good = {name: known[name] for name in operation.path_parameters}
    found = _operation(operation)
    drawn = st.one_of(*(found.as_strategy(generation_mode=mode, path_parameters=good) for mode in _MODES))
    made: st.SearchStrategy[Any] = drawn.map(lambda case: _request(case, known))
    return made.filter(lambda request: request is not None).map(lambda request: short_page(request, operation))


def _request(case: Any, known: Mapping[str, str]) -> Request | None:
    """Turn a case into a request for what is known; None where it cannot be written as one."""
    case.path_parameters = {name: known.get(name, value) for name, value in case.path_parameters.items()}
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
