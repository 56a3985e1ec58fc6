"""JSON pointers (RFC 6901) into a document, and the failure of the value that one leads to."""

from __future__ import annotations

from typing import Any

from atlas_conformance.contracts.outcomes import ValueFailure
from atlas_conformance.contracts.validation import SchemaError


def escaped(name: str) -> str:
    """Return a property's name as one step of a pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def value_at(document: Any, pointer: str) -> Any:
    """Return the value that a pointer leads to. Raises KeyError, IndexError or ValueError where it leads nowhere."""
    value = document
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        value = value[int(token)] if isinstance(value, list) else value[token]
    return value


def schema_failure(document: Any, pointer: str, error: SchemaError, *, malformed: bool = False) -> ValueFailure:
    """Return the failure for what a schema refuses of a document that stands at a pointer of the exchange.

    `malformed` says that a value that the schema refuses is not to be compared with others.
    """
    where = f"{pointer}{error.pointer}" + (f"/{error.property}" if error.property else "")
    expected = error.message if error.property is None else f"{error.property} present"
    value, mistyped = value_at(document, error.pointer), error.keyword == "type"
    return ValueFailure(expected, value, where, error.pointer, document, mistyped=mistyped, malformed=malformed)
