"""What judging under load costs, whether memory grows, and whether there are false alarms: `hammer` on the reference
endpoint.

Run from the root of the repository:

    python benchmarks/hammer.py ratio [--users 50] [--seconds 15] [--rounds 3]
    python benchmarks/hammer.py soak [--users 200] [--seconds 600]
    python benchmarks/hammer.py faults [--seeds 10] [--users 50] [--seconds 60] [--fault ID ...]

`ratio` lets the same users send the same mix through the same engine, judged and unjudged by turns, and prints the
ratio of the rates. `soak` prints resident memory over time and every failure, of which there must be none. `faults`
prints for each concurrency fault how many seeds found it, and after how many seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.remove(str(Path(__file__).resolve().parent))  # this script has the name of the package

from atlas_conformance.contracts.contract import Contract

from atlas_conformance.load import engine  # isort: skip  # before everything that opens sockets

import orjson
import psutil

from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.history import JobHistory
from atlas_conformance.http.client import Attempt
from atlas_conformance.load.acting import Actor
from atlas_conformance.load.local import drive
from atlas_conformance.load.plan import Plan
from atlas_conformance.load.station import Station, station
from atlas_conformance.mutation.hammered import hammer
from atlas_conformance.reference.faults import catalogue
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.runner.options import Options


class Unjudged:
    """Takes the place of ledger and recorder: knows just enough of jobs to poll them, and judges nothing."""

    def __init__(self) -> None:
        self.open: OrderedDict[str, JobHistory] = OrderedDict()
        self.settled: OrderedDict[str, JobHistory] = OrderedDict()
        self.requests = 0
        self.silent_since: float | None = None

    @contextmanager
    def sending(self, request: Request) -> Iterator[None]:
        """Note nothing."""
        yield

    def take(self, attempt: Attempt, intended: float, who: str) -> None:
        """Count an attempt, and follow its job as far as polling needs it."""
        self.requests += 1
        if not isinstance(attempt, Exchange) or attempt.response.status != 200:
            return
        found = Contract.load().match(attempt.request.method, attempt.request.path)
        if found is None or found[0].kind not in ("create", "get"):
            return
        operation, parameters = found
        document = orjson.loads(attempt.response.body)
        document = document.get("content", document)
        job = document["id"]
        if operation.kind == "create":
            history = self.open[job] = JobHistory(job, operation.resource, *operation.place(parameters))
            history.create_operation = operation.id
        elif operation.resource.ended(document) and job in self.open:
            self.settled[job] = self.open.pop(job)
            if len(self.settled) > 500:
                self.settled.popitem(last=False)


def measure(users: int, seconds: float, seed: int, judged: bool) -> dict[str, Any]:
    """Run one plan in this process; return its rate, its failures, and its resident memory over time (MB)."""
    plan = Plan(users, seconds, 0.0, None, seed)
    memory: list[tuple[float, float]] = []
    process = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        ready = station(Options(seed=seed), plan, Path(folder), engine.Event())
        before = ready.crew.recorder.requests
        plain = Unjudged()
        if not judged:
            make = ready.crew.actor
            assert isinstance(make, partial)
            ready.crew.actor = partial(Actor, make.args[0], plain, make.args[2])  # type: ignore[arg-type]
            ready.crew.ledger = ready.crew.recorder = plain  # type: ignore[assignment]
        started, spent = time.monotonic(), time.process_time()
        last = started - 5

        def tick(_: Station) -> None:
            nonlocal last
            if time.monotonic() - last >= 5:
                last = time.monotonic()
                memory.append((last - started, process.memory_info().rss / 1e6))

        try:
            drive(ready, tick)
            took, spent = time.monotonic() - started, time.process_time() - spent
            requests = plain.requests if not judged else ready.crew.recorder.requests - before
            failures = [] if not judged else [[*key, n] for key, n in ready.crew.recorder.failures.items()]
            summaries = ready.crew.ledger.summaries if judged else 0
            trouble = ready.crew.error or ready.crew.trouble
        finally:
            ready.session.close()
        size = sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e6
    return {
        "rate": requests / took, "cpu_ms": 1000 * spent / requests, "requests": requests, "failures": failures,
        "memory": memory, "closed": summaries, "trouble": trouble, "written_mb": size,
    }  # fmt: skip


def in_a_process(users: int, seconds: float, seed: int, judged: bool) -> dict[str, Any]:
    """Measure in a process of its own, as the engine can be started once in each."""
    command = [sys.executable, __file__, "one", f"--users={users}", f"--seconds={seconds}", f"--seed={seed}"]
    done = subprocess.run([*command, *(["--unjudged"] if not judged else [])], stdout=subprocess.PIPE, check=True)
    document: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return document


def ratio(users: int, seconds: float, rounds: int) -> None:
    """Print the rates of judged and unjudged runs, by turns, and their ratio; others disturb the CPU time least."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    costs: dict[bool, list[float]] = {True: [], False: []}
    for round_ in range(rounds):
        for judged in (True, False):
            found = in_a_process(users, seconds, round_, judged)
            rates[judged].append(found["rate"])
            costs[judged].append(found["cpu_ms"])
            name = "judged" if judged else "unjudged"
            cost = f"{found['cpu_ms']:.2f} ms of CPU each"
            print(f"{round_} {name:8} {found['rate']:6.0f} requests a second, {cost}", flush=True)
    judged_rate, plain_rate = statistics.median(rates[True]), statistics.median(rates[False])
    print(f"medians: judged {judged_rate:.0f}/s, unjudged {plain_rate:.0f}/s, ratio {judged_rate / plain_rate:.2f}")
    judged_cost, plain_cost = statistics.median(costs[True]), statistics.median(costs[False])
    ratio_of_costs = plain_cost / judged_cost
    print(f"by CPU time: judged {judged_cost:.2f} ms, unjudged {plain_cost:.2f} ms, ratio {ratio_of_costs:.2f}")


