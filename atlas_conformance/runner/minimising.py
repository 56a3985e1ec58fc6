"""Delta debugging: the smallest set of differences that still shows a failure (Zeller and Hildebrandt, 2002)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def smallest_failing(items: Sequence[Item], fails: Callable[[Sequence[Item]], bool]) -> tuple[Item, ...]:
    """Return a part of `items` that fails and of which no single item can be left out (ddmin).

    `fails` says whether what it is given, in the order of `items`, still fails; an unknown outcome counts as not
    failing. It is never asked about all items or none: all of them fail, or nobody would ask, and none do not.
    """
    kept = list(items)
    parts = 2
    while len(kept) >= 2:
        size = -(-len(kept) // parts)
        chunks = [kept[start : start + size] for start in range(0, len(kept), size)]
        rests = [[item for item in kept if item not in chunk] for chunk in chunks] if len(chunks) > 2 else []
        found = next((part for part in (*chunks, *rests) if len(part) < len(kept) and fails(part)), None)
        if found is not None:
            parts = 2 if len(found) <= size else max(parts - 1, 2)
            kept = found
        elif parts < len(kept):
            parts = min(2 * parts, len(kept))
        else:
            break
    return tuple(kept)


def shortest_failing(text: str, fails: Callable[[str], bool]) -> str:
    """Return a beginning of `text` that still fails, found by halving; the text itself where no shorter one does."""
    most, least = len(text), 0
    while most - least > 1:
        middle = (most + least) // 2
        if fails(text[:middle]):
            most = middle
        else:
            least = middle
    return text[:most]
