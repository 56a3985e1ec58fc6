"""The error of a comparison."""

from __future__ import annotations


class DriftError(Exception):
    """A description cannot be compared; the message is one sentence."""
