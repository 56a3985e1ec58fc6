"""The contract as one value: operations, schemas, requirements, sources, decision table, known departures."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from atlas_conformance.contracts.contract_error import ContractError
from atlas_conformance.contracts.data_files import read_toml, read_yaml
from atlas_conformance.contracts.data_form import check_form
from atlas_conformance.contracts.decision import Delivery, read_deliveries
from atlas_conformance.contracts.departure import UNKNOWN, KnownDeparture, read_departures
from atlas_conformance.contracts.operation import Operation, Paths, read_operations
from atlas_conformance.contracts.requirement import Requirement, Source, read_requirements, read_sources
from atlas_conformance.contracts.resources import Resource
from atlas_conformance.contracts.schema_check import check_schemas
from atlas_conformance.contracts.selector import ROLES, roles_in
from atlas_conformance.contracts.validation import SCHEMAS, Schemas, SchemaValidator, load_schemas

FOLDER = Path(__file__).parent
"""The folder of the contract that the package brings."""
ERROR_SCHEMA = "error.json"
"""The schema file that every error is judged by."""


@dataclass(frozen=True, eq=False)
class Contract:
    """What a conforming endpoint does: operations, schemas, requirements, and where they come from.

    `openapi` is the OpenAPI document, shared: do not change it. The mappings are by id, in the order of their files.
    `settled_within` is the number of seconds after which a list shows what was made, and what was deleted is gone.
    """

    openapi: Mapping[str, Any]
    operations: Mapping[str, Operation]
    schemas: Schemas
    sources: Mapping[str, Source]
    requirements: Mapping[str, Requirement]
    deliveries: Mapping[str, Delivery]
    departures: Mapping[str, KnownDeparture]
    settled_within: float = 30.0

    @staticmethod
    def load(folder: Path | str | None = None) -> Contract:
        """Read the contract of a folder; without one, that of the package, which is read once.

        The folder holds `openapi.yaml`, `schemas/`, `sources.toml`, `requirements.toml`, `delivery.toml` and
        `departures.toml`. Raises OSError if a file is missing, and ContractError, which is a ValueError, if one is
        invalid: it says where, and what would be right.
        """
        return _default() if folder is None else _read(Path(folder))

    @cached_property
    def versions(self) -> frozenset[str]:
        """The dates (ISO) of every version that the vendor has published."""
        return frozenset(str(date) for date in self.openapi.get("x-published-versions", ()))

    @cached_property
    def _paths(self) -> Paths:
        return Paths(self.operations.values())

    def operations_at(self, path: str) -> tuple[tuple[Operation, Mapping[str, str]], ...]:
        """Return the operations, of whatever method, at a percent-encoded path, each with its decoded parameters."""
        return self._paths.at(path)

    def match(self, method: str, path: str) -> tuple[Operation, Mapping[str, str]] | None:
        """Return the operation that a method (upper case) and a percent-encoded path name, and its parameters, or
        None.
        """
        return next((found for found in self._paths.at(path) if found[0].method == method), None)

    def is_outside(self, method: str, path: str) -> bool:
        """Tell whether the vendor's API has a method (upper case) at a percent-encoded path and the contract has not.

        Nothing is said of the answers to such requests.
        """
        paths, name = self.openapi["paths"], method.lower()
        return any(name in paths[found.template].get("x-outside-contract", ()) for found, _ in self._paths.at(path))

    def validator(self, schema: str) -> SchemaValidator:
        """Return the validator of a schema file. Raises ValueError where there is no such file."""
        return self.schemas.validator(schema)

    @cached_property
    def named_properties(self) -> Mapping[Resource, frozenset[str]]:
        """The properties that the schemas of each resource name."""
        found: dict[Resource, frozenset[str]] = {}
        for operation in self.operations.values():
            if operation.kind in ("create", "get") and operation.response_schema is not None:
                properties = self.validator(operation.response_schema).schema.get("properties", {})
                found[operation.resource] = found.get(operation.resource, frozenset()) | properties.keys()
        return found

    def delivery_of(self, operation: Operation, body: Mapping[str, Any]) -> Delivery | None:
        """Return the row of the decision table for a request's body; None if the operation has no table, or the body
        no known deliveryType.
        """
        named = body.get("deliveryType")
        if operation.request_schema is None or not isinstance(named, str):
            return None
        known = "deliveryType" in self.validator(operation.request_schema).schema.get("properties", {})
        return self.deliveries.get(named) if known else None

    def find(self, resource: str, kind: str) -> Operation | None:
        """Return the first operation of a kind (create, get, list, ...) on a resource, by its name (`flex job`), or
        None.
        """
        return next((o for o in self.operations.values() if o.kind == kind and o.resource.name == resource), None)

    def binds(self, requirement: str, operation: str) -> bool:
        """Tell whether a requirement of this contract binds an operation; both are ids."""
        found = self.requirements.get(requirement)
        return found is not None and found.binds(operation)

    def departure_for(
        self, requirement: str, operation: str, pointer: str, value: Any, document: Any = UNKNOWN
    ) -> KnownDeparture | None:
        """Return the known departure that explains a finding, or None.

        `requirement` and `operation` are ids; `pointer` leads to `value` inside `document`: a job, a page of jobs or an
        error, outside any envelope. With the document at hand a departure is held to its circumstances too: pass it
        wherever it is known.
        """
        for departure in self.departures.values():
            bound = departure.requirement == requirement and operation in departure.operations
            if bound and departure.covers(pointer, value, document):
                return departure
        return None


@cache
def _default() -> Contract:
    return _read(FOLDER)


def _read(folder: Path) -> Contract:
    openapi = read_yaml(folder, "openapi.yaml")
    check_form(openapi, "openapi.yaml")
    operations = read_operations(openapi)
    sources = read_sources(_toml(folder, "sources"))
    requirements = _toml(folder, "requirements")
    contract = Contract(
        openapi=openapi,
        operations=operations,
        schemas=load_schemas(SCHEMAS) if folder == FOLDER else Schemas.load(folder / "schemas"),
        sources=sources,
        requirements=read_requirements(requirements, operations, sources),
        deliveries=read_deliveries(_toml(folder, "delivery")),
        departures=read_departures(_toml(folder, "departures"), operations.values()),
    )
    spoken = frozenset[str]().union(*(roles_in(described["on"]) for described in requirements.values()))
    if ERROR_SCHEMA not in contract.schemas.documents:
        raise ContractError(f"schemas/ has no {ERROR_SCHEMA}, by which every error is judged")
    _check_operations(contract, ROLES | spoken | {one.resource.what for one in operations.values()})
    _check_requirements(contract)
    check_schemas(contract.schemas.documents, contract.requirements.keys())
    return contract


def _toml(folder: Path, name: str) -> dict[str, Any]:
    document = read_toml(folder, f"{name}.toml")
    check_form(document, f"{name}.toml")
    return document


def _check_operations(contract: Contract, roles: Set[str]) -> None:
    """Raise ContractError where an operation names something that another file does not have.

    `roles` are what path parameters may name.
    """
    for operation in contract.operations.values():
        for parameter in operation.parameters:
            for requirement in (parameter.malformed, parameter.absent):
                if requirement is not None and requirement not in contract.requirements:
                    where = f"openapi.yaml: the parameter {parameter.name} of {operation.id}"
                    raise ContractError(f"{where} names {requirement}, which requirements.toml does not have")
            if parameter.role not in roles:
                where = f"openapi.yaml: the parameter {parameter.name} of {operation.id}"
                known = f"there are {', '.join(sorted(roles))}, and what the last word of an x-resource names"
                raise ContractError(f"{where} has the x-role {parameter.role}, which nothing speaks of; {known}")
        for schema in (operation.request_schema, operation.response_schema):
            if schema is not None and schema not in contract.schemas.documents:
                raise ContractError(f"openapi.yaml: {operation.id} names {schema}, which schemas/ does not have")


def _check_requirements(contract: Contract) -> None:
    """Raise ContractError where the decision table or a departure names something that another file does not have."""
    for row in contract.deliveries.values():
        fields = (row.required, row.meaningless, row.echoed, row.echoed_where_shown)
        named = {requirement for table in fields for requirement in table.values()}
        named |= {row.alternatives_requirement} if row.alternatives_requirement is not None else set()
        for requirement in sorted(named - contract.requirements.keys()):
            where = f"delivery.toml: {row.type}"
            raise ContractError(f"{where} names {requirement}, which requirements.toml does not have")
    for departure in contract.departures.values():
        where = f"departures.toml: {departure.id}"
        if departure.requirement not in contract.requirements:
            raise ContractError(f"{where} names {departure.requirement}, which requirements.toml does not have")
        for place in departure.places:
            schema = place.schema.partition("#")[0]
            if schema not in contract.schemas.documents:
                raise ContractError(f"{where} names {schema}, which schemas/ does not have")
