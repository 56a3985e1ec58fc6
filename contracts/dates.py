"""Date-times in UTC, as answers show them."""

from __future__ import annotations

import datetime
from functools import lru_cache
from typing import Any

from atlas_conformance.contracts.patterns import compile_pattern

_UTC = compile_pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z$")


def instant(value: Any) -> datetime.datetime | None:
    """Read an RFC 3339 date-time in UTC written with `Z`; None for anything else."""
    return _instant(value) if isinstance(value, str) else None


@lru_cache(maxsize=8_192)
def _instant(value: str) -> datetime.datetime | None:
    if not _UTC.matches(value):
        return None
    try:
        # Fractions beyond microseconds are legal, and more than Python reads.
        whole, _, fraction = value[:-1].partition(".")
        return datetime.datetime.fromisoformat(f"{whole}.{(fraction + '000000')[:6]}+00:00")
    except ValueError:
        # A leap second is legal RFC 3339; only its order among others is of interest here.
        if value[17:19] == "60":
            return instant(f"{value[:17]}59Z")
        return None
