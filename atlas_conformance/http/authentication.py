"""Putting credentials on requests: HTTP Digest with a kept nonce, and bearer tokens with their renewal."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import httpx

from atlas_conformance.contracts.validation import parse_json
from atlas_conformance.http.secret import Credentials, Secret

WRONG = Credentials(
    public_key=Secret("wrongkey"),
    private_key=Secret("00000000-0000-0000-0000-000000000000"),
    token=Secret("wrong.token.atlas-conformance"),
)
"""Credentials that no endpoint knows; the same in every run."""

WRONG_ACCOUNT = Credentials(
    client_id=Secret("mdb_sa_id_" + "0" * 24),
    client_secret=Secret("mdb_sa_sk_" + "0" * 40),
)
"""A service account that no endpoint knows."""

TOKEN_PATH = "/api/oauth/token"
_RESPONSE = re.compile(r'(?<=[ ,]response=")[0-9a-fA-F]+(?=")')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9-]*)(?:\s+[\w-]+\s*=|\s*(?=,|$))")
_ALGORITHM = re.compile(r'(?i)[ ,]algorithm\s*=\s*"?([\w-]+)')
_ALGORITHMS = {f"{name}{more}" for name in ("MD5", "SHA", "SHA-256", "SHA-512") for more in ("", "-SESS")}
"""Those that httpx knows."""
_OTHER_DIGITS = str.maketrans("0123456789abcdefABCDEF", "fedcba9876543210543210")
MOST_TOKEN_BYTES = 64 * 1024
"""A longer answer of the token endpoint holds no token that could go into a header."""
_RESTARTS = 2
"""How many tokens may be refused before their time: an endpoint that is started again may know none of before."""

_LIFE_SECONDS = 3600.0
_MARGIN_SECONDS = 300.0


class TokenRefused(Exception):
    """The token endpoint gave no token; `status` is its answer's, the argument says why. Neither holds a secret."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, *self.args), vars(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the authentication needs to see of a reply: the status, and the values of its WWW-Authenticate headers."""

    status: int
    challenges: tuple[str, ...]


_ENDPOINT = httpx.URL("http://endpoint/")


class _RawUrl(httpx.URL):
    """A URL that httpx's digest signs byte for byte as it is sent."""

    def __init__(self, raw_path: bytes) -> None:
        super().__init__(_ENDPOINT)
        self._raw_path = raw_path

    @property
    def raw_path(self) -> bytes:
        """The request target as it stands on the wire."""
        return self._raw_path


class DigestSession:
    """One identity's digest state for one thread: the challenge is kept, so that a request costs one round trip."""

    def __init__(self, public_key: Secret, private_key: Secret) -> None:
        self._public_key = public_key
        self._private_key = private_key
        self._auth = httpx.DigestAuth(public_key.reveal(), private_key.reveal())

    def run(self, method: str, raw_path: bytes, send: Callable[[Secret | None], Answer]) -> Answer:
        """Send a request through `send`, which takes the Authorization value (None at first contact).

        A 401 with a new challenge (first contact, stale nonce) is answered once; a challenge that cannot be read leaves
        the 401 as the answer.
        """
        request = httpx.Request(method, _ENDPOINT)
        request.url = _RawUrl(raw_path)
        answer: Answer | None = None
        flow = self._auth.sync_auth_flow(request)
        try:
            next(flow)
            answer = send(_authorization(request))
            if answer.status != 401 or not answer.challenges:
                return answer
            headers = [("www-authenticate", _digest_of(answer.challenges))]
            try:
                flow.send(httpx.Response(401, headers=headers, request=request))
            except StopIteration:
                return answer
            return send(_authorization(request))
        except (httpx.ProtocolError, NotImplementedError, ValueError, KeyError):
            # The challenge is no digest that can be answered: forget it, and its 401 is all there is.
            self._auth = httpx.DigestAuth(self._public_key.reveal(), self._private_key.reveal())
            return answer if answer is not None else send(None)
        finally:
            flow.close()

    def forged(self, method: str, raw_path: bytes) -> Secret | None:
        """Return an Authorization value with the nonce that is kept, and a wrong response; None without a nonce."""
        request = httpx.Request(method, _ENDPOINT)
        request.url = _RawUrl(raw_path)
        flow = self._auth.sync_auth_flow(request)
        try:
            next(flow)
        finally:
            flow.close()
        signed = _authorization(request)
        if signed is None:
            return None
        return Secret(_RESPONSE.sub(lambda right: right[0].translate(_OTHER_DIGITS), signed.reveal()))


