"""The schemas of the contract, applied to parsed JSON. No other module builds validators.

`jsonschema-rs` decides first, for speed; `jsonschema` explains, with ECMA-262 patterns, RFC 3339 times and UUIDs. The
two read `pattern` and `format` alike; what one of them cannot hold (a lone surrogate, deep nesting) the other decides.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import jsonschema
import jsonschema_rs
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from atlas_conformance.contracts.data_files import read_json
from atlas_conformance.contracts.json_text import NotJson as NotJson
from atlas_conformance.contracts.json_text import parse_json as parse_json
from atlas_conformance.contracts.patterns import compile_pattern

SCHEMAS = Path(__file__).with_name("schemas")
"""The folder of the JSON Schema files."""

Refusal: TypeAlias = jsonschema_rs.ValidationError
"""What a schema refuses of a value, as jsonschema-rs tells it."""
_RS_BASE = "json-schema:///"  # what jsonschema-rs resolves a relative $id against


@dataclass(frozen=True, slots=True)
class SchemaError:
    """One place of a document that a schema refuses.

    `pointer` is a JSON pointer into the document, `schema_pointer` one into the schema as it was walked (through
    `$ref`). `requirement` is the nearest enclosing `x-requirement` of the schema, `property` the missing property
    of a `required`.
    """

    pointer: str
    keyword: str
    message: str
    schema_pointer: str
    requirement: str | None = None
    property: str | None = None


_DATE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_INFINITE = (math.inf, -math.inf)
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@lru_cache(maxsize=8_192)
def is_date_time(text: str) -> bool:
    """Tell whether a text is an RFC 3339 date-time with any offset; a leap second only where one can be."""
    found = _DATE_TIME.fullmatch(text)
    if not found:
        return False
    year, month, day, hour, minute, second = (int(found[place]) for place in range(1, 7))
    offset_hour, offset_minute = int(found[8] or 0), int(found[9] or 0)
    leap_year = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS[month - 1] + (leap_year and month == 2):
        return False
    if hour > 23 or minute > 59 or second > 60 or offset_hour > 23 or offset_minute > 59:
        return False
    offset = (offset_hour * 60 + offset_minute) * (-1 if found[7] == "-" else 1)
    return second < 60 or (hour * 60 + minute - offset) % 1440 == 1439


def _pattern(_: Any, pattern: str, value: object, __: Any) -> Iterator[ValidationError]:
    """The keyword `pattern` in ECMA-262."""
    if isinstance(value, str) and not compile_pattern(pattern).matches(value):
        yield ValidationError("pattern")


# The next four say the same as jsonschema's own, but never write the value out: it may be huge, deep or secret.


def _type(validator: Any, types: str | list[str], value: object, _: Any) -> Iterator[ValidationError]:
    """The keyword `type`."""
    if not any(validator.is_type(value, name) for name in ([types] if isinstance(types, str) else types)):
        yield ValidationError("type")


def _enum(_: Any, members: list[Any], value: object, __: Any) -> Iterator[ValidationError]:
    """The keyword `enum`. A boolean is no number, although Python takes them for equal."""
    if not any(value == member and isinstance(value, bool) == isinstance(member, bool) for member in members):
        yield ValidationError("enum")


def _required(_: Any, names: list[str], value: object, __: Any) -> Iterator[ValidationError]:
    """The keyword `required`: an error for each missing property, its name as the message."""
    if isinstance(value, dict):
        yield from (ValidationError(name) for name in names if name not in value)


def _any_of(validator: Any, ways: list[Any], value: object, _: Any) -> Iterator[ValidationError]:
    """The keyword `anyOf`."""
    if not any(validator.evolve(schema=way).is_valid(value) for way in ways):
        yield ValidationError("anyOf")


_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def is_uuid(text: str) -> bool:
    """Tell whether a text is an RFC 4122 UUID, in letters of either case."""
    return _UUID.fullmatch(text) is not None


_FORMATS = jsonschema.FormatChecker(formats=())
_FORMATS.checks("date-time")(lambda value: not isinstance(value, str) or is_date_time(value))
_FORMATS.checks("uuid")(lambda value: not isinstance(value, str) or is_uuid(value))

_KEYWORDS = {"pattern": _pattern, "type": _type, "enum": _enum, "required": _required, "anyOf": _any_of}
_extend: Any = jsonschema.validators.extend
_Explainer: Any = _extend(jsonschema.Draft202012Validator, _KEYWORDS)


class Schemas:
    """The schemas of a contract, by their file names, and their validators."""

    def __init__(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        self.documents = MappingProxyType(dict(documents))
        self._validators: dict[str, SchemaValidator] = {}

    @classmethod
    def load(cls, folder: Path) -> Schemas:
        """Read the files of a folder. Raises OSError where there is none, ContractError where a file is no JSON."""
        names = sorted(path.name for path in folder.iterdir() if path.suffix == ".json")
        return cls({name: read_json(folder.parent, f"{folder.name}/{name}") for name in names})

    def validator(self, name: str) -> SchemaValidator:
        """Return the validator of a schema file such as `error.json`. Raises ValueError where there is no such file."""
        known = self._validators.get(name)
        if known is None:
            if name not in self.documents:
                raise ValueError(f"there is no schema {name}; there are {', '.join(self.documents)}")
            known = self._validators[name] = SchemaValidator(name, self)
        return known

    def undeclared(self, name: str) -> Mapping[str, Any]:
        """Return a schema without `$schema`, where jsonschema would fall back to its own keywords, `re` patterns
        too.
        """
        return {keyword: value for keyword, value in self.documents[name].items() if keyword != "$schema"}

    @cached_property
    def registry(self) -> Registry[Any]:
        """What jsonschema looks references up in."""
        resources = ((name, DRAFT202012.create_resource(self.undeclared(name))) for name in self.documents)
        return Registry().with_resources(resources)

    @cached_property
    def rs_registry(self) -> jsonschema_rs.Registry:
        """What jsonschema-rs looks references up in."""
        return jsonschema_rs.Registry([(_RS_BASE + name, dict(schema)) for name, schema in self.documents.items()])


@cache
def load_schemas(folder: Path) -> Schemas:
    """Return the schemas of a folder, which is read once."""
    return Schemas.load(folder)


def _pointer(path: Sequence[str | int]) -> str:
    """Write a path as an RFC 6901 JSON pointer."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _kind(value: object) -> str:
    """Name a value's JSON type, with its article."""
    for kinds, name in (
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a number"),
        (str, "a string"),
        (list, "an array"),
        (dict, "an object"),
    ):
        if isinstance(value, kinds):
            return name
    return "null"


