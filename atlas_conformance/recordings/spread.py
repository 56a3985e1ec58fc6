"""Leaving out what repeats a credential spread over several places, where it cannot be masked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from atlas_conformance.contracts.exchange import Exchange, Headers, Request, Response
from atlas_conformance.http.redaction.echoes import Forms, forms_of
from atlas_conformance.http.redaction.redaction import LEFT_OUT, SpreadResponse
from atlas_conformance.http.secret import MASK

REQUEST_LEFT_OUT = "without the request's headers and body, which repeat a credential in several places"
NOT_SHOWN = "whose answer is judged, and its body left out: it repeats a credential in several places"
LEFT_OUT_BEFORE = "whose answer's body was left out when it was recorded, as it repeats a credential in several places"

_IDS = re.compile(rb'"(?:\w*I|i)d"\s*:\s*"([a-f0-9]{24})"').finditer
_WORDS = re.compile(r"[^\W_]+")
_LEAST_TELLING = 16
"""Pieces show a credential if this number of its letters is in no word that traffic holds anyway."""
_TOLD_BY_PIECES = 8
_LAST_LETTERS = 256
"""Of a longer credential its end is looked for in pieces."""
_JUDGED_HEADERS = frozenset({"content-type"})


def without_spread(exchange: Exchange, values: Iterable[str], is_told: Callable[[str], bool]) -> Exchange:
    """Return an exchange from which `values` are masked in each place, without what shows one over several places.

    The answer becomes a SpreadResponse, which can be judged and is never stored. Of the request headers and body count
    as not recorded. `is_told` tells of a word that it is in traffic anyway.
    """
    kept = tuple(values)
    if not kept:
        return exchange
    ids = {match[1].decode() for body in (exchange.request.body or b"", exchange.response.body) for match in _IDS(body)}
    names = ids.union(re.split(r"[/?&=]", exchange.request.target))
    telling = [value for value in kept if _is_telling(value, lambda word: word in names or is_told(word))]
    spread = _Spread(kept, telling[:_TOLD_BY_PIECES])
    request, response = exchange.request, exchange.response
    sent = _request(request, spread)
    got = _response(response, spread)
    return exchange if sent is request and got is response else replace(exchange, request=sent, response=got)


def left_out_of(before: Exchange, after: Exchange) -> tuple[str, ...]:
    """Return what of an exchange is not judged any more, as masking made `after` of it."""
    return (REQUEST_LEFT_OUT,) if before.request.body_recorded and not after.request.body_recorded else ()


def is_judged_again(exchange: Exchange) -> bool:
    """Tell whether an exchange shows what was judged: one without an answer, or without its body, does not."""
    return exchange.response.status != 0 and not is_left_out(exchange.response.body)


def is_not_shown(exchange: Exchange) -> bool:
    """Tell whether the body of an exchange's answer is judged only, and never stored."""
    return isinstance(exchange.response, SpreadResponse)


def is_left_out(body: bytes) -> bool:
    """Tell whether a recorded body says that it was left out because of what it repeats."""
    return body == LEFT_OUT


def _is_telling(value: str, is_told: Callable[[str], bool]) -> bool:
    return sum(len(word) for word in _WORDS.findall(value) if not is_told(word)) >= _LEAST_TELLING


class _Spread:
    def __init__(self, values: tuple[str, ...], telling: list[str]) -> None:
        self._whole = Forms(values, rare=True)
        self._pieces = forms_of(tuple(value[-_LAST_LETTERS:] for value in telling))

    def is_in(self, headers: Headers, body: bytes) -> bool:
        text = "\n".join(value for _, value in headers).encode("utf-8", "surrogatepass") + b"\n" + body
        return self._whole.remains_in(text) or self._pieces.remains_in(text)

    def without(self, headers: Headers) -> Headers:
        """Return header lines without what may be a piece."""
        return tuple(
            (name, MASK if name.lower() not in _JUDGED_HEADERS and self._pieces.may_be_in(value) else value)
            for name, value in headers
        )


def _request(request: Request, spread: _Spread) -> Request:
    if not spread.is_in(request.headers or (), request.body or b""):
        return request
    return replace(request, headers=None, body=None, body_recorded=False)


def _response(response: Response, spread: _Spread) -> Response:
    if not spread.is_in(response.headers, response.body):
        return response
    return SpreadResponse(response.status, spread.without(response.headers), response.body)
