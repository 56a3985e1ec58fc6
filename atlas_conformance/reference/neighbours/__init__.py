"""What clients look up around a restore: organizations, projects, clusters, snapshots, and v1.0's list of restore jobs.

None of it belongs to an operation of the contract, and no requirement speaks of it. It is read-only but for v1.0's
cancel, and has the forms that the vendor's description gives it, as far as clients read them. An operation that the
contract has wins over a neighbour of the same path.
"""

from __future__ import annotations

from atlas_conformance.reference.neighbours.routing import neighbour_answer

__all__ = ["neighbour_answer"]
