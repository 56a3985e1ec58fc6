"""Date-times in UTC, as bodies show them, and dates of HTTP, as headers do."""

from __future__ import annotations

import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from atlas_conformance.contracts.patterns import compile_pattern

UTC = "an ISO 8601 date-time in UTC"
"""What is expected of a date."""
_FORM = compile_pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?(Z|\\+00:00)$")
_DAYS = "(Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTHS = "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = "[0-9]{2}:[0-9]{2}:[0-9]{2}"
_HTTP_FORM = compile_pattern(
    f"^({_DAYS}, [0-9]{{2}} {_MONTHS} [0-9]{{4}} {_CLOCK} GMT"
    f"|(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, [0-9]{{2}}-{_MONTHS}-[0-9]{{2}} {_CLOCK} GMT"
    f"|{_DAYS} {_MONTHS} [ 0-9][0-9] {_CLOCK} [0-9]{{4}})$"
)


FIRST_YEAR = "1980"
"""Nothing has a date before this year: such a date is the zero of some clock (the year 1, 1601, 1900, 1970)."""
OTHER_CLOCK = datetime.timedelta(days=1)
"""How far the clock behind the dates may be ahead of that of the client or recorder."""
KNOWN = (946_684_800.0, 253_000_000_000.0)
"""An earlier or later end of an exchange (epoch seconds) stands for one that is not known."""


def http_instant(value: str) -> datetime.datetime | None:
    """Read a date of HTTP in any of its three forms (RFC 9110, 5.6.7); None for anything else."""
    if not _HTTP_FORM.matches(value):
        return None
    try:
        return parsedate_to_datetime(value).replace(tzinfo=datetime.UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def instant(value: Any) -> datetime.datetime | None:
    """Read an ISO 8601 date-time in UTC, with `Z` or `+00:00` and any fraction of a second; None for anything else."""
    return _instant(value) if isinstance(value, str) else None


@lru_cache(maxsize=8_192)
def _instant(value: str) -> datetime.datetime | None:
    if not _FORM.matches(value):
        return None
    try:
        # Fractions beyond microseconds are legal, and more than Python reads.
        whole, _, fraction = value.removesuffix("Z").removesuffix("+00:00").partition(".")
        return datetime.datetime.fromisoformat(f"{whole}.{(fraction + '000000')[:6]}+00:00")
    except ValueError:
        # A leap second is legal RFC 3339; only its order among others is of interest here.
        if value[17:19] == "60":
            return instant(f"{value[:17]}59Z")
        return None


def is_in_life(date: str, moment: float) -> bool:
    """Tell whether a date that shows at a moment (epoch seconds) can be true: it is one in UTC, and neither the zero of
    some clock nor far in the future.
    """
    told = instant(date)
    if told is None or date < FIRST_YEAR:
        return False
    return not KNOWN[0] < moment < KNOWN[1] or told.timestamp() <= moment + OTHER_CLOCK.total_seconds()
