"""One process of a run, made ready: the endpoint looked at, the pool drawn, journal and load record opened."""

from __future__ import annotations

import gc
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.http.client import Client
from atlas_conformance.http.failures import NoAnswer
from atlas_conformance.http.guard.fronts import Turn
from atlas_conformance.http.target import draw_absent
from atlas_conformance.load.acting import Actor
from atlas_conformance.load.crew import PATIENCE, SILENT, Crew, Signal
from atlas_conformance.load.ledger import Ledger
from atlas_conformance.load.plan import Plan
from atlas_conformance.load.pool import pool
from atlas_conformance.load.record import FILE, RecordWriter, Start
from atlas_conformance.load.recorder import Recorder
from atlas_conformance.load.summary import Summary
from atlas_conformance.reports.journal import JournalWriter
from atlas_conformance.reports.matrix import Tally
from atlas_conformance.reports.records import Header, JobRecord
from atlas_conformance.reports.writing import JOURNAL
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.phases import PreparedRun
from atlas_conformance.runner.session import Session

PROFILE = "hammer"
"""What stands for the profile in the journal of a run under load."""

_PAUSE = 0.5


@dataclass
class Station:
    """What one process needs to send and judge, and to end it. Close it in any case."""

    session: Session
    prepared: PreparedRun
    crew: Crew
    journal: JournalWriter
    record: RecordWriter
    tally: Tally
    folder: Path

    def look_again(self) -> None:
        """After the last request, where it had no answer, or none yet: find out whether the endpoint still answers.

        It may have died too late for the users to notice, and what it had not been asked since then would have passed.
        """
        crew, recorder = self.crew, self.crew.recorder
        if crew.trouble is not None or (recorder.silent_since is None and not recorder.broken_off):
            return
        until = (recorder.silent_since or time.time()) + PATIENCE
        target = crew.client.target
        longest = min(target.limits.timeout_seconds, max(1.0, until - time.time()))
        limits = replace(target.limits, timeout_seconds=longest, retries=0)
        with Client(replace(target, limits=limits), turn=crew.client.guard.turn) as client:
            while True:
                attempt = client.attempt_all([self.prepared.exchanges[0].request])[0]
                if not isinstance(attempt, NoAnswer) or attempt.cause in ("malformed", "too-large"):
                    return
                if time.time() > until:
                    break
                time.sleep(_PAUSE)
        crew.lost, crew.trouble = True, SILENT

    def end(self, partial: str | None) -> None:
        """Close jobs and load record; note what is left behind, was withheld, went wrong. The journal stays open."""
        recorder, crew = self.crew.recorder, self.crew
        for job in crew.ledger.created():
            if job.resource.what == "job" and job.finished_ended == float("inf") and not job.delivered:
                self.journal.job(JobRecord(job.job, job.resource.label, job.project, job.cluster, job.last_state))
        for project, cluster, snapshot in self.prepared.client.guard.snapshots_kept:
            self.journal.job(JobRecord(snapshot, "cluster snapshot", project, cluster, "taken"))
        crew.ledger.close_all()
        for operation, reason in recorder.withheld.items():
            self.journal.status("withheld", reason, operation=operation)
        if crew.error is not None:
            self.journal.error("hammer", crew.error)
        elif crew.trouble is not None and not crew.lost:
            self.journal.error("hammer", crew.trouble)
        self.journal.lost_connections = self.prepared.client.lost_connections
        self.record.close(partial)
        self.journal.flush()


def announce(options: Options, plan: Plan) -> str:
    """Return the sentence that says what is about to be sent, and where to."""
    where = options.target or options.base_url or "the reference endpoint"
    rate = f", at most {plan.rate:g} requests a second" if plan.rate else ""
    return f"Hammering {where}: {plan.users} users for {plan.duration:g} s{rate}, seed {plan.seed}"


def prepared_session(
    options: Options, rate: float | None, paced: Callable[[Exchange], object], turn: Turn | None = None
) -> tuple[Session, PreparedRun]:
    """Look at the endpoint before the leap. `rate` bounds this process, in requests a second; `turn` tells it what
    other processes find out about the endpoint.

    Raises TargetError, PreflightFailed and ReferenceFailed.
    """
    rated = replace(options, rate=f"{rate:.6f}/s" if rate else options.rate)
    session = Session(rated, connect=partial(Client, on_paced=paced, turn=turn))
    try:
        return session, session.prepare()
    except BaseException:
        session.close()
        raise


def station(
    options: Options,
    plan: Plan,
    folder: Path,
    over: Signal,
    *,
    parts: int = 1,
    name: str | None = None,
    turn: Turn | None = None,
) -> Station:
    """Make one process of a run ready, of `parts` that share its rate, and what they find out about the endpoint.

    Raises TargetError, PreflightFailed, ReferenceFailed and JournalError.
    """
    recorders: list[Recorder] = []

    def paced(exchange: Exchange) -> None:
        if recorders:  # the preflight's own pauses come before there is a record
            recorders[0].exchange(exchange, exchange.started, "asked to pause")

    rate = plan.rate / parts if plan.rate else None
    session, prepared = prepared_session(options, rate, paced, turn)
    try:
        limit = prepared.client.target.limits.rate
        if plan.rate is None and limit is not None:
            # The target file bounds the rate: a schedule at that rate, so that waiting for one's turn shows.
            plan = replace(plan, rate=limit * parts)
        client = prepared.client
        longest = client.target.limits.run_seconds
        if longest is not None:
            plan = replace(plan, duration=min(plan.duration, longest))
        absent = prepared.knowledge.inventory.absent or draw_absent(plan.seed)
        drawn = pool(prepared.knowledge, client.guard, client.offers, plan.seed, absent)
        header = header_of(prepared.header, plan)
        tally = Tally(header)
        journal = JournalWriter(folder / JOURNAL, header, tally.add)
        mine = name or socket.gethostname()
        record = RecordWriter(folder / FILE, Start(time.time(), mine))
        alone = parts == 1 and prepared.client.target.loopback

        def closed(summary: Summary) -> None:
            record.job(summary)
            if summary.finished_ended < float("inf"):
                client.guard.forget(summary.project, summary.cluster, summary.job)

        ledger = Ledger(prepared.knowledge, alone=alone, closed=closed)
        recorder = Recorder(ledger, journal, record, lambda: client.forms)
        share = -(-plan.users // parts)
        crew = Crew(
            plan, client, ledger, recorder, partial(Actor, drawn, ledger, prepared.knowledge), over, name or "", share
        )
        recorder.found = crew.found
        recorders.append(recorder)
        for exchange in prepared.exchanges:
            recorder.exchange(exchange, exchange.started, "preflight")
        # What is there now stays to the end: looking through it for garbage again and again would only cost pauses.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        return Station(session, prepared, crew, journal, record, tally, folder)
    except BaseException:
        session.close()
        raise


def header_of(header: Header, plan: Plan) -> Header:
    """Return the journal's header of a run under load: `workers` are its users."""
    words = {"users": plan.users, "duration": plan.duration, "ramp": plan.ramp, "rate": plan.rate}
    return replace(header, profile=PROFILE, workers=plan.users, target={**header.target, "load": words})
