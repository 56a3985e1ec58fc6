"""The findings of one requirement on one operation at one place while they are counted, and which one is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from atlas_conformance.contracts.finding import Finding
from atlas_conformance.reports.model import HELD, REPEATED, UNTOLD
from atlas_conformance.reports.records import RepeatRecord

Key: TypeAlias = tuple[str, str, str]
"""Requirement, operation, place."""

Node = TypeVar("Node", bound=tuple[Any, ...])
"""What names a group: a tuple that can be put in order."""

Rank: TypeAlias = tuple[bool, int, str, int]
"""Whether an exchange was had in passing, the size of its request, its test, and its number: the least is shown."""

_EARLY = 32
"""So many findings of a group are kept by exchange; those that are tried again are among the first."""


@dataclass(slots=True)
class Group:
    """The findings of one key while they are counted; `best` is the exchange that is shown, and its finding."""

    exchanges: set[int] = field(default_factory=set)
    best: tuple[Rank, Finding] | None = None
    early: dict[int, Finding] = field(default_factory=dict)
    repeats: list[RepeatRecord] = field(default_factory=list)

    def add(self, n: int, rank: Rank, finding: Finding) -> None:
        """Count the finding of exchange `n`."""
        self.exchanges.add(n)
        if len(self.early) < _EARLY:
            self.early[n] = finding
        if self.best is None or rank < self.best[0]:
            self.best = (rank, finding)

    def repeat(self) -> RepeatRecord | None:
        """Return the repeat that decides: one that repeated, else one that held, else the last one."""
        by_outcome = {record.outcome: record for record in self.repeats}
        return next((by_outcome[outcome] for outcome in (REPEATED, HELD, UNTOLD) if outcome in by_outcome), None)

    def shown(self) -> tuple[int, Finding]:
        """Return the exchange that is shown, and its finding: the smallest, or an unstable one."""
        assert self.best is not None
        repeat = self.repeat()
        if repeat is not None and repeat.outcome == HELD and repeat.n in self.early:
            return repeat.n, self.early[repeat.n]
        return self.best[0][-1], self.best[1]


def heads(leads: Mapping[Node, Node | None]) -> dict[Node, Node | None]:
    """Return, for each key, the end of its chain of leads: a key that has no lead itself; None for such a key.

    Where leads go round in a circle, or to a key that is not there, the first key of the circle by the alphabet, or
    the last one that is there, has no lead.
    """
    ends: dict[Node, Node] = {}
    for start in sorted(leads):
        chain = [start]
        while chain[-1] not in ends:
            following = leads[chain[-1]]
            if following is None or following not in leads:
                ends[chain[-1]] = chain[-1]
            elif following in chain:
                circle = chain[chain.index(following) :]
                first = min(circle)
                ends.update(dict.fromkeys(circle, first))
            else:
                chain.append(following)
        for key in chain:
            ends[key] = ends[chain[-1]]
    return {key: None if ends[key] == key else ends[key] for key in leads}
