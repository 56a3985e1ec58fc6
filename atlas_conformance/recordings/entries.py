"""What a recording yields: exchanges to judge, entries that cannot be judged, and where it breaks off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Finding

OUTSIDE = "outside the contract"
"""Why an exchange of no operation of the contract is not judged."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An exchange of an operation of the contract. `test` names what caused it, where that was recorded too.

    `rests_on_more` are findings of an earlier judge that the exchange alone does not show: they rest on several
    exchanges, or on an answer that never came. `left_out` are places of the entry that could not be read. `page` is the
    page of a HAR file that the entry belongs to.
    """

    exchange: Exchange
    test: str = "recorded"
    rests_on_more: tuple[Finding, ...] = ()
    left_out: tuple[str, ...] = ()
    page: str | None = None


@dataclass(frozen=True, slots=True)
class Unjudged:
    """An entry that is counted and not judged: `reason` completes the words "3 entries …", and `detail` says more of
    this one.
    """

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """The recording breaks off here; `reason` completes a sentence that begins with the file's name."""

    reason: str


class NoRecording(Exception):
    """A file cannot be read as a recording; the message is one sentence."""


@dataclass
class Reasons:
    """How many entries there are of each reason, and which was the first."""

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, reason: str, where: str = "", detail: str = "") -> None:
        """Count one entry: `where` names it, `detail` says more of it."""
        self.counts[reason] += 1
        if where or detail:
            self.first.setdefault(reason, ", ".join(filter(None, (where, detail))))

    def lines(self, before: str) -> Iterator[str]:
        """Yield, for each reason, how many entries there are: `before` opens the sentence."""
        for reason, count in self.counts.most_common():
            first = f" (first: {self.first[reason]})" if reason in self.first else ""
            yield f"{before} {count:,} {'entry' if count == 1 else 'entries'} {reason}{first}."
