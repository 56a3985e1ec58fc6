"""Waiting until an endpoint answers for the first time."""

from __future__ import annotations

import time
from collections.abc import Callable

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.http.client import Client
from atlas_conformance.http.failures import NotSent, PreflightFailed, TargetError
from atlas_conformance.http.target import draw_absent

_NOT_YET = frozenset({502, 503, 504})
"""What a gateway answers while there is nothing behind it yet."""
_PAUSE = 0.25


def wait_for_endpoint(
    client: Client,
    seconds: float,
    *,
    failed: Callable[[], str | None] = lambda: None,
    tell: Callable[[float, str], object] = lambda until, what: None,
) -> None:
    """Return once the client's target answers anything but that there is nothing behind a gateway yet.

    `failed` says why it will never, or None. Raises TargetError then, and PreflightFailed when the seconds are over.
    """
    absent = draw_absent(0)
    read = Contract.load().operations["flex-get"]
    target = read.path(project=absent.project, cluster=absent.cluster, job=absent.job)
    request = Request("GET", target, (("Accept", "application/json"),), credential="none")
    limit = time.monotonic() + seconds
    tell(limit, "for the endpoint's first answer")
    while True:
        if (reason := failed()) is not None:
            raise TargetError(reason)
        seen = _look(client, request)
        if seen is None:
            tell(time.monotonic(), "")
            return
        if time.monotonic() >= limit or client.ended:
            raise PreflightFailed(f"the endpoint did not answer within {seconds:g} s: {seen}")
        client.pause(_PAUSE)


def _look(client: Client, request: Request) -> str | None:
    """Return why the endpoint is not there yet, or None."""
    attempt = client.attempt_all([request])[0]
    if isinstance(attempt, Exchange):
        status = attempt.response.status
        return f"it answers {status}" if status in _NOT_YET else None
    assert isinstance(attempt, NotSent)
    return attempt.reason
