"""OpenAPI documents as nodes that know where they stand, references followed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
import yaml

_LONGEST_CHAIN = 50


class DriftError(Exception):
    """A description cannot be compared; the message is one sentence."""


@dataclass
class Library:
    """The files of one description, each read once; references lead to files beside the first one at most."""

    root: Path
    _files: dict[Path, Any] = field(default_factory=dict)

    def document(self) -> Node:
        """Return the description itself. Raises DriftError where it is no OpenAPI 3.0 or 3.1 document."""
        node = Node(self, self.root, "", self.read(self.root))
        version = node.value.get("openapi") if isinstance(node.value, dict) else None
        if not isinstance(version, str) or not version.startswith(("3.0", "3.1")):
            raise DriftError(f"{self.root} is no OpenAPI 3.0 or 3.1 description: its member openapi is {version!r}")
        if not isinstance(node.value.get("paths"), dict):
            raise DriftError(f"{self.root} has no paths")
        return node

    def read(self, path: Path) -> Any:
        """Return the parsed file, JSON or YAML. Raises DriftError where it cannot be read."""
        if path not in self._files:
            self._files[path] = _parsed(path)
        return self._files[path]


def _parsed(path: Path) -> Any:
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise DriftError(f"{path} cannot be read: {(problem.strerror or str(problem)).lower()}") from None
    if data.lstrip()[:1] in (b"{", b"["):
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass  # YAML's flow style looks alike
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(data, Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        raise DriftError(f"{path} is neither JSON nor YAML{where}") from None


@dataclass(frozen=True)
class Node:
    """A value of a description and the JSON pointer to it, in the file that it stands in."""

    library: Library
    file: Path
    pointer: str
    value: Any

    def __getitem__(self, key: str | int) -> Node:
        """Return a member as it stands, a reference not followed."""
        step = str(key).replace("~", "~0").replace("/", "~1")
        return Node(self.library, self.file, f"{self.pointer}/{step}", self.value[key])

    def get(self, key: str) -> Node | None:
        """Return the member that a key leads to, references followed, or None."""
        here = self.resolved()
        return here[key].resolved() if isinstance(here.value, Mapping) and key in here.value else None

    def members(self) -> Iterator[tuple[str, Node]]:
        """Yield name and value of each member, references followed; none where this is no object."""
        here = self.resolved()
        if isinstance(here.value, Mapping):
            for key in here.value:
                yield str(key), here[key].resolved()

    def items(self) -> Iterator[Node]:
        """Yield each item, references not followed; none where this is no array."""
        if isinstance(self.value, list):
            for place in range(len(self.value)):
                yield self[place]

    @property
    def reference(self) -> str | None:
        """The `$ref` of this very node, or None."""
        found = self.value.get("$ref") if isinstance(self.value, Mapping) else None
        return found if isinstance(found, str) else None

    def resolved(self) -> Node:
        """Follow references until there is none. Raises DriftError where they lead nowhere, or in a circle."""
        node = self
        for _ in range(_LONGEST_CHAIN):
            reference = node.reference
            if reference is None:
                return node
            node = node._follow(reference)
        raise DriftError(f"{self.shown} refers to itself")

    @property
    def shown(self) -> str:
        """The place for a person: file name and pointer."""
        return f"{self.file.name}#{self.pointer}"

    def _follow(self, reference: str) -> Node:
        name, _, fragment = reference.partition("#")
        file = self.file
        if name:
            if "://" in name or name.startswith("/"):
                raise DriftError(f"{self.shown} refers to {reference}, which is no file beside it")
            file = (self.file.parent / unquote(name)).resolve()
            if not file.is_relative_to(self.library.root.resolve().parent):
                raise DriftError(f"{self.shown} refers to {reference}, which is no file beside it")
        value = self.library.read(file)
        for raw in unquote(fragment).split("/")[1:]:
            step = raw.replace("~1", "/").replace("~0", "~")
            try:
                value = value[int(step)] if isinstance(value, list) else value[step]
            except (KeyError, IndexError, TypeError, ValueError):
                raise DriftError(f"{self.shown} refers to {reference}, which does not exist") from None
        return Node(self.library, file, unquote(fragment), value)