def _brief(value: object) -> str:
    """Show a scalar, or the head of a long one; of anything else only its type."""
    if isinstance(value, (list, dict)):
        return _kind(value)
    text = json.dumps(value if not isinstance(value, str) else value[:61], ensure_ascii=True)
    return text if len(text) <= 64 else text[:60] + "…"


def _message(error: ValidationError, missing: str | None) -> str:
    """Say in a few words what is wrong; download addresses are only ever bound by type, so no secret is shown."""
    value: Any = error.instance
    wanted: Any = error.validator_value
    match error.validator:
        case "required":
            return f"{missing} is missing"
        case "type":
            names = " or ".join([wanted] if isinstance(wanted, str) else wanted)
            return f"must be of type {names}, is {_kind(value)}"
        case "enum":
            return f"must be one of {', '.join(map(str, wanted))}, is {_brief(value)}"
        case "const":
            return f"must be {_brief(wanted)}, is {_brief(value)}"
        case "pattern":
            return f"must match {wanted}, is {_brief(value)}"
        case "format":
            return f"must be a {wanted}, is {_brief(value)}"
        case "minimum" | "exclusiveMinimum":
            return f"must be at least {wanted}, is {_brief(value)}"
        case "maximum" | "exclusiveMaximum":
            return f"must be at most {wanted}, is {_brief(value)}"
        case "minLength":
            return f"must be at least {wanted} long, is {len(value)} long"
        case "maxLength":
            return f"must be at most {wanted} long, is {len(value)} long"
        case "anyOf":
            ways = [" and ".join(way["required"]) for way in wanted if isinstance(way, dict) and "required" in way]
            return f"needs {', or '.join(ways)}" if len(ways) == len(wanted) else "holds to none of the alternatives"
        case keyword:
            return f"is refused by {keyword}"


def _is_plain_type(steps: Sequence[str | int]) -> bool:
    """Tell whether an evaluation path leads through `properties` and `items` alone to a `type`."""
    walk = iter(steps)
    for step in walk:
        if step == "properties":
            next(walk, None)
        elif step != "items":
            return step == "type" and next(walk, None) is None
    return False


