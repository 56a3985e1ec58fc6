"""What exists behind the reference endpoint: projects, clusters, snapshots and restore targets."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from atlas_conformance.contracts.inventory import (
    Absent,
    Cluster,
    Impossible,
    Inventory,
    Kind,
    PointInTime,
    RestoreTarget,
)

DAY = 86_400

ITEMS = (
    "Größe",
    "Кластер",
    "数据",
    "a-b",
    "_private",
    "v1.2",
    "(old)",
    "x,y",
    "a:b",
    "R&D",
    "me@home",
    "c++",
    "it's",
    "-_.(),:&@+'",
    "z",
    "ß",
    "𠀀",
    "½",
    "Ⅷ",
    "٣",
    "𐐀𝟘𠀀" * 21 + "é",
)
"""Restore targets of flex and tenant clusters only: other scripts, each punctuation mark of the pattern, 1 and 64 code
points (the last one counts 128 UTF-16 units less one)."""

DEDICATED_ITEMS = ("Target0", "7", "x" + "-long" * 12 + "-64")
"""Restore targets of every kind of cluster; their names are cluster names, 1 to 64 long."""

IMPOSSIBLE: Mapping[str, Impossible] = {
    "Encrypted0": "encryption at rest",
    "Older0": "other major version",
}
"""Restore targets of every kind of cluster that take no restore, each with the reason."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot: the cluster that it was taken of, when it was done (epoch seconds), and whether restoring it
    fails.

    One that somebody took was `begun` then, and stays a `step` (seconds) in each state before it is done; it is kept
    for `days` and says `description`.
    """

    id: str
    project: str
    cluster: str
    finished: int
    failing: bool = False
    begun: float | None = None
    step: float = 1.0
    description: str | None = None
    days: int = 30

    @property
    def done(self) -> float:
        """When it can be restored."""
        return float("-inf") if self.begun is None else self.begun + 2 * self.step


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization: its id and its name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Project:
    """A project: its id, its name, and the id of the organization that it belongs to."""

    id: str
    name: str
    organization: str


@dataclass(frozen=True, slots=True)
class Look:
    """What a cluster looks like in lists besides: nothing that a restore depends on."""

    size: str = "M10"
    provider: str = "AWS"
    region: str = "US_EAST_1"
    version: str = "8.0.16"


@dataclass(frozen=True, slots=True)
class Fixtures:
    """Everything that exists. The mappings are keyed by (project, name) and by snapshot id; `epoch` is whole seconds.
    `earlier` says how many jobs each cluster had before the endpoint started, None for the usual ones. `described` and
    `organizations` say what the projects of `projects` look like in lists, `looks` what clusters do, where they differ
    from the usual.
    """

    epoch: int
    inventory: Inventory
    projects: frozenset[str]
    clusters: Mapping[tuple[str, str], Cluster]
    targets: Mapping[tuple[str, str], RestoreTarget]
    snapshots: Mapping[str, Snapshot]
    earlier: Mapping[tuple[str, str], int] | None = None
    organizations: tuple[Organization, ...] = ()
    described: tuple[Project, ...] = ()
    looks: Mapping[tuple[str, str], Look] = field(default_factory=dict)

    def window(self, cluster: Cluster) -> int:
        """Return the first second that the cluster can be restored to: that of its oldest snapshot."""
        return min((self.snapshots[snapshot].finished for snapshot in cluster.snapshots), default=self.epoch)

    def look(self, cluster: Cluster) -> Look:
        """Return what a cluster looks like."""
        found = self.looks.get((cluster.project, cluster.name))
        if found is None:
            sizes = {"tenant": "M5" if "M5" in cluster.name else "M2", "flex": "FLEX"}
            found = Look(size=sizes.get(cluster.kind, "M30" if cluster.sharded else "M10"))
        return found

    @property
    def failing(self) -> frozenset[str]:
        """The ids of the snapshots whose restore fails."""
        return frozenset(snapshot.id for snapshot in self.snapshots.values() if snapshot.failing)


def make_fixtures(seed: int, epoch: int) -> Fixtures:
    """Return the fixtures drawn from a seed, their times counted back from `epoch` (whole epoch seconds)."""
    draw = random.Random(f"fixtures {seed}")
    first, second = _identifier(draw), _identifier(draw)
    planned: tuple[tuple[str, str, Kind, bool, bool], ...] = (
        (first, "Flex0", "flex", False, False),
        (first, "f", "flex", False, True),
        (second, "Flex0", "flex", False, False),
        (first, "Tenant-M2", "tenant", False, False),
        (first, "Tenant-M2-b", "tenant", False, False),
        (second, "Tenant-M5", "tenant", False, True),
        (first, "Replica0", "dedicated", False, False),
        (second, "0-replica-" + "long-" * 10 + "name", "dedicated", False, True),
        (first, "Sharded0", "dedicated", True, False),
    )
    snapshots: dict[str, Snapshot] = {}
    clusters: list[Cluster] = []
    for project, name, kind, sharded, fails in planned:
        # The last snapshot of some clusters is the one whose restore fails.
        taken = [
            Snapshot(_identifier(draw), project, name, epoch - (6 - age) * DAY - 60 * len(clusters), fails and age == 2)
            for age in range(3)
        ]
        snapshots.update((snapshot.id, snapshot) for snapshot in taken)
        moment = epoch - DAY
        point = PointInTime(moment, moment, 1 + len(clusters)) if kind == "dedicated" else None
        clusters.append(Cluster(project, name, kind, sharded, tuple(snapshot.id for snapshot in taken), point))
    targets = (*_targets((first, second)), *themselves(clusters))
    absent = Absent(
        project=_identifier(draw),
        cluster=f"absent-{draw.getrandbits(32):08x}",
        snapshot=_identifier(draw),
        job=_identifier(draw),
        target=f"absent-{draw.getrandbits(32):08x}",
    )
    organization, projects = described(f"{seed}", sorted((first, second)))
    return Fixtures(
        epoch=epoch,
        inventory=Inventory(tuple(clusters), targets, absent),
        projects=frozenset((first, second)),
        organizations=(organization,),
        described=projects,
        clusters={(cluster.project, cluster.name): cluster for cluster in clusters},
        targets={(target.project, target.name): target for target in targets},
        snapshots=snapshots,
    )


def furnish(inventory: Inventory, epoch: int, earlier: Mapping[tuple[str, str], int] | None = None) -> Fixtures:
    """Return fixtures of which exactly this inventory exists.

    The last snapshot of each cluster is a day old at `epoch` (whole epoch seconds), each one before it a day older.
    `earlier` is how many jobs each cluster, by (project, name), had before; one that it leaves out had none.
    """
    snapshots = {
        snapshot: Snapshot(snapshot, cluster.project, cluster.name, epoch - age * DAY)
        for cluster in inventory.clusters
        for age, snapshot in enumerate(reversed(cluster.snapshots), 1)
    }
    found = {c.project for c in inventory.clusters} | {t.project for t in inventory.targets}
    organization, projects = described("furnished", sorted(found))
    return Fixtures(
        epoch=epoch,
        inventory=inventory,
        projects=frozenset(found),
        organizations=(organization,),
        described=projects,
        clusters={(cluster.project, cluster.name): cluster for cluster in inventory.clusters},
        targets={(target.project, target.name): target for target in inventory.targets},
        snapshots=snapshots,
        earlier=dict(earlier or {}),
    )


def _identifier(draw: random.Random) -> str:
    return f"{draw.getrandbits(96):024x}"


def described(seed: str, projects: Sequence[str]) -> tuple[Organization, tuple[Project, ...]]:
    """Return an organization drawn from `seed`, and the projects of these ids as members of it."""
    organization = Organization(_identifier(random.Random(f"organization {seed}")), "Organization 0")
    return organization, tuple(
        Project(project, f"Project {number}", organization.id) for number, project in enumerate(projects)
    )


def themselves(clusters: Iterable[Cluster]) -> Iterable[RestoreTarget]:
    """Yield each cluster as a restore target of its kind: so it can be restored to itself and to its like."""
    return (RestoreTarget(cluster.project, cluster.name, frozenset({cluster.kind})) for cluster in clusters)


def _targets(projects: Iterable[str]) -> Iterable[RestoreTarget]:
    shared: frozenset[Kind] = frozenset({"flex", "tenant"})
    for project in projects:
        for name in DEDICATED_ITEMS:
            yield RestoreTarget(project, name, shared | {"dedicated"})
        for name in ITEMS:
            yield RestoreTarget(project, name, shared)
        for name, impossible in IMPOSSIBLE.items():
            yield RestoreTarget(project, name, shared | {"dedicated"}, impossible)


def target_toml(
    url: str,
    inventory: Inventory,
    *,
    level: str = "workflow",
    prefix: str = "ATLAS_REFERENCE_",
    authority: Path | None = None,
) -> str:
    """Return a target file (TOML) that describes the reference endpoint.

    Credentials are named, never written: `credentials.environment` has the variables that go with `prefix`. `authority`
    is the certificate authority to trust, where it serves https.
    """
    text = json.dumps  # a JSON string of these values is a TOML basic string too
    lines = [f"base_url = {text(url)}", f"level = {text(level)}"]
    for table, role in (("", "OWNER"), (".reader", "READER"), (".off_list", "OFF_LIST")):
        lines += ["", f"[authentication{table}]"]
        for key, suffix in (
            ("public_key", "PUBLIC_KEY"),
            ("private_key", "PRIVATE_KEY"),
            ("client_id", "CLIENT_ID"),
            ("client_secret", "CLIENT_SECRET"),
        ):
            lines.append(f"{key} = {text(f'{prefix}{role}_{suffix}')}")
    for cluster in inventory.clusters:
        lines += [
            "",
            "[[clusters]]",
            f"project = {text(cluster.project)}",
            f"name = {text(cluster.name)}",
            f"kind = {text(cluster.kind)}",
            f"sharded = {text(cluster.sharded)}",
            f"snapshots = {text(list(cluster.snapshots))}",
        ]
        if (point := cluster.point_in_time) is not None:
            lines.append(
                f"point_in_time = {{ utc_seconds = {point.utc_seconds}, oplog_ts = {point.oplog_ts}, "
                f"oplog_inc = {point.oplog_inc} }}"
            )
    for target in inventory.targets:
        lines += [
            "",
            "[[restore_targets]]",
            f"project = {text(target.project)}",
            f"name = {text(target.name, ensure_ascii=False)}",
            f"accepts = {text(sorted(target.accepts))}",
        ]
        if target.impossible is not None:
            lines.append(f"impossible = {text(target.impossible)}")
    if authority is not None:
        lines += ["", "[tls]", f"ca_file = {text(str(authority))}"]
    return "\n".join(lines) + "\n"
