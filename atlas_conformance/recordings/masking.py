"""Masking what one recorded exchange repeats of the credentials that another one shows.

It is done before the judge sees the exchange, so it must not change what the judge says: a value that is a name or an
id of the traffic as well stays.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from http import HTTPStatus
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Headers, decoded_segments
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.judge import Judge
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.http.redaction.echoes import Forms
from atlas_conformance.http.redaction.redaction import hushed, redact, redact_response, without_credentials
from atlas_conformance.http.redaction.seen_credentials import SeenCredentials, masked
from atlas_conformance.http.redaction.shown import TELLING_HEADERS, Kind, handed_over, shown_by_answer, shown_by_request
from atlas_conformance.http.redaction.skeleton import bones
from atlas_conformance.http.secret import MASK
from atlas_conformance.recordings.bodies import Lost, stored_body
from atlas_conformance.recordings.spread import without_spread

_MASKS = (MASK.encode(), b"masked", b"MASKED")
"""Tried in this order, as some properties hold words of a certain form only."""
_ID = re.compile(r"[a-f0-9]{24}")
_CLUSTER = re.compile(r"/(?:clusters|flexClusters)/([A-Za-z0-9][A-Za-z0-9\-]{0,63})/")
_ITEM_NAME = re.compile(r"[\w\-.(),:&@+']{1,64}")
_WORD = re.compile(r"[A-Za-z_.\-]{1,60}[0-9]{0,4}")
_NAMED = re.compile(
    rb'"(?:name|instanceName|clusterName|targetClusterName|targetDeploymentItemName|replicaSetName)"\s*:\s*"([^"\\]+)"'
)
_MOST_NAMES, _LONGEST_NAME = 10_000, 64


class Masking:
    """Learns credentials from recorded traffic, and masks exchanges. Memory does not grow with the traffic."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._seen = SeenCredentials(ordinary_words())
        self._names: dict[bytes, None] = {}
        self._settled = False

    @property
    def known(self) -> int:
        """How many credentials are known; never more than a few thousand."""
        return len(self._seen)

    def settle(self) -> None:
        """Take what was learnt so far for all that there is to learn, unless it was too much to be remembered."""
        self._settled = not self._seen.forgotten

    def learn_entry(self, entry: Any) -> None:
        """Learn from an entry of a HAR file, of whatever place; what is not in HAR's form is passed over."""
        if self._settled:
            return
        sent, got = (_mapping(_mapping(entry).get(part)) for part in ("request", "response"))
        url = sent.get("url")
        if isinstance(url, str):
            self._learn_target(url)
        for message, shown in ((sent, shown_by_request), (got, shown_by_answer)):
            if headers := _telling(message.get("headers")):
                self._seen.add(shown(headers))
            if cookies := message.get("cookies"):
                self._seen.add((value, "cookie") for _, value in _pairs(cookies))
        for message, part in ((sent, "postData"), (got, "content")):
            content = message.get(part)
            if isinstance(content, Mapping):
                self._learn_content(content, message.get("headers"))

    def learn(self, exchange: Exchange) -> None:
        """Learn from an exchange of which nothing is masked yet.

        What it calls by a name that is not known for a credential is a name from then on: a credential that comes later
        and reads the same would otherwise seem to change what was shown before.
        """
        if self._settled:
            return
        request, response = exchange.request, exchange.response
        self._learn_target(request.target)
        self._seen.add(shown_by_request(request.headers or ()))
        self._seen.add(shown_by_answer(response.headers))
        self._seen.add(handed_over(request.body or b""))
        self._seen.add(handed_over(response.body))
        for body in (request.body or b"", response.body):
            for match in _NAMED.finditer(body):
                name = match[1].decode("utf-8", "replace")
                if name not in self._seen:  # a credential that comes to stand there is no name
                    self._learn_name(name)

    def _learn_target(self, target: str) -> None:
        cluster = _CLUSTER.search(target)
        if cluster is not None:
            self._learn_name(cluster[1])
        if "=" in target:
            self._seen.add(handed_over(target.encode("utf-8", "surrogatepass")))

    def _learn_name(self, name: str) -> None:
        bare = _bare(name)
        if bare not in self._names and len(name) <= _LONGEST_NAME:
            if len(self._names) >= _MOST_NAMES:
                del self._names[next(iter(self._names))]
            self._names[bare] = None

    def _learn_content(self, content: Mapping[str, Any], headers: Any) -> None:
        text = content.get("text")
        if isinstance(text, str):
            self._seen.add(handed_over(text.encode("utf-8", "surrogatepass")))
        plain = text[:1] in ("{", "[", "") if isinstance(text, str) else "_attached" not in content
        if not plain:
            with suppress(Lost):
                named = [value for name, value in _pairs(headers) if name.lower() == "content-encoding"]
                self._seen.add(handed_over(stored_body(content, ",".join(named)) or b""))
        for name, value in _pairs(content.get("params")):
            self._seen.add(handed_over(f"{name}={value}".encode("utf-8", "surrogatepass")))

    def cleaned(self, exchange: Exchange) -> Exchange:
        """Return an exchange from which `learn` or `learn_entry` has learnt, free of what must not be stored."""
        return self.masked(without_credentials(redact_response(exchange, echoes=False)))

    def masked(self, exchange: Exchange) -> Exchange:
        """Return the exchange without the known credentials that it repeats; the same object where it repeats none.

        Where masking a value would break a rule of the contract that the exchange keeps, the value is no credential
        from then on.
        """
        if not self._seen:
            return exchange
        found = self._seen.found_in(_text(exchange))
        for value in [value for value, kind in found.items() if self._is_name(value, kind, exchange)]:
            self._seen.spare(value)
            del found[value]
        if not found:
            return exchange
        whole = _without(exchange, found, _MASKS[0])
        if whole is exchange or _harmless(exchange, whole):
            return without_spread(whole, found, self._is_told)
        clean = exchange
        for value in list(found):
            tries = (_without(clean, (value,), mask) for mask in _MASKS)
            harmless = next((tried for tried in tries if tried is clean or _harmless(exchange, tried)), None)
            if harmless is None:
                self._seen.spare(value)
                del found[value]
            else:
                clean = harmless
        return without_spread(clean, found, self._is_told)

    def _is_told(self, word: str) -> bool:
        """Tell whether a word is one that traffic holds anyway: of the contract, or a name."""
        return word in ordinary_words() or _bare(word) in self._names

    def _is_name(self, value: str, kind: Kind, exchange: Exchange) -> bool:
        """Tell whether a value is known as, or shown where, the name of a cluster or an id stands."""
        if _bare(value) in self._names:
            return True
        if _ID.fullmatch(value):
            return value in decoded_segments(exchange.request.path)
        form = {"name": _ITEM_NAME, "cookie": _WORD}.get(kind)
        if form is None or not form.fullmatch(value):
            return False
        wanted = value.encode("utf-8", "surrogatepass")
        bodies = (exchange.request.body or b"", exchange.response.body)
        return any(match[1] == wanted for body in bodies for match in _NAMED.finditer(body))


