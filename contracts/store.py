"""Where histories are kept: all of them, or as many as there is room for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from atlas_conformance.contracts.history import JobHistory
from atlas_conformance.contracts.resources import Resource
from atlas_conformance.contracts.rules.histories import Past

Target: TypeAlias = tuple[str, str]
"""The project and the name of what a create restores to."""
Place: TypeAlias = tuple[str, str]
"""The project and the cluster through which a job is shown."""
ANY: Target = ("", "")
"""Stands for a target that could not be read: it may be any."""


def held_by(job: JobHistory) -> Target | None:
    """The target that a created job holds, `ANY` where that could not be read; None for a download, which has none."""
    return ANY if job.target_unread else job.target


class JobStore:
    """Keeps the history of every job that was seen, or of the last `most` of them."""

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self._jobs: dict[str, JobHistory] = {}
        self._at: dict[tuple[Resource, Place], dict[str, JobHistory]] = {}
        self._holding: dict[Target, dict[str, JobHistory]] = {}
        """The created jobs that hold, or held, each target."""
        self._lost: set[Target] = set()

    def jobs(self) -> Iterator[JobHistory]:
        """Every job that is kept, the one first seen, or in a bounded store seen longest ago, first."""
        yield from self._jobs.values()

    def get(self, job_id: str) -> JobHistory | None:
        """The history of one job, or None where it is not kept."""
        return self._jobs.get(job_id)

    def follow(self, job_id: str, resource: Resource, place: Place, *, created: bool) -> JobHistory:
        """Return the history of a job that an answer shows; it is new where the job was not kept.

        `created` says that the answer is that of its create.
        """
        known = self._jobs.get(job_id)
        if known is not None:
            if self.most is not None:
                self._jobs[job_id] = self._jobs.pop(job_id)
            return known
        if self.most is not None and len(self._jobs) >= self.most:
            self.forget(next(iter(self._jobs.values())))
        known = self._jobs[job_id] = JobHistory(job_id, resource, *place)
        self._at.setdefault((resource, place), {})[job_id] = known
        return known

    def forget(self, job: JobHistory) -> None:
        """Drop the history of a job, and that it held its target."""
        self._jobs.pop(job.job, None)
        self._at.get((job.resource, job.place), {}).pop(job.job, None)
        self.release(job)

    def at(self, resource: Resource, place: Place) -> Iterable[JobHistory]:
        """The jobs that are kept of one place."""
        return self._at.get((resource, place), {}).values()

    def elsewhere(self, resource: Resource, place: Place) -> bool:
        """Whether jobs of the kind are kept of other places."""
        return any(jobs and other != place for (kind, other), jobs in self._at.items() if kind is resource)

    def past(self, job_id: str) -> Past | None:
        """What is still known of a job whose history was dropped; None where nothing is."""
        return None

    def had(self, job_id: str, started: float) -> bool:
        """Whether an earlier job that is no longer followed had this id before a create started."""
        return False

    def welcomes(self, job_id: str, ended: float) -> bool:
        """Whether a job is to be followed that a list shows for the first time, in an answer that ended then."""
        return True

    # Targets

    def hold(self, job: JobHistory) -> None:
        """Note that a created job holds its target."""
        held = held_by(job)
        if held is not None:
            self._holding.setdefault(held, {})[job.job] = job

    def release(self, job: JobHistory) -> bool:
        """Forget that a job held its target; return whether that was known."""
        held = held_by(job)
        return held is not None and self._holding.get(held, {}).pop(job.job, None) is not None

    def held(self, target: Target, started: float) -> bool:
        """Whether a job that is kept may have held a target at `started`."""
        return any(
            not job.finished_ended < started for held in (target, ANY) for job in self._holding.get(held, {}).values()
        )

    def busy(self, target: Target, started: float) -> bool:
        """Whether a job of this traffic may have held a target at `started`."""
        return target in self._lost or self.held(target, started)

    def lose(self, target: Target) -> None:
        """Note that a create's answer never came: from now on its target may be held for good."""
        self._lost.add(target)
