"""The declared form of a contract's data: which keys each file has, and what may stand under them.

`data_forms/` holds a JSON Schema for each file. Its descriptions say what is right, and messages repeat them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from atlas_conformance.contracts.contract_error import ContractError
from atlas_conformance.contracts.validation import InlineSchema, Refusal

_FORMS = Path(__file__).with_name("data_forms")
_LONGEST = 60
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
Steps: TypeAlias = Sequence[str | int]


def check_form(document: Any, name: str) -> None:
    """Raise ContractError where the document of a file (its name without the folder) has not the file's form."""
    form, validator = _form(name.partition(".")[0])
    errors = validator.refusals(document)
    if errors:
        # A key that is missing says more than the unknown one that stands in its place.
        first = next((error for error in errors if error.kind.name == "required"), errors[0])
        place = place_of(document, first.instance_path)
        raise ContractError(f"{name}: {f'{place}: ' if place else ''}{_said(form, first)}")


@cache
def _form(name: str) -> tuple[Mapping[str, Any], InlineSchema]:
    form = json.loads((_FORMS / f"{name}.json").read_text("utf-8"))
    return form, InlineSchema(form)


def place_of(document: Any, steps: Steps) -> str:
    """Say where a value stands in a file; operations are named by their id."""
    names: list[str] = []
    node = document
    rest = list(steps)
    if rest[:1] == ["paths"] and len(rest) > 1:
        path, method = str(rest[1]), str(rest[2]) if len(rest) > 2 else None
        names.append(path)
        node = document["paths"][path]
        rest = rest[2:]
        if method in _METHODS:
            node, rest = node[method], rest[1:]
            named = node.get("operationId") if isinstance(node, dict) else None
            names = [named if isinstance(named, str) and named else f"{str(method).upper()} {path}"]
    for step in rest:
        if isinstance(node, list):
            node = node[int(step)]
            named = node.get("name", node.get("$ref")) if isinstance(node, dict) else None
            names.append(named if isinstance(named, str) else f"number {int(step) + 1}")
        else:
            node = node[str(step)]  # a key of digits alone, such as a status, comes as a number
            names.append(str(step))
    return " › ".join(names)


def _said(form: Mapping[str, Any], error: Refusal) -> str:
    """Say what is wrong with a value, and what would be right."""
    kind: Any = error.kind
    object_form = _at(form, error.schema_path[:-1])
    known = object_form.get("properties", {})
    value: Any = error.instance
    if kind.name == "required":
        missing = kind.property
        strange = [key for key in value if key not in known]
        near = get_close_matches(missing, strange, 1)
        instead = f" ({near[0]} is no key)" if near else ""
        right = _described(form, known.get(missing, {}))
        return f"{missing} is missing{instead}{f': {right}' if right else ''}"
    if kind.name == "additionalProperties":
        key = kind.unexpected[0]
        return f"{brief(key)} is no key here: {object_form.get('x-keys') or known_keys(key, known)}"
    return f"{_nearest(form, error.schema_path)}, not {brief(value)}"


def known_keys(key: str, known: Mapping[str, Any] | Sequence[str]) -> str:
    """Say which key may be meant in place of an unknown one, or which keys of its sort there are."""
    near = get_close_matches(key, list(known), 1)
    if near:
        return f"is {near[0]} meant?"
    return f"there are {', '.join(name for name in known if name.startswith('x-') or not key.startswith('x-'))}"


def _at(form: Mapping[str, Any], path: Steps) -> Mapping[str, Any]:
    node: Any = form
    for step in path:
        node = node[step]
    return node if isinstance(node, Mapping) else {}


def _described(form: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    if "$ref" in node:
        node = _at(form, node["$ref"].removeprefix("#/").split("/"))
    return str(node.get("description", ""))


def _nearest(form: Mapping[str, Any], path: Steps) -> str:
    """Return the description of the innermost part of a form on a path that has one."""
    for length in range(len(path), -1, -1):
        node = _at(form, path[:length])
        if isinstance(node.get("description"), str):
            return str(node["description"])
    return "the file has another form"


def brief(value: Any) -> str:
    """Show a value of the data, or the head of a long one."""
    shown = repr(value)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
