"""Snapshots that suites read, take and delete: those that were there before are only read."""

from __future__ import annotations

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.validation import NotJson, parse_json
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.rationing import TAKEN
from atlas_conformance.strategies.bodies import Body, base_bodies
from atlas_conformance.strategies.requests import build
from atlas_conformance.strategies.scenes import Scene, path_parameters

_TAKE = Contract.load().operations["snapshot-take"]


def some_snapshot(endpoint: Endpoint, operation: Operation, scene: Scene) -> str | None:
    """Return the id of a snapshot that `operation` reads in this scene; None where there is none.

    It is one that the target names, where the cluster is of the right kind, or else one that a list shows.
    """
    where = (f"snapshot of {'sharded' if operation.sharded else 'other'} clusters", scene.project, scene.cluster)
    if not endpoint.pool.knows(where):
        endpoint.pool.keep(where, _found(endpoint, operation, scene))
    found = endpoint.pool.job(where)
    if found is not None:
        endpoint.adopt(found)
    return found


def _found(endpoint: Endpoint, operation: Operation, scene: Scene) -> str | None:
    if not scene.real or operation.sharded is not scene.sharded:
        return None
    with endpoint.in_passing():
        shown = listed_snapshots(endpoint, operation, scene)
        known = [snapshot for snapshot in scene.snapshots if snapshot in shown or not shown]
        found = known[0] if known and not endpoint.inventory_is_open else next(iter(shown), None)
        read = reading_of(operation)
        if found is not None and endpoint.offers(read.id):
            endpoint.send(build(read, path_parameters(read, scene, found)))
    return found


def reading_of(operation: Operation) -> Operation:
    """Return the operation that reads one snapshot of those that another one is about."""
    return next(
        other
        for other in Contract.load().operations.values()
        if other.resource is operation.resource and other.kind == "get" and other.sharded is operation.sharded
    )


def listing_of(operation: Operation) -> Operation:
    """Return the operation that lists the snapshots that another one is about."""
    return next(
        other
        for other in Contract.load().operations.values()
        if other.resource is operation.resource and other.kind == "list" and other.sharded is operation.sharded
    )


def listing_for(operation: Operation, scene: Scene) -> Operation:
    """Return the operation that lists the snapshots of a scene's cluster, sharded or not."""
    kindred = [o for o in Contract.load().operations.values() if o.resource is operation.resource and o.kind == "list"]
    return next((o for o in kindred if o.sharded is scene.sharded), kindred[0])


def listed_snapshots(endpoint: Endpoint, operation: Operation, scene: Scene) -> dict[str, str]:
    """Return the status of each snapshot that the list shows, by id; of an operation's own kind of cluster."""
    listing = listing_of(operation)
    if not endpoint.offers(listing.id):
        return {}
    query = {"itemsPerPage": "500"} if listing.paged else None
    judged = endpoint.send(build(listing, path_parameters(listing, scene, ""), query=query))
    if judged is None or judged.status != 200:
        return {}
    try:
        page = parse_json(judged.exchange.response.body)
    except NotJson:
        return {}
    results = page.get("results") if isinstance(page, dict) else None
    rows = [row for row in results if isinstance(row, dict)] if isinstance(results, list) else []
    return {row["id"]: str(row.get("status")) for row in rows if isinstance(row.get("id"), str)}


def take_snapshot(endpoint: Endpoint, scene: Scene, body: Body | None = None) -> str | None:
    """Take a snapshot, and return its id; None where none could be taken."""
    if not scene.real or not endpoint.offers(_TAKE.id):
        return None
    document = (body or base_bodies(_TAKE, scene)[0]).document
    request = build(_TAKE, path_parameters(_TAKE, scene, ""), document)
    judged = endpoint.send(request, lesson=TAKEN)
    if judged is None or judged.status != 200:
        return None
    started = judged.exchange.started
    made = (seen for seen in endpoint.chronicle.snapshots() if seen.created is not None)
    return next((seen.job for seen in made if seen.created is not None and seen.created.started == started), None)


def spare_snapshot(endpoint: Endpoint, scene: Scene) -> str | None:
    """Return a snapshot of this run's that nothing deletes but the end of the run, for deletes that must be refused."""
    where = ("a snapshot to spare", scene.project, scene.cluster)
    if not endpoint.pool.knows(where):
        with endpoint.in_passing():
            endpoint.pool.keep(where, take_snapshot(endpoint, scene))
    found = endpoint.pool.job(where)
    if found is not None:
        endpoint.adopt(found)
    return found
