"""Schemas are compared by what they allow, however they are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from atlas_conformance.contracts.drift.drift_error import DriftError
from tests.drift.describing import answering, asking, between

HEX = "^([a-f0-9]{24})$"
COMPONENTS: dict[str, Any] = {
    "Id": {"type": "string", "pattern": HEX},
    "Job": {"type": "object", "properties": {"status": {"type": "string", "enum": ["PENDING", "DONE"]}}},
    "Tree": {"type": "object", "properties": {"left": {"$ref": "#/components/schemas/Tree"}, "x": {"type": "string"}}},
    "Base": {
        "type": "object",
        "properties": {"kind": {"type": "string"}},
        "discriminator": {
            "propertyName": "kind",
            "mapping": {"a": "#/components/schemas/A", "b": "#/components/schemas/B"},
        },
        "oneOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}],
    },
    "A": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {"one": {"type": "integer"}}}]},
    "B": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {"two": {"type": "integer"}}}]},
    "Of": {"$anchor": "anchored", "type": "string"},
}
REF = "#/components/schemas/"


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


SAME: dict[str, tuple[Any, Any]] = {
    "length by pattern": ({"type": "string", "pattern": HEX, "minLength": 24, "maxLength": 24}, {"$ref": REF + "Id"}),
    "pattern otherwise spelt": ({"type": "string", "pattern": HEX}, {"type": "string", "pattern": "^[\\da-f]{24,24}$"}),
    "shortest by pattern": (
        {"type": "string", "pattern": "^[a-z][a-z0-9]*$", "minLength": 1},
        {"type": "string", "pattern": "^[a-z][0-9a-z]*$"},
    ),
    "nullable": ({"type": ["string", "null"]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
    "nullable reference": (
        {"type": ["string", "null"], "pattern": HEX},
        {"anyOf": [{"$ref": REF + "Id"}, {"type": "null"}]},
    ),
    "null in the list": (
        {"type": ["string", "null"], "enum": ["a", "b", None]},
        {"anyOf": [{"enum": ["b", "a"]}, {"const": None}]},
    ),
    "one type in a list": ({"type": ["string"]}, {"type": "string"}),
    "type by list": ({"enum": ["a"]}, {"type": "string", "enum": ["a"]}),
    "constant": ({"type": "string", "const": "a"}, {"type": "string", "enum": ["a"]}),
    "list by alternatives": (
        {"type": "string", "enum": ["a", "b"]},
        {"oneOf": [{"const": "a", "title": "A"}, {"const": "b", "title": "B"}]},
    ),
    "both booleans": ({"type": "boolean"}, {"type": "boolean", "enum": [True, False]}),
    "one number": ({"const": 1}, {"enum": [1.0]}),
    "exclusive bound": ({"type": "integer", "minimum": 1}, {"type": "integer", "exclusiveMinimum": 0}),
    "int32": (
        {"type": "integer", "format": "int32"},
        {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1},
    ),
    "bounds of other types": ({"type": "string"}, {"type": "string", "minimum": 3, "maxItems": 2, "minLength": 0}),
    "rules that a list implies": ({"enum": ["a"]}, {"enum": ["a"], "pattern": "^a$", "maxLength": 1}),
    "parts": (
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "minimum": 1, "maximum": 5}}},
        {"allOf": [of(a={"minimum": 1}), {"required": ["a"]}, of(a={"type": "integer", "maximum": 5})]},
    ),
    "parts by way of another": (of(a={"type": "string"}), {"allOf": [{"allOf": [of(a={"type": "string"})]}]}),
    "object without its type": (of(a={"type": "string"}), {"properties": {"a": {"type": "string"}}}),
    "array without its type": ({"type": "array", "items": {"type": "string"}}, {"items": {"type": "string"}}),
    "true": ({}, True),
    "no property by false": (of(a={"type": "string"}), of(a={"type": "string"}, b=False)),
    "anchor": ({"type": "string"}, {"$ref": "#anchored"}),
    "title beside a reference": ({"type": "string", "pattern": HEX}, {"$ref": REF + "Id", "title": "The id"}),
    "recursion": ({"$ref": REF + "Tree"}, {"allOf": [{"$ref": REF + "Tree"}]}),
    "discriminator": (
        of(kind={"type": "string", "enum": ["a", "b"]}, one={"type": "integer"}, two={"type": "integer"}),
        {"$ref": REF + "Base"},
    ),
}


@pytest.mark.parametrize("told", [answering, asking])
@pytest.mark.parametrize(("ours", "theirs"), SAME.values(), ids=SAME.keys())
def test_the_same_written_otherwise_is_no_difference(tmp_path: Path, ours: Any, theirs: Any, told: Any) -> None:
    assert between(tmp_path, told(ours, **COMPONENTS), told(theirs, **COMPONENTS)) == []
    assert between(tmp_path, told(theirs, **COMPONENTS), told(ours, **COMPONENTS)) == []


# Old and new schema of an answer, and what is told of it: kind, words, and whom it breaks.
TOLD: dict[str, tuple[Any, Any, list[tuple[str, str, tuple[str, ...]]]]] = {
    "narrowed by a later part": (
        {"$ref": REF + "Job"},
        {"allOf": [{"$ref": REF + "Job"}, of(status={"enum": ["DONE"]})]},
        [("enum", "status loses 'PENDING'", ("endpoints",))],
    ),
    "narrowed by an earlier part": (
        {"$ref": REF + "Job"},
        {"allOf": [of(status={"enum": ["DONE"]}), {"$ref": REF + "Job"}]},
        [("enum", "status loses 'PENDING'", ("endpoints",))],
    ),
    "narrowed beside a reference": (
        {"$ref": REF + "Job"},
        {"$ref": REF + "Job", "properties": {"status": {"const": "DONE"}}},
        [("enum", "status loses 'PENDING'", ("endpoints",))],
    ),
    "contradicted by a part": (
        {"$ref": REF + "Job"},
        {"allOf": [{"$ref": REF + "Job"}, of(status={"enum": ["ODD"]})]},
        [("enum", "status gains 'ODD' and loses 'DONE' or 'PENDING'", ("clients", "endpoints"))],
    ),
    "required beside a reference": (
        {"$ref": REF + "Job"},
        {"$ref": REF + "Job", "required": ["status"]},
        [("required", "must have status", ("endpoints",))],
    ),
    "an alternative more": (
        of(a={"type": "string"}),
        {"oneOf": [of(a={"type": "string"}), of(a={"type": "integer"})]},
        [("type", "a is integer or string, not string", ("clients",))],
    ),
    "a shorter text": (
        {"type": "string", "maxLength": 64},
        {"allOf": [{"type": "string", "maxLength": 64}, {"maxLength": 32}]},
        [("bound", "has maxLength 32, not 64", ("endpoints",))],
    ),
    "a bound gone that a pattern implies in part": (
        {"type": "string", "pattern": "^[a-z]+$", "maxLength": 64},
        {"type": "string", "pattern": "^[a-z]+$"},
        [("bound", "has maxLength none, not 64", ("clients",))],
    ),
    "a pattern gone, but not the length": (
        {"type": "string", "pattern": HEX},
        {"type": "string", "minLength": 24, "maxLength": 24},
        [("pattern", "has no pattern", ("clients",))],
    ),
    "a constant": (
        {"type": "string"},
        {"type": "string", "const": "a"},
        [("enum", "is one of 'a'", ("endpoints",))],
    ),
    "null": ({"type": "string"}, {"type": ["string", "null"]}, [("type", "is null or string", ("clients",))]),
    "an object of anything": (
        of(a={"type": "string"}),
        {"type": "object"},
        [("property", "names no properties any more", ("clients",))],
    ),
    "items of anything": (
        {"type": "array", "items": {"type": "string"}},
        {"type": "array"},
        [("type", "[] is anything, not string", ("clients",))],
    ),
    "nothing": ({"type": "string"}, False, [("type", "is nothing, not string", ("endpoints",))]),
    "steps": (
        {"type": "integer"},
        {"type": "integer", "multipleOf": 5},
        [("bound", "has multipleOf 5, not none", ("endpoints",))],
    ),
    "deep in a recursion": (
        {"$ref": REF + "Tree"},
        of(left=of(left={"$ref": REF + "Tree"}, x={"type": "integer"}), x={"type": "string"}),
        [("type", "left.x is integer, not string", ("clients", "endpoints"))],
    ),
}


@pytest.mark.parametrize(("ours", "theirs", "told"), TOLD.values(), ids=TOLD.keys())
def test_what_an_answer_says_otherwise_is_reported_once(tmp_path: Path, ours: Any, theirs: Any, told: Any) -> None:
    found = between(tmp_path, answering(ours, **COMPONENTS), answering(theirs, **COMPONENTS))
    assert [(each.kind, each.breaks) for each in found] == [(kind, breaks) for kind, _, breaks in told]
    for each, (_, words, _) in zip(found, told, strict=True):
        assert words in each.sentence


READ_ONLY = {"type": "string", "readOnly": True}


@pytest.mark.parametrize(
    "id_",
    [
        READ_ONLY,
        {"allOf": [{"$ref": REF + "Id"}], "readOnly": True},
        {"$ref": REF + "Id", "readOnly": True},
        of(date=READ_ONLY, inner=of(increment=READ_ONLY)),
    ],
)
def test_what_is_read_only_is_no_part_of_a_request(tmp_path: Path, id_: Any) -> None:
    plain = of(name={"type": "string"})
    shared = {**of(name={"type": "string"}, id=id_), "required": ["id"]}
    assert between(tmp_path, asking(plain), asking(shared, **COMPONENTS)) == []
    (required, added) = between(tmp_path, answering(plain), answering(shared, **COMPONENTS))
    assert (required.kind, required.sentence) == ("required", "the body of 200 must have id")
    assert (added.kind, added.severity) == ("property", "minor")


def test_what_is_write_only_is_no_part_of_an_answer(tmp_path: Path) -> None:
    plain = of(name={"type": "string"})
    shared = {**of(name={"type": "string"}, secret={"type": "string", "writeOnly": True}), "required": ["secret"]}
    assert between(tmp_path, answering(plain), answering(shared)) == []
    assert {each.kind for each in between(tmp_path, asking(plain), asking(shared))} == {"required", "property"}


def test_what_stands_beside_a_reference_is_ignored_in_openapi_3_0(tmp_path: Path) -> None:
    beside = {"$ref": REF + "Job", "properties": {"status": {"enum": ["DONE"]}}}
    old = answering({"$ref": REF + "Job"}, "3.0.3", **COMPONENTS)
    assert between(tmp_path, old, answering(beside, "3.0.3", **COMPONENTS)) == []


def test_openapi_3_0_says_null_and_exclusive_bounds_otherwise(tmp_path: Path) -> None:
    new = of(a={"type": ["string", "null"], "enum": ["x", None]}, b={"type": "number", "exclusiveMinimum": 1})
    old = of(
        a={"type": "string", "nullable": True, "enum": ["x"]},
        b={"type": "number", "minimum": 1, "exclusiveMinimum": True},
    )
    assert between(tmp_path, answering(old, "3.0.3"), answering(new)) == []


@pytest.mark.parametrize(
    "tangled",
    [
        {f"S{n}": {"allOf": [{"$ref": f"{REF}S{n + 1}"}, {"$ref": f"{REF}T{n + 1}"}]} for n in range(40)}
        | {f"T{n}": {"allOf": [{"$ref": f"{REF}S{n + 1}"}]} for n in range(1, 41)}
        | {"S40": {"type": "object"}, "S41": {"type": "object"}},
        {"S0": {"properties": {f"p{n}": {"$ref": f"{REF}S0"} for n in range(12)}}},
        {"S0": {"allOf": [{"$ref": f"{REF}S0"}]}},
        {f"S{n}": {"$ref": f"{REF}S{n + 1}"} for n in range(500)} | {"S500": {"type": "object"}},
        {"S0": {"type": "object", "oneOf": [{"$ref": f"{REF}C{n}"} for n in range(100)]}}
        | {
            f"C{n}": {"allOf": [{"$ref": REF + "S0"}, of(**{f"p{m}": {"$ref": REF + "S0"} for m in range(20)})]}
            for n in range(100)
        },
        {"S0": {"anyOf": [{"$ref": f"{REF}S1"}, {"type": "string"}]}, "S1": {"oneOf": [{"$ref": f"{REF}S0"}]}},
    ],
    ids=["diamonds", "branching recursion", "itself", "a chain", "a base of many", "alternatives in a circle"],
)
def test_schemas_within_one_another_are_compared_in_bounded_time(tmp_path: Path, tangled: Any) -> None:
    document = answering({"$ref": REF + "S0"}, **tangled)
    assert between(tmp_path, document, document) == []


def test_schemas_that_cannot_be_taken_apart_are_refused(tmp_path: Path) -> None:
    all_of_all = {f"S{n}": {"allOf": [{"$ref": f"{REF}S{m}"} for m in range(12)]} for n in range(12)}
    document = answering({"$ref": REF + "S0"}, **all_of_all)
    with pytest.raises(DriftError, match="is made of too many schemas"):
        between(tmp_path, document, document)
