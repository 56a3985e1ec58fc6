"""The `hammer` command behind its options: one process, a master, or a worker; and what each exit code stands for."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from atlas_conformance.contracts.operation import Level
from atlas_conformance.http.curl import curl_of
from atlas_conformance.http.failures import PreflightFailed, TargetError
from atlas_conformance.http.target import Mode
from atlas_conformance.load import engine
from atlas_conformance.load.ending import Ended, end_joined, end_local
from atlas_conformance.load.local import run_local
from atlas_conformance.load.master import Interrupted, Master, MasterFailed
from atlas_conformance.load.plan import Limits, Plan, check_roles, checked_plan
from atlas_conformance.load.station import Station, announce
from atlas_conformance.load.terminal import print_load
from atlas_conformance.load.worker import WorkerFailed, run_worker
from atlas_conformance.reports.claim import FolderInUse, claimed
from atlas_conformance.reports.gates.gate import Policy, parse_bases
from atlas_conformance.reports.journal import JournalError
from atlas_conformance.reports.output import complain, to_reader
from atlas_conformance.reports.progress import Progress, stderr_console
from atlas_conformance.reports.scratch import scratch_folder
from atlas_conformance.reports.terminal import print_report, print_standing
from atlas_conformance.reports.wording import Curl, plural
from atlas_conformance.reports.writing import ReportError
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.outcomes import ReferenceFailed

USAGE, UNREACHABLE, ERROR = 2, 3, 4
INTERRUPTED = "it was interrupted"


@dataclass
class Interrupts:
    """Ends the run on Ctrl-C or a request to terminate, so that there is a report of what was done."""

    over: engine.Event = field(default_factory=engine.Event)
    reason: str | None = None

    def __post_init__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            engine.gevent.signal_handler(number, self._end)

    def _end(self) -> None:
        self.reason = INTERRUPTED
        self.over.set()


def run(
    *,
    target: str | None,
    base_url: str | None,
    level: Level | None,
    users: int,
    duration: str,
    ramp: str | None,
    rate: str | None,
    seed: int | None,
    mode: Mode | None,
    report: Path | None,
    fail_p95: float | None,
    fail_error_rate: float | None,
    strict: bool,
    basis: str | None,
    stop_at: tuple[str, ...],
    verbose: bool,
    master: bool,
    worker: bool,
    workers: int,
    master_host: str | None,
    port: int,
    bind: str,
) -> int:
    """Run the command with its options and return the exit code; says in one sentence what keeps it from running."""
    limits = Limits(fail_p95, fail_error_rate)
    try:
        check_roles(master, worker, master_host, workers, target or base_url)
        options = Options(
            target=target, base_url=base_url, level=level, profile="quick", seed=seed, mode=mode, verbose=verbose,
            strict=strict, basis=basis,
        )  # fmt: skip
        options = options.checked()
        policy = Policy(bases=parse_bases(basis))
        assert options.seed is not None
        plan = checked_plan(users, duration, ramp, rate, options.seed, stop_at)
        with _folder(report) as folder:
            interrupts = Interrupts()
            if worker:
                return run_worker(options, folder, master_host or "", port, interrupts.over)
            console = stderr_console()
            console.print(announce(options, plan), soft_wrap=True, markup=False, highlight=False)
            with Progress(console) as progress:
                if master:
                    ended = _lead(
                        options, plan, limits, policy, folder, report, interrupts, workers, bind, port, progress
                    )
                else:
                    ended = _alone(options, plan, limits, policy, folder, report, interrupts, progress)
            return ended
    except TargetError as error:
        return _complaint(str(error), USAGE)
    except (PreflightFailed, MasterFailed, WorkerFailed) as error:
        return _complaint(str(error), ERROR if isinstance(error, Interrupted) else UNREACHABLE)
    except (ReferenceFailed, JournalError, ReportError) as error:
        return _complaint(str(error), ERROR)


def _alone(
    options: Options, plan: Plan, limits: Limits, policy: Policy, folder: Path, reports: Path | None,
    interrupts: Interrupts,
    progress: Progress,
) -> int:  # fmt: skip
    users = plural(plan.users, "user")

    def tick(ready: Station) -> None:
        recorder = ready.crew.recorder
        progress.update(exchanges=recorder.requests, findings=len(recorder.failures), suite=users)

    ready = run_local(options, plan, folder, interrupts.over, tick)
    try:
        made = curl_of(ready.prepared.client.target)
        ended = end_local(ready, limits, policy, interrupts.reason, made, reports)
        progress.__exit__(None, None, None)
        _show(ended, made, options.verbose)
        return ended.exit_code
    finally:
        ready.session.close()


def _lead(
    options: Options, plan: Plan, limits: Limits, policy: Policy, folder: Path, reports: Path | None,
    interrupts: Interrupts,
    workers: int, bind: str, port: int, progress: Progress,
) -> int:  # fmt: skip
    with Master(options, plan, folder, interrupts.over, workers, bind, port) as master:
        master.lead(lambda: progress.update(exchanges=master.requests, findings=master.failures, suite=master.doing))
        made = curl_of(master.prepared.client.target)
        why = interrupts.reason or master.trouble
        # Who interrupts a run has not found out that the endpoint is gone.
        gone = master.endpoint_lost and interrupts.reason is None
        ended = end_joined(
            master.folders, master.lost, master.header, folder, limits, policy, why, made, reports, gone=gone
        )
        progress.__exit__(None, None, None)
        _show(ended, made, options.verbose)
        return ended.exit_code


def _show(ended: Ended, made: Curl, verbose: bool) -> None:
    """Print the figures, then the report; the exit code stays the verdict's where nobody reads to the end."""
    console = Console()
    with to_reader():
        print_load(ended.load, ended.broken, console)
        print_report(ended.report, console, curl=made, written=ended.written.paths, verbose=verbose)
        if ended.standing is not None:
            print_standing(ended.standing, console)
    complain(*ended.written.failures)


@contextmanager
def _folder(report: Path | None) -> Iterator[Path]:
    """The folder that a run writes to: that of the reports, or one that goes away again."""
    if report is None:
        with scratch_folder() as scratch:
            yield scratch
        return
    try:
        report.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=report).close()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise TargetError(f"--report: {report} cannot be written to ({reason}); name a folder that can") from None
    try:
        with claimed(report):
            yield report
    except FolderInUse as error:
        raise TargetError(str(error)) from None


def _complaint(sentence: str, code: int) -> int:
    complain(sentence)
    return code
