"""Reading one file of a description, JSON or YAML, within bounds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import yaml

from atlas_conformance.contracts.bounded_yaml import DEEPEST, UnboundedYaml, too_deep, yaml_value
from atlas_conformance.contracts.drift.drift_error import DriftError

LARGEST_FILE = 16 * 1024 * 1024
"""The largest file that is read, in bytes."""


def load(path: Path) -> Any:
    """Return the parsed file. Raises DriftError where it cannot be read, or is neither JSON nor YAML within bounds."""
    data = _bytes(path)
    if data.lstrip()[:1] in (b"{", b"["):
        try:
            value = _json(data)
        except (ValueError, RecursionError):
            pass  # YAML's flow style looks alike
        else:
            if _is_too_deep(value):
                raise DriftError(too_deep(path))
            return value
    try:
        return yaml_value(path, data)
    except UnboundedYaml as problem:
        raise DriftError(str(problem)) from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        raise DriftError(f"{path} is neither JSON nor YAML{where}") from None


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        # It reads no integers beyond 64 bits. What cannot be written again, a lone surrogate, is no text.
        value = json.loads(data)
        json.dumps(value, ensure_ascii=False).encode()
        return value


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or str(problem)
        raise DriftError(f"{path} cannot be read: {why.lower()}") from None
    if len(data) > LARGEST_FILE:
        raise DriftError(f"{path} is larger than {LARGEST_FILE // 1024 // 1024} MB, which no description should be")
    return data


def _is_too_deep(value: Any) -> bool:
    """Tell whether a parsed value is nested deeper than `DEEPEST`, without recursion."""
    level: list[Any] = [value]
    for _ in range(DEEPEST + 1):
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner.extend(one for one in each.values() if isinstance(one, dict | list))
            elif isinstance(each, list):
                inner.extend(one for one in each if isinstance(one, dict | list))
        if not inner:
            return False
        level = inner
    return True
