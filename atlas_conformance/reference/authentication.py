"""Who is calling: HTTP Digest (RFC 7616), bearer tokens, and the OAuth token endpoint (RFC 6749)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import parse_qsl

from atlas_conformance.reference.credentials import Credentials, KeyPair, Role
from atlas_conformance.reference.messages import Answer, Call, Refusal

REALM = "MMS Public API"
TOKEN_PATH = "/api/oauth/token"
REVOKE_PATH = "/api/oauth/revoke"
TOKEN_LIFE = 3_600
SCHEMES = ("digest", "bearer")

_GAP = 4_096
_HASHES: Mapping[str, Callable[[bytes], Any]] = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
DIGEST_PART = re.compile(r'([A-Za-z0-9*_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_COUNT = re.compile(r"[0-9a-fA-F]{8}")


class _Counts:
    """The nonce counts seen with one nonce: each is taken once, in any order within a window."""

    __slots__ = ("highest", "missing")

    def __init__(self) -> None:
        self.highest = 0
        self.missing: set[int] = set()

    def take(self, count: int) -> bool:
        """Tell whether a count is fresh, and remember it."""
        if count > self.highest:
            if count - self.highest > _GAP:
                return False
            self.missing.update(range(self.highest + 1, count))
            self.highest = count
            return True
        if count in self.missing:
            self.missing.discard(count)
            return True
        return False


class Authentication:
    """Decides whose credentials a call carries.

    `schemes` are those offered, `algorithms` those of the digest challenge in its order; `skip` names steps that are
    left out: `A-DIGEST/uri`, `A-DIGEST/nonce`, `A-DIGEST/count`, `A-DIGEST/response`, `A-BEARER/known`,
    `A-BEARER/expiry`, `A-TOKEN/secret`, `A-TOKEN/grant`.
    """

    def __init__(self, credentials: Credentials, schemes: Collection[str] = SCHEMES, nonce_life: float = 300.0) -> None:
        self._keys: dict[str, tuple[Role, KeyPair]] = {
            pair.public: (role, pair) for role, pair in credentials.key_pairs()
        }
        self._accounts = {account.id: (role, account) for role, account in credentials.accounts()}
        self.schemes = tuple(schemes)
        self.nonce_life = nonce_life
        self.algorithms: tuple[str, ...] = ("MD5",)
        self.skip: frozenset[str] = frozenset()
        self._secret = secrets.token_bytes(32)
        self._counts: dict[str, tuple[float, _Counts]] = {}
        self._tokens: dict[str, tuple[float, Role]] = {}
        self._hashed: dict[tuple[str, str], str] = {}

    @property
    def tokens(self) -> Collection[str]:
        """The tokens that were issued."""
        return self._tokens.keys()

    @property
    def public_keys(self) -> Collection[str]:
        """The public keys that are known."""
        return self._keys.keys()

    def role_of(self, call: Call) -> Role:
        """Return the role of the caller; raises a 401 Refusal with its challenges (`A-NONE`, `A-WRONG`).

        Where no scheme is offered, everybody is an owner.
        """
        if not self.schemes:
            return "owner"
        given = call.headers.get(b"authorization")
        if given is None:
            raise self.challenge(call.wall)
        scheme, _, rest = given.decode("latin-1").strip().partition(" ")
        match scheme.lower():
            case "digest" if "digest" in self.schemes:
                return self._digest(call, rest)
            case "bearer" if "bearer" in self.schemes:
                return self._bearer(call, rest.strip())
        raise self.challenge(call.wall)

    def challenge(self, now: float, *, stale: bool = False, invalid_token: bool = False) -> Refusal:
        """Return the 401 with a challenge of each offered scheme."""
        challenges: list[tuple[str, str]] = []
        if "digest" in self.schemes:
            for algorithm in self.algorithms:
                challenges.append(
                    (
                        "WWW-Authenticate",
                        f'Digest realm="{REALM}", domain="", nonce="{self._nonce(now)}", algorithm={algorithm}, '
                        f'qop="auth", stale={"true" if stale else "false"}',
                    )
                )
        if "bearer" in self.schemes:
            error = ', error="invalid_token"' if invalid_token else ""
            challenges.append(("WWW-Authenticate", f'Bearer realm="{REALM}"{error}'))
        return Refusal(401, "USER_UNAUTHORIZED", "Valid credentials are needed.", headers=tuple(challenges))

    # HTTP Digest

    def _nonce(self, now: float) -> str:
        stem = f"{int(now * 1000):x}.{secrets.token_hex(8)}"
        return f"{stem}.{self._seal(stem)}"

    def _seal(self, stem: str) -> str:
        return hmac.digest(self._secret, stem.encode(), "sha256").hex()[:32]

    def _issued(self, nonce: str) -> float | None:
        """Return when this endpoint issued a nonce, or None for one that it did not issue."""
        stem, _, seal = nonce.rpartition(".")
        if not stem or not hmac.compare_digest(seal.encode(), self._seal(stem).encode()):
            return None
        return int(stem.partition(".")[0], 16) / 1000

    def _digest(self, call: Call, given: str) -> Role:
        parts = {
            name.lower(): quoted.replace("\\", "") if quoted else plain
            for name, quoted, plain in DIGEST_PART.findall(given)
        }
        refused = self.challenge
        known = self._keys.get(parts.get("username", ""))
        algorithm = parts.get("algorithm", "MD5").upper()
        if (
            known is None
            or parts.get("realm") != REALM
            or algorithm not in self.algorithms
            or parts.get("qop") != "auth"
        ):
            raise refused(call.wall)
        if parts.get("uri") != call.target and "A-DIGEST/uri" not in self.skip:
            raise refused(call.wall)
        nonce, count = parts.get("nonce", ""), parts.get("nc", "")
        issued = self._issued(nonce)
        if (issued is None and "A-DIGEST/nonce" not in self.skip) or _COUNT.fullmatch(count) is None:
            raise refused(call.wall)
        role, pair = known
        expected = self._response(pair, algorithm, call.method, parts)
        response = parts.get("response", "")
        if (
            not hmac.compare_digest(expected.encode(), response.encode("latin-1"))
            and "A-DIGEST/response" not in self.skip
        ):
            raise refused(call.wall)
        if issued is not None and call.wall - issued > self.nonce_life and "A-DIGEST/nonce" not in self.skip:
            raise refused(call.wall, stale=True)
        if not self._fresh(nonce, int(count, 16), call.wall) and "A-DIGEST/count" not in self.skip:
            raise refused(call.wall, stale=True)
        return role

    def _response(self, pair: KeyPair, algorithm: str, method: str, parts: Mapping[str, str]) -> str:
        """Return the response that RFC 7616 (3.4.1) asks for with `qop=auth`."""
        hashed = _HASHES[algorithm]
        first = self._hashed.get((pair.public, algorithm))
        if first is None:
            first = hashed(f"{pair.public}:{REALM}:{pair.private}".encode()).hexdigest()
            self._hashed[pair.public, algorithm] = first
        second = hashed(f"{method}:{parts.get('uri', '')}".encode("latin-1")).hexdigest()
        middle = f"{parts['nonce']}:{parts['nc']}:{parts.get('cnonce', '')}:auth"
        return str(hashed(f"{first}:{middle}:{second}".encode("latin-1")).hexdigest())

    def _fresh(self, nonce: str, count: int, now: float) -> bool:
        entry = self._counts.get(nonce)
        if entry is None:
            if len(self._counts) > 1_000:
                self._counts = {key: value for key, value in self._counts.items() if now - value[0] <= self.nonce_life}
            entry = self._counts[nonce] = (now, _Counts())
        return entry[1].take(count)

    # Bearer tokens

    def _bearer(self, call: Call, token: str) -> Role:
        known = self._tokens.get(token)
        if known is None:
            if "A-BEARER/known" in self.skip and token:
                return "owner"
            raise self.challenge(call.wall, invalid_token=True)
        if call.wall >= known[0] and "A-BEARER/expiry" not in self.skip:
            raise self.challenge(call.wall, invalid_token=True)
        return known[1]

    def token(self, call: Call) -> Answer:
        """Answer a request for a token, or to revoke one (RFC 7009); errors are in OAuth's form."""
        headers = [("Cache-Control", "no-store")]
        if call.method != "POST":
            return Answer(405, {"error": "invalid_request"}, headers=[*headers, ("Allow", "POST")])
        role = self._client(call)
        if role is None:
            challenge = ("WWW-Authenticate", f'Basic realm="{REALM}"')
            return Answer(401, {"error": "invalid_client"}, headers=[*headers, challenge])
        form = parse_qsl((call.body or b"").decode("utf-8", "replace"), keep_blank_values=True)
        if call.path == REVOKE_PATH:
            # RFC 7009: a token that is not known is no mistake.
            self._tokens.pop(next((value for key, value in form if key == "token"), ""), None)
            return Answer(200, None, headers=headers)
        grants = [value for key, value in form if key == "grant_type"]
        if len(grants) != 1 and "A-TOKEN/grant" not in self.skip:
            return Answer(
                400, {"error": "invalid_request", "error_description": "one grant_type is needed"}, headers=headers
            )
        if grants != ["client_credentials"] and "A-TOKEN/grant" not in self.skip:
            return Answer(400, {"error": "unsupported_grant_type"}, headers=headers)
        token = secrets.token_urlsafe(32)
        if len(self._tokens) > 10_000:
            for old in [key for key, value in self._tokens.items() if value[0] <= call.wall]:
                del self._tokens[old]
        self._tokens[token] = (call.wall + TOKEN_LIFE, role)
        return Answer(200, {"access_token": token, "expires_in": TOKEN_LIFE, "token_type": "Bearer"}, headers=headers)

    def forget_tokens(self) -> None:
        """Let every token that was issued be refused from now on."""
        self._tokens.clear()

    def _client(self, call: Call) -> Role | None:
        scheme, _, encoded = (call.header(b"authorization") or "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
        known = self._accounts.get(name)
        if known is None:
            return None
        if not hmac.compare_digest(secret.encode(), known[1].secret.encode()) and "A-TOKEN/secret" not in self.skip:
            return None
        return known[0]
