"""Comparing the contract's operations with those of a description, or two descriptions' with each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from atlas_conformance.contracts.contract import FOLDER
from atlas_conformance.contracts.drift.bodies import compare_contents, contents
from atlas_conformance.contracts.drift.difference import BOTH, REQUEST, RESPONSE, Difference, Side, Spot, grouped
from atlas_conformance.contracts.drift.documents import Library, Node
from atlas_conformance.contracts.drift.operations import ROOT, Described, Key, operations, unnamed
from atlas_conformance.contracts.drift.schemas import SchemaComparison
from atlas_conformance.contracts.drift.shape import Schema, canonical
from atlas_conformance.contracts.drift.shapes import Shapes

_LONGEST_CHAIN = 50
_OF_HTTP = frozenset(("405", "406", "410", "413", "414", "415", "429", "431", "503"))
"""Statuses that HTTP, the versioning or the rate limit may answer everywhere, described or not."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences, the worst first, and sentences on what was not compared."""

    differences: tuple[Difference, ...]
    notes: tuple[str, ...]


def compare_descriptions(theirs: Path, before: Path | None = None) -> Comparison:
    """Return how a description differs from the contract, or from an earlier description in what concerns the contract.

    Raises DriftError where a description cannot be read or compared.
    """
    contract, wanted = _contract()
    document = Library(theirs).document()
    described = operations(document)
    if before is None:
        return _compare(contract, _ordered(contract, wanted), document, described, wanted)
    earlier = Library(before).document()
    known = operations(earlier)
    mine = {key: known[key] for key in _ordered(contract, wanted) if key in known}
    if not mine and not any(key in described for key in wanted):
        return Comparison((), ("Neither description describes an operation of the contract.",))
    names = {key: each.name for key, each in wanted.items()}
    # What the contract does not have and the old description had is no news.
    described = {key: each for key, each in described.items() if key in mine or key not in known}
    return _compare(earlier, mine, document, described, wanted, names)


@cache
def _contract() -> tuple[Node, dict[Key, Described]]:
    contract = Library(FOLDER / "openapi.yaml").document()
    return contract, operations(contract)


def differences(theirs: Path, before: Path | None = None) -> list[Difference]:
    """Return the differences of `compare_descriptions` alone."""
    return list(compare_descriptions(theirs, before).differences)


def _ordered(contract: Node, wanted: dict[Key, Described]) -> dict[Key, Described]:
    """Return the contract's operations in its own order."""
    order = contract.value.get("x-order")
    places = {name: place for place, name in enumerate(order if isinstance(order, list) else ())}
    return dict(sorted(wanted.items(), key=lambda item: places.get(item[1].name, len(places))))


def _compare(
    ours: Node,
    mine: dict[Key, Described],
    theirs: Node,
    other: dict[Key, Described],
    wanted: dict[Key, Described],
    names: dict[Key, str] | None = None,
) -> Comparison:
    two = names is not None
    names = names or {key: each.name for key, each in mine.items()}
    spots: list[tuple[str, Spot]] = []
    notes: list[str] = []
    paths = theirs.get("paths") or theirs
    shapes = Shapes()
    elsewhere: dict[str, list[str]] = {}
    found_any = any(key in other for key in mine)
    versions = {_version(key) for key in other}
    for key, operation in mine.items():
        if key in other:
            spots += ((names[key], spot) for spot in _compare_operations(operation, other[key], shapes))
        elif found_any and not two and _version(key) not in versions:
            elsewhere.setdefault(_version(key), []).append(names[key])
        elif found_any:
            spots.append((names[key], _missing(operation, paths)))
    if mine and not found_any:
        spots.append(("", _nothing_described(mine, theirs, ours, paths)))
    for key, operation in other.items():
        if key not in mine and (key in wanted or _is_related(key, wanted)):
            spot = Spot("operation", "", f"{operation.title} is described", (), ours, operation.operation, True)
            spots.append((names.get(key, operation.name), spot))
    for version, missing in elsewhere.items():
        notes.append(f"Not compared: {', '.join(missing)}, as no path of the description is under {ROOT}{version}/.")
    return Comparison(tuple(grouped(spots)), tuple(notes))


def _version(key: Key) -> str:
    return key[0].removeprefix(ROOT).partition("/")[0]


def _missing(operation: Described, paths: Node) -> Spot:
    # What is deprecated already may be removed: an endpoint without it conforms.
    breaks: tuple[Side, ...] = () if operation.operation.flag("deprecated") else ("clients",)
    return Spot("operation", "", f"{operation.title} is not described", breaks, operation.operation, paths, True)


def _nothing_described(mine: dict[Key, Described], theirs: Node, ours: Node, paths: Node) -> Spot:
    count = sum(1 for _ in paths.members()) if paths is not theirs else 0
    says = (
        f"none of the {len(mine)} operations is described: of {count} paths, none is one of theirs. Paths count from"
        f" {ROOT}; where the description leaves that out, it has to stand in the url of its servers"
    )
    return Spot("operation", "", says, ("clients",), ours, paths)


def _is_related(key: Key, wanted: dict[Key, Described]) -> bool:
    """Whether an operation is another method on a path of the contract, or stands directly below or above one."""
    paths = {unnamed(path) for path, _ in wanted}
    path = key[0]
    above = path.rpartition("/")[0]
    return path in paths or (above in paths and not path.endswith("/{}")) or f"{path}/{{}}" in paths


def _compare_operations(ours: Described, theirs: Described, shapes: Shapes) -> Iterator[Spot]:
    here, there = ours.operation, theirs.operation
    if here.flag("deprecated") != there.flag("deprecated"):
        words = "is deprecated" if there.flag("deprecated") else "is not deprecated"
        yield Spot("deprecated", "the operation", words, (), here, there, there.flag("deprecated"))
    yield from _compare_parameters(ours, theirs, shapes)
    yield from _compare_bodies(here, there, shapes)
    yield from _compare_responses(here, there, shapes)


