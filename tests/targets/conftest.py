"""The scripted loopback server as a fixture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.targets.scripted_wire import WireServer


@pytest.fixture
def server() -> Iterator[WireServer]:
    """A started wire server, stopped afterwards."""
    started = WireServer()
    started.start()
    yield started
    started.stop()
