"""Selectors: how requirements name the operations that they bind, in a few words.

`every operation`, `creates`, `creates of flex and tenant`, `jobs of dedicated`, `v2 operations with a body`,
`operations with a job in the path`, `lists with a page parameter`. Words on one matter (the kind of operation, of
cluster, of thing, the version) widen the choice, words on another narrow it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeAlias

from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.resources import RESOURCES

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
_FEATURES = ("body", "page parameter", "target in the body")
_IN_THE_PATH = " in the path"
_WITH = re.compile(" with an? ")
ROLES = frozenset({"project", "cluster", *(resource.what for resource in RESOURCES.values())})
"""What path parameters name, whatever the contract."""


def selected(selectors: str | Iterable[str], operations: Iterable[Operation]) -> tuple[str, ...]:
    """Return the ids of the operations that a selector, or any one of several, names, in their order.

    `jobs` and `snapshots` are the operations whose answers show one. Raises ValueError where a selector has a word
    that does not exist, or a feature that no operation can have.
    """
    known = list(operations)
    wanted = [_read(selector, known) for selector in _each(selectors)]
    return tuple(o.id for o in known if any(_takes(one, _matters(o)) for one in wanted))


def roles_in(selectors: str | Iterable[str]) -> frozenset[str]:
    """Return what selectors speak of as named in a path: `operations with a job in the path` speaks of a job."""
    features = [_parts(selector)[1] for selector in _each(selectors)]
    return frozenset(f.removesuffix(_IN_THE_PATH) for f in features if f.endswith(_IN_THE_PATH))


def _each(selectors: str | Iterable[str]) -> Iterable[str]:
    return [selectors] if isinstance(selectors, str) else selectors


def _parts(selector: str) -> tuple[str, str]:
    """Return the words of a selector, and the feature that it asks for, or no text."""
    phrase, *features = _WITH.split(selector, maxsplit=1)
    return phrase, features[0] if features else ""


def _check_feature(selector: str, feature: str, operations: Iterable[Operation]) -> None:
    roles = ROLES | {o.resource.what for o in operations} | {p.role for o in operations for p in o.parameters}
    if feature not in _FEATURES and feature.removesuffix(_IN_THE_PATH) not in roles:
        there = ", ".join((*_FEATURES, *(f"{role}{_IN_THE_PATH}" for role in sorted(roles))))
        raise ValueError(f"the selector {selector!r} asks for {feature!r}, which no operation has; there are {there}")


def _read(selector: str, operations: Iterable[Operation]) -> _Wanted:
    phrase, feature = _parts(selector)
    wanted: _Wanted = {}
    for word in phrase.split():
        if word in _WORDS:
            matter, values = _WORDS[word]
            wanted.setdefault(matter, set()).update(values)
        elif word not in _FILLERS:
            raise ValueError(f"the selector {selector!r} has the word {word!r}, which says nothing of operations")
    if feature:
        _check_feature(selector, feature, operations)
        wanted["feature"] = {feature}
    return wanted


def _matters(operation: Operation) -> _Wanted:
    """What an operation is, on each matter that a selector may speak of."""
    features = {f"{parameter.role}{_IN_THE_PATH}" for parameter in operation.parameters}
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
