"""Signing: each request is sent as whoever it says, by Digest, with a bearer token, or without credentials."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from atlas_conformance.contracts.exchange import NEARLY_RIGHT, Credential, Exchange, Request, Scheme
from atlas_conformance.http.authentication import (
    WRONG,
    Answer,
    BearerSession,
    DigestSession,
    TokenRefused,
    basic,
)
from atlas_conformance.http.choosing import choice
from atlas_conformance.http.failures import MissingCredentials, NoAnswer
from atlas_conformance.http.lines import TURNS, Lines
from atlas_conformance.http.redaction.handed import Handed
from atlas_conformance.http.secret import Credentials, Secret
from atlas_conformance.http.tokens import TokenEndpoint
from atlas_conformance.http.writing import RequestWriter


class Signer:
    """Signs the requests of any number of threads and sends each on its line.

    `tokens` gives the bearer tokens of `credentials`; `handed` notes answers that nobody else sees. `monotonic`
    is seconds.
    """

    def __init__(
        self,
        credentials: Mapping[Credential, Credentials],
        tokens: TokenEndpoint,
        lines: Lines,
        writer: RequestWriter,
        handed: Handed,
        monotonic: Callable[[], float],
    ) -> None:
        self._credentials = credentials
        self._lines = lines
        self._writer = writer
        self._handed = handed
        self._nearly_right: dict[str, Secret] = {}
        self._local = threading.local()
        self._bearers = {
            name: BearerSession(identity, tokens.answer, monotonic)
            for name, identity in (*credentials.items(), ("wrong", WRONG))
            if identity.bearer
        }

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The tokens fetched so far, and what was made of credentials to be nearly right."""
        return (*(token for bearer in self._bearers.values() for token in bearer.seen), *self._nearly_right.values())

    def exchange(self, request: Request, prefer: Scheme | None) -> Exchange:
        """Send a request as whoever it says; `prefer` is the scheme where it leaves that open.

        A token that is refused is renewed once; where that happens too often, the refusal is the answer. Raises
        MissingCredentials, Unsendable and Withheld before the request is sent, and NoAnswer.
        """
        bearers = self._bearers
        scheme, identity = choice(request, self._credentials, prefer, lambda: self._token(request, bearers["owner"]))
        if identity is None:
            return self._lines.exchange(request, None)
        if request.scheme != scheme:
            # The judge needs to know which scheme an answer speaks of.
            request = replace(request, scheme=scheme)
        if request.credential == "basic":
            assert identity.public_key is not None
            assert identity.private_key is not None
            pair = basic(identity.public_key, identity.private_key)
            self._nearly_right[request.credential] = Secret(pair.reveal().partition(" ")[2])
            return self._lines.exchange(request, pair)
        if request.credential == "known-nonce":
            return self._forged(request)
        if scheme == "digest":
            return self._digest(request, identity)
        if request.credential in NEARLY_RIGHT:
            assert identity.token is not None
            self._nearly_right[request.credential] = identity.token
            return self._lines.exchange(request, Secret(f"Bearer {identity.token.reveal()}"))
        bearer = self._bearers[request.credential]
        token = self._token(request, bearer)
        exchange = self._lines.exchange(request, Secret(f"Bearer {token.reveal()}"))
        if exchange.response.status != 401:
            bearer.accepted()
            return exchange
        try:
            renewed = bearer.renewed(token)
        except TokenRefused:
            return exchange
        if renewed is None or bearer.lapses_early:
            return exchange
        return self._lines.exchange(request, Secret(f"Bearer {renewed.reveal()}"))

    def _digest(self, request: Request, identity: Credentials) -> Exchange:
        _, raw_target = self._writer.written(request)
        sessions: dict[Credential, DigestSession] = self._local.__dict__.setdefault("digests", {})
        session = sessions.get(request.credential)
        if session is None:
            assert identity.public_key is not None
            assert identity.private_key is not None
            session = sessions[request.credential] = DigestSession(identity.public_key, identity.private_key)
        exchanges: list[Exchange] = []

        def send(authorization: Secret | None) -> Answer:
            exchange = self._lines.exchange(request, authorization, turns=1)
            exchanges.append(exchange)
            self._handed.note(exchange.response)
            status = exchange.response.status
            if status != 401:
                return Answer(status, ())
            challenges = (value for name, value in exchange.response.headers if name.lower() == "www-authenticate")
            return Answer(status, tuple(value for value in challenges if "digest " in value.lower()))

        turn = 0
        while True:
            try:
                session.run(request.method, raw_target, send)
                return exchanges[-1]
            except NoAnswer as failure:
                # Sent again it is signed again: an endpoint may take each count of a nonce once.
                turn += 1
                if turn == TURNS or not self._lines.worth_another(failure, turn, harmless=False):
                    raise

    def _forged(self, request: Request) -> Exchange:
        """Send a wrong response to the nonce by which the owner was let in last, in this thread."""
        _, raw_target = self._writer.written(request)
        session: DigestSession | None = self._local.__dict__.get("digests", {}).get("owner")
        authorization = None if session is None else session.forged(request.method, raw_target)
        if authorization is None:
            raise MissingCredentials(request, "no nonce is known that has let the owner in")
        return self._lines.exchange(request, authorization)

    def _token(self, request: Request, bearer: BearerSession) -> Secret:
        try:
            return bearer.token()
        except TokenRefused as error:
            reason = f"no bearer token: {error}"
        raise MissingCredentials(request, reason)
