"""Hypothesis strategies for requests of one operation: conforming ones, and ones that break exactly one rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from hypothesis import strategies as st

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.inventory import Absent, Inventory
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.reading import Readings
from atlas_conformance.strategies.bodies import conforming_bodies, departing_bodies
from atlas_conformance.strategies.made_bodies import departing_from, drawn_bodies, made_bodies
from atlas_conformance.strategies.malformed import not_objects
from atlas_conformance.strategies.paths import malformed_paths, malformed_texts
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

    They name what `inventory` has, or invented names; operations on one job, or another thing, name `job`. Raises
    ValueError where there is no such operation, `inventory` has no cluster for it with a snapshot and a target, or its
    data has no request that can be drawn.
    """
    asked = _asked(operation, inventory, job, contract)
    plain = list(_plain(asked))
    formed = [case for first in plain for case in in_every_form(first.request)]
    cases = [*plain, *(case for case in formed if case.breaks is None)]
    if asked.operation.kind == "list":
        queries = ("itemsPerPage=1", "itemsPerPage=500&pageNum=1", "pageNum=2&itemsPerPage=2", "includeCount=false")
        cases += [Case(with_query(plain[0].request, query), None, query) for query in queries]
    drawn = st.sampled_from(cases)
    if asked.operation.kind != "create" or asked.operation.request_schema is None or asked.known is not None:
        return drawn

    def case(document: object) -> Case:
        return Case(build(asked.operation, asked.parameters, document), None, "drawn from its schema")

    return drawn | drawn_bodies(asked.contract, asked.operation).map(case)


def departing_requests(
    operation: str, inventory: Inventory | None = None, job: str | None = None, contract: Contract | None = None
) -> st.SearchStrategy[Case]:
    """Draw requests of an operation (its id) that break exactly one rule, which `breaks` of each names.

    For the arguments see `conforming_requests`, which raises the same; ValueError too where no requirement of the
    contract refuses any of these requests.
    """
    asked = _asked(operation, inventory, job, contract)
    found, plain = asked.operation, next(_plain(asked)).request
    if asked.is_the_packages:
        drawn: Iterator[Case] = malformed_paths(found, asked.scene, asked.job)
    else:
        drawn = _odd_paths(asked, plain)
    if found.kind == "create" and found.request_schema is not None:
        known = asked.known
        bodies = departing_bodies(known, asked.scene) if known is not None else departing_from(asked.contract, found)
        built = (Case(build(found, asked.parameters, body.document), body.breaks, body.what) for body in bodies)
        drawn = chain(built, not_objects(plain, optional=found.takes_no_body), drawn)
    cases = list(drawn) if asked.is_the_packages else list(_named(asked, drawn))
    if not cases:
        raise ValueError(f"no request of {operation} can be drawn that breaks one rule: no requirement refuses any")
    return st.sampled_from(cases)


@dataclass(frozen=True)
class _Asked:
    """An operation of a contract, and what its requests name."""

    contract: Contract
    operation: Operation
    scene: Scene
    job: str

    @property
    def is_the_packages(self) -> bool:
        """Whether the package brings the contract."""
        return self.contract is Contract.load()

    @cached_property
    def known(self) -> Operation | None:
        """The package's operation whose bodies serve for this one, and tell more than those made from a schema."""
        return _known(self.contract, self.operation)

    @property
    def parameters(self) -> dict[str, str]:
        """The names in the path. Raises ValueError where the operation does not take one of them."""
        named = path_parameters(self.operation, self.scene, self.job)
        for parameter in self.operation.parameters:
            value = named[parameter.name]
            if not parameter.fits(value):
                how = "in the inventory" if parameter.role in ("project", "cluster") else "as `job`"
                where = f"the parameter {parameter.name} of {self.operation.id}"
                raise ValueError(f"{where} does not take {value!r}: name one that it takes {how}")
        return named


def _known(contract: Contract, operation: Operation) -> Operation | None:
    """Return the package's operation whose bodies serve for this one too; None where they break its schema."""
    package = Contract.load()
    if contract is package:
        return operation
    same = package.operations.get(operation.id)
    if same is None or (same.resource, same.kind, same.delivery) != (
        operation.resource,
        operation.kind,
        operation.delivery,
    ):
        return None
    if operation.request_schema is None or same.request_schema is None:
        return same if operation.request_schema == same.request_schema else None
    takes = contract.validator(operation.request_schema).is_valid
    bodies = conforming_bodies(same, invented_scene(_INVENTED, real=True))
    return same if all(takes(body.document) for body in bodies) else None


def _asked(operation: str, inventory: Inventory | None, job: str | None, contract: Contract | None) -> _Asked:
    contract = contract or Contract.load()
    if operation not in contract.operations:
        raise ValueError(f"there is no operation {operation!r}; there are {', '.join(contract.operations)}")
    found = contract.operations[operation]
    job = job or _INVENTED.job
    if inventory is None or inventory.takes_any:
        return _Asked(contract, found, invented_scene(_INVENTED, real=True), job)
    if _known(contract, found) is not None:
        known = scenes(inventory, found.cluster_kind)
        if not known:
            raise ValueError(f"the inventory has no cluster with a snapshot and a target for {operation}")
        return _Asked(contract, found, known[0], job)
    here = [one for one in inventory.clusters if found.cluster_kind in (None, one.kind)]
    if not here:
        raise ValueError(f"the inventory has no cluster for {operation}")
    scene = replace(invented_scene(_INVENTED, real=True), project=here[0].project, cluster=here[0].name)
    return _Asked(contract, found, scene, job)


def _plain(asked: _Asked) -> Iterator[Case]:
    """Yield the conforming requests of an operation in their ordinary form."""
    operation, parameters = asked.operation, asked.parameters
    if operation.kind != "create" or operation.request_schema is None:
        yield Case(build(operation, parameters), None, "the ordinary request")
        return
    known = asked.known
    bodies = made_bodies(asked.contract, operation) if known is None else conforming_bodies(known, asked.scene)
    for body in bodies:
        yield Case(build(operation, parameters, body.document), None, body.what)


def _odd_paths(asked: _Asked, plain: Request) -> Iterator[Case]:
    """Yield a request with one malformed parameter of the path each."""
    for parameter in asked.operation.parameters:
        for text, what in malformed_texts(parameter, asked.parameters[parameter.name]):
            path = asked.operation.expand(asked.parameters | {parameter.name: text})
            yield Case(replace(plain, target=path), parameter.malformed, f"{parameter.name} with {what}")


def _named(asked: _Asked, cases: Iterable[Case]) -> Iterator[Case]:
    """Yield the requests that break one requirement of the contract, by the judge's own reading, under its name."""
    readings = Readings(Knowledge(), asked.contract)
    for case in cases:
        reading = readings.of(case.request)
        broken = {violation.requirement for violation in reading.violations} if reading is not None else set()
        if len(broken) == 1:
            yield replace(case, breaks=broken.pop())
