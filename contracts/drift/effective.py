"""Shapes in the one form in which they are compared: nothing implied twice, nothing without effect."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor
from typing import Any

from atlas_conformance.contracts.drift.shape import Shape, with_integers


def with_types(shape: Shape) -> Shape:
    """Return the shape with the types that its enumeration implies where it states none."""
    if shape.types is not None or shape.enum is None:
        return shape
    types = frozenset(_type(each) for each in shape.enum.values())
    return replace(shape, types=types | {"null"} if shape.nullable else types)


def _type(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "string"


def finished(shape: Shape) -> Shape:
    """Return the shape in the form in which shapes are compared."""
    shape = with_types(shape)
    types, enum = shape.types, shape.enum
    if types is None:
        # Whoever names properties or items means an object or an array, and often forgets to say so.
        types = frozenset({"object"}) if shape.properties else frozenset({"array"}) if shape.items else None
    if types is not None and shape.nullable:
        types |= {"null"}
    if enum is not None:
        if types is not None and "null" in types and "null" not in enum and not shape.nullable:
            types -= {"null"}
        fitting = with_integers(types or frozenset())
        solid = {key: each for key, each in enum.items() if each is not None}
        enum = solid if types is None else {key: each for key, each in solid.items() if _type(each) in fitting}
        if types is not None and types <= {"boolean", "null"} and len(enum) == 2:
            enum = None
        if types is not None and types == {"null"}:
            enum = None
    texts = types is None or "string" in types
    return replace(
        shape,
        types=types,
        enum=enum,
        forms=shape.forms if texts else {},
        formats=shape.formats if texts or types is None or types & {"integer", "number"} else frozenset(),
        bounds=_effective(shape.bounds, types),
    )


_NONE_AT_ZERO = ("minLength", "minItems", "minProperties")
_APPLIES = {
    "Length": {"string"},
    "Items": {"array"},
    "Properties": {"object"},
    "inimum": {"integer", "number"},
    "aximum": {"integer", "number"},
}


def _effective(bounds: dict[str, float], types: frozenset[str] | None) -> dict[str, float]:
    """Return the bounds that make a difference, those of integers as inclusive ones."""
    kept = {
        keyword: bound
        for keyword, bound in bounds.items()
        if types is None or types & next(types_ for ending, types_ in _APPLIES.items() if keyword.endswith(ending))
    }
    integers = types is not None and "number" not in types
    for keyword, own, step in (("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)):
        if integers and keyword in kept:
            bound = kept.pop(keyword)
            inner = floor(bound) + 1 if step > 0 else ceil(bound) - 1
            kept[own] = inner if own not in kept else (max if step > 0 else min)(inner, kept[own])
        elif keyword in kept and own in kept:
            exclusive_decides = kept[keyword] >= kept[own] if step > 0 else kept[keyword] <= kept[own]
            kept.pop(own if exclusive_decides else keyword)
    if integers:
        for own, rounded in (("minimum", ceil), ("maximum", floor)):
            if own in kept:
                kept[own] = rounded(kept[own])
    return {key: bound for key, bound in kept.items() if bound != 0 or key not in _NONE_AT_ZERO}
