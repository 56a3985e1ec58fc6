"""What the fixtures of the pytest plugin hand out: reference endpoints as markers describe them, and judges."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from atlas_conformance.adapters.failure import Failure, RequirementFailed
from atlas_conformance.adapters.traffic import TrafficJudge
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.inventory import Inventory
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.reference.arguments import check_arguments
from atlas_conformance.reference.credentials import Credentials
from atlas_conformance.reference.mock import MockAtlas
from atlas_conformance.reference.scenario_file import ScenarioError
from atlas_conformance.reference.server import ReferenceServer, ServerError
from atlas_conformance.reference.settings import usual_step

if TYPE_CHECKING:
    import pytest

_AT_START = ("level", "operations", "authentication", "rate", "latency")
_AT_RESET = ("fault", "freedoms", "imitate", "step")
_EXAMPLES = {"atlas_endpoint": "fault='flex-list/always-next'", "atlas_judge": "on_failure='raise'"}
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
        try:
            check_arguments(wanted)
        except ServerError as error:
            raise MarkerError(f"the marker atlas_endpoint: {error}") from None
        start = {name: wanted[name] for name in _AT_START if name in wanted}
        reset = {name: wanted[name] for name in _AT_RESET if name in wanted}
        try:
            server = self._server(start)
            server.reset(**{"step": usual_step(start.get("latency", 0.0)), **reset})
        except ServerError as error:
            raise MarkerError(f"the marker atlas_endpoint: {error}" if wanted else str(error)) from None
        knowledge = Knowledge(server.inventory, _offered(start), "digest" in server.schemes)
        return AtlasEndpoint(server.url, server.inventory, server.credentials, knowledge)

    def _server(self, start: Mapping[str, Any]) -> ReferenceServer:
        """Return the server that is started so; a new one where there is none, or its process has ended."""
        key = json.dumps(start, sort_keys=True, default=sorted)
        known = self._servers.get(key)
        if known is None or not known.is_running:
            if known is not None:
                known.stop()
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
        raise MarkerError(f"the marker atlas_judge: on_failure is 'fail', 'raise' or 'collect', not {on_failure!r}")
    if endpoint is not None:
        given = {"knowledge": endpoint.knowledge, "base_url": endpoint.url, **given}
    kind = _FailingJudge if on_failure == "fail" else TrafficJudge
    try:
        return kind(on_failure="raise" if on_failure == "raise" else "collect", **given)
    except (TypeError, ValueError) as error:
        raise MarkerError(f"the marker atlas_judge: {error}") from None


def make_mock(args: tuple[Any, ...], wanted: Mapping[str, Any]) -> MockAtlas:
    """Return a mock that serves, made with the arguments of the marker `atlas`. Raises MarkerError."""
    if len(args) > 1:
        raise MarkerError("the marker atlas takes a scenario first, and everything else by its keyword")
    try:
        return MockAtlas(*args, **wanted).__enter__()
    except (TypeError, ServerError, ScenarioError) as error:
        raise MarkerError(f"the marker atlas: {error}") from None


class _FailingJudge(TrafficJudge):
    """One whose test fails by what was collected."""

    _told = 0

    def news(self) -> tuple[Failure, ...]:
        """Return the failures that were collected since this was asked last."""
        found = self.failures
        news, self._told = found[self._told :], len(found)
        return news


def news_of(judges: Iterable[object]) -> tuple[Failure, ...]:
    """Return what these judges have found since this was asked last, of those whose tests are to fail by it."""
    return tuple(failure for judge in judges if isinstance(judge, _FailingJudge) for failure in judge.news())


def settle(judges: Iterable[object]) -> None:
    """Raise RequirementFailed with what these judges have found since they were asked last, if that is anything."""
    news = news_of(judges)
    if news:
        raise RequirementFailed(news)


def keywords_of(marker: str, marks: Iterable[pytest.Mark]) -> dict[str, Any]:
    """Return the keywords of a test's markers, the nearest first; of one given twice, the nearest counts.

    Raises MarkerError where something stands without a keyword.
    """
    given: dict[str, Any] = {}
    for mark in marks:
        if mark.args:
            example = _EXAMPLES[marker]
            raise MarkerError(f"the marker {marker} takes keywords alone, such as {example}, not {mark.args[0]!r}")
        given = {**mark.kwargs, **given}
    return given


def _check(marker: str, wanted: Mapping[str, Any], known: tuple[str, ...]) -> None:
    odd = sorted(wanted.keys() - set(known))
    if odd:
        raise MarkerError(f"the marker {marker} takes {', '.join(known)}, not {', '.join(odd)}")
