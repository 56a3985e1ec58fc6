"""Stories: requests of the strategies in an order in which they make sense, sent to an endpoint in memory.

Each story is about one concern and one kind of cluster, and begins with an endpoint to which nothing has happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import orjson

from atlas_conformance.cli.explanations.world import STEP, World, as_
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.inventory import Cluster, Kind
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.strategies.bodies import (
    base_bodies,
    conforming_bodies,
    departing_bodies,
    free_bodies,
    impossible_targets,
    undocumented_properties,
)
from atlas_conformance.strategies.malformed import hurtful_bodies, not_objects, odd_queries, other_methods
from atlas_conformance.strategies.paths import absent_paths, malformed_paths, snapshots_of_others
from atlas_conformance.strategies.representations import in_every_form, later_versions
from atlas_conformance.strategies.requests import build, with_query
from atlas_conformance.strategies.scenes import Scene, path_parameters, scenes

Story = Callable[[World, Kind], Iterator[Exchange]]
"""Sends requests about one kind of cluster and yields each exchange."""

_BUSY = 6 * STEP
"""Seconds after which every job has ended."""


def _scene(world: World, kind: Kind | None) -> Scene:
    return scenes(world.inventory, kind)[0]


def _of(kind: Kind, *kinds: str) -> list[Operation]:
    return [o for o in Contract.load().operations.values() if o.cluster_kind == kind and (not kinds or o.kind in kinds)]


def _job(exchange: Exchange) -> str | None:
    """Return the id of the job that an answer shows, None where it shows none."""
    try:
        document = orjson.loads(exchange.response.body or b"")
    except orjson.JSONDecodeError:
        return None
    found = document.get("id") if isinstance(document, dict) else None
    return found if isinstance(found, str) else None


def _create(world: World, operation: Operation, document: Any, **more: Any) -> Request:
    scene = _scene(world, operation.cluster_kind)
    return build(operation, path_parameters(operation, scene, ""), document, **more)


def _plain(world: World, operation: Operation, job: str) -> Request:
    """Return the plainest request of an operation."""
    scene = _scene(world, operation.cluster_kind)
    document = base_bodies(operation, scene)[0].document if operation.kind == "create" else None
    return build(operation, path_parameters(operation, scene, job), document)


def _made(world: World, kind: Kind) -> Iterator[tuple[Exchange, str | None]]:
    """Create a plain job by each create of the kind; yield the exchange and the job's id."""
    for operation in _of(kind, "create"):
        exchange = world.send(_plain(world, operation, ""))
        yield exchange, _job(exchange)
        world.wait(_BUSY)


def refusals(world: World, kind: Kind) -> Iterator[Exchange]:
    """Bodies that break one rule each, and snapshots that do not exist."""
    scene = _scene(world, kind)
    for operation in _of(kind, "create"):
        for body in departing_bodies(operation, scene, 4):
            yield world.send(_create(world, operation, body.document))
        for base in base_bodies(operation, scene):
            for body in (*undocumented_properties(base), *impossible_targets(operation, scene, world.inventory)):
                yield world.send(_create(world, operation, body.document))
                world.wait(_BUSY)
        for case in (*islice(not_objects(_plain(world, operation, "")), 12),
                     *islice(snapshots_of_others(operation, scene, world.inventory), 4)):  # fmt: skip
            yield world.send(case.request)


def paths(world: World, kind: Kind) -> Iterator[Exchange]:
    """Malformed and absent projects, clusters and jobs, and methods that a path does not have."""
    scene = _scene(world, kind)
    job = ""
    for exchange, made in _made(world, kind):
        yield exchange
        job = made or job
    for operation in _of(kind):
        for case in (*malformed_paths(operation, scene, job, 6), *absent_paths(operation, scene, job, world.inventory)):
            yield world.send(case.request)
    for operation in _of(kind, "create", "get"):
        taken = frozenset(o.method for o in Contract.load().operations.values() if o.template == operation.template)
        for case in other_methods(_plain(world, operation, job), taken):
            if case.request.method not in ("HEAD", "OPTIONS"):
                yield world.send(case.request)


def acceptance(world: World, kind: Kind) -> Iterator[Exchange]:
    """Conforming creates, one at a time, and bodies in which an endpoint is free."""
    scene = _scene(world, kind)
    for operation in _of(kind, "create"):
        for body in (*islice(conforming_bodies(operation, scene), 12), *islice(free_bodies(operation, scene), 12)):
            yield world.send(_create(world, operation, body.document))
            world.wait(_BUSY)


