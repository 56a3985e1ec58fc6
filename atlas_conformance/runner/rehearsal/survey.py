"""What an endpoint shows of itself before a rehearsal: by the GETs of the preflight, or by its target file alone."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Scheme
from atlas_conformance.contracts.operation import LEVELS, takes_in
from atlas_conformance.contracts.validation import NotJson, parse_json
from atlas_conformance.http.client import Client
from atlas_conformance.http.target import Target, with_absent
from atlas_conformance.runner.latency import median_latency
from atlas_conformance.runner.looking import look
from atlas_conformance.runner.offering import offered_operations

_ENOUGH_JOBS = 3
"""More jobs of a cluster than this are of no use: a run reads the first one that a list shows."""


@dataclass(frozen=True)
class Survey:
    """What is known of an endpoint besides its target file.

    `offered` says of each operation that it is offered (True) or why not. `takes_any`: it takes any well-formed id.
    `open`: it answers without credentials. `remote_because` is why it is held for a remote one, empty on loopback.
    `earlier` is how many jobs the list of a cluster, by (project, name), showed, `_ENOUGH_JOBS` at most. `latency` is
    the seconds that an answer took, None where nothing was sent, and `requests` how many requests were.
    """

    offered: Mapping[str, bool | str]
    takes_any: bool = False
    open: bool = False
    remote_because: str = ""
    earlier: Mapping[tuple[str, str], int] = field(default_factory=lambda: MappingProxyType({}))
    latency: float | None = None
    requests: int = 0


def survey(target: Target, seed: int) -> Survey:
    """Ask the endpoint by the preflight's GETs (and, where it has a service account alone, for its token).

    Raises PreflightFailed where it cannot be reached or verified, TargetError where it cannot be connected to.
    """
    target = with_absent(target, seed)
    owner = target.credentials.get("owner")
    with ExitStack() as clients:

        def connected(prefer: Scheme | None) -> Client:
            return clients.enter_context(Client(target, prefer=prefer))

        # An API key comes first: it takes no request but the reads themselves.
        client, found = look(connected, seed, ("digest" if owner is not None and owner.digest else None, None))
        _, reasons = offered_operations(client.target, found)
        return Survey(
            offered=MappingProxyType(reasons),
            takes_any=found.takes_any,
            open=found.open,
            remote_because=client.guard.remote_because,
            earlier=MappingProxyType(_earlier(found.exchanges)),
            latency=median_latency(found.exchanges),
            requests=len(found.exchanges),
        )


def unasked(target: Target) -> Survey:
    """Return what the target file alone says; where it leaves the level open, every operation counts as offered."""
    claimed = LEVELS[-1] if target.level is None else target.level
    offered: dict[str, bool | str] = {}
    for operation in Contract.load().operations.values():
        if target.operations is not None:
            there, reason = operation.id in target.operations, "the target does not list it"
        else:
            there, reason = takes_in(claimed, operation.level), f"the target claims the level {claimed} alone"
        offered[operation.id] = True if there else reason
    takes_any = not target.inventory.clusters and target.loopback
    remote = "" if target.loopback else "its host is not loopback"
    return Survey(offered, takes_any, "owner" not in target.credentials, remote)


def _earlier(exchanges: tuple[Exchange, ...]) -> dict[tuple[str, str], int]:
    """Return how many jobs the lists among the answers show, by the (project, name) of their cluster."""
    earlier: dict[tuple[str, str], int] = {}
    for exchange in exchanges:
        named = Contract.load().match(exchange.request.method, exchange.request.path)
        if named is None or named[0].kind != "list" or exchange.response.status != 200:
            continue
        project, cluster = tuple(named[1].values())[:2]
        earlier[project, cluster] = min(_jobs_in(exchange.response.body), _ENOUGH_JOBS)
    return earlier


def _jobs_in(body: bytes) -> int:
    try:
        page: Any = parse_json(body)
    except NotJson:
        return 0
    jobs = page.get("results") if isinstance(page, dict) else None
    return len(jobs) if isinstance(jobs, list) else 0
