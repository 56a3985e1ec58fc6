"""What a person sees while a run goes on: one living line on a terminal, a sparse line now and then in a log."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from atlas_conformance.reports.wording import duration, one_line, plural


class _Unread(Console):
    """A console whose reader may leave: then nothing more is printed to it, and nothing else happens."""

    def on_broken_pipe(self) -> None:
        """Go on in silence."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


def stderr_console() -> Console:
    """Return a console on stderr as it is now, for what is said while a command works."""
    return _Unread(file=sys.stderr)


class Progress:
    """Shows elapsed time, exchanges, the suite at work and the failures so far; safe to call from any thread.

    On a terminal one line is redrawn four times a second; elsewhere a line is printed at the first update of each
    `interval` seconds. Use it as a context manager: leaving it takes the living line away.
    """

    def __init__(
        self, console: Console, *, interval: float = 15.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Show nothing yet; `interval` in seconds holds where the console is no terminal."""
        self._console = console
        self._interval = interval
        self._clock = clock
        self._started = clock()
        self._printed = self._started
        self._exchanges = 0
        self._findings = 0
        self._suite = ""
        self._live: Live | None = None
        self._over = threading.Event()
        self.waiting: Callable[[], str | None] = lambda: None
        """Says what is waited for at this moment, or None; in a log, a long wait is reported once an interval."""

    def __enter__(self) -> Progress:
        self._started = self._printed = self._clock()
        if self._console.is_terminal:
            self._live = Live(get_renderable=self._line, console=self._console, refresh_per_second=4, transient=True)
            self._live.start()
        else:
            self._over.clear()
            threading.Thread(target=self._tell_waits, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _tell_waits(self) -> None:
        while not self._over.wait(min(self._interval, 1.0)):
            if self.waiting() is not None:
                self._print_now_and_then()

    def update(self, *, exchanges: int, findings: int, suite: str | None = None) -> None:
        """Take over the numbers of exchanges and of distinct failures so far, and the name of the suite at work."""
        self._exchanges, self._findings = exchanges, findings
        if suite is not None:
            self._suite = suite
        if self._live is None and not self._console.is_terminal:
            self._print_now_and_then()

    def _print_now_and_then(self) -> None:
        now = self._clock()
        if now - self._printed >= self._interval:
            self._printed = now
            self._console.print(self._line(), soft_wrap=True)

    def _line(self) -> Text:
        failures = plural(self._findings, "failure")
        line = Text(f"{duration(self._clock() - self._started)}, {plural(self._exchanges, 'exchange')}, ")
        line.append(failures, "bold red" if self._findings else "green")
        if self._suite:
            line.append(f", {one_line(self._suite, 60)}", "dim")
        waiting = self.waiting()
        if waiting is not None:
            line.append(f", {one_line(waiting, 100)}", "yellow")
        line.no_wrap = True
        line.overflow = "ellipsis"
        return line
