"""Requests that ask for another form of the same answer: envelope, pretty, versions (V-*)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.media import asked_media_type, version_date
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.strategies.requests import Case, with_header, with_query

FORMS = (
    "envelope=true&pretty=true",
    "envelope=true",
    "envelope=false",
    "pretty=true",
    "pretty=false",
    "pretty=true&envelope=false",
)


FORMS_OF_ERRORS = ("pretty=true", "envelope=true", "envelope=true&pretty=true")
"""The forms in which errors are asked for."""


def in_every_form(request: Request, forms: Iterable[str] = FORMS) -> Iterator[Case]:
    """Yield the request with each combination of `envelope` and `pretty`."""
    for query in forms:
        yield Case(with_query(request, query), None, query)


def later_versions(operation: Operation, request: Request, latest: str) -> Iterator[Case]:
    """Yield the request asking for published dates after the resource's version, up to the `latest` (V-FLOOR)."""
    own = version_date(asked_media_type(operation))
    if own is None:
        return
    for date in sorted(Contract.load().versions):
        if own < date <= latest:
            yield Case(with_header(request, "Accept", f"application/vnd.atlas.{date}+json"), None, f"version {date}")


def unsettled_accepts(request: Request) -> Iterator[Case]:
    """Yield the request with `Accept` headers for which any version or 406 conforms."""
    for value in (
        None,
        "*/*",
        "application/vnd.atlas.2024-13-45+json",
        ";;;",
        "application/vnd.atlas.2999-01-01+json",
        "application/vnd.atlas.2023-01-01+json",
        "text/html, application/json;q=0.9, */*;q=0.1",
        "application/json",
        "application/*",
        "application/vnd.atlas.2020-01-01+json",
        "application/vnd.atlas.2026-01-15+json",
        "application/vnd.atlas.+json",
        "application/vnd.atlas.2024-11-13+csv",
        "text/html",
        "application/vnd.atlas.2024-11-13+json;q=0",
        "",
        "a" * 2_000,
    ):
        yield Case(with_header(request, "Accept", value), None, f"Accept {value[:40] if value else value}")
