"""What stands behind the endpoint while it runs: fixtures, jobs, freedoms."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.operation import Level
from atlas_conformance.reference.authentication import Authentication
from atlas_conformance.reference.fixtures import Fixtures, Snapshot
from atlas_conformance.reference.jobs import Jobs
from atlas_conformance.reference.messages import Call
from atlas_conformance.reference.outcomes import STATES, Outcomes
from atlas_conformance.reference.snapshots import Snapshots, taken_snapshot


@dataclass
class Backend:
    """Everything that a step of the pipeline may look at.

    `step` is seconds; `rate` is requests a minute, None for no limit; `reads` counts how often each job was shown,
    `used` the requests of each role in a minute; `notes` are for a fault that must remember something; `outcomes`
    decide how new jobs go; `contract` says which operations there are.
    """

    fixtures: Fixtures
    jobs: Jobs
    authentication: Authentication
    free: Mapping[str, str]
    imitate: frozenset[str]
    level: Level
    step: float
    rate: int | None
    draw: random.Random
    reads: Counter[str] = field(default_factory=Counter)
    used: dict[str, tuple[int, int]] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    known_snapshots: Snapshots | None = None
    outcomes: Outcomes = field(default_factory=Outcomes)
    contract: Contract = field(default_factory=Contract.load)

    def new_id(self) -> str:
        """Return an identifier that no job has yet."""
        return f"{self.draw.getrandbits(96):024x}"

    def phases(self) -> tuple[str, ...]:
        """Return the statuses that a new job passes through before it ends."""
        kept = STATES[STATES.index(self.free["first-status"]) :]
        if self.free["queued"] == "skipped" and kept[0] != "QUEUED":
            kept = tuple(phase for phase in kept if phase != "QUEUED")
        return kept

    @property
    def snapshots(self) -> Snapshots:
        """The snapshots that exist: those of the fixtures, where no others were given."""
        if self.known_snapshots is None:
            self.known_snapshots = Snapshots(self.fixtures)
        return self.known_snapshots

    def new_snapshot(self, call: Call) -> Snapshot:
        """Return the snapshot that an accepted request asks for; it is not kept yet."""
        assert call.operation is not None
        return taken_snapshot(self.new_id(), call, call.operation.resource, self.step)

    def snapshots_of(self, call: Call) -> list[Snapshot]:
        """Return the snapshots that a list shows: those of a sharded cluster in a list of their own."""
        assert call.operation is not None
        cluster = self.fixtures.clusters.get((call.project, call.cluster_name))
        if (cluster is not None and cluster.sharded) != call.operation.sharded:
            return []
        return self.snapshots.of(call.project, call.cluster_name)

    def target_of(self, call: Call) -> tuple[Any, Any]:
        """Return the (project, name) that a create restores to; the name is None where nothing is restored."""
        operation, fields = call.operation, call.fields
        assert operation is not None
        names = operation.resource.target
        row = self.contract.delivery_of(operation, fields)
        if names is None or not operation.names_target or (row is not None and row.needs_no(names)):
            return None, None
        project, name = names
        own = call.project if operation.resource.takes_own_project else None
        return fields.get(project, own), fields.get(name)
