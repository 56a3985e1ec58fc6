"""One run from start to end, and whatever it started: prepared, then open, then finished."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.http.client import Client
from atlas_conformance.http.curl import curl_of
from atlas_conformance.http.failures import TargetError
from atlas_conformance.http.target import Target
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.reports.claim import FolderInUse, claimed
from atlas_conformance.reports.gates.gate import Policy, parse_bases
from atlas_conformance.reports.gates.waivers import WaiverError
from atlas_conformance.reports.model import Report
from atlas_conformance.reports.records import Record
from atlas_conformance.reports.scratch import scratch_folder
from atlas_conformance.reports.standing import Standing
from atlas_conformance.reports.writing import ReportError
from atlas_conformance.runner.connector import Connector
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.open_run import OpenRun
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.pauses import Clock
from atlas_conformance.runner.phases import FinishedRun, PreparedRun, Setup
from atlas_conformance.runner.preparing import prepare
from atlas_conformance.runner.served import Served
from atlas_conformance.runner.time_limit import TimeLimit
from atlas_conformance.runner.waits import Waits


@dataclass
class Session:
    """Goes through the phases of a run. Open it, let the suites use `endpoint`, then finish it, and close it at last;
    closing alone leaves no report.

    `observer` sees every record of the journal as it is written. `stop` is asked after each finding whether the run has
    seen enough; None lets it go on to the end. `server` is an endpoint that already runs and is verified instead of
    starting one; `target`, where given, is the target as the options would describe it. `connect` makes the client;
    the endpoint is held to `contract`. Without a `clock` real time passes. `waits` knows what the run waits for. Raises
    TargetError where options cannot be meant.
    """

    options: Options
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    observer: Callable[[Record], None] | None = None
    stop: Callable[[Finding], bool] | None = None
    server: ReferenceServer | None = None
    target: Target | None = None
    connect: Callable[..., Client] = Client
    contract: Contract = field(default_factory=Contract.load)
    clock: Clock | None = None
    waits: Waits = field(default_factory=Waits)

    def __post_init__(self) -> None:
        self.options = self.options.checked()
        served = Served(self.options, self.environ, self.server, self.target)
        connector = Connector(self.connect, self.waits, self.environ)
        policy = _policy_of(self.options)
        self._setup = Setup(self.options, policy, served, connector, self.waits, self.contract, self.stop, self.clock)
        self._resources = contextlib.ExitStack()
        self.run: OpenRun | None = None
        """The run, once its journal is open."""
        self.finished: FinishedRun | None = None
        """The run, once its journal has ended."""

    def launch(self) -> None:
        """Start the reference endpoint, if that is what is verified, without waiting for it: much else is to be loaded.

        Why it cannot be started, `prepare` tells.
        """
        self._setup.served.launch()

    def prepare(self) -> PreparedRun:
        """Start the reference endpoint if need be, and look before the leap; nothing is written yet.

        Raises TargetError (options, target file, environment), PreflightFailed, or ReferenceFailed.
        """
        return prepare(self._setup)

    def open(self) -> Endpoint:
        """Prepare the run and open the journal.

        Raises what `prepare` raises, JournalError, ReportError where the folder for the reports cannot be had, and
        EndpointLost where the endpoint is gone again at once.
        """
        limit = TimeLimit()
        if self.options.report is not None:
            try:
                self._resources.enter_context(claimed(self.options.report))
            except FolderInUse as error:
                raise TargetError(str(error)) from None
        prepared = self.prepare()
        folder = self.options.report or self._resources.enter_context(scratch_folder())
        self.run = OpenRun(self._setup, prepared, folder, limit, self._observe)
        self.run.begin()
        return self.run.endpoint

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint, once the run is open."""
        assert self.run is not None
        return self.run.endpoint

    def finish(self, *, partial: bool = False) -> Report:
        """Finish the open run, and return its report (see OpenRun). Raises ReportError."""
        assert self.run is not None
        self.finished = self.run.finish(partial=partial)
        return self.finished.report

    @property
    def report(self) -> Report | None:
        """The report of the finished run."""
        return None if self.finished is None else self.finished.report

    @property
    def standing(self) -> Standing | None:
        """Where the finished run stands, if a gate was asked for."""
        return None if self.finished is None else self.finished.standing

    def close(self) -> None:
        """Stop everything that was started; harmless when called again."""
        if self.run is not None:
            self.run.stop_clock()
        self._setup.connector.close()
        self._setup.served.stop()
        self._resources.close()

    def masked(self, text: str) -> str:
        """Return text, such as an error's own words, without the secrets of this run."""
        return self._setup.connector.masked(text)

    def curl(self, request: Request) -> str:
        """The copyable command for a request of this run."""
        return curl_of(self.endpoint.client.target)(request)

    def _observe(self, record: Record) -> None:
        if self.observer is not None:
            self.observer(record)


def _policy_of(options: Options) -> Policy:
    """Return what the run is held to. Raises TargetError where that cannot be read."""
    try:
        return Policy.load(
            options.gate,
            options.baseline,
            options.waivers,
            update=options.update_waivers,
            bases=parse_bases(options.basis),
            strict=options.strict,
        )
    except (WaiverError, ReportError) as error:
        raise TargetError(str(error)) from None
