"""The reference endpoint on a real socket: in a process of its own, or in a thread of this one."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from atlas_conformance.contracts.inventory import Inventory
from atlas_conformance.contracts.knowledge_form import inventory_as_json
from atlas_conformance.contracts.operation import Level
from atlas_conformance.reference.arguments import check_arguments
from atlas_conformance.reference.authentication import SCHEMES
from atlas_conformance.reference.credentials import Credentials
from atlas_conformance.reference.fault import Fault
from atlas_conformance.reference.fixtures import Fixtures
from atlas_conformance.reference.service import START_LIMIT, Service
from atlas_conformance.reference.settings import (
    ServerError,
    Settings,
    checked,
    credentials_of,
    fault_named,
    fixtures_of,
    usual_step,
)

if TYPE_CHECKING:
    from atlas_conformance.reference.scenario import Scenario

__all__ = ["ReferenceServer", "ServerError"]


class ReferenceServer:
    """The reference endpoint, as a context manager.

    - `step`: seconds that a job stays in each phase (None: 0.05, or the latency where that is more);
    - `seed`: what fixtures, credentials and job ids are drawn from (None: at random); `database`: a file, which keeps
      seed and jobs from one start to the next, or memory;
    - `freedoms`: choices out of `freedoms.FREEDOMS`; `imitate`: known departures to show; `fault`: the id of
      a fault, or (in this process) a `Fault`;
    - `level`: "core" leaves out the extended operations, `operations` all but the named ones; `authentication`: the
      schemes offered, none for an endpoint that is open to everybody; `rate`: requests a minute for each caller, None
      for no limit; `latency`: seconds added to each answer; `nonce_life`: seconds after which a digest nonce is stale;
    - `inventory`: what exists, instead of what is drawn from the seed; `earlier`: how many jobs each of its clusters,
      by (project, name), had before;
    - `disturbances`: what the network does to it, by the names in `disturbances.Disturbances`;
    - `scenario`: what exists, how long states last, which restores fail and which requests are answered otherwise; what
      it says of the arguments above, `scenario_options` has; `control`: answer the control API, too;
    - `certificate`: the files of a certificate and its key, to serve https;
    - `in_process`: serve from a thread of this process instead of a process of its own. The child process ends with
      this one, however this one ends.

    `url`, `inventory` and `credentials` are there once it is entered. Making it, entering it and `reset` raise
    ServerError.
    """

    url: str
    inventory: Inventory
    credentials: Credentials
    fixtures: Fixtures

    def __init__(
        self,
        *,
        step: float | None = None,
        seed: int | None = None,
        database: str = ":memory:",
        freedoms: Mapping[str, str] | None = None,
        imitate: Collection[str] = frozenset(),
        fault: str | Fault | None = None,
        level: Level = "workflow",
        operations: Collection[str] | None = None,
        authentication: Collection[str] = SCHEMES,
        rate: int | None = None,
        latency: float = 0.0,
        nonce_life: float = 300.0,
        port: int = 0,
        host: str = "127.0.0.1",
        inventory: Inventory | None = None,
        earlier: Mapping[tuple[str, str], int] | None = None,
        disturbances: Mapping[str, float] | None = None,
        scenario: Scenario | None = None,
        control: bool = False,
        certificate: tuple[str, str] | None = None,
        in_process: bool = False,
    ) -> None:
        """Start nothing yet. Raises ServerError for an argument of a wrong type."""
        check_arguments(
            {
                "step": step,
                "seed": seed,
                "database": database,
                "freedoms": freedoms,
                "imitate": imitate,
                "fault": fault,
                "level": level,
                "operations": operations,
                "authentication": authentication,
                "rate": rate,
                "latency": latency,
                "nonce_life": nonce_life,
                "port": port,
                "host": host,
                "inventory": inventory,
                "earlier": earlier,
                "disturbances": disturbances,
                "scenario": scenario,
            }
        )
        self._fault = fault if isinstance(fault, Fault) else None
        self._in_process = in_process
        self._settings = Settings(
            step=usual_step(latency) if step is None else step,
            seed=seed,
            database=database,
            freedoms=dict(freedoms or {}),
            imitate=tuple(sorted(imitate or ())),
            fault=fault if isinstance(fault, str) else None,
            level=level,
            operations=None if operations is None else tuple(sorted(operations)),
            authentication=tuple(authentication),
            rate=rate,
            latency=latency,
            nonce_life=nonce_life,
            host=host,
            port=port,
            inventory=None if inventory is None else inventory_as_json(inventory),
            earlier=tuple((*place, count) for place, count in (earlier or {}).items()),
            disturbances=dict(disturbances or {}),
            scenario=None if scenario is None else scenario.model_dump(mode="json"),
            control=control,
            certificate=None if certificate is None else certificate[0],
            key=None if certificate is None else certificate[1],
        )
        self._service: Service | None = None
        self._child: _Child | None = None

    def launch(self) -> None:
        """Start the endpoint's own process, and do not wait for it: entering does. In this process there is none."""
        if self._child is None and not self._in_process:
            self._child = _Child(checked(self._settings))

    def __enter__(self) -> ReferenceServer:
        if self._in_process:
            self._service = service = Service(self._settings, self._fault)
            service.start()
            self.url, seed, epoch = service.url, service.seed, service.epoch
        else:
            if self._fault is not None:
                raise ServerError("a fault outside the catalogue needs in_process=True")
            self.launch()
            assert self._child is not None
            self.url, seed, epoch = self._child.started()
        self.fixtures = fixtures_of(self._settings, seed, epoch)
        self.inventory = self.fixtures.inventory
        self.credentials = credentials_of(self._settings, seed)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def service(self) -> Service:
        """What serves in this process; raises ServerError where nothing does."""
        if self._service is None:
            raise ServerError("the endpoint is not running in this process")
        return self._service

    @property
    def schemes(self) -> tuple[str, ...]:
        """The authentication schemes that are offered."""
        return self._settings.authentication

    @property
    def is_running(self) -> bool:
        """Whether it serves, and takes orders."""
        return self._service is not None or (self._child is not None and self._child.is_there)

    def stop(self) -> None:
        """Stop serving; harmless when it has stopped already."""
        service, self._service = self._service, None
        child, self._child = self._child, None
        if service is not None:
            service.stop()
        if child is not None:
            child.stop()

    def reset(
        self,
        *,
        fault: str | Fault | None = None,
        freedoms: Mapping[str, str] | None = None,
        imitate: Collection[str] = frozenset(),
        step: float | None = None,
    ) -> None:
        """Start over between two requests: jobs are forgotten, and fault, freedoms and imitations are those given here.

        URL, inventory, credentials, nonces and tokens stay; `step` stays unless given.
        """
        check_arguments({"fault": fault, "freedoms": freedoms, "imitate": imitate, "step": step})
        if self._service is not None:
            chosen = fault if isinstance(fault, Fault) else fault_named(fault)
            self._service.reset(chosen, freedoms or {}, step, imitate or ())
        elif self._child is not None:
            if isinstance(fault, Fault):
                raise ServerError("a fault outside the catalogue needs in_process=True")
            self._child.ask(fault=fault, freedoms=dict(freedoms or {}), imitate=sorted(imitate or ()), step=step)
        else:
            raise ServerError("the endpoint is not running")


