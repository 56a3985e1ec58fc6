"""OpenAPI documents as nodes that know where they stand, references followed within the description's own folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from atlas_conformance.contracts.drift.drift_error import DriftError
from atlas_conformance.contracts.drift.loading import load

_LONGEST_CHAIN = 50
_MOST_FILES = 1_000
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


@dataclass
class Library:
    """The files of one description, each read once. References lead no further than the folder of the first one."""

    root: Path
    _files: dict[Path, Any] = field(default_factory=dict)
    _names: dict[tuple[Path, str, str], str] = field(default_factory=dict)
    _indexed: set[Path] = field(default_factory=set)

    @property
    def folder(self) -> Path:
        """Return the folder of the description."""
        return self.root.absolute().parent.resolve()

    @property
    def main(self) -> Path:
        """Return the first file, as a reference from another one would name it."""
        return self.folder / self.root.name

    def document(self) -> Node:
        """Return the description itself. Raises DriftError where it is no OpenAPI 3.0 or 3.1 document."""
        self._files[self.main] = load(self.root)
        node = Node(self, self.main, "", self._files[self.main])
        version = node.value.get("openapi") if isinstance(node.value, dict) else None
        if not isinstance(version, str) or not version.startswith(("3.0", "3.1")):
            raise DriftError(f"{self.root} is no OpenAPI 3.0 or 3.1 description: its member openapi is {version!r}")
        paths = node.value.get("paths")
        elsewhere = version.startswith("3.1") and ("webhooks" in node.value or "components" in node.value)
        if not isinstance(paths, dict) and not (paths is None and elsewhere):
            raise DriftError(f"{self.root} has no paths")
        return node

    @property
    def siblings_hold(self) -> bool:
        """Whether what stands beside `$ref` in a schema holds too: in OpenAPI 3.1 it does, in 3.0 it is ignored."""
        value = self._files.get(self.main)
        return not (isinstance(value, dict) and str(value.get("openapi")).startswith("3.0"))

    def read(self, path: Path) -> Any:
        """Return the parsed file, JSON or YAML. Raises DriftError where it cannot be read."""
        if path not in self._files:
            if path == self.main.resolve():
                return self._files[self.main]
            if len(self._files) >= _MOST_FILES:
                raise DriftError(f"{self.root} consists of more than {_MOST_FILES:,} files")
            if not path.is_file():
                raise DriftError(f"{path} is no file, though the description refers to it")
            self._files[path] = load(path)
        return self._files[path]

    def anchor(self, file: Path, name: str) -> str | None:
        """Return the pointer to the schema in a file that has the `$anchor` or `$dynamicAnchor` of that name."""
        self._index(file)
        return self._names.get((file, "anchor", name))

    def identified(self, address: str) -> tuple[Path, str] | None:
        """Return file and pointer of the schema whose `$id` is the address, in the files read so far."""
        for file in list(self._files):
            self._index(file)
            pointer = self._names.get((file, "id", address))
            if pointer is not None:
                return file, pointer
        return None

    def _index(self, file: Path) -> None:
        if file in self._indexed:
            return
        self._indexed.add(file)
        waiting: list[tuple[str, Any]] = [("", self.read(file))]
        while waiting:
            pointer, value = waiting.pop()
            if isinstance(value, dict):
                for keyword, kind in (("$anchor", "anchor"), ("$dynamicAnchor", "anchor"), ("$id", "id")):
                    if isinstance(value.get(keyword), str):
                        self._names.setdefault((file, kind, value[keyword].removesuffix("#")), pointer)
                waiting.extend((f"{pointer}/{_escaped(key)}", each) for key, each in value.items())
            elif isinstance(value, list):
                waiting.extend((f"{pointer}/{place}", each) for place, each in enumerate(value))

    def shown(self, file: Path) -> str:
        """Return a file's name for a person: its path from the folder of the description."""
        return file.relative_to(self.folder).as_posix() if file.is_relative_to(self.folder) else file.name


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True)
class Node:
    """A value of a description and the JSON pointer to it, in the file that it stands in."""

    library: Library = field(repr=False, compare=False)
    file: Path
    pointer: str
    value: Any = field(repr=False, compare=False)

    def __hash__(self) -> int:
        """Return the hash of the pointer alone, which is quick and nearly always tells nodes apart."""
        return hash(self.pointer)

    def __getitem__(self, key: str | int) -> Node:
        """Return a member as it stands, a reference not followed."""
        return Node(self.library, self.file, f"{self.pointer}/{_escaped(str(key))}", self.value[key])

    def raw(self, key: str) -> Node | None:
        """Return a member as it stands, a reference not followed, or None where there is none."""
        return self[key] if isinstance(self.value, dict) and key in self.value else None

    def get(self, key: str) -> Node | None:
        """Return the member that a key leads to, references followed, or None."""
        found = self.resolved().raw(key)
        return None if found is None else found.resolved()

    def members(self) -> Iterator[tuple[str, Node]]:
        """Yield name and value of each member, references not followed; none where this is no object."""
        if isinstance(self.value, dict):
            for key in self.value:
                yield str(key), self[key]

    def items(self) -> Iterator[Node]:
        """Yield each item, references not followed; none where this is no array."""
        if isinstance(self.value, list):
            for place in range(len(self.value)):
                yield self[place]

    def flag(self, key: str) -> bool:
        """Tell whether a member is exactly true."""
        return isinstance(self.value, dict) and self.value.get(key) is True

    @property
    def reference(self) -> str | None:
        """The `$ref` of this very node, or None."""
        found = self.value.get("$ref") if isinstance(self.value, dict) else None
        return found if isinstance(found, str) else None

    def resolved(self) -> Node:
        """Follow references until there is none. Raises DriftError where they lead nowhere, or in a circle."""
        node = self
        for _ in range(_LONGEST_CHAIN):
            reference = node.reference
            if reference is None:
                return node
            node = node.follow(reference)
        raise DriftError(f"{self.shown} refers to itself")

    @property
    def shown(self) -> str:
        """The place for a person: file name and pointer."""
        return f"{self.library.shown(self.file)}#{self.pointer}"

    def follow(self, reference: str) -> Node:
        """Return what a reference in this node leads to. Raises DriftError where that is nothing or out of bounds."""
        name, _, fragment = reference.partition("#")
        file, start = self._file(name, reference) if name else (self.file, "")
        pointer = unquote(fragment)
        if pointer and not pointer.startswith("/"):
            found = self.library.anchor(file, pointer)
            if found is None:
                raise DriftError(f"{self.shown} refers to {reference}, which does not exist")
            pointer = found
        pointer = start + pointer
        value = self.library.read(file)
        for raw in pointer.split("/")[1:]:
            step = raw.replace("~1", "/").replace("~0", "~")
            try:
                value = value[int(step)] if isinstance(value, list) else value[step]
            except (KeyError, IndexError, TypeError, ValueError):
                raise DriftError(f"{self.shown} refers to {reference}, which does not exist") from None
        return Node(self.library, file, pointer, value)

    def _file(self, name: str, reference: str) -> tuple[Path, str]:
        """Return the file that a reference names, and the pointer in it from which the fragment counts."""
        if _SCHEME.match(name) or name.startswith(("/", "\\")):
            known = self.library.identified(name)
            if known is None:
                raise DriftError(
                    f"{self.shown} refers to {reference}, which is no file beside it: nothing outside the"
                    " description's folder is read or fetched"
                )
            return known
        try:
            file = (self.file.parent / unquote(name)).resolve()
        except (OSError, ValueError, RuntimeError):
            raise DriftError(f"{self.shown} refers to {reference}, which does not exist") from None
        if not file.is_relative_to(self.library.folder):
            raise DriftError(
                f"{self.shown} refers to {reference}, which is no file beside it: nothing outside the"
                " description's folder is read or fetched"
            )
        return (self.library.main if file == self.library.main.resolve() else file), ""
