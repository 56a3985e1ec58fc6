"""The checks of what may be answered: the media type that is asked for, and whether there is still an answer."""

from __future__ import annotations

from datetime import date

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.messages import Call, Refusal

VERSIONS = Contract.load().versions
"""The dates of every version that the vendor has published."""


def negotiate(backend: Backend, call: Call) -> None:
    """Settle the media type of a success (`C-MEDIA`, `V-FLOOR`), or refuse with 406."""
    assert call.operation is not None
    offered = call.operation.media_type or "application/vnd.atlas.2023-01-01+json"
    call.media_type = offered
    ranges = [one for one in map(media_range, (call.accept or "*/*").split(",")) if one]
    if offered in ranges:
        return
    versioned = call.operation.api == "v2"
    choices = set()
    for one in ranges:
        if one in {"*/*", "application/*", "application/json"}:
            choices.add(backend.free["unversioned-accept"] if versioned else "200")
        elif (asked := version_of(one)) is not None:
            choices.add(_choice(backend, asked, version_of(offered)) if versioned else "200")
    if "200" not in choices:
        if choices == {"410"}:
            raise gone()
        raise Refusal(406, "NOT_ACCEPTABLE", f"This resource answers with {offered}.")


def _choice(backend: Backend, asked: date, own: date | None) -> str:
    """Return what becomes of a request for the version of a date."""
    if own is not None and asked < own:
        return backend.free["early-date"]
    return "200" if asked.isoformat() in VERSIONS else backend.free["unpublished-date"]


def gone() -> Refusal:
    """Return the 410 for what the vendor has removed."""
    return Refusal(410, "RESOURCE_REMOVED", "The vendor has removed this operation, or this version of it.")


def check_sunset(backend: Backend, call: Call) -> None:
    """Answer 410 to an operation that the vendor has removed, if the endpoint is set to."""
    if call.operation is not None and call.operation.sunset and backend.free["sunset"] == "gone":
        raise gone()


def media_range(part: str) -> str:
    """Return one media range of an Accept header in lower case, or nothing where its weight is zero."""
    essence, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q" and value.strip().rstrip("0") in {"", "."}:
            return ""
    return essence


def version_of(media_type: str) -> date | None:
    """Return the date of a versioned media type, None where it has none."""
    prefix, suffix = "application/vnd.atlas.", "+json"
    if not (media_type.startswith(prefix) and media_type.endswith(suffix)):
        return None
    text = media_type[len(prefix) : -len(suffix)]
    if len(text) != 10 or not text.isascii():
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
