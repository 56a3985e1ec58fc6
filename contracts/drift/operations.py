"""The operations that a description describes, by the paths that clients call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from urllib.parse import unquote, urlsplit

from atlas_conformance.contracts.drift.documents import Node

ROOT = "/api/atlas/"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
PARAMETER = re.compile(r"\{[^{}]*\}")

_MOST_ADDRESSES = 64
_LONGEST_CHAIN = 50

Key = tuple[str, str]
"""The path with its parameters unnamed and without a slash at the end, and the method in lower case."""


@dataclass(frozen=True, slots=True)
class Described:
    """One operation: its full path template, and the path items around it, the nearest last."""

    path: str
    operation: Node
    items: tuple[Node, ...]

    @property
    def name(self) -> str:
        """The operationId, or method and path where there is none."""
        found = self.operation.value.get("operationId")
        return found if isinstance(found, str) and found else self.title

    @property
    def title(self) -> str:
        """Method and path."""
        return f"{self.operation.pointer.rpartition('/')[2].upper()} {self.path}"

    @property
    def parameters(self) -> dict[tuple[str, str], Node]:
        """The parameters by place and name; those in the path by their position, as their names are free."""
        found: dict[tuple[str, str], Node] = {}
        names = [name[1:-1] for name in PARAMETER.findall(self.path)]
        for holder in (*self.items, self.operation):
            listed = holder.get("parameters")
            for each in () if listed is None else listed.items():
                parameter = each.resolved()
                if not isinstance(parameter.value, dict):
                    continue
                place, name = str(parameter.value.get("in")), str(parameter.value.get("name"))
                if place == "path" and name in names:
                    found["path", str(names.index(name))] = parameter
                elif place in ("query", "cookie"):
                    found[place, name] = parameter
                elif place == "header" and name.lower() not in ("accept", "content-type", "authorization"):
                    found[place, name.lower()] = parameter
        return found


def operations(document: Node) -> dict[Key, Described]:
    """Return every operation whose address has a path under `/api/atlas/`, be it by `paths` or by `servers`."""
    found: dict[Key, Described] = {}
    paths = document.get("paths")
    for path, stated in () if paths is None else paths.members():
        if path.startswith("x-"):
            continue
        items = tuple(_items(stated))
        for method in METHODS:
            operation = _operation(items, method)
            if operation is None:
                continue
            for prefix in _prefixes(document, items, operation):
                full = f"{prefix}/{path.lstrip('/')}"
                if ROOT in full:
                    full = full[full.rindex(ROOT) :]
                    found.setdefault((unnamed(full), method), Described(full, operation, items))
    return found


def _operation(items: tuple[Node, ...], method: str) -> Node | None:
    stated = (item[method] for item in reversed(items) if isinstance(item.value.get(method), dict))
    return next(stated, None)


def unnamed(path: str) -> str:
    """Return a path template with its parameters unnamed and without a slash at the end."""
    return PARAMETER.sub("{}", path).rstrip("/")


def _items(stated: Node) -> Iterator[Node]:
    """Yield a path item and those that it refers to, the farthest first: what stands beside `$ref` wins."""
    chain = [stated]
    while chain[-1].reference is not None and len(chain) < _LONGEST_CHAIN:
        chain.append(chain[-1].follow(chain[-1].reference))
    chain[-1] = chain[-1].resolved()
    yield from (each for each in reversed(chain) if isinstance(each.value, dict))


def _prefixes(document: Node, items: tuple[Node, ...], operation: Node) -> list[str]:
    """Return the paths of the servers that offer an operation: its own, the path item's, or the description's."""
    for holder in (operation, *reversed(items), document):
        servers = holder.get("servers")
        if servers is not None and isinstance(servers.value, list) and servers.value:
            found = [prefix for each in servers.items() for prefix in _addresses(each.resolved().value)]
            return list(dict.fromkeys(found)) or [""]
    return [""]


def _addresses(server: object) -> Iterator[str]:
    """Yield the path of each address that a server stands for, its variables filled in."""
    url = server.get("url") if isinstance(server, Mapping) else None
    if not isinstance(url, str):
        return
    variables = server.get("variables") if isinstance(server, Mapping) else None
    names = list(dict.fromkeys(PARAMETER.findall(url)))
    choices = [_choices(variables.get(name[1:-1]) if isinstance(variables, Mapping) else None, name) for name in names]
    for values in islice(product(*choices), _MOST_ADDRESSES):
        address = url
        for name, value in zip(names, values, strict=True):
            address = address.replace(name, value)
        try:
            path = urlsplit(address).path
        except ValueError:
            continue
        yield "/" + unquote(path).strip("/") if path.strip("/") else ""


def _choices(variable: object, name: str) -> list[str]:
    """Return the values of a server's variable, its default first; one without any stands for itself."""
    if not isinstance(variable, Mapping):
        return [name]
    listed = variable.get("enum")
    values = [variable.get("default"), *(listed if isinstance(listed, list) else [])]
    return list(dict.fromkeys(str(value) for value in values if value is not None)) or [name]
