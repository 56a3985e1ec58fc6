"""Who may come in: no credentials, wrong ones, both schemes, lesser roles, addresses off the access list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from atlas_conformance.contracts.exchange import Credential, Request, Scheme
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.verdicts import Verdicts
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.expectations import expect_conforming, expect_in_form, expect_refused
from atlas_conformance.runner.jobs import job_for
from atlas_conformance.runner.marks import EVERY, covers, on
from atlas_conformance.runner.nothing_created import send_watched
from atlas_conformance.runner.outcomes import Judged, NoAnswer
from atlas_conformance.strategies.paths import malformed_paths
from atlas_conformance.strategies.requests import Case, with_header, with_query
from atlas_conformance.strategies.scenes import request_in
from atlas_conformance.suites.test_representation import absent_read, ordinary, refused


@covers("A-NONE", "A-WRONG")
@on(EVERY)
def test_nobody_comes_in_without_valid_credentials(endpoint: Endpoint, operation: Operation) -> None:
    """Requests that would succeed, without credentials and with wrong ones by each scheme."""
    if _has_no_credentials(endpoint, operation, "A-NONE", "A-WRONG"):
        return
    good = _wanted(endpoint, operation)
    if operation.kind in ("get", "list"):
        # What was shown to one who may see it must not be shown to all.
        expect_in_form(endpoint, endpoint.send(good))
    cases = [Case(replace(good, credential="none"), "A-NONE", "no credentials")]
    for scheme in _schemes(endpoint):
        cases.append(Case(replace(good, credential="wrong", scheme=scheme), "A-WRONG", f"wrong {scheme} credentials"))
        for credential in _NEARLY_RIGHT[scheme]:
            nearly = replace(good, credential=credential, scheme=scheme)
            cases.append(Case(nearly, "A-WRONG", f"the owner's {scheme} credentials, but for {credential}"))
    for value in ("Bearer", "Basic YTpi", "Negotiate x", "Digest", "Bearer x.y.z")[: endpoint.profile.odd_credentials]:
        odd = with_header(replace(good, credential="none"), "Authorization", value)
        cases.append(Case(odd, "A-NONE", f"Authorization: {value}"))
    if operation.kind == "create":
        answers = send_watched(endpoint, operation, endpoint.scenes_of(operation)[0], cases)
    else:
        answers = endpoint.send_sample(operation, cases)
    answers += _answer_a_known_nonce(endpoint, operation, good)
    expect_refused(endpoint, answers, by=("A-NONE", "A-WRONG"))


_NEARLY_RIGHT: Mapping[Scheme, tuple[Credential, ...]] = {
    "digest": ("wrong-secret", "basic"),
    "bearer": ("wrong-secret", "cut-token", "changed-token", "recased-token"),
}


def _answer_a_known_nonce(endpoint: Endpoint, operation: Operation, good: Request) -> list[Judged | None]:
    """Be let in by digest once, then answer the same nonce wrongly; one at a time, as each thread has its nonce."""
    if "digest" not in _schemes(endpoint):
        return []
    # What lets the owner in is refused for another reason, or changes nothing.
    expect_in_form(endpoint, endpoint.send(replace(refused(endpoint, operation)[0], scheme="digest")))
    return [endpoint.send(replace(good, credential="known-nonce", scheme="digest"))]


@covers("A-BEFORE")
@on(EVERY)
def test_nothing_about_a_request_is_told_without_credentials(endpoint: Endpoint, operation: Operation) -> None:
    """Malformed and absent things earn 401, as anything does without credentials."""
    if _has_no_credentials(endpoint, operation, "A-BEFORE"):
        return
    scene = endpoint.scenes_of(operation)[0]
    bad = refused(endpoint, operation)
    bad += [case.request for case in malformed_paths(operation, scene, endpoint.absent_item(operation), 1)]
    plain = absent_read(endpoint, operation)
    bad.append(with_header(plain, "Accept", "text/html"))
    bad.append(with_query(plain, "envelope=maybe"))
    if operation.kind == "create":
        bad.append(replace(plain, body=b"{"))
        bad.append(with_header(plain, "Content-Type", "text/plain"))
    answers = endpoint.send_sample(operation, [replace(request, credential="none") for request in bad])
    expect_refused(endpoint, answers, by=("A-BEFORE", "A-NONE"))


@covers("A-DIGEST", "A-BEARER", "A-WRONG")
@pytest.mark.parametrize("scheme", ["digest", "bearer"])
@on(EVERY)
def test_each_scheme_works(endpoint: Endpoint, operation: Operation, scheme: Scheme) -> None:
    """The same requests by HTTP Digest and with a bearer token: read twice, so that a nonce or token is used again."""
    requirement = "A-DIGEST" if scheme == "digest" else "A-BEARER"
    if not endpoint.client.offers("owner", scheme):
        kind = "API key" if scheme == "digest" else "service account or token"
        endpoint.not_exercised(requirement, operation.id, f"the target names no {kind}")
        return
    good = ordinary(endpoint, operation) or absent_read(endpoint, operation)
    times = 1 if operation.kind == "create" else 3
    requests = [replace(good, scheme=scheme)] * times
    requests += [with_query(replace(good, scheme=scheme), "pretty=true&envelope=false")]
    requests += [replace(bad, scheme=scheme) for bad in endpoint.sample(operation, refused(endpoint, operation))]
    if scheme == "bearer":
        _expect_sound_tokens(endpoint, good, operation)
    answers = endpoint.send_all(requests)
    expect_conforming(endpoint, answers, to=requirement)


def _expect_sound_tokens(endpoint: Endpoint, good: Request, operation: Operation) -> None:
    """Judge the token endpoint's answers; what is wrong with them is shown on a request without credentials.

    The first operation that is offered finds out, besides, whether others than the client get a token.
    """
    verdicts = Verdicts(operation.id)
    try:
        attempt = endpoint.client.tokens.fetch()
        if attempt is None:
            return
        endpoint.judge.judge_token(attempt, verdicts)
        if operation is next(o for o in endpoint.contract.operations.values() if endpoint.offers(o.id)):
            for what, answered in endpoint.client.tokens.ask_in_vain():
                endpoint.judge.judge_refused_token(answered, what, verdicts)
    except NoAnswer:
        return  # the requests that need the token say so
    findings = verdicts.judgement().findings
    if findings:
        judged = endpoint.send(replace(good, credential="none"))
        if judged is not None:
            endpoint.report(judged, *findings)


@covers("A-ROLE")
@on(tuple(operation for operation in EVERY if operation.kind not in ("get", "list")))
def test_a_lesser_role_may_not_write(endpoint: Endpoint, operation: Operation) -> None:
    """A conforming create, a cancel of a job under way, and a delete, by somebody who is no Project Owner."""
    answers = _send_as(endpoint, operation, "reader", "A-ROLE")
    expect_refused(endpoint, answers, by="A-ROLE")


@covers("A-LIST")
@on(EVERY)
def test_an_address_off_the_access_list_may_do_nothing(endpoint: Endpoint, operation: Operation) -> None:
    """A request with valid credentials from an address that is not on the API access list."""
    answers = _send_as(endpoint, operation, "off-list", "A-LIST")
    expect_refused(endpoint, answers, by="A-LIST")


def _send_as(endpoint: Endpoint, operation: Operation, credential: Credential, requirement: str) -> list[Judged | None]:
    """Send what should succeed, but for who sends it, by each scheme; nothing where the target names nobody such."""
    if not endpoint.client.offers(credential):
        whom = "of a lesser role" if credential == "reader" else "off the access list"
        endpoint.not_exercised(requirement, operation.id, f"the target names no credential {whom}")
        return []
    good = _wanted(endpoint, operation)
    cases = [
        Case(replace(good, credential=credential, scheme=scheme), requirement, f"{credential} by {scheme}")
        for scheme in _schemes_of(endpoint, credential)
    ]
    if operation.kind == "create":
        return send_watched(endpoint, operation, endpoint.scenes_of(operation)[0], cases)
    return endpoint.send_all(case.request for case in cases)


def _wanted(endpoint: Endpoint, operation: Operation) -> Request:
    """A request that should succeed, but for who sends it; a cancel names a fresh job, where one can be made."""
    scene = endpoint.scenes_of(operation)[0]
    job = job_for(endpoint, operation, scene) if operation.kind in ("cancel", "delete") else None
    if job is not None:
        return request_in(operation, scene, job)
    return ordinary(endpoint, operation) or absent_read(endpoint, operation)


def _has_no_credentials(endpoint: Endpoint, operation: Operation, *requirements: str) -> bool:
    if endpoint.client.target.credentials.get("owner") is not None:
        return False
    for requirement in requirements:
        endpoint.not_exercised(requirement, operation.id, "the target names no credentials")
    return True


def _schemes(endpoint: Endpoint) -> Iterator[Scheme]:
    return _schemes_of(endpoint, "owner")


def _schemes_of(endpoint: Endpoint, credential: Credential) -> Iterator[Scheme]:
    schemes: tuple[Scheme, ...] = ("digest", "bearer")
    return (scheme for scheme in schemes if endpoint.client.offers(credential, scheme))


@covers("A-RATE", "A-RETRY")
def test_rate_limit_headers_are_in_form(endpoint: Endpoint) -> None:
    """A plain read; what is said of rates there, and on every other answer of the run, is judged wherever it is
    sent.
    """
    if endpoint.offers("flex-get"):
        answer = endpoint.send(absent_read(endpoint, endpoint.contract.operations["flex-get"]))
        expect_conforming(endpoint, answer, to="A-RATE")
