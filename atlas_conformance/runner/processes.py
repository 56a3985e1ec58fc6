"""Running the tests of one run in several processes: each takes the next test when it is done with one.

The parent deals out the tests and writes the journal, test by test in their usual order; it sends nothing itself.
Where the endpoint may have answered a test as it did because of another process's jobs, the test is run again when all
the others are done, alone, and that alone counts.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import TypeAlias

import pytest

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.http.redaction.redaction import mask_text
from atlas_conformance.reports.copying import copy_part
from atlas_conformance.reports.journal import Journal, JournalError, records_in
from atlas_conformance.reports.model import UNREACHABLE
from atlas_conformance.reports.records import Closing, ExchangeRecord
from atlas_conformance.reports.scratch import scratch_folder
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.marks import operation_of
from atlas_conformance.runner.open_run import OpenRun

Told: TypeAlias = tuple[int, int, bool, bool]
"""What a process tells of a test that it has done: the test's index, the length of its journal since, whether the test
is to be run again alone, and whether the process goes no further."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LAST_WORDS = 1.3
"""Seconds that processes get to come to their end when the run is cut short."""


def homes(items: Sequence[pytest.Item], count: int) -> list[deque[int]]:
    """Share the indices of tests among processes: those on one kind of cluster together, as far as that goes round.

    They create jobs on the same clusters, and so disturb each other least in one process. What takes long comes first.
    """
    kinds: dict[str | None, list[int]] = {}
    for index, item in enumerate(items):
        operation = operation_of(item)
        kinds.setdefault(operation.cluster_kind if operation is not None else None, []).append(index)
    shares: list[list[int]] = [[] for _ in range(count)]
    for indices in sorted(kinds.values(), key=len, reverse=True):
        min(shares, key=len).extend(indices)
    return [deque(sorted(share, key=lambda index: (not _takes_long(items[index]), index))) for share in shares]


def _takes_long(item: pytest.Item) -> bool:
    return item.get_closest_marker("takes_long") is not None


class Processes:
    """The processes of one run. Use `run` once.

    `cut` tells afterwards whether some test was not done.
    """

    def __init__(self, run: OpenRun, tests: pytest.Session) -> None:
        self._open = run
        self._tests = tests
        self._context = multiprocessing.get_context("fork")
        self._parts: list[_Part] = []
        self._stopping = False
        self._again: set[int] = set()
        self._done: dict[int, tuple[_Part, int, int]] = {}
        self._turn = 0
        self.cut = False

    def run(self, count: int) -> None:
        """Run all tests in `count` processes; what they did is in the journal when this returns or raises.

        Raises KeyboardInterrupt when the run is interrupted, after the processes have ended.
        """
        with scratch_folder() as self._folder:
            self._run(homes(self._tests.items, count))
            if self._again and not self._stopping:
                self._run([deque(sorted(self._again))], alone=True)

    def _part(self, queue: deque[int], sharing: int, *, alone: bool) -> _Part:
        """Start one of several processes; `queue` are its tests to begin with."""
        number = len(self._parts) + 1
        path = self._folder / f"{number}.jsonl"
        ours, theirs = self._context.Pipe()
        earlier = tuple(part.path for part in self._parts) if alone else ()
        work = Work(self._open, self._tests, theirs, path, sharing, earlier)
        open_here = [part.channel for part in self._parts if part.channel is not None]
        process = self._context.Process(target=work.main, args=([*open_here, ours],), daemon=True)
        # An interrupt is the parent's to deal with: none may come before the child has said so.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        part = _Part(f"process {number}", path, queue, alone, process, ours)
        self._parts.append(part)
        return part

    def _run(self, queues: list[deque[int]], *, alone: bool = False) -> None:
        interrupt: KeyboardInterrupt | None = None
        parts: list[_Part] = []
        try:
            parts.extend(self._part(queue, len(queues), alone=alone) for queue in queues)
            self._serve(parts, None)
        except KeyboardInterrupt as raised:
            interrupt = raised
            self._stopping = self.cut = True
            for part in parts:
                part.process.terminate()
            self._serve(parts, time.monotonic() + _LAST_WORDS)
        finally:
            for part in parts:
                part.end()
        for index in sorted(self._done):
            self._write(index)
        for part in parts:
            self._write_rest(part)
        if interrupt is not None:
            raise interrupt

    def _serve(self, parts: list[_Part], limit: float | None) -> None:
        """Deal out tests until every process has come to its end, or until `limit` on the clock of `monotonic`."""
        while open_parts := {part.channel: part for part in parts if part.channel is not None}:
            left = None if limit is None else limit - time.monotonic()
            if left is not None and left <= 0:
                return
            for ready in wait(list(open_parts), left):
                assert isinstance(ready, Connection)
                self._hear(open_parts[ready], ready, parts)

    def _hear(self, part: _Part, channel: Connection, parts: list[_Part]) -> None:
        try:
            told: Told | None = channel.recv()
            if told is None:
                channel.send(self._next(part, parts))
                return
        except (EOFError, OSError):
            channel.close()
            part.channel = None
            return
        index, length, doubtful, stopping = told
        if doubtful:
            self._again.add(index)
        self._stopping |= stopping
        self._done[index] = (part, part.told, length)
        part.told = length
        while self._turn in self._done:
            self._write(self._turn)
            self._turn += 1
        if part.alone:
            self._write(index)

    def _next(self, part: _Part, parts: list[_Part]) -> int | None:
        if self._stopping:
            return None
        if part.queue:
            return part.queue.popleft()
        longest = max((each.queue for each in parts), key=len)
        return self._taken_from(longest) if longest else None

    def _taken_from(self, queue: deque[int]) -> int:
        """Take over a test from the end of another process's queue.

        One that makes no job is best: the process is left with others on the same clusters, which jobs would disturb.
        """
        for index in reversed(queue):
            operation = operation_of(self._tests.items[index])
            if operation is not None and operation.kind in ("get", "list"):
                queue.remove(index)
                return index
        return queue.pop()

    def _write(self, index: int) -> None:
        """Bring what a test did into the journal; of one that is run again alone, only that."""
        part, start, end = self._done.pop(index)
        if index not in self._again or part.alone:
            self._copy(part, start, end)

    def _write_rest(self, part: _Part) -> None:
        """Bring what came after a process's tests into the journal, and say where it broke off."""
        if part.path.exists():
            self._copy(part, part.told, None)
        self.cut |= part.closing is None or part.closing.partial
        if part.closing is not None and part.closing.because is not None:
            self._open.end_early(part.closing.because, lost=part.closing.verdict == UNREACHABLE)
        if part.closing is None and not self._stopping:
            reason = f"it ended with code {part.process.exitcode} before its tests were done"
            self._open.endpoint.journal.error(part.name, reason)

    def _copy(self, part: _Part, start: int, end: int | None) -> None:
        with part.path.open("rb") as file:
            file.seek(start)
            text = file.read() if end is None else file.read(end - start)
        part.closing = copy_part(records_in(text), self._open.endpoint.journal, part.name) or part.closing


