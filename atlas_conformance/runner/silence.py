"""What a request without an answer says of the endpoint: it is gone, it spoilt this one, or nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.http.client import Attempt
from atlas_conformance.http.failures import MissingCredentials, NoAnswer, NotSent, Unsendable, Withheld
from atlas_conformance.reports.model import UNTOLD
from atlas_conformance.reports.records import RepeatRecord
from atlas_conformance.runner.outcomes import EndpointLost, Judged, RunEnded
from atlas_conformance.runner.pauses import Pauses
from atlas_conformance.runner.recorder import Recorder
from atlas_conformance.runner.repeating import outcome_of
from atlas_conformance.runner.scenery import Scenery
from atlas_conformance.runner.unanswered import LARGE, is_spoilt, no_answer_finding
from atlas_conformance.strategies.requests import build
from atlas_conformance.strategies.scenes import path_parameters

_TRIES_OF_CLOSED = 4
"""Retries after a dropped connection."""


class Silence:
    """Finds out about requests that had no answer, by sending them again with `attempt`, and records what it finds."""

    def __init__(
        self, recorder: Recorder, scenery: Scenery, pauses: Pauses, attempt: Callable[[Request], Attempt]
    ) -> None:
        self._recorder = recorder
        self._scenery = scenery
        self._pauses = pauses
        self._attempt = attempt

    def explain(self, failure: NotSent) -> Judged | None:
        """Return the exchange that there is all the same, by a retry or as a finding; None where there is none.

        Raises EndpointLost where nothing is answered any more, RunEnded where the run was ended.
        """
        found = self._recorder.chronicle.judge.contract.operations_at(failure.request.path)
        operation = next((o.id for o, _ in found if o.method == failure.request.method), None)
        if isinstance(failure, Withheld):
            if operation is not None:
                self._recorder.untested.withhold(self._recorder.context.name, operation, failure.reason)
            return None
        if isinstance(failure, MissingCredentials | Unsendable):
            return None
        assert isinstance(failure, NoAnswer)
        return self._no_answer(failure, operation)

    def take_in(self, failures: Iterable[NoAnswer]) -> None:
        """Repeat what the preflight had no answer to, and record what the endpoint spoilt."""
        with contextlib.suppress(EndpointLost, RunEnded):  # the first test comes upon that too, and says so
            for failure in failures:
                if is_spoilt(failure):
                    self.explain(failure)

    def _no_answer(self, failure: NoAnswer, operation: str | None) -> Judged | None:
        """Tell an endpoint that is gone from one that drops the connection on this request alone (C-STATUS)."""
        if failure.cause == "stopped":
            raise RunEnded(failure.reason)
        spoilt = is_spoilt(failure)
        large = len(failure.request.body or b"") > LARGE
        if operation is None or not self._recorder.knowledge.offers(operation) or (large and not spoilt):
            return None
        pauses = iter(self._pauses.intervals)
        for _ in range(_TRIES_OF_CLOSED if failure.cause == "closed" else 1):
            attempt = self._attempt(failure.request)
            if isinstance(attempt, Exchange):
                return self._spoilt(failure, operation, attempt) if spoilt else self._recorder.record(attempt)
            if isinstance(attempt, Withheld):
                if spoilt:
                    self._spoilt(failure, operation, None)
                return self.explain(attempt)
            if isinstance(attempt, NoAnswer) and attempt.cause == "stopped":
                raise RunEnded(attempt.reason)
            self._pauses.sleep(next(pauses))
        lost = isinstance(self._attempt(self._plain_read()), NoAnswer)
        if lost and failure.cause not in ("closed", "malformed"):
            raise EndpointLost(failure.reason)
        judged = self._recorder.record_unanswered(failure, no_answer_finding(failure, operation, gone=lost))
        if lost:
            raise EndpointLost(failure.reason, found=True)
        return judged

    def _spoilt(self, failure: NoAnswer, operation: str, again: Exchange | None) -> Judged | None:
        """Record an invalid answer (C-STATUS), and the answer to the retry, if there was one."""
        finding = no_answer_finding(failure, operation)
        first = self._recorder.record_unanswered(failure, finding, decisive=False)
        judged = None if again is None else self._recorder.record(again)
        outcome = UNTOLD if judged is None else outcome_of(finding, judged.judgement)
        number = None if judged is None else judged.number
        self._recorder.journal.repeat(RepeatRecord(first.number, number, *finding.key, outcome))
        return judged

    def _plain_read(self) -> Request:
        operation = self._recorder.chronicle.judge.contract.operations["flex-get"]
        scene = self._scenery.scenes(operation.cluster_kind)[0]
        return build(operation, path_parameters(operation, scene, self._scenery.absent_item(operation)))
