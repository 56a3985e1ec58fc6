"""Media types: what an `Accept` header asks of a versioned resource, and what a content type leaves open."""

from __future__ import annotations

import datetime
from collections.abc import Collection
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

    `free`: no rule settles the version of a success. `later`: it asks for a published date later than the resource's
    version, so V-FLOOR applies; `unpublished`: for a later date that was never published, so that 406 conforms too.
    `refusals` are the statuses that refuse it, `named` says that the contract names them. `known`: false when a
    recording left the header out.
    """

    free: bool = False
    later: bool = False
    unpublished: bool = False
    refusals: frozenset[int] = frozenset()
    named: bool = True
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


_FREE = Accepts(free=True, refusals=frozenset({406}))
_EARLIER = Accepts(free=True, refusals=frozenset({406, 410}))  # the vendor may have removed an old version
_ODD = Accepts(free=True, refusals=frozenset({400, 406}), named=False)
_UNPUBLISHED = Accepts(unpublished=True, refusals=frozenset({406}))
_ANYTHING = frozenset({JSON, "*/*", "application/*"})


def accepts(operation: Operation, request: Request, published: Collection[str], latest: str) -> Accepts:
    """Say what the request's `Accept` header asks of a success of `operation` (V-FLOOR; "Where an endpoint is free").

    `published` are the dates (ISO) of every version that the vendor has published, `latest` is the newest date that
    may have been published today.
    """
    if request.headers is None:
        return Accepts(refusals=frozenset({406}), known=False)
    value = request.header("accept")
    if value is None:
        return _FREE if operation.api == "v2" else Accepts()
    name, parameters = media_type(value)
    if not all(_is_charset(parameter) for parameter in parameters):
        return _ODD
    if operation.api != "v2":
        return Accepts() if name in _ANYTHING else _ODD
    if name in _ANYTHING:
        return _FREE
    if name == asked_media_type(operation):
        return Accepts()
    date = version_date(name)
    own = version_date(asked_media_type(operation))
    if date is None or own is None:
        return _ODD
    if date < own:
        return _EARLIER
    return Accepts(later=True) if date in published and date <= latest else _UNPUBLISHED


def _is_charset(parameter: str) -> bool:
    """Tell whether a parameter of a media type says that the text is in UTF-8."""
    name, _, value = parameter.partition("=")
    return name.strip() == "charset" and value.strip().strip('"') in ("utf-8", "utf8")


def asked_media_type(operation: Operation) -> str:
    """Return the media type that an ordinary request of `operation` asks for.

    An operation whose success has no body asks for that of the others of its resource and version.
    """
    return operation.media_type or operation.kindred_media_type or JSON


def content_type_statuses(operation: Operation, request: Request) -> frozenset[int]:
    """Return the statuses that the request's content type permits besides those of its body.

    Empty for JSON, and on v2 for the operation's versioned media type: both must be taken.
    """
    if request.headers is None:
        return frozenset({400, 415})
    value = request.header("content-type")
    if value is not None:
        name, parameters = media_type(value)
        taken = (JSON, operation.media_type) if operation.api == "v2" else (JSON,)
        if name in taken and all(_is_charset(parameter) for parameter in parameters):
            return _NO_STATUSES
    return frozenset({400, 406, 415})
