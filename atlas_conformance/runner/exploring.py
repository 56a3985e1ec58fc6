"""Running Hypothesis inside a suite test: settings that fit a run against a live endpoint."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyFailure, FlakyReplay

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.runner.endpoint import Endpoint


def exploring_settings(endpoint: Endpoint, examples: int, steps: int = 50) -> settings:
    """Settings without deadlines, without a database, and with shrinking unless the run stops at the first sight."""
    phases = [Phase.generate] if endpoint.recorder.stops_early else [Phase.generate, Phase.shrink]
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=phases,
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )


def explore(endpoint: Endpoint, batches: st.SearchStrategy[list[Request]], examples: int | None = None) -> None:
    """Send drawn batches of requests; raise NewFailure with the smallest request that shows something new.

    `examples` bounds the batches drawn; by default it is the profile's.
    """

    @seed(endpoint.random(endpoint.context.name).getrandbits(64))
    @exploring_settings(endpoint, examples or endpoint.profile.examples)
    @given(batches)
    def holds(batch: list[Request]) -> None:
        if not endpoint.stopped:
            endpoint.verify(batch)

    run_exploring(endpoint, holds)


def run_exploring(endpoint: Endpoint, run: Callable[[], None]) -> None:
    """Run a Hypothesis test, in which a departure fails at once.

    One that did not repeat while its request was made smaller has been journalled all the same.
    """
    with endpoint.recorder.exploring(), contextlib.suppress(FlakyFailure, FlakyReplay):
        run()
