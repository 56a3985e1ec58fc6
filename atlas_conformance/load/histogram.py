"""Latencies counted in buckets that grow by a twentieth: quantiles within five per cent, in a fixed memory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

LEAST = 1e-5
"""Latencies below this many seconds are counted as this."""

_GROWTH = math.log(1.05)


def bucket_of(seconds: float) -> int:
    """Return the bucket that counts a latency."""
    return 0 if seconds <= LEAST else int(math.log(seconds / LEAST) / _GROWTH) + 1


def upper_end(bucket: int) -> float:
    """Return the longest latency, in seconds, that a bucket counts."""
    return LEAST * math.exp(bucket * _GROWTH)


@dataclass
class Histogram:
    """How often each latency was seen; `most` is the longest, exact, in seconds."""

    counts: Counter[int] = field(default_factory=Counter)
    total: int = 0
    most: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one latency."""
        self.counts[bucket_of(seconds)] += 1
        self.total += 1
        self.most = max(self.most, seconds)

    def include(self, other: Histogram) -> None:
        """Count all that `other` has counted."""
        self.counts.update(other.counts)
        self.total += other.total
        self.most = max(self.most, other.most)

    def quantile(self, share: float) -> float:
        """Return the latency in seconds that this share (0 to 1) of all stays within; 0 where none was counted.

        It is at most a twentieth too long, and never too short.
        """
        wanted, seen = max(1, math.ceil(share * self.total)), 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= wanted:
                return min(upper_end(bucket), self.most)
        return 0.0

    @classmethod
    def joined(cls, histograms: Iterable[Histogram]) -> Histogram:
        """Return a histogram of all that these have counted."""
        whole = cls()
        for histogram in histograms:
            whole.include(histogram)
        return whole