def _compare_parameters(ours: Described, theirs: Described, shapes: Shapes) -> Iterator[Spot]:
    mine, other = ours.parameters, theirs.parameters
    comparison = SchemaComparison(shapes, REQUEST)
    for key, parameter in mine.items():
        name = f"the {key[0]} parameter {parameter.value.get('name')}"
        if key not in other:
            # The template has it, whether or not it is described.
            breaks: tuple[Side, ...] = () if key[0] == "path" else ("clients",)
            yield Spot("parameter", name, "is not described", breaks, parameter, theirs.operation)
            continue
        there = other[key]
        if key[0] != "path" and parameter.flag("required") != there.flag("required"):
            says = "is required" if there.flag("required") else "is optional"
            sides: tuple[Side, ...] = ("clients",) if there.flag("required") else ("endpoints",)
            yield Spot("required", name, says, sides, parameter, there)
        if there.flag("deprecated") and not parameter.flag("deprecated"):
            yield Spot("deprecated", name, "is deprecated", (), parameter, there, True)
        here_schema, there_schema = _schema(parameter), _schema(there)
        if here_schema is not None and there_schema is not None:
            yield from comparison.compare(here_schema, there_schema, name)
            yield from _compare_defaults(here_schema, there_schema, name)
    for key, parameter in other.items():
        if key not in mine and key[0] != "path":
            needed = parameter.flag("required")
            says = f"there is a{' required' if needed else 'n optional'} {key[0]} parameter {key[1]}"
            yield Spot("parameter", "", says, ("clients",) if needed else (), ours.operation, parameter)


def _schema(parameter: Node) -> Node | None:
    """Return the schema of a parameter, or that of its only media type."""
    found = parameter.raw("schema")
    if found is None:
        found = next((media.raw("schema") for media in contents(parameter).values()), None)
    return found


def _default(schema: Node) -> Node | None:
    for _ in range(_LONGEST_CHAIN):
        if schema.raw("default") is not None or schema.reference is None:
            return schema.raw("default")
        schema = schema.follow(schema.reference)
    return None


def _compare_defaults(ours: Node, theirs: Node, name: str) -> Iterator[Spot]:
    mine, other = _default(ours), _default(theirs)
    if mine is not None and other is not None and canonical(mine.value) != canonical(other.value):
        says = f"is {_short(other.value)} where it is left out, not {_short(mine.value)}"
        yield Spot("default", name, says, ("clients",), mine, other)


def _short(value: Any) -> str:
    text = canonical(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _compare_bodies(ours: Node, theirs: Node, shapes: Shapes) -> Iterator[Spot]:
    mine, other = ours.get("requestBody"), theirs.get("requestBody")
    if mine is None and other is None:
        return
    name = "the request body"
    if mine is None or other is None:
        needed = other is None or other.flag("required")
        words = "there is an optional request body" if mine is None and not needed else ""
        words = words or ("the request has a body" if mine is None else "the request has no body")
        yield Spot("required", "", words, ("clients",) if needed else (), mine or ours, other or theirs)
        return
    if mine.flag("required") != other.flag("required"):
        says = f"is {'required' if other.flag('required') else 'optional'}"
        # Most descriptions forget the flag; where the schema requires a property, a body is needed anyway.
        forgotten = not other.flag("required") and _requires(other, shapes)
        breaks: tuple[Side, ...] = ("clients",) if other.flag("required") else () if forgotten else ("endpoints",)
        yield Spot("required", name, says, breaks, mine, other)
    yield from compare_contents(mine, other, SchemaComparison(shapes, REQUEST), name)


def _requires(body: Node, shapes: Shapes) -> bool:
    schemas: list[Schema | None] = [media.raw("schema") for media in contents(body).values()]
    return bool(schemas) and all(each is not None and shapes.of(each).required for each in schemas)


def _compare_responses(ours: Node, theirs: Node, shapes: Shapes) -> Iterator[Spot]:
    mine, other = _responses(ours), _responses(theirs)
    if mine and not other:
        yield Spot("status", "the operation", "describes no answers", ("clients",), ours["responses"], theirs)
        return
    comparison = SchemaComparison(shapes, RESPONSE)
    for status in sorted(mine.keys() | {each for each in other if each.isdigit()}):
        if not status.isdigit() and any(_of_status({status: ours}, each) for each in other if each.isdigit()):
            continue  # What a range or the default described is described one by one now, and compared so.
        here, there = _of_status(mine, status), _of_status(other, status)
        if there is None:
            if status not in _OF_HTTP:
                success = status.startswith("2")
                sides: tuple[Side, ...] = BOTH if success else ("endpoints",)
                words = f"the status {status} is not described"
                yield Spot("status", "", words, sides, mine[status], theirs["responses"])
        elif here is None:
            if status not in _OF_HTTP:
                words = f"the status {status} is described"
                yield Spot("status", "", words, ("clients",), ours, there)
        else:
            yield from compare_contents(here, there, comparison, f"the body of {status}")


def _responses(operation: Node) -> dict[str, Node]:
    """Return the answers by status: three digits, a range such as 4XX, or `default`."""
    responses = operation.get("responses")
    if responses is None:
        return {}
    return {name.lower(): each.resolved() for name, each in responses.members() if not name.startswith("x-")}


def _of_status(answers: dict[str, Node], status: str) -> Node | None:
    """Return what describes a status: its own entry, its range, or the default."""
    return answers.get(status) or answers.get(f"{status[:1]}xx") or answers.get("default")
