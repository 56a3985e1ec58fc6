"""Names that a run makes up for an endpoint of which only the URL is known, and what follows once they are accepted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.inventory import Cluster, Inventory, Kind, PointInTime, RestoreTarget
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.strategies.bodies import base_bodies
from atlas_conformance.strategies.requests import build, with_header
from atlas_conformance.strategies.scenes import INVENTED_MOMENT, Scene, path_parameters
from atlas_conformance.targets.preflight import job_id_of

_ELSEWHERE = "another place"
_VERSIONED = "the operation's own content type"
_ACROSS = "a target of another project"


@dataclass(frozen=True)
class Invented:
    """Two clusters of one kind in two projects, which all kinds share, with a snapshot and a target for each."""

    projects: tuple[str, str]
    clusters: tuple[str, str]
    snapshots: tuple[str, str]
    targets: tuple[str, str]
    spares: tuple[str, ...]
    """Targets for creates that only try something out, so that no job of theirs keeps a target busy later."""

    def scene(self, number: int, spare: str | None = None, *, across: bool = False) -> Scene:
        """Return the scene of one cluster; `spare` replaces its target, `across` takes one of the other project."""
        project = self.projects[number]
        where = self.projects[1 - number] if across else project
        target = (where, spare or self.targets[number])
        return Scene(project, self.clusters[number], (self.snapshots[number],), (target,), INVENTED_MOMENT, True)

    def trials(self, operation: Operation) -> Iterator[tuple[str, Request]]:
        """Yield conforming creates, each with what it tries: every kind, each content type, another place."""
        spares = iter(self.spares)
        here = path_parameters(operation, self.scene(0), "")
        count = len(base_bodies(operation, self.scene(0)))
        for number in range(count):
            body = base_bodies(operation, self.scene(0, next(spares)))[number]
            yield body.what, build(operation, here, body.document)
        across = base_bodies(operation, self.scene(0, next(spares), across=True))[0]
        yield _ACROSS, build(operation, here, across.document)
        there = path_parameters(operation, self.scene(1), "")
        yield _ELSEWHERE, build(operation, there, base_bodies(operation, self.scene(1, next(spares)))[0].document)
        if operation.api == "v2" and operation.media_type is not None:
            for number, what in enumerate((_VERSIONED, _ELSEWHERE)):
                document = base_bodies(operation, self.scene(number, next(spares)))[0].document
                request = build(operation, (here, there)[number], document)
                yield what, with_header(request, "Content-Type", operation.media_type)


def invented(kind: Kind, seed: int) -> Invented:
    """Make up the names of a kind of cluster; the same seed makes up the same ones.

    The projects are those of every kind. Cluster names differ between kinds, for an endpoint that remembers of
    which kind a cluster was.
    """
    shared = Random(f"invented:{seed}")
    projects = (_id(shared), _id(shared))
    own = Random(f"invented:{seed}:{kind}")
    snapshots = (_id(own), _id(own))
    names = [f"{kind}-{own.getrandbits(32):08x}" for _ in range(12)]
    return Invented(projects, (names[0], names[1]), snapshots, (names[2], names[3]), tuple(names[4:]))


def _id(random: Random) -> str:
    return f"{random.getrandbits(96) | 1 << 95:024x}"


@dataclass
class Accepted:
    """What a create accepted: in the first place or in both, with a target of another project or not, at which moments.

    `job` is the id of the first job that it made in `scene`, `found` whether a read showed it.
    """

    operation: Operation
    scene: Scene
    job: str | None
    across: bool
    moment: PointInTime | None
    found: bool = False

    @classmethod
    def of(cls, operation: Operation, names: Invented, accepted: list[tuple[str, Exchange]]) -> Accepted | None:
        """Return what was accepted, by what each create tried; None unless plain ones were, in two places."""
        tried = {what for what, _ in accepted}
        plain = base_bodies(operation, names.scene(0))[0].what
        if _ELSEWHERE not in tried or not tried & {plain, _VERSIONED}:
            return None
        scene = names.scene(0)
        jobs = [job_id_of(exchange.response) for what, exchange in accepted if what != _ELSEWHERE]
        moment = PointInTime(
            INVENTED_MOMENT.utc_seconds if "pointInTime by pointInTimeUTCSeconds" in tried else None,
            INVENTED_MOMENT.oplog_ts if "pointInTime by oplogTs and oplogInc" in tried else None,
            INVENTED_MOMENT.oplog_inc if "pointInTime by oplogTs and oplogInc" in tried else None,
        )
        known = moment if moment != PointInTime() else None
        return cls(operation, scene, next(iter(jobs), None), _ACROSS in tried, known)


def accepted_inventory(
    accepted: Iterable[Accepted], names: Mapping[Kind | None, Invented], *, apart: bool
) -> Inventory:
    """Return the inventory that follows from what creates accepted; with a second cluster of each kind where jobs are
    to be kept `apart`.
    """
    clusters: list[Cluster] = []
    targets: list[RestoreTarget] = []
    kinds: dict[Kind, list[Accepted]] = {}
    for one in accepted:
        if one.operation.cluster_kind is not None:
            kinds.setdefault(one.operation.cluster_kind, []).append(one)
    for kind, found in kinds.items():
        mine = names[kind]
        moment = next((one.moment for one in found if one.moment is not None), None)
        across = all(one.across for one in found)
        for number in (0, 1) if apart else (0,):
            # Without restores across projects nothing can be restored from the second one: it serves reads alone.
            snapshots = (mine.snapshots[number],) if across or number == 0 else ()
            clusters.append(Cluster(mine.projects[number], mine.clusters[number], kind, False, snapshots, moment))
        for number in (0, 1) if across else (0,):
            targets.append(RestoreTarget(mine.projects[number], mine.targets[number], frozenset({kind})))
    return Inventory(tuple(clusters), tuple(targets), invented=True)
