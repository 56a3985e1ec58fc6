"""A running reference endpoint, and a caller with an owner's token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from atlas_conformance.reference.server import ReferenceServer
from tests.reference.calling import STEP, Caller


@pytest.fixture(scope="session")
def server() -> Iterator[ReferenceServer]:
    with ReferenceServer(step=STEP, seed=7, control=True) as running:
        yield running


@pytest.fixture(scope="session")
def one_caller(server: ReferenceServer) -> Iterator[Caller]:
    calling = Caller(server)
    yield calling
    calling.http.close()


@pytest.fixture
def caller(one_caller: Caller) -> Caller:
    one_caller.server.reset()
    return one_caller
