"""The rules, one module a family of requirements; importing this package registers them all."""

from atlas_conformance.contracts.rules import (
    access,
    dedicated_jobs,
    errors,
    finding_back,
    histories,
    lists,
    representation,
    shared_jobs,
    snapshots,
    statuses,
)

__all__ = [
    "access",
    "dedicated_jobs",
    "errors",
    "finding_back",
    "histories",
    "lists",
    "representation",
    "shared_jobs",
    "snapshots",
    "statuses",
]
