"""The form that a summary of an earlier run must have to be compared with."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any


def misformed_summary(document: Mapping[str, Any]) -> str | None:
    """Return which member of a summary.json is missing or not of the right form, or None."""
    for name in ("contract", "suite", "profile", "mode", "verdict", "sentence"):
        if not isinstance(document.get(name), str):
            return name
    for name in ("level", "shard", "partial_reason"):
        if not isinstance(document.get(name), str | None):
            return name
    if not _is_moment(document.get("started")):
        return "started"
    for name in ("seed", "exchanges"):
        if not _is_count(document.get(name)):
            return name
    if not isinstance(document.get("partial"), bool):
        return "partial"
    target = document.get("target")
    if not (isinstance(target, dict) and isinstance(target.get("base_url"), str | None)):
        return "target"
    for name in ("selected", "excluded"):
        ids = document.get(name)
        if ids is not None and not (isinstance(ids, list) and all(isinstance(id, str) for id in ids)):
            return name
    requirements = document.get("requirements")
    if not isinstance(requirements, dict):
        return "requirements"
    for id, row in requirements.items():
        if not _is_row(row):
            return f"requirements/{id}"
    return None


def _is_moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _is_row(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("verdict"), str)
        and _is_count(row.get("exercised"))
        and isinstance(row.get("operations"), dict)
        and all(map(_is_cell, row["operations"].values()))
        and isinstance(row.get("findings"), list)
        and all(map(_is_group, row["findings"]))
    )


def _is_cell(cell: Any) -> bool:
    return (
        isinstance(cell, dict)
        and isinstance(cell.get("status"), str)
        and all(_is_count(cell.get(name)) for name in ("passed", "failed", "known_departures"))
        and _is_count(cell.get("advice", 0))
        and isinstance(cell.get("reason"), str | None)
    )


def _is_group(group: Any) -> bool:
    if not isinstance(group, dict):
        return False
    lead = group.get("led_by")
    texts = ("operation", "place", "expected", "seen")
    return (
        all(isinstance(group.get(name), str) for name in texts)
        and isinstance(group.get("unstable", False), bool)
        and isinstance(group.get("advice", False), bool)
        and (lead is None or (isinstance(lead, dict) and all(
            isinstance(lead.get(name), str) for name in ("requirement", "operation", "place"))))
    )  # fmt: skip
