"""The operations of the contract, read from `openapi.yaml`, and the way from a path to the operations on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

import yaml

from atlas_conformance.contracts.exchange import decoded_segments

OPENAPI = Path(__file__).with_name("openapi.yaml")
"""The OpenAPI 3.1 description of all operations."""

HTTP_STATUSES = frozenset({405, 406, 413, 414, 415, 429, 503})
"""Statuses that HTTP itself may answer on every operation, beside the documented ones."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Level: TypeAlias = Literal["core", "extended"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract page.

    `id` is the page's id and the operationId; `api` is "v2" or "v1.0"; `family` is "flex", "tenant" or "cluster" (a
    dedicated one); `kind` is "create", "get", "list" or "cancel". `media_type` is the one of a success, None where
    a success has no body. `statuses` are the documented ones, success included, without those of `HTTP_STATUSES`.
    The schemas are file names under `contracts/schemas`. `path_parameters` are the names in the template, in order.
    """

    id: str
    method: str
    template: str
    level: Level
    api: str
    family: str
    kind: str
    media_type: str | None
    statuses: frozenset[int]
    success: int
    request_schema: str | None
    response_schema: str | None
    path_parameters: tuple[str, ...]


@cache
def _segments(template: str) -> tuple[str, ...]:
    return tuple(template.split("/"))


@cache
def _parameter(segment: str) -> str | None:
    """Return the name of a template segment such as `{groupId}`, or None for a literal one."""
    return segment[1:-1] if segment.startswith("{") and segment.endswith("}") else None


def _schema_file(content: Mapping[str, Any] | None) -> str | None:
    """Return the schema file of the only media type; of alternatives (plain or in an envelope) it is the first."""
    if not content:
        return None
    (media,) = content.values()
    schema = media["schema"]
    schema = schema.get("anyOf", [schema])[0]
    return Path(schema["$ref"]).name


def _operation(template: str, method: str, described: Mapping[str, Any]) -> Operation:
    responses = {int(status): response for status, response in described["responses"].items()}
    (success,) = (status for status in responses if 200 <= status < 300)
    content = responses[success].get("content")
    return Operation(
        id=described["operationId"],
        method=method.upper(),
        template=template,
        level=described["x-level"],
        api=template.split("/")[3],
        family=described["x-family"],
        kind=described["x-kind"],
        media_type=next(iter(content)) if content else None,
        statuses=frozenset(responses) - HTTP_STATUSES,
        success=success,
        request_schema=_schema_file(described.get("requestBody", {}).get("content")),
        response_schema=_schema_file(content),
        path_parameters=tuple(name for name in map(_parameter, _segments(template)) if name),
    )


@cache
def openapi() -> Mapping[str, Any]:
    """Return the OpenAPI description as parsed YAML. It is shared: do not change it."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: dict[str, Any] = yaml.load(OPENAPI.read_bytes(), Loader=loader)
    return document


def _read() -> Mapping[str, Operation]:
    found = [
        _operation(template, method, described)
        for template, item in openapi()["paths"].items()
        for method, described in item.items()
        if method in METHODS
    ]
    order = {operation_id: place for place, operation_id in enumerate(openapi()["x-order"])}
    return MappingProxyType({operation.id: operation for operation in sorted(found, key=lambda o: order[o.id])})


OPERATIONS: Mapping[str, Operation] = _read()
"""All operations by id, in the order of the contract page."""


def _same_place(template: str, segments: tuple[str, ...]) -> dict[str, str] | None:
    """Return the parameters of a path's decoded segments under a template, or None where they don't match."""
    wanted = _segments(template)
    if wanted[-1] == "" and segments[-1] != "":
        wanted = wanted[:-1]  # the trailing slash is documented, its absence is free
    if len(wanted) != len(segments):
        return None
    parameters: dict[str, str] = {}
    for expected, seen in zip(wanted, segments, strict=True):
        name = _parameter(expected)
        if name is None:
            if expected != seen:
                return None
        elif seen:
            parameters[name] = seen
        else:
            return None
    return parameters


@lru_cache(maxsize=2_048)
def operations_at(path: str) -> tuple[tuple[Operation, Mapping[str, str]], ...]:
    """Return every operation, of whatever method, whose template matches a percent-encoded path without its query.

    Each comes with its path parameters, percent-decoded; an empty parameter matches nothing. The v1.0 create of a
    dedicated cluster matches with and without its trailing slash.
    """
    segments = decoded_segments(path)
    places = ((operation, _same_place(operation.template, segments)) for operation in OPERATIONS.values())
    found = ((operation, parameters) for operation, parameters in places if parameters is not None)
    return tuple((operation, MappingProxyType(parameters)) for operation, parameters in found)


def match(method: str, path: str) -> tuple[Operation, Mapping[str, str]] | None:
    """Return the operation that a method (upper case) and a percent-encoded path name, with its parameters, or None."""
    return next((found for found in operations_at(path) if found[0].method == method), None)


def _quoted(value: str) -> str:
    """Percent-encode a value; an id that an endpoint gave may hold a lone surrogate, which UTF-8 proper has not."""
    return quote(value, safe="", errors="surrogatepass")


def expand(operation: Operation, **parameters: str) -> str:
    """Return the operation's path with each parameter percent-encoded into it.

    Raises ValueError where a parameter is missing or is not one of the operation's.
    """
    if set(parameters) != set(operation.path_parameters):
        wanted, given = ", ".join(operation.path_parameters), ", ".join(sorted(parameters))
        raise ValueError(f"{operation.id} takes the path parameters {wanted}, not {given or 'none'}")
    segments = (
        segment if (name := _parameter(segment)) is None else _quoted(parameters[name])
        for segment in _segments(operation.template)
    )
    return "/".join(segments)
