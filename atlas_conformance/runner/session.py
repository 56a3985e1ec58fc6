"""One run from start to end: the target, the client, the preflight, the journal, the report."""

from __future__ import annotations

import contextlib
import datetime
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.gates.gate import Policy, parse_bases
from atlas_conformance.gates.waivers import WaiverError
from atlas_conformance.http.client import Client
from atlas_conformance.http.curl import curl_of
from atlas_conformance.http.failures import NoAnswer, PreflightFailed, TargetError
from atlas_conformance.http.limits import parse_duration
from atlas_conformance.http.redaction.redaction import mask_text, secrets_in
from atlas_conformance.http.secret import Secret
from atlas_conformance.http.target import Target, with_absent, with_schemes
from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import target_toml
from atlas_conformance.reference.server import ReferenceServer, ServerError
from atlas_conformance.reports.claim import Claim, FolderInUse
from atlas_conformance.reports.comparison import outline
from atlas_conformance.reports.journal import JournalWriter
from atlas_conformance.reports.matrix import Tally
from atlas_conformance.reports.model import EXIT_CODES, INCOMPLETE, PASSED, UNREACHABLE, Report
from atlas_conformance.reports.records import Record
from atlas_conformance.reports.scratch import scratch_folder
from atlas_conformance.reports.standing import Standing
from atlas_conformance.reports.writing import JOURNAL, ReportError, Written, end_journal, write_reports
from atlas_conformance.runner.ending import wind_up
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.explaining import explain_failures
from atlas_conformance.runner.header import as_asked, header_of, now
from atlas_conformance.runner.latency import connections, intervals, median_latency
from atlas_conformance.runner.learning import learn
from atlas_conformance.runner.learnt import report_learnt
from atlas_conformance.runner.listed import discovered, with_listed
from atlas_conformance.runner.offering import offered_operations
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.outcomes import ReferenceFailed
from atlas_conformance.runner.prepared import Prepared
from atlas_conformance.runner.profiles import PROFILES
from atlas_conformance.runner.waits import Waits
from atlas_conformance.targets.application import STARTS_WITHIN, Application
from atlas_conformance.targets.arrival import wait_for_endpoint
from atlas_conformance.targets.preflight import PreflightReport, preflight
from atlas_conformance.targets.target_file import (
    target_from_file,
    target_from_text,
    target_from_url,
)

_MOST_PROCESSES = 4
_WORTH_SHARING = 40
"""A run of at least this number of tests is shared among processes, unless an option says otherwise."""
_LAST_LOOK = 60.0
_HURRIED_LOOK = 1.0
"""Seconds for the last look at the jobs of a run that came to its end, and of one that was cut short."""


