"""Requests whose path names something malformed, absent, or of the wrong kind (P-*, N-GROUP, N-CLUSTER, N-JOB)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from atlas_conformance.contracts.inventory import Inventory
from atlas_conformance.contracts.operation import Operation, Parameter
from atlas_conformance.strategies.bodies import base_bodies
from atlas_conformance.strategies.boundaries import text_edits
from atlas_conformance.strategies.disguises import encoded_twice
from atlas_conformance.strategies.requests import Case, build
from atlas_conformance.strategies.scenes import Scene, path_parameters

# A slash, or a segment that is empty or only dots, makes another path of it; routers may rightly differ on those.
_ROUTING = frozenset("/\\?#%;")
_DISGUISED = 4
"""What is merely wrong is not found even where nobody checks its form, so a path needs few such texts."""
_DOCUMENT_FREE = frozenset({".", "..", ""})


def malformed_paths(operation: Operation, scene: Scene, job: str, most: int | None = None) -> Iterator[Case]:
    """Yield requests in which exactly one path parameter breaks its pattern or length; `most` a parameter."""
    good = path_parameters(operation, scene, job)
    document = _document(operation, scene)
    for parameter in operation.parameters:
        name = parameter.name
        for text, what in islice(malformed_texts(parameter, good[name]), most):
            request = build(operation, good | {name: text}, document)
            yield Case(request, parameter.malformed, f"{name} with {what}")


def overlong_name(operation: Operation, scene: Scene, job: str) -> Iterator[Case]:
    """Yield a request whose name is one letter too long and starts with that of a cluster, for a server that cuts it
    off; nothing where the cluster's own name is not as long as a name may be.
    """
    good = path_parameters(operation, scene, job)
    for parameter in operation.parameters:
        name = parameter.name
        if parameter.role == "cluster" and len(good[name]) == parameter.longest:
            request = build(operation, good | {name: good[name] + "a"}, _document(operation, scene))
            yield Case(request, parameter.malformed, f"{name} with a letter more than there may be")


def malformed_texts(parameter: Parameter, good: str) -> Iterator[tuple[str, str]]:
    """Yield (text, what) pairs that break a path parameter's rule and that every router delivers as one segment.

    A parameter of which no requirement refuses anything has none.
    """
    if parameter.malformed is None:
        return
    escaped = encoded_twice(good)

    def keep(text: str) -> bool:
        plain = text == escaped or not _ROUTING & set(text)
        routable = plain and text not in _DOCUMENT_FREE and "\x00" not in text and len(text) < 1_000
        return routable and "\ud800" not in text and not parameter.fits(text)

    yield from text_edits(good, parameter.longest or len(good), disguised=_DISGUISED, keep=keep)


def undecodable_paths(operation: Operation, scene: Scene, job: str) -> Iterator[Case]:
    """Yield requests in which one path parameter holds percent-encoded bytes that are no UTF-8."""
    good = path_parameters(operation, scene, job)
    document = _document(operation, scene)
    for parameter in operation.parameters:
        name = parameter.name
        marked = build(operation, good | {name: "undecodable"}, document)
        for raw in ("%FF", "%C3%28", "%ED%A0%80"):
            target = marked.target.replace("undecodable", good[name][:-1] + raw, 1)
            yield Case(replace(marked, target=target), parameter.malformed, f"{name} with {raw}")


def absent_paths(operation: Operation, scene: Scene, job: str, inventory: Inventory) -> Iterator[Case]:
    """Yield well-formed requests for a project, a cluster or a job that does not exist, or a cluster of another
    kind.
    """
    absent = inventory.absent
    good = path_parameters(operation, scene, job)
    if absent is None:
        own = operation.parameter("job")
        if own is not None and inventory.absent_job is not None and scene.real:
            yield Case(build(operation, good | {own.name: inventory.absent_job}), "N-JOB", "an absent job")
        return
    document = _document(operation, scene)
    placed = scene.real or any((c.project, c.name) == (scene.project, scene.cluster) for c in inventory.clusters)
    project, cluster = operation.roles["project"], operation.roles["cluster"]
    # Of a job that exists nowhere either, nothing but a 404 can be said.
    what = operation.resource.what
    named, missing = operation.parameter(what), absent.named(what)
    nowhere = {named.name: missing} if named is not None and missing is not None else {}
    for job_parameter in (nowhere, {}) if nowhere else ({},):
        place = good | job_parameter
        yield Case(build(operation, place | {project: absent.project}, document), "N-GROUP", "an absent project")
        if placed:
            yield Case(build(operation, place | {cluster: absent.cluster}, document), "N-CLUSTER", "an absent cluster")
    if named is not None and nowhere and placed:
        yield Case(build(operation, good | nowhere, document), named.absent, f"an absent {what}")
    kinds = {operation.cluster_kind}
    for other in inventory.clusters:
        if scene.real and other.kind not in kinds:
            kinds.add(other.kind)
            place = {project: other.project, cluster: other.name}
            fitting = document
            if isinstance(document, dict) and other.snapshots and "snapshotId" in document:
                fitting = document | {"snapshotId": other.snapshots[0]}
            breaks = None if other.kind in operation.resource.kindred_kinds else "N-CLUSTER"
            yield Case(build(operation, good | place, fitting), breaks, f"a {other.kind} cluster")


def snapshots_of_others(operation: Operation, scene: Scene, inventory: Inventory) -> Iterator[Case]:
    """Yield creates that name a snapshot which is absent, or belongs to another cluster (N-SNAPSHOT)."""
    absent = inventory.absent
    if absent is None:
        return
    parameters = path_parameters(operation, scene, absent.job)
    for base in base_bodies(operation, scene):
        if "snapshotId" not in base.document:
            continue
        document = base.document | {"snapshotId": absent.snapshot}
        yield Case(build(operation, parameters, document), "N-SNAPSHOT", f"{base.what}: an absent snapshot")
        for other in inventory.clusters:
            if other.snapshots and (other.project, other.name) != (scene.project, scene.cluster):
                document = base.document | {"snapshotId": other.snapshots[0]}
                what = f"{base.what}: a snapshot of a {other.kind} cluster"
                yield Case(build(operation, parameters, document), "N-SNAPSHOT", what)
                break


def _document(operation: Operation, scene: Scene) -> object:
    return base_bodies(operation, scene)[0].document if operation.kind == "create" else None
