"""Conforming creates are accepted, and the answer tells what was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from atlas_conformance.contracts.body_reading import REFUSED
from atlas_conformance.contracts.exchange import Exchange, Request
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.jobs import created_jobs, read_again, reads_of, until_idle
from atlas_conformance.runner.marks import CREATES, covers, makes_jobs, on
from atlas_conformance.runner.outcomes import Judged
from atlas_conformance.strategies.bodies import Body, base_bodies, conforming_bodies, free_bodies
from atlas_conformance.strategies.requests import build, other_writings, with_header
from atlas_conformance.strategies.scenes import Scene, path_parameters

_Refused: TypeAlias = tuple[Scene, Request]
_CREATION = (
    *("S-ECHO", "S-DELIVERY", "S-NEW"),
    *("T-ECHO", "T-NEW", "T-ONLY-TARGET", "T-ONLY-URL", "T-ONLY-POINT", "T-TIME"),
)


@covers("B-ACCEPT", "C-STATUS", "C-MEDIA", "C-SCHEMA", "S-SAME", *_CREATION)
@on(CREATES)
@makes_jobs
def test_the_plainest_requests_are_accepted(endpoint: Endpoint, operation: Operation) -> None:
    """One request of each deliveryType is answered with a fresh job."""
    for scene in endpoint.scenes_of(operation)[:1]:
        for body in base_bodies(operation, scene):
            _try_again(endpoint, operation, _accept(endpoint, operation, scene, [body]))


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
    refused = []
    for scene in found:
        bodies = list(conforming_bodies(operation, scene))
        refused += _accept(endpoint, operation, scene, bodies)
        if scene is found[0]:
            # The plainest ones come once more, for a server that remembers what it was sent before.
            refused += _accept(endpoint, operation, scene, [*bodies[1:4], *bodies[:1]])
    _try_again(endpoint, operation, refused)


@covers("B-ACCEPT")
@on(CREATES)
def test_every_content_type_and_form_of_the_path_is_accepted(endpoint: Endpoint, operation: Operation) -> None:
    """The operation's versioned media type is as good as JSON, a path without its trailing slash as with it, and the
    same JSON written in another way is the same.
    """
    scene = endpoint.scenes(operation.cluster_kind)[0]
    parameters = path_parameters(operation, scene, "")
    plain = [build(operation, parameters, body.document) for body in base_bodies(operation, scene)]
    requests = [with_header(plain[0], "Content-Type", "application/json; charset=utf-8")]
    if operation.api == "v2" and operation.media_type is not None:
        requests += [with_header(request, "Content-Type", operation.media_type) for request in plain]
    if operation.template.endswith("/"):
        requests += [replace(request, target=request.target.removesuffix("/")) for request in plain]
    requests += [replace(plain[0], body=body) for body in other_writings(plain[0].body or b"{}")]
    _try_again(endpoint, operation, _accept_requests(endpoint, scene, requests))


@covers("C-5XX", "C-STATUS", "E-SCHEMA", "T-ECHO", "T-ONLY-POINT", "T-ONLY-TARGET")
@on(CREATES)
def test_where_an_endpoint_is_free_it_still_answers_in_form(endpoint: Endpoint, operation: Operation) -> None:
    """Requests that may be taken or refused: whatever the answer, it has the form of a success or of an error."""
    scene = endpoint.scenes_of(operation)[0]
    parameters = path_parameters(operation, scene, "")
    free = [build(operation, parameters, body.document) for body in free_bodies(operation, scene)]
    endpoint.verify(endpoint.sample(operation, free))


def _accept(endpoint: Endpoint, operation: Operation, scene: Scene, bodies: Iterable[Body]) -> list[_Refused]:
    """Send conforming creates; return those that a busy target may have refused, which count only when it is idle."""
    parameters = path_parameters(operation, scene, "")
    return _accept_requests(endpoint, scene, [build(operation, parameters, body.document) for body in bodies])


def _accept_requests(endpoint: Endpoint, scene: Scene, requests: list[Request]) -> list[_Refused]:
    refused = []
    # Under a budget each job is read before the next one: no later test may have one to read for the first time.
    for batch in [[request] for request in requests] if endpoint.rationed else [requests]:
        for judged in endpoint.verify(batch):
            if endpoint.rationed:
                _read_at_once(endpoint, judged)
            if judged is not None and judged.status in REFUSED:
                exchange = judged.exchange
                # A 409 may speak of a job that is not ours, too.
                if judged.status == 409 or endpoint.chronicle.busy(exchange.request, exchange.started):
                    refused.append((scene, exchange.request))
    return refused


def _try_again(endpoint: Endpoint, operation: Operation, refused: list[_Refused]) -> None:
    """Send as many of the refused creates as the profile allows once more, spread over all of them."""
    most = endpoint.profile.second_tries
    step = 1 if most is None else max(1, -(-len(refused) // most))
    with endpoint.in_passing():
        for scene, request in refused[::step]:
            if not _try_once_more(endpoint, operation, scene, request):
                break  # what does not become idle once would be waited for in vain each time


def _read_at_once(endpoint: Endpoint, judged: Judged | None) -> None:
    jobs = created_jobs(endpoint, [judged])
    read_again(endpoint, [pair for pair in reads_of(jobs) if endpoint.offers(pair[0].id)])


def _try_once_more(endpoint: Endpoint, operation: Operation, scene: Scene, request: Request) -> bool:
    """Let earlier jobs finish and send the request again; it counts where a plain create is accepted before and
    after it. Return whether the jobs did finish.

    So a target that somebody else keeps busy, or whose jobs cannot be read, never counts as a failure of the endpoint.
    """
    plain = build(operation, path_parameters(operation, scene, ""), base_bodies(operation, scene)[0].document)
    if not until_idle(endpoint):
        return False
    before = endpoint.send(plain)
    if not until_idle(endpoint):
        return False
    again = endpoint.client.attempt_all([request])[0]
    if not isinstance(again, Exchange):
        return True
    accepted = False
    if again.response.status != endpoint.contract.operations[operation.id].success:
        # Only a refusal needs a plain create after it; a job made by this request would hold the target against that.
        after = endpoint.send(plain)
        accepted = all(judged is not None and judged.status == 200 for judged in (before, after))
    endpoint.require([endpoint.record(again, free_target=accepted)])
    return True
