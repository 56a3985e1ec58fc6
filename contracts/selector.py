"""Selectors: how requirements name the operations that they bind, in a few words.

`every operation`, `creates`, `creates of flex and tenant`, `jobs of dedicated`, `v2 operations with a body`,
`operations with a job in the path`, `lists with a page parameter`. Words on one matter (the kind of operation, of
cluster, of thing, the version) widen the choice, words on another narrow it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from atlas_conformance.contracts.operation import Operation

_Wanted: TypeAlias = dict[str, set[str]]

_WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "creates": ("kind", ("create",)),
    "gets": ("kind", ("get",)),
    "lists": ("kind", ("list",)),
    "reads": ("kind", ("get", "list")),
    "cancels": ("kind", ("cancel",)),
    "deletes": ("kind", ("delete",)),
    "flex": ("cluster", ("flex",)),
    "tenant": ("cluster", ("tenant",)),
    "dedicated": ("cluster", ("dedicated",)),
    "v1.0": ("version", ("v1.0",)),
    "v2": ("version", ("v2",)),
    "jobs": ("thing", ("job",)),
    "snapshots": ("thing", ("snapshot",)),
}
_FILLERS = frozenset({"every", "operation", "operations", "of", "and"})


def selected(selectors: str | Iterable[str], operations: Iterable[Operation]) -> tuple[str, ...]:
    """Return the ids of the operations that a selector, or any one of several, names, in their order.

    `jobs` and `snapshots` are the operations whose answers show one. Raises ValueError where a selector has a word
    that does not exist.
    """
    wanted = [_read(selector) for selector in ([selectors] if isinstance(selectors, str) else selectors)]
    return tuple(o.id for o in operations if any(_takes(one, _matters(o)) for one in wanted))


def _read(selector: str) -> _Wanted:
    phrase, _, feature = selector.partition(" with a ")
    wanted: _Wanted = {}
    for word in phrase.split():
        if word in _WORDS:
            matter, values = _WORDS[word]
            wanted.setdefault(matter, set()).update(values)
        elif word not in _FILLERS:
            raise ValueError(f"the selector {selector!r} has the word {word!r}, which says nothing of operations")
    if feature:
        wanted["feature"] = {feature}
    return wanted


def _matters(operation: Operation) -> _Wanted:
    """What an operation is, on each matter that a selector may speak of."""
    features = {f"{parameter.role} in the path" for parameter in operation.parameters}
    if operation.names_target:
        features.add("target in the body")
    if operation.paged:
        features.add("page parameter")
    shows = operation.media_type is not None
    return {
        "kind": {operation.kind},
        "cluster": {operation.resource.cluster_kind or ""},
        "version": {operation.api},
        "thing": {operation.resource.what} if shows else set(),
        "feature": features | {"body"} if shows else features,
    }


def _takes(wanted: _Wanted, matters: _Wanted) -> bool:
    return all(values & matters[matter] for matter, values in wanted.items())
