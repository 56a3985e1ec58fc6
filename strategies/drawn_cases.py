"""Hypothesis strategies for requests of one operation: conforming ones, and ones that break exactly one rule."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from hypothesis import strategies as st

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.inventory import Absent, Inventory
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.strategies.bodies import conforming_bodies, departing_bodies
from atlas_conformance.strategies.malformed import not_objects
from atlas_conformance.strategies.paths import malformed_paths
from atlas_conformance.strategies.representations import in_every_form
from atlas_conformance.strategies.requests import Case, build, with_query
from atlas_conformance.strategies.scenes import Scene, invented_scene, path_parameters, scenes

_INVENTED = Absent(
    "5f0c1e2d3a4b5c6d7e8f9a0b", "Cluster0", "699bc7a48decccf9757f0001", "699bc7a48decccf9757f82fc", "Item0"
)
"""Well-formed names for an endpoint of which nothing is known."""


def conforming_requests(
    operation: str, inventory: Inventory | None = None, job: str | None = None, contract: Contract | None = None
) -> st.SearchStrategy[Case]:
    """Draw requests of an operation (its id) that break no rule, in every form that `envelope` and `pretty` give.

    They name what `inventory` has, or invented names; operations on one job name `job`. Raises ValueError where there
    is no such operation, or `inventory` has no cluster for it with a snapshot and a target.
    """
    found, scene = _found(operation, inventory, contract)
    plain = [Case(request.request, None, request.what) for request in _plain(found, scene, job or _INVENTED.job)]
    formed = [case for first in plain for case in in_every_form(first.request)]
    cases = [*plain, *(case for case in formed if case.breaks is None)]
    if found.kind == "list":
        queries = ("itemsPerPage=1", "itemsPerPage=500&pageNum=1", "pageNum=2&itemsPerPage=2", "includeCount=false")
        cases += [Case(with_query(plain[0].request, query), None, query) for query in queries]
    return st.sampled_from(cases)


def departing_requests(
    operation: str, inventory: Inventory | None = None, job: str | None = None, contract: Contract | None = None
) -> st.SearchStrategy[Case]:
    """Draw requests of an operation (its id) that break exactly one rule, which `breaks` of each names.

    For the arguments see `conforming_requests`, which raises the same.
    """
    found, scene = _found(operation, inventory, contract)
    drawn: Iterator[Case] = malformed_paths(found, scene, job or _INVENTED.job)
    if found.kind == "create":
        parameters = path_parameters(found, scene, job or _INVENTED.job)
        bodies = (Case(build(found, parameters, b.document), b.breaks, b.what) for b in departing_bodies(found, scene))
        plain = next(_plain(found, scene, "")).request
        drawn = chain(bodies, not_objects(plain, optional=found.takes_no_body), drawn)
    return st.sampled_from(list(drawn))


def _found(operation: str, inventory: Inventory | None, contract: Contract | None) -> tuple[Operation, Scene]:
    operations = (contract or Contract.load()).operations
    if operation not in operations:
        raise ValueError(f"there is no operation {operation!r}; there are {', '.join(operations)}")
    found = operations[operation]
    if inventory is None or inventory.takes_any:
        return found, invented_scene(_INVENTED, real=True)
    known = scenes(inventory, found.cluster_kind)
    if not known:
        raise ValueError(f"the inventory has no cluster with a snapshot and a target for {operation}")
    return found, known[0]


def _plain(operation: Operation, scene: Scene, job: str) -> Iterator[Case]:
    """Yield the conforming requests of an operation in their ordinary form."""
    parameters = path_parameters(operation, scene, job)
    if operation.kind == "create":
        for body in conforming_bodies(operation, scene):
            yield Case(build(operation, parameters, body.document), None, body.what)
    else:
        yield Case(build(operation, parameters), None, "the ordinary request")
