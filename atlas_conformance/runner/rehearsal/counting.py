"""A client that keeps count: of what was sent, of what the guard kept back, and of how many round trips it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.reading import Readings
from atlas_conformance.http.client import Attempt, Client
from atlas_conformance.http.failures import Withheld
from atlas_conformance.http.target import Target


class Count:
    """What the clients of one rehearsal sent.

    `round_trips` is how many answers had to be waited for one after the other, when as many requests as there are
    workers are under way at a time; `withheld` is how many requests the guard kept back, by its reason. `reasons` is
    why one that would have exercised a requirement on an operation was, by requirement ("" for all that only a
    success shows) and operation.
    """

    def __init__(self) -> None:
        self.round_trips = 0
        self.withheld: Counter[str] = Counter()
        self.reasons: dict[tuple[str, str], str] = {}

    def connect(self, target: Target, *, remote_because: str, **options: Any) -> Client:
        """Return a client that keeps this count; its guard holds the endpoint for a remote one if there is a reason."""
        client = _CountingClient(self, target, **options)
        if remote_because:
            client.guard.treat_as_remote(remote_because)
        return client

    def withhold(self, failure: Withheld, knowledge: Knowledge) -> None:
        """Note a request that the guard kept back."""
        self.withheld[failure.reason] += 1
        reading = Readings(knowledge).of(failure.request)
        if reading is not None:
            for requirement in {violation.requirement for violation in reading.violations} or {""}:
                self.reasons.setdefault((requirement, reading.operation.id), failure.reason)


class _CountingClient(Client):
    def __init__(self, count: Count, target: Target, **options: Any) -> None:
        self._count = count
        self._knowledge = Knowledge(target.inventory)
        super().__init__(target, **options)

    def send(self, request: Request) -> Exchange:
        self._count.round_trips += 1
        return super().send(request)

    def attempts(self, requests: Iterable[Request]) -> Iterator[Attempt]:
        sent = 0
        try:
            for attempt in super().attempts(requests):
                if isinstance(attempt, Withheld):
                    self._count.withhold(attempt, self._knowledge)
                else:
                    sent += 1
                yield attempt
        finally:
            self._count.round_trips += -(-sent // self.workers)
