"""What a run without fixtures works with: the clusters and snapshots that the endpoint itself lists."""

from __future__ import annotations

from dataclasses import replace

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.inventory import Cluster, Inventory, RestoreTarget
from atlas_conformance.contracts.validation import NotJson, parse_json
from atlas_conformance.http.client import Client
from atlas_conformance.http.failures import PreflightFailed
from atlas_conformance.http.target import Target
from atlas_conformance.strategies.requests import build
from atlas_conformance.targets.asking import ask
from atlas_conformance.targets.preflight import PreflightReport

_MOST_SNAPSHOTS = 3
_MOST_CLUSTERS = 12


def with_listed(client: Client, target: Target, found: PreflightReport) -> Target:
    """Return the target with the snapshots that the endpoint lists, for each of its clusters that names none."""
    clusters = tuple(
        cluster if cluster.snapshots else _listed(client, cluster, found) for cluster in target.inventory.clusters
    )
    return replace(target, inventory=replace(target.inventory, clusters=clusters))


def _listed(client: Client, cluster: Cluster, found: PreflightReport) -> Cluster:
    for listing in Contract.load().operations.values():
        resource = listing.resource
        fits = listing.kind == "list" and resource.what == "snapshot" and resource.cluster_kind == cluster.kind
        if not fits or listing.sharded is not cluster.sharded or found.offered.get(listing.id) != "yes":
            continue
        request = build(listing, listing.values(cluster.project, cluster.name))
        shown = client.attempt_all([request])[0]
        if isinstance(shown, Exchange):
            return replace(cluster, snapshots=_restorable(shown, resource.restorable)[:_MOST_SNAPSHOTS])
    return cluster


def _restorable(page: Exchange, state: str | None) -> tuple[str, ...]:
    try:
        document = parse_json(page.response.body)
    except NotJson:
        return ()
    results = document.get("results") if isinstance(document, dict) else None
    rows = [row for row in results if isinstance(row, dict)] if isinstance(results, list) else []
    return tuple(row["id"] for row in rows if isinstance(row.get("id"), str) and row.get("status") == state)


def discovered(client: Client) -> Inventory | None:
    """Return the clusters with snapshots that an endpoint lists, found by GETs alone; None where it lists none.

    On this machine, where everything may be restored, each cluster is a restore target of its own kind too; elsewhere
    a target file names the targets.
    """
    plain = client.attempt_all([Request("GET", "/api/atlas/v2/groups", (("Accept", "application/json"),))])[0]
    if not isinstance(plain, Exchange) or plain.response.status != 200:
        return None
    try:
        asked = ask(client, clusters=_MOST_CLUSTERS, snapshots=_MOST_SNAPSHOTS)
    except PreflightFailed:
        return None
    clusters = tuple(each.cluster for each in asked.clusters if each.cluster.snapshots)
    if not clusters:
        return None
    here = client.guard.mode == "restore" and not client.guard.remote
    targets = tuple(RestoreTarget(c.project, c.name, frozenset({c.kind})) for c in clusters) if here else ()
    return Inventory(clusters, targets)
