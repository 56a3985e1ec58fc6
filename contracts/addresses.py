"""Addresses to download from: absolute https URLs."""

from __future__ import annotations

from typing import Any

from atlas_conformance.contracts.patterns import compile_pattern

_ABSOLUTE_HTTPS = compile_pattern("^https://[^\\/?#\\s@]+([\\/?#][^\\s]*)?$")


def is_https(value: Any) -> bool:
    """Tell whether a value is an absolute https URL."""
    return isinstance(value, str) and _ABSOLUTE_HTTPS.matches(value)
