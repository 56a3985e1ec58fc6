"""As whom, and by which scheme, a request goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from atlas_conformance.contracts.exchange import Credential, Request, Scheme
from atlas_conformance.http.authentication import WRONG
from atlas_conformance.http.failures import MissingCredentials
from atlas_conformance.http.secret import Credentials, Secret


def offers(credentials: Mapping[Credential, Credentials], credential: Credential, scheme: Scheme) -> bool:
    """Tell whether a request with this credential and scheme can be sent with these credentials.

    With `any`, an owner without any credentials counts: nothing is then sent.
    """
    if credential in ("none", "wrong"):
        return True
    if credential == "wrong-secret":
        credential = "owner"
        scheme = scheme if scheme != "any" else "bearer"
    identity = credentials.get(credential)
    if identity is None:
        return credential in ("owner", "unknown") and scheme == "any"
    return identity.digest or identity.bearer if scheme == "any" else bool(getattr(identity, scheme))


def choice(
    request: Request,
    credentials: Mapping[Credential, Credentials],
    prefer: Scheme | None,
    owner_token: Callable[[], Secret],
) -> tuple[Scheme, Credentials | None]:
    """Decide by which scheme, and as whom, a request goes; an identity of None sends no credentials.

    `prefer` is the scheme of requests that leave it open; `owner_token` returns the owner's bearer token. Raises
    MissingCredentials.
    """
    credential, scheme = request.credential, request.scheme
    if credential in ("none", "unknown"):
        return scheme, None
    owner = credentials.get("owner")
    if credential == "wrong":
        if scheme == "any":
            scheme = "digest" if owner is not None and not owner.bearer else "bearer"
        return scheme, WRONG
    if credential == "wrong-secret":
        return _half_right(request, owner, owner_token)
    identity = credentials.get(credential)
    if identity is None:
        if credential == "owner" and scheme == "any":
            return scheme, None
        raise MissingCredentials(request, f"the target names no credentials for {credential}")
    if scheme == "any":
        preferred = prefer if prefer is not None and getattr(identity, prefer) else None
        scheme = preferred or ("bearer" if identity.bearer else "digest")
    if not getattr(identity, scheme):
        raise MissingCredentials(request, f"the target's credentials for {credential} do not serve {scheme}")
    return scheme, identity


def _half_right(
    request: Request, owner: Credentials | None, owner_token: Callable[[], Secret]
) -> tuple[Scheme, Credentials | None]:
    """The owner with a secret that is not the owner's: another private key, a token with a letter more."""
    if owner is None or not (owner.digest if request.scheme == "digest" else owner.bearer):
        raise MissingCredentials(request, "the target names no credentials of which to get the secret wrong")
    if request.scheme == "digest":
        return "digest", Credentials(public_key=owner.public_key, private_key=WRONG.private_key)
    return "bearer", Credentials(token=Secret(owner_token().reveal() + "x"))
