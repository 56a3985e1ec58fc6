"""The operations of the contract that the package brings, for those that do not hold a contract of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atlas_conformance.contracts.contract import FOLDER, Contract
from atlas_conformance.contracts.operation import HTTP_STATUSES, LEVELS, METHODS, Level, Operation, takes_in

__all__ = [
    "HTTP_STATUSES",
    "LEVELS",
    "METHODS",
    "OPENAPI",
    "OPERATIONS",
    "Level",
    "Operation",
    "expand",
    "is_outside",
    "match",
    "openapi",
    "operations_at",
    "takes_in",
]

OPENAPI = FOLDER / "openapi.yaml"
"""The OpenAPI 3.1 description of all operations."""

OPERATIONS: Mapping[str, Operation] = Contract.load().operations
"""All operations by id, in the order of the contract page."""

match = Contract.load().match
operations_at = Contract.load().operations_at
is_outside = Contract.load().is_outside


def openapi() -> Mapping[str, Any]:
    """Return the OpenAPI description as parsed YAML. It is shared: do not change it."""
    return Contract.load().openapi


def expand(operation: Operation, **parameters: str) -> str:
    """Return the operation's path with each parameter, by its name, percent-encoded into it. Raises ValueError as
    it does.
    """
    return operation.expand(parameters)
