"""Looking at an endpoint by the preflight, with whichever scheme of authentication lets us in."""

from __future__ import annotations

from collections.abc import Callable

from atlas_conformance.contracts.exchange import Scheme
from atlas_conformance.http.client import Client
from atlas_conformance.http.failures import PreflightFailed
from atlas_conformance.targets.preflight import PreflightReport, preflight


def look(
    connected: Callable[[Scheme | None], Client], seed: int, schemes: tuple[Scheme | None, Scheme | None]
) -> tuple[Client, PreflightReport]:
    """Look by the first scheme, and where that lets nobody in by the second, if there are credentials for both.

    `connected` makes a client that prefers a scheme. Returns the client that was let in, and what was found out. Raises
    PreflightFailed where the endpoint cannot be reached or verified, TargetError where it cannot be connected to.
    """
    client = connected(schemes[0])
    try:
        return client, preflight(client, seed=seed)
    except PreflightFailed:
        owner = client.target.credentials.get("owner")
        if owner is None or not (owner.digest and owner.bearer):
            raise
    client.close()
    client = connected(schemes[1])
    return client, preflight(client, seed=seed)
