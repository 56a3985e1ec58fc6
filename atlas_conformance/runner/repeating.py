"""Trying a finding again from its own request, before it counts as one that repeats.

Only a finding that one exchange shows by itself can be tried so. What rests on several exchanges (a status that moved
back, a job that was lost, an id that came twice) is a fact of the history: one request more says nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Finding, Judgement
from atlas_conformance.contracts.judge import Judge
from atlas_conformance.reports.model import HELD, REPEATED, UNTOLD
from atlas_conformance.reports.records import RepeatRecord

TRIES = 3
"""How many exchanges of one key are repeated at most, until one fails again."""

Key = tuple[str, str, str]


@dataclass
class Repeating:
    """Decides what is tried again, and what the second answer says.

    A finding repeats when the same requirement does not hold on the same operation again; it does not when the second
    exchange exercises the requirement and it holds. Otherwise the second answer does not tell.
    """

    judge: Judge
    _tries: dict[Key, int] = field(default_factory=dict)

    def try_again(
        self, number: int, exchange: Exchange, judgement: Judgement, send: Callable[[], tuple[int, Judgement] | None]
    ) -> list[RepeatRecord]:
        """Return what came of trying the findings of exchange `number` again, nothing where none is to be tried.

        `send` sends the exchange's request once more, journals and judges it, and returns its number and judgement, or
        None where there was no answer.
        """
        untried = [f for f in judgement.findings if f.departure is None and self._tries.get(f.key, 0) < TRIES]
        if not untried:
            return []
        alone = {finding.key for finding in self.judge.judge_sent(exchange).findings}
        wanted = list({finding.key: finding for finding in untried if finding.key in alone}.values())
        if not wanted:
            return []
        again = send()
        records = []
        for finding in wanted:
            outcome = UNTOLD if again is None else outcome_of(finding, again[1])
            self._tries[finding.key] = TRIES if outcome == REPEATED else self._tries.get(finding.key, 0) + 1
            records.append(RepeatRecord(number, None if again is None else again[0], *finding.key, outcome))
        return records


def outcome_of(finding: Finding, again: Judgement) -> str:
    """Return what a second exchange's judgement says of a finding: it repeated, it held, or that is untold."""
    pair = (finding.requirement, finding.operation)
    if any((f.requirement, f.operation) == pair and f.departure is None for f in again.findings):
        return REPEATED
    return HELD if pair in again.held else UNTOLD
