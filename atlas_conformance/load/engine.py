"""The engine: Locust's users and runners. Importing this module patches the interpreter, so it must come first.

Everything that opens connections or starts threads is made cooperative, which only works for modules that are imported
afterwards. Nothing else of the project imports this module at its top but what the `hammer` command imports last.
"""

from __future__ import annotations

# Locust patches the standard library when it is imported, hence before anything else of this project.
import locust  # isort: skip

import logging
from collections.abc import Callable

import gevent  # type: ignore[import-untyped]
from gevent.event import Event  # type: ignore[import-untyped]
from locust import User, constant, task
from locust.env import Environment
from locust.exception import RPCError
from locust.runners import STATE_MISSING, LocalRunner, MasterRunner, WorkerRunner

from atlas_conformance.load.crew import Crew, complain

__all__ = [
    "SATURATED", "STATE_MISSING", "Event", "LocalRunner", "MasterRunner", "RPCError", "WorkerRunner", "environment",
    "gevent", "locust", "stop_users",
]  # fmt: skip

END_SECONDS, STOP_SECONDS = 2.0, 4.0
"""So long users may finish what they are doing when the run ends: until what they wait for is broken off, and until
they are stopped by force."""

SATURATED = (
    "the sending process used a whole core: latencies say more of it than of the endpoint; give a lower --rate, fewer"
    " --users, or add workers"
)
"""What a person must know of a process that the engine found at its limit."""


def environment(crew: Callable[[], Crew]) -> Environment:
    """Return an environment of the engine whose users act in the crew that `crew` returns when they start."""
    # What the engine has to say is said in this program's own words.
    logging.getLogger("locust").setLevel(logging.CRITICAL)
    logging.getLogger().addHandler(logging.NullHandler())

    class Client(User):
        """One concurrent user."""

        abstract = False
        wait_time = constant(0)

        def on_start(self) -> None:
            self.crew = crew()
            self.number = self.crew.enter()

        def on_stop(self) -> None:
            self.crew.leave(self.number)

        @task
        def act(self) -> None:
            self.crew.act(self.number)

    return Environment(user_classes=[Client], stop_timeout=STOP_SECONDS)


def stop_users(runner: LocalRunner | WorkerRunner, crew: Crew) -> None:
    """Let the users of this process come to an end; a request that still waits is broken off."""
    crew.over.set()
    breaking = gevent.spawn_later(END_SECONDS, crew.client.end, "the run is over")
    try:
        runner.stop()
    finally:
        breaking.kill()
    if runner.cpu_warning_emitted:
        complain(SATURATED)
