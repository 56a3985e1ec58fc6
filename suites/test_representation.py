"""The same answer in other forms: envelope, pretty, and versions of the resource."""

from __future__ import annotations

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.expectations import (
    expect_conforming,
    expect_in_form,
    expect_same,
    expect_same_error,
)
from atlas_conformance.runner.jobs import finished_job, some_job
from atlas_conformance.runner.marks import EVERY, V2, covers, on
from atlas_conformance.strategies.bodies import base_bodies
from atlas_conformance.strategies.malformed import odd_queries
from atlas_conformance.strategies.representations import (
    FORMS_OF_ERRORS,
    in_every_form,
    later_versions,
    unsettled_accepts,
)
from atlas_conformance.strategies.requests import build, short_page
from atlas_conformance.strategies.scenes import Scene, path_parameters, request_in


@covers("V-ENVELOPE", "V-PRETTY", "C-SCHEMA")
@on(tuple(operation for operation in EVERY if operation.media_type is not None))
def test_envelope_and_pretty_change_the_form_alone(endpoint: Endpoint, operation: Operation) -> None:
    """Each combination on a success; the body inside is judged as always."""
    request = ordinary(endpoint, operation)
    if request is None:
        reason = "there is no job to read, and none may be created"
        endpoint.not_exercised("V-ENVELOPE", operation.id, reason)
        endpoint.not_exercised("V-PRETTY", operation.id, reason)
        return
    if operation.kind == "get":
        # One that is still under way may change between two forms.
        finished_job(endpoint, operation, endpoint.scenes_of(operation)[0])
    # The plain answer comes before the others are asked for: what it shows finished is finished in all of them.
    plain = endpoint.send(request)
    for case in endpoint.sample(operation, in_every_form(request)):
        # Compared one at a time, so that in the journal each finding follows its own exchange.
        formed = endpoint.send(case.request)
        expect_same(endpoint, operation, plain, formed)


@covers("V-ENVELOPE", "V-PRETTY", "C-MEDIA", "E-STATUS", "E-SCHEMA", "E-CODE", "E-REASON", "E-FIELDS")
@on(EVERY)
def test_an_error_in_every_form_is_an_error(endpoint: Endpoint, operation: Operation) -> None:
    """Under an envelope an error may be wrapped or not; its status, and what it says, are the same in every form."""
    for bad in endpoint.sample(operation, refused(endpoint, operation)):
        formed = [case.request for case in in_every_form(bad, FORMS_OF_ERRORS)]
        answers = endpoint.send_all([bad, *formed])
        expect_same_error(endpoint, operation, answers)


@covers("V-FLOOR", "C-MEDIA")
@on(V2)
def test_a_later_version_is_answered_with_the_newest_there_is(endpoint: Endpoint, operation: Operation) -> None:
    """Accept headers with dates after the resource's version."""
    request = ordinary(endpoint, operation)
    if request is None:
        endpoint.not_exercised("V-FLOOR", operation.id, "there is no job to read, and none may be created")
        return
    every = later_versions(operation, request, endpoint.knowledge.latest_date)
    answers = endpoint.send_sample(operation, every)
    expect_conforming(endpoint, answers, to=("V-FLOOR", "C-MEDIA"))


@covers("V-QUERY", "C-5XX")
@on(EVERY)
def test_a_flag_that_is_no_boolean_never_earns_a_5xx(endpoint: Endpoint, operation: Operation) -> None:
    """Words, numbers, nothing, broken escapes and repetitions as `envelope` and `pretty`; odd queries besides."""
    request = ordinary(endpoint, operation) or absent_read(endpoint, operation)
    if operation.kind == "create" and endpoint.rationed:
        request = refused(endpoint, operation)[-1]  # one that costs no job
    every = list(odd_queries(request))
    step = 1 if endpoint.profile.odd_inputs is None else 2
    answers = endpoint.send_sample(operation, every[::step])
    expect_in_form(endpoint, answers)


@covers("C-5XX", "C-STATUS", "C-MEDIA", "V-SUNSET")
@on(EVERY)
def test_whatever_is_asked_for_the_answer_is_in_form(endpoint: Endpoint, operation: Operation) -> None:
    """Accept headers for which any version conforms, or 406."""
    request = ordinary(endpoint, operation) or absent_read(endpoint, operation)
    every = list(unsettled_accepts(request))
    answers = endpoint.send_sample(operation, every[: endpoint.profile.odd_inputs])
    expect_in_form(endpoint, answers)


def ordinary(endpoint: Endpoint, operation: Operation) -> Request | None:
    """A request of the operation that should succeed; None where there is no job to read. A cancel names an absent
    job.
    """
    scene = endpoint.scenes_of(operation)[0]
    if operation.kind == "create":
        return request_in(operation, scene, document=_plain(operation, scene))
    if operation.kind == "list":
        return short_page(request_in(operation, scene), operation)
    if operation.kind in ("cancel", "delete"):
        return absent_read(endpoint, operation)
    job = some_job(endpoint, operation, scene)
    return request_in(operation, scene, job) if job is not None else None


def absent_read(endpoint: Endpoint, operation: Operation) -> Request:
    """A request of the operation for a job that does not exist."""
    scene = endpoint.scenes_of(operation)[0]
    document = _plain(operation, scene) if operation.kind == "create" else None
    return request_in(operation, scene, endpoint.absent_item(operation), document)


def refused(endpoint: Endpoint, operation: Operation) -> list[Request]:
    """Requests of the operation that must be refused, by different rules: one by its path, one by its body or its
    job.
    """
    scene = endpoint.scenes_of(operation)[0]
    parameters = path_parameters(operation, scene, endpoint.absent_item(operation))
    document = _plain(operation, scene) if operation.kind == "create" else None
    bad = [build(operation, parameters | {"groupId": scene.project[:-1] + "G"}, document)]
    if operation.kind == "create":
        bad.append(build(operation, parameters, {}))
    elif operation.kind != "list":
        bad.append(build(operation, parameters))
    absent = endpoint.knowledge.inventory.absent
    if absent is not None:
        bad.append(build(operation, parameters | {"groupId": absent.project}, document))
    return bad


def _plain(operation: Operation, scene: Scene) -> object:
    return base_bodies(Contract.load().operations[operation.id], scene)[0].document
