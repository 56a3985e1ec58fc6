"""As whom, and by which scheme, a request goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from atlas_conformance.contracts.exchange import NEARLY_RIGHT, Credential, Request, Scheme
from atlas_conformance.http.authentication import WRONG
from atlas_conformance.http.failures import MissingCredentials
from atlas_conformance.http.secret import Credentials, Secret


def offers(credentials: Mapping[Credential, Credentials], credential: Credential, scheme: Scheme) -> bool:
    """Tell whether a request with this credential and scheme can be sent with these credentials.

    With `any`, an owner without any credentials counts: nothing is then sent.
    """
    if credential in ("none", "wrong"):
        return True
    if credential in NEARLY_RIGHT:
        credential, scheme = "owner", _scheme_of(credential, scheme)
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
    if credential in NEARLY_RIGHT:
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


def _scheme_of(credential: Credential, scheme: Scheme) -> Scheme:
    if credential in ("known-nonce", "basic"):
        return "digest"
    return "digest" if (credential, scheme) == ("wrong-secret", "digest") else "bearer"


def _half_right(
    request: Request, owner: Credentials | None, owner_token: Callable[[], Secret]
) -> tuple[Scheme, Credentials | None]:
    """The owner with something wrong: another private key, or a token that is nearly the owner's."""
    scheme = _scheme_of(request.credential, request.scheme)
    if owner is None or not (owner.digest if scheme == "digest" else owner.bearer):
        raise MissingCredentials(request, "the target names no credentials of which to get the secret wrong")
    if scheme == "digest":
        return "digest", Credentials(public_key=owner.public_key, private_key=WRONG.private_key)
    right = owner_token().reveal()
    token = _CHANGES[request.credential](right)
    if token in ("", right):
        raise MissingCredentials(request, "the owner's token has nothing that could be got wrong in this way")
    return "bearer", Credentials(token=Secret(token))


def _with_another_end(token: str) -> str:
    """Return a token with another last character; in base64 it stands for other bits, wherever they end."""
    return token[:-1] + ("Z" if token[-1:] in ("A", "B", "C", "D") else "A")


_CHANGES: Mapping[Credential, Callable[[str], str]] = {
    "wrong-secret": lambda token: token + "x",
    "cut-token": lambda token: token[:-1],
    "changed-token": _with_another_end,
    "recased-token": str.swapcase,
}
"""What is wrong with a token that is nearly the owner's."""
