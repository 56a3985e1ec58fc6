"""The clients of a run, one after the other: each tells whoever watches the run what it waits for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from atlas_conformance.http.client import Client
from atlas_conformance.http.redaction.redaction import mask_text, secrets_in
from atlas_conformance.http.secret import Secret
from atlas_conformance.http.target import Target
from atlas_conformance.runner.waits import Waits


class Connector:
    """Makes clients with `connect`, and knows the latest one, and so what must not be shown."""

    def __init__(self, connect: Callable[..., Client], waits: Waits, environ: Mapping[str, str]) -> None:
        self._connect = connect
        self._waits = waits
        self._environ = environ
        self._client: Client | None = None
        self._secrets: tuple[Secret, ...] = ()

    def connected(self, target: Target, **given: Any) -> Client:
        """Return a new client of the target. Raises TargetError."""
        client = self._client = self._connect(target, **given)
        client.tell_waits(self._waits.tell, self._waits.say)
        return client

    def masked(self, text: str) -> str:
        """Return text, such as an error's own words, without the secrets of the run."""
        known = self._secrets if self._client is None else self._client.secrets
        return mask_text(text, (*known, *secrets_in(self._environ)))

    def close(self) -> None:
        """Close the latest client; harmless when called again."""
        client, self._client = self._client, None
        if client is not None:
            self._secrets = client.secrets
            client.close()
