"""S-TIME, T-TIME, SNAP-TIME: no date is a zero time, and nothing that has happened lies in the future."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, TypeGuard

from atlas_conformance.contracts.dates import FIRST_YEAR, KNOWN, OTHER_CLOCK
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.outcomes import Failure, Outcome, shown
from atlas_conformance.contracts.resources import Resource
from atlas_conformance.contracts.rulebook import common_rule
from atlas_conformance.contracts.verdicts import Verdicts
from atlas_conformance.contracts.views import ItemView, JobView, SnapshotView

LENIENCY = datetime.timedelta(minutes=5)
"""How far the clock behind the dates may be ahead of the clock behind the answer's `Date`."""


@dataclass(frozen=True, slots=True)
class Past:
    """A date of what has happened already, as it was shown, and the pointer to it."""

    requirement: str
    date: str
    pointer: str


@common_rule("dated", on=JobView)
def no_date_is_a_zero_time(job: JobView) -> Iterator[Outcome]:
    """No date of a job is the zero of some clock."""
    yield from _zero_times(job)


@common_rule("dated", on=SnapshotView)
def no_date_of_a_snapshot_is_a_zero_time(snapshot: SnapshotView) -> Iterator[Outcome]:
    """No date of a snapshot is the zero of some clock."""
    yield from _zero_times(snapshot)


def _zero_times(item: ItemView) -> Iterator[Outcome]:
    resource = item.operation.resource
    for name in resource.dates:
        value = item.document.get(name)
        if _is_date(value) and value < FIRST_YEAR:
            expected = f"a date in the life of the {resource.what}, not before {FIRST_YEAR}"
            yield Failure(expected, shown(value), f"{item.pointer}/{name}")


def latest_past(resource: Resource, document: Mapping[str, Any], pointer: str, latest: Past | None) -> Past | None:
    """Return the latest date of what a document at `pointer` says has happened, or `latest` where that is later.

    Dates are compared as texts: those that are no UTC date-times are found by other rules.
    """
    requirement = resource.common.get("dated")
    if requirement is None:
        return latest
    for name in resource.past:
        value = document.get(name)
        if _is_date(value) and value >= FIRST_YEAR and (latest is None or value > latest.date):
            latest = Past(requirement, value, f"{pointer}/{name}")
    return latest


def _is_date(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) >= 20 and (value[-1] == "Z" or value.endswith("+00:00"))


def judge_future(exchange: Exchange, past: Past, verdicts: Verdicts) -> None:
    """S-TIME, T-TIME, SNAP-TIME: what has happened is not after the answer's own `Date`, nor after it came.

    Both clocks have to say so where both are known: some mocks repeat an old `Date`.
    """
    moment = _utc(past.date)
    came = exchange.ended if KNOWN[0] < exchange.ended < KNOWN[1] else None
    if moment is None or (came is not None and moment < came):
        return
    sent = _http_date(exchange.response.header("date") or "")
    if sent is None and came is None:
        return
    leniency = OTHER_CLOCK if sent is None else LENIENCY
    latest = max(clock for clock in (sent, came) if clock is not None)
    if moment > latest + leniency.total_seconds():
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
