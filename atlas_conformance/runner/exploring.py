"""Running Hypothesis inside a suite test: settings that fit a run against a live endpoint."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyFailure, FlakyReplay

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.outcomes import Judged


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


def explore(
    endpoint: Endpoint,
    batches: st.SearchStrategy[list[Request]],
    expect: Callable[[list[Judged | None]], None],
    examples: int | None = None,
) -> None:
    """Send drawn batches of requests; raise NewFailure with the smallest request that shows something new.

    `expect` says what is expected of the answers to each batch. `examples` bounds the batches drawn; by default it is
    the profile's.
    """

    @seed(endpoint.random(endpoint.context.name).getrandbits(64))
    @exploring_settings(endpoint, examples or endpoint.profile.examples)
    @given(batches)
    def holds(batch: list[Request]) -> None:
        if not endpoint.stopped:
            expect(send_drawn(endpoint, batch))

    run_exploring(endpoint, holds)


def send_drawn(endpoint: Endpoint, requests: Iterable[Request]) -> list[Judged | None]:
    """Send what an exploring test has drawn; nothing once it has spent all that it may on making a failing request
    smaller.
    """
    if endpoint.recorder.is_spent:
        return []
    answers = endpoint.send_all(requests)
    endpoint.recorder.spend(len(answers))
    return answers


def run_exploring(endpoint: Endpoint, run: Callable[[], None]) -> None:
    """Run a Hypothesis test, in which a departure fails at once.

    One that did not repeat while its request was made smaller has been journalled all the same.
    """
    with endpoint.recorder.exploring(), contextlib.suppress(FlakyFailure, FlakyReplay):
        run()
