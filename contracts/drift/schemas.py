"""Comparing two schemas by what they allow, keyword by keyword."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

from atlas_conformance.contracts.drift.difference import BOTH, REQUEST, Side, Spot, narrowed, widened
from atlas_conformance.contracts.drift.pattern_facts import pattern_facts
from atlas_conformance.contracts.drift.shape import LOWER, Schema, Shape, canonical, with_integers
from atlas_conformance.contracts.drift.shapes import Shapes

_DEEPEST = 12
_INT32 = {"minimum": -(2**31), "maximum": 2**31 - 1}


class SchemaComparison:
    """Compares schemas of one place; what was compared once is not compared again."""

    def __init__(self, shapes: Shapes, direction: str) -> None:
        self.shapes = shapes
        self.direction = direction
        self._seen: set[tuple[Schema, Schema]] = set()

    def compare(self, ours: Schema, theirs: Schema, name: str, depth: int = 0) -> Iterator[Spot]:
        """Yield each difference of two schemas; `name` is what a person calls the value."""
        if depth > _DEEPEST or (ours, theirs) in self._seen:
            return
        self._seen.add((ours, theirs))
        mine, other = self.shapes.of(ours), self.shapes.of(theirs)
        yield from self._types(mine, other, name)
        yield from self._enums(mine, other, name)
        if mine.enum is None or other.enum is None:
            yield from self._texts(mine, other, name)
            yield from self._bounds(mine, other, name)
        yield from self._properties(mine, other, name, depth)
        if mine.items is not None and other.items is not None:
            yield from self.compare(mine.items, other.items, f"{name}[]", depth + 1)
        elif mine.items is not None and _may_be(other, "array") and other.types is not None:
            item = self.shapes.of(mine.items)
            if item.types is not None:
                says = f"is anything, not {_listed(item.types)}"
                yield Spot("type", f"{name}[]", says, widened(self.direction), item.node, other.node)

    def _breaks(self, mine: frozenset[Any], other: frozenset[Any]) -> tuple[Side, ...]:
        sides = (narrowed(self.direction) if mine - other else ()) + (widened(self.direction) if other - mine else ())
        return tuple(side for side in BOTH if side in sides)

    def _types(self, mine: Shape, other: Shape, name: str) -> Iterator[Spot]:
        if mine.types is None or other.types is None:
            if mine.types == other.types:
                return
            breaks = narrowed(self.direction) if mine.types is None else widened(self.direction)
        else:
            ours, theirs = with_integers(mine.types), with_integers(other.types)
            if ours == theirs:
                return
            breaks = self._breaks(ours, theirs)
        says = f"is {_listed(other.types)}, not {_listed(mine.types)}"
        yield Spot("type", name, says, breaks, mine.place("type"), other.place("type"))

    def _enums(self, mine: Shape, other: Shape, name: str) -> Iterator[Spot]:
        ours = None if mine.enum is None else frozenset(mine.enum)
        theirs = None if other.enum is None else frozenset(other.enum)
        if ours == theirs:
            return
        places = mine.place("enum", "const"), other.place("enum", "const")
        if ours is None or theirs is None:
            breaks = narrowed(self.direction) if ours is None else widened(self.direction)
            says = f"is one of {_values(other.enum)}" if ours is None else "may be anything, not one of a list"
            yield Spot("enum", name, says, breaks, *places)
            return
        parts = [f"gains {_values(other.enum, theirs - ours)}"] if theirs - ours else []
        parts += [f"loses {_values(mine.enum, ours - theirs)}"] if ours - theirs else []
        yield Spot("enum", name, " and ".join(parts), self._breaks(ours, theirs), *places)

    def _texts(self, mine: Shape, other: Shape, name: str) -> Iterator[Spot]:
        if _may_be(mine, "string") and _may_be(other, "string") and mine.forms.keys() != other.forms.keys():
            yield self._told("pattern", name, mine, other, set(mine.forms.values()), set(other.forms.values()))
        same_type = mine.types is None or other.types is None or mine.types & other.types
        if same_type and mine.formats != other.formats:
            yield self._told("format", name, mine, other, set(mine.formats), set(other.formats))

    def _told(self, kind: str, name: str, mine: Shape, other: Shape, ours: set[str], theirs: set[str]) -> Spot:
        breaks = self._stricter(frozenset(ours), frozenset(theirs))
        was, now = (" and ".join(repr(each) for each in sorted(side)) for side in (ours, theirs))
        says = f"has the {kind} {now}, not {was or 'none'}" if now else f"has no {kind} instead of {was}"
        return Spot(kind, name, says, breaks, mine.place(kind), other.place(kind))

    def _bounds(self, mine: Shape, other: Shape, name: str) -> Iterator[Spot]:
        implied = _implied(mine, other)
        for keyword in sorted(mine.bounds.keys() | other.bounds.keys()):
            lower = keyword in LOWER
            strictest = max if lower else min
            nothing = implied.get(keyword, -inf if lower else inf)
            ours = strictest(mine.bounds.get(keyword, nothing), nothing)
            theirs = strictest(other.bounds.get(keyword, nothing), nothing)
            if ours == theirs:
                continue
            tighter = theirs > ours if lower else theirs < ours
            breaks = narrowed(self.direction) if tighter else widened(self.direction)
            says = f"has {keyword} {_bound(other, keyword)}, not {_bound(mine, keyword)}"
            yield Spot("bound", name, says, breaks, mine.place(keyword), other.place(keyword))
        yield from self._rule("multipleOf", name, mine, other, mine.multiples, other.multiples)
        unique = frozenset({True}), frozenset[bool]()
        sides = unique[not mine.unique], unique[not other.unique]
        yield from self._rule("uniqueItems", name, mine, other, *sides)

    def _rule(
        self, keyword: str, name: str, mine: Shape, other: Shape, ours: frozenset[float], theirs: frozenset[float]
    ) -> Iterator[Spot]:
        if ours == theirs:
            return
        was, now = (" and ".join(str(each).lower() for each in sorted(side)) or "none" for side in (ours, theirs))
        places = mine.place(keyword), other.place(keyword)
        yield Spot("bound", name, f"has {keyword} {now}, not {was}", self._stricter(ours, theirs), *places)

    def _stricter(self, ours: frozenset[Any], theirs: frozenset[Any]) -> tuple[Side, ...]:
        """Return whom it breaks that other rules hold."""
        if ours < theirs:
            return narrowed(self.direction)
        return widened(self.direction) if theirs < ours else BOTH

    def _properties(self, mine: Shape, other: Shape, name: str, depth: int) -> Iterator[Spot]:
        if not (_may_be(mine, "object") and _may_be(other, "object")):
            return
        ours, theirs = self._visible(mine), self._visible(other)
        if mine.properties and other.properties:
            for added in sorted(theirs.keys() - ours.keys()):
                place = self.shapes.of(theirs[added]).node
                matters = self.direction == REQUEST
                yield Spot("property", name, f"may have a property {added}", (), mine.node, place, matters)
            for gone in (each for each in ours if each not in theirs):
                place = self.shapes.of(ours[gone]).node
                yield Spot("property", name, f"has no property {gone} any more", ("clients",), place, other.node)
        elif mine.properties and other.types is not None:
            yield Spot("property", name, "names no properties any more", ("clients",), mine.node, other.node)
        must, must_too = mine.required - self._hidden(mine), other.required - self._hidden(other)
        places = mine.place("required"), other.place("required")
        for wanted in sorted(must_too - must):
            yield Spot("required", name, f"must have {wanted}", narrowed(self.direction), *places)
        for optional in sorted(must - must_too):
            yield Spot("required", name, f"need not have {optional}", widened(self.direction), *places)
        for shared in ours:
            if shared in theirs:
                yield from self.compare(ours[shared], theirs[shared], f"{name}.{shared}", depth + 1)

    def _visible(self, shape: Shape) -> dict[str, Schema]:
        hidden = self._hidden(shape)
        return {key: each for key, each in shape.properties.items() if key not in hidden}

    def _hidden(self, shape: Shape) -> frozenset[str]:
        """Return the properties that are no part of what goes in this direction."""
        return frozenset(key for key, each in shape.properties.items() if self._is_hidden(each))

    def _is_hidden(self, schema: Schema, depth: int = 0) -> bool:
        """Whether a schema is marked as of the other direction, or is an object of nothing but such properties."""
        shape = self.shapes.of(schema)
        if shape.read_only if self.direction == REQUEST else shape.write_only:
            return True
        inner = shape.properties.values()
        return bool(inner) and depth < _DEEPEST and all(self._is_hidden(each, depth + 1) for each in inner)


def _may_be(shape: Shape, kind: str) -> bool:
    return shape.types is None or kind in shape.types


def _implied(mine: Shape, other: Shape) -> dict[str, float]:
    """Return the bounds that a pattern or format of either side implies: its absence is another difference."""
    forms = {**mine.forms, **other.forms}.values()
    facts = [pattern_facts(each) for each in forms]
    implied: dict[str, float] = dict(_INT32) if "int32" in mine.formats | other.formats else {}
    if facts:
        implied["minLength"] = max(each.least for each in facts)
        implied["maxLength"] = min(each.most for each in facts)
    return implied


def _bound(shape: Shape, keyword: str) -> str:
    return canonical(shape.bounds[keyword]) if keyword in shape.bounds else "none"


def _listed(types: frozenset[str] | None) -> str:
    return "anything" if types is None else " or ".join(sorted(types)) or "nothing"


def _values(enum: dict[str, Any] | None, keys: frozenset[str] | None = None) -> str:
    values = [each for key, each in (enum or {}).items() if keys is None or key in keys]
    return " or ".join(sorted(repr(each) for each in values)) or "nothing"
