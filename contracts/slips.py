"""Wrong types in what a caller says of an exchange: each is one sentence that says what would be right.

They are found when a request, a response or an exchange is made. `meant` finds what has the right type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atlas_conformance.contracts.naming import kind_of


def check_text(what: str, value: Any) -> None:
    """Raise TypeError for what is no text."""
    if not isinstance(value, str):
        raise TypeError(f"the {what} of a request is a str, not {kind_of(value)}")


def pairs(value: Any, whose: str) -> tuple[tuple[str, str], ...]:
    """Return headers that are given as a list or a tuple. Raises TypeError for anything else."""
    if isinstance(value, list | tuple):
        return tuple(value)
    write = ": write tuple(headers.items())" if isinstance(value, Mapping) else ""
    raise TypeError(f"the headers of a {whose} are a tuple of (name, value) pairs, not {kind_of(value)}{write}")


def octets(value: Any, whose: str, nothing: str) -> bytes:
    """Return a body that is given as bytes of some kind. Raises TypeError for anything else."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    write = ": write body.encode()" if isinstance(value, str) else ""
    raise TypeError(f"the body of a {whose} is bytes ({nothing} where there is none), not {kind_of(value)}{write}")


def check_status(value: Any) -> None:
    """Raise TypeError for what is no int."""
    if not isinstance(value, int):
        raise TypeError(f"the status of a response is an int, not {kind_of(value)}")


def check_moment(what: str, value: Any) -> None:
    """Raise TypeError for what is no number."""
    if not isinstance(value, int | float):
        write = f": write {what}.timestamp()" if hasattr(value, "timestamp") else ""
        raise TypeError(f"{what} is a number of seconds since the Unix epoch, not {kind_of(value)}{write}")
