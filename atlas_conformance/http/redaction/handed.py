"""What an endpoint has handed out in a run and may repeat later: cookies, nonces and tokens."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from atlas_conformance.contracts.exchange import Response
from atlas_conformance.contracts.inventory import Inventory
from atlas_conformance.http.redaction.shown import Shown, handed_over, shown_by_answer
from atlas_conformance.http.secret import MASK, Secret

_MOST, _AT_LEAST = 24, 16
"""How many are remembered at most, and how many of the latest in any case. The oldest are forgotten together, as each
new set of values takes a while to be made ready for the search."""
_LEAST = 8
_SURE = 16
"""A value of this length is no ordinary word, whatever it is made of."""
_LARGE = 1024 * 1024


class Handed:
    """The latest values of one run, but for `ordinary` ones, which answers hold anyway; safe to use from threads."""

    def __init__(self, ordinary: Iterable[str]) -> None:
        self._ordinary = frozenset(ordinary)
        self._lock = threading.Lock()
        self._values: dict[str, Secret] = {}

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What is remembered."""
        with self._lock:
            return tuple(self._values.values())

    def note(self, response: Response) -> None:
        """Take in what an answer hands out."""
        for value, _ in _of(response):
            if value in self._values or not self._is_credential(value):
                continue
            with self._lock:
                self._values[value] = Secret(value)
                if len(self._values) > _MOST:
                    for old in list(self._values)[:-_AT_LEAST]:
                        del self._values[old]

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
