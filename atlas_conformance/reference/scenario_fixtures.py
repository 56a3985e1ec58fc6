"""From a scenario to what the endpoint is started with, and from there back to a scenario."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import tomlkit
from tomlkit.items import AoT, Table

from atlas_conformance.contracts.inventory import Absent, Cluster, Inventory, PointInTime, RestoreTarget
from atlas_conformance.reference.clock import wall_time
from atlas_conformance.reference.credentials import Credentials, KeyPair, ServiceAccount, make_credentials
from atlas_conformance.reference.fixtures import (
    DAY,
    Fixtures,
    Look,
    Organization,
    Project,
    Snapshot,
    furnish,
    themselves,
)
from atlas_conformance.reference.scenario import ClusterForm, CredentialForm, Scenario


def scenario_options(scenario: Scenario) -> dict[str, Any]:
    """Return the arguments of `ReferenceServer` for a scenario: itself, and what it says of others."""
    options: dict[str, Any] = {"scenario": scenario, "freedoms": scenario.freedoms, "imitate": scenario.imitate}
    said = {
        "seed": scenario.seed,
        "level": scenario.level,
        "authentication": scenario.offered,
        "rate": scenario.rate,
        "latency": scenario.latency,
    }
    return options | {name: value for name, value in said.items() if value is not None}


def scenario_fixtures(scenario: Scenario, seed: int, epoch: int) -> Fixtures:
    """Return what exists by a scenario; what it leaves open is drawn from `seed`, and dated back from `epoch`."""
    draw = random.Random(f"scenario {seed}")
    organizations = tuple(Organization(one.id, one.name) for one in scenario.organizations)
    if not organizations:
        organizations = (Organization(_identifier(draw), "Organization 0"),)
    named = {one.id: one for one in scenario.projects}
    ids = list(dict.fromkeys([*named, *(cluster.project for cluster in scenario.clusters)]))
    described = []
    for number, project in enumerate(ids):
        form = named.get(project)
        name = form.name if form is not None and form.name is not None else f"Project {number}"
        organization = form.organization if form is not None and form.organization is not None else organizations[0].id
        described.append(Project(project, name, organization))
    snapshots: dict[str, Snapshot] = {}
    clusters: list[Cluster] = []
    for one in scenario.clusters:
        oldest = epoch - len(one.snapshots) * DAY
        taken = [
            Snapshot(form.id, one.project, one.name, _finished(form.finished, oldest + number * DAY), form.fails)
            for number, form in enumerate(one.snapshots)
        ]
        snapshots.update((snapshot.id, snapshot) for snapshot in taken)
        clusters.append(_cluster(one, taken, len(clusters)))
    further = (RestoreTarget(one.project, one.name, frozenset(one.accepts), one.impossible) for one in scenario.targets)
    absent = Absent(
        project=_identifier(draw),
        cluster=f"absent-{draw.getrandbits(32):08x}",
        snapshot=_identifier(draw),
        job=_identifier(draw),
        target=f"absent-{draw.getrandbits(32):08x}",
    )
    targets = (*further, *themselves(clusters))
    return Fixtures(
        epoch=epoch,
        inventory=Inventory(tuple(clusters), targets, absent),
        projects=frozenset(ids),
        clusters={(cluster.project, cluster.name): cluster for cluster in clusters},
        targets={(target.project, target.name): target for target in targets},
        snapshots=snapshots,
        earlier={},
        organizations=organizations,
        described=tuple(described),
        looks=dict(_looks(scenario)),
    )


def _looks(scenario: Scenario) -> list[tuple[tuple[str, str], Look]]:
    usual = {"flex": "FLEX", "tenant": "M2", "dedicated": "M10"}
    return [
        (
            (one.project, one.name),
            Look(one.size or usual[one.kind], one.provider, one.region, one.mongodb_version),
        )
        for one in scenario.clusters
    ]


def _cluster(form: ClusterForm, taken: list[Snapshot], number: int) -> Cluster:
    point = None
    if form.kind == "dedicated" and form.point_in_time and taken:
        moment = max(snapshot.finished for snapshot in taken)
        point = PointInTime(moment, moment, 1 + number)
    return Cluster(form.project, form.name, form.kind, form.sharded, tuple(snapshot.id for snapshot in taken), point)


def _finished(given: datetime | None, otherwise: int) -> int:
    return otherwise if given is None else int(given.timestamp())


def _identifier(draw: random.Random) -> str:
    return f"{draw.getrandbits(96):024x}"


def scenario_credentials(scenario: Scenario, seed: int) -> Credentials:
    """Return the credentials of a scenario; what it leaves out is drawn from `seed`."""
    drawn, given = make_credentials(seed), scenario.credentials
    return replace(
        drawn,
        owner=_pair(drawn.owner, given.owner),
        owner_account=_account(drawn.owner_account, given.owner),
        reader=_pair(drawn.reader, given.reader),
        reader_account=_account(drawn.reader_account, given.reader),
        off_list=_pair(drawn.off_list, given.off_list),
        off_list_account=_account(drawn.off_list_account, given.off_list),
    )


def _pair(drawn: KeyPair, given: CredentialForm) -> KeyPair:
    return KeyPair(given.public_key or drawn.public, given.private_key or drawn.private)


def _account(drawn: ServiceAccount, given: CredentialForm) -> ServiceAccount:
    return ServiceAccount(given.client_id or drawn.id, given.client_secret or drawn.secret)


# Writing


def scenario_toml(fixtures: Fixtures, credentials: Credentials, *, dated: bool = True) -> str:
    """Return the scenario (TOML) in which exactly these fixtures and credentials exist.

    `dated` says when snapshots were finished; without, they are always some days old.
    """
    document = tomlkit.document()
    document.add(tomlkit.comment("A scenario for `atlas-conformance serve --scenario FILE`."))
    document.add(tomlkit.comment("Credentials here are made up for the mock: never put real ones into this file."))
    document.add(tomlkit.nl())
    document["organizations"] = _array({"id": one.id, "name": one.name} for one in fixtures.organizations)
    document["projects"] = _array(
        {"id": one.id, "name": one.name, "organization": one.organization} for one in fixtures.described
    )
    clusters = tomlkit.aot()
    for cluster in fixtures.inventory.clusters:
        clusters.append(_table(cluster, fixtures, dated))
    document["clusters"] = clusters
    own = set(fixtures.clusters)
    further = [one for one in fixtures.inventory.targets if (one.project, one.name) not in own]
    if further:
        document["targets"] = _array(map(_target, further))
    document["credentials"] = {
        role: {
            "public_key": pair.public,
            "private_key": pair.private,
            "client_id": account.id,
            "client_secret": account.secret,
        }
        for role, pair, account in (
            ("owner", credentials.owner, credentials.owner_account),
            ("reader", credentials.reader, credentials.reader_account),
            ("off_list", credentials.off_list, credentials.off_list_account),
        )
    }
    return tomlkit.dumps(document) + _HINTS


def scenario_of_clusters(clusters: Sequence[Cluster], names: Mapping[str, str]) -> str:
    """Return the scenario (TOML) in which these clusters exist, in projects of these names where they have one.

    The snapshots of each are given the newest first. Credentials are made up.
    """
    turned = tuple(replace(cluster, snapshots=cluster.snapshots[::-1]) for cluster in clusters)
    fixtures = furnish(Inventory(turned), int(wall_time()))
    named = tuple(replace(one, name=names.get(one.id, one.name)[:64]) for one in fixtures.described)
    return scenario_toml(replace(fixtures, described=named), make_credentials(secrets.randbits(64)), dated=False)


_HINTS = """
# How long each state of a restore job lasts, in seconds, or "forever"; left out, as --step says.
# [states]
# PENDING = 1
# QUEUED = 1
# RUNNING = 5

