"""Several faults at once: each on its own operations, and none that would hide another one."""

from __future__ import annotations

import pytest

from atlas_conformance.reference.endpoint import Endpoint
from atlas_conformance.reference.faults import find
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.reference.together import together


def test_each_fault_stands_on_its_own_operations() -> None:
    first, second = find("flex-create/created-201"), find("tenant-get/snapshot-date-drifts")
    both = together([first, second])
    assert both.operations == (*first.operations, *second.operations)
    with ReferenceServer(seed=1, fault=both, in_process=True) as server:
        endpoint = server.service._application.endpoint
        assert isinstance(endpoint, Endpoint)
        assert endpoint._faults == {"flex-create": first, "tenant-get": second}


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (("flex-create/created-201", "flex-create/trailing-junk"), "the same operation"),
        (("flex-create/created-201", "digest/any-response"), "the same operation"),
    ],
)
def test_faults_that_would_hide_each_other_are_refused(names: tuple[str, ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        together([find(name) for name in names])
