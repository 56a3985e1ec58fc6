"""What a person asked for: how many users, how long, how fast, and which limits fail the run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.http.failures import TargetError
from atlas_conformance.http.limits import parse_duration, parse_rate

MOST_USERS = 100_000
ACTIONS = 0.8
"""The share of the rate that users' actions take."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What fails a run besides its findings: milliseconds for 95 of 100 answers, and errors in per cent of requests."""

    p95: float | None = None
    error_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A run under load.

    `duration` and `ramp` are seconds, `rate` is requests a second of all users together (None: as fast as answers
    come). The run ends early when a requirement of `stop_at` fails.
    """

    users: int
    duration: float
    ramp: float
    rate: float | None
    seed: int
    stop_at: tuple[str, ...] = ()

    @property
    def spawn_rate(self) -> float:
        """Users started a second."""
        return self.users / self.ramp if self.ramp > 0 else float(self.users)

    @property
    def period(self) -> float:
        """Seconds between two actions of one user; 0 where a user begins the next one when the last was answered.

        The rate bounds every request, so a part of it is left for what authentication sends besides.
        """
        return self.users / (ACTIONS * self.rate) if self.rate else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the form in which a master sends it to its workers."""
        return {**asdict(self), "stop_at": list(self.stop_at)}

    @classmethod
    def of_json(cls, document: dict[str, Any]) -> Plan:
        """Return the plan that a master sent."""
        return cls(**{**document, "stop_at": tuple(document["stop_at"])})


def checked_plan(
    users: int, duration: str, ramp: str | None, rate: str | None, seed: int, stop_at: tuple[str, ...] = ()
) -> Plan:
    """Return the plan that the options describe; raise TargetError on what cannot be meant."""
    for requirement in stop_at:
        if requirement not in Contract.load().requirements:
            known = "`atlas-conformance requirements` lists them"
            raise TargetError(f"--stop-at: there is no requirement {requirement!r}; {known}")
    if not 1 <= users <= MOST_USERS:
        raise TargetError(f"--users is {users}; it is from 1 to {MOST_USERS}")
    seconds = parse_duration(duration, "--duration")
    rise = parse_duration(ramp, "--ramp") if ramp is not None else 0.0
    if rise >= seconds:
        raise TargetError(f"--ramp is {ramp}, as long as the whole run of {duration}; it is shorter than --duration")
    return Plan(users, seconds, rise, parse_rate(rate, "--rate") if rate else None, seed, stop_at)


def check_roles(master: bool, worker: bool, master_host: str | None, workers: int, target: str | None) -> None:
    """Raise TargetError where the options of a master and of a worker do not go together."""
    if master and worker:
        raise TargetError("give either --master or --worker, not both: a master leads, a worker sends")
    if worker and not master_host:
        raise TargetError("--worker needs --master-host HOST, the machine that the master runs on")
    if not worker and master_host:
        raise TargetError("--master-host is for a worker: give --worker too")
    if not master and workers != 1:
        raise TargetError("--workers says how many workers a master waits for: give --master too")
    if (master or worker) and target is None:
        raise TargetError("a master and its workers need --target FILE or --base-url URL: each opens it by itself")
