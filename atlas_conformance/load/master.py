"""A master: sends nothing itself, leads workers, and keeps a copy of every line that they write."""

from __future__ import annotations

import contextlib
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from atlas_conformance.http.failures import TargetError
from atlas_conformance.load import engine, messages
from atlas_conformance.load.plan import Plan
from atlas_conformance.load.record import FILE
from atlas_conformance.load.station import header_of, prepared_session
from atlas_conformance.reports.journal import JournalError
from atlas_conformance.reports.records import Header
from atlas_conformance.reports.wording import plural
from atlas_conformance.reports.writing import JOURNAL
from atlas_conformance.runner.options import Options

WORKERS = "workers"
"""The folder, inside that of the reports, which holds a folder for each worker."""

GATHER_SECONDS = 600.0
"""So long a master waits for its workers."""

END_SECONDS = 30.0
"""So long a master waits for a worker's last lines."""

TICK = 0.2


class MasterFailed(Exception):
    """A run cannot be led; the message is one sentence for a person."""


class Interrupted(MasterFailed):
    """A run was interrupted before it began."""


@dataclass
class Member:
    """A worker as its master knows it; `lost` says why it is gone, `missing` that it gave no sign of life."""

    id: str
    name: str
    folder: Path
    host: str
    there: str
    ready: bool = False
    ended: bool = False
    lost: str | None = None
    missing: bool = False
    requests: int = 0
    failures: int = 0


