"""Judging exchanges as they happen, whoever makes them, and collecting what fails or raising it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from atlas_conformance.adapters.failure import Failure, RequirementFailed
from atlas_conformance.contracts.chronicle import Chronicle
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import CREDENTIALS, Credential
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.naming import unknown
from atlas_conformance.recordings.bodies import UNDONE
from atlas_conformance.recordings.entries import Unjudged
from atlas_conformance.recordings.masking import Masking, presentable
from atlas_conformance.recordings.places import target_of
from atlas_conformance.recordings.watched import Message, Watched

OnFailure: TypeAlias = Literal["collect", "raise"]

_PORTS = {"http": 80, "https": 443}


class TrafficJudge:
    """Judges every exchange that an adapter hands to it, alone and in the light of those before it.

    - `knowledge`: what is known of the endpoint; with nothing known, only what holds of every endpoint is judged;
    - `contract`: what is judged by, None for the contract of the package;
    - `base_url`: only exchanges under this URL are judged; None judges the paths of the contract on every host;
    - `on_failure`: "collect" keeps failures, "raise" also raises `RequirementFailed` from the call that made the
      exchange;
    - `credential`: whose credentials the requests carry, where that is known; with "owner" a conforming create must be
      accepted and a created job found;
    - `strict`: known departures of the real service, and advice, fail too;
    - `remember`: how many jobs are followed at the same time; beyond that, the job seen longest ago is forgotten.

    May be shared by threads and by several adapters. Credentials are masked before anything is judged or kept.
    """

    def __init__(
        self,
        knowledge: Knowledge | None = None,
        *,
        contract: Contract | None = None,
        base_url: str | None = None,
        on_failure: OnFailure = "collect",
        credential: Credential = "unknown",
        strict: bool = False,
        remember: int = 10_000,
    ) -> None:
        """Judge nothing yet. Raises ValueError or TypeError for an argument that cannot be meant."""
        if on_failure not in ("collect", "raise"):
            raise ValueError(f"on_failure is 'collect' or 'raise', not {on_failure!r}")
        self._base = None if base_url is None else _place(str(base_url).rstrip("/"))
        if base_url is not None and self._base is None:
            raise ValueError(f"base_url is an http or https URL, not {base_url!r}")
        if credential not in CREDENTIALS:
            raise ValueError(unknown("credential", credential, CREDENTIALS))
        if not isinstance(strict, bool):
            raise TypeError(f"strict is True or False, not {strict!r}")
        if not isinstance(remember, int) or isinstance(remember, bool) or remember < 1:
            raise ValueError(f"remember is a number of jobs, at least 1, not {remember!r}")
        if knowledge is None:
            knowledge = Knowledge()
        self._raises = on_failure == "raise"
        self._credential: Credential = credential
        self._strict = strict
        self._chronicle = Chronicle(knowledge, contract=contract, remember=remember)
        self._masking = Masking()
        self._lock = threading.Lock()
        self._failures: dict[tuple[str, str, str], Failure] = {}
        self._departures: dict[tuple[str, str, str], Failure] = {}
        self._advice: dict[tuple[str, str, str], Failure] = {}
        self.held: set[tuple[str, str]] = set()
        """The (requirement, operation) pairs that some exchange showed to hold."""
        self.judged = 0
        """How many exchanges were judged."""
        self.unjudged: Counter[str] = Counter()
        """How many exchanges of the contract's paths were not judged, by the reason."""

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The first failure of each requirement, operation and place, in the order in which they were seen."""
        with self._lock:
            return tuple(self._failures.values())

    @property
    def known_departures(self) -> tuple[Failure, ...]:
        """What fails just as the real service is known to fail; with `strict` these are among `failures` instead."""
        with self._lock:
            return tuple(self._departures.values())

    @property
    def advice(self) -> tuple[Failure, ...]:
        """What a "should" requirement asks for and does not get; with `strict` these are among `failures` instead."""
        with self._lock:
            return tuple(self._advice.values())

    def assert_conforming(self) -> None:
        """Raise `RequirementFailed` where a failure was collected, and AssertionError where nothing was judged."""
        if self.failures:
            raise RequirementFailed(self.failures)
        if not self.judged:
            reasons = "; ".join(f"{count} {reason}" for reason, count in self.unjudged.items())
            raise AssertionError(f"no exchange was judged ({reasons or 'none of the contract was seen'})")

    def concerns(self, url: str) -> bool:
        """Tell whether an exchange with this URL is judged: it lies under `base_url`, on a path of the contract."""
        if self._base is not None:
            place = _place(url)
            if place is None or place[0] != self._base[0] or not place[1].startswith(f"{self._base[1]}/"):
                return False
        return target_of(url, self._chronicle.contract) is not None

    def begin(self, method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes) -> Passage:
        """Note a request that is about to be sent, and return what takes its answer."""
        message = Message(method=method, target=url, headers=tuple(headers))
        message.add(body)
        return Passage(self, message)

    def skip(self, reason: str) -> None:
        """Count an exchange of the contract that cannot be judged."""
        with self._lock:
            self.unjudged[reason] += 1

    def take(self, watched: Watched) -> None:
        """Judge one exchange. Raises RequirementFailed if failures are to be raised and it has any."""
        with self._lock:
            found = self._judge(watched)
        if found and self._raises:
            raise RequirementFailed(found)

    def _judge(self, watched: Watched) -> tuple[Failure, ...]:
        entry = watched.entry(self._masking, self._chronicle.contract)
        if isinstance(entry, Unjudged):
            self.unjudged[entry.reason] += 1
            return ()
        exchange = entry.exchange
        # A 401 may ask for a digest response or a fresh token: it tells nothing of whoever does send credentials.
        credential = "unknown" if exchange.response.status == 401 else self._credential
        request = replace(exchange.request, credential=credential)
        judgement = self._chronicle.tell(replace(exchange, request=request)).judgement
        self.judged += 1
        self.held |= judgement.held
        if not judgement.findings:
            return ()
        shown, findings = presentable(exchange, judgement.findings)
        failures = []
        for finding in findings:
            failure = Failure.of(finding, shown, self._chronicle.contract)
            failing = finding.fails or self._strict
            told = self._failures if failing else self._advice if finding.advice else self._departures
            told.setdefault(finding.key, failure)
            if failing:
                failures.append(failure)
        return tuple(failures)

    def lose(self, watched: Watched, reason: str) -> None:
        """Count an exchange whose answer is not known, and why: the job of a create may hold its target from now on."""
        with self._lock:
            self.unjudged[reason] += 1
            entry = watched.entry(self._masking, self._chronicle.contract)
            if not isinstance(entry, Unjudged):
                self._chronicle.lose(entry.exchange.request)


class Passage:
    """One exchange on its way: the request that was sent, and its answer as far as it has come."""

    def __init__(self, traffic: TrafficJudge, request: Message) -> None:
        self._traffic = traffic
        self._request = request
        self._started = time.time()
        self._answer = Message()
        self._ended: float | None = None
        self._over = False

    def sent(self, piece: bytes) -> None:
        """Note a piece of the request's body that was not known when it began."""
        self._request.add(piece)

    def answered(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Note the head of the answer; bodies are decoded by its `Content-Encoding`."""
        self._answer = Message(status=status, headers=tuple(headers))

    def add(self, piece: bytes) -> None:
        """Note a piece of the answer's body."""
        self._answer.add(piece)

    def undo(self, undo: Callable[[str, bytes], bytes | None]) -> None:
        """Let the client undo content encodings that only it knows: `undo` is given their names and the body, and
        returns the body, None where it does not know them either.
        """
        named = ",".join(value for name, value in self._answer.headers if name.lower() == "content-encoding")
        if UNDONE.issuperset(name.strip().lower() for name in named.split(",")):
            return
        body = undo(named, bytes(self._answer.body))
        if body is not None:
            self.answered(self._answer.status, decoded(self._answer.headers))
            self.add(body)

    def end(self) -> None:
        """Note that the answer ends now, whenever it is judged."""
        self._ended = time.time()

    def complete(self) -> None:
        """Judge the exchange, whose answer has come in full. Raises RequirementFailed as `TrafficJudge.take` does."""
        if not self._over:
            self._over = True
            self._traffic.take(self._watched())

    def lose(self) -> None:
        """Note that the answer never came."""
        if not self._over:
            self._over = True
            self._traffic.lose(self._watched(), "have no answer")

    def abandon(self) -> None:
        """Note that the answer's body was not read to its end, so that it cannot be judged."""
        if not self._over:
            self._over = True
            self._traffic.lose(self._watched(), "have a body that was not read to its end")

    def _watched(self) -> Watched:
        return Watched(self._request, self._answer, self._started, self._ended or time.time())


def decoded(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return headers as they are of a body whose content encodings are undone."""
    return [pair for pair in headers if pair[0].lower() not in ("content-encoding", "content-length")]


def _place(url: str) -> tuple[tuple[str, str, int], str] | None:
    """Return the origin of an http or https URL, the port always named, and its path; None for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    return (parts.scheme, parts.hostname, port or _PORTS[parts.scheme]), parts.path
