"""One entry of a HAR file as an exchange. What of it cannot be read is left out, and only that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Headers, Request, Response
from atlas_conformance.recordings.bodies import NOT_RECORDED, Lost, answer_body, request_body
from atlas_conformance.recordings.entries import OUTSIDE, Recorded, Unjudged
from atlas_conformance.recordings.masking import Masking
from atlas_conformance.recordings.places import target_of
from atlas_conformance.recordings.spread import LEFT_OUT_BEFORE, is_left_out, left_out_of

NO_ANSWER = "that had no answer"
NOT_LEGIBLE = "that could not be read"
NO_HEADERS = "that had an answer whose headers were not recorded"

HEADER_LEFT_OUT = "without a header line that is no text"
TIME_LEFT_OUT = "whose time could not be read, so that their order is not known"
REQUEST_BODY_LEFT_OUT = "without the request's body, which"

_BODILESS = (204, 304)
"""Statuses of answers that have no body, and so need no media type."""
_ALMOST_A_SECOND = 0.999_999
ANY_MOMENT = (0.0, 253_402_300_799.0)
"""The interval of an exchange whose time is not known: all of it, so that nothing is read from its order."""


def recorded(entry: Any, masking: Masking | None = None) -> Recorded | Unjudged:
    """Return the exchange of one HAR entry, or why there is none to judge; `masking` learns from it in any case, and
    masks it.
    """
    masking = masking or Masking()
    masking.learn_entry(entry)
    if not isinstance(entry, dict):
        return Unjudged(NOT_LEGIBLE, "which is no object")
    sent, got = entry.get("request"), entry.get("response")
    if not isinstance(sent, dict):
        return Unjudged(NOT_LEGIBLE, "which has no request")
    url, method = sent.get("url"), sent.get("method")
    if not isinstance(url, str):
        return Unjudged(NOT_LEGIBLE, "whose request has no url")
    target = target_of(url)
    if target is None:
        return Unjudged(OUTSIDE)
    if not isinstance(method, str) or not method.strip():
        return Unjudged(NOT_LEGIBLE, "whose request has no method")
    method = method.strip().upper()
    if Contract.load().is_outside(method, target.partition("?")[0]):
        return Unjudged(OUTSIDE)
    if not isinstance(got, dict):
        return Unjudged(NO_ANSWER)
    return _exchange(entry, sent, got, (method, target), masking)


def _exchange(
    entry: Mapping[str, Any],
    sent: Mapping[str, Any],
    got: Mapping[str, Any],
    line: tuple[str, str],
    masking: Masking,
) -> Recorded | Unjudged:
    method, target = line
    status = _status(got.get("status"))
    if status is None:
        return Unjudged(NO_ANSWER)
    left_out: list[str] = []
    headers, whole = _headers(got.get("headers"))
    content = got.get("content")
    content = content if isinstance(content, dict) else {}
    if not whole:
        left_out.append(HEADER_LEFT_OUT)
    if not headers or not whole:
        with_media = _with_media_type(headers, content, status)
        if with_media is None:
            return Unjudged(NO_HEADERS)
        headers = with_media
    try:
        body = answer_body(content, status, method, got.get("bodySize"), headers)
    except Lost as lost:
        return Unjudged(f"that had an answer whose body {lost.reason}")
    if is_left_out(body):
        return Unjudged(LEFT_OUT_BEFORE)
    asked, whole = _headers(sent.get("headers"))
    if not whole:
        left_out.append(HEADER_LEFT_OUT)
    request_bytes, body_recorded = None, True
    try:
        request_bytes = request_body(sent.get("postData"), method, sent.get("bodySize", -1), asked)
    except Lost as lost:
        body_recorded = False
        if lost.reason != NOT_RECORDED:
            left_out.append(f"{REQUEST_BODY_LEFT_OUT} {lost.reason}")
    moments = _interval(entry)
    if moments is None:
        left_out.append(TIME_LEFT_OUT)
        moments = ANY_MOMENT
    request = Request(
        method=method,
        target=target,
        headers=asked if asked and whole else None,
        body=request_bytes,
        credential="unknown",
        body_recorded=body_recorded,
    )
    exchange = Exchange(request, Response(status, headers, body), *moments)
    page = entry.get("pageref")
    page = page if isinstance(page, str) and page else None
    clean = masking.cleaned(exchange)
    left_out += left_out_of(exchange, clean)
    return Recorded(clean, left_out=tuple(dict.fromkeys(left_out)) if left_out else (), page=page)


def _status(value: Any) -> int | None:
    """Return the status of an answer, which some recorders write as text, or None where there was no answer."""
    if isinstance(value, str):
        word = value.strip()[:4].strip()
        value = int(word) if len(word) == 3 and word.isascii() and word.isdigit() else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599 else None


def _headers(pairs: Any) -> tuple[Headers, bool]:
    """Return the header lines that can be read, and whether these are all.

    The pseudo-headers that some recorders write for HTTP/2 are left out. An object of names and values, which other
    tools write, is read like a list.
    """
    try:
        return tuple([(pair["name"], pair["value"] + "") for pair in pairs if pair["name"][:1] != ":"]), True
    except (TypeError, KeyError, AttributeError):
        pass
    if isinstance(pairs, dict):
        named = [
            (name, value)
            for name, values in pairs.items()
            for value in (values if isinstance(values, list) else [values])
        ]
    elif isinstance(pairs, list):
        named = [(pair.get("name"), pair.get("value")) if isinstance(pair, dict) else (None, None) for pair in pairs]
    else:
        return (), pairs is None
    found = tuple((name, _word(value)) for name, value in named if isinstance(name, str) and name[:1] != ":")
    lines = tuple((name, value) for name, value in found if value is not None)
    return lines, len(lines) == len(found) and all(isinstance(name, str) for name, _ in named)


def _word(value: Any) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value) if isinstance(value, float) or value.bit_length() < 64 else None
    return value if isinstance(value, str) else None


def _with_media_type(headers: Headers, content: Mapping[str, Any], status: int) -> Headers | None:
    """Return header lines of which not all are known, with the media type that stands beside the body; None where no
    media type is known.
    """
    if any(name.lower() == "content-type" for name, _ in headers):
        return headers
    media = content.get("mimeType")
    if isinstance(media, str) and "/" in media and not media.startswith("x-"):
        return (*headers, ("Content-Type", media))
    return headers if status in _BODILESS else None


def _interval(entry: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return between which moments the exchange took place, in epoch seconds; None where that is not known.

    A time in whole seconds stands for any moment of that second, so the interval is that much longer and nothing is
    read from the order of two exchanges within it. A `time` of -1 means that the length was not recorded.
    """
    moment = _moment(entry.get("startedDateTime"))
    if moment is None:
        return None
    started, coarse = moment
    length = entry.get("time", -1)
    known = isinstance(length, int | float) and not isinstance(length, bool) and 0 < length < 1e12
    seconds = length / 1000 if known else 0.0
    return started, started + seconds + (_ALMOST_A_SECOND if coarse else 0.0)


def _moment(value: Any) -> tuple[float, bool] | None:
    """Return epoch seconds of a moment, and whether it has whole seconds only; None if it is no moment."""
    if isinstance(value, str):
        return _moment_of_text(value)
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
        return None
    seconds = value / 1000 if value > 1e11 else float(value)
    return (seconds, float(seconds).is_integer()) if 0 < seconds < ANY_MOMENT[1] else None


@lru_cache(maxsize=4_096)
def _moment_of_text(text: str) -> tuple[float, bool] | None:
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.timestamp(), "." not in text and "," not in text
    except (ValueError, OverflowError):
        return None
