"""Secrets, and the credentials made of them; neither shows its value in a repr, a format or a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType
from typing import NoReturn

MASK = "[masked]"
USUAL_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "public_key": "MONGODB_ATLAS_PUBLIC_API_KEY",
        "private_key": "MONGODB_ATLAS_PRIVATE_API_KEY",
        "client_id": "MONGODB_ATLAS_CLIENT_ID",
        "client_secret": "MONGODB_ATLAS_CLIENT_SECRET",
        "token": "MONGODB_ATLAS_ACCESS_TOKEN",
    }
)
"""The variables that work without being named: those of the vendor's command line, and one for a ready-made token."""


class Secret:
    """A value that must not be shown; `reveal()` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself, for the wire alone."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, specification: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(sha256(self._value.encode("utf-8", "surrogatepass")).digest())

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never serialised")


class Passing(Secret):
    """A value that changes from one request to the next, such as a digest nonce."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Credentials:
    """One identity at an endpoint: an API key pair (digest), a service account, or a ready-made bearer token.

    `names` maps each of `public_key`, `private_key`, `client_id`, `client_secret` and `token` that is set to the
    environment variable that it came from.
    """

    public_key: Secret | None = None
    private_key: Secret | None = None
    client_id: Secret | None = None
    client_secret: Secret | None = None
    token: Secret | None = None
    names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def digest(self) -> bool:
        """Whether HTTP Digest is possible: both halves of an API key are there."""
        return self.public_key is not None and self.private_key is not None

    @property
    def bearer(self) -> bool:
        """Whether a bearer token is there or can be fetched."""
        return self.token is not None or (self.client_id is not None and self.client_secret is not None)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every secret of the identity; identifiers count, as reports must not carry them either."""
        every = (self.public_key, self.private_key, self.client_id, self.client_secret, self.token)
        return tuple(secret for secret in every if secret is not None)
