"""Explaining the failures of a run before its journal ends, in whatever process its tests ran."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.reports.journal import Journal, JournalError
from atlas_conformance.reports.matrix import Tally
from atlas_conformance.reports.records import ExchangeRecord
from atlas_conformance.runner.contrast import explain
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.outcomes import EndpointLost, RunEnded
from atlas_conformance.runner.probing import Prober


def _last_seen(journal: Journal) -> Iterator[Exchange]:
    """Yield what tells of jobs that may keep targets busy: every create, and the last that each path showed."""
    shown: dict[str, Exchange] = {}
    for record in journal:
        if isinstance(record, ExchangeRecord) and 200 <= record.exchange.response.status < 300:
            if record.exchange.request.method == "POST":
                yield record.exchange
            else:
                shown.pop(record.exchange.request.path, None)
                shown[record.exchange.request.path] = record.exchange
    yield from shown.values()


def explain_failures(endpoint: Endpoint, tally: Tally, masked: Callable[[str], str], *, by_others: bool) -> None:
    """Look for the smallest request and the contrast of each failure that `tally` has counted, and journal them.

    `by_others` says that other processes had the exchanges. An interrupt, or an endpoint that no longer answers, ends
    the search and nothing else: the tests have come to their end. What goes wrong besides is an error of the suite,
    with its words `masked`.
    """
    try:
        endpoint.journal.flush()
        journal = Journal(endpoint.journal.path)
        report = tally.report(journal.exchanges)
        known = frozenset(group.key for group in report.groups)
        learn = (lambda: endpoint.recorder.learn(_last_seen(journal))) if by_others else None
        explain(Prober(endpoint, known, learn), report, journal)
    except (KeyboardInterrupt, EndpointLost, RunEnded, JournalError):
        pass  # whether the journal can be written its end will tell
    except Exception as error:
        with contextlib.suppress(JournalError):
            said = masked(f"{type(error).__name__}: {error}")[:2_000]
            endpoint.journal.error("looking for what tells the failures apart", said)
