"""Conforming creates are accepted, and the answer tells what was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from atlas_conformance.contracts.body_reading import REFUSED
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.expectations import expect_accepted, expect_in_form
from atlas_conformance.runner.jobs import created_jobs, read_again, reads_of, until_idle
from atlas_conformance.runner.marks import CREATES, covers, makes_jobs, on
from atlas_conformance.runner.outcomes import Judged
from atlas_conformance.strategies.bodies import Body, base_bodies, conforming_bodies, free_bodies
from atlas_conformance.strategies.requests import other_writings, with_header
from atlas_conformance.strategies.scenes import Scene, request_in

_CREATION = (
    *("S-ECHO", "S-DELIVERY", "S-NEW"),
    *("T-ECHO", "T-NEW", "T-ONLY-TARGET", "T-ONLY-URL", "T-ONLY-POINT", "T-TIME"),
)
_CREATED = (*_CREATION, "SNAP-NEW")


@covers("B-ACCEPT", "C-STATUS", "C-MEDIA", "C-SCHEMA", "S-SAME", *_CREATION)
@on(CREATES)
@makes_jobs
def test_the_plainest_requests_are_accepted(endpoint: Endpoint, operation: Operation) -> None:
    """One request of each deliveryType is answered with a fresh job."""
    scene = endpoint.scenes_of(operation)[0]
    for body in base_bodies(operation, scene):
        answers = _create(endpoint, operation, [(scene, _requests(operation, scene, [body]))])
        expect_accepted(endpoint, answers, showing=_CREATED)


@covers("B-ACCEPT", "B-PATTERN", "C-SCHEMA", *_CREATION)
@on(CREATES)
def test_every_snapshot_and_target_is_accepted(endpoint: Endpoint, operation: Operation) -> None:
    """Every snapshot of every known cluster, and every restore target, whatever script its name is in."""
    found = endpoint.scenes_of(operation)
    if not found[0].real:
        mode, reason = endpoint.client.guard.mode, "the target names no snapshot and restore target of this kind"
        reason = reason if mode == "restore" else f"the mode is {mode}, which sends no create that may be accepted"
        endpoint.not_exercised("B-ACCEPT", operation.id, reason)
    if endpoint.profile.name == "quick":
        found = found[:1] + tuple(scene for scene in found[1:] if scene.sharded)
    batches = [(scene, _requests(operation, scene, conforming_bodies(operation, scene))) for scene in found]
    # The plainest ones come once more, for a server that remembers what it was sent before.
    scene, requests = batches[0]
    batches.insert(1, (scene, [*requests[1:4], *requests[:1]]))
    answers = _create(endpoint, operation, batches)
    expect_accepted(endpoint, answers, showing=_CREATED)


@covers("B-ACCEPT")
@on(CREATES)
def test_every_content_type_and_form_of_the_path_is_accepted(endpoint: Endpoint, operation: Operation) -> None:
    """The operation's versioned media type is as good as JSON, a path without its trailing slash as with it, and the
    same JSON written in another way is the same.
    """
    scene = endpoint.scenes(operation.cluster_kind)[0]
    plain = _requests(operation, scene, base_bodies(operation, scene))
    requests = [with_header(plain[0], "Content-Type", "application/json; charset=utf-8")]
    if operation.api == "v2" and operation.media_type is not None:
        requests += [with_header(request, "Content-Type", operation.media_type) for request in plain]
    if operation.template.endswith("/"):
        requests += [replace(request, target=request.target.removesuffix("/")) for request in plain]
    requests += [replace(plain[0], body=body) for body in other_writings(plain[0].body or b"{}")]
    answers = _create(endpoint, operation, [(scene, requests)])
    expect_accepted(endpoint, answers)


@covers("C-5XX", "C-STATUS", "E-SCHEMA", "T-ECHO", "T-ONLY-POINT", "T-ONLY-TARGET")
@on(CREATES)
def test_where_an_endpoint_is_free_it_still_answers_in_form(endpoint: Endpoint, operation: Operation) -> None:
    """Requests that may be taken or refused: whatever the answer, it has the form of a success or of an error."""
    scene = endpoint.scenes_of(operation)[0]
    answers = endpoint.send_sample(operation, _requests(operation, scene, free_bodies(operation, scene)))
    expect_in_form(endpoint, answers)


def _requests(operation: Operation, scene: Scene, bodies: Iterable[Body]) -> list[Request]:
    return [request_in(operation, scene, document=body.document) for body in bodies]


def _create(
    endpoint: Endpoint, operation: Operation, batches: Iterable[tuple[Scene, list[Request]]]
) -> list[Judged | None]:
    """Send conforming creates, each batch in its scene, then those once more that a busy target may have refused."""
    answers: list[Judged | None] = []
    refused = []
    for scene, requests in batches:
        # Under a budget each job is read before the next one: no later test may have one to read for the first time.
        for batch in [[request] for request in requests] if endpoint.rationed else [requests]:
            sent = endpoint.send_all(batch)
            for judged in sent:
                if endpoint.rationed:
                    _read_at_once(endpoint, judged)
                if judged is not None and _may_be_busy(endpoint, judged):
                    refused.append((scene, judged.exchange.request))
            answers += sent
    return answers + _try_again(endpoint, operation, refused)


def _may_be_busy(endpoint: Endpoint, judged: Judged) -> bool:
    """Whether a busy target may be why a create was refused; a 409 may speak of a job that is not ours, too."""
    exchange = judged.exchange
    return judged.status in REFUSED and (
        judged.status == 409 or endpoint.chronicle.busy(exchange.request, exchange.started)
    )


def _read_at_once(endpoint: Endpoint, judged: Judged | None) -> None:
    endpoint.require(read_again(endpoint, reads_of(created_jobs(endpoint, [judged]))))


def _try_again(endpoint: Endpoint, operation: Operation, refused: list[tuple[Scene, Request]]) -> list[Judged | None]:
    """Send as many refused creates as the profile allows, spread over all of them, when earlier jobs are done."""
    most = endpoint.profile.second_tries
    step = 1 if most is None else max(1, -(-len(refused) // most))
    answers = []
    with endpoint.in_passing():
        for scene, request in refused[::step]:
            plain = _requests(operation, scene, base_bodies(operation, scene)[:1])[0]
            if not until_idle(endpoint):
                break  # what does not become idle once would be waited for in vain each time
            before = endpoint.send(plain)
            if not until_idle(endpoint):
                break
            answers.append(_try_once_more(endpoint, operation, request, plain, before))
    return answers


def _try_once_more(
    endpoint: Endpoint, operation: Operation, request: Request, plain: Request, before: Judged | None
) -> Judged | None:
    """Send a refused create; it counts where a plain create is accepted before and after it.

    So a target that somebody else keeps busy, or whose jobs cannot be read, never counts as a failure of the endpoint.
    """
    again = endpoint.client.attempt_all([request])[0]
    if not isinstance(again, Exchange):
        return None
    accepted = False
    if again.response.status != endpoint.contract.operations[operation.id].success:
        # Only a refusal needs a plain create after it; a job made by this request would hold the target against that.
        after = endpoint.send(plain)
        accepted = all(judged is not None and judged.status == 200 for judged in (before, after))
    return endpoint.record(again, free_target=accepted)
