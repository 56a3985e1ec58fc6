"""Ctrl-C and requests to terminate: one like the other, and neither in the middle of what must be whole."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""The signals that end a command before it is done."""

_SOON = 0.01
"""Seconds after which an interrupt that was dropped comes again."""


def terminate_as_interrupt() -> None:
    """Let a request to terminate raise KeyboardInterrupt, as Ctrl-C does, so that nothing is left lying around."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def ignore_interrupts() -> None:
    """Let both signals do nothing from now on: all is done but to end, and the exit code must not be theirs.

    The interpreter takes its own handlers away before it ends, and a signal would kill it then. What is ignored stays
    ignored.
    """
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def lose_no_interrupt(number: signal.Signals = signal.SIGINT) -> None:
    """Let an interrupt that came within a destructor, where the interpreter drops it with a traceback, come again.

    `number` is the signal that comes then.
    """
    before, main = sys.unraisablehook, threading.main_thread().ident
    inside: list[bool] = []

    def come_again() -> None:
        time.sleep(_SOON)
        while inside:
            time.sleep(_SOON)
        time.sleep(_SOON)
        if main is not None:
            signal.pthread_kill(main, number)

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt | SystemExit):
            inside.append(True)
            try:
                # A bare thread: to start another kind takes locks, and an interrupt meanwhile could leave them shut.
                with suppress(RuntimeError):
                    _thread.start_new_thread(come_again, ())
            finally:
                inside.clear()
        else:
            before(unraisable)

    sys.unraisablehook = hook


def is_interrupt(error: BaseException) -> bool:
    """Whether an error is an interrupt, or was made of one: Python 3.11 wraps what comes while it makes a class."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, KeyboardInterrupt):
        cause = cause.__cause__
    return cause is not None


@contextmanager
def _held_back() -> Iterator[list[int]]:
    """Let both signals do nothing inside, but for being noted in the list."""
    seen: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield seen
        return
    before = [(number, signal.getsignal(number)) for number in SIGNALS]
    try:
        for number in SIGNALS:
            signal.signal(number, lambda number, frame: seen.append(number))
        yield seen
    finally:
        for number, handler in before:
            if handler is not None:  # one that Python did not set cannot be set again
                signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore both signals inside: what runs there is short, ends the command, and is worse half done than done late."""
    with _held_back():
        yield


@contextmanager
def delayed() -> Iterator[None]:
    """Let both signals have their effect only after what runs inside, which is short."""
    with _held_back() as seen:
        yield
    for number in seen[:1]:
        signal.raise_signal(number)
