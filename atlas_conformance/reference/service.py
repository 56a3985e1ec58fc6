"""The reference endpoint served from a thread of this process."""

from __future__ import annotations

import asyncio
import concurrent.futures
import random
import secrets
import socket
import threading
from collections.abc import Callable, Collection, Mapping
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from atlas_conformance.reference.clock import wall_time
from atlas_conformance.reference.credentials import Credentials
from atlas_conformance.reference.disturbances import Disturbances, Turbulence
from atlas_conformance.reference.fault import Fault
from atlas_conformance.reference.fixtures import Fixtures
from atlas_conformance.reference.freedoms import resolve
from atlas_conformance.reference.settings import (
    ServerError,
    Settings,
    checked,
    credentials_of,
    fault_named,
    fixtures_of,
    scenario_of,
)

if TYPE_CHECKING:
    from atlas_conformance.reference.directions import Rule
    from atlas_conformance.reference.endpoint import Endpoint
    from atlas_conformance.reference.outcomes import Outcomes

T = TypeVar("T")

START_LIMIT = 30.0
"""How long a start or a reset may take, in seconds."""


_BEGUN_STEPS = 20.0
"""Steps for which the snapshot that is under way from the start stays in each state."""


class Service:
    """A running endpoint inside this process: an event loop in a thread of its own, and the socket that it serves."""

    def __init__(self, settings: Settings, fault: Fault | None = None) -> None:
        """Bind the socket and open the database; raises ServerError."""
        self._settings = checked(settings)
        self._socket = _bind(settings.host, settings.port)
        host, port = self._socket.getsockname()[:2]
        scheme = "http" if self._settings.certificate is None else "https"
        self.url = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
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
        self._fault = fault
        import sqlite3

        from atlas_conformance.reference.application import Application
        from atlas_conformance.reference.authentication import Authentication
        from atlas_conformance.reference.jobs import Jobs

        settings = self._settings
        try:
            self._jobs = Jobs(settings.database)
        except sqlite3.Error as error:
            raise ServerError(f"the database {settings.database} can't be used: {error}") from None
        try:
            self.seed, self.epoch = self._jobs.start(settings.seed, int(wall_time()), secrets.randbits(64))
            self.fixtures: Fixtures = fixtures_of(settings, self.seed, self.epoch)
            self.credentials: Credentials = credentials_of(settings, self.seed)
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
        try:
            self._direct()
        except ValueError as error:
            self._jobs.close()
            raise ServerError(str(error)) from None
        if settings.control:
            from atlas_conformance.reference.control_api import Control
            from atlas_conformance.reference.controls import Controls

            self.controls = Controls(self._application, self._jobs, self._restart)
            self._application.control = Control(self.controls)

    def _restart(self) -> None:
        """Make the endpoint as it was at its start."""
        self._application.endpoint = self._endpoint(
            self._fault or fault_named(self._settings.fault), self._settings.freedoms
        )
        self._direct()

    def _direct(self) -> None:
        """Have the scenario's rules hold; raises ValueError where one of them makes no sense."""
        if self._settings.scenario is None and not self._settings.control:
            return
        from atlas_conformance.reference.directions import Directions

        rules = () if self._settings.scenario is None else scenario_of(self._settings.scenario).rules
        self._application.directions = Directions((form.rule() for form in rules), self._directed)

    def _directed(self, rule: Rule) -> Endpoint:
        """Return the running endpoint as it is with a rule's fault and freedoms."""
        from atlas_conformance.reference.endpoint import Endpoint
        from atlas_conformance.reference.faults import find

        fault = None if rule.fault is None else find(rule.fault)
        if fault is not None and fault.pause:
            raise ValueError(f"the fault {fault.id} needs calls that overlap: start the endpoint with it instead")
        usual = self._application.endpoint.backend
        free = resolve({**self._settings.freedoms, **rule.freedoms, **(fault.freedoms if fault else {})})
        authentication = copy(usual.authentication)
        authentication.skip = fault.credentials if fault else frozenset()
        authentication.algorithms = tuple(free["digest-algorithms"].split(","))
        backend = replace(usual, free=free, authentication=authentication, notes={})
        return Endpoint(backend, url=self.url, fault=fault, offered=self._settings.operations)

    def call(self, action: Callable[[], T]) -> T:
        """Return what `action` returns in the thread that serves, between two requests; raises what it raises."""
        assert self._loop is not None
        found: concurrent.futures.Future[T] = concurrent.futures.Future()

        def act() -> None:
            try:
                found.set_result(action())
            except BaseException as error:
                found.set_exception(error)

        self._loop.call_soon_threadsafe(act)
        return found.result(START_LIMIT)

    def _endpoint(self, fault: Fault | None, freedoms: Mapping[str, str], *, kept: bool = False) -> Any:
        from atlas_conformance.reference.backend import Backend
        from atlas_conformance.reference.earlier_jobs import historic_jobs
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
        now, step = wall_time(), _BEGUN_STEPS * settings.step
        started = begun_at(self.fixtures, f"{draw.getrandbits(96):024x}", now, step)
        if self._snapshots is not None:
            self._snapshots.close()
        self._snapshots = Snapshots(self.fixtures, settings.database, started)
        backend = Backend(
            fixtures=self.fixtures,
            jobs=self._jobs,
            known_snapshots=self._snapshots,
            authentication=self._authentication,
            free=free,
            imitate=frozenset(settings.imitate),
            level=settings.level,
            step=settings.step,
            rate=settings.rate,
            draw=draw,
            outcomes=self._outcomes(),
        )
        return Endpoint(backend, url=self.url, fault=fault, offered=settings.operations)

    def _outcomes(self) -> Outcomes:
        from atlas_conformance.reference.outcomes import Outcomes

        if self._settings.scenario is None:
            return Outcomes()
        scenario = scenario_of(self._settings.scenario)
        return Outcomes(scenario.states.seconds(), (form.failing() for form in scenario.failures))

    def start(self) -> None:
        """Serve, in a thread; returns when the socket answers."""
        self._thread = threading.Thread(target=self._serve, name="reference-endpoint", daemon=True)
        self._thread.start()
        self._ready.wait(START_LIMIT)
        if self._failure is not None:
            raise ServerError(f"the endpoint could not be started: {self._failure}")

    def _serve(self) -> None:
        import uvicorn

        from atlas_conformance.reference.protocol import Protocol

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
            date_header=False,  # the application's own goes by the endpoint's clock
            ssl_certfile=self._settings.certificate,
            ssl_keyfile=self._settings.key,
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
                self._fault, self._settings = fault, replace(self._settings, fault=None)
                self._direct()
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
