"""Comparing two schemas keyword by keyword, whatever version of OpenAPI each is written in.

Compared are types, enumerations, patterns, formats, bounds, properties, required properties and items. Alternatives
(`anyOf`, `oneOf`) count as one schema with the properties of all and what all of them require; conditions (`if`) are
not compared, as no vendor's description states them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Any

from atlas_conformance.drift.difference import BOTH, Side, narrowed, widened
from atlas_conformance.drift.documents import Node

_DEEPEST = 12
_LOWER = ("minimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "maxLength", "maxItems", "maxProperties")
_IMPLIED = {("int32", "minimum"): -(2**31), ("int32", "maximum"): 2**31 - 1}

Raw = tuple[str, str, tuple[Side, ...], Node, Node]
"""Kind, sentence, whom it breaks, and the places in our schema and theirs."""


@dataclass
class Shape:
    """A schema with its references followed and its parts put together; `node` is where it stands."""

    node: Node
    types: frozenset[str] | None = None
    enum: tuple[Any, ...] | None = None
    pattern: str | None = None
    format: str | None = None
    bounds: dict[str, float] = field(default_factory=dict)
    properties: dict[str, Node] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    items: Node | None = None


def shape_of(node: Node, depth: int = 0) -> Shape:
    """Return the shape of a schema."""
    here = node.resolved()
    shape = Shape(here)
    value = here.value
    if not isinstance(value, dict) or depth > _DEEPEST:
        return shape
    kinds = value.get("type")
    if kinds is not None:
        types = {kinds} if isinstance(kinds, str) else set(kinds)
        shape.types = frozenset(types | ({"null"} if value.get("nullable") is True else set()))
    if "const" in value:
        shape.enum = (value["const"],)
    elif isinstance(value.get("enum"), list):
        shape.enum = tuple(value["enum"])
    shape.pattern, shape.format = value.get("pattern"), value.get("format")
    _read_bounds(shape, value)
    properties = here.get("properties")
    if properties is not None:
        shape.properties = {name: properties[name] for name in properties.value}
    shape.required = set(value.get("required") or ())
    shape.items = here["items"] if isinstance(value.get("items"), dict) else None
    for part in here["allOf"].items() if "allOf" in value else ():
        _include(shape, shape_of(part, depth + 1))
    for keyword in ("anyOf", "oneOf"):
        if keyword in value:
            _include_alternatives(shape, [part for part in here[keyword].items() if not _is_envelope(part)], depth)
    return shape


def _read_bounds(shape: Shape, value: dict[str, Any]) -> None:
    for keyword in (*_LOWER, *_UPPER):
        bound = value.get(keyword)
        if isinstance(bound, int | float) and not isinstance(bound, bool):
            shape.bounds[keyword] = bound
    for keyword, own in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        bound = value.get(keyword)
        if bound is True or (isinstance(bound, int | float) and not isinstance(bound, bool)):
            shape.bounds[keyword] = shape.bounds.pop(own, inf) if bound is True else bound
    for (format, keyword), bound in _IMPLIED.items():
        if shape.format == format and keyword not in shape.bounds:
            shape.bounds[keyword] = bound


def _is_envelope(part: Node) -> bool:
    """Whether an alternative is the same answer in an envelope, which every operation offers alike."""
    return (part.reference or "").rpartition("/")[2].startswith("envelope-")


def _include(shape: Shape, part: Shape) -> None:
    """Take over a part that must hold too."""
    if part.types is not None:
        shape.types = part.types if shape.types is None else shape.types & part.types
    shape.enum = part.enum if shape.enum is None else shape.enum
    shape.pattern = shape.pattern or part.pattern
    shape.format = shape.format or part.format
    shape.bounds = {**part.bounds, **shape.bounds}
    shape.properties = {**part.properties, **shape.properties}
    shape.required |= part.required
    shape.items = shape.items or part.items


def _include_alternatives(shape: Shape, parts: list[Node], depth: int) -> None:
    """Take over alternatives: the only one as it is, of several the properties of all and what all require."""
    shapes = [shape_of(part, depth + 1) for part in parts]
    solid = [each for each in shapes if each.types != frozenset({"null"})]
    if len(solid) == 1:
        _include(shape, solid[0])
        if len(shapes) > 1 and shape.types is not None:
            shape.types |= {"null"}
        return
    for each in solid:
        shape.properties = {**each.properties, **shape.properties}
    if solid:
        shape.required |= set.intersection(*(each.required for each in solid))
        if all(each.enum is not None for each in solid) and shape.enum is None:
            shape.enum = tuple(dict.fromkeys(value for each in solid for value in each.enum or ()))
        if shape.types is None and all(each.types is not None for each in shapes):
            shape.types = frozenset().union(*(each.types or () for each in shapes))


def compare(ours: Node, theirs: Node, direction: str, name: str, depth: int = 0) -> Iterator[Raw]:
    """Yield each difference of two schemas; `name` is what a person calls the value, `direction` who sends it."""
    if depth > _DEEPEST:
        return
    mine, other = shape_of(ours), shape_of(theirs)
    yield from _compare_types(mine, other, direction, name)
    yield from _compare_enums(mine, other, direction, name)
    yield from _compare_texts(mine, other, direction, name)
    yield from _compare_bounds(mine, other, direction, name)
    yield from _compare_properties(mine, other, direction, name, depth)
    if mine.items is not None and other.items is not None:
        yield from compare(mine.items, other.items, direction, f"each item of {name}", depth + 1)


def _breaks(mine: frozenset[Any], other: frozenset[Any], direction: str) -> tuple[Side, ...]:
    sides: list[Side] = []
    sides += narrowed(direction) if mine - other else ()
    sides += widened(direction) if other - mine else ()
    return tuple(sorted(set(sides)))


def _compare_types(mine: Shape, other: Shape, direction: str, name: str) -> Iterator[Raw]:
    if mine.types is None or other.types is None:
        if mine.types != other.types:
            breaks = narrowed(direction) if mine.types is None else widened(direction)
            yield "type", f"{name} is {_listed(other.types)}, not {_listed(mine.types)}", breaks, mine.node, other.node
        return
    ours, theirs = _with_integers(mine.types), _with_integers(other.types)
    if ours != theirs:
        breaks = _breaks(ours, theirs, direction)
        yield "type", f"{name} is {_listed(other.types)}, not {_listed(mine.types)}", breaks, mine.node, other.node


def _with_integers(types: frozenset[str]) -> frozenset[str]:
    return types | {"integer"} if "number" in types else types


def _compare_enums(mine: Shape, other: Shape, direction: str, name: str) -> Iterator[Raw]:
    ours = None if mine.enum is None else frozenset(map(repr, mine.enum))
    theirs = None if other.enum is None else frozenset(map(repr, other.enum))
    if ours == theirs:
        return
    if ours is None or theirs is None:
        breaks = narrowed(direction) if ours is None else widened(direction)
        words = f"{name} is one of {_listed(theirs)}" if ours is None else f"{name} may be anything, not one of a list"
        yield "enum", words, breaks, mine.node, other.node
        return
    parts = [f"gains {_listed(theirs - ours)}"] if theirs - ours else []
    parts += [f"loses {_listed(ours - theirs)}"] if ours - theirs else []
    yield "enum", f"{name} {' and '.join(parts)}", _breaks(ours, theirs, direction), mine.node, other.node


def _compare_texts(mine: Shape, other: Shape, direction: str, name: str) -> Iterator[Raw]:
    for kind, ours, theirs in (("pattern", mine.pattern, other.pattern), ("format", mine.format, other.format)):
        if ours == theirs:
            continue
        breaks = BOTH
        if ours is None or theirs is None:
            breaks = narrowed(direction) if ours is None else widened(direction)
        words = f"{name} has the {kind} {theirs!r}, not {ours!r}"
        if theirs is None:
            words = f"{name} has no {kind}, not {ours!r}"
        elif ours is None:
            words = f"{name} has the {kind} {theirs!r}, not none"
        yield kind, words, breaks, mine.node, other.node


def _compare_bounds(mine: Shape, other: Shape, direction: str, name: str) -> Iterator[Raw]:
    for keyword in sorted(mine.bounds.keys() | other.bounds.keys()):
        lower = keyword in _LOWER or keyword == "exclusiveMinimum"
        nothing = -inf if lower else inf
        ours, theirs = mine.bounds.get(keyword, nothing), other.bounds.get(keyword, nothing)
        if ours == theirs:
            continue
        tighter = theirs > ours if lower else theirs < ours
        breaks = narrowed(direction) if tighter else widened(direction)
        words = f"{name} has {keyword} {_bound(theirs)}, not {_bound(ours)}"
        yield "bound", words, breaks, mine.node, other.node


def _bound(value: float) -> str:
    return "none" if value in (inf, -inf) else f"{value}"


def _compare_properties(mine: Shape, other: Shape, direction: str, name: str, depth: int) -> Iterator[Raw]:
    for added in other.properties.keys() - mine.properties.keys() if other.properties and mine.properties else ():
        place = other.properties[added].resolved()
        yield "property", f"{name} may have a property {added}", (), mine.node, place
    for gone in mine.properties.keys() - other.properties.keys() if other.properties and mine.properties else ():
        place = mine.properties[gone].resolved()
        breaks: tuple[Side, ...] = ("clients",)
        yield "property", f"{name} has no property {gone} any more", breaks, place, other.node
    for wanted in sorted(other.required - mine.required):
        yield "required", f"{name} must have {wanted}", narrowed(direction), mine.node, other.node
    for optional in sorted(mine.required - other.required):
        yield "required", f"{name} need not have {optional}", widened(direction), mine.node, other.node
    for shared in mine.properties:
        if shared in other.properties:
            inner = f"{name}.{shared}"
            yield from compare(mine.properties[shared], other.properties[shared], direction, inner, depth + 1)


def _listed(values: frozenset[str] | None) -> str:
    return "anything" if values is None else " or ".join(sorted(values)) or "nothing"
