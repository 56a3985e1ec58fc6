"""How many connections a run uses at the same time: enough to hide the latency, as each of them costs the client's
core.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable

from contracts.exchange import Exchange

_FEWEST, _MOST = 2, 16
_HIDDEN_BY_ONE = 0.0125
"""Seconds of latency that one more connection hides, at the rate that one core of the client reaches."""


def connections(latency: float) -> int:
    """Return how many connections suit an endpoint that takes `latency` seconds to answer."""
    return max(_FEWEST, min(_MOST, math.ceil(latency / _HIDDEN_BY_ONE)))


def latency(exchanges: Iterable[Exchange]) -> float | None:
    """Return the median of the seconds that answers took; None where there is no answer."""
    seconds = [exchange.ended - exchange.started for exchange in exchanges]
    return statistics.median(seconds) if seconds else None
