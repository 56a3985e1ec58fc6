"""Schemathesis' coverage and fuzzing phases over the OpenAPI description, judged like everything else."""

from __future__ import annotations

from atlas_conformance.contracts.operation import Operation
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.expectations import expect_in_form
from atlas_conformance.runner.exploring import explore
from atlas_conformance.runner.jobs import some_job
from atlas_conformance.runner.marks import EVERY, covers, fuzzes, on, takes_long
from atlas_conformance.strategies.scenes import path_parameters


@covers("C-STATUS", "C-5XX", "C-MEDIA", "C-SCHEMA", "E-SCHEMA", "E-STATUS", "E-REASON", "E-CODE", "E-FIELDS")
@on(EVERY)
@takes_long
@fuzzes
def test_every_coverage_case_is_answered_as_it_deserves(endpoint: Endpoint, operation: Operation) -> None:
    """Each boundary and each broken keyword of the description, then what fuzzing draws from it."""
    if not endpoint.profile.fuzz_examples:
        return
    from atlas_conformance.strategies.fuzzed import (  # a second's import that a quick run is spared
        coverage_requests,
        fuzzed_requests,
    )

    scene = endpoint.scenes_of(operation)[0]
    job = some_job(endpoint, operation, scene) if operation.kind == "get" else None
    known = path_parameters(operation, scene, job or endpoint.absent_item(operation))
    expect_in_form(endpoint, endpoint.send_all(coverage_requests(operation, known)))
    drawn = fuzzed_requests(operation, known).map(lambda request: [request])
    explore(endpoint, drawn, lambda answers: expect_in_form(endpoint, answers), endpoint.profile.fuzz_examples)
