"""Where histories are kept: all of them, or as many as there is room for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from atlas_conformance.contracts.history import JobHistory, JobKey
from atlas_conformance.contracts.resources import RESOURCES, Resource
from atlas_conformance.contracts.rules.histories import Past

Target: TypeAlias = tuple[str, str]
"""The project and the name of what a create restores to."""
Place: TypeAlias = tuple[str, str]
"""The project and the cluster through which a job is shown."""
_NOWHERE: Mapping[Place, JobHistory] = {}
ANY: Target = ("", "")
"""Stands for a target that could not be read: it may be any."""


def held_by(job: JobHistory) -> Target | None:
    """The target that a created job holds, `ANY` where that could not be read; None for a download, which has none."""
    return ANY if job.target_unread else job.target


class JobStore:
    """Keeps the history of every job that was seen, or of the last `most` of them.

    Jobs are distinguished by resource, place and id: the same id in another resource is another job.
    """

    def __init__(self, most: int | None = None) -> None:
        """Keep nothing yet. Raises ValueError where there is to be room for no job."""
        if most is not None and (not isinstance(most, int) or most < 1):
            raise ValueError(f"as many jobs are remembered as a number of at least 1 says, not {most!r}")
        self.most = most
        self._jobs: dict[JobKey, JobHistory] = {}
        self._places: dict[tuple[Resource, str], dict[Place, JobHistory]] = {}
        """The jobs by place, under their resource and id."""
        self._at: dict[tuple[Resource, Place], dict[str, JobHistory]] = {}
        self._holding: dict[Target, dict[JobKey, JobHistory]] = {}
        """The created jobs that hold, or held, each target."""
        self._lost: set[Target] = set()

    def jobs(self) -> Iterator[JobHistory]:
        """Every job that is kept, the one first seen, or in a bounded store seen longest ago, first."""
        yield from self._jobs.values()

    def get(self, job_id: str, resource: Resource, place: Place) -> JobHistory | None:
        """The history of one job, or None where it is not kept."""
        return self._places.get((resource, job_id), _NOWHERE).get(place)

    def namesakes(self, job_id: str, resource: Resource) -> Iterable[JobHistory]:
        """The jobs of a resource, in whatever place, that have this id."""
        return self._places.get((resource, job_id), _NOWHERE).values()

    def find(self, job_id: str, resource: Resource | None = None, place: Place | None = None) -> JobHistory | None:
        """The first job that is kept of this id, of a resource and in a place where these are given, or None."""
        for found in RESOURCES.values() if resource is None else (resource,):
            for job in self.namesakes(job_id, found):
                if place is None or job.place == place:
                    return job
        return None

    def follow(self, job_id: str, resource: Resource, place: Place, *, created: bool) -> JobHistory:
        """Return the history of a job that an answer shows; it is new where the job was not kept.

        `created` says that the answer is that of its create.
        """
        known = self.get(job_id, resource, place)
        if known is not None:
            if self.most is not None:
                self._jobs[known.key] = self._jobs.pop(known.key)
            return known
        if self.most is not None and len(self._jobs) >= self.most:
            self.forget(next(iter(self._jobs.values())))
        known = JobHistory(job_id, resource, *place)
        self._jobs[known.key] = known
        self._places.setdefault((resource, job_id), {})[place] = known
        self._at.setdefault((resource, place), {})[job_id] = known
        return known

    def forget(self, job: JobHistory) -> None:
        """Drop the history of a job, and that it held its target."""
        self._jobs.pop(job.key, None)
        places = self._places.get((job.resource, job.job), {})
        places.pop(job.place, None)
        if not places:
            self._places.pop((job.resource, job.job), None)
        self._at.get((job.resource, job.place), {}).pop(job.job, None)
        self.release(job)

    def at(self, resource: Resource, place: Place) -> Iterable[JobHistory]:
        """The jobs that are kept of one place."""
        return self._at.get((resource, place), {}).values()

    def elsewhere(self, resource: Resource, place: Place) -> bool:
        """Whether jobs of the kind are kept of other places."""
        return any(jobs and other != place for (kind, other), jobs in self._at.items() if kind is resource)

    def past(self, job_id: str, resource: Resource, place: Place) -> Past | None:
        """What is still known of a job whose history was dropped, in its place or another; None where nothing is."""
        return None

    def had(self, job_id: str, resource: Resource, place: Place, started: float) -> bool:
        """Whether an earlier job that is no longer followed had this id before a create started."""
        return False

    def welcomes(self, job_id: str, resource: Resource, place: Place, ended: float) -> bool:
        """Whether a job is to be followed that a list shows for the first time, in an answer that ended then."""
        return True

    # Targets

    def hold(self, job: JobHistory) -> None:
        """Note that a created job holds its target."""
        held = held_by(job)
        if held is not None:
            self._holding.setdefault(held, {})[job.key] = job

    def release(self, job: JobHistory) -> bool:
        """Forget that a job held its target; return whether that was known."""
        held = held_by(job)
        return held is not None and self._holding.get(held, {}).pop(job.key, None) is not None

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
