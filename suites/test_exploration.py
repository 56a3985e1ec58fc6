"""Properties explored around the constructed cases: whatever is drawn, the judge reads the request and holds the
answer to it.
"""

from __future__ import annotations

from atlas_conformance.contracts.operation import Operation
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.expectations import expect_in_form
from atlas_conformance.runner.exploring import explore
from atlas_conformance.runner.jobs import some_job
from atlas_conformance.runner.marks import CREATES, EVERY, covers, on
from atlas_conformance.strategies.drawn import batches, creates, paths


@covers("B-REQUIRED", "B-TYPE", "B-PATTERN", "B-RANGE", "T-ENUM", "T-TARGET", "T-SNAPSHOT", "T-POINT", "C-5XX")
@on(CREATES)
def test_any_body_is_answered_as_it_deserves(endpoint: Endpoint, operation: Operation) -> None:
    """Bodies near the contract's boundaries, in combinations that nobody wrote down."""
    scene = endpoint.scenes_of(operation)[0]
    drawn = batches(creates(operation, scene), endpoint.profile.batch)
    explore(endpoint, drawn, lambda answers: expect_in_form(endpoint, answers))


@covers("P-GROUP", "P-NAME", "P-JOB", "P-SNAPSHOT", "C-5XX")
@on(EVERY)
def test_any_path_is_answered_as_it_deserves(endpoint: Endpoint, operation: Operation) -> None:
    """Path parameters near their patterns."""
    scene = endpoint.scenes_of(operation)[0]
    job = some_job(endpoint, operation, scene) if operation.kind == "get" else None
    # Half of what bodies get: the cases of `test_paths` leave less to be explored.
    size, examples = max(1, endpoint.profile.batch // 2), max(1, endpoint.profile.examples // 2)
    drawn = batches(paths(operation, scene, job or endpoint.absent_item(operation)), size)
    explore(endpoint, drawn, lambda answers: expect_in_form(endpoint, answers), examples)
