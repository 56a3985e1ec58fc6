"""What coverage is measured in: the tests that are not marked `unmeasured`, without the processes that they start."""

from __future__ import annotations

import os
from collections.abc import Iterator

import coverage
import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # The worker is measured because this said so; the programs that its tests start would take twice their time.
    os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure no coverage in a test that is marked so."""
    measured = coverage.Coverage.current()
    if measured is None or item.get_closest_marker("unmeasured") is None:
        return (yield)
    measured.stop()
    try:
        return (yield)
    finally:
        measured.start()
