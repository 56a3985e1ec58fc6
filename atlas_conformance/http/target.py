"""A target: all that is known of one endpoint before the first request."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from atlas_conformance.contracts.exchange import Credential
from atlas_conformance.contracts.inventory import Absent, Inventory
from atlas_conformance.contracts.operation import Level
from atlas_conformance.http.failures import TargetError
from atlas_conformance.http.hosts import is_loopback_url
from atlas_conformance.http.secret import Credentials, Secret

Mode: TypeAlias = Literal["read", "refusals", "restore"]

MODES: tuple[Mode, ...] = ("read", "refusals", "restore")
USUAL_MAX_JOBS = 20
USUAL_MAX_SNAPSHOTS = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """How fast, how long and how much: rate in requests per second (None: unlimited), times in seconds, size in bytes.

    `timeout_seconds` bounds one answer from the first byte written to the last byte read. `retries` and `pause_seconds`
    bound how often, and for how long altogether, one request waits for a `Retry-After`. `run_seconds` is when a whole
    run ends, finished or not (None: when it is done).
    """

    rate: float | None = None
    timeout_seconds: float = 10.0
    connect_seconds: float = 5.0
    body_bytes: int = 4 * 1024 * 1024
    retries: int = 4
    pause_seconds: float = 60.0
    run_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Safety:
    """What may be done to the endpoint.

    `mode` None leaves it to the host: everything on loopback, reads elsewhere. `destroyable` are the (project,
    cluster) pairs whose data may be deleted. `max_jobs` is how many jobs may be created; None means `USUAL_MAX_JOBS`
    on a remote host and any number on loopback; `max_snapshots` is how many snapshots may be taken, with
    `USUAL_MAX_SNAPSHOTS` in the same way. `confirmed` says that a person asked for the mode when starting the run,
    which `restore` on a remote host needs besides the list.
    """

    mode: Mode | None = None
    destroyable: frozenset[tuple[str, str]] = frozenset()
    max_jobs: int | None = None
    confirmed: bool = False
    max_snapshots: int | None = None


@dataclass(frozen=True, slots=True)
class Tls:
    """Files (PEM) for TLS: a bundle of trusted authorities, and a client certificate with its key."""

    ca_file: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None


@dataclass(frozen=True, slots=True)
class OwnHeader:
    """The value of a header that every request carries, and the environment variable that it came from."""

    value: Secret
    variable: str


@dataclass(frozen=True)
class Target:
    """One endpoint. `base_url` is everything before `/api/`, without a trailing slash; `source` is the target file.

    `level` None: not claimed. `operations` None: all of the level. `credentials` has an entry for each identity that is
    known, of `owner`, `reader` and `off-list`. `headers` go with every request, by name.
    """

    base_url: str
    level: Level | None = None
    operations: frozenset[str] | None = None
    inventory: Inventory = field(default_factory=Inventory)
    credentials: Mapping[Credential, Credentials] = field(default_factory=lambda: MappingProxyType({}))
    limits: Limits = field(default_factory=Limits)
    safety: Safety = field(default_factory=Safety)
    contact: str | None = None
    source: Path | None = None
    secrets_file: str | None = None
    tls: Tls = field(default_factory=Tls)
    headers: Mapping[str, OwnHeader] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def loopback(self) -> bool:
        """Whether the endpoint's host is this machine, by its spelling."""
        return is_loopback_url(self.base_url)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every secret of every identity, and the values of the target's own headers."""
        own = tuple(header.value for header in self.headers.values())
        return own + tuple(secret for identity in self.credentials.values() for secret in identity.secrets)


def checked_base_url(url: str, where: str) -> str:
    """Return `url` as a base URL (no trailing slash), or raise TargetError; `where` opens the sentence.

    A URL with a user name or password is refused without repeating it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise TargetError(f"{where}: not a URL ({error}); write for example https://cloud.mongodb.com") from None
    if parts.username is not None or parts.password is not None:
        raise TargetError(f"{where}: a URL must not carry credentials; name variables under [authentication]")
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise TargetError(f"{where}: {url!r} is not an http or https URL; write for example https://cloud.mongodb.com")
    if parts.query or parts.fragment or any(ord(c) <= 32 or ord(c) > 126 for c in url):
        raise TargetError(f"{where}: {url!r} must be ASCII, with neither blanks nor query nor fragment")
    if "/api/" in parts.path + "/":
        raise TargetError(f"{where}: leave out everything from /api/ on in {url!r}, the suite adds it")
    return url.rstrip("/")


def with_mode(target: Target, mode: Mode | None) -> Target:
    """Return the target with the mode that a person asked for when starting the run; None changes nothing."""
    if mode is None:
        return target
    return replace(target, safety=replace(target.safety, mode=mode, confirmed=True))


def with_rate(target: Target, rate: float | None) -> Target:
    """Return the target with another rate in requests per second; None changes nothing."""
    return target if rate is None else replace(target, limits=replace(target.limits, rate=rate))


def with_run_seconds(target: Target, seconds: float | None) -> Target:
    """Return the target with another time limit of the whole run in seconds; None changes nothing."""
    return target if seconds is None else replace(target, limits=replace(target.limits, run_seconds=seconds))


def with_schemes(target: Target, schemes: Collection[str]) -> Target:
    """Return the target with those credentials alone that serve one of these schemes (`digest`, `bearer`)."""
    credentials = dict(target.credentials)
    for name, known in target.credentials.items():
        if "digest" not in schemes:
            known = replace(known, public_key=None, private_key=None)
        if "bearer" not in schemes:
            known = replace(known, client_id=None, client_secret=None, token=None)
        credentials[name] = known
    return replace(target, credentials=MappingProxyType(credentials))


def with_absent(target: Target, seed: int) -> Target:
    """Return the target with names under which nothing exists, drawn from `seed`; the same seed draws the same names.

    A stateless mock (`takes_any`) has none, and keeps none.
    """
    if target.inventory.takes_any:
        return replace(target, inventory=replace(target.inventory, absent=None))
    return replace(target, inventory=replace(target.inventory, absent=draw_absent(seed)))


def draw_absent(seed: int) -> Absent:
    """Draw well-formed names that exist nowhere: 96 random bits for each id, 64 for each name."""
    random = Random(f"absent:{seed}")
    project, snapshot, job = (f"{random.getrandbits(96) | 1 << 95:024x}" for _ in range(3))
    cluster, item = (f"absent-{random.getrandbits(64):016x}" for _ in range(2))
    return Absent(project=project, cluster=cluster, snapshot=snapshot, job=job, target=item)
