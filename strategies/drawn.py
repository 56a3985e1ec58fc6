"""Hypothesis strategies for whole requests: near the contract's boundaries on either side, in any combination.

What is drawn are plain integers, which pure functions turn into requests: strategies that are made while drawing, or
that draw from patterns, cost many times as much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.strategies.bodies import base_bodies, moments, schema_of
from atlas_conformance.strategies.requests import build
from atlas_conformance.strategies.scenes import Scene, path_parameters

Edit = tuple[int, int, int]
"""What to do (0 nothing, 1 insert, 2 replace, 3 delete), where, and with which letter."""

_ALPHABET = "af09AG-_. \n\r\t/\x00éßКح数٣０²\u0301\u200b\u202e😀𝒳'\"\\%&+:(),@"
_ROUTABLE = "af09AG-_.~ \n\téß٣０:@!$&'()*+,=z"
_NUMBERS = (0, 1, -1, 2, 1_199_145_599, 1_199_145_600, 2**31 - 1, 2**31, 2**32 + 1, 2**53, 2**63, -(2**31), 10**25)
_LEAVES: tuple[Any, ...] = (None, False, True, "", "x", "null", "0", "true", *_NUMBERS)
_JUNK: tuple[Any, ...] = (
    *_LEAVES,
    *([leaf] for leaf in _LEAVES),
    *({"$oid": leaf} for leaf in _LEAVES[:6]),
    *([], {}, [None, 1], [[]], {"a": {}}),
)
_WAYS = ("good", "left out", "near", "near", "near", "junk", "junk")
_EDIT = st.tuples(st.integers(0, 3), st.integers(0, 63), st.integers(0, 255))


def edited(good: str, edits: Sequence[Edit], alphabet: str = _ALPHABET) -> str:
    """Return `good` after some edits; places and letters beyond its length or the alphabet's are counted around."""
    text = good
    for kind, place, letter in edits:
        at = place % (len(text) + 1)
        new = alphabet[letter % len(alphabet)]
        if kind == 1:
            text = text[:at] + new + text[at:]
        elif kind == 2:
            text = text[:at] + new + text[at + 1 :]
        elif kind == 3:
            text = text[:at] + text[at + 1 :]
    return text


def near_value(schema: Mapping[str, Any], good: Any, which: int, edits: Sequence[Edit]) -> Any:
    """Return a value near the good one of a property: a number at a boundary, one of an enum, or an edited text."""
    if "enum" in schema and which % 2:
        return schema["enum"][which // 2 % len(schema["enum"])]
    return edited(good, edits) if isinstance(good, str) else _NUMBERS[which % len(_NUMBERS)]


def bodies(operation: Operation, scene: Scene) -> st.SearchStrategy[dict[str, Any]]:
    """Draw a body: each property left out, good, or near its boundaries; shrinks towards a plain conforming body.

    Most properties of a draw are good, so that what is off stands alone often enough to be seen.
    """
    bases = [body.document for body in base_bodies(operation, scene)]
    properties = schema_of(operation)["properties"]
    names = list(properties)
    everything: dict[str, Any] = {}
    for known in (*bases, *moments(scene)):
        everything = {**known, **everything}

    def make(drawn: tuple[int, list[tuple[int, int, int, tuple[Edit, Edit]]]]) -> dict[str, Any]:
        base, changes = drawn
        document = dict(bases[base])
        for index, way, which, edits in changes:
            name = names[index]
            good = document.get(name, everything.get(name, "automated"))
            if _WAYS[way] == "left out":
                document.pop(name, None)
            elif _WAYS[way] == "near":
                document[name] = near_value(properties[name], good, which, edits)
            else:
                document[name] = good if _WAYS[way] == "good" else _JUNK[which % len(_JUNK)]
        return document

    change = st.tuples(
        st.integers(0, len(names) - 1), st.integers(0, len(_WAYS) - 1), st.integers(0, 255), st.tuples(_EDIT, _EDIT)
    )
    return st.tuples(st.integers(0, len(bases) - 1), st.lists(change, max_size=2)).map(make)


def creates(operation: Operation, scene: Scene) -> st.SearchStrategy[Request]:
    """Draw a create whose path is good and whose body is near the contract."""
    parameters = path_parameters(operation, scene, "")
    return bodies(operation, scene).map(lambda document: build(operation, parameters, document))


def paths(operation: Operation, scene: Scene, job: str) -> st.SearchStrategy[Request]:
    """Draw a request of which one or two path parameters are near their boundaries; a create's body is good."""
    good = path_parameters(operation, scene, job)
    document = base_bodies(operation, scene)[0].document if operation.kind == "create" else None
    names = [parameter.name for parameter in operation.parameters if parameter.malformed is not None]

    def make(drawn: list[tuple[int, tuple[Edit, Edit]]]) -> Request:
        changed = {}
        for index, edits in drawn:
            text = edited(good[names[index]], edits, _ROUTABLE)
            # An empty segment, or one of dots alone, would be another path.
            if text.strip("."):
                changed[names[index]] = text
        return build(operation, good | changed, document)

    edit = st.tuples(st.integers(0, len(names) - 1), st.tuples(_EDIT, _EDIT))
    return st.lists(edit, min_size=1, max_size=2).map(make)


def batches(requests: st.SearchStrategy[Request], size: int) -> st.SearchStrategy[list[Request]]:
    """Draw several requests at once, which divides the cost of an example among them; shrinks to a single one."""
    return st.lists(requests, min_size=1, max_size=size)