@dataclass
class _Part:
    """What the parent knows of one process: its tests to come, its journal, and how much of that it has told of."""

    name: str
    path: Path
    queue: deque[int]
    alone: bool
    process: ForkProcess
    channel: Connection | None
    told: int = 0
    closing: Closing | None = None

    def end(self) -> None:
        """See that the process has ended."""
        if self.channel is not None:
            self.process.kill()
            self.channel.close()
            self.channel = None
        self.process.join()


@dataclass
class Work:
    """What one process does: the tests that it is dealt, and a journal of them.

    `sharing` is how many processes there are at the same time; `earlier` are the journals of processes that have ended;
    without any, others are at work beside this one.
    """

    run: OpenRun
    tests: pytest.Session
    channel: Connection
    path: Path
    sharing: int
    earlier: tuple[Path, ...]

    def main(self, foreign: Sequence[Connection]) -> None:
        """Run tests until there are none left; `foreign` are the ends of channels that are the parent's."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it reaches the whole process group, the parent too
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        for channel in foreign:
            channel.close()
        try:
            self._work()
        except (JournalError, OSError):
            sys.exit(1)  # nothing can be written, and the parent says that this process has ended

    def _work(self) -> None:
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
        endpoint = self.run.part(self.path, self.sharing, crowded=not self.earlier)
        plugin = self.tests.config.pluginmanager.get_plugin("atlas-conformance")
        assert plugin is not None
        plugin.go_on_with(endpoint)
        cut = False
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            endpoint.recorder.learn(_changes(self.earlier))
            cut = self._run(endpoint)
        except KeyboardInterrupt:
            cut = True
        except (JournalError, OSError):
            raise
        except Exception as error:  # whatever it is, the report must say so
            cut = True
            said = mask_text(f"{type(error).__name__}: {error}", endpoint.client.secrets)
            endpoint.journal.error("the suites", said[:2_000])
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.run.end_part(partial=cut or plugin.interrupted)
        self.channel.close()

    def _run(self, endpoint: Endpoint) -> bool:
        """Run the tests that are dealt; return whether it stopped before there were no more."""
        items = self.tests.items
        index = self._next()
        while index is not None:
            following = self._next()
            item, after = items[index], None if following is None else items[following]
            stopping = True
            try:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
                stopping = bool(self.tests.shouldstop)
            finally:
                endpoint.journal.flush()
                self.channel.send((index, self.path.stat().st_size, endpoint.recorder.doubtful, stopping))
            if stopping:
                return True
            index = following
        return False

    def _next(self) -> int | None:
        self.channel.send(None)
        index: int | None = self.channel.recv()
        return index


def _end_with(parent: int) -> None:
    """End this process when its parent has ended, however that came about."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _changes(paths: Sequence[Path]) -> Iterator[Exchange]:
    """Yield what other processes created, which may keep targets busy, and what they deleted."""
    for path in paths:
        for record in Journal(path):
            if isinstance(record, ExchangeRecord) and record.exchange.request.method in ("POST", "DELETE"):
                yield record.exchange
