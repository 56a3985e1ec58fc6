"""Rules that single out requests, by operation and number, and answer them otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reference.endpoint import Endpoint, RawHeaders
from atlas_conformance.reference.fault import NOWHERE, TOKEN
from atlas_conformance.reference.messages import Call

LOOKUPS = "lookups"
"""Stands for what clients look up around a restore, in a rule's operations."""

PLACES = (*Contract.load().operations, TOKEN, LOOKUPS)
"""What a rule may name as its operations."""

STATUSES = frozenset(HTTPStatus)
"""What a rule may answer with."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Requests, and what happens to them.

    They are those of `operations` (any of the contract's, where none is named) after the first `after`, as many as
    `times`, or all. They wait `delay` seconds; then the connection is cut where `drop` says so; or they are answered
    with `status`; or they are served with a fault of the catalogue, or with `freedoms`.
    """

    operations: tuple[str, ...] = ()
    after: int = 0
    times: int | None = None
    status: int | None = None
    error_code: str = ""
    retry_after: int | None = None
    delay: float = 0.0
    drop: bool = False
    fault: str | None = None
    freedoms: Mapping[str, str] = field(default_factory=dict)

    def covers(self, place: str) -> bool:
        """Tell whether the rule is about an operation."""
        return place in self.operations if self.operations else place in Contract.load().operations


@dataclass(frozen=True, slots=True)
class Direction:
    """What a rule makes of one request."""

    rule: Rule
    endpoint: Endpoint

    def handle(self, call: Call) -> tuple[int, RawHeaders, bytes]:
        """Return the status, headers and body that the call is answered with."""
        status = self.rule.status
        if status is None:
            return self.endpoint.handle(call)
        document = {
            "error": status,
            "errorCode": self.rule.error_code or HTTPStatus(status).name,
            "detail": "A rule says so.",
            "reason": HTTPStatus(status).phrase,
            "parameters": [],
        }
        body = orjson.dumps(document)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        if self.rule.retry_after is not None:
            headers.append((b"retry-after", str(self.rule.retry_after).encode()))
        return status, headers, body


class Directions:
    """The rules in their order: of those that a request falls under, the first decides."""

    def __init__(self, rules: Iterable[Rule], made: Callable[[Rule], Endpoint]) -> None:
        """`made` returns an endpoint with a rule's fault or freedoms; it may raise ValueError for one of them."""
        self._made = made
        self.rules: list[Rule] = []
        self._endpoints: list[Endpoint | None] = []
        self._seen: list[int] = []
        for rule in rules:
            self.add(rule)

    def add(self, rule: Rule) -> None:
        """Add a rule after all others; raises ValueError where an operation, its status, its fault or its freedoms are
        unknown.
        """
        unknown = [name for name in rule.operations if name not in PLACES]
        if unknown:
            raise ValueError(f"there is no operation {unknown[0]!r}; there are {', '.join(PLACES)}")
        if rule.status is not None and rule.status not in STATUSES:
            raise ValueError(f"there is no HTTP status {rule.status}")
        self._endpoints.append(self._made(rule) if rule.fault is not None or rule.freedoms else None)
        self.rules.append(rule)
        self._seen.append(0)

    def clear(self) -> None:
        """Drop every rule."""
        self.rules.clear()
        self._endpoints.clear()
        self._seen.clear()

    def next(self, call: Call, usual: Endpoint) -> Direction | None:
        """Count a request for every rule that is about it; return what the first one makes of it, or None.

        One without credentials, where they are needed, is what a client sends to be challenged: no rule is about it.
        """
        place = usual.place(call)
        if b"authorization" not in call.headers and usual.backend.authentication.schemes:
            return None
        place = LOOKUPS if place == NOWHERE else place
        found: Direction | None = None
        for number, rule in enumerate(self.rules):
            if not rule.covers(place):
                continue
            seen = self._seen[number]
            self._seen[number] += 1
            holds = seen >= rule.after and (rule.times is None or seen < rule.after + rule.times)
            if holds and found is None:
                found = Direction(rule, self._endpoints[number] or usual)
        return found
