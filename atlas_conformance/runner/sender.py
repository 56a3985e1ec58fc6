"""Sending: requests go out through the ration and the guard, and what comes of each goes to the recorder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from atlas_conformance.contracts.body_reading import REFUSED
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.http.client import Attempt, Client
from atlas_conformance.http.failures import NoAnswer, Withheld
from atlas_conformance.runner.outcomes import Judged, RunEnded
from atlas_conformance.runner.pauses import Pauses
from atlas_conformance.runner.rationing import Lesson, Ration
from atlas_conformance.runner.recorder import Recorder
from atlas_conformance.runner.repeating import Repeating
from atlas_conformance.runner.scenery import Scenery
from atlas_conformance.runner.silence import Silence


class Sender:
    """Sends the requests of a run through its client, and has the recorder judge and journal them in their order."""

    def __init__(self, client: Client, recorder: Recorder, scenery: Scenery, pauses: Pauses) -> None:
        self.client = client
        self._recorder = recorder
        self._ration = Ration(client.guard, recorder.knowledge)
        self._repeating = Repeating(recorder.chronicle.judge)
        self._silence = Silence(recorder, scenery, pauses, self._attempt)
        client.tell_outcomes(paced=recorder.paced, unsettled=recorder.lose)

    @property
    def rationed(self) -> bool:
        """Whether a budget bounds how many jobs the run may create."""
        return self._ration.in_force

    def send_all(
        self, requests: Iterable[Request], *, free_target: bool = False, lesson: Lesson | None = None
    ) -> list[Judged | None]:
        """Send requests, at the same time as far as the run's workers allow; None for each that was withheld.

        What is found is tried again, after all were sent; a run that stops at the first sight spares itself that.
        """
        requests = list(requests)
        outcomes: dict[int, Judged | None] = {}
        refused: dict[int, Exchange] = {}
        attempts = self._attempts(requests, lesson)
        for place, attempt in enumerate(attempts):
            if self._recorder.stopped:
                break
            if not isinstance(attempt, Exchange):
                try:
                    outcomes[place] = self._silence.explain(attempt)
                except RunEnded:
                    # Nothing more is sent: the rest is there at once, and what was answered before the end is kept.
                    for answered in (*refused.values(), *attempts):
                        if isinstance(answered, Exchange):
                            self._recorder.record(answered, free_target=free_target)
                    raise
            elif len(requests) > 1 and self.client.workers > 1 and self._may_be_contended(attempt):
                refused[place] = attempt
            else:
                outcomes[place] = self._recorder.record(attempt, free_target=free_target)
        for place, exchange in refused.items():
            outcomes[place] = self._recorder.record(exchange, free_target=free_target)
        for judged in outcomes.values():
            if judged is not None and judged.judgement.findings:
                self.try_again(judged)
        return [outcomes[place] for place in sorted(outcomes)]

    def try_again(self, judged: Judged) -> None:
        """Send the request of an exchange with findings once more, and journal whether they repeat.

        A DELETE that was carried out is not repeated: what it deleted or cancelled is no longer as it was.
        """
        carried_out = judged.exchange.request.method == "DELETE" and 200 <= judged.status < 300
        if self._recorder.stops_early or judged.status == 0 or carried_out:
            return

        def send() -> tuple[int, Judgement] | None:
            attempt = self._attempt(judged.exchange.request)
            if not isinstance(attempt, Exchange):
                return None
            with self._recorder.in_passing():
                again = self._recorder.record(attempt)
            return again.number, again.judgement

        for record in self._repeating.try_again(judged.number, judged.exchange, judged.judgement, send):
            self._recorder.journal.repeat(record)

    def take_in(self, exchanges: Iterable[Exchange], failures: Iterable[NoAnswer]) -> None:
        """Record what was sent before there was a journal, and try again what was found; none of it counts."""
        with self._recorder.in_passing():
            for judged in [self._recorder.record(exchange) for exchange in exchanges]:
                self.try_again(judged)
            self.client.tell_failures(None)
            self._silence.take_in(failures)

    def _may_be_contended(self, exchange: Exchange) -> bool:
        """Whether a refused create may have lost its target to one that was sent at the same time.

        It is judged after that one then, as it may have been answered after it.
        """
        if exchange.request.method != "POST" or exchange.response.status not in REFUSED:
            return False
        chronicle = self._recorder.chronicle
        reading = chronicle.reading(exchange.request)
        return reading is not None and not reading.violations and chronicle.target_of(reading) is not None

    def _attempt(self, request: Request) -> Attempt:
        return next(self._attempts([request]))

    def _attempts(self, requests: list[Request], lesson: Lesson | None = None) -> Iterator[Attempt]:
        """Yield what becomes of each request; a create that is not worth one of the jobs left is withheld."""
        objections = self._ration.objections(requests, lesson)
        sent = self.client.attempts(r for r, objection in zip(requests, objections, strict=True) if objection is None)
        for request, objection in zip(requests, objections, strict=True):
            yield next(sent) if objection is None else Withheld(request, objection)
