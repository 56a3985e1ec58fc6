"""Rehearsing a run: the suites themselves, under the guard of the real target, in front of an endpoint that stands in.

So what a plan says is what the suites do, and no table of it has to be kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.http.target import Target
from atlas_conformance.reports.cells import NO_EXCHANGE
from atlas_conformance.reports.model import DEPARTURE, FAILED, NOT_OFFERED, PASSED, WITHHELD, Cell, Report
from atlas_conformance.reports.records import ExchangeRecord, Record
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.latency import connections
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.plugin import SuitePlugin
from atlas_conformance.runner.profiles import PROFILES
from atlas_conformance.runner.rehearsal.counting import Count
from atlas_conformance.runner.rehearsal.plan import (
    REAL_RATE,
    Exercised,
    Harm,
    Plan,
    Restore,
    Sending,
    latency_of,
    reachable,
    span,
)
from atlas_conformance.runner.rehearsal.standing_in import as_stand_in, stand_in
from atlas_conformance.runner.rehearsal.survey import Survey
from atlas_conformance.runner.session import Session

_SHOWN = (PASSED, FAILED, DEPARTURE)


class RehearsalFailed(Exception):
    """The suites could not be run to their end; the message is one sentence."""


class Clock:
    """A clock that only sleeping moves: waits cost a rehearsal no time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass at once."""
        self.seconds += seconds

    def now(self) -> float:
        """Return the seconds that have passed."""
        return self.seconds


def rehearse(
    target: Target,
    found: Survey,
    options: Options,
    run: Callable[[SuitePlugin], int],
    observe: Callable[[int], object] | None = None,
) -> Plan:
    """Return what a run with these options against `target` would do; nothing is sent to it.

    `run` runs the suites with a plugin inside this process; `observe` is called with the number of exchanges so far.
    Raises RehearsalFailed, or ServerError where the stand-in cannot be started.
    """
    options = options.checked()
    assert options.seed is not None
    remote = bool(found.remote_because)
    latency = latency_of(found.latency, remote)
    count, clock = Count(), Clock()
    operations: Counter[str | None] = Counter()
    methods: Counter[str] = Counter()

    def see(record: Record) -> None:
        if isinstance(record, ExchangeRecord):
            operations[record.operation] += 1
            methods[record.exchange.request.method] += 1
            if observe is not None:
                observe(record.n)

    with stand_in(target, found, options.seed) as server:
        session = Session(
            replace(options, workers=options.workers or connections(latency), report=None),
            observer=see,
            stop=lambda finding: False,
            target=as_stand_in(target, found, server),
            connect=partial(count.connect, remote_because=found.remote_because),
            clock=clock,
        )
        plugin = SuitePlugin(session, show=lambda finished: None)
        run(plugin)
    if session.report is None:
        raise RehearsalFailed(plugin.failure or "the suites did not end")
    endpoint, report = session.endpoint, session.report
    if report.partial is not None:
        raise RehearsalFailed(f"it was cut short ({report.partial})")
    if report.errors:
        raise RehearsalFailed(f"{report.errors[0].where}: {report.errors[0].message}")
    guard = endpoint.client.guard
    rate = target.limits.rate or (REAL_RATE if remote else None)
    sent = sum(operations.values())
    sending = Sending(
        requests=sent,
        by_operation={name: operations[name] for name in Contract.load().operations if operations[name]},
        by_method=dict(sorted(methods.items())),
        beside=operations[None],
        withheld=dict(count.withheld.most_common()),
        seconds=span(sent, count.round_trips, latency, rate) + clock.seconds,
        waiting=_waiting(endpoint, remote),
        rate=rate,
        latency=latency,
        limit=target.limits.run_seconds,
    )
    budget = guard.budget if guard.mode == "restore" else 0
    taken = [snapshot for snapshot in endpoint.chronicle.snapshots() if snapshot.created is not None]
    harm = Harm(
        allowed=reachable(target, budget, remote),
        restores=_restores(endpoint),
        jobs=_jobs(endpoint),
        budget=budget,
        guarded=remote or guard.mode != "restore",
        snapshots=len(taken),
        most_snapshots=guard.max_snapshots if guard.mode == "restore" else 0,
        deleted=sum(snapshot.deleted_ended is not None for snapshot in taken),
    )
    return Plan(
        target=options.target or options.base_url or "",
        base_url=target.base_url,
        asked=found.requests,
        remote_because=found.remote_because,
        profile=options.profile,
        seed=options.seed,
        mode=guard.mode,
        mode_wanted=target.safety.mode,
        level=target.level,
        credentials={name: tuple(sorted(held.names.values())) for name, held in sorted(target.credentials.items())},
        operations=dict(found.offered),
        sending=sending,
        harm=harm,
        requirements=_exercised(report, endpoint, count, found),
    )


def _exercised(report: Report, endpoint: Endpoint, count: Count, found: Survey) -> tuple[Exercised, ...]:
    """Return what becomes of each selected requirement, with the nearest reason that there is where nothing does."""
    listed = {cluster.kind for cluster in endpoint.knowledge.inventory.clusters}
    requirements = []
    for row in report.rows.values():
        if not row.selected or row.id not in endpoint.contract.requirements:
            continue
        exchanges = {}
        reasons = {}
        for operation, cell in row.cells.items():
            kind = endpoint.contract.operations[operation].cluster_kind
            silent = cell.status == WITHHELD or cell.reason == NO_EXCHANGE
            if cell.status in _SHOWN:
                exchanges[operation] = cell.passed + cell.failed + cell.departed
            elif cell.status == NOT_OFFERED:
                reasons[operation] = f"not offered: {found.offered.get(operation) or cell.reason}"
            elif silent and kind not in listed and not endpoint.inventory_is_open:
                reasons[operation] = f"the target names no {kind} cluster"
            else:
                reasons[operation] = _reason(cell, count, report.header.mode)
        requirements.append(Exercised(row.id, endpoint.contract.requirements[row.id].level, exchanges, reasons))
    return tuple(requirements)


def _reason(cell: Cell, count: Count, mode: str) -> str:
    exact = count.reasons.get((cell.requirement, cell.operation))
    if exact is not None:
        return f"withheld: {exact}"
    if cell.status == WITHHELD:
        of_all = count.reasons.get(("", cell.operation)) or cell.reason
        return f"withheld: {of_all}"
    if cell.reason == NO_EXCHANGE and mode != "restore":
        return f"the mode is {mode}, which sends nothing that exercises it"
    return cell.reason or ""


def _restores(endpoint: Endpoint) -> tuple[Restore, ...]:
    """Return the places that jobs of the rehearsal restored to; a download has none."""
    times = Counter(job.target for job in endpoint.chronicle.created() if job.target is not None)
    return tuple(Restore(project, cluster, n) for (project, cluster), n in sorted(times.items()))


def _jobs(endpoint: Endpoint) -> dict[str, int]:
    made = Counter(job.create_operation for job in endpoint.chronicle.created())
    return {name: made[name] for name in endpoint.contract.operations if made[name]}


def _waiting(endpoint: Endpoint, remote: bool) -> float:
    """Return how many seconds a run waits at most for the jobs of each create whose jobs can be read."""
    made = {job.create_operation for job in endpoint.chronicle.created()}
    operations = endpoint.contract.operations
    read = [name for name in made if name is not None and endpoint.offers(operations[name].links["read"])]
    return len(read) * PROFILES[endpoint.profile.name].patience[1 if remote else 0]
