"""No valid description ends the comparison, and none differs from itself."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from atlas_conformance.contracts.drift.comparing import compare_descriptions
from tests.drift.describing import FLEX, FLEX_TYPE

CLUSTER = "/api/atlas/v2/groups/{group}/clusters/{cluster}/backup/restoreJobs"
NAMES = st.sampled_from(["id", "status", "snapshotId", "a", "b c", "x/y", "~"])
COMPONENTS = ("One", "Two", "Three")
REFERENCES = st.sampled_from([{"$ref": f"#/components/schemas/{name}"} for name in COMPONENTS])
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
VALUES = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=3))
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "object", "array"])
COUNTS = st.integers(0, 40)
KEYWORDS: dict[str, st.SearchStrategy[Any]] = {
    "enum": st.lists(st.one_of(VALUES, st.lists(VALUES, max_size=2)), min_size=1, max_size=4),
    "pattern": st.sampled_from(["^([a-f0-9]{24})$", "^a|b", "(?<=x)y", r"^\p{L}+$", "[", "(?<n>a)\\k<n>"]),
    "format": st.sampled_from(["date-time", "int32", "int64", "double", "odd"]),
    "minLength": COUNTS,
    "maxLength": COUNTS,
    "minItems": COUNTS,
    "uniqueItems": st.booleans(),
    "maxProperties": COUNTS,
    "multipleOf": st.integers(1, 5),
    "minimum": NUMBERS,
    "required": st.lists(NAMES, max_size=3, unique=True),
    "readOnly": st.booleans(),
    "writeOnly": st.booleans(),
    "deprecated": st.booleans(),
    "default": VALUES,
    "description": st.text(max_size=5),
}


def versioned(version: str) -> tuple[st.SearchStrategy[Any], dict[str, st.SearchStrategy[Any]]]:
    """Return the types and the keywords of one version of OpenAPI."""
    if version.startswith("3.0"):
        return TYPES, {**KEYWORDS, "nullable": st.booleans(), "exclusiveMinimum": st.booleans()}
    types = st.one_of(TYPES, st.lists(st.one_of(TYPES, st.just("null")), min_size=1, max_size=3, unique=True))
    more = {"const": VALUES, "exclusiveMinimum": st.integers(), "if": st.just({"type": "string"}), "not": REFERENCES}
    return types, {**KEYWORDS, **more, "$comment": st.text(max_size=3)}


def schemas(version: str) -> st.SearchStrategy[Any]:
    """Draw schemas of one version, in and out of one another."""
    types, keywords = versioned(version)
    plain = st.fixed_dictionaries({}, optional={"type": types, **keywords})
    simple = [plain, REFERENCES] if version.startswith("3.0") else [plain, REFERENCES, st.booleans()]

    def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        several = st.lists(inner, min_size=1, max_size=3)
        parts: dict[str, st.SearchStrategy[Any]] = {
            "type": types,
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "items": inner,
            "additionalProperties": st.one_of(st.booleans(), inner),
            "allOf": several,
            "anyOf": several,
            "oneOf": several,
            "discriminator": st.just({"propertyName": "a", "mapping": {"x": "#/components/schemas/One"}}),
        }
        if not version.startswith("3.0"):
            parts["$ref"] = st.just("#/components/schemas/Two")
        return st.fixed_dictionaries({}, optional={**parts, "readOnly": st.booleans()})

    return st.recursive(st.one_of(simple), larger, max_leaves=6)


MEDIA = st.sampled_from([FLEX_TYPE, "application/json", "application/vnd.atlas.2030-01-01+json", "*/*", "text/csv"])
STATUSES = st.sampled_from(["200", "201", "204", "400", "4XX", "5XX", "default"])
SERVERS = st.sampled_from([[{"url": "/"}], [{"url": "https://{h}/api/atlas/v2", "variables": {"h": {"default": "x"}}}]])


@st.composite
def descriptions(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a valid description that has something to do with the contract."""
    version = draw(st.sampled_from(["3.0.0", "3.0.3", "3.1.0", "3.1.1"]))
    schema = schemas(version)
    media = st.fixed_dictionaries({}, optional={"schema": schema, "x-sunset": st.just("2030-01-01")})
    content = st.dictionaries(MEDIA, media, max_size=2)
    answer = st.fixed_dictionaries({"description": st.just("An answer.")}, optional={"content": content})
    answers = st.dictionaries(STATUSES, st.one_of(answer, st.just({"$ref": "#/components/responses/R"})), max_size=3)
    parameter = st.fixed_dictionaries(
        {"in": st.sampled_from(["query", "header", "cookie"]), "name": NAMES, "schema": schema},
        optional={"required": st.booleans(), "deprecated": st.booleans()},
    )
    operation = st.fixed_dictionaries(
        {"responses": answers},
        optional={
            "operationId": NAMES,
            "parameters": st.lists(parameter, max_size=2),
            "requestBody": st.fixed_dictionaries({"content": content}, optional={"required": st.booleans()}),
            "servers": SERVERS,
            "deprecated": st.booleans(),
        },
    )
    shared = st.lists(parameter, max_size=1)
    item = st.fixed_dictionaries(
        {}, optional={"get": operation, "post": operation, "parameters": shared, "servers": SERVERS}
    )
    paths = st.sampled_from([FLEX, CLUSTER, FLEX + "/{id}", CLUSTER.removeprefix("/api/atlas/v2"), "/pets"])
    return {
        "openapi": version,
        "info": {"title": "Any", "version": "1"},
        "servers": draw(SERVERS),
        "paths": draw(st.dictionaries(paths, item, max_size=3)),
        "components": {"schemas": {name: draw(schema) for name in COMPONENTS}, "responses": {"R": draw(answer)}},
    }


@settings(max_examples=20, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(descriptions(), descriptions())
def test_valid_descriptions_are_compared(one: dict[str, Any], other: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first, second, again = (Path(folder) / name for name in ("one.json", "other.json", "one.yaml"))
        first.write_text(json.dumps(one), encoding="utf-8")
        second.write_text(json.dumps(other), encoding="utf-8")
        again.write_text(yaml.safe_dump(one, allow_unicode=True, sort_keys=False), encoding="utf-8")
        found = compare_descriptions(first)
        assert found.differences or found.notes
        told = [(each.severity, each.sentence) for each in found.differences]
        assert told == [(each.severity, each.sentence) for each in compare_descriptions(again).differences]
        assert compare_descriptions(second, first) is not None
        assert compare_descriptions(first, first).differences == ()
        assert compare_descriptions(again, first).differences == ()
