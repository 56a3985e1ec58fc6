"""Restore jobs: what is fixed when one is created, how its state follows from the time, and where jobs are kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson

DOWNLOAD_LIFE = 3_600
"""Seconds for which a dedicated cluster's download can be fetched."""

EXPIRATION = 6 * 3_600
"""Seconds from the schedule of a flex or tenant job to its expiration."""


@dataclass(frozen=True, slots=True)
class Job:
    """One restore job. Its state at any moment is a function of these values alone.

    `delivery` is the deliveryType shown; times are epoch seconds. The job passes through `phases` and then ends, or is
    cancelled before, where it is `cancellable`. Each phase is `step` seconds long, unless `until` says when each one is
    over. `extra` joins the document shown.
    """

    id: str
    project: str
    cluster: str
    delivery: Any
    created: float
    step: float
    phases: tuple[str, ...] = ("PENDING", "QUEUED", "RUNNING")
    fails: bool = False
    snapshot: Any = None
    snapshot_finished: int | None = None
    target_project: Any = None
    target: Any = None
    utc_seconds: Any = None
    oplog_ts: Any = None
    oplog_inc: Any = None
    shards: tuple[str, ...] = ()
    cancellable: bool = False
    cancelled: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    until: tuple[float, ...] = ()

    @property
    def ends(self) -> float:
        """When the last phase is over, unless the job is cancelled before."""
        return self.until[-1] if self.until else self.created + self.step * len(self.phases)

    @property
    def changes(self) -> tuple[float, ...]:
        """When each phase is over."""
        if self.until:
            return self.until
        return tuple(self.created + self.step * number for number in range(1, len(self.phases) + 1))

    def is_cancelled(self, now: float) -> bool:
        """Tell whether the job was cancelled by then."""
        return self.cancelled is not None and now >= self.cancelled

    def is_over(self, now: float) -> bool:
        """Tell whether the job has ended by then, one way or another."""
        return now >= self.ends or self.is_cancelled(now)

    def status(self, now: float) -> str:
        """Return the status of a flex or tenant job then (`S-STATUS`, `S-FLOW`)."""
        if now < self.ends:
            if self.until:
                return next(phase for phase, over in zip(self.phases, self.until, strict=True) if now < over)
            place = int(max(0.0, now - self.created) / self.step)
            if place < len(self.phases):
                return self.phases[place]
        return "FAILED" if self.fails else "COMPLETED"


ENDS = ("COMPLETED", "FAILED")


def brought_to(job: Job, state: str, now: float) -> Job:
    """Return a job that is in a state from `now` on: one of its phases, COMPLETED, FAILED, or CANCELLED.

    A job only moves forward. Raises ValueError with one sentence where this one cannot come into that state.
    """
    known = (*job.phases, *ENDS, *(("CANCELLED",) if job.cancellable else ()))
    if state not in known:
        raise ValueError(f"this job has no state {state!r}; it has {', '.join(known)}")
    current = "CANCELLED" if job.is_cancelled(now) else job.status(now)
    if state == current:
        return job
    if job.is_over(now):
        raise ValueError(f"the job is {current}, and a job that has ended does not change any more")
    if state == "CANCELLED":
        return replace(job, cancelled=now)
    if state in ENDS:
        return replace(job, until=tuple(min(over, now) for over in job.changes), fails=state == "FAILED")
    here, there = job.phases.index(current), job.phases.index(state)
    if there < here:
        raise ValueError(f"the job is {current} and does not go back to {state}: a job only moves forward")
    # What lies between is skipped; what comes after lasts as long as it would have.
    changes = job.changes
    sooner = changes[there - 1] - now
    until = (min(over, now) if place < there else over - sooner for place, over in enumerate(changes))
    return replace(job, until=tuple(until))


_SCHEMA = """
create table if not exists jobs (
    sequence integer primary key,
    id text not null,
    project text not null,
    cluster text not null,
    target_project text,
    target text,
    created real not null,
    ends real not null,
    cancelled real,
    job blob not null
);
create index if not exists jobs_by_id on jobs (id);
create index if not exists jobs_by_cluster on jobs (project, cluster, sequence);
create index if not exists jobs_by_target on jobs (target_project, target, ends);
create table if not exists start (seed text not null, epoch integer not null);
"""

_ORDERS = {"newest": "sequence desc", "oldest": "sequence", "id": "id"}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


