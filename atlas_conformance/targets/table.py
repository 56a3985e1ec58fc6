"""Reading one TOML table strictly: each key is taken with its type, and what was not taken is an error."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, TypeVar

from atlas_conformance.http.failures import TargetError

_HEADER = re.compile(r"\s*\[\[?\s*([A-Za-z0-9_.\-]+)\s*\]?\]")
_KEY = re.compile(r"[\s{,]*([A-Za-z0-9_\-]+)\s*=")
T = TypeVar("T")

_TYPES: Mapping[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    list: "an array",
    dict: "a table",
}


class Lines:
    """Where keys stand in a TOML text; good enough to point a person at the line, never needed to read it."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, int] = {}
        counts: dict[str, int] = {}
        prefix = ""
        for number, line in enumerate(text.splitlines(), 1):
            header = _HEADER.match(line)
            if header:
                name = header[1]
                if line.lstrip().startswith("[["):
                    counts[name] = counts.get(name, -1) + 1
                    name = f"{name}[{counts[name]}]"
                prefix = name + "."
                self._lines.setdefault(name, number)
            elif key := _KEY.match(line):
                self._lines.setdefault(prefix + key[1], number)

    def line(self, path: str) -> int | None:
        """Return the line of a dotted path, or of the nearest enclosing one that is known."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return None


class Table:
    """One table at the dotted `path` of a file called `file`."""

    def __init__(self, values: Mapping[str, Any], file: str, lines: Lines, path: str = "") -> None:
        self._values = values
        self._file = file
        self._lines = lines
        self._path = path
        self._taken: dict[str, None] = {}

    def place(self, key: str = "") -> str:
        """Return `file: key (line n)` for a key of the table, or for the table."""
        path = f"{self._path}.{key}" if self._path and key else key or self._path
        line = self._lines.line(path)
        named = f"{self._file}: {path}" if path else self._file
        return f"{named} (line {line})" if line else named

    def fail(self, key: str, sentence: str) -> NoReturn:
        """Raise TargetError about a key."""
        raise TargetError(f"{self.place(key)} {sentence}")

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def names(self) -> tuple[str, ...]:
        """Return every key of the table."""
        return tuple(self._values)

    def take(self, key: str, kind: type[T]) -> T | None:
        """Return the value of `key` if it has the type, None if it is absent; raise TargetError otherwise."""
        self._taken[key] = None
        if key not in self._values:
            return None
        value = self._values[key]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        # In Python true is an integer; in TOML it is not.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.fail(key, f"must be {_TYPES[kind]}, not {_TYPES.get(type(value), 'a ' + type(value).__name__)}")
        return value

    def need(self, key: str, kind: type[T]) -> T:
        """Return the value of a key that must be there."""
        value = self.take(key, kind)
        if value is None:
            raise TargetError(f"{self.place()} lacks {key}, which must be {_TYPES[kind]}")
        return value

    def choice(self, key: str, choices: tuple[str, ...]) -> str | None:
        """Return a string that is one of `choices`, or None."""
        value = self.take(key, str)
        if value is not None and value not in choices:
            self.fail(key, f"is {value!r}, which is not one of {', '.join(choices)}{closest(value, choices)}")
        return value

    def strings(self, key: str) -> tuple[str, ...] | None:
        """Return an array of strings, or None."""
        values = self.take(key, list)
        if values is None:
            return None
        for index, value in enumerate(values):
            if not isinstance(value, str):
                self.fail(key, f"must be an array of strings, and its item {index} is not a string")
        return tuple(values)

    def table(self, key: str) -> Table | None:
        """Return a sub-table, or None."""
        values = self.take(key, dict)
        return None if values is None else Table(values, self._file, self._lines, self._join(key))

    def tables(self, key: str) -> Iterator[Table]:
        """Yield the tables of an array of tables; none where the key is absent."""
        for index, value in enumerate(self.take(key, list) or ()):
            if not isinstance(value, dict):
                self.fail(key, f"must be an array of tables, and its item {index} is not a table")
            yield Table(value, self._file, self._lines, f"{self._join(key)}[{index}]")

    def finish(self) -> None:
        """Raise TargetError if the table has a key that nobody took."""
        for key in self._values:
            if key not in self._taken:
                known = tuple(self._taken)
                self.fail(key, f"is not a known key{closest(key, known)}; known are {', '.join(known)}")

    def _join(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def closest(word: str, known: tuple[str, ...]) -> str:
    """Return `, did you mean …?` for the known word closest to `word`, or nothing."""
    matches = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {matches[0]}?)" if matches else ""
