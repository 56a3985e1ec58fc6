"""Hypothesis strategies for whole requests: near the contract's boundaries on either side, in any combination."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from contracts.exchange import Request
from contracts.operations import Operation
from strategies.bodies import base_bodies, moments, schema_of
from strategies.paths import REQUIREMENT_OF_PARAMETER
from strategies.requests import build
from strategies.scenes import Scene, path_parameters

_ALPHABET = "af09AG-_. \n\r\t/\x00éßКح数٣０²\u0301\u200b\u202e😀𝒳'\"\\%&+:(),@"
_NUMBERS = (0, 1, -1, 2, 1_199_145_599, 1_199_145_600, 2**31 - 1, 2**31, 2**32 + 1, 2**53, 2**63, -(2**31), 10**25)
_ROUTABLE = "af09AG-_.~ \n\téß٣０:@!$&'()*+,=z"


def edited_texts(good: str, alphabet: str = _ALPHABET) -> st.SearchStrategy[str]:
    """Draw a text one or two edits (insert, replace, delete) away from `good`; shrinks towards `good` itself.

    Edits are drawn as plain integers, which costs a fraction of what drawing from the pattern would.
    """
    edit = st.tuples(st.integers(0, 3), st.integers(0, len(good)), st.integers(0, len(alphabet) - 1))

    def apply(edits: Sequence[tuple[int, int, int]]) -> str:
        text = good
        for kind, place, which in edits:
            place = min(place, len(text))
            if kind == 1:
                text = text[:place] + alphabet[which] + text[place:]
            elif kind == 2:
                text = text[:place] + alphabet[which] + text[place + 1 :]
            elif kind == 3:
                text = text[:place] + text[place + 1 :]
        return text

    return st.lists(edit, max_size=2).map(apply)


def junk() -> st.SearchStrategy[Any]:
    """Draw a small JSON value of any type."""
    leaves = st.one_of(
        st.none(), st.booleans(), st.sampled_from(_NUMBERS), st.sampled_from(("", "x", "null", "0", "true"))
    )
    return st.one_of(
        leaves, st.lists(leaves, max_size=2), st.dictionaries(st.sampled_from(("a", "$oid")), leaves, max_size=2)
    )


def near_values(schema: dict[str, Any], good: Any) -> st.SearchStrategy[Any]:
    """Draw a value for one property: the good one, one near it, one at a boundary, or one of another type."""
    near: st.SearchStrategy[Any]
    near = edited_texts(good) if isinstance(good, str) else st.sampled_from(_NUMBERS)
    if "enum" in schema:
        near = st.one_of(st.sampled_from(schema["enum"]), near)
    return st.one_of(st.just(good), near, near, junk())


def bodies(operation: Operation, scene: Scene) -> st.SearchStrategy[dict[str, Any]]:
    """Draw a body: each property left out, good, or near its boundaries; shrinks towards a plain conforming body.

    Most properties of a draw are good, so that what is off stands alone often enough to be seen.
    """
    bases = [body.document for body in base_bodies(operation, scene)]
    properties = schema_of(operation)["properties"]
    everything: dict[str, Any] = {}
    for base in bases:
        everything = {**base, **everything}
    for moment in moments(scene):
        everything = {**moment, **everything}

    def change(base: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
        names = list(properties)
        one = st.sampled_from(names).flatmap(
            lambda name: st.tuples(
                st.just(name),
                st.one_of(
                    st.just(_LEFT_OUT), near_values(properties[name], base.get(name, everything.get(name, "automated")))
                ),
            )
        )
        return st.lists(one, max_size=2).map(lambda changes: _changed(base, changes))

    return st.sampled_from(bases).flatmap(change)


_LEFT_OUT = object()


def _changed(base: dict[str, Any], changes: list[tuple[str, Any]]) -> dict[str, Any]:
    changed = dict(base)
    for name, value in changes:
        if value is _LEFT_OUT:
            changed.pop(name, None)
        else:
            changed[name] = value
    return changed


def creates(operation: Operation, scene: Scene) -> st.SearchStrategy[Request]:
    """Draw a create whose path is good and whose body is near the contract."""
    parameters = path_parameters(operation, scene, "")
    return bodies(operation, scene).map(lambda document: build(operation, parameters, document))


def paths(operation: Operation, scene: Scene, job: str) -> st.SearchStrategy[Request]:
    """Draw a request of which one or two path parameters are near their boundaries; a create's body is good."""
    good = path_parameters(operation, scene, job)
    document = base_bodies(operation, scene)[0].document if operation.kind == "create" else None

    def near(name: str) -> st.SearchStrategy[tuple[str, str]]:
        # An empty segment, or one of dots alone, would be another path.
        texts = edited_texts(good[name], _ROUTABLE).filter(lambda text: text.strip(".") != "")
        return st.tuples(st.just(name), texts)

    names = [name for name in good if name in REQUIREMENT_OF_PARAMETER]
    edits = st.lists(st.sampled_from(names).flatmap(near), min_size=1, max_size=2)
    return edits.map(lambda changed: build(operation, good | dict(changed), document))


def batches(requests: st.SearchStrategy[Request], size: int) -> st.SearchStrategy[list[Request]]:
    """Draw several requests at once, which divides the cost of an example among them; shrinks to a single one."""
    return st.lists(requests, min_size=1, max_size=size)
