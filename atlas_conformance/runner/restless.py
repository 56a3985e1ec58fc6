"""Lists that change by themselves: what they show says nothing of what was sent."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.http.client import Client

_READS = 3
"""How many reads in a row have to differ, each from the read before: somebody else may create a job between two."""


@dataclass(frozen=True)
class Restless:
    """A list that showed other jobs at each of several reads in a row, while nothing was sent."""

    operation: str
    exchanges: tuple[Exchange, ...]

    def finding(self) -> Finding:
        """Return the finding on the last of the reads (L-STABLE)."""
        expected = "the same jobs at each read, as nothing was sent in between"
        seen = f"other jobs at each of {len(self.exchanges) + 1} reads in a row"
        return Finding("L-STABLE", self.operation, expected, seen, "/response/body/results")


def find_restless(client: Client, exchanges: Iterable[Exchange]) -> tuple[Restless, ...]:
    """Read each list among these exchanges again, and return those that change by themselves."""
    found = []
    for first in exchanges:
        named = Contract.load().match(first.request.method, first.request.path)
        if named is None or named[0].kind != "list" or first.request.credential != "owner":
            continue
        before = shown_ids(first)
        again: list[Exchange] = []
        while before is not None and len(again) < _READS - 1:
            attempt = client.attempt_all([first.request])[0]
            after = shown_ids(attempt) if isinstance(attempt, Exchange) else None
            if not isinstance(attempt, Exchange) or after is None or after == before:
                break
            again.append(attempt)
            before = after
        else:
            if again:
                found.append(Restless(named[0].id, tuple(again)))
    return tuple(found)


def shown_ids(exchange: Exchange) -> frozenset[str] | None:
    """Return the ids of the jobs that a list shows; None where it is no list that can be read."""
    if exchange.response.status != 200:
        return None
    try:
        page = json.loads(exchange.response.body)
    except (ValueError, RecursionError):
        return None
    results = page.get("results") if isinstance(page, dict) else None
    if not isinstance(results, list):
        return None
    return frozenset(str(row.get("id")) for row in results if isinstance(row, dict))
