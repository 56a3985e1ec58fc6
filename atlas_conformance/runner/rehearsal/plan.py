"""What a run would do, as values: how much it would send, what it would exercise, and what it may destroy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from atlas_conformance.http.target import Target

REAL_RATE = 20.0
"""Requests a second that the real service grants (1,200 a minute)."""

USUAL_LATENCY = 0.2
"""Seconds that an answer of a remote endpoint is taken to need where none was measured."""

_CLOSE_LATENCY = 0.002


@dataclass(frozen=True, slots=True)
class Sending:
    """How much a run would send.

    `by_operation` and `by_method` count requests, `beside` those that reach no operation; `withheld` counts what the
    guard would keep back, by its reason. `seconds` is about how long it takes at `rate` requests a second (None:
    as fast as the endpoint answers) and `latency` seconds an answer, restores that end at once supposed; waiting for
    restores that take longer adds up to `waiting` seconds. `limit` is when the run is ended in any case, in seconds, or
    None.
    """

    requests: int
    by_operation: Mapping[str, int]
    by_method: Mapping[str, int]
    beside: int
    withheld: Mapping[str, int]
    seconds: float
    waiting: float
    rate: float | None
    latency: float
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Restore:
    """Restores that a run would start: how many that delete the data of `cluster` in `project`."""

    project: str
    cluster: str
    times: int


@dataclass(frozen=True, slots=True)
class Harm:
    """What a run may do to data.

    `allowed` are the (project, cluster) pairs that a restore can reach at all, `restores` those that would be
    restored to, and how often. `jobs` counts the jobs that would be created, by the operation that creates them;
    `budget` is how many may be, None for any number. `snapshots` counts those that would be taken, `most_snapshots`
    how many may be, and `deleted` those of them that would be deleted again. `guarded` is false on loopback in the
    mode `restore`, where nothing but a budget keeps a restore back, so that `allowed` is what the target file names
    and no bound.
    """

    allowed: tuple[tuple[str, str], ...]
    restores: tuple[Restore, ...]
    jobs: Mapping[str, int]
    budget: int | None
    guarded: bool
    snapshots: int = 0
    most_snapshots: int | None = None
    deleted: int = 0

    @property
    def created(self) -> int:
        """How many jobs would be created."""
        return sum(self.jobs.values())


@dataclass(frozen=True, slots=True)
class Exercised:
    """What becomes of one requirement: how many exchanges would exercise it on which operation, and why none
    would on others.
    """

    requirement: str
    level: str
    exchanges: Mapping[str, int]
    not_exercised: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a rehearsal tells of a run; `credentials` maps identities to the names of their variables, and
    `remote_because` is empty where the endpoint is loopback's own.
    """

    target: str
    base_url: str
    asked: int
    remote_because: str
    profile: str
    seed: int
    mode: str
    mode_wanted: str | None
    level: str | None
    credentials: Mapping[str, tuple[str, ...]]
    operations: Mapping[str, bool | str]
    sending: Sending
    harm: Harm
    requirements: tuple[Exercised, ...]

    @property
    def exercised(self) -> tuple[Exercised, ...]:
        """The requirements that would be exercised on some operation."""
        return tuple(each for each in self.requirements if each.exchanges)

    def reasons(self) -> dict[str, dict[str, list[str]]]:
        """Return why something would not be exercised: reason, requirement, operations."""
        found: dict[str, dict[str, list[str]]] = {}
        for each in self.requirements:
            for operation, reason in each.not_exercised.items():
                found.setdefault(reason, {}).setdefault(each.requirement, []).append(operation)
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the plan as a JSON document; times are in seconds, rates in requests a second."""
        return asdict(self)


def reachable(target: Target, budget: int | None, remote: bool) -> tuple[tuple[str, str], ...]:
    """Return every (project, cluster) whose data the guard would let a restore delete, sorted; none without a budget.

    On loopback that is whatever the target file names, as the guard keeps nothing back there.
    """
    if budget == 0:
        return ()
    if remote:
        return tuple(sorted(target.safety.destroyable))
    inventory = target.inventory
    places = [(t.project, t.name) for t in inventory.targets] + [(c.project, c.name) for c in inventory.clusters]
    return tuple(sorted(set(places)))


def span(requests: int, round_trips: int, latency: float, rate: float | None) -> float:
    """Return about how many seconds requests take: as long as their round trips do, or as the rate asks for."""
    return max(round_trips * latency, requests / rate if rate else 0.0)


def latency_of(measured: float | None, remote: bool) -> float:
    """Return the seconds that an answer is taken to need: as measured, or the usual ones."""
    if measured is not None:
        return measured
    return USUAL_LATENCY if remote else _CLOSE_LATENCY
