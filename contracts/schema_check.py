"""Whether the schema files of a contract are ones that the validators can apply.

A file is JSON Schema 2020-12 of known keywords. What a reference leads to is a whole file of the same folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

import regex

from atlas_conformance.contracts.contract_error import ContractError
from atlas_conformance.contracts.data_form import brief, known_keys
from atlas_conformance.contracts.patterns import compile_pattern
from atlas_conformance.contracts.validation import refusal_of_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
"""The dialect of every schema."""
_NOTES = ("$comment", "default", "deprecated", "description", "examples", "readOnly", "title", "writeOnly")
_OWN = ("x-free-above", "x-requirement")
_ONE = ("additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("dependentSchemas", "patternProperties", "properties")
_ON_VALUES = (
    *("const", "dependentRequired", "enum", "exclusiveMaximum", "exclusiveMinimum", "format", "maxContains"),
    *("maxItems", "maxLength", "maxProperties", "maximum", "minContains", "minItems", "minLength", "minProperties"),
    *("minimum", "multipleOf", "pattern", "required", "type", "uniqueItems"),
)
_KEYWORDS = ("$id", "$ref", "$schema", *_NOTES, *_OWN, *_ONE, *_LISTS, *_NAMED, *_ON_VALUES)
_FORMATS = (
    *("date", "date-time", "duration", "email", "hostname", "idn-email", "idn-hostname", "ipv4", "ipv6", "iri"),
    *("iri-reference", "json-pointer", "regex", "relative-json-pointer", "time", "uri", "uri-reference"),
    *("uri-template", "uuid", "binary", "byte", "double", "float", "int32", "int64", "password"),
)
"""The formats of JSON Schema and of OpenAPI."""
_TYPES = "a type is one of array, boolean, integer, null, number, object, string, or a list of them"
_BESIDE_REFERENCE = frozenset({"$id", "$ref", "$schema", *_NOTES, "x-requirement"})
_ON_THE_SAME_VALUE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else"})


def check_schemas(documents: Mapping[str, Any], requirements: Set[str]) -> None:
    """Raise ContractError where a schema file, by its name, cannot be applied.

    `requirements` are the ids that `x-requirement` may name.
    """
    for name, document in documents.items():
        where = f"schemas/{name}"
        if not isinstance(document, dict):
            raise ContractError(f"{where}: a schema is an object, not {brief(document)}")
        if document.get("$id", name) != name:
            raise ContractError(f"{where}: $id is the name of the file, {name}, not {brief(document['$id'])}")
        check_schema(document, where, documents.keys())
        for place, node in _nodes(document, where):
            if place != where and "$id" in node:
                raise ContractError(f"{place}: $id stands at the top of a file alone")
            named = node.get("x-requirement")
            if named is not None and (not isinstance(named, str) or named not in requirements):
                raise ContractError(f"{place}: x-requirement names {named}, which requirements.toml does not have")
    _check_ends(documents)


def check_schema(schema: Mapping[str, Any], where: str, files: Set[str] = frozenset()) -> None:
    """Raise ContractError where an object is no schema of known keywords.

    `where` is its place in the data, `files` are the names of what it may refer to.
    """
    if schema.get("$schema", DIALECT) != DIALECT:
        raise ContractError(f"{where}: $schema is {DIALECT}, not {brief(schema['$schema'])}")
    refusal = refusal_of_schema(schema)
    if refusal is not None:
        of_type = refusal.instance_path[-1:] == ["type"]
        said = f"{_TYPES}, not {brief(refusal.instance)}" if of_type else refusal.message
        place = " › ".join([where, *map(str, refusal.instance_path)])
        raise ContractError(f"{place}: this is no JSON Schema 2020-12: {said}")
    for place, node in _nodes(schema, where):
        for key in node:
            if key not in _KEYWORDS:
                raise ContractError(f"{place}: {brief(key)} is no keyword here: {known_keys(key, _KEYWORDS)}")
        _check_reference(node, place, files)
        if "pattern" in node:
            check_pattern(node["pattern"], place)
        for pattern in node.get("patternProperties", ()):
            check_pattern(pattern, place)
        if node.get("format", "uuid") not in _FORMATS:
            known = known_keys(node["format"], _FORMATS)
            raise ContractError(f"{place}: {brief(node['format'])} is no format that is known: {known}")
        free = node.get("x-free-above", 0)
        if isinstance(free, bool) or not isinstance(free, int | float):
            raise ContractError(f"{place}: x-free-above is a number, not {brief(free)}")


def check_pattern(pattern: object, place: str) -> None:
    """Raise ContractError where a pattern is no ECMA-262 pattern."""
    try:
        compile_pattern(str(pattern))
    except (ValueError, regex.error) as error:
        said = " ".join(str(error).split("\n")[0].split())
        raise ContractError(f"{place}: the pattern {brief(pattern)} is no ECMA-262 pattern: {said}") from None


def _nodes(schema: Mapping[str, Any], where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield a schema and every one inside it, each with its place."""
    yield where, schema
    for place, key, inner in _inside(schema, where):
        if isinstance(inner, dict):
            yield from _nodes(inner, place)
        elif key == "properties":
            raise ContractError(f"{place}: a property is described by an object, not {brief(inner)}")


def _inside(schema: Mapping[str, Any], where: str) -> Iterator[tuple[str, str, Any]]:
    """Yield the schemas that stand directly in a schema, each with its place and the keyword that it stands under."""
    for key in _ONE:
        if key in schema:
            yield f"{where} › {key}", key, schema[key]
    for key in _LISTS:
        for number, one in enumerate(schema.get(key, ()), 1):
            yield f"{where} › {key} › number {number}", key, one
    for key in _NAMED:
        for name, one in schema.get(key, {}).items():
            yield f"{where} › {key} › {name}", key, one


def _check_reference(node: Mapping[str, Any], place: str, files: Set[str]) -> None:
    if "$ref" not in node:
        return
    if not files:
        raise ContractError(f"{place}: $ref may stand in the files of schemas/ alone")
    if node["$ref"] not in files:
        raise ContractError(f"{place}: $ref is the name of a file in schemas/, which has no {brief(node['$ref'])}")
    beside = sorted(node.keys() - _BESIDE_REFERENCE)
    if beside:
        raise ContractError(f"{place}: {beside[0]} may not stand beside $ref; put both into allOf")


def _check_ends(documents: Mapping[str, Any]) -> None:
    """Raise ContractError where a schema leads to itself on one and the same value, so that judging would not end."""
    leads = {name: set(_same_value(document)) for name, document in documents.items()}
    for name in leads:
        reached, waiting = set[str](), [name]
        while waiting:
            for other in leads[waiting.pop()] - reached:
                reached.add(other)
                waiting.append(other)
        if name in reached:
            raise ContractError(f"schemas/{name}: its $ref leads back to itself; it must end at a schema without one")


def _same_value(schema: Any) -> Iterator[str]:
    """Yield the files that a schema leads to for the very value that it judges."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        yield schema["$ref"]
    for key in _ON_THE_SAME_VALUE & schema.keys():
        for one in schema[key] if isinstance(schema[key], list) else [schema[key]]:
            yield from _same_value(one)
