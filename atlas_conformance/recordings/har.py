"""HAR 1.2 files as exchanges, one at a time."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from io import BufferedIOBase
from typing import Any

import orjson

from atlas_conformance.contracts.exchange import Exchange, Headers, Request, Response
from atlas_conformance.recordings.entries import Cut, NoRecording, Recorded, Unjudged
from atlas_conformance.recordings.masking import Masking
from atlas_conformance.recordings.places import target_of
from atlas_conformance.recordings.streaming import CutOff, JsonStream, NotJsonText

_NO_ANSWER = "had no answer"
_NO_BODY = "had an answer whose body was not recorded"
_NOT_LEGIBLE = "were no legible HAR entries"
_FOREIGN = "belong to no operation of the contract"
_ALMOST_A_SECOND = 0.999_999
_BEGIN = object()


def har_entries(file: BufferedIOBase, name: str, masking: Masking | None = None) -> Iterator[Recorded | Unjudged | Cut]:
    """Yield what a HAR file holds, in its order; a file that breaks off ends in a Cut.

    Exchanges come masked by `masking`, of what it knows already and what it learns from the file up to there.

    Raises NoRecording, one sentence that opens with `name`, where there are no entries in the form of HAR.
    """
    stream = JsonStream(file)
    masking = masking or Masking()
    entries = 0
    began = False
    try:
        for entry in _raw_entries(stream):
            began = True
            if entry is not _BEGIN:
                entries += 1
                yield recorded(entry, masking)
    except (CutOff, NotJsonText) as problem:
        if not began:
            reason = "it is cut off" if isinstance(problem, CutOff) else str(problem)
            raise NoRecording(f"{name} is neither a HAR file nor a journal: {reason}") from None
        reason = f"breaks off after {entries:,} entries"
        yield Cut(reason if isinstance(problem, CutOff) else f"{reason} ({problem})")
        return
    if not began:
        raise NoRecording(f"{name} is no HAR file: it has no log.entries")


def learn_from_har(file: BufferedIOBase, masking: Masking) -> None:
    """Let `masking` learn the credentials of a whole HAR file, up to where it breaks off."""
    with suppress(CutOff, NotJsonText):
        for entry in _raw_entries(JsonStream(file)):
            masking.learn_entry(entry)


def _raw_entries(stream: JsonStream) -> Iterator[Any]:
    """Yield where the entries begin, then each as it stands in the file."""
    for member in stream.members():
        if member != "log":
            stream.value()
            continue
        for inner in stream.members():
            if inner != "entries":
                stream.value()
                continue
            if stream.peek() == "[":
                yield _BEGIN
            yield from stream.items()


def recorded(entry: Any, masking: Masking | None = None) -> Recorded | Unjudged:
    """Return the exchange of one HAR entry, or why there is none to judge; `masking` learns from it in any case, and
    masks it.
    """
    masking = masking or Masking()
    masking.learn_entry(entry)
    try:
        target = target_of(entry["request"]["url"])
        if target is None:
            return Unjudged(_FOREIGN)
        return _exchange(entry, target, masking)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return Unjudged(_NOT_LEGIBLE)


def _exchange(entry: Mapping[str, Any], target: str, masking: Masking) -> Recorded | Unjudged:
    sent, got = entry["request"], entry["response"]
    status = got["status"]
    if not isinstance(status, int) or not 100 <= status <= 599:
        return Unjudged(_NO_ANSWER)
    body = _content(got.get("content") or {}, status)
    if body is None:
        return Unjudged(_NO_BODY)
    method = sent["method"].upper()
    headers = _headers(sent.get("headers") or [])
    request_body, body_recorded = _posted(sent, method)
    request = Request(
        method=method,
        target=target,
        headers=headers or None,
        body=request_body,
        credential="unknown",
        body_recorded=body_recorded,
    )
    started, ended = _interval(entry)
    exchange = Exchange(request, Response(status, _headers(got["headers"]), body), started, ended)
    return Recorded(masking.cleaned(exchange))


def _headers(pairs: list[Mapping[str, str]]) -> Headers:
    """Return the header lines; the pseudo-headers that some recorders write for HTTP/2 are left out."""
    return tuple([(pair["name"], pair["value"]) for pair in pairs if pair["name"][:1] != ":"])


def _content(content: Mapping[str, Any], status: int) -> bytes | None:
    """Return the body of an answer, or None where it was not recorded, or not to its end."""
    text, size = content.get("text"), content.get("size", 0)
    if text is None:
        return b"" if not size or status == 204 else None
    if content.get("encoding") == "base64":
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error:
            return None
    body: bytes = text.encode("utf-8", "surrogatepass")
    if isinstance(size, int) and size > len(body) and not _is_json(body):
        return None
    return body


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True


def _posted(sent: Mapping[str, Any], method: str) -> tuple[bytes | None, bool]:
    """Return the request's body and whether it is known."""
    posted = sent.get("postData")
    size = sent.get("bodySize", -1)
    if not posted:
        known = size == 0 or (method in ("GET", "HEAD", "DELETE", "OPTIONS") and size in (-1, None))
        return None, known
    text = posted.get("text")
    if text is None or (text == "" and (posted.get("params") or size not in (0, -1))):
        return None, False
    if posted.get("encoding") == "base64":
        try:
            return base64.b64decode(text, validate=True), True
        except binascii.Error:
            return None, False
    body: bytes = text.encode("utf-8", "surrogatepass")
    whole = not isinstance(size, int) or size <= len(body)
    return (body, True) if whole else (None, False)


def _interval(entry: Mapping[str, Any]) -> tuple[float, float]:
    """Return between which moments the exchange took place, in epoch seconds.

    A time in whole seconds stands for any moment of that second, so the interval is that much longer and nothing is
    read from the order of two exchanges within it. A `time` of -1 means that the length was not recorded.
    """
    started, coarse = _moment(entry["startedDateTime"])
    length = entry.get("time", -1)
    seconds = max(0.0, length / 1000) if isinstance(length, int | float) else 0.0
    return started, started + seconds + (_ALMOST_A_SECOND if coarse else 0.0)


@lru_cache(maxsize=4_096)
def _moment(text: str) -> tuple[float, bool]:
    """Return epoch seconds of an ISO 8601 time, and whether it tells whole seconds only."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp(), "." not in text and "," not in text
