"""What a recording yields: exchanges to judge, entries that cannot be judged, and where it breaks off."""

from __future__ import annotations

from dataclasses import dataclass

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Finding


@dataclass(frozen=True, slots=True)
class Recorded:
    """An exchange of an operation of the contract. `test` names what caused it, where that was recorded too.

    `rests_on_more` are findings of an earlier judge that the exchange alone does not show: they rest on several
    exchanges, or on an answer that never came.
    """

    exchange: Exchange
    test: str = "recorded"
    rests_on_more: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Unjudged:
    """An entry that is counted and not judged; `reason` completes the sentence "3 exchanges …"."""

    reason: str


@dataclass(frozen=True, slots=True)
class Cut:
    """The recording breaks off here; `reason` completes a sentence that begins with the file's name."""

    reason: str


class NoRecording(Exception):
    """A file cannot be read as a recording; the message is one sentence."""