@dataclass
class Session:
    """A run under way. Open it, let the suites use `endpoint`, then finish it; closing without that leaves no report.

    `observer` sees every record of the journal as it is written. `stop` is handed to the endpoint. `server` is an
    endpoint that already runs and is verified instead of starting one; `target`, where given, is the target as the
    options would describe it. `connect` makes the client; histories are judged by `contract`.
    """

    options: Options
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    observer: Callable[[Record], None] | None = None
    stop: Callable[[Finding], bool] | None = None
    server: ReferenceServer | None = None
    target: Target | None = None
    connect: Callable[..., Client] = Client
    contract: Contract = field(default_factory=Contract.load)

    def __post_init__(self) -> None:
        self.options = options = self.options.checked()
        try:
            self.policy = Policy.load(
                options.gate,
                options.baseline,
                options.waivers,
                update=options.update_waivers,
                bases=parse_bases(options.basis),
                strict=options.strict,
            )
        except (WaiverError, ReportError) as error:
            raise TargetError(str(error)) from None
        self.endpoint: Endpoint
        self.report: Report | None = None
        self.standing: Standing | None = None
        self.waivers_added = 0
        self.written = Written()
        self.complaints: list[str] = []
        """Sentences on what went wrong at the end, beside the verdict."""
        self._own_server: ReferenceServer | None = None
        self._application: Application | None = None
        self._client: Client | None = None
        self._scratch = contextlib.ExitStack()
        self._timer: threading.Timer | None = None
        self._secrets: tuple[Secret, ...] = ()
        self.ended_because: str | None = None
        """Why the run was ended before it was done, where it was not by whoever started it."""
        self.waits = Waits()
        self.lost = False
        """Whether the run was ended because the endpoint no longer answers."""
        self._claim: Claim | None = None
        self._rests = False
        self._prepared: Prepared | None = None
        self._unanswered: list[NoAnswer] = []
        """What the preflight had no answer to."""

    def launch(self) -> None:
        """Start the reference endpoint, if that is what is verified, without waiting for it: much else is to be loaded.

        Why it cannot be started, `prepare` tells.
        """
        options = self.options
        if options.app is not None:
            return
        if self.server is None and self.target is None and options.target is None and options.base_url is None:
            server = ReferenceServer(seed=options.seed)
            with contextlib.suppress(ServerError):
                server.launch()
                self._own_server = server

    def prepare(self) -> Prepared:
        """Start the reference endpoint if need be, and look before the leap; nothing is written yet.

        Raises TargetError (options, target file, environment), PreflightFailed, or ReferenceFailed.
        """
        assert self.options.seed is not None
        target = with_absent(self._target(), self.options.seed)
        found = self._look(target, self.options.workers or connections(0.0))
        assert self._client is not None
        listed = with_listed(self._client, target, found)
        if listed.inventory != target.inventory:
            target, found = self._look_again(listed)
        workers = self._client.workers = self.options.workers or connections(median_latency(found.exchanges) or 0.0)
        learnt = learn(self._client, target, found, self.options.seed, self.options.stateful)
        if not (learnt.inventory.clusters or learnt.inventory.takes_any):
            known = discovered(self._client)
            if known is not None:
                inventory = replace(known, absent=target.inventory.absent)
                target, found = self._look_again(replace(target, inventory=inventory))
                learnt = learn(self._client, target, found, self.options.seed, self.options.stateful)
                learnt = replace(learnt, conclusion="works with the clusters and snapshots that it lists")
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
        header = header_of(self.options, self._client, target, workers, reasons, knowledge)
        header = replace(header, conclusion=learnt.conclusion or None)
        return Prepared(self._client, knowledge, header, found.exchanges, learnt)

    def _look_again(self, target: Target) -> tuple[Target, PreflightReport]:
        """Look once more, by a client that knows what the endpoint lists; return the target and what was found."""
        assert self._client is not None
        self._client.close()
        return target, self._look(target, self.options.workers or connections(0.0))

    def open(self) -> Endpoint:
        """Prepare the run and open the journal.

        Raises what `prepare` raises, JournalError, ReportError where the folder for the reports cannot be had, and
        EndpointLost where the endpoint is gone again at once.
        """
        self._started = time.monotonic()
        if self.options.report is not None:
            try:
                self._claim = Claim(self.options.report)
            except FolderInUse as error:
                raise TargetError(str(error)) from None
        prepared = self._prepared = self.prepare()
        self._limit_time(prepared.client)
        header = prepared.header
        folder = self.options.report or self._scratch.enter_context(scratch_folder())
        self.tally = Tally(header)
        journal = JournalWriter(folder / JOURNAL, header, self._observe)
        self.endpoint = self._endpoint(prepared.client, prepared, journal)
        self.endpoint.begin_test("preflight")
        with self.endpoint.in_passing():  # every shard of a run looks before its own leap
            seen = [*prepared.exchanges, *prepared.learnt.unsettled()]
            for judged in [self.endpoint.record(exchange) for exchange in seen]:
                self.endpoint.try_again(judged)
            prepared.client.on_no_answer = None
            self.endpoint.take_in(self._unanswered)
            report_learnt(self.endpoint, prepared.learnt)
        return self.endpoint

    def _endpoint(self, client: Client, prepared: Prepared, journal: JournalWriter) -> Endpoint:
        assert self.options.seed is not None
        profile = PROFILES[self.options.profile]
        if client.guard.mode != "restore":
            profile = profile.where_nothing_is_restored()
        waits = intervals(median_latency(prepared.exchanges) or 0.0, remote=client.guard.remote)
        made = Endpoint(
            client, prepared.knowledge, journal, profile, self.options.seed, waits, self.stop, contract=self.contract
        )
        made.waits, made.excluded = self.waits.tell, frozenset(self.options.excluded)
        made.restless = frozenset(item.operation for item in prepared.learnt.restless)
        return made

    def processes(self, tests: int) -> int:
        """How many processes share the run's tests, given their number.

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
        self._rests = True
        self.endpoint.client.close()
        self.endpoint.journal.flush()

    def part(self, path: Path, sharing: int) -> Endpoint:
        """Go on with the run in a process of its own, after `rest`: with its own client, and its own journal at `path`.

        The processes share the run's connections. Raises JournalError.
        """
        prepared = self._prepared
        assert prepared is not None
        self._copied = self.endpoint  # kept: the end of its journal's file would write what this process has not
        client = self._connected(
            prepared.client.target,
            workers=max(1, prepared.client.workers // sharing),
            prefer=prepared.client.prefer,
            turn=prepared.client.guard.turn,
        )
        self._limit_time(client)
        self.endpoint = self._endpoint(client, prepared, JournalWriter(path, prepared.header))
        return self.endpoint

    def lose(self, reason: str) -> None:
        """Note that the run ends here, as the endpoint no longer answers."""
        self.lost = True
        self.ended_because = f"the endpoint stopped answering ({self.masked(reason)})"

    def end_part(self, *, partial: bool) -> None:
        """End the journal of this process, and its client."""
        self._wind_up(partial=partial)
        verdict = UNREACHABLE if self.lost else INCOMPLETE if partial else PASSED
        because = self.ended_because if partial else None
        self.endpoint.journal.close(
            ended=now(), verdict=verdict, exit=EXIT_CODES[verdict], partial=partial, because=because
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
        client = self._connected(target, workers=workers)
        client.on_no_answer = self._unanswered.append
        served = self._application
        if self.options.wait is not None or served is not None:
            wait = self.options.wait
            seconds = STARTS_WITHIN if wait is None else parse_duration(wait, "--wait-for-endpoint")
            failed = (lambda: None) if served is None else served.failure
            wait_for_endpoint(client, seconds, failed=failed, tell=self.waits.tell)
        try:
            return preflight(client, seed=self.options.seed)
        except PreflightFailed:
            owner = target.credentials.get("owner")
            if owner is None or not (owner.digest and owner.bearer):
                raise
            client.close()
            client = self._connected(target, workers=workers, prefer="digest")
            client.on_no_answer = self._unanswered.append
        return preflight(client, seed=self.options.seed)

    def _connected(self, target: Target, **given: Any) -> Client:
        client = self._client = self.connect(target, **given)
        client.tell_waits(self.waits.tell, self.waits.say)
        return client

    @property
    def opened(self) -> bool:
        """Whether there is a journal to end."""
        return hasattr(self, "endpoint")

    def finish(self, *, partial: bool = False) -> Report:
        """See to what the run leaves behind, note what was not exercised and why, end the journal, make and write the
        reports.

        What goes wrong on the way is among the errors of the report where it can be, else among `complaints`; nothing
        of it keeps the rest from being done. Raises ReportError where the journal cannot be read back.
        """
        journal = self.endpoint.journal
        because = self.ended_because if partial else None
        if not partial and self.stop is None and self.tally.failures:
            self._explain()
        self._wind_up(partial=partial)
        self.report = end_journal(
            journal, self.tally, ended=now(), partial=partial, because=because, lost=partial and self.lost
        )
        if not self.policy.silent:
            run = outline(self.report)
            try:
                self.waivers_added = self.policy.write_waivers(run)
            except WaiverError as error:
                self.complaints.append(str(error))
            self.standing = self.policy.decide(run, errors=bool(self.report.errors))
        if self.options.report is not None:
            self.written = write_reports(
                self.options.report, self.report, journal.path, curl=self.curl, standing=self.standing
            )
            self.complaints += [self.masked(sentence) for sentence in self.written.failures]
        return self.report

    def _explain(self) -> None:
        """Look for what tells each failing request from others; again if the tests ran in other processes."""
        tested, prepared = self.endpoint, self._prepared
        assert prepared is not None
        if self._rests:
            self._stop_timer()
            guard, prefer = prepared.client.guard, prepared.client.prefer
            client = self._connected(prepared.client.target, workers=1, prefer=prefer, turn=guard.turn)
            self._limit_time(client)
            self.endpoint = self._endpoint(client, prepared, tested.journal)
        explain_failures(self.endpoint, self.tally, self.masked, by_others=self._rests)
        if self._rests:
            self._wind_up(partial=False)
            client.close()
            self.endpoint = tested

    def _wind_up(self, *, partial: bool) -> None:
        self._stop_timer()
        # An endpoint that ends with the run takes its jobs with it.
        seconds = None if self._own_server is not None else _HURRIED_LOOK if partial else _LAST_LOOK
        wind_up(self.endpoint, seconds, self.masked)
        self.endpoint.journal.lost_connections += self.endpoint.client.lost_connections

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
        served, self._application = self._application, None
        if served is not None:
            served.stop()
        server, self._own_server = self._own_server, None
        if server is not None:
            server.stop()
        self._scratch.close()
        claim, self._claim = self._claim, None
        if claim is not None:
            claim.release()

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
        return curl_of(self.endpoint.client.target)(request)

    def _observe(self, record: Record) -> None:
        self.tally.add(record)
        if self.observer is not None:
            self.observer(record)

    def _target(self) -> Target:
        options = self.options
        if self.target is not None:
            return self.target
        if options.app is not None:
            target = self._served_target(options.app)
        elif options.target is not None:
            target = target_from_file(options.target, self.environ)
        elif options.base_url is not None:
            target = target_from_url(options.base_url, self.environ)
        else:
            target = self._reference_target()
        return as_asked(target, options)

    def _served_target(self, app: str) -> Target:
        """Start the application, and return the target that it is, described by the target file if there is one."""
        served = self._application = self._application or Application(app)
        if self.options.target is None:
            return target_from_url(served.url, self.environ)
        named = {**self.environ, "MONGODB_ATLAS_BASE_URL": served.url}
        return replace(target_from_file(self.options.target, named), base_url=served.url)

    def _reference_target(self) -> Target:
        server = self.server
        if server is None:
            try:
                server = self._own_server = self._own_server or ReferenceServer(seed=self.options.seed)
                server.__enter__()
            except ServerError as error:
                raise ReferenceFailed(str(error)) from None
        text = target_toml(server.url, server.inventory)
        target = target_from_text(text, dict(environment(server.credentials)))
        return with_schemes(target, server.schemes)


def _in_words(seconds: float) -> str:
    """Return a length of time as a person would write it."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
