"""Running many trials in warm processes: each worker keeps one endpoint, and forks for each run of the suites."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection, wait

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.mutation.hammered import try_hammered
from atlas_conformance.mutation.trials import Outcome, Trial, interleaved, leading
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.reference.settings import USUAL_STEP
from atlas_conformance.reports.interrupts import lose_no_interrupt, terminate_as_interrupt, undisturbed
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.plugin import SuitePlugin
from atlas_conformance.runner.session import Session
from atlas_conformance.runner.warming import keep_what_is_drawn, warm_up

TRIAL_LIMIT = 240.0
"""Seconds after which a trial is given up."""
STEP_UNDER_LOAD = 0.25
"""Seconds that a job stays in each phase under load: answers come late there, and yet some users must see it run."""
SETTLED_WITHIN = 5.0
"""Seconds that a faulty endpoint gets to list what was made and to lose what was deleted."""


def try_all(
    trials: list[Trial], workers: int, profile: str, run: Callable[[SuitePlugin], int], *, whole: bool = False
) -> Iterator[Outcome]:
    """Try every trial on this many workers and yield the outcomes as they come.

    `run` runs the suites with a plugin inside this process. A run ends as soon as its fault is caught, unless `whole`.
    Worker processes end with this one.
    """
    context = multiprocessing.get_context("fork")
    terminate_as_interrupt()  # who is told to end has proved nothing, and must not end as if all were caught
    pipes: list[Connection] = []
    processes = []
    for share in interleaved(trials, workers):
        if share:
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(there, share, profile, run, whole), daemon=False)
            process.start()
            there.close()
            pipes.append(here)
            processes.append(process)
    try:
        open_pipes = list(pipes)
        while open_pipes:
            for ready in wait(open_pipes):
                assert isinstance(ready, Connection)
                try:
                    yield ready.recv()
                except EOFError:
                    open_pipes.remove(ready)
    finally:
        with undisturbed():
            for process in processes:
                process.terminate()
            for process in processes:
                process.join()


def _leave(*_: object) -> None:
    """End this process by the ordinary way, so that everything it started is stopped."""
    raise SystemExit(0)


def _work(
    results: Connection, trials: list[Trial], profile: str, run: Callable[[SuitePlugin], int], whole: bool
) -> None:
    # While it warms up there is nothing to stop, and who draws takes an exit for a failure of what is drawn.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()
    keep_what_is_drawn()
    warm_up()
    lose_no_interrupt(signal.SIGTERM)
    signal.signal(signal.SIGTERM, _leave)
    server: ReferenceServer | None = None
    settings: tuple[str, tuple[str, ...]] | None = None
    try:
        for trial in trials:
            if os.getppid() != parent:
                break
            wanted = (trial.level, trial.authentication)
            if server is None or settings != wanted:
                if server is not None:
                    server.stop()
                server = ReferenceServer(seed=7, level=trial.level, authentication=trial.authentication)
                server.__enter__()
                settings = wanted
            step = STEP_UNDER_LOAD if trial.users else USUAL_STEP
            server.reset(fault=trial.fault, freedoms=trial.freedoms, imitate=trial.imitate, step=step)
            results.send(try_hammered(trial, server) if trial.users else _forked(trial, server, profile, run, whole))
    finally:
        if server is not None:
            server.stop()
        results.close()


def _forked(
    trial: Trial, server: ReferenceServer, profile: str, run: Callable[[SuitePlugin], int], whole: bool
) -> Outcome:
    """Run the suites in a child of this process, so that nothing of one run is left for the next."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_try, args=(there, trial, server, profile, run, whole))
    child.start()
    there.close()
    try:
        if here.poll(TRIAL_LIMIT):
            outcome = here.recv()
            assert isinstance(outcome, Outcome)
            return outcome
        return Outcome(trial, False, None, (), "error", 0, TRIAL_LIMIT, f"no end after {TRIAL_LIMIT:.0f} s")
    except EOFError:
        return Outcome(trial, False, None, (), "error", 0, 0.0, "the run ended without a word")
    finally:
        child.kill()
        child.join()
        here.close()


def _try(
    results: Connection,
    trial: Trial,
    server: ReferenceServer,
    profile: str,
    run: Callable[[SuitePlugin], int],
    whole: bool,
) -> None:
    try:
        results.send(_outcome(trial, server, profile, run, whole))
    except BaseException:
        error = traceback.format_exc(limit=-3)
        results.send(Outcome(trial, False, None, (), "error", 0, 0.0, error))
    finally:
        results.close()
        os._exit(0)


def _outcome(
    trial: Trial, server: ReferenceServer, profile: str, run: Callable[[SuitePlugin], int], whole: bool
) -> Outcome:
    started = time.monotonic()
    stop = trial.catches if trial.fault is not None and not whole else None
    options = Options(profile=profile, seed=trial.seed, level=trial.level, workers=1)
    contract = Contract.load()
    if trial.fault is not None:
        # The endpoint lists and deletes at once: what it has not done by then it never will.
        contract = replace(contract, settled_within=SETTLED_WITHIN)
    session = Session(options, stop=stop, server=server, contract=contract)
    plugin = SuitePlugin(session, show=lambda finished: None)
    if trial.requirement is not None and not whole:
        plugin.first = trial.requirement, trial.operations
    run(plugin)
    seconds = time.monotonic() - started
    report = session.report
    if report is None:
        return Outcome(trial, False, None, (), "error", 0, seconds, plugin.failure or "there is no report")
    caught = any(trial.catches(group.finding) for group in (*report.groups, *report.advice))
    leads = leading(report)
    error = report.errors[0].message if report.errors else None
    first = leads[0] if leads else None
    others = tuple(dict.fromkeys(leads[1:]))
    return Outcome(trial, caught, first, others, report.verdict, report.exchanges, seconds, error, len(leads))
