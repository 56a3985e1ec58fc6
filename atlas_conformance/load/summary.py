"""What remains of a job once it is closed: a few values, told to the record of the run and then forgotten too."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from atlas_conformance.contracts.history import JobHistory


@dataclass(frozen=True, slots=True)
class Summary:
    """A closed job.

    `created` tells whether its create was part of the run, `state` the last state seen, `reads` how often it was read
    after it had ended. The times are epoch seconds at which an answer had shown the job for the first time, and ended.
    """

    job: str
    family: str
    project: str
    cluster: str
    state: str
    created: bool
    reads: int
    first_ended: float
    finished_ended: float

    @property
    def whole(self) -> bool:
        """Whether the job was followed from its create to its end."""
        return self.created and self.finished_ended < float("inf")

    @property
    def seconds(self) -> float | None:
        """Seconds from the first sight to the end, where the job was followed to its end."""
        return max(0.0, self.finished_ended - self.first_ended) if self.finished_ended < float("inf") else None


def summary_of(job: JobHistory, reads: int) -> Summary:
    """Return the summary of a job that is no longer followed."""
    state = "delivered" if job.delivered and job.last_state == "running" else job.last_state
    # The same few names come with each job, each time as another text.
    project, cluster = sys.intern(job.project), sys.intern(job.cluster)
    created = job.created is not None
    times = (job.first_ended, job.finished_ended)
    return Summary(job.job, job.resource.label, project, cluster, sys.intern(state), created, reads, *times)
