"""What the reference endpoint is started with, and what follows from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.knowledge_form import inventory_of_json
from atlas_conformance.contracts.naming import unknown
from atlas_conformance.contracts.operation import LEVELS, Level
from atlas_conformance.reference.authentication import SCHEMES
from atlas_conformance.reference.credentials import Credentials, make_credentials
from atlas_conformance.reference.disturbances import Disturbances
from atlas_conformance.reference.fault import Fault
from atlas_conformance.reference.fixtures import Fixtures, furnish, make_fixtures
from atlas_conformance.reference.freedoms import known_imitations, resolve

if TYPE_CHECKING:
    from atlas_conformance.reference.scenario import Scenario


class ServerError(Exception):
    """The endpoint can't be started or reset; the text is one sentence that says why."""


USUAL_STEP = 0.05
"""Seconds that a job stays in each phase, on an endpoint that answers at once."""


def usual_step(latency: float) -> float:
    """Return the step where none is asked for: no shorter than answers are late, else no one ever sees a job run."""
    return max(USUAL_STEP, latency)


@dataclass(frozen=True)
class Settings:
    """How the endpoint is started; see `ReferenceServer` for the meaning of each."""

    step: float = USUAL_STEP
    seed: int | None = None
    database: str = ":memory:"
    freedoms: Mapping[str, str] = field(default_factory=dict)
    imitate: tuple[str, ...] = ()
    fault: str | None = None
    level: Level = "workflow"
    operations: tuple[str, ...] | None = None
    authentication: tuple[str, ...] = SCHEMES
    rate: int | None = None
    latency: float = 0.0
    nonce_life: float = 300.0
    host: str = "127.0.0.1"
    port: int = 0
    inventory: Mapping[str, Any] | None = None
    earlier: tuple[tuple[str, str, int], ...] = ()
    disturbances: Mapping[str, float] = field(default_factory=dict)
    scenario: Mapping[str, Any] | None = None
    control: bool = False
    certificate: str | None = None
    key: str | None = None


def fixtures_of(settings: Settings, seed: int, epoch: int) -> Fixtures:
    """Return what exists: by the scenario or the inventory of the settings, or else what is drawn from the seed."""
    if settings.scenario is not None:
        from atlas_conformance.reference.scenario_fixtures import scenario_fixtures

        return scenario_fixtures(scenario_of(settings.scenario), seed, epoch)
    if settings.inventory is None:
        return make_fixtures(seed, epoch)
    earlier = {(project, cluster): count for project, cluster, count in settings.earlier}
    return furnish(inventory_of_json(settings.inventory), epoch, earlier)


def credentials_of(settings: Settings, seed: int) -> Credentials:
    """Return the credentials that are known: by the scenario of the settings, or else drawn from the seed."""
    if settings.scenario is None:
        return make_credentials(seed)
    from atlas_conformance.reference.scenario_fixtures import scenario_credentials

    return scenario_credentials(scenario_of(settings.scenario), seed)


def scenario_of(document: Mapping[str, Any]) -> Scenario:
    """Return the scenario of which `document` is the JSON form."""
    from atlas_conformance.reference.scenario import Scenario

    return Scenario.model_validate_json(json.dumps(document))


def checked(settings: Settings) -> Settings:
    """Return the settings; raises ServerError with one sentence where one of them makes no sense."""
    try:
        resolve(settings.freedoms)
        known_imitations(settings.imitate)
        Disturbances.of(settings.disturbances)
    except ValueError as error:
        raise ServerError(str(error)) from None
    if not settings.step >= 0.001:
        raise ServerError(f"a step of {settings.step} s is too short; the shortest is 0.001 s")
    if settings.level not in LEVELS:
        raise ServerError(f"there is no level {settings.level!r}; it is {' or '.join(LEVELS)}")
    if not set(settings.authentication) <= set(SCHEMES):
        raise ServerError("authentication is digest, bearer, both or none")
    if settings.operations is not None:
        for name in settings.operations:
            if name not in Contract.load().operations:
                raise ServerError(unknown("operation", name, Contract.load().operations))
    if settings.rate is not None and settings.rate < 1:
        raise ServerError("a rate is at least 1 request a minute")
    for what, seconds in (("latency", settings.latency), ("nonce_life", settings.nonce_life)):
        if not seconds >= 0:
            raise ServerError(f"a {what} of {seconds} s makes no sense; it is 0 or more")
    if settings.certificate is not None:
        _check_certificate(settings.certificate, settings.key)
    return settings


def _check_certificate(certificate: str, key: str | None) -> None:
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one, too
        reason = (getattr(error, "reason", None) or error.strerror or str(error)).lower().replace("_", " ")
        raise ServerError(f"the certificate {certificate} with the key {key} can't be used: {reason}") from None


def fault_named(fault: str | None) -> Fault | None:
    """Return the fault of that id; raises ServerError for one that isn't in the catalogue."""
    if fault is None:
        return None
    from atlas_conformance.reference.faults import find

    try:
        return find(fault)
    except ValueError as error:
        raise ServerError(str(error)) from None
