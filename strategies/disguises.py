"""Malformed texts that a lenient endpoint turns back into a good one: trimmed, folded, normalised, decoded once more.

An endpoint that looks such a text up as it stands finds nothing, and refuses it even where it never checks the form.
One that cleans it up first finds what exists. So these tell more of a name or an id that exists than texts that are
merely wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

_FULL_WIDTH = {code: code + 0xFEE0 for code in range(ord("0"), ord("9") + 1)}
_FULL_WIDTH_LETTERS = {code: code + 0xFEE0 for code in (*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1))}
ZERO_WIDTH = "\u200b"
_GROUP = 8


def disguises(good: str) -> Iterator[tuple[str, str]]:
    """Yield (text, what) pairs, each of which one kind of clean-up turns into `good`; those seen most often first."""
    yield good + "\n", "a trailing newline"
    if good != good.upper():
        yield good.upper(), "upper case"
    yield good + " ", "a trailing space"
    yield "-" + good, "a hyphen before it"
    yield in_full_width(good), "full-width digits"
    yield " " + good, "a leading space"
    yield encoded_twice(good), "a character that is percent-encoded twice"
    yield good + good[:1], "its first character once more at the end"
    yield good + ZERO_WIDTH, "a zero-width space at the end"
    yield f'"{good}"', "quotes around it"
    yield good + ".", "a full stop at the end"
    yield good[:_GROUP] + "-" + good[_GROUP:], "a hyphen inside"
    yield good + "\x00", "a NUL at the end"
    yield good[:1] + "\u00ad" + good[1:], "a soft hyphen inside"
    yield good[:1] + "\u0301" + good[1:], "an accent on its first letter"
    yield "\ufeff" + good, "a byte order mark before it"
    yield good + "\t", "a trailing tab"
    yield good + "_", "an underscore at the end"
    yield "0x" + good, "0x before it"
    yield f"'{good}'", "apostrophes around it"
    yield f"{{{good}}}", "braces around it"
    yield f"{good},{good}", "itself twice, with a comma between"
    yield good.swapcase(), "swapped case"


def in_full_width(good: str) -> str:
    """Return the text with its digits in full width; where it has none, its letters; ASCII alone has such forms."""
    digits = good.translate(_FULL_WIDTH)
    return digits if digits != good else good.translate(_FULL_WIDTH_LETTERS)


def encoded_twice(good: str) -> str:
    """Return the text with its first character as a percent escape, which stays one when a path is decoded once."""
    return "".join(f"%{byte:02X}" for byte in good[:1].encode("utf-8", "replace")) + good[1:]
