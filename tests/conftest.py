"""What the tests start from: what coverage is measured in, and that the programs that they start can be interrupted.

Measured are the tests that are not marked `unmeasured`, without the processes that they start.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import coverage
import pytest


def _measure_no_children() -> None:
    """Let the programs that tests start run unmeasured.

    They would take twice their time, and a signal that comes while one holds the lock of its measuring would hang it.
    Each start of a measurement asks for its children again. The first process of pytest starts workers, which count.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


_measure_no_children()

# A shell starts what runs in its background with interrupts ignored, and so would every program be that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
        _measure_no_children()
