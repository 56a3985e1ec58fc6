"""One run from start to end: the target, the client, the preflight, the journal, the report."""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path

from atlas_conformance.contracts import CONTRACT_VERSION
from atlas_conformance.contracts.catalogue import REQUIREMENTS
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.knowledge_form import knowledge_as_json
from atlas_conformance.gates.gate import Policy
from atlas_conformance.gates.waivers import WaiverError
from atlas_conformance.http.client import Client
from atlas_conformance.http.curl import curl
from atlas_conformance.http.failures import TargetError
from atlas_conformance.http.redaction.redaction import mask_text, secrets_in
from atlas_conformance.http.secret import Secret
from atlas_conformance.http.target import Target, with_absent, with_mode, with_rate, with_run_seconds, with_schemes
from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.server import ReferenceServer, ServerError
from atlas_conformance.reports.comparison import outline
from atlas_conformance.reports.journal import JournalWriter
from atlas_conformance.reports.matrix import Tally
from atlas_conformance.reports.model import EXIT_CODES, INCOMPLETE, PASSED, Report
from atlas_conformance.reports.records import Header, Record
from atlas_conformance.reports.standing import Standing
from atlas_conformance.reports.writing import JOURNAL, ReportError, end_journal, write_reports
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.latency import connections, intervals, median_latency
from atlas_conformance.runner.learning import learn
from atlas_conformance.runner.learnt import report_learnt
from atlas_conformance.runner.left_behind import jobs_left, tidy_up
from atlas_conformance.runner.offering import offered_operations
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.prepared import Prepared
from atlas_conformance.runner.profiles import PROFILES
from atlas_conformance.targets.preflight import PreflightFailed, PreflightReport, preflight
from atlas_conformance.targets.target_file import (
    parse_duration,
    parse_rate,
    target_from_file,
    target_from_text,
    target_from_url,
)

REFERENCE = "reference"
_MOST_PROCESSES = 4
_WORTH_SHARING = 40
"""From so many tests on a run is shared among processes, if nobody says among how many."""
_LAST_LOOK = 60.0
_HURRIED_LOOK = 1.0
"""Seconds for the last look at the jobs of a run that came to its end, and of one that was cut short."""
_VERSIONED = ("hypothesis", "schemathesis", "httpx", "jsonschema", "pytest")


