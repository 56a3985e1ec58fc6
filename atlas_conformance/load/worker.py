"""A worker: sends and judges as its master says, keeps its own journal, and sends on every line of it."""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from atlas_conformance.http.failures import PreflightFailed, TargetError
from atlas_conformance.http.guard.fronts import Turn
from atlas_conformance.load import engine, messages
from atlas_conformance.load.crew import Crew, complain
from atlas_conformance.load.plan import Plan
from atlas_conformance.load.record import FILE
from atlas_conformance.load.station import Station, station
from atlas_conformance.reports.journal import JournalError
from atlas_conformance.reports.model import EXIT_CODES
from atlas_conformance.reports.writing import JOURNAL
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.outcomes import ReferenceFailed

SEND_EVERY = 0.5
"""Seconds between two looks at what is to be sent on."""

CONNECT_ATTEMPTS = 5
"""How often, five seconds each, a worker looks for its master."""

FILES = (JOURNAL, FILE)


class WorkerFailed(Exception):
    """A worker has no master to work for; the message is one sentence for a person."""


@dataclass
class Tail:
    """Sends on what was added to a file since the last time."""

    path: Path
    runner: engine.WorkerRunner
    sent: int = 0

    def send(self) -> None:
        """Send all that is new, in pieces."""
        with contextlib.suppress(FileNotFoundError), self.path.open("rb") as file:
            file.seek(self.sent)
            while data := file.read(messages.PIECE):
                document = {"file": self.path.name, "start": self.sent, "data": data}
                self.runner.send_message(messages.LINES, document)
                self.sent += len(data)


@dataclass
class Orders:
    """What the master has said so far, and events for what is waited for."""

    plan: Plan | None = None
    parts: int = 1
    name: str = ""
    refused: str | None = None
    turn: Turn = field(default_factory=Turn)
    heard: engine.Event = field(default_factory=engine.Event)

    def on_plan(self, environment: Any, msg: Any, **_: Any) -> None:
        """Take the plan."""
        self.plan = Plan.of_json(msg.data["plan"])
        self.parts, self.name = msg.data["parts"], msg.data["name"]
        self.heard.set()

    def on_refused(self, environment: Any, msg: Any, **_: Any) -> None:
        """Take a refusal."""
        self.refused = msg.data["reason"]
        self.heard.set()

    def on_remote(self, environment: Any, msg: Any, **_: Any) -> None:
        """Take in that another worker found the endpoint to be remote."""
        told, self.turn.told = self.turn.told, None
        self.turn.note(msg.data["reason"])
        self.turn.told = told


def run_worker(options: Options, folder: Path, host: str, port: int, over: engine.Event) -> int:
    """Work for the master at `host` until it says that the run is over, and return the exit code.

    The worker's own files stay in `folder`. Raises WorkerFailed where there is no master, and what `station` raises.
    """
    crews: list[Crew] = []
    orders = Orders()
    runner = _connected(crews, host, port)
    runner.register_message(messages.PLAN, orders.on_plan)
    runner.register_message(messages.REFUSED, orders.on_refused)
    runner.register_message(messages.REMOTE, orders.on_remote)
    orders.turn.told = lambda reason: runner.send_message(messages.REMOTE, {"reason": reason})
    runner.register_message(messages.OVER, lambda environment, msg, **_: over.set())
    try:
        runner.send_message(messages.HELLO, {"host": socket.gethostname(), "folder": str(folder.resolve())})
        if not orders.heard.wait(60.0):
            raise WorkerFailed(f"the master at {host}:{port} does not say what to do; is it of the same version?")
        if orders.refused is not None or orders.plan is None:
            raise WorkerFailed(f"the master at {host}:{port} has no work: {orders.refused}")
        try:
            ready = _ready(options, orders, folder, over)
        except (TargetError, PreflightFailed, ReferenceFailed, JournalError) as error:
            runner.send_message(messages.FAILED, {"reason": str(error)})
            time.sleep(SEND_EVERY)
            raise
        crews.append(ready.crew)
        return _work(ready, runner, folder, over)
    finally:
        with contextlib.suppress(Exception):
            runner.quit()


def _connected(crews: list[Crew], host: str, port: int) -> engine.WorkerRunner:
    engine.locust.runners.CONNECT_RETRY_COUNT = CONNECT_ATTEMPTS
    complain(f"looking for a master at {host}:{port}")
    try:
        return engine.environment(lambda: crews[0]).create_worker_runner(host, port)
    except (ConnectionError, OSError, engine.RPCError) as error:
        reason = str(error) or "nobody answers"
        raise WorkerFailed(
            f"there is no master at {host}:{port} ({reason}); start it first, with --bind 0.0.0.0 for other machines"
        ) from None


def _ready(options: Options, orders: Orders, folder: Path, over: engine.Event) -> Station:
    assert orders.plan is not None
    seeded = replace(options, seed=orders.plan.seed)
    return station(seeded, orders.plan, folder, over, parts=orders.parts, name=orders.name, turn=orders.turn)


def _work(ready: Station, runner: engine.WorkerRunner, folder: Path, over: engine.Event) -> int:
    crew = ready.crew
    tails = [Tail(folder / name, runner) for name in FILES]

    def send() -> None:
        for tail in tails:
            tail.send()
        recorder = crew.recorder
        runner.send_message(messages.COUNTS, {"requests": recorder.requests, "failures": len(recorder.failures)})

    try:
        runner.send_message(messages.READY)
        while not over.wait(SEND_EVERY):
            send()
        told = crew.trouble is not None or crew.stopped_at is not None
        if told:
            runner.send_message(messages.OVER, {"reason": crew.trouble, "lost": crew.lost})
        engine.stop_users(runner, crew)
        if not told:
            ready.look_again()
            if crew.lost:
                runner.send_message(messages.OVER, {"reason": crew.trouble, "lost": True})
        ready.end(crew.trouble)
        verdict = ready.tally.verdict(partial=crew.trouble is not None, lost=crew.lost)
        ready.journal.close(
            ended=now(), verdict=verdict, exit=EXIT_CODES[verdict], partial=crew.trouble is not None,
            because=crew.trouble,
        )  # fmt: skip
        send()
        runner.send_message(messages.ENDED)
        time.sleep(SEND_EVERY)
        return EXIT_CODES[verdict]
    finally:
        ready.session.close()


def now() -> str:
    """Return this moment in RFC 3339, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
