"""A reference endpoint that poses as a remote one, and runs of the suites and loose requests against it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from atlas_conformance.cli.run import run_suites
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.http.client import Attempt, Client
from atlas_conformance.http.failures import Withheld
from atlas_conformance.http.target import Mode, Target, with_absent, with_mode
from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.plugin import SuitePlugin
from atlas_conformance.runner.session import Session
from atlas_conformance.targets.target_file import target_from_text
from tests.safety.rulebook import Facts, Rulebook
from tests.safety.wiretap import Wiretap

NAME = "atlas.example.test"
_KINDS = ("flex", "dedicated")
HOSTS = (
    "[::ffff:127.0.0.1]",  # an IPv6 literal
    "127.1",
    NAME,
    NAME.upper(),
    NAME + ".",
    "0.0.0.0",
    "2130706433",
)
"""Spellings of a host that lead to this machine and count as remote."""


@contextmanager
def names_resolve() -> Iterator[None]:
    """Let NAME resolve to this machine, in any case, with and without a dot at the end."""
    resolve = socket.getaddrinfo

    def resolved(host: Any, *rest: Any, **more: Any) -> Any:
        text = host.decode() if isinstance(host, bytes) else host
        known = isinstance(text, str) and text.lower().removesuffix(".") in (NAME, "localhost")
        return resolve("127.0.0.1" if known else host, *rest, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolved)
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            patch.delenv(name, raising=False)
        yield


@dataclass
class Tries:
    """How many requests were tried, and how many of them the guard withheld."""

    tried: int = 0
    withheld: int = 0

    def connect(self, target: Target, **options: Any) -> Client:
        """Return a client that keeps this count."""
        return _CountedClient(self, target, **options)


class _CountedClient(Client):
    def __init__(self, tries: Tries, target: Target, **options: Any) -> None:
        self._tries = tries
        super().__init__(target, **options)

    def send(self, request: Request) -> Exchange:
        self._tries.tried += 1
        try:
            return super().send(request)
        except Withheld:
            self._tries.withheld += 1
            raise

    def attempts(self, requests: Iterable[Request]) -> Iterator[Attempt]:
        for attempt in super().attempts(requests):
            self._tries.tried += 1
            self._tries.withheld += isinstance(attempt, Withheld)
            yield attempt


@dataclass
class Posed:
    """One spelling of a host in front of an endpoint, and what may be destroyed there."""

    server: ReferenceServer
    tap: Wiretap
    host: str
    max_jobs: int = 20
    max_snapshots: int | None = None
    tries: Tries = field(default_factory=Tries)

    @property
    def authority(self) -> str:
        """Host and port as in the base URL."""
        return f"{self.host}:{self.tap.port}"

    @property
    def text(self) -> str:
        """The target file."""
        lines = target_toml(self.server.url, self.server.inventory).splitlines()
        lines[0] = f'base_url = "http://{self.authority}"'
        lines += ["[safety]", f"max_jobs = {self.max_jobs}"]
        lines += [] if self.max_snapshots is None else [f"max_snapshots = {self.max_snapshots}"]
        lines += ["destroyable = ["]
        lines += [f'  {{ project = "{project}", cluster = "{name}" }},' for project, name in sorted(self.destroyable)]
        return "\n".join([*lines, "]"]) + "\n"

    @property
    def destroyable(self) -> frozenset[tuple[str, str]]:
        """Three targets of many, and two clusters that have namesakes and neighbours which are not to be destroyed."""
        inventory = self.server.inventory
        targets = [(target.project, target.name) for target in inventory.targets if len(target.accepts) == 3]
        clusters = [next((c.project, c.name) for c in inventory.clusters if c.kind == kind) for kind in _KINDS]
        return frozenset((*targets[:3], *clusters))

    def target(self, mode: Mode, seed: int) -> Target:
        """The target as a run of this mode and seed has it."""
        target = target_from_text(self.text, dict(environment(self.server.credentials)))
        return with_absent(with_mode(target, mode), seed)

    def rulebook(self, mode: Mode, seed: int) -> Rulebook:
        """What a run of this mode and seed may send."""
        absent = self.target(mode, seed).inventory.absent
        assert absent is not None
        most = 2 if self.max_snapshots is None else self.max_snapshots
        facts = Facts(self.server.inventory, absent, self.destroyable, self.max_jobs, self.authority, most)
        return Rulebook(facts, mode)

    def run(self, folder: Path, mode: Mode | None, profile: str, seed: int, requirements: tuple[str, ...] = ()) -> int:
        """Run the suites and return the exit code; a mode of None is the usual one of the host."""
        file = folder / "target.toml"
        file.write_text(self.text, encoding="utf-8")
        options = Options(target=str(file), profile=profile, seed=seed, mode=mode, workers=2, requirements=requirements)
        environ = dict(environment(self.server.credentials))
        session = Session(options, environ=environ, connect=self.tries.connect)
        plugin = SuitePlugin(session, show=lambda finished: None)
        code = run_suites(plugin)
        assert plugin.failure is None, plugin.failure
        return code

    def send(self, mode: Mode, seed: int, requests: Iterable[Request], *, learn: Callable[[str], None]) -> None:
        """Send requests one after the other through a client; `learn` gets the id of each job and snapshot."""
        target = self.target(mode, seed)
        limits = replace(target.limits, retries=0, timeout_seconds=10.0)
        with self.tries.connect(replace(target, limits=limits), workers=1) as client:
            known = 0
            for request in requests:
                client.attempt_all([request])
                for _, _, _, job in client.guard.created_by[known:]:
                    learn(job)
                    known += 1
