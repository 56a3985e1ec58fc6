"""The last that a run does before its journal ends: look at what is left behind, and tell what was not exercised."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial

from atlas_conformance.reports.journal import JournalError
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.left_behind import jobs_left, tidy_up


def wind_up(endpoint: Endpoint, seconds: float | None, masked: Callable[[str], str]) -> None:
    """Do what is to be done before a journal ends; `seconds` is how long jobs may be looked at (None: not at all).

    Whatever goes wrong in one part is an error of the suite in the report, with its words `masked`, and keeps no other
    part from being done.
    """
    parts: list[tuple[str, Callable[[], object]]] = []
    if seconds is not None:
        parts.append(("looking at the jobs left behind", partial(tidy_up, endpoint, seconds=seconds)))
        parts.append(("telling the jobs left behind", partial(_note_jobs, endpoint)))
    parts.append(("telling what was not exercised", partial(_note_statuses, endpoint)))
    for what, do in parts:
        try:
            do()
        except JournalError:
            return  # nothing more can be written, and the end of the journal says so
        except Exception as error:
            with contextlib.suppress(JournalError):
                endpoint.journal.error(what, masked(f"{type(error).__name__}: {error}")[:2_000])


def _note_jobs(endpoint: Endpoint) -> None:
    for job in jobs_left(endpoint):
        endpoint.journal.job(job)


def _note_statuses(endpoint: Endpoint) -> None:
    for operation, reason in endpoint.recorder.untested.withheld().items():
        endpoint.journal.status("withheld", reason, operation=operation)
    for requirement, operation, reason in endpoint.recorder.untested.reasons():
        if endpoint.offers(operation) and endpoint.contract.requirements[requirement].binds(operation):
            endpoint.journal.status("not exercised", reason, requirement=requirement, operation=operation)