@dataclass(frozen=True)
class SchemaValidator:
    """A schema file, ready to judge documents (parsed JSON); `schemas` are those that it may refer to."""

    name: str
    schemas: Schemas

    @property
    def schema(self) -> Mapping[str, Any]:
        """The schema itself. It is shared: do not change it."""
        return self.schemas.documents[self.name]

    @cached_property
    def _fast(self) -> jsonschema_rs.Draft202012Validator:
        return jsonschema_rs.Draft202012Validator(
            dict(self.schema),
            # Its own takes a sign for a digit of a date-time's year.
            formats={"date-time": is_date_time, "uuid": is_uuid},
            validate_formats=True,
            registry=self.schemas.rs_registry,
            base_uri=_RS_BASE + self.name,
            offline=True,
        )

    @cached_property
    def _explainer(self) -> Any:
        return _Explainer(self.schemas.undeclared(self.name), registry=self.schemas.registry, format_checker=_FORMATS)

    def _fast_says_valid(self, document: Any) -> bool:
        """Tell whether jsonschema-rs takes the document; its no is not the last word, as it knows an older Unicode."""
        try:
            return self._fast.is_valid(document)
        except (ValueError, TypeError, OverflowError, RecursionError):
            return False

    def is_valid(self, document: Any) -> bool:
        """Tell whether the document holds to the schema."""
        return self._fast_says_valid(document) or (self._quick_errors(document) is None and not self.explain(document))

    def errors(self, document: Any) -> list[SchemaError]:
        """Return what the schema refuses, in the order of the schema; empty for a document that holds to it."""
        if self._fast_says_valid(document):
            return []
        quick = self._quick_errors(document)
        return self.explain(document) if quick is None else quick

    def _quick_errors(self, document: Any) -> list[SchemaError] | None:
        """Return the errors as jsonschema-rs finds them where all are of the wrong type, else None."""
        try:
            found = list(self._fast.iter_errors(document))
        except (ValueError, TypeError, OverflowError, RecursionError):
            return None
        errors: list[SchemaError] = []
        for error in found:
            steps = [step for step in error.evaluation_path if step != "$ref"]
            if not _is_plain_type(steps) or _inside(document, error.instance_path) in _INFINITE:
                return None  # an infinity is null to it
            path, requirement = self._walk(steps)
            wanted = self._at(path)
            names = " or ".join([wanted] if isinstance(wanted, str) else wanted)
            message = f"must be of type {names}, is {_kind(error.instance)}"
            pointer = _pointer(error.instance_path)
            errors.append(SchemaError(pointer, "type", message, _pointer(path), requirement))
        return errors or None

    def _at(self, path: Sequence[str | int]) -> Any:
        node: Any = self.schema
        for step in path:
            node = self.schemas.documents[node["$ref"]] if step == "$ref" else node[step]
        return node

    def explain(self, document: Any) -> list[SchemaError]:
        """Return the same as `errors`, without asking the fast validator first."""
        return [self._described(error) for error in self._explainer.iter_errors(document)]

    def _described(self, error: ValidationError) -> SchemaError:
        path, requirement = self._walk(list(error.absolute_schema_path))
        missing = error.message if error.validator == "required" else None
        return SchemaError(
            pointer=_pointer(list(error.absolute_path)),
            keyword=str(error.validator),
            message=_message(error, missing),
            schema_pointer=_pointer(path),
            requirement=requirement,
            property=missing,
        )

    def _walk(self, path: Sequence[str | int]) -> tuple[list[str | int], str | None]:
        """Follow an evaluation path from the root; return it with its `$ref` steps, and the innermost `x-requirement`.

        jsonschema leaves `$ref` out of its paths. The schemas never put another keyword that applies schemas beside
        one.
        """
        node: Any = self.schema
        walked: list[str | int] = []
        requirement: str | None = None
        for step in path:
            if isinstance(node, Mapping) and step not in node and "$ref" in node:
                walked.append("$ref")
                node = self.schemas.documents[node["$ref"]]
            if isinstance(node, Mapping):
                requirement = node.get("x-requirement", requirement) if isinstance(step, str) else requirement
            walked.append(step)
            node = node[step]
        return walked, requirement


def refusal_of_schema(schema: Mapping[str, Any]) -> Refusal | None:
    """Return why an object is no schema of the dialect that it declares; None where it is one."""
    try:
        jsonschema_rs.meta.validate(dict(schema))
    except jsonschema_rs.ValidationError as error:
        return error
    return None


class InlineSchema:
    """A schema that stands in no file of its own, ready to judge values; the same as `holds`, but faster."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._fast = jsonschema_rs.Draft202012Validator(dict(schema), offline=True)

    def refusals(self, value: Any) -> list[Refusal]:
        """Return what the schema refuses of a value that can be written as JSON."""
        return list(self._fast.iter_errors(value))

    def takes(self, value: Any) -> bool:
        """Tell whether a value holds to the schema."""
        try:
            if self._fast.is_valid(value):
                return True
        except (ValueError, TypeError, OverflowError, RecursionError):
            pass
        return holds(self._schema, value)


def _inside(document: Any, steps: Iterable[str | int]) -> Any:
    for step in steps:
        document = document[step]
    return document


@cache
def _inline(schema: str) -> Any:
    return _Explainer(json.loads(schema), format_checker=_FORMATS)


def holds(schema: Mapping[str, Any], value: Any) -> bool:
    """Tell whether a value holds to a schema that stands in no file of its own."""
    return bool(_inline(json.dumps(schema, sort_keys=True)).is_valid(value))
