"""From a method and a path to the neighbour that answers it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.messages import Answer, Call
from atlas_conformance.reference.neighbours import clusters, projects, restore_jobs, snapshots
from atlas_conformance.reference.neighbours.visits import Visit

Handler = Callable[..., Answer]
"""Takes a visit and the decoded path parameters; raises Refusal."""

_BEGINNING = "/api/atlas/"

# Each path stands for the API versions before it; `{}` is a parameter.
_READS: Mapping[str, Handler] = {
    "v2 v1.0": projects.root,
    "v2 v1.0 orgs": projects.list_organizations,
    "v2 v1.0 orgs/{}": projects.show_organization,
    "v2 v1.0 orgs/{}/groups": projects.list_projects_of,
    "v2 v1.0 groups": projects.list_projects,
    "v2 v1.0 groups/{}": projects.show_project,
    "v2 v1.0 groups/byName/{}": projects.show_project_named,
    "v2 v1.0 clusters": clusters.list_everywhere,
    "v2 v1.0 groups/{}/clusters": clusters.list_clusters,
    "v2 v1.0 groups/{}/clusters/{}": clusters.show_cluster,
    "v2 groups/{}/flexClusters": clusters.list_flex_clusters,
    "v2 groups/{}/flexClusters/{}": clusters.show_flex_cluster,
    "v2 v1.0 groups/{}/clusters/{}/backup/schedule": clusters.show_schedule,
    "v2 v1.0 groups/{}/alerts": projects.list_nothing,
    "v2 v1.0 groups/{}/accessList": projects.list_nothing,
    "v2 v1.0 groups/{}/databaseUsers": projects.list_nothing,
    # Snapshots: what the contract's operations come to cover is answered by these, and no longer from here.
    "v2 v1.0 groups/{}/clusters/{}/backup/snapshots": snapshots.list_dedicated,
    "v2 v1.0 groups/{}/clusters/{}/backup/snapshots/{}": snapshots.show_dedicated,
    "v2 v1.0 groups/{}/clusters/{}/backup/snapshots/shardedClusters": snapshots.list_sharded,
    "v2 v1.0 groups/{}/clusters/{}/backup/snapshots/shardedCluster/{}": snapshots.show_sharded,
    "v2 v1.0 groups/{}/clusters/{}/backup/tenant/snapshots": snapshots.list_tenant,
    "v2 v1.0 groups/{}/clusters/{}/backup/tenant/snapshots/{}": snapshots.show_tenant,
    "v2 groups/{}/flexClusters/{}/backup/snapshots": snapshots.list_flex,
    "v2 groups/{}/flexClusters/{}/backup/snapshots/{}": snapshots.show_flex,
    "v1.0 groups/{}/clusters/{}/backup/restoreJobs": restore_jobs.list_jobs,
}
_DELETES: Mapping[str, Handler] = {
    "v1.0 groups/{}/clusters/{}/backup/restoreJobs/{}": restore_jobs.cancel_job,
}

_Shapes = dict[tuple[str, str, int], list[tuple[tuple[str, ...], Handler]]]


def _shapes() -> _Shapes:
    found: _Shapes = defaultdict(list)
    for method, table in (("GET", _READS), ("DELETE", _DELETES)):
        for line, handler in table.items():
            words = line.split(" ")
            segments = () if words[-1] in ("v2", "v1.0") else tuple(words[-1].split("/"))
            for api in words:
                if api in ("v2", "v1.0"):
                    found[method, api, len(segments)].append((segments, handler))
    for shapes in found.values():
        shapes.sort(key=lambda one: one[0].count("{}"))  # a name wins over a parameter
    return dict(found)


_SHAPES = _shapes()


def neighbour_answer(backend: Backend, call: Call, base: str) -> Answer | None:
    """Return the answer of the neighbour that a call is for, None where it is for none; raises Refusal.

    `base` is the endpoint's URL, for links.
    """
    if not call.path.startswith(_BEGINNING):
        return None
    api, *segments = (unquote(segment) for segment in call.path[len(_BEGINNING) :].split("/"))
    if api == "v1.0" and segments and not segments[-1]:
        segments.pop()  # v1.0's clients write some paths with a slash at the end
    for shape, handler in _SHAPES.get((call.method, api, len(segments)), ()):
        if all(expected in ("{}", seen) and seen for expected, seen in zip(shape, segments, strict=True)):
            given = (seen for expected, seen in zip(shape, segments, strict=True) if expected == "{}")
            return handler(Visit(backend, call, api, base), *given)
    return None
