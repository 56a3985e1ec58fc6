"""Rules on the dates of a job that need no order among them: no zero times, and nothing of the past in the future."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.operations import Operation
from atlas_conformance.contracts.verdicts import Verdicts

FIRST_YEAR = "1980"
"""No job has a date before this year: such a date is the zero of some clock (the year 1, 1601, 1900, 1970)."""

LENIENCY = datetime.timedelta(minutes=5)
"""By so much the clock that writes a job's dates may be ahead of the one that writes the answer's `Date`."""
OTHER_CLOCK = datetime.timedelta(days=1)
"""The same for the clock of the client or recorder, where an answer has no `Date`."""

_SHARED = ("snapshotFinishedDate", "restoreScheduledDate", "restoreFinishedDate", "expirationDate")
_DEDICATED = ("timestamp", "finishedAt", "expiresAt")
_KNOWN = (946_684_800.0, 253_000_000_000.0)  # an earlier or later end of an exchange stands for one that is not known
_PAST = frozenset({"snapshotFinishedDate", "restoreFinishedDate", "timestamp", "finishedAt"})


@dataclass(frozen=True, slots=True)
class Past:
    """A date of what has happened already, as it was shown, and the pointer to it."""

    requirement: str
    date: str
    pointer: str


def judge_moments(
    operation: Operation, document: Mapping[str, Any], pointer: str, verdicts: Verdicts, latest: Past | None = None
) -> Past | None:
    """S-TIME, T-FLAGS: no date of a job is a zero time. Return the latest date of its past, or `latest`.

    Dates are compared as texts: those that are no UTC date-times are found by other rules.
    """
    dedicated = operation.family == "cluster"
    requirement = "T-FLAGS" if dedicated else "S-TIME"
    for name in _DEDICATED if dedicated else _SHARED:
        value = document.get(name)
        if value is None or not isinstance(value, str) or value[-1:] != "Z" or len(value) < 20:
            continue
        if value < FIRST_YEAR:
            verdicts.check(requirement, False, f"a date in the life of the job, not before {FIRST_YEAR}", value,
                           f"{pointer}/{name}")  # fmt: skip
        elif name in _PAST and (latest is None or value > latest.date):
            latest = Past(requirement, value, f"{pointer}/{name}")
    return latest


def judge_future(exchange: Exchange, past: Past, verdicts: Verdicts) -> None:
    """S-TIME, T-FLAGS: what has happened is not after the answer's own `Date`, nor after it came.

    Both clocks have to say so where both are known: some mocks repeat an old `Date`.
    """
    shown = _utc(past.date)
    came = exchange.ended if _KNOWN[0] < exchange.ended < _KNOWN[1] else None
    if shown is None or (came is not None and shown < came):
        return
    sent = _http_date(exchange.response.header("date") or "")
    if sent is None and came is None:
        return
    leniency = OTHER_CLOCK if sent is None else LENIENCY
    latest = max(moment for moment in (sent, came) if moment is not None)
    if shown > latest + leniency.total_seconds():
        told = datetime.datetime.fromtimestamp(latest, datetime.UTC)
        expected = f"no later than the answer itself, at {told:%Y-%m-%dT%H:%M:%SZ}"
        verdicts.check(past.requirement, False, expected, past.date, past.pointer)


@lru_cache(maxsize=1_024)
def _http_date(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
        return (moment.replace(tzinfo=datetime.UTC) if moment.tzinfo is None else moment).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


@lru_cache(maxsize=4_096)
def _utc(value: str) -> float | None:
    try:
        return datetime.datetime.fromisoformat(value[:19] + "+00:00").timestamp()
    except (ValueError, OverflowError):
        return None
