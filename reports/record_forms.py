"""The types that the members of a journal's lines must have, so that no reader comes upon another one later."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, get_args

from atlas_conformance.contracts.exchange import Credential, Scheme

Check = Callable[[Any], bool]

_LATEST = 253_402_300_800.0  # the end of the year 9999
_MOST = 2**53
_CREDENTIALS = frozenset(get_args(Credential))
_SCHEMES = frozenset(get_args(Scheme))


class RecordError(ValueError):
    """A line is no record of a journal; the message is one sentence without its place."""


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _text_or_null(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST


def _integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _counts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_count, value))


def _texts_or_null(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(map(_text, value)))


def _texts_by_name(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_text, value.values()))


def _offered(value: Any) -> bool:
    return isinstance(value, dict) and all(item is True or isinstance(item, str) for item in value.values())


def _seconds(value: Any) -> bool:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return known and isfinite(value) and 0 <= value < _LATEST


def _moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _target(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    named = value.get("credentials") or {}
    files = value.get("files") or []
    return (
        all(_text_or_null(value.get(name)) for name in ("base_url", "level", "source"))
        and isinstance(named, dict)
        and all(map(_texts_by_name, named.values()))
        and isinstance(files, list)
        and all(map(_text, files))
    )


def _pairs(value: Any) -> bool:
    if not isinstance(value, list):
        return False
    return all(isinstance(pair, list) and len(pair) == 2 and _text(pair[0]) and _text(pair[1]) for pair in value)


def _stored(value: Any) -> bool:
    """Whether the members of a body, of which there is one, are texts."""
    return _text_or_null(value.get("body")) and all(
        name not in value or _text(value[name]) for name in ("body_base64", "body_deflate")
    )


def _request(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _text(value["method"])
        and _text(value["target"])
        and (value["headers"] is None or _pairs(value["headers"]))
        and _flag(value["recorded"])
        and _stored(value)
    )


def _response(value: Any) -> bool:
    if not isinstance(value, dict) or not _pairs(value["headers"]) or not _stored(value):
        return False
    return _integer(value["status"]) and 0 <= value["status"] <= 999


_FORMS: Mapping[str, Mapping[str, Check]] = {
    "header": {
        "contract": _text, "suite": _text, "target": _target, "profile": _text, "seed": _integer, "mode": _text,
        "workers": _count, "requirements": _texts_or_null, "started": _moment, "offered": _offered,
        "shard": _text_or_null, "versions": _texts_by_name, "knowledge": _object,
        "excluded": _texts_or_null, "conclusion": _text_or_null, "strict": _flag,
    },
    "exchange": {
        "n": _count, "test": _text, "operation": _text_or_null, "credential": lambda value: value in _CREDENTIALS,
        "scheme": lambda value: value in _SCHEMES, "started": _seconds, "ended": _seconds, "request": _request,
        "response": _response, "held": _pairs, "passing": _flag,
    },
    "finding": {
        "exchange": _count, "requirement": _text, "operation": _text, "pointer": _text, "expected": _text,
        "seen": _text, "departure": _text_or_null, "advice": _flag, "related": _counts, "led_by": _text_or_null,
    },
    "repeat": {
        "exchange": _count, "again": lambda value: value is None or _count(value), "requirement": _text,
        "operation": _text, "place": _text, "outcome": lambda value: value in ("repeated", "held", "untold"),
    },
    "contrast": {
        "exchange": _count, "other": _count, "requirement": _text, "operation": _text, "place": _text,
        "sentence": _text,
    },
    "status": {
        "status": lambda value: value in ("not exercised", "not offered", "withheld", "error"), "reason": _text,
        "requirement": _text_or_null, "operation": _text_or_null, "where": _text_or_null,
    },
    "job": {"id": _text, "family": _text, "project": _text, "cluster": _text, "state": _text},
    "closing": {
        "ended": _moment, "exchanges": _count, "findings": _count, "verdict": _text, "exit": _integer,
        "partial": _flag, "because": _text_or_null,
    },
}  # fmt: skip


def misformed(kind: str, line: Mapping[str, Any]) -> str | None:
    """Return the name of a member of a line of `kind` that is there and not of the right form, or None.

    Raises KeyError where a member inside another one is missing.
    """
    for name, check in _FORMS[kind].items():
        if name in line:
            value = line[name]
            try:
                if not check(value):
                    return name
            except TypeError:  # a list or an object, where one of several words is wanted
                return name
    return None
