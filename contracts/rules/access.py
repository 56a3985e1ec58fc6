"""A-*: who is let in, and how an endpoint paces its callers."""

from __future__ import annotations

from collections.abc import Iterator

from atlas_conformance.contracts.dates import http_instant
from atlas_conformance.contracts.exchange import Response
from atlas_conformance.contracts.outcomes import Failure, Outcome, holds
from atlas_conformance.contracts.rulebook import rule
from atlas_conformance.contracts.views import BODY, STATUS, AccessView, TokenView

_CHALLENGE = "/response/headers/www-authenticate"
_RETRY = "/response/headers/retry-after"


def _challenged(access: AccessView) -> Iterator[Outcome]:
    if access.status == 401 and access.knowledge.digest:
        challenge = access.exchange.response.header("www-authenticate")
        yield holds(bool(challenge), "a WWW-Authenticate challenge", challenge, _CHALLENGE)


def _without(access: AccessView) -> bool:
    """Tell whether a request shows no credentials at all; what stands in its `Authorization` are wrong ones."""
    nothing = access.request.credential == "none" and access.request.header("authorization") is None
    return access.lacks_credentials and nothing


@rule("A-NONE", on=AccessView)
def nobody_is_let_in_without_credentials(access: AccessView) -> Iterator[Outcome]:
    """A request without credentials is answered with 401, and with a challenge where digest is offered."""
    if _without(access):
        if not access.reading.must_be_refused:
            yield holds(_turned_away(access), "401 for no credentials", access.status, STATUS)
        yield from _challenged(access)


@rule("A-BEFORE", on=AccessView)
def credentials_come_before_the_rest(access: AccessView) -> Outcome | None:
    """Without credentials, a malformed request is answered with 401 too; a malformed path may be refused first."""
    if _without(access) and access.reading.must_be_refused:
        return holds(_turned_away(access), "401 for no credentials", access.status, STATUS)
    return None


def _turned_away(access: AccessView) -> bool:
    """Tell whether a request without good credentials got its 401, or, for a malformed path, what refuses that."""
    return access.status == 401 or (access.reading.path_is_malformed and access.status in (400, 404))


@rule("A-WRONG", on=AccessView)
def nobody_is_let_in_with_wrong_credentials(access: AccessView) -> Iterator[Outcome]:
    """A request with wrong credentials is answered with 401, and with a challenge where digest is offered."""
    if access.lacks_credentials and not _without(access):
        yield holds(_turned_away(access), "401 for wrong credentials", access.status, STATUS)
        yield from _challenged(access)


@rule("A-DIGEST", on=AccessView)
def digest_is_taken(access: AccessView) -> Outcome | None:
    """An owner's key authenticates a request by HTTP Digest."""
    if access.request.scheme == "digest" and access.request.credential == "owner":
        held = access.status != 401 or 401 in access.reading.refusals
        return holds(held, "valid digest credentials taken", access.status, STATUS)
    return None


@rule("A-BEARER", on=AccessView)
def a_token_is_taken(access: AccessView) -> Outcome | None:
    """An owner's access token authenticates a request."""
    if access.request.scheme == "bearer" and access.request.credential == "owner":
        held = access.status != 401 or 401 in access.reading.refusals
        return holds(held, "valid bearer credentials taken", access.status, STATUS)
    return None


@rule("A-LIST", on=AccessView)
def an_address_off_the_access_list_is_refused(access: AccessView) -> Outcome | None:
    """A request from an address outside the API access list is answered with 403 or 401."""
    if access.request.credential == "off-list":
        held = access.status in (401, 403) or access.status in access.reading.refusals
        return holds(held, "403 or 401 for an address outside the API access list", access.status, STATUS)
    return None


@rule("A-ROLE", on=AccessView)
def a_lesser_role_is_refused(access: AccessView) -> Outcome | None:
    """What only a Project Owner may do is refused to a lesser role with 403 or 401."""
    if access.lacks_the_role:
        held = access.status in (401, 403) or access.status in access.reading.refusals
        return holds(held, "403 or 401 without the Project Owner role", access.status, STATUS)
    return None


@rule("A-BEARER", on=TokenView)
def a_token_is_sold(answer: TokenView) -> Iterator[Outcome]:
    """The token endpoint answers client credentials with a token (RFC 6749, section 5.1) that lives for 3,600 s."""
    status, document = answer.response.status, answer.document
    yield holds(status == 200, "a token", status, STATUS)
    if status != 200:
        return
    if not isinstance(document, dict):
        yield Failure("a JSON object with a token", "no JSON object", BODY)
        return
    token, kind, life = (document.get(name) for name in ("access_token", "token_type", "expires_in"))
    yield holds(isinstance(token, str) and token != "", "an access_token", "none", f"{BODY}/access_token")
    named = isinstance(kind, str) and kind.lower() == "bearer"
    yield holds(named, "token_type Bearer", kind, f"{BODY}/token_type")
    yield holds(life == 3600 and not isinstance(life, bool), "expires_in 3600", life, f"{BODY}/expires_in")


@rule("A-RETRY", on=Response)
def a_paced_client_is_told_how_long_to_wait(response: Response) -> Outcome | None:
    """A 429 carries `Retry-After`."""
    if response.status == 429:
        return holds(response.header("retry-after") is not None, "a 429 with Retry-After", "none", _RETRY)
    return None


@rule("A-RATE", on=Response)
def pacing_headers_say_how_long_and_how_many(response: Response) -> Iterator[Outcome]:
    """A 429's `Retry-After` is seconds or a date, and `RateLimit-*` are whole numbers from 0, where they are sent."""
    retry = response.header("retry-after") if response.status == 429 else None
    if retry is not None:
        held = (retry.isascii() and retry.isdigit()) or http_instant(retry) is not None
        yield holds(held, "Retry-After as a number of seconds or an HTTP date", retry, _RETRY)
    for name in ("RateLimit-Limit", "RateLimit-Remaining"):
        value = response.header(name)
        if value is not None:
            held = value.strip().isascii() and value.strip().isdigit()
            yield holds(held, f"{name} an integer >= 0", value, f"/response/headers/{name.lower()}")
