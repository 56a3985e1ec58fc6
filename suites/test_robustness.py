"""No input earns a 5xx: odd bodies, headers, pages and methods."""

from __future__ import annotations

from atlas_conformance.contracts.operation import METHODS, Operation
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.expectations import expect_in_form
from atlas_conformance.runner.jobs import job_for
from atlas_conformance.runner.marks import CREATES, EVERY, LISTS, covers, on
from atlas_conformance.strategies.malformed import hurtful_bodies, large_pages, odd_headers, odd_pages, other_methods
from atlas_conformance.strategies.paths import undecodable_paths
from atlas_conformance.strategies.scenes import request_in
from atlas_conformance.suites.test_representation import absent_read, ordinary


@covers("C-5XX", "E-SCHEMA")
@on(CREATES)
def test_no_body_earns_a_5xx(endpoint: Endpoint, operation: Operation) -> None:
    """Deep nesting, a megabyte, huge numbers, lone surrogates, other encodings."""
    good = ordinary(endpoint, operation)
    assert good is not None
    cases = list(hurtful_bodies(good))[: endpoint.profile.odd_inputs]
    answers = endpoint.send_sample(operation, cases)
    expect_in_form(endpoint, answers)


@covers("C-5XX", "C-STATUS")
@on(EVERY)
def test_no_header_earns_a_5xx(endpoint: Endpoint, operation: Operation) -> None:
    """Content types that no rule settles, and headers that nobody asked for."""
    good = ordinary(endpoint, operation) or absent_read(endpoint, operation)
    cases = list(odd_headers(good))[: endpoint.profile.odd_inputs]
    answers = endpoint.send_sample(operation, cases)
    expect_in_form(endpoint, answers)


@covers("C-5XX", "L-PAGE")
@on(LISTS)
def test_no_page_earns_a_5xx(endpoint: Endpoint, operation: Operation) -> None:
    """Page numbers and sizes that are out of range, no numbers, or far beyond the last page."""
    scene = endpoint.scenes_of(operation)[0]
    cases = list(odd_pages(request_in(operation, scene)))
    step = 1 if endpoint.profile.odd_inputs is None else 2
    answers = endpoint.send_sample(operation, cases[::step])
    expect_in_form(endpoint, answers)
    far = large_pages(request_in(operation, scene))
    answers = endpoint.send_sample(operation, far)
    expect_in_form(endpoint, answers)


@covers("C-STATUS", "C-MEDIA", "E-SCHEMA", "C-5XX", "C-ALLOW")
@on(EVERY)
def test_a_method_that_is_not_there_is_refused_in_form(endpoint: Endpoint, operation: Operation) -> None:
    """404 or 405 with an error body."""
    good = absent_read(endpoint, operation)
    taken = frozenset(found.method for found, _ in endpoint.contract.operations_at(good.path)) | _unclaimed(
        endpoint, good.path
    )
    answers = endpoint.send_sample(operation, other_methods(good, taken))
    expect_in_form(endpoint, answers)


def _unclaimed(endpoint: Endpoint, path: str) -> frozenset[str]:
    """The methods on this path whose answers are not judged: not offered, or outside the contract."""
    outside = frozenset(method for method in map(str.upper, METHODS) if endpoint.contract.is_outside(method, path))
    found = [operation for operation, _ in endpoint.contract.operations_at(path)]
    return outside | {o.method for o in found if o.id in endpoint.contract.operations and not endpoint.offers(o.id)}


@covers("C-5XX", "P-GROUP", "P-NAME", "P-JOB", "P-SNAPSHOT")
@on(EVERY)
def test_no_path_earns_a_5xx(endpoint: Endpoint, operation: Operation) -> None:
    """Percent-encoded bytes that are no UTF-8; after all else, as there are servers that do not survive them."""
    scene = endpoint.scenes_of(operation)[0]
    job = job_for(endpoint, operation, scene) or endpoint.absent_item(operation)
    answers = endpoint.send_sample(operation, undecodable_paths(operation, scene, job))
    expect_in_form(endpoint, answers)
