"""Trials: one run of the suites against one behaviour of the reference endpoint, and what came of it."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from random import Random

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.finding import Finding
from atlas_conformance.contracts.operation import Level
from atlas_conformance.reference.fault import NOWHERE, TOKEN, Fault
from atlas_conformance.reference.faults import catalogue
from atlas_conformance.reference.freedoms import FREEDOMS, IMITATIONS
from atlas_conformance.reports.model import Report

SOUND = "sound"
USERS = 50
"""How many users come at once in a trial under load."""

_OF_SNAPSHOTS = frozenset(o.id for o in Contract.load().operations.values() if o.resource.name == "dedicated snapshot")
_READ_BACK = {
    "cluster-cancel": frozenset({"cluster-get", "cluster-get-v1", "cluster-list"}),
    "snapshot-take": _OF_SNAPSHOTS,
    "snapshot-delete": _OF_SNAPSHOTS,
}


@dataclass(frozen=True)
class Trial:
    """One behaviour to run the suites against: a single fault, or a sound endpoint in one of its modes (`fault` None).

    The fault breaks `requirement`, `operations` those that it shows on, `kind` its class. With `users`,
    that number of users comes at once, instead of the sequential suites.
    """

    name: str
    sentence: str
    kind: str = SOUND
    fault: str | None = None
    requirement: str | None = None
    operations: tuple[str, ...] = ()
    freedoms: Mapping[str, str] = field(default_factory=dict)
    imitate: tuple[str, ...] = ()
    level: Level = "workflow"
    authentication: tuple[str, ...] = ("digest", "bearer")
    seed: int = 0
    users: int = 0

    def catches(self, finding: Finding) -> bool:
        """Whether a finding names what the fault breaks, where it breaks it."""
        if finding.departure is not None or finding.requirement != self.requirement:
            return False
        anywhere = not self.operations or NOWHERE in self.operations or TOKEN in self.operations
        # What a create or a cancel did wrong may show only where the job is read.
        known = Contract.load().operations
        made = [known[operation] for operation in self.operations if operation in known]
        readers = {operation.links.get(name) for operation in made for name in ("read", "list")}
        readers.update(*(_READ_BACK.get(operation, frozenset()) for operation in self.operations))
        return anywhere or finding.operation in readers.union(self.operations)


@dataclass(frozen=True)
class Outcome:
    """What came of a trial.

    `caught` is whether the broken requirement was named on an operation that the fault shows on; `first` is the
    requirement of the first defect in the report, `others` are those of the other ones, `headlines` is how many defects
    there are; `verdict` is the run's. `exchanges` and `seconds` are what it took.
    """

    trial: Trial
    caught: bool
    first: str | None
    others: tuple[str, ...]
    verdict: str
    exchanges: int
    seconds: float
    error: str | None = None
    headlines: int = 0

    @property
    def good(self) -> bool:
        """Whether the trial ended as it should: a fault caught, a sound endpoint passed."""
        return self.caught if self.trial.fault is not None else self.verdict == "passed"

    @property
    def right_first(self) -> bool:
        """Whether the report leads with the requirement that the fault breaks."""
        return self.caught and self.first == self.trial.requirement


def fault_trials(faults: Collection[str] = (), classes: Collection[str] = (), seed: int = 0) -> list[Trial]:
    """Return a trial for each fault of the catalogue, or for the named ones, or those of the named classes."""
    return [
        _of_fault(fault, seed)
        for fault in catalogue().values()
        if (not faults or fault.id in faults) and (not classes or fault.kind in classes)
    ]


def _of_fault(fault: Fault, seed: int) -> Trial:
    return Trial(
        fault.id,
        fault.sentence,
        kind=fault.kind,
        fault=fault.id,
        requirement=fault.requirement,
        operations=fault.operations,
        seed=seed,
        users=USERS if fault.kind == "concurrent" else 0,
    )


def sound_trials(seed: int = 0) -> list[Trial]:
    """Return the modes in which a sound endpoint must pass: schemes, levels, departures, and the freedoms, mixed and
    all.
    """
    trials = [
        Trial("sound", "as it starts", seed=seed),
        Trial("sound, digest only", "one authentication scheme", authentication=("digest",), seed=seed + 1),
        Trial("sound, bearer only", "the other authentication scheme", authentication=("bearer",), seed=seed + 2),
        Trial("sound, core only", "no extended operation", level="core", seed=seed + 3),
        Trial("sound, known departures", "with its known departures", imitate=tuple(IMITATIONS), seed=seed + 4),
    ]
    # Each round takes another choice of every freedom, so that each choice of each freedom is in at least one round.
    rounds = max(len(choices) for choices in FREEDOMS.values())
    for i in range(1, rounds):
        chosen = {name: choices[i % len(choices)] for name, choices in FREEDOMS.items()}
        trials.append(Trial(f"sound, freedoms {i}", f"choice {i} of every freedom", freedoms=chosen, seed=seed + 4 + i))
    random = Random(f"freedoms:{seed}")
    mixed = {name: random.choice(choices) for name, choices in FREEDOMS.items()}
    trials.append(Trial("sound, freedoms mixed", "any choice of each freedom", freedoms=mixed, seed=seed + 99))
    return [*trials, Trial("sound, under load", f"{USERS} users at once", seed=seed + 100, users=USERS)]


def interleaved(trials: list[Trial], workers: int) -> list[list[Trial]]:
    """Deal trials out to workers, so that each gets a share of every kind."""
    return [list(itertools.islice(trials, i, None, workers)) for i in range(workers)]


def leading(report: Report) -> list[str]:
    """Return the requirements of a report's defects, the first to look at in front, failures before advice."""
    return [defect.requirement for defect in report.defects]
