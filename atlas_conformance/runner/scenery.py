"""What requests are built around on this endpoint: its clusters and snapshots, as far as the run may touch them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from atlas_conformance.contracts.inventory import Absent, Inventory, Kind
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.http.guard.guard import Guard
from atlas_conformance.http.target import Target, draw_absent
from atlas_conformance.strategies.scenes import Scene, harmless_scene, invented_scene, scenes


@dataclass(frozen=True)
class Scenery:
    """The scenes of a run. `inventory` is what exists, `guard` says what may be sent, `seed` draws what is made up."""

    inventory: Inventory
    target: Target
    guard: Guard
    seed: int

    @property
    def is_open(self) -> bool:
        """Whether every well-formed id counts as existing, or as good as one that was made up."""
        return self.inventory.takes_any

    def scenes(self, kind: Kind | None) -> tuple[Scene, ...]:
        """The scenes that requests of a kind of cluster may be built around in this run's mode; never empty.

        Where nothing can or may be restored, or nothing more, the scene is one in which even a wrongly accepted create
        touches nothing.
        """
        restores = self.guard.mode == "restore" and self.guard.jobs_left != 0
        found = self._real_scenes(kind) if restores or self.is_open else ()
        if found:
            return found
        if self.is_open:
            return (invented_scene(self._absent, real=True),)
        return (harmless_scene(self.inventory, kind, self._absent),)

    def scenes_of(self, operation: Operation) -> tuple[Scene, ...]:
        """The scenes of an operation's kind of cluster; those that it serves, sharded or not, first."""
        found = self.scenes(operation.cluster_kind)
        return tuple(sorted(found, key=lambda scene: scene.sharded is not operation.sharded))

    def absent_item(self, operation: Operation) -> str:
        """A well-formed id under which what an operation is about, a job or a snapshot, exists nowhere."""
        return self._absent.named(operation.resource.what) or self._absent.job

    @property
    def _absent(self) -> Absent:
        return self.inventory.absent or draw_absent(self.seed)

    def _real_scenes(self, kind: Kind | None) -> tuple[Scene, ...]:
        """The scenes on what is known to exist; of several targets, those that the guard lets restores reach."""
        if self.guard.remote:
            destroyable = self.target.safety.destroyable
            targets = tuple(each for each in self.inventory.targets if (each.project, each.name) in destroyable)
            if found := scenes(replace(self.inventory, targets=targets), kind):
                return found
        return scenes(self.inventory, kind)
