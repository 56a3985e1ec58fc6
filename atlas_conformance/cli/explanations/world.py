"""The reference endpoint in memory, with a clock of its own: the same requests get the same answers."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import httpx
import orjson

from atlas_conformance.contracts.chronicle import Chronicle, Told
from atlas_conformance.contracts.exchange import Credential, Exchange, Headers, Request, Response, Scheme
from atlas_conformance.contracts.inventory import Inventory
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.reference.authentication import REALM, SCHEMES, TOKEN_PATH, Authentication
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.bodies import BODY_LIMIT
from atlas_conformance.reference.credentials import KeyPair, ServiceAccount, make_credentials
from atlas_conformance.reference.endpoint import Endpoint
from atlas_conformance.reference.fault import Fault
from atlas_conformance.reference.fixtures import make_fixtures
from atlas_conformance.reference.freedoms import resolve
from atlas_conformance.reference.jobs import Jobs
from atlas_conformance.reference.messages import Call
from atlas_conformance.reference.snapshots import Snapshots

URL = "https://atlas.example.com"
SEED = 7
START = 1_788_264_000
"""The moment at which every world begins, in epoch seconds: 2026-09-01T12:00:00Z."""

STEP = 60.0
"""Seconds that a job stays in each of its states."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One exchange of a world, and what the judge said of it in the light of those before it."""

    exchange: Exchange
    told: Told


class World:
    """An endpoint that begins again: with a fault, or sound; the exchanges with it are judged as they happen."""

    def __init__(self, fault: Fault | None = None, *, closed: bool = False, rate: int | None = None) -> None:
        """Begin at `START`. A `closed` one asks for credentials; `rate` is the requests a minute that it takes."""
        fixtures = make_fixtures(SEED, START)
        self.inventory: Inventory = fixtures.inventory
        self._credentials = make_credentials(SEED)
        schemes = SCHEMES if closed else ()
        authentication = Authentication(self._credentials, schemes)
        free = resolve(fault.freedoms if fault is not None else {})
        authentication.algorithms = tuple(free["digest-algorithms"].split(","))
        authentication.skip = fault.credentials if fault is not None else frozenset()
        self._jobs = Jobs(":memory:")
        self._jobs.start(SEED, START, SEED)
        self._snapshots = Snapshots(fixtures)
        backend = Backend(
            fixtures=fixtures,
            jobs=self._jobs,
            known_snapshots=self._snapshots,
            authentication=authentication,
            free=free,
            imitate=frozenset(),
            level="workflow",
            step=STEP,
            rate=rate,
            draw=random.Random(f"jobs {SEED}"),
        )
        self._endpoint = Endpoint(backend, url=URL, fault=fault)
        self._chronicle = Chronicle(Knowledge(inventory=self.inventory, digest=closed))
        self._tokens: dict[str, str] = {}
        self.now = float(START)
        self.moments: list[Moment] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._jobs.close()
        self._snapshots.close()

    def send(self, request: Request) -> Exchange:
        """Send a request as whoever its credential names, judge the exchange, and let a second pass."""
        headers = request.headers or ()
        if (authorization := self._authorization(request)) is not None:
            headers = (*headers, ("Authorization", authorization))
        exchange = self._exchange(replace(request, headers=headers))
        self.moments.append(Moment(exchange, self._chronicle.tell(exchange)))
        return exchange

    def ask_for_token(self) -> Exchange:
        """Ask the token endpoint for an owner's access token, judge the exchange, and let a second pass."""
        request = self._token_request(self._credentials.owner_account, "owner")
        exchange = self._exchange(request)
        self.moments.append(Moment(exchange, self._chronicle.tell(exchange)))
        return exchange

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def _exchange(self, request: Request) -> Exchange:
        started = self.now
        status, headers, body = self._endpoint.handle(self._call(request))
        self.now += 1.0
        shown: Headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
        return Exchange(request, Response(status, shown, body), started, started + 0.02)

    def _call(self, request: Request) -> Call:
        headers = {name.lower().encode("latin-1"): value.encode("latin-1") for name, value in request.headers or ()}
        path, _, query = request.target.partition("?")
        body = request.body or b""
        return Call(
            method=request.method,
            target=request.target,
            path=path,
            query_string=query,
            headers=headers,
            accept=headers.get(b"accept", b"").decode("latin-1"),
            body=body if len(body) <= BODY_LIMIT else None,
            now=self.now,
        )

    # Credentials

    def _authorization(self, request: Request) -> str | None:
        """Return the Authorization header of a request, None where it carries no credentials or nobody asks for any."""
        if not self._endpoint.backend.authentication.schemes or request.credential == "none":
            return None
        if request.scheme == "bearer":
            return f"Bearer {self._token(request.credential)}"
        return self._digest(request)

    def _token(self, credential: Credential) -> str:
        accounts: Mapping[str, ServiceAccount] = {
            "owner": self._credentials.owner_account,
            "reader": self._credentials.reader_account,
            "off-list": self._credentials.off_list_account,
        }
        if credential not in accounts:
            return "a-token-that-nobody-was-given"
        if credential not in self._tokens:
            answer = self._exchange(self._token_request(accounts[credential], credential))
            found = orjson.loads(answer.response.body) if answer.response.status == 200 else {}
            self._tokens[credential] = str(found.get("access_token"))
        return self._tokens[credential]

    def _token_request(self, account: ServiceAccount, credential: Credential) -> Request:
        basic = httpx.BasicAuth(account.id, account.secret)
        authorization = next(basic.auth_flow(httpx.Request("POST", URL))).headers["Authorization"]
        headers = (
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Accept", "application/json"),
            ("Authorization", authorization),
        )
        return Request("POST", TOKEN_PATH, headers, b"grant_type=client_credentials", credential, "any")

    def _digest(self, request: Request) -> str | None:
        """Return the answer to the endpoint's digest challenge."""
        pairs: Mapping[str, KeyPair] = {
            "owner": self._credentials.owner,
            "reader": self._credentials.reader,
            "off-list": self._credentials.off_list,
        }
        pair = pairs.get(request.credential, KeyPair("nobody", "no-such-key"))
        asked = httpx.Request(request.method, URL + request.target)
        flow = httpx.DigestAuth(pair.public, pair.private).sync_auth_flow(asked)
        next(flow)
        refusal = self._endpoint.backend.authentication.challenge(self.now)
        challenge = next(value for _, value in refusal.headers if value.startswith(f'Digest realm="{REALM}"'))
        answered = flow.send(httpx.Response(401, headers={"WWW-Authenticate": challenge}, request=asked))
        return str(answered.headers["Authorization"])


def as_(request: Request, credential: Credential, scheme: Scheme = "bearer") -> Request:
    """Return the request with other credentials."""
    return replace(request, credential=credential, scheme=scheme)
