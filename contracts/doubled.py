"""JSON objects that name a property twice: which of the two values counts, each reader decides for itself."""

from __future__ import annotations

import json
from typing import Any

import orjson


class _Doubled(Exception):
    """An object names a property twice."""


def doubled_name(body: bytes, document: Any) -> str | None:
    """Return the name of a property that stands twice in one object of `body`, which reads as `document`, or None."""
    try:
        bare = body.strip()
        if len(orjson.dumps(document)) == len(bare):
            return None  # nothing was lost in reading it
        if b"\n" in bare and len(orjson.dumps(document, option=orjson.OPT_INDENT_2)) == len(bare):
            return None
    except orjson.JSONEncodeError:
        pass  # the slow way knows lone surrogates
    try:
        json.loads(body, object_pairs_hook=_each_once, parse_int=float)
    except _Doubled as found:
        return str(found)
    except (ValueError, RecursionError):
        pass
    return None


def _each_once(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for name, _ in pairs:
        if name in seen:
            raise _Doubled(name)
        seen.add(name)
