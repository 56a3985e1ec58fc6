"""What the fixtures of the pytest plugin hand out: reference endpoints as markers describe them, and judges."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from atlas_conformance.adapters.traffic import TrafficJudge
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.inventory import Inventory
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.reference.credentials import Credentials
from atlas_conformance.reference.server import ReferenceServer, ServerError
from atlas_conformance.reference.settings import usual_step

_AT_START = ("level", "operations", "authentication", "rate", "latency")
_AT_RESET = ("fault", "freedoms", "imitate", "step")
_JUDGING = ("base_url", "credential", "strict", "remember")


class MarkerError(Exception):
    """A marker says what cannot be meant."""


@dataclass(frozen=True)
class AtlasEndpoint:
    """A reference endpoint that serves.

    `url` is its base URL, without a path; `inventory` what exists there; `credentials` those of an owner, a reader and
    an owner whose address is not on the access list, each as a key pair (`owner.public`, `owner.private`, for HTTP
    Digest) and as a service account (`owner_account.id`, `owner_account.secret`).
    """

    url: str
    inventory: Inventory
    credentials: Credentials
    knowledge: Knowledge

    @property
    def environ(self) -> dict[str, str]:
        """The owner's credentials and the URL by the names that clients of Atlas read from the environment."""
        return {
            "MONGODB_ATLAS_BASE_URL": self.url,
            "MONGODB_ATLAS_PUBLIC_API_KEY": self.credentials.owner.public,
            "MONGODB_ATLAS_PRIVATE_API_KEY": self.credentials.owner.private,
            "MONGODB_ATLAS_CLIENT_ID": self.credentials.owner_account.id,
            "MONGODB_ATLAS_CLIENT_SECRET": self.credentials.owner_account.secret,
        }


class Endpoints:
    """The reference endpoints of a test session, each started when a test first asks for one that is set up so."""

    def __init__(self) -> None:
        """Start none yet."""
        self._servers: dict[str, ReferenceServer] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Endpoints:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def get(self, wanted: Mapping[str, Any]) -> AtlasEndpoint:
        """Return an endpoint that behaves as `wanted`, without jobs of earlier tests. Raises MarkerError."""
        _check("atlas_endpoint", wanted, (*_AT_RESET, *_AT_START))
        start = {name: wanted[name] for name in _AT_START if name in wanted}
        reset = {name: wanted[name] for name in _AT_RESET if name in wanted}
        try:
            server = self._server(start)
            server.reset(**{"step": usual_step(start.get("latency", 0.0)), **reset})
        except ServerError as error:
            raise MarkerError(str(error)) from None
        knowledge = Knowledge(server.inventory, _offered(start), "digest" in server.schemes)
        return AtlasEndpoint(server.url, server.inventory, server.credentials, knowledge)

    def _server(self, start: Mapping[str, Any]) -> ReferenceServer:
        key = json.dumps(start, sort_keys=True, default=sorted)
        if key not in self._servers:
            self._servers[key] = self._stack.enter_context(ReferenceServer(**start))
        return self._servers[key]


def _offered(start: Mapping[str, Any]) -> frozenset[str]:
    """Return the ids of the operations that an endpoint offers which is started so."""
    offered = start.get("operations")
    return frozenset(
        operation.id
        for operation in Contract.load().operations.values()
        if (start.get("level") != "core" or operation.level == "core") and (offered is None or operation.id in offered)
    )


def make_judge(wanted: Mapping[str, Any], endpoint: AtlasEndpoint | None) -> TrafficJudge:
    """Return a judge that does as `wanted`, knowing what exists behind `endpoint`. Raises MarkerError."""
    _check("atlas_judge", wanted, ("on_failure", *_JUDGING))
    given = dict(wanted)
    on_failure = given.pop("on_failure", "fail")
    if on_failure not in ("fail", "raise", "collect"):
        raise MarkerError(f"on_failure is 'fail', 'raise' or 'collect', not {on_failure!r}")
    if endpoint is not None:
        given = {"knowledge": endpoint.knowledge, "base_url": endpoint.url, **given}
    kind = _FailingJudge if on_failure == "fail" else TrafficJudge
    try:
        return kind(on_failure="raise" if on_failure == "raise" else "collect", **given)
    except ValueError as error:
        raise MarkerError(str(error)) from None


class _FailingJudge(TrafficJudge):
    """One whose test fails at its end by what was collected."""


def settle(judge: object) -> None:
    """Raise RequirementFailed with what a judge has collected, if its test is to fail by that."""
    if isinstance(judge, _FailingJudge) and judge.failures:
        judge.assert_conforming()


def _check(marker: str, wanted: Mapping[str, Any], known: tuple[str, ...]) -> None:
    odd = sorted(wanted.keys() - set(known))
    if odd:
        raise MarkerError(f"the marker {marker} takes {', '.join(known)}, not {', '.join(odd)}")
