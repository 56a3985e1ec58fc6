"""The users of one process: what they share, and one action of one of them."""

from __future__ import annotations

import math
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.http.client import Attempt, Client
from atlas_conformance.http.failures import NoAnswer, NotSent, Withheld
from atlas_conformance.load.acting import Action, Actor
from atlas_conformance.load.ledger import Ledger
from atlas_conformance.load.plan import Plan
from atlas_conformance.load.recorder import Recorder

PATIENCE = 10.0
"""Seconds without any answer after which the endpoint counts as gone."""

SILENT = "the endpoint stopped answering"

_PAUSE = 0.1


class Signal(Protocol):
    """What lets users sleep until it is time, or until the run is over: an event of the engine or of `threading`."""

    def set(self) -> object:
        """Wake everybody."""

    def is_set(self) -> bool:
        """Whether it was set."""

    def wait(self, timeout: float | None = None) -> object:
        """Sleep until it is set, or for a number of seconds."""


@dataclass
class Clock:
    """When one user's requests are meant to be sent: every `period` seconds from `next` on; at once where it is 0.

    A user that is late does not shift what comes after: the time that a request waited for its turn counts as latency.
    """

    period: float
    next: float

    def take(self, now: float) -> float:
        """Return when the next request is meant to be sent; `now` where there is no schedule."""
        if not self.period:
            return now
        intended = self.next
        self.next += self.period
        return intended


@dataclass
class Crew:
    """What the users of a process share.

    `share` is how many of them are expected here (0: all of the plan's). `over` is set when the run is to end;
    `trouble` says why it was cut short, `lost` that the
    endpoint no longer answers, `error` what went wrong in the program itself, `stopped_at` the requirement at
    whose failure it was asked to end.
    """

    plan: Plan
    client: Client
    ledger: Ledger
    recorder: Recorder
    actor: Callable[[str], Actor]
    over: Signal
    name: str = ""
    share: int = 0
    trouble: str | None = None
    lost: bool = False
    error: str | None = None
    stopped_at: str | None = None
    users: int = 0
    _began: float = 0.0
    _clocks: dict[int, Clock] = field(default_factory=dict)
    _actors: dict[int, Actor] = field(default_factory=dict)

    def enter(self) -> int:
        """Take in one more user and return its number, from 1."""
        self.users += 1
        number = self.users
        seed = f"{self.plan.seed}:{self.name}:{number}"
        self._actors[number] = self.actor(seed)
        self._clocks[number] = self._clock(number)
        return number

    def _clock(self, number: int) -> Clock:
        """Return the clock of a user: the users' moments lie evenly between each other."""
        period, share, now = self.plan.period, self.share or self.plan.users, time.time()
        if not period:
            return Clock(0.0, now)
        self._began = self._began or now
        first = self._began + period * ((number - 1) % share) / share
        return Clock(period, first + period * max(0, math.ceil((now - first) / period)))

    def leave(self, number: int) -> None:
        """Forget a user that was stopped."""
        self._clocks.pop(number, None)
        self._actors.pop(number, None)

    def act(self, number: int) -> None:
        """Let a user do one thing: wait for its moment, send, and record what came of it."""
        intended = self._clocks[number].take(time.time())
        wait = intended - time.time()
        if self.over.is_set() or (wait > 0 and self.over.wait(wait)):
            self.over.wait(0.01)
            return
        action = self._actors[number].next(creates=self.client.guard.jobs_left != 0)
        try:
            self._send(action, intended, f"user {number}: {action.name}")
        except Exception:
            # Our own mistake: said in the report as such, never as the endpoint's failure.
            self.error = self.error or traceback.format_exc(limit=-4)
            self.stop("an error of the suite itself")
        self._look_at_silence()

    def _send(self, action: Action, intended: float, who: str) -> None:
        with self.ledger.sending(action.request):
            attempt = self._attempt(action.request)
            if isinstance(attempt, Withheld | NoAnswer):
                self.over.wait(_PAUSE)  # else a user would ask for nothing but this, as fast as it can
            self.recorder.take(attempt, intended, who)

    def _attempt(self, request: Request) -> Attempt:
        try:
            return self.client.send(request)
        except NotSent as failure:
            return failure

    def _look_at_silence(self) -> None:
        since = self.recorder.silent_since
        if since is not None and time.time() - since > PATIENCE:
            if not self.over.is_set():
                self.lost = True
            self.stop(SILENT)

    def stop(self, reason: str | None = None) -> None:
        """End the run; `reason` says why it is cut short, None that nothing is amiss."""
        if reason is not None and not self.over.is_set():
            self.trouble = self.trouble or reason
        self.over.set()

    def found(self, finding: Finding, moment: float) -> None:
        """End the run where it was asked to end at this requirement."""
        if finding.requirement in self.plan.stop_at and not self.over.is_set():
            self.stopped_at = finding.requirement
            self.over.set()


def complain(sentence: str) -> None:
    """Say a sentence to the person at the terminal."""
    print(f"atlas-conformance: {sentence}", file=sys.stderr, flush=True)
