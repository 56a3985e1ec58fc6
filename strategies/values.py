"""Hypothesis strategies for values that a JSON schema of the contract takes, drawn from the schema alone."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.strategies.boundaries import fits, longest

_INT32 = (-(2**31), 2**31 - 1)
_MOST_ITEMS = 3
_ANYTHING = st.sampled_from(("x", 1, True))
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
    drawn = values(contract, contract.schemas.documents[name], (name,))
    if drawn is None or contract.schemas.documents[name].get("type") != "object":
        raise ValueError(f"{name} describes no object that can be drawn")
    return drawn


def values(
    contract: Contract, schema: Mapping[str, Any], inside: tuple[str, ...] = ()
) -> st.SearchStrategy[Any] | None:
    """Draw values that a schema takes; None where what it asks for cannot be made, such as an unusual pattern.

    `inside` are the files that lead to the schema. One of them is not followed again: what it describes stays away.
    """
    if "$ref" in schema:
        name = schema["$ref"]
        return None if name in inside else values(contract, contract.schemas.documents[name], (*inside, name))
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema.get("type", "object")
    drawn = [
        made
        for kind in ([kinds] if isinstance(kinds, str) else kinds)
        if (made := _of_kind(contract, kind, schema, inside)) is not None
    ]
    return st.one_of(drawn) if drawn else None


def _of_kind(
    contract: Contract, kind: str, schema: Mapping[str, Any], inside: tuple[str, ...]
) -> st.SearchStrategy[Any] | None:
    if kind == "object":
        return _objects(contract, schema, inside)
    if kind == "array":
        described = schema.get("items", {"type": "object"})
        items = values(contract, described, inside) if isinstance(described, Mapping) else None
        least = schema.get("minItems", 0)
        if items is None:
            return None if least else st.just([])
        most = min(max(least, _MOST_ITEMS), schema.get("maxItems", max(least, _MOST_ITEMS)))
        return st.lists(items, min_size=least, max_size=most) if least <= most else None
    if kind == "string":
        if schema.get("format") == "uuid":
            return st.uuids().map(str)
        return dates() if schema.get("format") == "date-time" else _texts(schema)
    if kind in ("integer", "number"):
        return _integers(schema)
    return st.booleans() if kind == "boolean" else st.none()


def _integers(schema: Mapping[str, Any]) -> st.SearchStrategy[int] | None:
    least, most = _bounds(schema)
    return st.integers(least, most) if least <= most else None


def _bounds(schema: Mapping[str, Any]) -> tuple[int, int]:
    """Return the least and the greatest integer that a schema takes, of those in 32 bits where it leaves them open."""
    lows = [math.ceil(schema["minimum"])] if "minimum" in schema else []
    lows += [math.floor(schema["exclusiveMinimum"]) + 1] if "exclusiveMinimum" in schema else []
    highs = [math.floor(schema["maximum"])] if "maximum" in schema else []
    highs += [math.ceil(schema["exclusiveMaximum"]) - 1] if "exclusiveMaximum" in schema else []
    least = max(lows) if lows else min(_INT32[0], *highs) if highs else _INT32[0]
    return least, min(highs) if highs else max(_INT32[1], least)


def plain_value(contract: Contract, schema: Mapping[str, Any], inside: tuple[str, ...] = ()) -> tuple[Any, ...]:
    """Return the plainest value that a schema takes, or nothing where none can be made."""
    if "$ref" in schema:
        name = schema["$ref"]
        return () if name in inside else plain_value(contract, contract.schemas.documents[name], (*inside, name))
    if "const" in schema:
        return (schema["const"],)
    if "enum" in schema:
        return tuple(schema["enum"][:1])
    kinds = schema.get("type", "object")
    kind = kinds if isinstance(kinds, str) else next((one for one in kinds if one != "null"), "null")
    if kind == "object":
        made = {
            name: plain_value(contract, schema.get("properties", {}).get(name, {}), inside)
            for name in schema.get("required", ())
        }
        return ({name: value[0] for name, value in made.items()},) if all(made.values()) else ()
    if kind == "array":
        described, least = schema.get("items", {}), schema.get("minItems", 0)
        item = plain_value(contract, described, inside) if isinstance(described, Mapping) and least else ()
        return ([item[0]] * least,) if item or not least else ()
    if kind == "string":
        return _plain_text(schema)
    if kind in ("integer", "number"):
        least, most = _bounds(schema)
        return (min(max(least, 1), most),) if least <= most else ()
    return (True,) if kind == "boolean" else (None,)


def _plain_text(schema: Mapping[str, Any]) -> tuple[str, ...]:
    if schema.get("format") == "uuid":
        return ("00000000-0000-4000-8000-000000000000",)
    if schema.get("format") == "date-time":
        return (moment(FIRST),)
    if "pattern" not in schema:
        return ("x" * max(1, schema.get("minLength", 0)),)
    least, most = _lengths(schema)
    return tuple(letter * least for letter in _fitting(schema["pattern"], least, most)[:1])


def _objects(
    contract: Contract, schema: Mapping[str, Any], inside: tuple[str, ...]
) -> st.SearchStrategy[dict[str, Any]] | None:
    required, optional = {}, {}
    for name, described in schema.get("properties", {}).items():
        drawn = values(contract, described, inside)
        if drawn is None:
            if name in schema.get("required", ()):
                return None
        elif name in schema.get("required", ()):
            required[name] = drawn
        else:
            optional[name] = drawn
    required |= {name: _ANYTHING for name in schema.get("required", ()) if name not in schema.get("properties", {})}
    return st.fixed_dictionaries(required, optional=optional)


def _texts(schema: Mapping[str, Any]) -> st.SearchStrategy[str] | None:
    """Draw texts of letters of which every one alone keeps the pattern; None where there are none."""
    if "pattern" not in schema:
        least = schema.get("minLength", 0)
        return st.text(_ALPHABET, min_size=least, max_size=max(least, min(longest(schema), 20)))
    least, most = _lengths(schema)
    letters = _fitting(schema["pattern"], least, most)
    return st.text(st.sampled_from(letters), min_size=least, max_size=most) if letters else None


def _lengths(schema: Mapping[str, Any]) -> tuple[int, int]:
    """Return the least and the greatest length of texts that keep a pattern."""
    most = longest(schema)
    return schema.get("minLength", most if "{24}" in schema["pattern"] else 1), most


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
