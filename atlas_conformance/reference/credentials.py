"""The credentials that the reference endpoint knows, and the account that each one stands for."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["owner", "reader", "off-list"]
"""Project Owner; Project Read Only; an owner whose address is outside the API access list."""

PREFIX = "ATLAS_REFERENCE_"

_LOWER = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An API key for HTTP Digest; the private half never shows in a repr."""

    public: str
    private: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account for the token endpoint; the secret never shows in a repr."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key pair and a service account for each role."""

    owner: KeyPair
    owner_account: ServiceAccount
    reader: KeyPair
    reader_account: ServiceAccount
    off_list: KeyPair
    off_list_account: ServiceAccount

    def key_pairs(self) -> Iterator[tuple[Role, KeyPair]]:
        """Yield each key pair with its role."""
        yield "owner", self.owner
        yield "reader", self.reader
        yield "off-list", self.off_list

    def accounts(self) -> Iterator[tuple[Role, ServiceAccount]]:
        """Yield each service account with its role."""
        yield "owner", self.owner_account
        yield "reader", self.reader_account
        yield "off-list", self.off_list_account


def _key_pair(draw: random.Random) -> KeyPair:
    private = f"{draw.getrandbits(128):032x}"
    return KeyPair(
        public="".join(draw.choices(_LOWER, k=8)),
        private="-".join((private[:8], private[8:12], private[12:16], private[16:20], private[20:])),
    )


def _account(draw: random.Random) -> ServiceAccount:
    return ServiceAccount(id=f"mdb_sa_id_{draw.getrandbits(96):024x}", secret=f"mdb_sa_sk_{draw.getrandbits(160):040x}")


def make_credentials(seed: int) -> Credentials:
    """Return credentials drawn from a seed: the same seed gives the same ones."""
    draw = random.Random(f"credentials {seed}")
    owner, reader, off_list = (_key_pair(draw) for _ in range(3))
    owner_account, reader_account, off_list_account = (_account(draw) for _ in range(3))
    return Credentials(owner, owner_account, reader, reader_account, off_list, off_list_account)


def client_environment(url: str, credentials: Credentials) -> Mapping[str, str]:
    """Return the environment variables that Atlas clients read, for an owner at a base URL."""
    owner, account = credentials.owner, credentials.owner_account
    return {
        "MONGODB_ATLAS_BASE_URL": url,
        "MONGODB_ATLAS_PUBLIC_API_KEY": owner.public,
        "MONGODB_ATLAS_PRIVATE_API_KEY": owner.private,
        "MONGODB_ATLAS_CLIENT_ID": account.id,
        "MONGODB_ATLAS_CLIENT_SECRET": account.secret,
    }


def environment(credentials: Credentials, prefix: str = PREFIX) -> Mapping[str, str]:
    """Return the environment variables that the endpoint's target file names, with their values."""
    roles = (
        ("OWNER", credentials.owner, credentials.owner_account),
        ("READER", credentials.reader, credentials.reader_account),
        ("OFF_LIST", credentials.off_list, credentials.off_list_account),
    )
    found = {}
    for role, pair, account in roles:
        found[f"{prefix}{role}_PUBLIC_KEY"] = pair.public
        found[f"{prefix}{role}_PRIVATE_KEY"] = pair.private
        found[f"{prefix}{role}_CLIENT_ID"] = account.id
        found[f"{prefix}{role}_CLIENT_SECRET"] = account.secret
    return found
