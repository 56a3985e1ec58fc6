"""JSON pointers (RFC 6901) into a document."""

from __future__ import annotations

from typing import Any


def value_at(document: Any, pointer: str) -> Any:
    """Return the value that a pointer leads to. Raises KeyError, IndexError or ValueError where it leads nowhere."""
    value = document
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        value = value[int(token)] if isinstance(value, list) else value[token]
    return value
