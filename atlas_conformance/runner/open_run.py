"""A run whose journal is open: its tests send, in this process or in several, until it is finished."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from atlas_conformance.http.client import Client
from atlas_conformance.http.curl import curl_of
from atlas_conformance.reports.comparison import outline
from atlas_conformance.reports.gates.waivers import WaiverError
from atlas_conformance.reports.journal import JournalWriter
from atlas_conformance.reports.matrix import Tally
from atlas_conformance.reports.model import EXIT_CODES, INCOMPLETE, PASSED, UNREACHABLE, Report
from atlas_conformance.reports.records import Record
from atlas_conformance.reports.standing import Standing
from atlas_conformance.reports.writing import JOURNAL, Written, end_journal, write_reports
from atlas_conformance.runner.ending import wind_up
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.explaining import explain_failures
from atlas_conformance.runner.header import now
from atlas_conformance.runner.job_pool import JobPool
from atlas_conformance.runner.latency import intervals, median_latency
from atlas_conformance.runner.learnt import report_learnt
from atlas_conformance.runner.pauses import Pauses
from atlas_conformance.runner.phases import FinishedRun, PreparedRun, Setup
from atlas_conformance.runner.profiles import PROFILES
from atlas_conformance.runner.recorder import Recorder
from atlas_conformance.runner.scenery import Scenery
from atlas_conformance.runner.sender import Sender
from atlas_conformance.runner.time_limit import TimeLimit

_MOST_PROCESSES = 4
_WORTH_SHARING = 40
"""A run of at least this number of tests is shared among processes, unless an option says otherwise."""
_LAST_LOOK = 60.0
_HURRIED_LOOK = 1.0
"""Seconds for the last look at the jobs of a run that came to its end, and of one that was cut short."""


class OpenRun:
    """A run under way: let the suites use `endpoint`, then finish it.

    Its journal is written into `folder`; `observe` sees each record as it is written. Raises JournalError where the
    journal cannot be opened.
    """

    def __init__(
        self,
        setup: Setup,
        prepared: PreparedRun,
        folder: Path,
        limit: TimeLimit,
        observe: Callable[[Record], None] | None = None,
    ) -> None:
        self._setup = setup
        self._prepared = prepared
        self._limit = limit
        self._lost = False
        self._because: str | None = None
        self._rests = False
        limit.watch(prepared.client)
        self._tally = Tally(prepared.header)

        def see(record: Record) -> None:
            self._tally.add(record)
            if observe is not None:
                observe(record)

        self.endpoint = self._endpoint(prepared.client, JournalWriter(folder / JOURNAL, prepared.header, see))

    def begin(self) -> None:
        """Record what was seen while the run was prepared. Raises EndpointLost where the endpoint is gone again."""
        endpoint, prepared = self.endpoint.for_test("preflight"), self._prepared
        with endpoint.in_passing():  # every shard of a run looks before its own leap
            endpoint.sender.take_in([*prepared.exchanges, *prepared.learnt.unsettled()], prepared.unanswered)
            report_learnt(endpoint, prepared.learnt)

    @property
    def ended_because(self) -> str | None:
        """Why the run was ended before it was done, where it was not by whoever started it."""
        return self._because or self._limit.because

    def lose(self, reason: str) -> None:
        """Note that the run ends here, as the endpoint no longer answers."""
        self.end_early(f"the endpoint stopped answering ({self._setup.connector.masked(reason)})", lost=True)

    def end_early(self, because: str, *, lost: bool) -> None:
        """Note why the run ends before it is done, and whether that is because the endpoint no longer answers."""
        self._because = because
        self._lost |= lost

    # In several processes

    def processes(self, tests: int) -> int:
        """How many processes share the run's tests, given their number.

        More than one only where what each of them sends needs no common account: on loopback, where everything may be
        restored, without a budget of jobs or a limit of the rate, and with clusters that are known.
        """
        client, wanted = self.endpoint.client, self._setup.options.processes
        free = client.guard.mode == "restore" and not client.guard.remote and client.guard.budget is None
        if not free or client.target.limits.rate or self.endpoint.inventory_is_open or self._setup.stop is not None:
            return 1
        if self._prepared.has_made_jobs or not hasattr(os, "fork"):
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

    def part(self, path: Path, sharing: int, *, crowded: bool) -> Endpoint:
        """Go on with the run in a process of its own, after `rest`: with its own client, and its own journal at `path`.

        `sharing` processes share the run's connections; `crowded` says that others work beside this one. Raises
        JournalError.
        """
        self._copied = self.endpoint  # kept: the end of its journal's file would write what this process has not
        client = self._reconnected(max(1, self._prepared.client.workers // sharing))
        self.endpoint = self._endpoint(client, JournalWriter(path, self._prepared.header), crowded=crowded)
        return self.endpoint

    def end_part(self, *, partial: bool) -> None:
        """End the journal of this process, and its client."""
        self._wind_up(partial=partial)
        verdict = UNREACHABLE if self._lost else INCOMPLETE if partial else PASSED
        because = self.ended_because if partial else None
        self.endpoint.journal.close(
            ended=now(), verdict=verdict, exit=EXIT_CODES[verdict], partial=partial, because=because
        )
        self.endpoint.client.close()

    # At the end

    def finish(self, *, partial: bool = False) -> FinishedRun:
        """See to what the run leaves behind, note what was not exercised and why, end the journal, make and write the
        reports.

        What goes wrong on the way is among the errors of the report where it can be, else among the complaints; nothing
        of it keeps the rest from being done. Raises ReportError where the journal cannot be read back.
        """
        because = self.ended_because if partial else None
        if not partial and self._setup.stop is None and self._tally.failures:
            self._explain()
        self._wind_up(partial=partial)
        journal = self.endpoint.journal
        lost = partial and self._lost
        report = end_journal(journal, self._tally, ended=now(), partial=partial, because=because, lost=lost)
        return self._finished(report, journal.path)

    def _finished(self, report: Report, journal: Path) -> FinishedRun:
        options, policy, masked = self._setup.options, self._setup.policy, self._setup.connector.masked
        complaints: list[str] = []
        standing: Standing | None = None
        written, added = Written(), 0
        try:
            if not policy.silent:
                run = outline(report)
                try:
                    added = policy.write_waivers(run)
                except WaiverError as error:
                    complaints.append(str(error))
                standing = policy.decide(run, errors=bool(report.errors))
            if options.report is not None:
                made = curl_of(self.endpoint.client.target)
                written = write_reports(options.report, report, journal, curl=made, standing=standing)
                complaints += [masked(sentence) for sentence in written.failures]
        except Exception as error:
            complaints.append(masked(f"the run could not be ended ({type(error).__name__}: {error})"))
        return FinishedRun(report, standing, written, added, tuple(complaints))

    def stop_clock(self) -> None:
        """End nothing any more when the run's time is up."""
        self._limit.stop()

    def _explain(self) -> None:
        """Look for what tells each failing request from others; again if the tests ran in other processes."""
        tested, masked = self.endpoint, self._setup.connector.masked
        if not self._rests:
            explain_failures(tested, self._tally, masked, by_others=False)
            return
        self.endpoint = self._endpoint(self._reconnected(1), tested.journal)
        explain_failures(self.endpoint, self._tally, masked, by_others=True)
        self._wind_up(partial=False)
        self.endpoint.client.close()
        self.endpoint = tested

    def _wind_up(self, *, partial: bool) -> None:
        self._limit.stop()
        # An endpoint that ends with the run takes its jobs with it.
        seconds = None if self._setup.served.ends_with_run else _HURRIED_LOOK if partial else _LAST_LOOK
        wind_up(self.endpoint, seconds, self._setup.connector.masked)
        self.endpoint.journal.lost_connections += self.endpoint.client.lost_connections

    def _reconnected(self, workers: int) -> Client:
        """Return another client for the target of the prepared run."""
        before = self._prepared.client
        client = self._setup.connector.connected(
            before.target, workers=workers, prefer=before.prefer, turn=before.guard.turn
        )
        self._limit.watch(client)
        return client

    def _endpoint(self, client: Client, journal: JournalWriter, *, crowded: bool = False) -> Endpoint:
        setup, prepared = self._setup, self._prepared
        assert setup.options.seed is not None
        profile = PROFILES[setup.options.profile]
        if client.guard.mode != "restore":
            profile = profile.where_nothing_is_restored()
        between = intervals(median_latency(prepared.exchanges) or 0.0, remote=client.guard.remote)
        pauses = Pauses(client, between, setup.waits.tell, setup.clock)
        scenery = Scenery(prepared.knowledge.inventory, client.target, client.guard, setup.options.seed)
        recorder = Recorder(
            prepared.knowledge,
            journal,
            client.guard,
            lambda: client.forms,
            contract=setup.contract,
            stop=setup.stop,
            excluded=setup.options.excluded,
            crowded=crowded,
        )
        sender = Sender(client, recorder, scenery, pauses)
        restless = frozenset(item.operation for item in prepared.learnt.restless)
        return Endpoint(sender, recorder, scenery, pauses, JobPool(), profile, setup.options.seed, restless)
