"""What a fault is: one thing that the endpoint does wrong, as data and small hooks into its pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.bodies import Check
from atlas_conformance.reference.fixtures import Snapshot
from atlas_conformance.reference.jobs import Job
from atlas_conformance.reference.messages import Answer, Call, Refusal
from atlas_conformance.reference.steps import Step

Class: TypeAlias = Literal["shape", "negative", "rule", "stateful", "subtle", "concurrent"]
"""What it takes to see a fault: one good response; one bad request; a combination of fields; several requests; a rare
value; requests that overlap in time."""

NOWHERE = "nowhere"
"""Stands for a path or a method that no operation has."""

TOKEN = "token"
"""Stands for the token endpoint."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: its jobs or snapshots, its number (from 1), the size asked for, how many there are in all,
    and whether `totalCount` is shown and a next page exists.
    """

    jobs: tuple[Job, ...]
    number: int
    items: int
    total: int
    counted: bool
    more: bool
    snapshots: tuple[Snapshot, ...] = ()


@dataclass(frozen=True)
class Fault:
    """A single fault.

    `operations` are those that it shows on (or `NOWHERE`, `TOKEN`); on all others the endpoint stays sound. The rest
    says what is wrong, in the order in which a request meets it:

    - `freedoms` are choices that the fault needs to show; `start` may alter the backend before the first request;
    - `pause` holds every call to the endpoint open for a number of seconds, so that calls overlap (`Call.beside`);
    - `credentials` names steps of the authentication that are left out (on every operation);
    - `request` may alter the call before any step; `skip` and `replace` leave out or exchange named steps, and
      `arrange` puts them in another order;
    - `refused` sees each refusal; it returns one, or an answer instead;
    - `job` sees a new job before it is stored, and returns the one to store;
    - `moment` returns the time at which a job is shown; `view` its document (`backend.reads[job.id]` counts the reads,
      from 1, the create's own answer included);
    - `snapshot`, `snapshot_moment` and `snapshot_view` do the same for snapshots, `snapshots` returns those that a list
      has, and `delete` says whether a snapshot is deleted, or does it in its own way;
    - `listing` returns the page of a list to show;
    - `answer` sees the answer before the envelope, `represented` after it, and `encoded` the bytes of the body.

    `parts` are faults that are there instead of all this, each on its own operations (`together`).
    """

    id: str
    requirement: str
    operations: tuple[str, ...]
    sentence: str
    kind: Class
    freedoms: Mapping[str, str] = field(default_factory=dict)
    start: Callable[[Backend], None] | None = None
    credentials: frozenset[str] = frozenset()
    request: Callable[[Backend, Call], None] | None = None
    skip: frozenset[str] = frozenset()
    replace: Mapping[str, Check] = field(default_factory=dict)
    arrange: Callable[[tuple[Step, ...]], tuple[Step, ...]] | None = None
    refused: Callable[[Backend, Call, Refusal], Refusal | Answer] | None = None
    job: Callable[[Backend, Call, Job], Job] | None = None
    moment: Callable[[Backend, Call, Job], float] | None = None
    view: Callable[[Backend, Call, Job, dict[str, Any]], dict[str, Any]] | None = None
    snapshot: Callable[[Backend, Call, Snapshot], Snapshot] | None = None
    snapshot_moment: Callable[[Backend, Call, Snapshot], float] | None = None
    snapshot_view: Callable[[Backend, Call, Snapshot, dict[str, Any]], dict[str, Any]] | None = None
    snapshots: Callable[[Backend, Call, list[Snapshot]], list[Snapshot]] | None = None
    delete: Callable[[Backend, Call, Snapshot], bool] | None = None
    listing: Callable[[Backend, Call, Page], Page] | None = None
    answer: Callable[[Backend, Call, Answer], Answer] | None = None
    represented: Callable[[Backend, Call, Answer], Answer] | None = None
    encoded: Callable[[Backend, Call, Answer, bytes], bytes] | None = None
    pause: float = 0.0
    parts: tuple[Fault, ...] = ()

    def steps(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Return an operation's steps as this fault leaves them.

        Raises ValueError where it names a step that the operation lacks: such a fault would do nothing.
        """
        names = {step.name for step in steps}
        for name in sorted((self.skip | set(self.replace)) - names):
            raise ValueError(f"the fault {self.id} names the step {name}, which one of its operations lacks")
        kept = tuple(
            Step(step.name, self.replace.get(step.name, step.check)) for step in steps if step.name not in self.skip
        )
        return self.arrange(kept) if self.arrange is not None else kept
