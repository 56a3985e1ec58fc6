"""The reference endpoint served from a thread of this process, with what it is started with."""

from __future__ import annotations

import asyncio
import random
import secrets
import socket
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from atlas_conformance.contracts.knowledge_form import inventory_of_json
from atlas_conformance.contracts.operation import LEVELS, Level
from atlas_conformance.reference.authentication import SCHEMES
from atlas_conformance.reference.credentials import Credentials, make_credentials
from atlas_conformance.reference.disturbances import Disturbances, Turbulence
from atlas_conformance.reference.fault import Fault
from atlas_conformance.reference.fixtures import Fixtures, furnish, make_fixtures
from atlas_conformance.reference.freedoms import known_imitations, resolve

START_LIMIT = 30.0
"""How long a start or a reset may take, in seconds."""


class ServerError(Exception):
    """The endpoint can't be started or reset; the text is one sentence that says why."""


_BEGUN_STEPS = 20.0
"""Steps for which the snapshot that is under way from the start stays in each state."""

USUAL_STEP = 0.05
"""Seconds that a job stays in each phase, on an endpoint that answers at once."""


def usual_step(latency: float) -> float:
    """Return the step where none is asked for: no shorter than answers are late, else no one ever sees a job run."""
    return max(USUAL_STEP, latency)


@dataclass(frozen=True)
class Settings:
    """How the endpoint is started; see `ReferenceServer` for the meaning of each."""

    step: float = USUAL_STEP
    seed: int | None = None
    database: str = ":memory:"
    freedoms: Mapping[str, str] = field(default_factory=dict)
    imitate: tuple[str, ...] = ()
    fault: str | None = None
    level: Level = "workflow"
    operations: tuple[str, ...] | None = None
    authentication: tuple[str, ...] = SCHEMES
    rate: int | None = None
    latency: float = 0.0
    nonce_life: float = 300.0
    host: str = "127.0.0.1"
    port: int = 0
    inventory: Mapping[str, Any] | None = None
    earlier: tuple[tuple[str, str, int], ...] = ()
    disturbances: Mapping[str, float] = field(default_factory=dict)


def fixtures_of(settings: Settings, seed: int, epoch: int) -> Fixtures:
    """Return what exists: the inventory of the settings, or else what is drawn from the seed."""
    if settings.inventory is None:
        return make_fixtures(seed, epoch)
    earlier = {(project, cluster): count for project, cluster, count in settings.earlier}
    return furnish(inventory_of_json(settings.inventory), epoch, earlier)


def checked(settings: Settings) -> Settings:
    """Return the settings; raises ServerError with one sentence where one of them makes no sense."""
    try:
        resolve(settings.freedoms)
        known_imitations(settings.imitate)
        Disturbances.of(settings.disturbances)
    except ValueError as error:
        raise ServerError(str(error)) from None
    if not settings.step >= 0.001:
        raise ServerError(f"a step of {settings.step} s is too short; the shortest is 0.001 s")
    if settings.level not in LEVELS:
        raise ServerError(f"there is no level {settings.level!r}; it is {' or '.join(LEVELS)}")
    if not set(settings.authentication) <= set(SCHEMES):
        raise ServerError("authentication is digest, bearer, both or none")
    if settings.rate is not None and settings.rate < 1:
        raise ServerError("a rate is at least 1 request a minute")
    return settings


