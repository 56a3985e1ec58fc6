"""Explaining the failures of a run before its journal ends, in whatever process its tests ran."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from atlas_conformance.contracts.chronicle import Chronicle
from atlas_conformance.reports.journal import Journal, JournalError
from atlas_conformance.reports.matrix import Tally
from atlas_conformance.reports.records import ExchangeRecord
from atlas_conformance.runner.contrast import explain
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.outcomes import EndpointLost, RunEnded


def explain_failures(endpoint: Endpoint, tally: Tally, masked: Callable[[str], str], *, from_journal: bool) -> None:
    """Look for the smallest request and the contrast of each failure that `tally` has counted, and journal them.

    With `from_journal` the exchanges were had by other processes, of which `endpoint` is told first. An interrupt, or
    an endpoint that no longer answers, ends the search and nothing else: the tests have come to their end. What goes
    wrong besides is an error of the suite, with its words `masked`.
    """
    sent = None
    try:
        endpoint.journal.flush()
        journal = Journal(endpoint.journal.path)
        if from_journal:
            for record in journal:
                if isinstance(record, ExchangeRecord):
                    endpoint.chronicle.feed(record.exchange)
        sent = explain(endpoint, tally.report(journal.exchanges), journal)
    except (KeyboardInterrupt, EndpointLost, RunEnded, JournalError):
        pass  # whether the journal can be written its end will tell
    except Exception as error:
        with contextlib.suppress(JournalError):
            said = masked(f"{type(error).__name__}: {error}")[:2_000]
            endpoint.journal.error("looking for what tells the failures apart", said)
    if from_journal:
        # The others have told what they leave behind.
        endpoint.chronicle = Chronicle(endpoint.knowledge)
        for exchange in sent or ():
            endpoint.chronicle.feed(exchange)
