"""The token endpoint of a target: tokens for its service accounts, and requests for tokens that it must not give."""

from __future__ import annotations

from collections.abc import Iterator

from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.http.authentication import TOKEN_PATH, WRONG_ACCOUNT, basic
from atlas_conformance.http.guard.guard import Guard
from atlas_conformance.http.lines import Lines
from atlas_conformance.http.polling import LOOPBACK, REMOTE
from atlas_conformance.http.secret import Secret
from atlas_conformance.http.target import Target
from atlas_conformance.http.waiting import Waiting, asked_pause


class TokenEndpoint:
    """Asks a target's token endpoint, and waits where it asks to wait."""

    def __init__(self, target: Target, guard: Guard, lines: Lines, waiting: Waiting) -> None:
        self._target = target
        self._guard = guard
        self._lines = lines
        self._waiting = waiting
        self._patience = waiting.patience()

    def fetch(self) -> Exchange | None:
        """Ask the token endpoint for a token as the owner's service account; None where the target names none.

        The exchange carries the token: redact it before it is kept. Raises NoAnswer.
        """
        owner = self._target.credentials.get("owner")
        if owner is None or owner.client_id is None or owner.client_secret is None:
            return None
        return self._exchange(basic(owner.client_id, owner.client_secret))

    def ask_in_vain(self) -> Iterator[tuple[str, Exchange]]:
        """Ask the token endpoint for tokens that it must not give, and yield each answer after what was wrong.

        Nothing where the target names no service account. The exchanges may carry a token: redact them before they are
        kept. Raises NoAnswer.
        """
        owner = self._target.credentials.get("owner")
        if owner is None or owner.client_id is None or owner.client_secret is None:
            return
        assert WRONG_ACCOUNT.client_id is not None
        assert WRONG_ACCOUNT.client_secret is not None
        yield "a wrong client secret", self._exchange(basic(owner.client_id, WRONG_ACCOUNT.client_secret))
        cut = Secret(owner.client_secret.reveal()[:-1])
        yield "a client secret that is cut", self._exchange(basic(owner.client_id, cut))
        unknown = basic(WRONG_ACCOUNT.client_id, WRONG_ACCOUNT.client_secret)
        yield "an unknown client", self._exchange(unknown)
        yield "no client", self._exchange(None)

    def answer(self, authorization: Secret) -> tuple[int, bytes]:
        """Ask for a token with an Authorization value; return the status and the body. Raises NoAnswer."""
        exchange = self._exchange(authorization)
        return exchange.response.status, exchange.response.body

    def _exchange(self, authorization: Secret | None) -> Exchange:
        """Post the client-credentials request to the target's own token endpoint."""
        body = b"grant_type=client_credentials"
        headers = (("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded"))
        request = Request("POST", TOKEN_PATH, headers, body, credential="none")
        pauses = iter(REMOTE if self._guard.remote else LOOPBACK)
        for _ in range(self._target.limits.retries + 1):
            exchange = self._lines.exchange(request, authorization, harmless=True)
            if exchange.response.status not in (429, 503):
                break
            pause = asked_pause(exchange)
            pause = next(pauses) if pause is None else pause
            self._patience.note(exchange.response.status)
            if not self._waiting.allows(pause) or not self._patience.lasts():
                break
            self._waiting.spend(pause)
            self._waiting.hold(pause, exchange.response)
        self._patience.note(exchange.response.status)
        return exchange
