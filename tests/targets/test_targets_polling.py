"""Growing waits."""

from __future__ import annotations

from itertools import islice

from atlas_conformance.http.polling import LOOPBACK, REMOTE, Intervals


def test_waits_grow_up_to_the_cap() -> None:
    assert list(islice(Intervals(1.0, 3.0), 5)) == [1.0, 1.5, 2.25, 3.0, 3.0]
    assert list(islice(Intervals(4.0, 3.0, factor=2.0), 2)) == [3.0, 3.0]


def test_first_waits() -> None:
    assert (LOOPBACK.first, REMOTE.first) == (0.01, 1.0)