def soak(users: int, seconds: float, seed: int) -> None:
    """Print resident memory over time and all failures of one long judged run."""
    found = in_a_process(users, seconds, seed, judged=True)
    for moment, megabytes in found["memory"][:: max(1, len(found["memory"]) // 24)]:
        print(f"{moment:6.0f} s {megabytes:7.1f} MB")
    early = [megabytes for moment, megabytes in found["memory"] if 55 <= moment <= 75] or [found["memory"][0][1]]
    late = found["memory"][-1][1]
    print(f"after the first minute {early[0]:.1f} MB, at the end {late:.1f} MB, {late - early[0]:+.1f} MB")
    print(f"{found['requests']:,} requests, {found['rate']:.0f} a second, {found['closed']:,} jobs closed, "
          f"{found['written_mb']:.0f} MB written")  # fmt: skip
    print(f"false alarms: {len(found['failures'])} {found['failures'] or ''} {found['trouble'] or ''}".rstrip())


def faults(users: int, seconds: float, seeds: int, wanted: list[str]) -> None:
    """Print for each concurrency fault how many seeds found it and after how many seconds of the run."""
    for fault in catalogue().values():
        if fault.kind != "concurrent" or (wanted and fault.id not in wanted):
            continue
        took: list[float] = []
        for seed in range(seeds):
            with ReferenceServer(seed=seed, fault=fault.id) as server:
                run = hammer(server, users=users, seconds=seconds, seed=seed, stop_at=fault.requirement)
            if run.failed(fault.requirement):
                took.append(run.seconds)
        times = f"after {statistics.median(took):.1f} s (longest {max(took):.1f} s)" if took else ""
        print(f"{fault.id:32} {fault.requirement:10} {len(took)} of {seeds} {times}", flush=True)


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["ratio", "soak", "faults", "one"])
    parser.add_argument("--users", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--unjudged", action="store_true")
    given = parser.parse_args()
    match given.what:
        case "one":
            print(json.dumps(measure(given.users, given.seconds, given.seed, not given.unjudged)))
        case "ratio":
            ratio(given.users or 50, given.seconds or 15.0, given.rounds)
        case "soak":
            soak(given.users or 200, given.seconds or 600.0, given.seed)
        case _:
            faults(given.users or 50, given.seconds or 60.0, given.seeds, given.fault)


if __name__ == "__main__":
    main()
