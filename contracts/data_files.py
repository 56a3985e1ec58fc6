"""Reading the files of a contract's folder: YAML, TOML and JSON into what JSON can say, within bounds."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import yaml

from atlas_conformance.contracts.bounded_yaml import DEEPEST, UnboundedYaml, yaml_value
from atlas_conformance.contracts.contract_error import ContractError

_SCALARS = frozenset({str, int, float, bool, type(None)})


def read_yaml(folder: Path, name: str) -> Any:
    """Return what a YAML file says. Raises OSError where it is missing, ContractError where it is no YAML."""
    data = (folder / name).read_bytes()
    try:
        return yaml_value(Path(name), data, unique=True)
    except UnboundedYaml as problem:
        raise ContractError(f"{name}: {str(problem).removeprefix(f'{name} ')}") from None
    except (yaml.YAMLError, ValueError) as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        raise ContractError(f"{name}: this is no YAML{where}: {_said(problem)}") from None


def read_toml(folder: Path, name: str) -> dict[str, Any]:
    """Return what a TOML file says. Raises OSError where it is missing, ContractError where it is no TOML, or has a
    value that JSON does not have.
    """
    data = (folder / name).read_bytes()
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as problem:
        raise ContractError(f"{name}: this is no TOML: {_said(problem)}") from None
    _check_values(document, name)
    return document


def read_json(folder: Path, name: str) -> Any:
    """Return what a JSON file says. Raises OSError where it is missing, ContractError where it is no JSON."""
    data = (folder / name).read_bytes()

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [key for key, _ in pairs]
            twice = next(key for key in names if names.count(key) > 1)
            raise ContractError(f"{name}: an object has the key {twice} twice")
        return found

    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=unique)
    except ContractError:
        raise
    except (ValueError, RecursionError) as problem:
        raise ContractError(f"{name}: this is no JSON: {_said(problem)}") from None
    _check_values(document, name)
    return document


def _said(problem: Exception) -> str:
    """Return what a parser said, in one line."""
    said = getattr(problem, "problem", None) or str(problem)
    return " ".join(str(said).split())


def _check_values(document: Any, name: str) -> None:
    """Raise ContractError where JSON does not have a value, such as a date, or values are nested too deep."""
    level: list[tuple[str, Any]] = [("", document)]
    for _ in range(DEEPEST):
        inner: list[tuple[str, Any]] = []
        for where, value in level:
            if isinstance(value, dict):
                inner += [(f"{where} › {key}" if where else str(key), one) for key, one in value.items()]
            elif isinstance(value, list):
                inner += [(where, one) for one in value]
            elif type(value) not in _SCALARS:
                raise ContractError(f"{name}: {where}: a {type(value).__name__} has no place here; write it in quotes")
        if not inner:
            return
        level = inner
    raise ContractError(f"{name}: values are nested more than {DEEPEST} levels deep")
