"""Reading a scenario from a TOML or YAML file, and saying on which line it is wrong."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import yaml
from pydantic import ValidationError

from atlas_conformance.contracts.written import parse_toml, small_file
from atlas_conformance.reference.forms import sentence
from atlas_conformance.reference.scenario import Misplaced, Scenario

_Place = tuple[str | int, ...]
_MOST_VALUES = 200_000
"""How many values a scenario may have."""
_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\-]+)\s*\]\]?")
_KEY = re.compile(r"[\s{,]*[\"']?([A-Za-z0-9_\-]+)[\"']?\s*=")


class ScenarioError(Exception):
    """A scenario file that can't be used; the text is one sentence with the file and the line."""


def read_scenario(file: Path) -> Scenario:
    """Return the scenario of a file; raises ScenarioError."""
    try:
        text = small_file(file).decode("utf-8-sig")
    except OSError as error:
        raise ScenarioError(f"{file} can't be read: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{file} is no text in UTF-8") from None
    return scenario_of_text(text, str(file))


def scenario_of_text(text: str, name: str) -> Scenario:
    """Return the scenario that a text holds: YAML where the name ends in .yaml, .yml or .json, and TOML otherwise.

    Raises ScenarioError.
    """
    yaml_form = Path(name).suffix.lower() in {".yaml", ".yml", ".json"}
    try:
        document = _yaml(text) if yaml_form else parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{name} is no TOML: {str(error)[:1].lower()}{str(error)[1:]}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise ScenarioError(f"{name} is no YAML: {problem}{where}") from None
    if not isinstance(document, dict):
        raise ScenarioError(f"{name} must be a table of keys, such as `clusters`")
    try:
        return Scenario.model_validate_json(orjson.dumps(document))
    except orjson.JSONEncodeError as error:
        raise ScenarioError(f"{name} has a value that no scenario has: {error}") from None
    except ValidationError as error:
        found = error.errors()[0]
        place: _Place = tuple(found["loc"])
        cause = found.get("ctx", {}).get("error")
        if isinstance(cause, Misplaced):
            place = cause.place
        lines = _yaml_lines(text) if yaml_form else _toml_lines(text)
        raise ScenarioError(f"{name}: {_path(place)}{_line(lines, place)}: {sentence(found)}{_meant(found)}") from None


def _yaml(text: str) -> Any:
    """Return the document of a YAML text; raise yaml.YAMLError, for one whose aliases make it much larger too."""
    node = yaml.compose(text, yaml.SafeLoader)
    if node is not None and _size(node, {}) > _MOST_VALUES:
        raise yaml.MarkedYAMLError(problem="its aliases make it too large", problem_mark=node.start_mark)
    return yaml.safe_load(text)


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Return of how many values a node consists once every alias is what it stands for."""
    if id(node) not in known:
        known[id(node)] = _MOST_VALUES + 1  # what holds itself never ends
        parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        members = () if isinstance(node, yaml.ScalarNode) else parts
        known[id(node)] = 1 + sum(_size(member, known) for member in members)
    return known[id(node)]


def _path(place: _Place) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).lstrip(".") or "the scenario"


def _line(lines: Mapping[_Place, int], place: _Place) -> str:
    """Return the line of a place, or of the nearest one around it that is known."""
    while place and place not in lines:
        place = place[:-1]
    return f" (line {lines[place]})" if place else ""


def _meant(found: Any) -> str:
    """Return `; did you mean ...?` where a key is not known and another one of its table is close."""
    if found["type"] != "extra_forbidden":
        return ""
    *table, wrong = found["loc"]
    known = {key.lower(): key for key in _keys(table)}
    close = difflib.get_close_matches(str(wrong).lower(), known, 1)
    return f"; did you mean {known[close[0]]}?" if close else ""


def _keys(table: Sequence[str | int]) -> list[str]:
    """Return the keys that a table of a scenario may have; none where its keys are free."""
    schema = Scenario.model_json_schema()
    shape: Mapping[str, Any] = schema
    for step in table:
        shape = shape.get("items", {}) if isinstance(step, int) else shape.get("properties", {}).get(step, {})
        if "$ref" in shape:
            shape = schema["$defs"][shape["$ref"].rpartition("/")[2]]
    return list(shape.get("properties", {}))


def _toml_lines(text: str) -> dict[_Place, int]:
    """Return where keys stand in a TOML text; good enough to point a person at the line, never needed to read it."""
    lines: dict[_Place, int] = {}
    last: dict[tuple[str, ...], int] = {}
    here: _Place = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            names = tuple(header[2].split("."))
            if header[1] == "[[":
                last[names] = last.get(names, -1) + 1
                # The arrays inside an array of tables begin again with each of its tables.
                for deeper in [one for one in last if len(one) > len(names) and one[: len(names)] == names]:
                    del last[deeper]
            here = tuple(_numbered(names, last))
            lines.setdefault(here, number)
        elif key := _KEY.match(line):
            lines.setdefault((*here, key[1]), number)
    return lines


def _numbered(names: Sequence[str], last: Mapping[tuple[str, ...], int]) -> Iterator[str | int]:
    for depth, name in enumerate(names, 1):
        yield name
        if (number := last.get(tuple(names[:depth]))) is not None:
            yield number


def _yaml_lines(text: str) -> dict[_Place, int]:
    lines: dict[_Place, int] = {}

    def visit(node: Any, place: _Place) -> None:
        lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                lines[(*place, str(key.value))] = key.start_mark.line + 1
                visit(value, (*place, str(key.value)))
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                visit(value, (*place, number))

    visit(yaml.compose(text, yaml.SafeLoader), ())
    return lines
