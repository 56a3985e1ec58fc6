"""What a request without an answer says of the endpoint, as an exchange and a finding."""

from __future__ import annotations

import time

from atlas_conformance.contracts.exchange import Exchange, Response
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.http.failures import Cause, NoAnswer

SPOILT: frozenset[Cause] = frozenset({"too-large", "malformed", "timeout"})
"""Causes that are the endpoint's own doing: it answered with what is no answer, or began and did not go on."""
LARGE = 65_536
"""Bytes of a request's body from which on an endpoint may stop reading, and answer or not."""


def is_spoilt(failure: NoAnswer) -> bool:
    """Tell whether a failure is one of the endpoint, even where the same request is answered well the next time.

    A connection that was cut may be the network's doing; so may silence after a large request.
    """
    large = len(failure.request.body or b"") > LARGE
    return failure.cause in SPOILT and not (large and failure.cause == "timeout")


def unanswered(failure: NoAnswer) -> Exchange:
    """Return the exchange that stands for a request without an answer: one of status 0."""
    now = time.time()
    return Exchange(failure.request, Response(0, (), b""), now, now)


def no_answer_finding(failure: NoAnswer, operation: str, *, gone: bool = False) -> Finding:
    """Return the finding; `gone` says that the endpoint has answered nothing since."""
    # An input that no answer follows, and after which none follows anything, is worse than one that earns a 500.
    requirement = "C-5XX" if gone else "C-STATUS"
    seen = f"no complete answer: {failure.reason}" + ("; since then the endpoint is gone" if gone else "")
    return Finding(requirement, operation, "an answer with a documented status", seen, "/response/status")
