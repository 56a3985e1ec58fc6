"""The endpoint of a rehearsal: the reference endpoint with the inventory, the operations and the keys of another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from atlas_conformance.contracts.exchange import Credential
from atlas_conformance.contracts.inventory import Cluster, Inventory, Kind, PointInTime, RestoreTarget
from atlas_conformance.http.client import Client
from atlas_conformance.http.secret import Credentials, Secret
from atlas_conformance.http.target import Limits, Target, Tls, draw_absent
from atlas_conformance.reference.authentication import SCHEMES
from atlas_conformance.reference.credentials import KeyPair, ServiceAccount
from atlas_conformance.reference.server import ReferenceServer, ServerError
from atlas_conformance.runner.rehearsal.survey import Survey

_STEP = 0.001
_MOMENT = PointInTime(1_700_000_000, 1_700_000_000, 1)
_FREEDOMS = {"point-outside-window": "taken"}  # the target file vouches for its points in time


def stand_in(target: Target, survey: Survey, seed: int) -> ReferenceServer:
    """Return an endpoint, not yet started, that has what the target's has, and whose restores end at once."""
    offered = [operation for operation, there in survey.offered.items() if there is True]
    inventory = _invented(seed) if survey.takes_any else target.inventory
    return ReferenceServer(
        step=_STEP,
        seed=seed,
        operations=offered,
        authentication=() if _is_open(target) else SCHEMES,
        freedoms=_FREEDOMS,
        inventory=inventory,
        earlier=survey.earlier,
    )


def as_stand_in(target: Target, survey: Survey, server: ReferenceServer) -> Target:
    """Return the target that describes the started stand-in: same safety, operations and kinds of credentials.

    None of the target's own secrets is in it, and neither are its rate, proxies and certificates.
    """
    inventory = replace(server.inventory, takes_any=survey.takes_any)
    bare = Target(
        base_url=server.url,
        level=target.level,
        operations=frozenset(operation for operation, there in survey.offered.items() if there is True),
        inventory=inventory,
        limits=Limits(),
        safety=target.safety,
        tls=Tls(),
    )
    credentials = {name: _same_kinds(name, held, bare, server) for name, held in target.credentials.items()}
    return replace(bare, credentials=MappingProxyType(credentials))


def _is_open(target: Target) -> bool:
    return "owner" not in target.credentials


def _invented(seed: int) -> Inventory:
    """Return a cluster of each kind, for an endpoint that takes any well-formed id."""
    names = draw_absent(seed)
    kinds: tuple[Kind, ...] = ("flex", "tenant", "dedicated")
    clusters = tuple(
        Cluster(names.project, f"{names.cluster}-{kind}", kind, False, (f"{names.snapshot[:-1]}{number}",))
        for number, kind in enumerate(kinds)
    )
    clusters = (*clusters[:2], replace(clusters[2], point_in_time=_MOMENT))
    return Inventory(clusters, (RestoreTarget(names.project, names.target, frozenset(kinds)),))


def _same_kinds(name: Credential, held: Credentials, bare: Target, server: ReferenceServer) -> Credentials:
    """Return the stand-in's credentials for an identity: a key pair, a service account or a token, as the target's."""
    known = server.credentials
    pairs: Mapping[str, KeyPair] = dict(known.key_pairs())
    accounts: Mapping[str, ServiceAccount] = dict(known.accounts())
    pair, account = pairs[name], accounts[name]
    return Credentials(
        public_key=Secret(pair.public) if held.public_key else None,
        private_key=Secret(pair.private) if held.private_key else None,
        client_id=Secret(account.id) if held.client_id else None,
        client_secret=Secret(account.secret) if held.client_secret else None,
        token=_token(account, bare) if held.token else None,
        names=held.names,
    )


def _token(account: ServiceAccount, bare: Target) -> Secret:
    owner = Credentials(client_id=Secret(account.id), client_secret=Secret(account.secret))
    with Client(replace(bare, credentials=MappingProxyType({"owner": owner}))) as client:
        exchange = client.tokens.fetch()
    if exchange is None or exchange.response.status != 200:
        raise ServerError("the endpoint of the rehearsal gives no token")
    return Secret(json.loads(exchange.response.body)["access_token"])