def _text(exchange: Exchange) -> bytes:
    request, response = exchange.request, exchange.response
    values = [value for headers in (request.headers or (), response.headers) for _, value in headers]
    head = "\n".join((request.target, *values)).encode("utf-8", "surrogatepass")
    return b"\n".join((head, request.body or b"", response.body))


def _without(exchange: Exchange, values: Iterable[str], mask: bytes) -> Exchange:
    """Return the exchange with the values replaced wherever they stand in one place; the same object where they stand
    nowhere.
    """
    request, response, values = exchange.request, exchange.response, tuple(values)
    forms = Forms(values, rare=True)

    def clean_body(body: bytes) -> bytes:
        return forms.masked_bytes(masked(body, values, mask), mask)

    def clean(text: str) -> str:
        raw = text.encode("utf-8", "surrogatepass")
        cleaned = clean_body(raw)
        return text if cleaned is raw else cleaned.decode("utf-8", "surrogatepass")

    def clean_headers(headers: Headers) -> Headers:
        return tuple((name, clean(value)) for name, value in headers)

    sent = replace(
        request,
        target=clean(request.target),
        headers=None if request.headers is None else clean_headers(request.headers),
        body=None if request.body is None else clean_body(request.body),
    )
    got = replace(response, headers=clean_headers(response.headers), body=clean_body(response.body))
    return exchange if (sent, got) == (request, response) else replace(exchange, request=sent, response=got)


def _harmless(before: Exchange, after: Exchange) -> bool:
    """Tell whether the judge finds nothing in an exchange that it does not find in the one before masking."""
    return not _findings(after) - _findings(before)


def _findings(exchange: Exchange) -> Counter[tuple[str, str, str | None]]:
    found = Judge(knowledge=Knowledge()).judge_sent(exchange).findings
    return Counter((finding.requirement, finding.operation, finding.departure) for finding in found)


def _bare(name: str) -> bytes:
    """Return what of a name counts; all of it where it has no ASCII letters."""
    raw = name.encode("utf-8", "surrogatepass")
    return bones(raw) or raw


@cache
def ordinary_words() -> str:
    """Return the words of the contract and of HTTP, none of which is a credential, nor any part of one."""
    words = {"application/json; charset=utf-8", *(mask.decode() for mask in _MASKS)}
    words.update(str(status.phrase) for status in HTTPStatus)
    for operation in Contract.load().operations.values():
        words |= {operation.template, f"{operation.media_type};charset=utf-8"}
    words.update(_words(Contract.load().schemas.documents))
    return "\n".join(sorted(words))


def _words(schema: Any) -> Iterator[str]:
    """Yield the names of properties and the members of enumerations, at any depth."""
    if isinstance(schema, Mapping):
        for key, value in schema.items():
            yield key
            if key == "enum":
                yield from (member for member in value if isinstance(member, str))
            yield from _words(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _words(item)


def _telling(headers: Any) -> Headers:
    """Return the header lines of HAR that may show a credential: most often none."""
    if not isinstance(headers, list):
        return ()
    try:
        if TELLING_HEADERS.isdisjoint({pair["name"].lower() for pair in headers}):
            return ()
    except (AttributeError, KeyError, TypeError):
        pass  # one that is broken does not hide the others
    return tuple(_pairs(headers))


def _pairs(pairs: Any) -> Iterator[tuple[str, str]]:
    """Yield names and values of a list in HAR, without invalid ones."""
    for pair in pairs if isinstance(pairs, list) else ():
        name, value = _mapping(pair).get("name"), _mapping(pair).get("value")
        if isinstance(name, str) and isinstance(value, str):
            yield name, value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def presentable(exchange: Exchange, findings: Iterable[Finding]) -> tuple[Exchange, tuple[Finding, ...]]:
    """Return a cleaned exchange with its findings as both may be shown: nothing of what they left out is quoted."""
    return redact(exchange, echoes=False), hushed(exchange, findings)
