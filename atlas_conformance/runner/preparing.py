"""Looking before the leap: what the endpoint is, offers and keeps, before anything is written."""

from __future__ import annotations

import datetime
from dataclasses import replace

from atlas_conformance.contracts.exchange import Scheme
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.http.client import Client
from atlas_conformance.http.failures import NoAnswer
from atlas_conformance.http.limits import parse_duration
from atlas_conformance.http.target import Target, with_absent
from atlas_conformance.runner.header import header_of
from atlas_conformance.runner.latency import connections, median_latency
from atlas_conformance.runner.learning import learn
from atlas_conformance.runner.listed import discovered, with_listed
from atlas_conformance.runner.looking import look
from atlas_conformance.runner.offering import offered_operations
from atlas_conformance.runner.phases import PreparedRun, Setup
from atlas_conformance.targets.application import STARTS_WITHIN
from atlas_conformance.targets.arrival import wait_for_endpoint
from atlas_conformance.targets.preflight import PreflightReport


def prepare(setup: Setup) -> PreparedRun:
    """Start the endpoint if need be, and look at it; nothing is written yet.

    Raises TargetError (options, target file, environment), PreflightFailed, or ReferenceFailed.
    """
    options, seed = setup.options, setup.options.seed
    assert seed is not None
    unanswered: list[NoAnswer] = []
    target = with_absent(setup.served.target(), seed)
    client, found = _look(setup, target, unanswered)
    listed = with_listed(client, target, found)
    if listed.inventory != target.inventory:
        # Once more, by a client that knows what the endpoint lists.
        target = listed
        client.close()
        client, found = _look(setup, target, unanswered)
    workers = client.workers = options.workers or connections(median_latency(found.exchanges) or 0.0)
    learnt = learn(client, target, found, seed, options.stateful)
    if not (learnt.inventory.clusters or learnt.inventory.takes_any):
        known = discovered(client)
        if known is not None:
            target = replace(target, inventory=replace(known, absent=target.inventory.absent))
            client.close()
            client, found = _look(setup, target, unanswered)
            learnt = learn(client, target, found, seed, options.stateful)
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
    header = header_of(options, client, target, workers, reasons, knowledge)
    header = replace(header, conclusion=learnt.conclusion or None)
    return PreparedRun(client, knowledge, header, found.exchanges, learnt, unanswered)


def _look(setup: Setup, target: Target, unanswered: list[NoAnswer]) -> tuple[Client, PreflightReport]:
    """Look by the other scheme if the usual one does not let us in: that one is a finding then.

    Returns the client that was let in. What had no answer is added to `unanswered`.
    """
    options, seed = setup.options, setup.options.seed
    assert seed is not None

    def connected(prefer: Scheme | None) -> Client:
        client = setup.connector.connected(target, workers=options.workers or connections(0.0), prefer=prefer)
        client.tell_failures(unanswered.append)
        failure = setup.served.failure
        if prefer is None and (options.wait is not None or failure is not None):
            seconds = STARTS_WITHIN if options.wait is None else parse_duration(options.wait, "--wait-for-endpoint")
            wait_for_endpoint(client, seconds, failed=failure or (lambda: None), tell=setup.waits.tell)
        return client

    return look(connected, seed, (None, "digest"))
