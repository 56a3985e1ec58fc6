"""YAML as OpenAPI has it, built from the parser's events within bounds.

OpenAPI asks for YAML that means the same as JSON: a date stays text, only `true` and `false` are booleans, every key is
text. Nothing here recurses. Nesting, and what aliases and merges unfold to, are counted while the values are built, so
that a small file cannot fill the memory.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

DEEPEST = 256
"""How deep objects and arrays may be nested."""
MOST_VALUES = 2_000_000
"""How many values a file may hold, each alias counted as what it stands for."""

_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BEYOND = {".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf, ".nan": math.nan}
_TAG = "tag:yaml.org,2002:"
_LONGEST_NUMBER = 400
_OF_TAG: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "!": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "null": (type(None),),
}


class UnboundedYaml(Exception):
    """A file is out of bounds, or says what JSON cannot; the message is one sentence that begins with the path."""


def too_deep(path: Path) -> str:
    """Return the sentence on a file that is nested too deep."""
    return f"{path} is nested more than {DEEPEST} levels deep"


@dataclass(slots=True)
class _Open:
    """An object or array whose end has not come yet; `key` awaits its value."""

    value: dict[str, Any] | list[Any]
    anchor: str | None
    before: int
    key: str | None = None
    merging: bool = False
    merged: list[Any] = field(default_factory=list)


def yaml_value(path: Path, data: bytes, *, unique: bool = False) -> Any:
    """Return what the one document in `data` says; `path` is for messages.

    Raises UnboundedYaml where it is out of bounds or says what JSON cannot, and YAMLError where it is no YAML. If keys
    must be `unique`, raises UnboundedYaml for a key that an object has twice; otherwise the last one counts.
    """
    return _Builder(path, unique=unique).build(data)


class _Builder:
    def __init__(self, path: Path, *, unique: bool = False) -> None:
        self.path = path
        self.unique = unique
        self.count = 0
        self.open: list[_Open] = []
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.documents: list[Any] = []

    def build(self, data: bytes) -> Any:
        for event in yaml.parse(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.NodeEvent):
                self._node(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end(event)
        if len(self.documents) > 1:
            raise UnboundedYaml(f"{self.path} holds {len(self.documents)} documents; a description is one")
        return self.documents[0] if self.documents else None

    def _refuse(self, event: yaml.Event, what: str) -> UnboundedYaml:
        where = "" if event.start_mark is None else f", at line {event.start_mark.line + 1}"
        return UnboundedYaml(f"{self.path} {what}{where}")

    def _node(self, event: yaml.NodeEvent) -> None:
        top = self.open[-1] if self.open else None
        if top is not None and isinstance(top.value, dict) and top.key is None and not top.merging:
            self._key(top, event)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                inside = any(each.anchor == event.anchor for each in self.open)
                raise self._refuse(event, "has a value that contains itself" if inside else "has an unknown alias")
            value, size = self.anchors[event.anchor]
            self._counted(size)
            self._attach(value)
        elif isinstance(event, yaml.ScalarEvent):
            self._counted(1)
            value = self._scalar(event)
            if event.anchor is not None:
                self.anchors[event.anchor] = value, 1
            self._attach(value)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._counted(1)
            if len(self.open) >= DEEPEST:
                raise UnboundedYaml(too_deep(self.path))
            if event.anchor is not None:
                self.anchors.pop(event.anchor, None)
            value = {} if isinstance(event, yaml.MappingStartEvent) else []
            self.open.append(_Open(value, event.anchor, self.count - 1))

    def _counted(self, size: int) -> None:
        self.count += size
        if self.count > MOST_VALUES:
            raise UnboundedYaml(f"{self.path} holds more than {MOST_VALUES:,} values, its aliases unfolded")

    def _key(self, top: _Open, event: yaml.NodeEvent) -> None:
        """Take the next key of an object; a merge key announces what the object takes over."""
        if isinstance(event, yaml.AliasEvent):
            known, _ = self.anchors.get(event.anchor or "", (None, 0))
            if isinstance(known, str):
                top.key = known
                return
        if not isinstance(event, yaml.ScalarEvent):
            raise self._refuse(event, "has a key that is no text")
        if event.anchor is not None:
            self.anchors[event.anchor] = event.value, 1
        if self.unique and event.value in top.value:
            raise self._refuse(event, f"has the key {event.value} twice")
        if event.value == "<<" and event.implicit[0]:
            top.merging = True
        else:
            top.key = event.value

    def _attach(self, value: Any) -> None:
        if not self.open:
            self.documents.append(value)
            return
        top = self.open[-1]
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.merging:
            top.merging = False
            top.merged.extend(value if isinstance(value, list) else [value])
        elif top.key is not None:
            top.value[top.key], top.key = value, None

    def _end(self, event: yaml.Event) -> None:
        done = self.open.pop()
        for other in done.merged:
            if not isinstance(other, dict):
                raise self._refuse(event, "merges what is no object")
            # What the object says itself, or an earlier merge said, wins.
            done.value = {**other, **done.value} if isinstance(done.value, dict) else done.value
        if done.anchor is not None:
            self.anchors[done.anchor] = done.value, self.count - done.before
        self._attach(done.value)

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        text: str = event.value
        if event.tag is None:
            return _plain(text) if event.implicit[0] else text
        kind = event.tag.removeprefix(_TAG)
        value = text if kind in ("str", "!") else _plain(text)
        if not isinstance(value, _OF_TAG.get(kind, ())):
            raise self._refuse(event, f"has a value with the tag {event.tag}, which JSON does not have")
        return value


def _plain(text: str) -> Any:
    """Return what an unquoted scalar means."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text.lower() in _BEYOND:
        return _BEYOND[text.lower()]
    if len(text) <= _LONGEST_NUMBER:
        if _INTEGER.fullmatch(text):
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text
