"""What a run makes of the endpoint's latency: connections enough to hide it, and no more looks at a job than tell
anything.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.http.polling import REMOTE, Intervals

_FEWEST, _MOST = 2, 16
_HIDDEN_BY_ONE = 0.0125
"""Seconds of latency that one more connection hides, at the rate that one core of the client reaches."""
_FIRST, _CAP = 0.01, 0.05
"""Seconds between looks at a job on an endpoint that answers at once: before the second one, and at the most."""


def connections(latency: float) -> int:
    """Return how many connections suit an endpoint that takes `latency` seconds to answer.

    As each of them costs the client's core, there are no more than are needed to hide it.
    """
    return max(_FEWEST, min(_MOST, math.ceil(latency / _HIDDEN_BY_ONE)))


def intervals(latency: float, *, remote: bool) -> Intervals:
    """Return the waits between looks at a job: minutes matter elsewhere, and on loopback the latency."""
    return REMOTE if remote else Intervals(first=max(_FIRST, latency / 2), cap=max(_CAP, 2 * latency))


def median_latency(exchanges: Iterable[Exchange]) -> float | None:
    """Return the median of the seconds that answers took; None where there is no answer."""
    seconds = [exchange.ended - exchange.started for exchange in exchanges]
    return statistics.median(seconds) if seconds else None
