"""Parts of sentences for people: counts with their nouns, and text of an endpoint made harmless."""

from __future__ import annotations

from atlas_conformance.contracts.json_text import indented, is_json

_PRETTY_LIMIT = 100_000


def visible(text: str) -> str:
    """Return `text` with every character that is not printable written as an escape, but for newlines and tabs.

    So that text of an endpoint can neither steer a terminal nor reorder what a person reads.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else _escape(c) for c in text)


def one_line(text: str, limit: int = 300) -> str:
    """Return `text` made visible, on one line, shortened to `limit` characters."""
    return shortened(" ".join(visible(text[: limit * 4]).split()), limit)


def shortened(text: str, limit: int) -> str:
    """Return `text` cut to at most `limit` characters, the last one an ellipsis where something was cut off."""
    return text if len(text) <= limit else text[: max(0, limit - 1)] + "…"


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def readable(body: bytes | None, *, lines: int = 40, characters: int = 4000) -> str:
    """Return a body as text for a person: JSON indented, what is not printable escaped, cut to the given size."""
    if not body:
        return "(no body)"
    text = body[: _PRETTY_LIMIT * 4].decode("utf-8", "backslashreplace")
    if len(body) <= _PRETTY_LIMIT and is_json(body):
        text = indented(text)
    kept = visible(text[:characters]).split("\n")
    cut = len(text) > characters or len(kept) > lines or len(body) > _PRETTY_LIMIT * 4
    shown = "\n".join(kept[:lines])
    return f"{shown}\n… ({len(body):,} bytes in all)" if cut else shown


def plural(n: int, noun: str, many: str | None = None) -> str:
    """Return the number with its noun, as in `1 exchange` and `2,100 exchanges`."""
    return f"{n:,} {noun if n == 1 else many or noun + 's'}"
