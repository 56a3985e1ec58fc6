"""Faults in who may do what (`A-*`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.fault import TOKEN, Class, Fault
from atlas_conformance.reference.fault_parts import ALL, CREATES, is_there, resource_of, sound
from atlas_conformance.reference.messages import Answer, Call, Refusal
from atlas_conformance.reference.resources import new_job
from atlas_conformance.reference.steps import Step


def _fault(operation: str, what: str, requirement: str, sentence: str, kind: Class, **hooks: Any) -> Fault:
    return Fault(f"{operation}/{what}", requirement, (operation,), sentence, kind, **hooks)


def _open(operation: str, *, only_without: bool) -> Any:
    """Credentials that are missing (or wrong) are taken for an owner's."""
    check = sound(operation, "A-NONE")

    def lenient(backend: Backend, call: Call) -> None:
        try:
            check(backend, call)
        except Refusal:
            if (b"authorization" not in call.headers) != only_without:
                raise
            call.role = "owner"

    return lenient


def _last(*names: str) -> Any:
    """Steps are moved behind all others."""

    def arrange(steps: tuple[Step, ...]) -> tuple[Step, ...]:
        moved = tuple(step for step in steps if step.name in names)
        return tuple(step for step in steps if step.name not in names) + moved

    return arrange


def _without_challenge(backend: Backend, call: Call, refusal: Refusal) -> Refusal:
    return Refusal(401, refusal.code, refusal.detail) if refusal.status == 401 else refusal


def _forbidden(backend: Backend, call: Call, refusal: Refusal) -> Refusal:
    return Refusal(403, refusal.code, refusal.detail, headers=refusal.headers) if refusal.status == 401 else refusal


def _creating_for_readers(backend: Backend, call: Call, refusal: Refusal) -> Refusal:
    """403 is answered after the job was made."""
    snapshot = next(iter(backend.fixtures.snapshots))
    if refusal.status == 403 and call.role == "reader":
        call.fields = {"snapshotId": snapshot, "targetDeploymentItemName": "z", "deliveryType": "download"}
        backend.jobs.add(new_job(backend, call))
    return refusal


def _operations() -> Iterator[Fault]:
    for operation in ALL:
        yield _fault(
            operation,
            "no-credentials",
            "A-NONE",
            "No credentials are needed.",
            "negative",
            replace={"A-NONE": _open(operation, only_without=True)},
        )
        yield _fault(
            operation,
            "any-credentials",
            "A-WRONG",
            "Any credentials are taken.",
            "negative",
            replace={"A-NONE": _open(operation, only_without=False)},
        )
        yield _fault(
            operation, "no-challenge", "A-NONE", "A 401 carries no challenge.", "negative", refused=_without_challenge
        )
        yield _fault(
            operation, "403-without", "A-NONE", "Without credentials the answer is 403.", "negative", refused=_forbidden
        )
        yield _fault(
            operation,
            "late",
            "A-BEFORE",
            "Credentials are looked at last.",
            "subtle",
            arrange=_last("A-NONE", "A-LIST"),
        )
        yield _fault(
            operation,
            "any-address",
            "A-LIST",
            "An address off the access list is let through.",
            "negative",
            skip=frozenset({"A-LIST"}),
        )
    for operation in CREATES:
        yield _fault(
            operation, "readers-create", "A-ROLE", "A reader may create a job.", "negative", skip=frozenset({"A-ROLE"})
        )
        if is_there("list", resource_of(operation)):  # where it can be seen
            yield _fault(
                operation,
                "refused-readers-create",
                "A-ROLE",
                "A reader's create is refused after the job was made.",
                "stateful",
                refused=_creating_for_readers,
            )


def _token_change(**changed: Any) -> Any:
    def answer(backend: Backend, call: Call, answer: Answer) -> Answer:
        return replace(answer, document=answer.document | changed) if answer.status == 200 else answer

    return answer


def _limited(backend: Backend, call: Call) -> None:
    raise Refusal(429, "RATE_LIMITED", "Too many requests.")


def _fifth_limited(backend: Backend, call: Call) -> None:
    """One request in five is limited, without a word about when to come again."""
    backend.notes["calls"] = backend.notes.get("calls", 0) + 1
    if backend.notes["calls"] % 5 == 0:
        _limited(backend, call)


def _negative_remaining(backend: Backend, call: Call, answer: Answer) -> Answer:
    return replace(answer, headers=[*answer.headers, ("RateLimit-Limit", "1200"), ("RateLimit-Remaining", "-1")])


def _everywhere() -> Iterator[Fault]:
    reads = tuple(operation for operation in ALL if Contract.load().operations[operation].kind in {"get", "list"})
    yield Fault(
        "digest/any-response",
        "A-WRONG",
        ALL,
        "A digest's response is not checked.",
        "negative",
        credentials=frozenset({"A-DIGEST/response"}),
    )
    yield Fault(
        "digest/broken", "A-DIGEST", ALL, "No digest is right.", "shape", replace={"A-NONE": _no_scheme("digest")}
    )
    yield Fault(
        "bearer/broken", "A-BEARER", ALL, "No token is right.", "shape", replace={"A-NONE": _no_scheme("bearer")}
    )
    yield Fault(
        "bearer/any-token",
        "A-WRONG",
        ALL,
        "Every token is right.",
        "negative",
        credentials=frozenset({"A-BEARER/known"}),
    )
    yield Fault(
        "token/short-lived",
        "A-BEARER",
        (TOKEN,),
        "A token is said to be valid for 60 s.",
        "shape",
        answer=_token_change(expires_in=60),
    )
    yield Fault(
        "token/no-lifetime",
        "A-BEARER",
        (TOKEN,),
        "A token's lifetime is a string.",
        "shape",
        answer=_token_change(expires_in="3600"),
    )
    yield Fault(
        "rate/no-retry-after",
        "A-RETRY",
        reads,
        "A 429 carries no Retry-After.",
        "stateful",
        replace={"A-RATE": _fifth_limited},
    )
    yield Fault(
        "rate/negative-remaining",
        "A-RATE",
        ALL,
        "RateLimit-Remaining is negative.",
        "shape",
        freedoms={"rate-headers": "absent"},
        answer=_negative_remaining,
    )


def _no_scheme(scheme: str) -> Any:
    check = sound("flex-get", "A-NONE")

    def refusing(backend: Backend, call: Call) -> None:
        check(backend, call)
        if call.headers.get(b"authorization", b"").lower().startswith(scheme.encode()):
            raise backend.authentication.challenge(call.now)

    return refusing


FAULTS: tuple[Fault, ...] = (*_operations(), *_everywhere())
"""Faults of this family."""