# Restores that fail: of a cluster, of a snapshot; after how many that go well, and how many times.
# [[failures]]
# cluster = "Replica0"
# after = 1
# times = 1

# Requests that are answered otherwise.
# [[rules]]
# operations = ["flex-get"]
# after = 2
# times = 3
# status = 503
# retry_after = 1
"""


def _array(rows: Iterable[Mapping[str, Any]]) -> AoT:
    found = tomlkit.aot()
    for row in rows:
        found.append(tomlkit.item(row))
    return found


def _target(target: RestoreTarget) -> Mapping[str, Any]:
    row = {"project": target.project, "name": target.name, "accepts": sorted(target.accepts)}
    return row if target.impossible is None else row | {"impossible": target.impossible}


def _table(cluster: Cluster, fixtures: Fixtures, dated: bool) -> Table:
    look = fixtures.look(cluster)
    table = tomlkit.table()
    table.update({"project": cluster.project, "name": cluster.name, "kind": cluster.kind, "size": look.size})
    if cluster.sharded:
        table["sharded"] = True
    if cluster.kind == "dedicated" and cluster.point_in_time is None:
        table["point_in_time"] = False
    snapshots = tomlkit.aot()
    for one in cluster.snapshots:
        snapshot = fixtures.snapshots[one]
        row = tomlkit.table()
        row["id"] = one
        if dated:
            row["finished"] = datetime.fromtimestamp(snapshot.finished, UTC)
        if snapshot.failing:
            row["fails"] = True
        snapshots.append(row)
    if len(snapshots):
        table["snapshots"] = snapshots
    return table