class BearerSession:
    """One identity's bearer token for all threads: fetched when needed, kept, renewed before it lapses."""

    def __init__(
        self,
        credentials: Credentials,
        fetch: Callable[[Secret], tuple[int, bytes]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`fetch` posts the token request with the given Authorization value and returns status and body."""
        self._credentials = credentials
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Secret | None = credentials.token
        self._renew_at = float("inf") if credentials.token else 0.0
        self._lapses_at = 0.0
        self._worked = False
        self._early = 0
        self.seen: list[Secret] = []

    def token(self) -> Secret:
        """Return a token that is good for some minutes yet; raise TokenRefused where none is to be had."""
        with self._lock:
            if self._token is None or self._clock() >= self._renew_at:
                self._obtain()
            assert self._token is not None
            return self._token

    def accepted(self) -> None:
        """Note that the endpoint took the token, so that a later 401 is worth a new one."""
        self._worked = True

    @property
    def lapses_early(self) -> bool:
        """Whether tokens that worked were refused within their life, more often than restarts of the endpoint explain
        (A-BEARER).
        """
        return self._early > _RESTARTS

    def renewed(self, refused: Secret) -> Secret | None:
        """Return a newer token than one that earned a 401, or None where another one would not help.

        A token that never worked is not renewed: its identity is what is wrong, not its age.
        """
        if self._credentials.token is not None:
            return None
        with self._lock:
            if self._token is not refused:
                return self._token
            if not self._worked:
                return None
            self._worked = False
            self._early += self._clock() < self._lapses_at
            self._obtain()
            return self._token

    def _obtain(self) -> None:
        client_id, client_secret = self._credentials.client_id, self._credentials.client_secret
        if client_id is None or client_secret is None:
            raise TokenRefused(0, "no client id and secret to fetch a token with")
        status, body = self._fetch(basic(client_id, client_secret))
        if status != 200:
            raise TokenRefused(status, f"the token endpoint {TOKEN_PATH} answered {status}")
        if len(body) > MOST_TOKEN_BYTES:
            raise TokenRefused(status, f"the token endpoint {TOKEN_PATH} answered with more than 64 KB")
        try:
            document = parse_json(body)
            token, life = document["access_token"], _seconds(document.get("expires_in", _LIFE_SECONDS))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise TokenRefused(status, f"the token endpoint {TOKEN_PATH} gave no access_token") from None
        if not isinstance(token, str) or not token or any(not 32 < ord(c) < 127 for c in token):
            raise TokenRefused(status, f"the token endpoint {TOKEN_PATH} gave a token that cannot be sent in a header")
        life = min(max(life, 0.0), _LIFE_SECONDS)
        self._token = Secret(token)
        self.seen.append(self._token)
        self._lapses_at = self._clock() + life
        self._renew_at = self._lapses_at - min(_MARGIN_SECONDS, life / 2)


def _seconds(life: object) -> float:
    """Read how long a token lives; a number beyond any double counts as the longest. Raises ValueError, TypeError."""
    try:
        return float(life)  # type: ignore[arg-type]
    except OverflowError:
        return _LIFE_SECONDS


def _authorization(request: httpx.Request) -> Secret | None:
    """Return the Authorization value that httpx has put on a request."""
    value = request.headers.get("authorization")
    return None if value is None else Secret(value)


def basic(client_id: Secret, client_secret: Secret) -> Secret:
    """Return the Authorization value of HTTP Basic for a service account."""
    pair = f"{client_id.reveal()}:{client_secret.reveal()}".encode()
    return Secret("Basic " + base64.b64encode(pair).decode())


def _digest_of(headers: Iterable[str]) -> str:
    """Return the digest challenge to answer, of headers that may list several challenges each: the first one of an
    algorithm that is known here, else the first one; an empty text where there is none.
    """
    found: list[str] = []
    for header in headers:
        bare = _QUOTED.sub(lambda quoted: '"' + "x" * (len(quoted[0]) - 2) + '"', header)
        starts = [scheme.start(1) for scheme in _SCHEME.finditer(bare)]
        parts = [header[start:end].rstrip(", ") for start, end in pairwise([*starts, len(header)])]
        found += [part for part in parts if part[:7].lower() == "digest "]
    known = (part for part in found if (named := _ALGORITHM.search(part)) is None or named[1].upper() in _ALGORITHMS)
    return next(known, found[0] if found else "")