def representations(world: World, kind: Kind) -> Iterator[Exchange]:
    """The same request in every form: enveloped, indented, of later versions, with odd values of both parameters."""
    job = ""
    for exchange, made in _made(world, kind):
        yield exchange
        job = made or job
    for operation in _of(kind, "get", "list", "create"):
        good = _plain(world, operation, job)
        cases = (
            *in_every_form(good),
            *later_versions(operation, good, "2026-11-01"),
            *islice(odd_queries(good), 30),
        )
        for case in cases:
            yield world.send(case.request)
            if operation.kind == "create":
                world.wait(_BUSY)


def lifecycle(world: World, kind: Kind) -> Iterator[Exchange]:
    """Jobs of each kind, read by id and in the list until they have ended, and one that is cancelled."""
    scene = _scene(world, kind)
    reads, lists, cancels = _of(kind, "get"), _of(kind, "list"), _of(kind, "cancel")
    for operation in _of(kind, "create"):
        for body in islice(conforming_bodies(operation, scene), 10):
            created = world.send(_create(world, operation, body.document))
            yield created
            job = _job(created)
            if job is None:
                continue
            if cancels and body.document.get("deliveryType") == "automated":
                yield from _cancelled(world, reads + cancels + reads, job)
                created = world.send(_create(world, operation, body.document))
                yield created
                job = _job(created) or job
            for _ in range(6):
                for reading in (*reads, *lists):
                    yield world.send(_plain(world, reading, job))
                world.wait(STEP * 0.7)
            for cancel in cancels:
                yield from _cancelled(world, [cancel, *reads], job)
            yield from _elsewhere(world, kind, [*reads, *lists], job)
        yield from _sharded(world, operation, reads)


def _sharded(world: World, operation: Operation, reads: Iterable[Operation]) -> Iterator[Exchange]:
    """A download of a cluster of several shards, read until it has ended."""
    for scene in scenes(world.inventory, operation.cluster_kind):
        for body in conforming_bodies(operation, scene) if scene.sharded else ():
            if body.document.get("deliveryType") != "download":
                continue
            created = world.send(build(operation, path_parameters(operation, scene, ""), body.document))
            yield created
            world.wait(_BUSY)
            for reading in reads:
                yield world.send(build(reading, path_parameters(reading, scene, _job(created) or "0" * 24)))
            return


def _cancelled(world: World, operations: Iterable[Operation], job: str) -> Iterator[Exchange]:
    for operation in operations:
        yield world.send(_plain(world, operation, job))


def _elsewhere(world: World, kind: Kind, operations: Iterable[Operation], job: str) -> Iterator[Exchange]:
    """Ask for a job through other clusters of its kind."""
    scene = _scene(world, kind)
    clusters = [cluster for cluster in world.inventory.clusters if cluster.kind == kind]
    others = [cluster for cluster in clusters if (cluster.project, cluster.name) != (scene.project, scene.cluster)]
    for operation in operations:
        for other in others:
            yield world.send(build(operation, _place(operation, other, job)))


def _place(operation: Operation, cluster: Cluster, job: str) -> dict[str, str]:
    return operation.values(cluster.project, cluster.name, job)


def pages(world: World, kind: Kind) -> Iterator[Exchange]:
    """A list that grows, walked with several page sizes, with the count asked for and declined."""
    lists = _of(kind, "list")
    scene = _scene(world, kind)
    for operation in _of(kind, "create")[:1] if lists else []:
        for body in islice(conforming_bodies(operation, scene), 5):
            yield world.send(_create(world, operation, body.document))
            world.wait(_BUSY)
    for operation in lists:
        good = _plain(world, operation, "")
        for size in (1, 2, 3):
            for number in range(1, 8):
                yield world.send(with_query(good, f"itemsPerPage={size}&pageNum={number}"))
        for query in ("includeCount=false", "includeCount=true", "pageNum=1000", "itemsPerPage=500"):
            yield world.send(with_query(good, query))


def pressure(world: World, kind: Kind) -> Iterator[Exchange]:
    """Input that is only meant to hurt."""
    for operation in _of(kind, "create"):
        for case in hurtful_bodies(_plain(world, operation, "")):
            yield world.send(case.request)