class Service:
    """A running endpoint inside this process: an event loop in a thread of its own, and the socket that it serves."""

    def __init__(self, settings: Settings, fault: Fault | None = None) -> None:
        """Bind the socket and open the database; raises ServerError."""
        self._settings = checked(settings)
        self._socket = _bind(settings.host, settings.port)
        host, port = self._socket.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Any = None
        self._snapshots: Any = None
        try:
            self._open(fault)
        except BaseException:
            self._socket.close()
            raise

    def _open(self, fault: Fault | None) -> None:
        import sqlite3

        from atlas_conformance.reference.application import Application, now
        from atlas_conformance.reference.authentication import Authentication
        from atlas_conformance.reference.jobs import Jobs

        settings = self._settings
        try:
            self._jobs = Jobs(settings.database)
        except sqlite3.Error as error:
            raise ServerError(f"the database {settings.database} can't be used: {error}") from None
        try:
            self.seed, self.epoch = self._jobs.start(settings.seed, int(now()), secrets.randbits(64))
            self.fixtures: Fixtures = fixtures_of(settings, self.seed, self.epoch)
            self.credentials: Credentials = make_credentials(self.seed)
            self._authentication = Authentication(self.credentials, settings.authentication, settings.nonce_life)
            kept = self._jobs.count_all() > 0
            endpoint = self._endpoint(fault or fault_named(settings.fault), settings.freedoms, kept=kept)
        except (sqlite3.Error, ValueError) as error:
            self._jobs.close()
            raise ServerError(str(error)) from None
        except BaseException:
            self._jobs.close()
            raise
        disturbances = Disturbances.of(settings.disturbances)
        turbulence = Turbulence(disturbances, self.seed) if settings.disturbances else None
        self._application = Application(endpoint, settings.latency, turbulence)

    def _endpoint(self, fault: Fault | None, freedoms: Mapping[str, str], *, kept: bool = False) -> Any:
        from atlas_conformance.reference.backend import Backend, historic_jobs
        from atlas_conformance.reference.endpoint import Endpoint
        from atlas_conformance.reference.snapshots import Snapshots, begun_at

        settings = self._settings
        free = resolve({**freedoms, **(fault.freedoms if fault else {})})
        # Ids of a database that is used again must not repeat.
        draw = random.Random(secrets.randbits(64) if kept else f"jobs {self.seed}")
        self._authentication.algorithms = tuple(free["digest-algorithms"].split(","))
        self._authentication.skip = fault.credentials if fault else frozenset()
        if not kept:
            self._jobs.clear()
            for job in historic_jobs(self.fixtures, draw):
                self._jobs.add(job)
        now, step = time.time(), _BEGUN_STEPS * settings.step
        started = begun_at(self.fixtures, f"{draw.getrandbits(96):024x}", now, step)
        if self._snapshots is not None:
            self._snapshots.close()
        self._snapshots = Snapshots(self.fixtures, settings.database, started)
        backend = Backend(
            fixtures=self.fixtures,
            jobs=self._jobs,
            snapshots=self._snapshots,
            authentication=self._authentication,
            free=free,
            imitate=frozenset(settings.imitate),
            level=settings.level,
            step=settings.step,
            rate=settings.rate,
            draw=draw,
        )
        return Endpoint(backend, url=self.url, fault=fault, offered=settings.operations)

    def start(self) -> None:
        """Serve, in a thread; returns when the socket answers."""
        self._thread = threading.Thread(target=self._serve, name="reference-endpoint", daemon=True)
        self._thread.start()
        self._ready.wait(START_LIMIT)
        if self._failure is not None:
            raise ServerError(f"the endpoint could not be started: {self._failure}")

    def _serve(self) -> None:
        import uvicorn

        from atlas_conformance.reference.application import Protocol

        config = uvicorn.Config(
            self._application,
            http=Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
            backlog=1024,
        )
        self._server = uvicorn.Server(config)

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._ready.set)
            await self._server.serve(sockets=[self._socket])

        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()
            self._jobs.close()
            self._snapshots.close()
            self._socket.close()

    def reset(
        self, fault: Fault | None, freedoms: Mapping[str, str], step: float | None, imitate: Collection[str]
    ) -> None:
        """Start over with no jobs but the historic ones, between two requests; raises ServerError."""
        done = threading.Event()
        failures: list[Exception] = []
        assert self._loop is not None

        def exchange() -> None:
            before = self._settings
            try:
                self._settings = checked(
                    replace(before, step=step or before.step, imitate=tuple(imitate), freedoms=freedoms)
                )
                self._application.endpoint = self._endpoint(fault, freedoms)
            except Exception as error:
                self._settings = before
                failures.append(error)
            finally:
                done.set()

        self._loop.call_soon_threadsafe(exchange)
        done.wait(START_LIMIT)
        for failure in failures:
            raise failure if isinstance(failure, ServerError) else ServerError(str(failure)) from None

    def stop(self) -> None:
        """Stop serving and close everything."""
        if self._thread is None:
            self._jobs.close()
            self._snapshots.close()
            self._socket.close()
            return
        if self._server is not None:
            self._server.should_exit = True
            self._server.force_exit = True
        self._thread.join(10)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not there on every platform
        return None
    return uvloop.new_event_loop


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(1024)
    except (OSError, OverflowError) as error:
        bound.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise ServerError(
            f"port {port} of {host} can't be used: {reason.lower()}; choose another with --port"
        ) from None
    return bound


def fault_named(fault: str | None) -> Fault | None:
    """Return the fault of that id; raises ServerError for one that isn't in the catalogue."""
    if fault is None:
        return None
    from atlas_conformance.reference.faults import find

    try:
        return find(fault)
    except ValueError as error:
        raise ServerError(str(error)) from None
