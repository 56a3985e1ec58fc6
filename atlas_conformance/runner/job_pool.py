"""Jobs and snapshots that tests share: those that need one, and no matter which."""

from __future__ import annotations

from typing import TypeAlias

Where: TypeAlias = tuple[str, str, str]
"""What makes the job, or what it is, and the project and cluster that it is in."""


class JobPool:
    """One job at most for each place."""

    def __init__(self) -> None:
        self._jobs: dict[Where, str | None] = {}

    def knows(self, where: Where) -> bool:
        """Whether a job was looked for there."""
        return where in self._jobs

    def keep(self, where: Where, job: str | None) -> None:
        """Keep the job for later tests; None says that there is none."""
        self._jobs[where] = job

    def job(self, where: Where) -> str | None:
        """Return the job that is kept for a place, or None."""
        return self._jobs.get(where)