def credentials(world: World, kind: Kind) -> Iterator[Exchange]:
    """The same requests with credentials of every sort, and without any."""
    yield world.ask_for_token()
    for operation in _of(kind, "list", "get", "create", "cancel"):
        good = _plain(world, operation, "0" * 24)
        broken = next(malformed_paths(operation, _scene(world, kind), "0" * 24, 1)).request
        for request in (
            as_(good, "none", "any"), as_(good, "wrong"), as_(good, "wrong", "digest"), as_(broken, "none", "any"),
            as_(good, "reader"), as_(good, "off-list"), as_(good, "owner", "digest"), as_(good, "owner"),
        ):  # fmt: skip
            yield world.send(request)
            world.wait(_BUSY if operation.kind == "create" else 0)
        if operation.kind == "create":
            for case in islice(not_objects(good), 2):
                yield world.send(as_(case.request, "none", "any"))


def paced(world: World, kind: Kind) -> Iterator[Exchange]:
    """More requests than an endpoint takes in a minute."""
    for operation in _of(kind, "get", "list"):
        for _ in range(4):
            yield world.send(as_(_plain(world, operation, "0" * 24), "owner"))


def snapshots(world: World, kind: Kind) -> Iterator[Exchange]:
    """A snapshot that is taken where one can be, read until it is done and after, restored, deleted, and gone."""
    found = scenes(world.inventory, kind)
    for scene in (*(s for s in found if not s.sharded), *(s for s in found if s.sharded))[:: max(1, len(found) - 1)]:
        around = [o for o in _of(kind) if o.resource.what == "snapshot"]
        reads = [o for o in around if o.kind in ("get", "list") and o.sharded == scene.sharded]
        snapshot = scene.snapshots[0]
        for operation in around:
            if operation.kind == "create":
                document = {"description": "Before the migration to 8.0", "retentionInDays": 3}
                taken = world.send(build(operation, path_parameters(operation, scene, ""), document))
                yield taken
                snapshot = _job(taken) or snapshot
        for _ in range(6):
            for reading in reads:
                yield world.send(build(reading, path_parameters(reading, scene, snapshot)))
            world.wait(STEP * 0.7)
        yield from _restored(world, kind, scene, snapshot, [o for o in reads if o.kind == "list"])
        for operation in around:
            if operation.kind == "delete":
                yield world.send(build(operation, path_parameters(operation, scene, snapshot)))
                world.wait(STEP)
                for reading in reads:
                    yield world.send(build(reading, path_parameters(reading, scene, snapshot)))
                yield from _restored(world, kind, scene, snapshot, ())


def _restored(world: World, kind: Kind, scene: Scene, snapshot: str, lists: Iterable[Operation]) -> Iterator[Exchange]:
    """Restore a snapshot by each create of the kind, just after it was listed, and read the jobs."""
    for operation in _of(kind, "create"):
        if operation.resource.what != "job":
            continue
        for listing in lists:
            yield world.send(build(listing, path_parameters(listing, scene, "")))
        document = base_bodies(operation, scene)[0].document | {"snapshotId": snapshot}
        created = world.send(build(operation, path_parameters(operation, scene, ""), document))
        yield created
        world.wait(_BUSY)
        job = _job(created)
        for reading in _of(kind, "get", "list") if job else ():
            if reading.resource.what == "job":
                yield world.send(build(reading, path_parameters(reading, scene, job or "")))


STORIES: Mapping[str, tuple[Story, ...]] = {
    "C": (acceptance, paths, pressure, refusals, lifecycle, representations),
    "V": (representations, acceptance, lifecycle),
    "E": (refusals, paths),
    "P": (paths,),
    "N": (paths, refusals),
    "B": (refusals, acceptance),
    "T": (acceptance, refusals, lifecycle),
    "S": (acceptance, lifecycle, representations),
    "L": (lifecycle, paths, pages),
    "L-PAGE": (pages,),
    "L-TOTAL": (pages,),
    "SNAP": (snapshots,),
    "A": (credentials, paced),
}
"""The stories in which a requirement, or one of a family, may show, the likeliest first."""


def stories_of(requirement: str) -> tuple[Story, ...]:
    """Return the stories in which a requirement may show, the likeliest first."""
    return STORIES.get(requirement) or STORIES.get(requirement.partition("-")[0], ())


CLOSED = frozenset({credentials, paced})
"""The stories of an endpoint that asks for credentials."""
