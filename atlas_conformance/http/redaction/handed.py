"""What an endpoint has handed out in a run and may repeat later: cookies, nonces and tokens."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from atlas_conformance.contracts.exchange import Response
from atlas_conformance.contracts.inventory import Inventory
from atlas_conformance.http.redaction.echoes import BLOCK
from atlas_conformance.http.redaction.shown import Shown, handed_over, shown_by_answer
from atlas_conformance.http.secret import MASK, Passing, Secret

_MOST = 3 * BLOCK
"""How many are remembered at most of those that pass, and of the others: a block of the oldest is forgotten at once, so
that the rest stay in theirs."""
_LEAST = 8
_SURE = 16
"""A value of this length is no ordinary word, whatever it is made of."""
_LARGE = 1024 * 1024


class Handed:
    """The latest values of one run, but for `ordinary` ones, which answers hold anyway; safe to use from threads."""

    def __init__(self, ordinary: Iterable[str]) -> None:
        self._ordinary = frozenset(ordinary)
        self._lock = threading.Lock()
        self._values: dict[bool, dict[str, Secret]] = {False: {}, True: {}}

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What is remembered."""
        with self._lock:
            return tuple(secret for values in self._values.values() for secret in values.values())

    def note(self, response: Response) -> None:
        """Take in what an answer hands out."""
        for value, kind in _of(response):
            passing = kind == "passing"
            values = self._values[passing]
            if value in values or not self._is_credential(value):
                continue
            with self._lock:
                values[value] = Passing(value) if passing else Secret(value)
                if len(values) > _MOST:
                    for old in list(values)[:BLOCK]:
                        del values[old]

    def _is_credential(self, value: str) -> bool:
        if len(value) < _LEAST or value in self._ordinary or MASK in value:
            return False
        mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
        return mixed or len(value) >= _SURE


def _of(response: Response) -> Iterator[Shown]:
    yield from shown_by_answer(response.headers)
    if len(response.body) <= _LARGE:
        yield from handed_over(response.body)


def names_in(inventory: Inventory) -> Iterator[str]:
    """Yield the ids and names that answers hold in any case."""
    for cluster in inventory.clusters:
        yield from (cluster.project, cluster.name, *cluster.snapshots)
    for target in inventory.targets:
        yield from (target.project, target.name)
