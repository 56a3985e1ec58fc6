"""Comparing the contract's operations with those of a vendor's description."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from atlas_conformance.contracts.operations import METHODS, OPENAPI, OPERATIONS
from atlas_conformance.drift.difference import REQUEST, RESPONSE, Difference
from atlas_conformance.drift.documents import Library, Node
from atlas_conformance.drift.schemas import Raw, compare

_PARAMETER = re.compile(r"\{[^{}]*\}")
_OURS = re.compile(r"/backup/(?:restoreJobs|tenant/restores?)(?:/|\Z)")
_OF_STATUS = re.compile(r"(?<=the body) of [0-9X]{3}|(?<=the body) of default")
_ROOT = "/api/atlas/"
_OF_THE_SERVER = ("413", "414", "415", "405", "406", "429", "503")

Key = tuple[str, str]
"""The path with its parameters unnamed and without a slash at the end, and the method in lower case."""


def differences(path: Path) -> list[Difference]:
    """Return how the description in `path` differs from the contract, without repetitions, in the contract's order.

    Raises DriftError where it cannot be read.
    """
    ours, theirs = Library(OPENAPI).document(), Library(path).document()
    mine, other = operations(ours), operations(theirs)
    found: list[Difference] = []
    order = list(OPERATIONS)
    for key, operation in sorted(mine.items(), key=lambda item: order.index(item[1].value["operationId"])):
        name = operation.value["operationId"]
        if key not in other:
            sentence = f"{key[1].upper()} {_path(operation)} is not described"
            found.append(Difference("operation", name, sentence, ("clients",), operation.shown, theirs["paths"].shown))
            continue
        for kind, sentence, breaks, here, there in _compare_operations(operation, other[key]):
            found.append(Difference(kind, name, sentence, breaks, here.shown, there.shown))
    for key, operation in other.items():
        if key not in mine:
            sentence = f"{key[1].upper()} {_path(operation)} is described"
            name = str(operation.value.get("operationId") or "")
            found.append(Difference("operation", name, sentence, (), ours["paths"].shown, operation.shown))
    # A schema that several answers share is told of once, at the first of them.
    distinct: dict[tuple[str, str, str, str], Difference] = {}
    for each in found:
        distinct.setdefault((each.kind, each.ours, each.theirs, _OF_STATUS.sub("", each.sentence)), each)
    return list(distinct.values())


def operations(document: Node) -> dict[Key, Node]:
    """Return the operations on restore jobs, each with the path item that it stands in left findable by its pointer."""
    found: dict[Key, Node] = {}
    for path in document.value["paths"]:
        if not isinstance(path, str) or _ROOT not in path or not _OURS.search(path):
            continue
        plain = _PARAMETER.sub("{}", path[path.index(_ROOT) :]).rstrip("/")
        item = document["paths"][path].resolved()
        for method in METHODS:
            if isinstance(item.value, dict) and isinstance(item.value.get(method), dict):
                found[plain, method] = item[method]
    return found


def _path(operation: Node) -> str:
    return operation.pointer.split("/")[2].replace("~1", "/").replace("~0", "~")


def _item(operation: Node) -> Node:
    """Return the path item around an operation."""
    pointer = operation.pointer.rpartition("/")[0]
    value = operation.library.read(operation.file)
    for step in pointer.split("/")[1:]:
        value = value[step.replace("~1", "/").replace("~0", "~")]
    return Node(operation.library, operation.file, pointer, value)


def _compare_operations(ours: Node, theirs: Node) -> Iterator[Raw]:
    if bool(ours.value.get("deprecated")) != bool(theirs.value.get("deprecated")):
        words = "the operation is deprecated" if theirs.value.get("deprecated") else "the operation is not deprecated"
        yield "deprecated", words, (), ours, theirs
    yield from _compare_parameters(ours, theirs)
    yield from _compare_bodies(ours, theirs)
    yield from _compare_responses(ours, theirs)


def _parameters(operation: Node) -> dict[tuple[str, str], Node]:
    """Return the parameters by place and name; those in the path by their position, as their names are free."""
    found: dict[tuple[str, str], Node] = {}
    names = [name[1:-1] for name in _PARAMETER.findall(_path(operation))]
    for holder in (_item(operation), operation):
        for each in holder["parameters"].items() if "parameters" in holder.value else ():
            parameter = each.resolved()
            place, name = parameter.value.get("in"), parameter.value.get("name")
            if place == "path" and name in names:
                found["path", str(names.index(name))] = parameter
            elif place == "query" or (place == "header" and str(name).lower() not in ("accept", "content-type")):
                found[place, name] = parameter
    return found


def _compare_parameters(ours: Node, theirs: Node) -> Iterator[Raw]:
    mine, other = _parameters(ours), _parameters(theirs)
    for key, parameter in mine.items():
        name = f"the {key[0]} parameter {parameter.value['name']}"
        if key not in other:
            yield "parameter", f"{name} is not described", ("clients",), parameter, theirs
            continue
        there = other[key]
        required = bool(parameter.value.get("required")), bool(there.value.get("required"))
        if required == (False, True):
            yield "required", f"{name} is required", ("clients",), parameter, there
        elif required == (True, False):
            yield "required", f"{name} is optional", ("endpoints",), parameter, there
        here_schema, there_schema = parameter.get("schema"), there.get("schema")
        if here_schema is not None and there_schema is not None:
            yield from compare(parameter["schema"], there["schema"], REQUEST, name)
    for key, parameter in other.items():
        if key not in mine:
            required_too = bool(parameter.value.get("required"))
            words = f"there is a{' required' if required_too else 'n optional'} {key[0]} parameter {key[1]}"
            yield "parameter", words, ("clients",) if required_too else (), ours, parameter


def _compare_bodies(ours: Node, theirs: Node) -> Iterator[Raw]:
    mine, other = ours.get("requestBody"), theirs.get("requestBody")
    if mine is None and other is None:
        return
    if mine is None or other is None:
        words = "the request has a body" if mine is None else "the request has no body"
        yield "required", words, ("clients",), mine or ours, other or theirs
        return
    required = bool(mine.value.get("required")), bool(other.value.get("required"))
    if required[0] != required[1]:
        words = f"the request body is {'required' if required[1] else 'optional'}"
        yield "required", words, ("clients",) if required[1] else ("endpoints",), mine, other
    yield from _compare_contents(mine, other, REQUEST, "the request body")


def _compare_responses(ours: Node, theirs: Node) -> Iterator[Raw]:
    mine, other = dict(_responses(ours)), dict(_responses(theirs))
    for status in sorted(mine.keys() | other.keys()):
        if status not in other:
            if status not in _OF_THE_SERVER:
                words = f"the status {status} is not described"
                yield "status", words, ("endpoints",), mine[status], theirs["responses"]
        elif status not in mine:
            yield "status", f"the status {status} is described", ("clients",), ours["responses"], other[status]
        else:
            yield from _compare_contents(mine[status], other[status], RESPONSE, f"the body of {status}")


def _responses(operation: Node) -> Iterator[tuple[str, Node]]:
    responses = operation.get("responses")
    if responses is not None:
        yield from responses.members()


def _compare_contents(ours: Node, theirs: Node, direction: str, name: str) -> Iterator[Raw]:
    mine, other = _contents(ours), _contents(theirs)
    # A request's content type is free: the versioned media type means the same as plain JSON.
    free = direction == REQUEST and len(mine) == 1 and all("json" in name for name in other)
    if free and other and not mine.keys() & other.keys():
        newest = max(other)
        words = f"{name} is sent as {' or '.join(sorted(other))}, not {next(iter(mine))}"
        yield "media type", words, (), ours, theirs
        yield from _compare_media(next(iter(mine.values())), other[newest], direction, name)
        return
    for media in sorted(mine.keys() | other.keys()):
        if media not in other:
            yield "media type", f"{name} is not described as {media}", ("clients",), mine[media], theirs
        elif media not in mine:
            yield "media type", f"{name} is described as {media} too", (), ours, other[media]
        else:
            yield from _compare_media(mine[media], other[media], direction, name)


def _contents(holder: Node) -> dict[str, Node]:
    content = holder.get("content")
    return {} if content is None else {name.partition(";")[0].lower(): node for name, node in content.members()}


def _compare_media(ours: Node, theirs: Node, direction: str, name: str) -> Iterator[Raw]:
    if "schema" in ours.value and "schema" in theirs.value:
        yield from compare(ours["schema"], theirs["schema"], direction, name)