@dataclass
class Session:
    """A run under way. Open it, let the suites use `endpoint`, then finish it; closing without that leaves no report.

    `observer` sees every record of the journal as it is written. `stop` is handed to the endpoint. `server` is an
    endpoint that already runs and is verified instead of starting one; `target`, where given, is the target as the
    options would describe it. `connect` makes the client.
    """

    options: Options
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    observer: Callable[[Record], None] | None = None
    stop: Callable[[Finding], bool] | None = None
    server: ReferenceServer | None = None
    target: Target | None = None
    connect: Callable[..., Client] = Client

    def __post_init__(self) -> None:
        self.options = options = self.options.checked()
        try:
            self.policy = Policy.load(options.gate, options.baseline, options.waivers, update=options.update_waivers)
        except (WaiverError, ReportError) as error:
            raise TargetError(str(error)) from None
        self.endpoint: Endpoint
        self.report: Report | None = None
        self.standing: Standing | None = None
        self.waivers_added = 0
        self.written: tuple[Path, ...] = ()
        self._own_server: ReferenceServer | None = None
        self._client: Client | None = None
        self._folder: Path | None = None
        self._timer: threading.Timer | None = None
        self._secrets: tuple[Secret, ...] = ()
        self.ended_because: str | None = None
        """Why the run was ended before it was done, where it was not by whoever started it."""
        self._prepared: Prepared | None = None

    def launch(self) -> None:
        """Start the reference endpoint, if that is what is verified, without waiting for it: much else is to be loaded.

        Why it cannot be started, `prepare` tells.
        """
        options = self.options
        if self.server is None and self.target is None and options.target is None and options.base_url is None:
            server = ReferenceServer(seed=options.seed)
            with contextlib.suppress(ServerError):
                server.launch()
                self._own_server = server

    def prepare(self) -> Prepared:
        """Start the reference endpoint if need be, and look before the leap; nothing is written yet.

        Raises TargetError (options, target file, environment), PreflightFailed, or ServerError.
        """
        assert self.options.seed is not None
        target = with_absent(self._target(), self.options.seed)
        found = self._look(target, self.options.workers or connections(0.0))
        assert self._client is not None
        workers = self._client.workers = self.options.workers or connections(median_latency(found.exchanges) or 0.0)
        learnt = learn(self._client, target, found, self.options.seed, self.options.stateful)
        target = replace(target, inventory=learnt.inventory)
        offered, reasons = offered_operations(target, found, learnt.offered)
        owner = target.credentials.get("owner")
        knowledge = Knowledge(
            inventory=target.inventory,
            # What answers every request alike has its finding: nothing more can be learnt of it.
            offered=offered - {refusal.operation for refusal in learnt.refusals if refusal.alike},
            digest="digest" in found.schemes or (owner is not None and owner.digest),
            latest_date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            credentials=bool(target.credentials),
        )
        header = replace(
            self._header(target, workers, reasons),
            knowledge=knowledge_as_json(knowledge),
            conclusion=learnt.conclusion or None,
        )
        return Prepared(self._client, knowledge, header, found.exchanges, learnt)

    def open(self) -> Endpoint:
        """Prepare the run and open the journal.

        Raises what `prepare` raises, and JournalError.
        """
        self._started = time.monotonic()
        prepared = self._prepared = self.prepare()
        self._limit_time(prepared.client)
        header = prepared.header
        self._folder = None if self.options.report else Path(tempfile.mkdtemp(prefix="atlas-conformance-"))
        self.tally = Tally(header)
        journal = JournalWriter((self.options.report or self._folder or Path()) / JOURNAL, header, self._observe)
        self.endpoint = self._endpoint(prepared.client, prepared, journal)
        self.endpoint.begin_test("preflight")
        with self.endpoint.in_passing():  # every shard of a run looks before its own leap
            seen = [*prepared.exchanges, *prepared.learnt.unsettled()]
            for judged in [self.endpoint.record(exchange) for exchange in seen]:
                self.endpoint.try_again(judged)
            report_learnt(self.endpoint, prepared.learnt)
        return self.endpoint

    def _endpoint(self, client: Client, prepared: Prepared, journal: JournalWriter) -> Endpoint:
        assert self.options.seed is not None
        profile = PROFILES[self.options.profile]
        if client.guard.mode != "restore":
            profile = profile.where_nothing_is_restored()
        waits = intervals(median_latency(prepared.exchanges) or 0.0, remote=client.guard.remote)
        endpoint = Endpoint(client, prepared.knowledge, journal, profile, self.options.seed, waits, self.stop)
        endpoint.restless = frozenset(item.operation for item in prepared.learnt.restless)
        return endpoint

    def processes(self, tests: int) -> int:
        """How many processes share the run's tests, which are so many.

        More than one only where what each of them sends needs no common account: on loopback, where everything may be
        restored, without a budget of jobs or a limit of the rate, and with clusters that are known.
        """
        client, wanted = self.endpoint.client, self.options.processes
        free = client.guard.mode == "restore" and not client.guard.remote and client.guard.budget is None
        if not free or client.target.limits.rate or self.endpoint.inventory_is_open or self.stop is not None:
            return 1
        if self._prepared is not None and self._prepared.has_made_jobs:
            return 1
        if not hasattr(os, "fork"):
            return 1
        if wanted is None:
            # Where there is no such function, a fork is not always safe: there only who asks for processes gets them.
            cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
            wanted = min(_MOST_PROCESSES, cores) if tests >= _WORTH_SHARING else 1
        return max(1, min(wanted, tests))

    def rest(self) -> None:
        """Send nothing more from this process: others go on with the run from here."""
        self.endpoint.client.close()
        self.endpoint.journal.flush()

    def part(self, path: Path, sharing: int) -> Endpoint:
        """Go on with the run in a process of its own, after `rest`: with its own client, and its own journal at `path`.

        So many processes share the run's connections. Raises JournalError.
        """
        prepared = self._prepared
        assert prepared is not None
        self._copied = self.endpoint  # kept: the end of its journal's file would write what this process has not
        client = self._client = self.connect(
            prepared.client.target, workers=max(1, prepared.client.workers // sharing), prefer=prepared.client.prefer
        )
        self._limit_time(client)
        self.endpoint = self._endpoint(client, prepared, JournalWriter(path, prepared.header))
        return self.endpoint

    def end_part(self, *, partial: bool) -> None:
        """End the journal of this process, and its client."""
        self._wind_up(partial=partial)
        verdict = INCOMPLETE if partial else PASSED
        because = self.ended_because if partial else None
        self.endpoint.journal.close(
            ended=_now(), verdict=verdict, exit=EXIT_CODES[verdict], partial=partial, because=because
        )
        self.endpoint.client.close()

    def _limit_time(self, client: Client) -> None:
        """Have the client ended when the run's time is up."""
        limit = client.target.limits.run_seconds
        if limit is None:
            return

        def end() -> None:
            self.ended_because = f"the time limit of {_in_words(limit)} has passed"
            client.end(self.ended_because)

        self._timer = threading.Timer(max(0.0, self._started + limit - time.monotonic()), end)
        self._timer.daemon = True
        self._timer.start()

    def _look(self, target: Target, workers: int) -> PreflightReport:
        """Look before the leap, by the other scheme if the usual one does not let us in: that one is a finding then."""
        assert self.options.seed is not None
        self._client = self.connect(target, workers=workers)
        try:
            return preflight(self._client, seed=self.options.seed)
        except PreflightFailed:
            owner = target.credentials.get("owner")
            if owner is None or not (owner.digest and owner.bearer):
                raise
            self._client.close()
            self._client = self.connect(target, workers=workers, prefer="digest")
        return preflight(self._client, seed=self.options.seed)

    @property
    def opened(self) -> bool:
        """Whether there is a journal to end."""
        return hasattr(self, "endpoint")

    def finish(self, *, partial: bool = False) -> Report:
        """See to what the run leaves behind, note what was not exercised and why, end the journal, make and write the
        reports.

        Raises ReportError where something could not be written, WaiverError where waivers could not be.
        """
        journal = self.endpoint.journal
        because = self.ended_because if partial else None
        self._wind_up(partial=partial)
        self.report = end_journal(journal, self.tally, ended=_now(), partial=partial, because=because)
        if not self.policy.silent:
            run = outline(self.report)
            self.waivers_added = self.policy.write_waivers(run)
            self.standing = self.policy.decide(run, errors=bool(self.report.errors))
        if self.options.report is not None:
            self.written = write_reports(
                self.options.report, self.report, journal.path, curl=self.curl, standing=self.standing
            )
        return self.report

    def _wind_up(self, *, partial: bool) -> None:
        self._stop_timer()
        journal = self.endpoint.journal
        if self._own_server is None:  # an endpoint that ends with the run takes its jobs with it
            tidy_up(self.endpoint, seconds=_LAST_LOOK if not partial else _HURRIED_LOOK)
            for job in jobs_left(self.endpoint):
                journal.job(job)
        self._note_statuses(journal)

    @property
    def exit_code(self) -> int:
        """The exit code of the finished run: the gate's, where one was asked for, else the verdict's."""
        assert self.report is not None
        return self.report.exit_code if self.standing is None else self.standing.exit_code

    def close(self) -> None:
        """Stop everything that was started; harmless when called again."""
        self._stop_timer()
        client, self._client = self._client, None
        if client is not None:
            self._secrets = client.secrets
            client.close()
        server, self._own_server = self._own_server, None
        if server is not None:
            server.stop()
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def masked(self, text: str) -> str:
        """Return text, such as an error's own words, without the secrets of this run."""
        known = self._secrets if self._client is None else self._client.secrets
        return mask_text(text, (*known, *secrets_in(self.environ)))

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def curl(self, request: Request) -> str:
        """The copyable command for a request of this run."""
        target = self.endpoint.client.target
        whose = "owner" if request.credential == "wrong-secret" else request.credential
        return curl(request, target.base_url, target.credentials.get(whose))

    def _observe(self, record: Record) -> None:
        self.tally.add(record)
        if self.observer is not None:
            self.observer(record)

    def _target(self) -> Target:
        options = self.options
        if self.target is not None:
            return self.target
        if options.target is not None:
            target = target_from_file(options.target, self.environ)
        elif options.base_url is not None:
            target = target_from_url(options.base_url, self.environ)
        else:
            target = self._reference_target()
        if options.level is not None:
            target = replace(target, level=options.level)
        rate = parse_rate(options.rate, "--rate") if options.rate is not None else None
        target = with_rate(with_mode(target, options.mode), rate)
        limit = options.time_limit
        return with_run_seconds(target, None if limit is None else parse_duration(limit, "--time-limit"))

    def _reference_target(self) -> Target:
        server = self.server
        if server is None:
            server = self._own_server = self._own_server or ReferenceServer(seed=self.options.seed)
            server.__enter__()
        text = target_toml(server.url, server.inventory)
        target = target_from_text(text, dict(environment(server.credentials)))
        return with_schemes(target, server.schemes)

    def _header(self, target: Target, workers: int, reasons: Mapping[str, bool | str]) -> Header:
        options = self.options
        assert options.seed is not None
        assert self._client is not None
        source = options.target or options.base_url or REFERENCE
        return Header(
            contract=CONTRACT_VERSION,
            suite=metadata.version("atlas-conformance"),
            target={
                "base_url": target.base_url,
                "level": target.level,
                "source": source,
                "credentials": {name: dict(held.names) for name, held in sorted(target.credentials.items())},
            },
            profile=options.profile,
            seed=options.seed,
            mode=self._client.guard.mode,
            workers=workers,
            started=_now(),
            requirements=options.requirements or None,
            offered=reasons,
            shard=options.shard,
            versions={"python": platform.python_version()} | {name: metadata.version(name) for name in _VERSIONED},
        )

    def _note_statuses(self, journal: JournalWriter) -> None:
        endpoint = self.endpoint
        for operation, reason in endpoint.untested.withheld().items():
            journal.status("withheld", reason, operation=operation)
        for requirement, operation, reason in endpoint.untested.reasons():
            if endpoint.offers(operation) and REQUIREMENTS[requirement].binds(operation):
                journal.status("not exercised", reason, requirement=requirement, operation=operation)


def _in_words(seconds: float) -> str:
    """Return a length of time as a person would write it."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
