"""Hypothesis strategies for values that a JSON schema of the contract takes, drawn from the schema alone."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.strategies.boundaries import fits, longest

_INT32 = (-(2**31), 2**31 - 1)
_MOST_ITEMS = 3
_LETTERS = "abcdef0123456789ghzABGZéßКح数٣-_. ,:()&@+'/"
_ALPHABET = st.sampled_from("abcxyzé数 .,'\"\\/{}")
FIRST, LAST = 1_577_836_800, 1_767_225_600
"""The seconds between which dates are drawn: 2020 and 2026: what has happened is not in the future of an answer."""


def documents(contract: Contract, name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Draw objects that the schema file `name` takes, each optional property shown or not.

    Raises ValueError where the contract has no such file, or its schema is no object.
    """
    if name not in contract.schemas.documents:
        raise ValueError(f"there is no schema {name}; there are {', '.join(contract.schemas.documents)}")
    drawn = values(contract, contract.schemas.documents[name])
    if drawn is None or contract.schemas.documents[name].get("type") != "object":
        raise ValueError(f"{name} describes no object that can be drawn")
    return drawn


def values(contract: Contract, schema: Mapping[str, Any]) -> st.SearchStrategy[Any] | None:
    """Draw values that a schema takes; None where what it asks for cannot be made, such as an unusual pattern."""
    if "$ref" in schema:
        return values(contract, contract.schemas.documents[schema["$ref"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema.get("type", "object")
    drawn = [
        made
        for kind in ([kinds] if isinstance(kinds, str) else kinds)
        if (made := _of_kind(contract, kind, schema)) is not None
    ]
    return st.one_of(drawn) if drawn else None


def _of_kind(contract: Contract, kind: str, schema: Mapping[str, Any]) -> st.SearchStrategy[Any] | None:
    if kind == "object":
        return _objects(contract, schema)
    if kind == "array":
        items = values(contract, schema.get("items", {"type": "object"}))
        return st.just([]) if items is None else st.lists(items, max_size=_MOST_ITEMS)
    if kind == "string":
        if schema.get("format") == "uuid":
            return st.uuids().map(str)
        return dates() if schema.get("format") == "date-time" else _texts(schema)
    if kind in ("integer", "number"):
        return st.integers(schema.get("minimum", _INT32[0]), schema.get("maximum", _INT32[1]))
    return st.booleans() if kind == "boolean" else st.none()


def _objects(contract: Contract, schema: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]] | None:
    required, optional = {}, {}
    for name, described in schema.get("properties", {}).items():
        drawn = values(contract, described)
        if drawn is None:
            if name in schema.get("required", ()):
                return None
        elif name in schema.get("required", ()):
            required[name] = drawn
        else:
            optional[name] = drawn
    return st.fixed_dictionaries(required, optional=optional)


def _texts(schema: Mapping[str, Any]) -> st.SearchStrategy[str] | None:
    """Draw texts of letters of which every one alone keeps the pattern; None where there are none."""
    if "pattern" not in schema:
        return st.text(_ALPHABET, min_size=schema.get("minLength", 0), max_size=min(longest(schema), 20))
    most = longest(schema)
    least = schema.get("minLength", most if "{24}" in schema["pattern"] else 1)
    letters = _fitting(schema["pattern"], least, most)
    return st.text(st.sampled_from(letters), min_size=least, max_size=most) if letters else None


@lru_cache(maxsize=64)
def _fitting(pattern: str, least: int, most: int) -> str:
    schema = {"pattern": pattern, "minLength": least, "maxLength": most}
    return "".join(letter for letter in _LETTERS if fits(schema, letter * least) and fits(schema, letter * most))


def dates(first: int = FIRST, last: int = LAST) -> st.SearchStrategy[str]:
    """Draw date-times in UTC between two seconds since the Unix epoch, with and without fractions of a second."""
    return st.builds(moment, st.integers(first, last), st.sampled_from(("", ".5", ".123", ".000001")))


def moment(seconds: int, fraction: str = "") -> str:
    """Return an ISO 8601 date-time in UTC; `fraction` stands after its seconds, such as `.5`."""
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"