@dataclass
class Master:
    """Leads one run. Use it as a context manager; then `folders`, `lost` and `header` say what there is to join."""

    options: Options
    plan: Plan
    folder: Path
    over: engine.Event
    workers: int
    bind: str
    port: int
    trouble: str | None = None
    endpoint_lost: bool = False
    doing: str = "waiting for workers"
    _members: dict[str, Member] = field(default_factory=dict)
    _failure: str | None = None
    _started: bool = False

    def __enter__(self) -> Master:
        """Look at the endpoint, and listen. Raises TargetError, PreflightFailed and ReferenceFailed."""
        _check_port(self.bind, self.port)
        self.session, self.prepared = prepared_session(self.options, None, lambda exchange: None)
        try:
            shutil.rmtree(self.folder / WORKERS, ignore_errors=True)
            environment = engine.environment(_no_crew)
            self._runner = environment.create_master_runner("*" if self.bind == "0.0.0.0" else self.bind, self.port)
        except BaseException:
            self.session.close()
            raise
        for name, listener in (
            (messages.HELLO, self._on_hello),
            (messages.READY, self._on_ready),
            (messages.FAILED, self._on_failed),
            (messages.LINES, self._on_lines),
            (messages.COUNTS, self._on_counts),
            (messages.OVER, self._on_over),
            (messages.REMOTE, self._on_remote),
            (messages.ENDED, self._on_ended),
        ):
            self._runner.register_message(name, listener)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(Exception):
            self._runner.quit()
        self.session.close()

    @property
    def header(self) -> Header:
        """The header of the joined journal."""
        return header_of(self.prepared.header, self.plan)

    @property
    def folders(self) -> list[Path]:
        """The folders of the workers that have written anything."""
        return [member.folder for member in self._members.values() if _has_files(member.folder)]

    @property
    def lost(self) -> dict[Path, str]:
        """Why a worker did not end by itself, by its folder."""
        return {member.folder: member.lost for member in self._members.values() if member.lost is not None}

    @property
    def requests(self) -> int:
        """How many requests the workers have told of so far."""
        return sum(member.requests for member in self._members.values())

    @property
    def failures(self) -> int:
        """How many failures a worker has told of so far, at most."""
        return max((member.failures for member in self._members.values()), default=0)

    def lead(self, tick: Callable[[], object]) -> None:
        """Gather the workers, let them work until the time is over, and collect what they have written.

        Raises MasterFailed where the workers do not come, or cannot take part, and JournalError.
        """
        self._gather(tick)
        self._started = True
        self.doing = f"{plural(self.plan.users, 'user')} of {plural(self.workers, 'worker')}"
        spawning = engine.gevent.spawn(self._runner.start, self.plan.users, self.plan.spawn_rate)
        longest = self.prepared.client.target.limits.run_seconds or float("inf")
        ends = time.monotonic() + min(self.plan.duration, longest)
        while (left := ends - time.monotonic()) > 0 and not self.over.wait(min(TICK, left)):
            self._look_for_lost()
            if not self._living():
                break
            tick()
        spawning.kill()
        self._collect(tick)
        if not self.folders:
            raise MasterFailed("every worker was lost before it had sent anything")

    def _gather(self, tick: Callable[[], object]) -> None:
        limit = time.monotonic() + GATHER_SECONDS
        while sum(member.ready for member in self._members.values()) < self.workers:
            if self.over.wait(TICK):
                raise Interrupted("the run was interrupted before all workers were there")
            if self._failure is not None:
                raise MasterFailed(self._failure)
            self._look_for_lost()
            if self._members and not self._living():
                raise MasterFailed("every worker was lost before the run began")
            if time.monotonic() > limit:
                here = plural(sum(member.ready for member in self._members.values()), "worker")
                raise MasterFailed(f"after {GATHER_SECONDS:.0f} s there is only {here} of {self.workers}")
            tick()

    def _living(self) -> list[Member]:
        return [member for member in self._members.values() if member.lost is None]

    def _look_for_lost(self) -> None:
        for member in self._members.values():
            client = self._runner.clients.get(member.id)
            gone = client is None or client.state == engine.STATE_MISSING
            if gone and member.lost is None:
                requests = plural(member.requests, "request")
                member.lost, member.missing = f"it was lost on {member.host} after at least {requests}", True
            elif member.missing and not gone:
                member.lost, member.missing = None, False  # it was only slow

    def _collect(self, tick: Callable[[], object]) -> None:
        """Tell the workers that it is over, and wait for their last lines."""
        self.over.set()
        self.doing = "collecting"
        for member in self._living():
            self._runner.send_message(messages.OVER, None, member.id)
        limit = time.monotonic() + END_SECONDS
        while any(not member.ended for member in self._living()) and time.monotonic() < limit:
            time.sleep(TICK)
            self._look_for_lost()
            tick()
        for member in self._living():
            if not member.ended:
                member.lost = f"it did not end within {END_SECONDS:.0f} s"
        for member in self._members.values():
            if member.lost is not None:
                _rescue(member)

    # What workers say

    def _on_hello(self, environment: Any, msg: Any, **_: Any) -> None:
        if self._started or len(self._members) >= self.workers:
            reason = f"it waits for {plural(self.workers, 'worker')}, and they are there"
            self._runner.send_message(messages.REFUSED, {"reason": reason}, msg.node_id)
            return
        name = f"worker-{len(self._members) + 1}"
        folder = self.folder / WORKERS / name
        folder.mkdir(parents=True, exist_ok=True)
        self._members[msg.node_id] = Member(msg.node_id, name, folder, msg.data["host"], msg.data["folder"])
        orders = {"plan": self.plan.as_json(), "parts": self.workers, "name": name}
        self._runner.send_message(messages.PLAN, orders, msg.node_id)

    def _on_ready(self, environment: Any, msg: Any, **_: Any) -> None:
        self._members[msg.node_id].ready = True

    def _on_failed(self, environment: Any, msg: Any, **_: Any) -> None:
        member = self._members[msg.node_id]
        member.lost = msg.data["reason"]
        self._failure = f"{member.name} on {member.host} cannot take part: {member.lost}"

    def _on_lines(self, environment: Any, msg: Any, **_: Any) -> None:
        member = self._members[msg.node_id]
        name, start, data = msg.data["file"], msg.data["start"], msg.data["data"]
        if name not in (JOURNAL, FILE):
            return
        path = member.folder / name
        try:
            with path.open("r+b" if path.exists() else "w+b") as file:
                file.seek(start)
                file.write(data)
        except OSError as error:
            raise JournalError(f"{path} cannot be written: {error.strerror}.") from None

    def _on_counts(self, environment: Any, msg: Any, **_: Any) -> None:
        member = self._members[msg.node_id]
        member.requests, member.failures = msg.data["requests"], msg.data["failures"]

    def _on_over(self, environment: Any, msg: Any, **_: Any) -> None:
        reason = msg.data["reason"]
        if reason is not None:
            self.trouble = self.trouble or f"{self._members[msg.node_id].name}: {reason}"
            self.endpoint_lost = self.endpoint_lost or msg.data["lost"]
        self.over.set()

    def _on_remote(self, environment: Any, msg: Any, **_: Any) -> None:
        """Pass on to the others what one worker has found out."""
        for member in self._members.values():
            if member.id != msg.node_id and member.lost is None:
                self._runner.send_message(messages.REMOTE, {"reason": msg.data["reason"]}, member.id)

    def _on_ended(self, environment: Any, msg: Any, **_: Any) -> None:
        self._members[msg.node_id].ended = True


def _no_crew() -> Any:
    raise AssertionError("a master has no users")


def _has_files(folder: Path) -> bool:
    return all((folder / name).exists() and (folder / name).stat().st_size > 0 for name in (JOURNAL, FILE))


def _rescue(member: Member) -> None:
    """Take what a lost worker wrote last from its own folder, where that is on this machine."""
    if member.host != socket.gethostname():
        return
    for name in (JOURNAL, FILE):
        there, here = Path(member.there) / name, member.folder / name
        with contextlib.suppress(OSError):
            if there.stat().st_size > (here.stat().st_size if here.exists() else 0) and not _same(there, here):
                shutil.copyfile(there, here)


def _same(one: Path, other: Path) -> bool:
    return other.exists() and one.samefile(other)


def _check_port(bind: str, port: int) -> None:
    """Raise TargetError where a master cannot listen there."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    probe = socket.socket(family, socket.SOCK_STREAM)
    try:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((bind, port))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        where = f"port {port} of {bind}"
        raise TargetError(f"{where} cannot be listened on ({reason}); choose another with --port") from None
    finally:
        probe.close()
