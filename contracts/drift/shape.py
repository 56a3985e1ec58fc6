"""What a schema allows, as a value, and how the shapes of several schemas become one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from atlas_conformance.contracts.drift.documents import Node

LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
"""The keywords of lower bounds."""
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
"""The keywords of upper bounds."""


@dataclass(frozen=True, slots=True)
class Together:
    """Schemas that hold together."""

    parts: tuple[Schema, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Schemas of which one holds."""

    parts: tuple[Schema, ...]


Schema: TypeAlias = Node | Together | Either


@dataclass(frozen=True)
class Shape:
    """What a schema allows; `node` is where it stands, `sources` where each of its keywords does.

    `types` and `enum` are None where any is allowed; `enum` maps a canonical spelling to the value. `forms` is patterns
    by their plain spelling. A `nullable` schema allows null whatever its `enum` says.
    """

    node: Node
    types: frozenset[str] | None = None
    enum: dict[str, Any] | None = None
    forms: dict[str, str] = field(default_factory=dict)
    formats: frozenset[str] = frozenset()
    bounds: dict[str, float] = field(default_factory=dict)
    multiples: frozenset[float] = frozenset()
    unique: bool = False
    properties: dict[str, Schema] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    items: Schema | None = None
    nullable: bool = False
    read_only: bool = False
    write_only: bool = False
    sources: dict[str, Node] = field(default_factory=dict)

    def place(self, *keywords: str) -> Node:
        """Return where the first of these keywords that is stated stands, or the schema itself."""
        return next((self.sources[each] for each in keywords if each in self.sources), self.node)


def canonical(value: Any) -> str:
    """Return one spelling for values that JSON Schema takes as equal."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, default=str)


def both(one: Shape, other: Shape) -> Shape:
    """Return the shape of what holds to two shapes; where they contradict each other, the narrower one decides."""
    enum = one.enum if other.enum is None else other.enum
    if one.enum is not None and other.enum is not None:
        enum = {key: each for key, each in one.enum.items() if key in other.enum}
        if not enum:
            enum = one.enum if 0 < len(one.enum) < len(other.enum) else other.enum
    types = one.types if other.types is None else other.types
    if one.types is not None and other.types is not None:
        types = (with_integers(one.types) & with_integers(other.types)) or other.types
    bounds = {**one.bounds, **other.bounds}
    for keyword in one.bounds.keys() & other.bounds.keys():
        bounds[keyword] = (max if keyword in LOWER else min)(one.bounds[keyword], other.bounds[keyword])
    return Shape(
        one.node,
        types=types,
        enum=enum,
        forms={**one.forms, **other.forms},
        formats=one.formats | other.formats,
        bounds=bounds,
        multiples=one.multiples | other.multiples,
        unique=one.unique or other.unique,
        properties=_merged(one.properties, other.properties),
        required=one.required | other.required,
        items=_joined(one.items, other.items),
        nullable=one.nullable or other.nullable,
        read_only=one.read_only or other.read_only,
        write_only=one.write_only or other.write_only,
        sources={**one.sources, **other.sources} if enum is other.enum else {**other.sources, **one.sources},
    )


def one_of(node: Node, shapes: list[Shape]) -> Shape:
    """Return the shape of what holds to any of these shapes."""
    solid = [each for each in shapes if each.types != frozenset({"null"})]
    if not solid:
        return shapes[0]
    shape = _any_of(node, solid) if len(solid) > 1 else solid[0]
    if len(solid) < len(shapes) and shape.types is not None:
        shape = replace(shape, types=shape.types | {"null"}, nullable=True)
    return shape


def _any_of(node: Node, shapes: list[Shape]) -> Shape:
    first = shapes[0]
    types = [each.types for each in shapes if each.types is not None]
    enums = [each.enum for each in shapes if each.enum is not None]
    items = [each.items for each in shapes if each.items is not None]
    bounds = {
        keyword: (min if keyword in LOWER else max)(each.bounds[keyword] for each in shapes)
        for keyword in first.bounds
        if all(keyword in each.bounds for each in shapes)
    }
    members: dict[str, dict[Schema, None]] = {}
    sources: dict[str, Node] = {}
    for each in shapes:
        for name, schema in each.properties.items():
            members.setdefault(name, {}).update(dict.fromkeys(_parts(schema, Either)))
        sources = {**each.sources, **sources}
    return Shape(
        node,
        types=frozenset().union(*types) if len(types) == len(shapes) else None,
        enum={key: value for enum in enums for key, value in enum.items()} if len(enums) == len(shapes) else None,
        forms={key: form for key, form in first.forms.items() if all(key in each.forms for each in shapes)},
        formats=frozenset.intersection(*(each.formats for each in shapes)),
        bounds=bounds,
        multiples=frozenset.intersection(*(each.multiples for each in shapes)),
        unique=all(each.unique for each in shapes),
        properties={name: _whole(tuple(parts), Either) for name, parts in members.items()},
        required=frozenset.intersection(*(each.required for each in shapes)),
        items=_whole(tuple(dict.fromkeys(items)), Either) if len(items) == len(shapes) else None,
        nullable=any(each.nullable for each in shapes),
        read_only=all(each.read_only for each in shapes),
        write_only=all(each.write_only for each in shapes),
        sources=sources,
    )


def _parts(schema: Schema, how: type[Together] | type[Either]) -> tuple[Schema, ...]:
    return schema.parts if isinstance(schema, how) else (schema,)


def _whole(parts: tuple[Schema, ...], how: type[Together] | type[Either]) -> Schema:
    return parts[0] if len(parts) == 1 else how(parts)


def _together(one: Schema, other: Schema) -> Schema:
    """Return two schemas as one; each part counts once, however often it is named."""
    return _whole(tuple(dict.fromkeys((*_parts(one, Together), *_parts(other, Together)))), Together)


def _merged(one: dict[str, Schema], other: dict[str, Schema]) -> dict[str, Schema]:
    return {**one, **other, **{name: _together(one[name], other[name]) for name in one.keys() & other.keys()}}


def _joined(one: Schema | None, other: Schema | None) -> Schema | None:
    return one or other if one is None or other is None else _together(one, other)


def with_integers(types: frozenset[str]) -> frozenset[str]:
    """Return the types, integers named too where all numbers are allowed."""
    return types | {"integer"} if "number" in types else types
