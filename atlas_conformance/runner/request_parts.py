"""A request taken apart into what can differ from another one, and put together again.

The parts are the path's parameters, each query parameter, each header, each property of the body as it is written, the
order of the properties, the white space between them, and whose credentials are sent by which scheme.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.operation import Operation


class Place(NamedTuple):
    """Where two requests may differ: the kind of part, and its name where there are several of the kind."""

    kind: str
    name: str = ""


PATH, QUERY, HEADER, PROPERTY = "path", "query", "header", "property"
SLASH, ORDER, SPACE = Place("slash"), Place("order"), Place("space")
BODY, CREDENTIAL, SCHEME = Place("body"), Place("credential"), Place("scheme")

Parts = Mapping[Place, Any]
"""The parts of a request by their places; what a request does not have is not there."""

_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_COMPACT = ("", "", "", "", "", "", "", "")


@dataclass(frozen=True)
class Members:
    """A JSON object as it is written: each property's name with the texts of its name and value, and the white space.

    `space` stands before `{` and after it, before `:` and after it, before `,` and after it, before `}` and after it.
    """

    texts: Mapping[str, tuple[str, str]]
    space: tuple[str, ...] = _COMPACT

    def spelt(self, order: Iterable[str]) -> str:
        """Return the object with its properties in this order."""
        before, opened, colon, coloned, comma, commaed, closing, after = self.space
        pairs = [f"{colon}:{coloned}".join(self.texts[name]) for name in order]
        return f"{before}{{{opened}{f'{comma},{commaed}'.join(pairs)}{closing}}}{after}"


def members_of(body: bytes) -> Members | None:
    """Return the body's properties; None where it is no JSON object, names a property twice, or is written unevenly."""
    try:
        text = body.decode("utf-8")
        found = _members(text)
    except (ValueError, RecursionError, IndexError):
        return None
    return found if found is not None and found.spelt(found.texts) == text else None


def _members(text: str) -> Members | None:
    """Read an object; raise ValueError or IndexError where there is none."""
    texts: dict[str, tuple[str, str]] = {}
    space = list(_COMPACT)

    def blank(at: int, place: int) -> int:
        end = _end_of_blank(text, at)
        space[place] = space[place] or text[at:end]
        return end

    at = blank(0, 0)
    if text[at] != "{":
        return None
    at = blank(at + 1, 1)
    while text[at] != "}":
        name, end = _DECODER.raw_decode(text, at)
        spelt = text[at:end]
        at = blank(end, 2)
        if not isinstance(name, str) or name in texts or text[at] != ":":
            return None
        at = blank(at + 1, 3)
        _, end = _DECODER.raw_decode(text, at)
        texts[name] = (spelt, text[at:end])
        at = _end_of_blank(text, end)
        if text[at] == "}":
            space[6] = text[end:at]
        elif text[at] == ",":
            space[4] = space[4] or text[end:at]
            at = blank(at + 1, 5)
        else:
            return None
    blank(at + 1, 7)
    return Members(texts, tuple(space))


def _end_of_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found is not None else at


def parts_of(request: Request, operation: Operation) -> Parts | None:
    """Return the parts of a request of this operation; None where its path is not the operation's."""
    segments, wanted = request.path.split("/"), operation.template.split("/")
    parts: dict[Place, Any] = {CREDENTIAL: request.credential, SCHEME: request.scheme}
    if operation.template.endswith("/"):
        parts[SLASH] = segments[-1] == "" and len(segments) == len(wanted)
        wanted = wanted if parts[SLASH] else wanted[:-1]
    if len(segments) != len(wanted):
        return None
    for segment, named in zip(segments, wanted, strict=True):
        if named.startswith("{"):
            parts[Place(PATH, named[1:-1])] = segment
        elif named != segment:
            return None
    for pair in filter(None, request.target.partition("?")[2].split("&")):
        place = Place(QUERY, unquote(pair.partition("=")[0]))
        parts[place] = (*parts.get(place, ()), pair)
    for name, value in request.headers or ():
        place = Place(HEADER, name.lower())
        parts[place] = (*parts.get(place, ()), (name, value))
    if request.body is not None:
        found = members_of(request.body)
        if found is None:
            parts[BODY] = request.body
        else:
            parts[ORDER], parts[SPACE] = tuple(found.texts), found.space
            parts |= {Place(PROPERTY, name): texts for name, texts in found.texts.items()}
    return parts


def differences(base: Parts, other: Parts) -> tuple[Place, ...]:
    """Return where two requests differ; of a body that cannot be taken apart, the whole body is one place.

    The white space alone says nothing where nothing stands between two properties.
    """
    whole = BODY in base or BODY in other or (ORDER in base) != (ORDER in other)
    places = [place for place in dict.fromkeys((*base, *other)) if place not in (ORDER, SPACE)]
    if whole:
        places = [place for place in places if place.kind != PROPERTY and place != BODY]
    found = [place for place in places if base.get(place) != other.get(place)]
    if whole:
        return (*found, BODY) if _body(base) != _body(other) else tuple(found)
    if ORDER in base:
        common = set(base[ORDER]) & set(other[ORDER])
        if [n for n in base[ORDER] if n in common] != [n for n in other[ORDER] if n in common]:
            found.append(ORDER)
        if base[SPACE] != other[SPACE]:
            found.append(SPACE)
    return tuple(found)


def mixed(base: Parts, other: Parts, places: Collection[Place]) -> Parts:
    """Return the parts of `base` with those of `other` at `places`."""
    parts = dict(base)
    if BODY in places:
        parts = {place: value for place, value in base.items() if not _is_of_body(place)}
        parts |= {place: value for place, value in other.items() if _is_of_body(place)}
    for place in places:
        if place in other:
            parts[place] = other[place]
        elif place != BODY:
            parts.pop(place, None)
    if ORDER in parts:
        names = [place.name for place in parts if place.kind == PROPERTY]
        parts[ORDER] = _in_order(names, parts[ORDER], other.get(ORDER, ()))
    return parts


def _in_order(names: list[str], first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """Return names in the first order; those that it does not have come where the second order has them."""
    ordered = [name for name in first if name in names]
    before: str | None = None
    for name in (*second, *names):
        if name in names and name not in ordered:
            ordered.insert(
                ordered.index(before) + 1 if before in ordered else 0 if before is None else len(ordered), name
            )
        if name in names:
            before = name
    return tuple(ordered)


def _is_of_body(place: Place) -> bool:
    return place.kind == PROPERTY or place in (BODY, ORDER, SPACE)


def _body(parts: Parts) -> bytes | None:
    """Return the body that parts make."""
    if ORDER in parts:
        texts = {place.name: value for place, value in parts.items() if place.kind == PROPERTY}
        return Members(texts, parts[SPACE]).spelt(parts[ORDER]).encode()
    body: bytes | None = parts.get(BODY)
    return body


def request_of(parts: Parts, operation: Operation) -> Request:
    """Return the request of an operation that these parts make."""
    segments = []
    for segment in operation.template.split("/"):
        segments.append(parts[Place(PATH, segment[1:-1])] if segment.startswith("{") else segment)
    if operation.template.endswith("/") and not parts[SLASH]:
        segments.pop()
    query = "&".join(pair for place, pairs in parts.items() if place.kind == QUERY for pair in pairs)
    headers = tuple(pair for place, pairs in parts.items() if place.kind == HEADER for pair in pairs)
    target = "/".join(segments) + (f"?{query}" if query else "")
    return Request(operation.method, target, headers, _body(parts), parts[CREDENTIAL], parts[SCHEME])
