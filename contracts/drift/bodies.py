"""Comparing what bodies are described as: media types, and the schema of each."""

from __future__ import annotations

import re
from collections.abc import Iterator

from atlas_conformance.contracts.drift.difference import REQUEST, Spot
from atlas_conformance.contracts.drift.documents import Node
from atlas_conformance.contracts.drift.schemas import SchemaComparison

_VERSIONED = re.compile(r"application/vnd\.atlas\.(\d{4}-\d\d-\d\d)\+(\w+)")


def contents(holder: Node) -> dict[str, Node]:
    """Return the media types of a request body, answer or parameter, in lower case and without parameters."""
    content = holder.get("content")
    if content is None:
        return {}
    return {name.partition(";")[0].strip().lower(): node.resolved() for name, node in content.members()}


def compare_contents(ours: Node, theirs: Node, comparison: SchemaComparison, name: str) -> Iterator[Spot]:
    """Yield how the bodies of one request or answer differ."""
    mine, other = contents(ours), contents(theirs)
    for media, node in mine.items():
        found = _matching(media, other)
        if found is None:
            closest = _closest(media, other, comparison.direction)
            yield from _told_otherwise(media, node, theirs, other, comparison.direction, name)
            found = [] if closest is None else [closest]
        for each in found:
            yield from _compare_media(node, other[each], comparison, name)
            if "x-sunset" in _keys(other[each]) - _keys(node):
                until = str(other[each].value["x-sunset"])
                yield Spot("deprecated", name, f"as {each} ends on {until}", (), node, other[each]["x-sunset"], True)
    newest = max((_version(media) for media in mine), default="")
    if comparison.direction != REQUEST or not mine:
        for media in sorted(other):
            if "*" not in media and media not in mine and _matching_any(mine, other):
                newer = bool(newest) and _version(media) > newest and media.endswith("json")
                yield Spot("media type", name, f"is described as {media} too", (), ours, other[media], newer)


def _keys(node: Node) -> frozenset[str]:
    return frozenset(node.value) if isinstance(node.value, dict) else frozenset()


def _version(media: str) -> str:
    """Return the date of a versioned media type, or nothing."""
    match = _VERSIONED.fullmatch(media)
    return match[1] if match else ""


def _matching(media: str, other: dict[str, Node]) -> list[str] | None:
    """Return the media types that describe this one: itself, or the range around it."""
    for candidate in (media, f"{media.partition('/')[0]}/*", "*/*"):
        if candidate in other:
            return [candidate]
    return None


def _matching_any(mine: dict[str, Node], other: dict[str, Node]) -> bool:
    return not mine or any(_matching(media, other) for media in mine)


def _closest(media: str, other: dict[str, Node], direction: str) -> str | None:
    """Return the media type whose schema to compare where this one is not described: JSON, the newest version of it."""
    candidates = [each for each in other if each.endswith("json")]
    return max(candidates, key=lambda each: (_version(each), each)) if candidates else None


def _told_otherwise(
    media: str, node: Node, theirs: Node, other: dict[str, Node], direction: str, name: str
) -> Iterator[Spot]:
    """Yield the difference that a media type is not described."""
    listed = " or ".join(sorted(other))
    if not other:
        yield Spot("media type", name, f"is not described as {media}", ("clients",), node, theirs)
    elif direction == REQUEST and media.endswith("json") and any(each.endswith("json") for each in other):
        # A request's content type is free: the versioned media type means the same as plain JSON.
        yield Spot("media type", name, f"is sent as {listed}, not {media}", (), node, theirs)
    else:
        yield Spot("media type", name, f"is described as {listed}, not as {media}", ("clients",), node, theirs)


def _compare_media(ours: Node, theirs: Node, comparison: SchemaComparison, name: str) -> Iterator[Spot]:
    mine, other = ours.raw("schema"), theirs.raw("schema")
    if mine is None:
        return
    if other is None:
        if comparison.shapes.of(mine).types is not None:
            yield Spot("type", name, "has no schema any more", ("clients",), mine, theirs)
        return
    yield from comparison.compare(mine, other, name)
