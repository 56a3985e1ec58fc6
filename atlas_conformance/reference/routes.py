"""From a request target to the operation that it names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from urllib.parse import unquote

from atlas_conformance.contracts.operation import Level, Operation, takes_in
from atlas_conformance.reference.resources import SERVED

_Shape = tuple[str | None, ...]


class Routes:
    """The paths that an endpoint has: those of `operations` on the resources that it serves. `level` leaves out
    operations of other levels, `offered` all but the named ones.
    """

    def __init__(
        self, operations: Iterable[Operation], level: Level = "workflow", offered: Collection[str] | None = None
    ) -> None:
        self._shapes: dict[int, dict[_Shape, dict[str, Operation]]] = defaultdict(dict)
        self._missing: dict[int, dict[_Shape, set[str]]] = defaultdict(dict)
        for operation in operations:
            shape: _Shape = tuple(None if part.startswith("{") else part for part in operation.template.split("/"))
            shapes = [shape]
            if shape[-1] == "":
                shapes.append(shape[:-1])
            has = takes_in(level, operation.level) and (offered is None or operation.id in offered)
            has = has and operation.resource in SERVED
            for one in shapes:
                if has:
                    self._shapes[len(one)].setdefault(one, {})[operation.method] = operation
                else:
                    self._missing[len(one)].setdefault(one, set()).add(operation.method)

    def find(self, path: str) -> tuple[dict[str, Operation], list[str]]:
        """Return the operations at a path by method, and the decoded parameters in order; nothing where there is no
        such path.
        """
        segments = [unquote(segment) if "%" in segment else segment for segment in path.split("/")]
        places = ((_parameters(shape, segments), found) for shape, found in self._shapes.get(len(segments), {}).items())
        fitting = [(parameters, found) for parameters, found in places if parameters is not None]
        if not fitting:
            return {}, []
        # Of several, the one with the fewest parameters counts, as OpenAPI has it.
        parameters, operations = min(fitting, key=lambda place: len(place[0]))
        return operations, parameters

    def lacks(self, method: str, path: str) -> bool:
        """Tell whether a method and path name an operation that this endpoint leaves out."""
        segments = [unquote(segment) for segment in path.split("/")]
        return any(
            method in methods and _parameters(shape, segments) is not None
            for shape, methods in self._missing.get(len(segments), {}).items()
        )


def _parameters(shape: _Shape, segments: list[str]) -> list[str] | None:
    parameters = []
    for expected, seen in zip(shape, segments, strict=True):
        if expected is None:
            if not seen:
                return None
            parameters.append(seen)
        elif expected != seen:
            return None
    return parameters
