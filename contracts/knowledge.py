"""What the judge may take as known about the endpoint that an exchange was had with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from atlas_conformance.contracts.inventory import Cluster, Inventory, RestoreTarget
from atlas_conformance.contracts.naming import kind_of, unknown


@dataclass(frozen=True)
class Knowledge:
    """What is known of one endpoint.

    `inventory`: what exists behind it. `offered`: the ids of the operations that it offers, None for all of the
    contract; exchanges of others are not judged. `digest`: whether HTTP Digest is offered, so that a 401 owes a
    challenge. `latest_date`: the newest version date (ISO) that a client may ask for today; later ones are in the
    future, where no rule says what happens. `credentials`: whether the client has any; without any, no rule says who
    may come in.
    """

    inventory: Inventory = field(default_factory=Inventory)
    offered: frozenset[str] | None = None
    digest: bool = False
    latest_date: str = "2026-11-01"
    credentials: bool = True

    def offers(self, operation: str) -> bool:
        """Whether the endpoint offers an operation, given by its id."""
        return self.offered is None or operation in self.offered

    def projects(self) -> frozenset[str]:
        """The ids of all projects known to exist."""
        return frozenset(c.project for c in self.inventory.clusters)

    def cluster(self, project: str, name: str) -> Cluster | None:
        """The cluster known to exist under this project and name, or None."""
        return next((c for c in self.inventory.clusters if c.project == project and c.name == name), None)

    def owner_of_snapshot(self, snapshot: str) -> Cluster | None:
        """The cluster that a known snapshot belongs to, or None."""
        return next((c for c in self.inventory.clusters if snapshot in c.snapshots), None)

    def target(self, project: str, name: str) -> RestoreTarget | None:
        """The restore target known to exist under this project and name, or None."""
        return next((t for t in self.inventory.targets if t.project == project and t.name == name), None)


def check_offered(offered: Collection[str] | None, operations: Collection[str]) -> None:
    """Raise TypeError or ValueError where what is offered is no set of ids of the contract's `operations`."""
    if offered is None:
        return
    if isinstance(offered, str) or not isinstance(offered, Collection):
        raise TypeError(f"Knowledge.offered is a frozenset of the ids of operations, not {kind_of(offered)}")
    for name in offered:
        if not isinstance(name, str) or name not in operations:
            raise ValueError(f"Knowledge.offered: {unknown('operation', name, operations)}")
