"""The requests of a run, drawn ahead from the strategies with the run's seed: drawing costs more than sending."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import TypeVar

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Credential, Request, Scheme
from atlas_conformance.contracts.inventory import KINDS, Absent, Inventory, Kind
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.http.guard.guard import Guard
from atlas_conformance.runner.drawn_cache import keep_what_is_drawn
from atlas_conformance.strategies.bodies import conforming_bodies, departing_bodies, free_bodies
from atlas_conformance.strategies.drawn import creates as drawn_creates
from atlas_conformance.strategies.drawn import paths as drawn_paths
from atlas_conformance.strategies.malformed import odd_pages, odd_queries
from atlas_conformance.strategies.paths import absent_paths, malformed_paths, snapshots_of_others
from atlas_conformance.strategies.representations import in_every_form, later_versions, unsettled_accepts
from atlas_conformance.strategies.requests import Case, build
from atlas_conformance.strategies.scenes import Scene, harmless_scene, invented_scene, path_parameters, scenes

CASES = 40
"""How many constructed requests of each operation are taken, at random."""

DRAWN = 15
"""How many requests of each operation Hypothesis draws."""

_LONGEST = 4_096
"""Requests with longer bodies are for the sequential suites: they say nothing of clients that come at once."""

T = TypeVar("T")


@dataclass(frozen=True)
class Pool:
    """What users send that does not depend on a job.

    `creates` conform, the `misuse` requests do not, or are other forms of a create; `lists` are the (operation, scene)
    pairs to list, `places` all clusters of each kind as (project, name), `jobs` whether anything may be created.
    """

    creates: tuple[Request, ...]
    misuse: tuple[Request, ...]
    lists: tuple[tuple[Operation, Scene], ...]
    places: dict[Kind | None, tuple[tuple[str, str], ...]]
    absent: Absent | None
    schemes: tuple[Scheme, ...]


Offers = Callable[[Credential, Scheme], bool]
"""Tells whether a credential is known for a scheme."""


def pool(knowledge: Knowledge, guard: Guard, offers: Offers, seed: int, absent: Absent) -> Pool:
    """Draw the pool of a run; the same arguments draw the same requests.

    `offers` tells whether a credential is known for a scheme; `absent` are names that exist nowhere. What the guard's
    mode does not allow is left out, so that nothing is offered to the guard in vain.
    """
    random = Random(f"hammer:{seed}")
    inventory = knowledge.inventory
    scheme_names: tuple[Scheme, ...] = ("digest", "bearer")
    operations = [operation for operation in Contract.load().operations.values() if knowledge.offers(operation.id)]
    creates: list[Request] = []
    misuse: list[Request] = []
    listed: list[tuple[Operation, Scene]] = []
    for operation in operations:
        if operation.kind in ("create", "cancel", "delete") and guard.mode == "read":
            continue
        found = scenes_of(inventory, operation.cluster_kind, absent, restores=guard.mode == "restore")
        found = tuple(sorted(found, key=lambda scene: scene.sharded is not operation.sharded))
        if operation.kind == "list":
            listed += [(operation, scene) for scene in found]
        if operation.kind == "create":
            for scene in found:
                if scene.real:
                    creates += [
                        build(operation, path_parameters(operation, scene, ""), body.document)
                        for body in conforming_bodies(operation, scene)
                    ]
        misuse += _misuse(operation, found[0], knowledge, absent, offers, random)
    places: dict[Kind | None, tuple[tuple[str, str], ...]] = {
        kind: tuple((c.project, c.name) for c in inventory.clusters if c.kind == kind) for kind in KINDS
    }
    return Pool(
        tuple(creates),
        tuple(misuse),
        tuple(listed),
        places,
        inventory.absent,
        tuple(scheme for scheme in scheme_names if offers("owner", scheme)),
    )


def scenes_of(inventory: Inventory, kind: Kind | None, absent: Absent, *, restores: bool) -> tuple[Scene, ...]:
    """Return the scenes of a kind of cluster; where nothing may be restored, one in which a create touches nothing."""
    if not restores and not inventory.takes_any:
        return (harmless_scene(inventory, kind, absent),)
    return scenes(inventory, kind) or (invented_scene(absent, real=inventory.takes_any),)


def _misuse(
    operation: Operation,
    scene: Scene,
    knowledge: Knowledge,
    absent: Absent,
    offers: Offers,
    random: Random,
) -> Iterator[Request]:
    cases = list(_cases(operation, scene, knowledge, absent))
    chosen = [case.request for case in random.sample(cases, min(CASES, len(cases)))]
    chosen += draw(_strategy(operation, scene, absent), DRAWN, random.getrandbits(32))
    plain = chosen[0]
    strangers: tuple[tuple[Credential, Scheme], ...] = (
        ("none", "any"), ("wrong", "digest"), ("wrong", "bearer"), ("wrong-secret", "digest"),
        ("wrong-secret", "bearer"), ("reader", "any"), ("off-list", "any"),
    )  # fmt: skip
    for credential, scheme in strangers:
        # Where the target names no credentials nobody is a stranger.
        if offers(credential, scheme) and (offers("owner", "digest") or offers("owner", "bearer")):
            chosen += [replace(request, credential=credential, scheme=scheme) for request in (plain, chosen[-1])]
    yield from (request for request in chosen if len(request.body or b"") <= _LONGEST)


def _cases(operation: Operation, scene: Scene, knowledge: Knowledge, absent: Absent) -> Iterator[Case]:
    item = absent.named(operation.resource.what) or absent.job
    yield from malformed_paths(operation, scene, item, 6)
    yield from absent_paths(operation, scene, item, knowledge.inventory)
    document = next(conforming_bodies(operation, scene)).document if operation.kind == "create" else None
    # Long pages cost the judge more than they tell: every job on one is judged.
    query = {"itemsPerPage": "20"} if operation.paged else None
    good = build(operation, path_parameters(operation, scene, item), document, query=query)
    if operation.media_type is not None:
        yield from _every(3, odd_queries(good))
        yield from _every(3, unsettled_accepts(good))
        yield from in_every_form(good)
        if operation.api == "v2":
            yield from later_versions(operation, good, knowledge.latest_date)
    if operation.paged:
        yield from odd_pages(build(operation, path_parameters(operation, scene, item)))
    if operation.kind == "create":
        parameters = path_parameters(operation, scene, "")
        for body in (*_every(5, departing_bodies(operation, scene, 8)), *_every(3, free_bodies(operation, scene))):
            yield Case(build(operation, parameters, body.document), body.breaks, body.what)
        if scene.real:
            yield from snapshots_of_others(operation, scene, knowledge.inventory)


def _every(step: int, cases: Iterable[T]) -> Iterator[T]:
    return islice(cases, 0, None, step)


def _strategy(operation: Operation, scene: Scene, absent: Absent) -> object:
    if operation.kind == "create":
        return drawn_creates(operation, scene)
    return drawn_paths(operation, scene, absent.named(operation.resource.what) or absent.job)


def draw(strategy: object, count: int, seed: int) -> list[Request]:
    """Draw up to `count` requests from a Hypothesis strategy; the same seed draws the same."""
    keep_what_is_drawn()

    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded
    from hypothesis.strategies import SearchStrategy

    assert isinstance(strategy, SearchStrategy)
    found: list[Request] = []

    @seeded(seed)
    @settings(
        max_examples=count, phases=[Phase.generate], database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def take(request: Request) -> None:
        found.append(request)

    take()
    return found