class Jobs:
    """Jobs kept in SQLite, in memory or in a file. Use it from one thread; `close` it at the end."""

    def __init__(self, database: str = ":memory:") -> None:
        """Open the database; raises sqlite3.Error where the file can't be used."""
        self._connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = off")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def start(self, seed: int | None, epoch: int, otherwise: int) -> tuple[int, int]:
        """Return the seed and epoch that the stored jobs belong to; a fresh database takes `seed` (or `otherwise`) and
        `epoch`.

        Raises ValueError where `seed` is another one than the stored.
        """
        row = self._connection.execute("select seed, epoch from start").fetchone()
        if row is None:
            chosen = otherwise if seed is None else seed
            self._connection.execute("insert into start values (?, ?)", (str(chosen), epoch))
            return chosen, epoch
        if seed is not None and int(row[0]) != seed:
            raise ValueError(
                f"the database holds jobs of another seed than {seed}; leave the seed out, or name another file"
            )
        return int(row[0]), int(row[1])

    def clear(self) -> None:
        """Forget all jobs."""
        self._connection.execute("delete from jobs")

    def add(self, job: Job) -> None:
        """Store a job after all others."""
        self._connection.execute(
            "insert into jobs (id, project, cluster, target_project, target, created, ends, cancelled, job)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                job.id,
                job.project,
                job.cluster,
                _text(job.target_project),
                _text(job.target),
                job.created,
                job.ends,
                job.cancelled,
                _bytes(job),
            ),
        )

    def find(self, job_id: str) -> Job | None:
        """Return the newest job of that id, whatever its cluster, or None."""
        row = self._connection.execute(
            "select job, cancelled from jobs where id = ? order by sequence desc limit 1", (job_id,)
        ).fetchone()
        return None if row is None else _job(row)

    def cancel(self, job_id: str, now: float) -> None:
        """Mark a job cancelled from that moment on."""
        self._connection.execute("update jobs set cancelled = ? where id = ?", (now, job_id))

    def put(self, job: Job) -> None:
        """Store a job in place of the one of its id."""
        self._connection.execute(
            "update jobs set ends = ?, cancelled = ?, job = ? where id = ?",
            (job.ends, job.cancelled, _bytes(job), job.id),
        )

    def everything(self) -> list[Job]:
        """Return all jobs in the order in which they were stored."""
        return [_job(row) for row in self._connection.execute("select job, cancelled from jobs order by sequence")]

    def under_way(self, now: float) -> list[Job]:
        """Return the jobs that have not ended."""
        rows = self._connection.execute(
            "select job, cancelled from jobs where ends > ? and cancelled is null order by sequence", (now,)
        )
        return [_job(row) for row in rows]

    def forget(self, job_id: str) -> None:
        """Drop a job."""
        self._connection.execute("delete from jobs where id = ?", (job_id,))

    def count(self, project: str, cluster: str) -> int:
        """Return the number of a cluster's jobs."""
        found = self._connection.execute(
            "select count(*) from jobs where project = ? and cluster = ?", (project, cluster)
        ).fetchone()
        return int(found[0])

    def count_all(self) -> int:
        """Return the number of all jobs."""
        return int(self._connection.execute("select count(*) from jobs").fetchone()[0])

    def page(self, project: str, cluster: str, order: str, limit: int, offset: int) -> list[Job]:
        """Return some of a cluster's jobs; `order` is "newest", "oldest" or "id"."""
        # Two jobs share an id only where that is the fault; the sequence keeps pages stable all the same.
        rows = self._connection.execute(
            f"select job, cancelled from jobs where project = ? and cluster = ? order by {_ORDERS[order]}, sequence"
            " limit ? offset ?",
            (project, cluster, limit, offset),
        )
        return [_job(row) for row in rows]

    def is_busy(self, project: str, target: str, now: float) -> bool:
        """Tell whether a job that has not ended restores to that target."""
        row = self._connection.execute(
            "select 1 from jobs where target_project = ? and target = ? and ends > ? and cancelled is null limit 1",
            (project, target, now),
        ).fetchone()
        return row is not None


def _bytes(job: Job) -> bytes:
    return orjson.dumps(asdict(job), option=orjson.OPT_NON_STR_KEYS)


def _job(row: tuple[bytes, float | None]) -> Job:
    values = orjson.loads(row[0])
    values["phases"] = tuple(values["phases"])
    values["shards"] = tuple(values["shards"])
    values["until"] = tuple(values.get("until", ()))
    values["cancelled"] = row[1]
    return Job(**values)
