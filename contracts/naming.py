"""How a sentence names what is wrong: a name that is not known, and a value of a wrong type."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def kind_of(value: object) -> str:
    """Return the name of a value's type, with its article; None is `None`."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def unknown(kind: str, given: object, known: Iterable[str]) -> str:
    """Return the sentence about a name that is not known: the closest one, or else all that are."""
    names = sorted(known)
    close = difflib.get_close_matches(given, names, 1) if isinstance(given, str) else []
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
    return f"there is no {kind} {given!r}; {hint}"
