"""Strict JSON, read from bytes."""

from __future__ import annotations

import json
from math import inf
from typing import Any, NoReturn

import orjson
import regex


class NotJson(ValueError):
    """The bytes are no JSON text; the message says why in a few words."""


def _refuse_constant(literal: str) -> NoReturn:
    raise NotJson(f"{literal} is no JSON number")


def _any_integer(digits: str) -> int | float:
    """Read an integer; one of thousands of digits, which Python declines to read, becomes an infinity."""
    try:
        return int(digits)
    except ValueError:
        return -inf if digits.startswith("-") else inf


def parse_json(body: bytes) -> Any:
    """Parse a JSON text in UTF-8. Raises NotJson, never anything else.

    A number beyond the range of a double becomes an infinity, so it is still seen as a number, but as no integer.
    """
    if _TOO_MANY_DIGITS not in body.translate(_DIGITS):
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            pass  # the slow way knows lone surrogates and infinities, and says what is wrong
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(f"byte {error.start} is not UTF-8") from None
    if not text.strip(" \t\n\r"):
        raise NotJson("it is empty")
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_int=_any_integer)
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg[:1].lower()}{error.msg[1:]} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise NotJson("it is nested too deeply to be read") from None


_DIGITS = bytes(ord("0") if chr(byte) in "0123456789" else byte for byte in range(256))
_TOO_MANY_DIGITS = b"0" * 19  # orjson makes a float of an integer beyond 64 bits


_PIECE = regex.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\]:,]|[^\s"{}\[\]:,]+')


def is_json(body: bytes) -> bool:
    """Whether a body is a JSON object or array."""
    try:
        return isinstance(orjson.loads(body), dict | list)
    except orjson.JSONDecodeError:
        return False


def indented(text: str) -> str:
    """Return JSON text spread over indented lines, its tokens unchanged (repeated keys, spellings of numbers)."""
    out: list[str] = []
    depth = 0
    tokens = _PIECE.findall(text)
    for index, token in enumerate(tokens):
        if token in "}]":
            depth -= 1
            if tokens[index - 1] not in ("{", "["):
                out.append("\n" + "  " * min(depth, 40))
        out.append(token)
        if token in "{[":
            depth += 1
            if index + 1 < len(tokens) and tokens[index + 1] not in ("}", "]"):
                out.append("\n" + "  " * min(depth, 40))
        elif token == ",":
            out.append("\n" + "  " * min(depth, 40))
        elif token == ":":
            out.append(" ")
    return "".join(out)
