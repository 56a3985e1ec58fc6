"""Finding out which operations around a restore an endpoint offers: snapshots and downloads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.inventory import Absent
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.validation import NotJson, parse_json
from atlas_conformance.strategies.bodies import base_bodies
from atlas_conformance.strategies.requests import build
from atlas_conformance.strategies.scenes import Scene, path_parameters
from atlas_conformance.targets.preflight import PreflightReport, same_as_lost

AROUND = tuple(o for o in Contract.load().operations.values() if o.level == "workflow")
"""The operations around a restore."""

_MISSING = (404, 405, 410, 501)
_WRONG: Mapping[str, Any] = {"snapshotId": 1, "retentionInDays": "one"}
"""A body that no operation around a restore takes."""

Send = Callable[[Request], Exchange | None]


def look_around(
    send: Send, found: PreflightReport, scene: Callable[[Operation], Scene], absent: Absent, *, free: bool
) -> dict[str, bool | str]:
    """Return, of the operations around a restore that a few requests can tell of, True or why they are not offered.

    `scene` is where each is tried. `free` says that creates that may be accepted cost nothing; without that, only
    requests are sent that change nothing, and creates stay what the preflight has found.
    """
    told: dict[str, bool | str] = {}
    for operation in AROUND:
        if operation.kind == "create" and free:
            told[operation.id] = _try_create(send, operation, scene(operation), found)
        elif operation.kind == "delete":
            named = path_parameters(operation, scene(operation), absent.snapshot)
            tried = send(build(operation, named))
            if tried is not None:
                told[operation.id] = _says(tried, found) or True
        elif operation.kind == "get" and found.offered.get(operation.id) != "yes":
            shown = _read_listed(send, operation, scene(operation), found)
            if shown is not None:
                told[operation.id] = shown
    return told


def _says(exchange: Exchange, found: PreflightReport) -> str:
    """Say that an answer is that of a path or method that is not there; empty where it is not."""
    status, method = exchange.response.status, exchange.request.method
    as_lost = found.lost is not None and same_as_lost(exchange, found.lost)
    if status not in _MISSING or (status == 404 and not as_lost):
        return ""
    return f"{method} is answered {status}" + (", like an undocumented path" if status == 404 else "")


def _try_create(send: Send, operation: Operation, scene: Scene, found: PreflightReport) -> bool | str:
    """Try a create with a body that must be refused, then with a conforming one."""
    parameters = path_parameters(operation, scene, "")
    wrong = send(build(operation, parameters, dict(_WRONG)))
    if wrong is None:
        return "nothing could be sent to find out"
    if missing := _says(wrong, found):
        return missing
    plain = send(build(operation, parameters, base_bodies(operation, scene)[0].document))
    if plain is None:
        return "nothing could be sent to find out"
    if plain.response.status in (400, 403, 404) and not scene.real:
        return f"a conforming request for invented names is answered {plain.response.status}"
    return _says(plain, found) or True


def _read_listed(send: Send, operation: Operation, scene: Scene, found: PreflightReport) -> bool | str | None:
    """Read a snapshot that a list shows; None where no list shows one."""
    listing = next(
        (
            other
            for other in AROUND
            if other.resource is operation.resource and other.kind == "list" and other.sharded is operation.sharded
        ),
        None,
    )
    if listing is None or found.offered.get(listing.id) != "yes":
        return None
    page = send(build(listing, path_parameters(listing, scene, "")))
    shown = _first_id(page) if page is not None and page.response.status == 200 else None
    if shown is None:
        return None
    read = send(build(operation, path_parameters(operation, scene, shown)))
    return None if read is None else _says(read, found) or True


def _first_id(page: Exchange) -> str | None:
    try:
        document = parse_json(page.response.body)
    except NotJson:
        return None
    results = document.get("results") if isinstance(document, dict) else None
    rows = [row for row in results if isinstance(row, dict)] if isinstance(results, list) else []
    return next((row["id"] for row in rows if isinstance(row.get("id"), str)), None)
