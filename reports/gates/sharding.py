"""Splitting a run into shards: the same tests in the same shard every time, each test in exactly one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
            raise ShardError(f"{text!r} is no shard; write which part of how many, such as 2/4")
        index, count = int(match[1]), int(match[2])
        if index > count:
            raise ShardError(f"there is no shard {index} of {count}: they are 1/{count} to {count}/{count}")
        return cls(index, count)

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def share(items: Sequence[T], shard: Shard) -> list[T]:
    """Return the items of one shard, in their order: dealt out in turn, as those beside each other cost about the same.

    A rule that knows nothing but the list, so every shard draws the same shares. Raises ShardError where there are
    fewer items than shards.
    """
    if len(items) < shard.count:
        raise ShardError(f"a run of {_number(len(items), 'test')} cannot be split into {shard.count} shards")
    return list(items[shard.index - 1 :: shard.count])


def missing(shards: Iterable[Shard], count: int) -> list[int]:
    """Return the numbers of the shards of `count` that are not among `shards`."""
    present = {shard.index for shard in shards}
    return [index for index in range(1, count + 1) if index not in present]


def _number(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")
