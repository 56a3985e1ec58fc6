"""Media types: what an `Accept` header asks of a versioned resource, and what a content type leaves open."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.patterns import compile_pattern

VERSIONED = compile_pattern("^application/vnd\\.atlas\\.[0-9]{4}-[0-9]{2}-[0-9]{2}\\+json$")
JSON = "application/json"
_NO_STATUSES: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Accepts:
    """What an `Accept` header asks of a success.

    `free`: no rule settles the answer (any version's success, or 406). `later`: it asks for a date later than the
    resource's version, so V-FLOOR applies. `known`: false when a recording left the header out.
    """

    free: bool = False
    later: bool = False
    known: bool = True


def media_type(value: str) -> tuple[str, tuple[str, ...]]:
    """Split a media type into its lower-case name and its parameters, stripped and lower-case."""
    name, *parameters = (part.strip().lower() for part in value.split(";"))
    return name, tuple(p for p in parameters if p)


def version_date(name: str) -> str | None:
    """Return the ISO date of a versioned media type whose date exists in the calendar, else None."""
    if not VERSIONED.matches(name):
        return None
    date = name[len("application/vnd.atlas.") : -len("+json")]
    try:
        datetime.date.fromisoformat(date)
    except ValueError:
        return None
    return date


def accepts(operation: Operation, request: Request, latest_date: str) -> Accepts:
    """Say what the request's `Accept` header asks of a success of `operation` (V-FLOOR; "Where an endpoint is
    free").
    """
    if request.headers is None:
        return Accepts(known=False)
    value = request.header("accept")
    if operation.api != "v2":
        ordinary = value is None or media_type(value) in ((JSON, ()), ("*/*", ()), ("application/*", ()))
        return Accepts(free=not ordinary)
    if value is None:
        return Accepts(free=True)
    name, parameters = media_type(value)
    if parameters:
        return Accepts(free=True)
    if name == asked_media_type(operation):
        return Accepts()
    date = version_date(name)
    own = version_date(operation.media_type or "")
    if date is not None and own is not None and own < date <= latest_date:
        return Accepts(later=True)
    return Accepts(free=True)


def asked_media_type(operation: Operation) -> str:
    """Return the media type that an ordinary request of `operation` asks for.

    An operation whose success has no body asks for that of the others of its resource and version.
    """
    return operation.media_type or operation.kindred_media_type or JSON


def content_type_statuses(operation: Operation, request: Request) -> frozenset[int]:
    """Return the statuses that the request's content type permits besides those of its body; empty for JSON."""
    if request.headers is None:
        return frozenset({400, 415})
    value = request.header("content-type")
    if value is not None:
        name, parameters = media_type(value)
        if name == JSON and all(p == "charset=utf-8" for p in parameters):
            return _NO_STATUSES
    return frozenset({400, 406, 415})
