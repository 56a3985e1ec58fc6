"""Marks of suite tests: the requirements that a test covers, and the operations it runs on."""

from __future__ import annotations

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.operation import Operation

CREATES = tuple(o for o in Contract.load().operations.values() if o.kind == "create")
JOB_CREATES = tuple(o for o in CREATES if o.resource.what == "job")
GETS = tuple(o for o in Contract.load().operations.values() if o.kind == "get")
JOB_GETS = tuple(o for o in GETS if o.resource.what == "job")
LISTS = tuple(o for o in Contract.load().operations.values() if o.kind == "list")
PAGED_LISTS = tuple(o for o in LISTS if o.paged)
WRITES = tuple(o for o in Contract.load().operations.values() if o.kind in ("create", "delete"))
DEDICATED_CREATES = tuple(o for o in JOB_CREATES if o.cluster_kind == "dedicated")
EVERY = tuple(Contract.load().operations.values())
V2 = tuple(o for o in EVERY if o.api == "v2")


def covers(*requirements: str) -> pytest.MarkDecorator:
    """Mark a test with the ids of the requirements that it covers; `--requirement` selects by them."""
    return pytest.mark.requirement(*requirements)


def on(operations: tuple[Operation, ...]) -> pytest.MarkDecorator:
    """Run a test once for each of these operations, given as its argument `operation`; those not offered are left
    out.
    """
    return pytest.mark.parametrize("operation", operations, ids=lambda operation: operation.id)


makes_jobs = pytest.mark.makes_jobs
"""Marks a test after which there are jobs to read, of the plainest kinds and at the least cost."""


takes_long = pytest.mark.takes_long
"""Marks a test that takes long, or makes jobs of every kind: where processes share the tests, each begins with such
ones, so that none is left alone with one at the end, or disturbed by one later.
"""


fuzzes = pytest.mark.fuzzes
"""Marks a test that draws from the OpenAPI description, and so needs modules that take long to load."""


follows_jobs = pytest.mark.follows_jobs
"""Marks a test that reads jobs until they have ended."""


def operation_of(item: pytest.Item) -> Operation | None:
    """Return the operation that a collected test runs on, or None where it is about none in particular."""
    operation = getattr(getattr(item, "callspec", None), "params", {}).get("operation")
    return operation if isinstance(operation, Operation) else None