class _Child:
    """The process that serves, and the private socket over which it gets its orders: a JSON document a line."""

    def __init__(self, settings: Settings) -> None:
        ours, theirs = socket.socketpair()
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "atlas_conformance.reference.child", str(theirs.fileno()), str(os.getpid())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
            )
        except OSError as error:
            ours.close()
            raise ServerError(f"the endpoint's process could not be started: {error.strerror}") from None
        finally:
            theirs.close()
        self._socket = ours
        self._socket.settimeout(START_LIMIT)
        self._lines = ours.makefile("r", encoding="utf-8")
        self._answers = True
        self._say(asdict(settings))

    @property
    def is_there(self) -> bool:
        """Whether the process runs, and has answered every order."""
        return self._answers and self._process.poll() is None

    def started(self) -> tuple[str, int, int]:
        """Wait until it serves; return its URL, seed and epoch. Where it does not, raises ServerError and ends it."""
        try:
            answer = self._answer()
        except BaseException:
            self.stop()
            raise
        return answer["url"], answer["seed"], answer["epoch"]

    def ask(self, **wanted: Any) -> dict[str, Any]:
        """Send one request and return its answer; raises ServerError with what the child says is wrong."""
        self._say(wanted)
        return self._answer()

    def _say(self, wanted: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # of one that has ended, no answer comes
            self._socket.sendall(json.dumps(wanted).encode() + b"\n")

    def _answer(self) -> dict[str, Any]:
        try:
            line = self._lines.readline()
        except OSError:
            line = ""
        if not line:
            self._answers = False
            raise ServerError("the endpoint's process ended unexpectedly")
        answer: dict[str, Any] = json.loads(line)
        if "failure" in answer:
            raise ServerError(answer["failure"])
        return answer

    def stop(self) -> None:
        """Let the process end by closing its socket; end it by force where it does not."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._lines.close()
        self._socket.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
