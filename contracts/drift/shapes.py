"""What a schema allows, put together from all its parts, whatever version of OpenAPI it is written in.

Parts of `allOf`, and in OpenAPI 3.1 what stands beside `$ref`, hold together. Of alternatives (`anyOf`, `oneOf`) a
value has the properties of any, and what all of them require. Conditions (`if`), `not`, and rules on properties that
are not named are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import isfinite
from typing import Any, TypeGuard

from atlas_conformance.contracts.drift.documents import Node
from atlas_conformance.contracts.drift.drift_error import DriftError
from atlas_conformance.contracts.drift.effective import finished, with_types
from atlas_conformance.contracts.drift.pattern_facts import pattern_facts
from atlas_conformance.contracts.drift.shape import (
    LOWER,
    UPPER,
    Either,
    Schema,
    Shape,
    Together,
    both,
    canonical,
    one_of,
)

_ANNOTATIONS = ("float", "double", "password", "int64")
_PASSING_ON = frozenset(("$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "title", "description"))
_DEEPEST = 160
_MOST_SHAPES = 40_000
_MOST_PARTS = 2_000


class Shapes:
    """Makes shapes of schemas, each once."""

    def __init__(self) -> None:
        # Two descriptions may share a file and read it each by its own version of OpenAPI.
        self._known: dict[tuple[int, Schema], Shape] = {}
        self._finished: dict[tuple[int, Schema], Shape] = {}
        self._made = 0
        # Schemas that stand within themselves: what was left out where one was met again.
        self._cut: set[Schema] = set()

    def of(self, schema: Schema) -> Shape:
        """Return the finished shape of a schema. Raises DriftError where schemas are nested without end."""
        key = id(_first(schema).library), schema
        if key not in self._finished:
            self._finished[key] = finished(self._shape(schema, ()))
        return self._finished[key]

    def _shape(self, schema: Schema, around: tuple[Schema, ...]) -> Shape:
        schema = _passed_on(schema)
        key = id(_first(schema).library), schema
        if key in self._known:
            return self._known[key]
        if schema in around:
            # It holds already; a shape that leaves it out is right only inside it.
            self._cut.add(schema)
            return Shape(_first(schema))
        if len(around) > _DEEPEST or self._made > _MOST_SHAPES:
            raise DriftError(f"{_first(schema).shown} is made of too many schemas within one another to be compared")
        self._made += 1
        outside, self._cut = self._cut, set()
        inner = (*around, schema)
        if isinstance(schema, Together):
            shape = self._together(schema.parts, inner)
        elif isinstance(schema, Either):
            shape = self._either(schema.parts, inner)
        else:
            shape = self._of_node(schema, inner)
        left_out = self._cut - {schema}
        if not left_out:
            self._known[key] = shape
        self._cut = outside | left_out
        return shape

    def _together(self, parts: Iterable[Schema], around: tuple[Schema, ...]) -> Shape:
        shapes = [self._shape(part, around) for part in parts]
        shape = shapes[0]
        for other in shapes[1:]:
            shape = both(shape, other)
        return shape

    def _either(self, parts: tuple[Schema, ...], around: tuple[Schema, ...]) -> Shape:
        shapes = [with_types(self._shape(part, around)) for part in parts]
        return one_of(_first(parts[0]), shapes)

    def _of_node(self, node: Node, around: tuple[Schema, ...]) -> Shape:
        value = node.value
        if value is False:
            return Shape(node, types=frozenset())
        if not isinstance(value, dict):
            return Shape(node)
        target = _target(node)
        if target is not None and not node.library.siblings_hold:
            return self._shape(target, around)
        parts: list[Schema] = [] if target is None else [target]
        parts += _list(node, "allOf")
        for keyword in ("anyOf", "oneOf"):
            alternatives = [part for part in _list(node, keyword) if not _is_envelope(part)]
            parts += [Either(tuple(alternatives))] if alternatives else []
        self._made += len(parts)
        shape = _own(node)
        shape = replace(shape, properties=_with_discriminator(node, shape.properties))
        for part in parts:
            shape = both(shape, self._shape(part, around))
        # What only passes on to another schema stands where that one does.
        if len(parts) == 1 and set(value) <= _PASSING_ON:
            shape = replace(shape, node=self._shape(parts[0], around).node)
        return shape


def _first(schema: Schema) -> Node:
    while not isinstance(schema, Node):
        schema = schema.parts[0]
    return schema


def _passed_on(schema: Schema) -> Schema:
    """Return the schema that one which is nothing but a reference leads to."""
    seen: set[Node] = set()
    while isinstance(schema, Node) and schema.reference is not None and schema not in seen:
        if schema.library.siblings_hold and len(schema.value) > 1:
            break
        seen.add(schema)
        schema = schema.follow(schema.reference)
    return schema


def _target(node: Node) -> Node | None:
    for keyword in ("$ref", "$dynamicRef"):
        reference = node.value.get(keyword)
        if isinstance(reference, str):
            return node.follow(reference)
    return None


def _list(node: Node, keyword: str) -> list[Node]:
    part = node.raw(keyword)
    found = [] if part is None else [each for each in part.items() if isinstance(each.value, dict | bool)]
    if len(found) > _MOST_PARTS:
        raise DriftError(f"{node.shown} has more than {_MOST_PARTS:,} parts under {keyword}")
    return found


def _is_envelope(part: Node) -> bool:
    """Whether an alternative is the same answer in an envelope, which every operation offers alike."""
    return (part.reference or "").rpartition("/")[2].startswith("envelope-")


def _with_discriminator(node: Node, properties: dict[str, Schema]) -> dict[str, Schema]:
    """Return the properties with the values of a discriminator, where its mapping names one for each alternative."""
    rule = node.raw("discriminator")
    mapping = None if rule is None else rule.raw("mapping")
    name = None if rule is None or mapping is None else rule.value.get("propertyName")
    alternatives = max(len(_list(node, "oneOf")), len(_list(node, "anyOf")))
    if mapping is None or not isinstance(name, str) or not isinstance(mapping.value, dict):
        return properties
    if not 0 < alternatives <= len(mapping.value):
        return properties
    values = replace(mapping, value={"type": "string", "enum": list(mapping.value)})
    return {**properties, name: Together((properties[name], values)) if name in properties else values}


def _own(node: Node) -> Shape:
    """Return what a schema itself says, its parts and references left out."""
    value: dict[str, Any] = node.value
    sources = dict.fromkeys(value, node)
    types = value.get("type")
    kinds = {types} if isinstance(types, str) else _texts(types)
    nullable = value.get("nullable") is True
    enum = _enum(value)
    pattern, format = value.get("pattern"), value.get("format")
    multiple = value.get("multipleOf")
    properties = node.raw("properties")
    members = () if properties is None else properties.members()
    named: dict[str, Schema] = {name: _passed_on(each) for name, each in members if each.value is not False}
    return Shape(
        node,
        types=None if kinds is None else frozenset(kinds | ({"null"} if nullable else set())),
        enum=enum,
        forms={pattern_facts(pattern).plain: pattern} if isinstance(pattern, str) else {},
        formats=frozenset({format}) if isinstance(format, str) and format not in _ANNOTATIONS else frozenset(),
        bounds=_bounds(value),
        multiples=frozenset({multiple}) if _is_number(multiple) else frozenset(),
        unique=value.get("uniqueItems") is True,
        properties=named,
        required=frozenset(_texts(value.get("required")) or ()),
        items=node["items"] if isinstance(value.get("items"), dict) else None,
        nullable=nullable,
        read_only=value.get("readOnly") is True,
        write_only=value.get("writeOnly") is True,
        sources=sources,
    )


def _texts(value: object) -> set[str] | None:
    return {each for each in value if isinstance(each, str)} if isinstance(value, list) else None


def _enum(value: dict[str, Any]) -> dict[str, Any] | None:
    if "const" in value:
        return {canonical(value["const"]): value["const"]}
    listed = value.get("enum")
    return {canonical(each): each for each in listed} if isinstance(listed, list) else None


def _is_number(value: object) -> TypeGuard[float]:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and isfinite(value))


def _bounds(value: dict[str, Any]) -> dict[str, float]:
    bounds = {each: value[each] for each in (*LOWER, *UPPER) if _is_number(value.get(each))}
    # In OpenAPI 3.0 an exclusive bound is a flag beside the bound.
    for flag, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if value.get(flag) is True and bound in bounds:
            bounds[flag] = bounds.pop(bound)
    return bounds
