"""Splitting a run into shards: the same tests in the same shard every time, each test in exactly one."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import regex

_FORM = regex.compile(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})")

T = TypeVar("T")


class ShardError(ValueError):
    """A shard cannot be meant, or has nothing to do; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `index` (from 1) of `count`."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard that `text` names, as in `2/4`; raise ShardError where it names none."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise ShardError(f"{text!r} is no shard: which one of how many is wanted, as in 2/4")
        index, count = int(match[1]), int(match[2])
        if index > count:
            raise ShardError(f"there is no shard {index} of {count}: they are 1/{count} to {count}/{count}")
        return cls(index, count)

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def share(items: Sequence[tuple[T, Hashable]], shard: Shard) -> list[T]:
    """Return the items of one shard, in their order; each item comes with the unit that it belongs to.

    Items of one unit rest on each other's jobs and stay together. Units are dealt out, the largest first, to the shard
    that has the fewest items so far: a rule that knows nothing but the list, so every shard draws the same shares.
    Raises ShardError where there are fewer units than shards.
    """
    units: dict[Hashable, list[int]] = {}
    for place, (_, unit) in enumerate(items):
        units.setdefault(unit, []).append(place)
    if len(units) < shard.count:
        raise ShardError(
            f"a run of {_number(len(units), 'independent part')} cannot be split into {shard.count} shards"
        )
    loads = [0] * shard.count
    chosen: list[int] = []
    for places in sorted(units.values(), key=lambda places: (-len(places), places[0])):
        lightest = loads.index(min(loads))
        loads[lightest] += len(places)
        if lightest == shard.index - 1:
            chosen += places
    return [items[place][0] for place in sorted(chosen)]


def missing(shards: Iterable[Shard], count: int) -> list[int]:
    """Return the numbers of the shards of `count` that are not among `shards`."""
    present = {shard.index for shard in shards}
    return [index for index in range(1, count + 1) if index not in present]


def _number(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")
