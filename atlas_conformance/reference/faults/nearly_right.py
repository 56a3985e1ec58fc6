"""Faults of an endpoint that lets in whoever has nearly the right credentials."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Any

from atlas_conformance.reference.authentication import DIGEST_PART
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.bodies import Check
from atlas_conformance.reference.fault import TOKEN, Fault
from atlas_conformance.reference.fault_parts import ALL, sound
from atlas_conformance.reference.messages import Call, Refusal

_LetsIn = Callable[[Backend, str], bool]
"""Whether an Authorization value lets its sender in, by the part after the scheme."""


def _also(scheme: str, lets_in: _LetsIn) -> Check:
    """The sound check, but for credentials of a scheme that are let in as an owner's."""
    check = sound("flex-get", "A-NONE")

    def checked(backend: Backend, call: Call) -> None:
        named, _, rest = (call.header(b"authorization") or "").partition(" ")
        if named.lower() == scheme and lets_in(backend, rest.strip()):
            call.role = "owner"
            return
        check(backend, call)

    return checked


def _token_like(alike: Callable[[str, str], bool]) -> _LetsIn:
    def lets_in(backend: Backend, token: str) -> bool:
        return token != "" and any(alike(token, known) for known in backend.authentication.tokens)

    return lets_in


def _public_key_alone(backend: Backend, encoded: str) -> bool:
    try:
        name = base64.b64decode(encoded, validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return False
    return name in backend.authentication.public_keys


def _known_nonce() -> Check:
    """The sound check, but for a nonce that has let somebody in: its response is not looked at again."""
    check = sound("flex-get", "A-NONE")

    def checked(backend: Backend, call: Call) -> None:
        given = call.header(b"authorization") or ""
        parts = {name.lower(): quoted or plain for name, quoted, plain in DIGEST_PART.findall(given)}
        known: set[str] = backend.notes.setdefault("nonces", set())
        try:
            check(backend, call)
        except Refusal:
            if parts.get("nonce") not in known or not given.lower().startswith("digest "):
                raise
            call.role = "owner"
        else:
            known.update(nonce for nonce in [parts.get("nonce")] if nonce is not None)

    return checked


def _faults() -> Iterator[Fault]:
    def fault(what: str, sentence: str, check: Check, places: tuple[str, ...] = ALL, **more: Any) -> Fault:
        name = what if places == ALL else f"{places[0]}/{what.replace('/', '-')}"
        return Fault(name, "A-WRONG", places, sentence, "subtle", replace={"A-NONE": check}, **more)

    cut = _also("bearer", _token_like(lambda token, known: known.startswith(token)))
    recased = _also("bearer", _token_like(lambda token, known: token.lower() == known.lower()))
    long = _also("bearer", _token_like(lambda token, known: len(token) == len(known)))
    more = _also("bearer", _token_like(lambda token, known: token.startswith(known)))
    basic = _also("basic", _public_key_alone)
    yield fault("bearer/cut-token", "The first characters of a token do.", cut)
    yield fault("bearer/cut-token", "The first characters of a token do.", cut, ("snapshot-take",))
    yield fault("bearer/recased-token", "A token is compared without regard to case.", recased)
    yield fault("bearer/recased-token", "A token is compared without regard to case.", recased, ("cluster-get",))
    yield fault("bearer/token-of-that-length", "Any token of the right length does.", long)
    yield fault("bearer/longer-token", "A token may have more behind it.", more, ("flex-list",))
    yield fault("basic/public-key", "By HTTP Basic, the public key does.", basic)
    yield fault("basic/public-key", "By HTTP Basic, the public key does.", basic, ("tenant-create",))
    sentence = "The response to a nonce that has let somebody in is not looked at."
    yield fault("digest/known-nonce", sentence, _known_nonce())
    yield fault("digest/known-nonce", sentence, _known_nonce(), ("cluster-create",))
    yield fault("digest/known-nonce", sentence, _known_nonce(), ("snapshot-delete",))
    sentence = "A client gets a token whatever its secret."
    skipped = frozenset({"A-TOKEN/secret"})
    yield Fault("token/any-secret", "A-WRONG", (TOKEN,), sentence, "negative", credentials=skipped)


FAULTS: tuple[Fault, ...] = tuple(_faults())
"""Faults of this family."""
