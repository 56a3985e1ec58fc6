"""A run in one process."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from atlas_conformance.load import engine
from atlas_conformance.load.plan import Plan
from atlas_conformance.load.station import Station, station
from atlas_conformance.runner.options import Options

TICK = 0.2
"""Seconds between two looks at how far the run is."""


def run_local(
    options: Options, plan: Plan, folder: Path, over: engine.Event, tick: Callable[[Station], object]
) -> Station:
    """Run a plan in this process to its end, and return what it has; the caller closes its session.

    `over` ends it early; `tick` is called now and then. Raises what `station` raises.
    """
    ready = station(options, plan, folder, over)
    drive(ready, tick)
    return ready


def drive(ready: Station, tick: Callable[[Station], object]) -> None:
    """Let the users of a station work until the run's time is over, or it is ended."""
    crew = ready.crew
    runner = engine.environment(lambda: crew).create_local_runner()
    ends = time.monotonic() + crew.plan.duration
    whole = False
    try:
        runner.start(crew.plan.users, crew.plan.spawn_rate)
        while (left := ends - time.monotonic()) > 0 and not crew.over.wait(min(TICK, left)):
            tick(ready)
        whole = not crew.over.is_set()
    finally:
        engine.stop_users(runner, crew)
        runner.quit()
    if whole:
        ready.look_again()
