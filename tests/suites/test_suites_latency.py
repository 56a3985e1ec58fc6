"""The latency decides how many connections there are, and how often a job is looked at."""

from __future__ import annotations

import pytest

from atlas_conformance.contracts.exchange import Exchange, Request, Response
from atlas_conformance.http.polling import REMOTE, Intervals
from atlas_conformance.runner.latency import connections, intervals, median_latency


@pytest.mark.parametrize(("seconds", "expected"), [(0.0, 2), (0.001, 2), (0.03, 3), (0.1, 8), (0.2, 16), (30.0, 16)])
def test_more_latency_takes_more_connections(seconds: float, expected: int) -> None:
    assert connections(seconds) == expected


def test_the_latency_is_that_of_the_middle_answer() -> None:
    answers = [Exchange(Request("GET", "/"), Response(200, (), b""), 1.0, 1.0 + took) for took in (0.5, 0.125, 9.0)]
    assert median_latency(answers) == 0.5
    assert median_latency([]) is None


def test_no_job_is_looked_at_more_often_than_answers_come() -> None:
    assert intervals(0.0, remote=False) == Intervals(0.01, 0.05)
    assert intervals(0.2, remote=False) == Intervals(0.1, 0.4)
    assert intervals(0.2, remote=True) == REMOTE
