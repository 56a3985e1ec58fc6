"""How new restore jobs go: how long each state lasts, and which restores fail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate

from atlas_conformance.reference.jobs import Job

STATES = ("PENDING", "QUEUED", "RUNNING")


@dataclass(frozen=True, slots=True)
class Failing:
    """Restores that fail: those of a project, of a cluster or of a snapshot, where these are given; after the first
    `after` of them, and as many as `times`, or all.
    """

    project: str | None = None
    cluster: str | None = None
    snapshot: str | None = None
    after: int = 0
    times: int | None = None

    def covers(self, job: Job) -> bool:
        """Tell whether a new job is one of these."""
        return (
            self.project in (None, job.project)
            and self.cluster in (None, job.cluster)
            and self.snapshot in (None, job.snapshot)
        )


class Outcomes:
    """Decides how each new job goes. `lasting` is seconds by state; a state that it leaves out has the usual step."""

    def __init__(self, lasting: Mapping[str, float] | None = None, failing: Iterable[Failing] = ()) -> None:
        self.lasting = dict(lasting or {})
        self._failing = list(failing)
        self._seen = [0] * len(self._failing)

    def fail(self, failing: Failing) -> None:
        """Let further restores fail."""
        self._failing.append(failing)
        self._seen.append(0)

    def of(self, job: Job) -> Job:
        """Return a new job as it shall go; it counts as one of those that may fail."""
        if self.lasting:
            lengths = (self.lasting.get(phase, job.step) for phase in job.phases)
            job = replace(job, until=tuple(accumulate(lengths, initial=job.created))[1:])
        fails = job.fails
        for place, failing in enumerate(self._failing):
            if failing.covers(job):
                number = self._seen[place]
                self._seen[place] += 1
                fails |= number >= failing.after and (failing.times is None or number < failing.after + failing.times)
        return replace(job, fails=fails) if fails != job.fails else job
