"""The number of connections follows the latency, within bounds."""

from __future__ import annotations

import pytest

from contracts.exchange import Exchange, Request, Response
from suites.connections import connections, latency


@pytest.mark.parametrize(("seconds", "expected"), [(0.0, 2), (0.001, 2), (0.03, 3), (0.1, 8), (0.2, 16), (30.0, 16)])
def test_more_latency_takes_more_connections(seconds: float, expected: int) -> None:
    assert connections(seconds) == expected


def test_the_latency_is_that_of_the_middle_answer() -> None:
    answers = [Exchange(Request("GET", "/"), Response(200, (), b""), 1.0, 1.0 + took) for took in (0.5, 0.125, 9.0)]
    assert latency(answers) == 0.5
    assert latency([]) is None
