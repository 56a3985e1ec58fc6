"""What is waited for shows in the progress line, from any process, and is reported in a log."""

from __future__ import annotations

import io
import os
import time

from rich.console import Console

from atlas_conformance.http.pacing import Pacer
from atlas_conformance.reports.progress import Progress
from atlas_conformance.runner.waits import Waits


def test_a_wait_is_reported_in_a_log_while_nothing_else_happens() -> None:
    waits = Waits()
    stream = io.StringIO()
    progress = Progress(Console(file=stream, width=100), interval=0.05)
    progress.waiting = waits.now
    with progress:
        waits.tell(time.monotonic() + 20, "as the endpoint answered 429 with Retry-After")
        time.sleep(0.3)
    assert "waiting 20 s as the endpoint answered 429 with Retry-After" in stream.getvalue()


def test_what_a_forked_process_waits_for_is_known_to_its_parent() -> None:
    waits = Waits()
    child = os.fork()
    if child == 0:
        waits.tell(time.monotonic() + 30, "for a job to go on")
        os._exit(0)
    os.waitpid(child, 0)
    assert (waits.now() or "").endswith("s for a job to go on")
    waits.tell(time.monotonic(), "")
    assert waits.now() is None


def test_a_pacer_tells_what_it_waits_for_and_short_waits_are_not_worth_a_word() -> None:
    waits = Waits()
    now = [time.monotonic()]
    pacer = Pacer(None, clock=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds))
    pacer.waits = waits.tell
    pacer.hold(0.2, "no word")
    pacer.take()
    assert waits.now() is None
    pacer.hold(12.0, "as the endpoint answered 503")
    pacer.take()
    assert (waits.now() or "").startswith("waiting 1") and (waits.now() or "").endswith("503")


def test_a_remark_is_made_once() -> None:
    said: list[str] = []
    waits = Waits(said.append)
    waits.say("a")
    waits.say("b")
    assert said == ["a"]
