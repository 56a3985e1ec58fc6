"""Faults in what each deliveryType requires and shows (`T-*`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.bodies import DELIVERIES
from atlas_conformance.reference.fault import Class, Fault
from atlas_conformance.reference.fault_parts import (
    DEDICATED,
    DEDICATED_READS,
    View,
    also_refusing,
    changing,
    hiding,
    normalising,
    showing,
    sound,
    when,
)
from atlas_conformance.reference.jobs import Job
from atlas_conformance.reference.messages import Call


def _delivers(*deliveries: str) -> Callable[[Job], bool]:
    return lambda job: job.delivery in deliveries


def _view(operation: str, what: str, requirement: str, sentence: str, kind: Class, view: View) -> Fault:
    return Fault(f"{operation}/{what}", requirement, (operation,), sentence, kind, view=view)


def _requirements() -> Iterator[Fault]:
    """What a deliveryType requires, and no step asks for."""
    steps = {
        "T-TARGET": [
            f"T-TARGET/{d}/{f}" for d in ("automated", "pointInTime") for f in ("targetClusterName", "targetGroupId")
        ],
        "T-SNAPSHOT": ["T-SNAPSHOT/automated", "T-SNAPSHOT/download"],
        "T-POINT": ["T-POINT/none", "T-POINT/oplogTs-alone", "T-POINT/oplogInc-alone"],
    }
    for operation in DEDICATED:
        for requirement, names in steps.items():
            for name in names:
                what = name.partition("/")[2].replace("/", "-")
                sentence = f"What {requirement} asks for is not checked: {what}."
                yield Fault(
                    f"{operation}/{what}-unchecked", requirement, (operation,), sentence, "rule", skip=frozenset({name})
                )


def _values() -> Iterator[Fault]:
    def folded(value: Any) -> Any:
        known = {delivery.lower(): delivery for delivery in DELIVERIES}
        return known.get(value.lower(), value) if isinstance(value, str) else value

    def trimmed(value: Any) -> Any:
        return value.strip() if isinstance(value, str) else value

    def usual(value: Any) -> Any:
        return value if value in DELIVERIES or not isinstance(value, str) else "download"

    for operation in DEDICATED:
        check = sound(operation, "T-ENUM")
        for what, change, sentence, kind in (
            ("any-case", folded, "A deliveryType is taken in any case.", "subtle"),
            ("trimmed", trimmed, "White space around a deliveryType is cut off.", "subtle"),
            ("unknown-is-download", usual, "A deliveryType that is not known means a download.", "negative"),
        ):
            yield Fault(
                f"{operation}/delivery-{what}",
                "T-ENUM",
                (operation,),
                sentence,
                "subtle" if kind == "subtle" else "negative",
                replace={"T-ENUM": normalising("deliveryType", change, check)},
            )
        for delivery in DELIVERIES:
            yield Fault(
                f"{operation}/{delivery}-refused",
                "B-ACCEPT",
                (operation,),
                f"A {delivery} job is refused.",
                "rule",
                replace={"T-ENUM": also_refusing(check, _asks_for(delivery))},
            )
        yield Fault(
            f"{operation}/oplog-pair-refused",
            "B-ACCEPT",
            (operation,),
            "A point in time is refused where it is an oplog pair.",
            "rule",
            replace={"T-ENUM": also_refusing(check, _pair_alone)},
        )


def _asks_for(delivery: str) -> Callable[[Call], bool]:
    return lambda call: call.fields.get("deliveryType") == delivery


def _pair_alone(call: Call) -> bool:
    return "pointInTimeUTCSeconds" not in call.fields and "oplogTs" in call.fields and "oplogInc" in call.fields


def _with_point(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
    names = ("pointInTimeUTCSeconds", "oplogTs", "oplogInc")
    return document | {name: call.fields[name] for name in names if name in call.fields}


def _with_target(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
    return document | {"targetClusterName": job.cluster, "targetGroupId": job.project}


def _kept_target(backend: Backend, call: Call, job: Job) -> Job:
    if job.delivery != "download":
        return job
    return replace(job, target=call.fields.get("targetClusterName"), target_project=call.fields.get("targetGroupId"))


def _with_url(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
    return document | {"deliveryUrl": [f"https://restore-{job.id}.example.net/{job.snapshot}.tar.gz"]}


def _component_url(backend: Backend, call: Call, job: Job, document: dict[str, Any]) -> dict[str, Any]:
    if "components" not in document:
        return document
    url = f"https://restore-{job.id}.example.net/part.tar.gz"
    return document | {"components": [part | {"downloadUrl": url} for part in document["components"]]}


def _plain_http(urls: list[str]) -> list[str]:
    return [url.replace("https://", "http://") for url in urls]


def _relative(urls: list[str]) -> list[str]:
    return ["/" + url.split("/", 3)[3] for url in urls]


def _views() -> Iterator[Fault]:
    restored = _delivers("automated")
    for operation in (*DEDICATED, *DEDICATED_READS):
        yield _view(
            operation,
            "download-target-shown",
            "T-ONLY-TARGET",
            "A download shows a target.",
            "rule",
            when(_delivers("download"), _with_target),
        )
        yield _view(
            operation,
            "restore-url-shown",
            "T-ONLY-URL",
            "A job that restores shows a download's address.",
            "rule",
            when(_delivers("automated", "pointInTime"), _with_url),
        )
        yield _view(
            operation,
            "delivery-lower-case",
            "C-SCHEMA",
            "pointInTime is shown in lower case.",
            "rule",
            changing("deliveryType", str.lower),
        )
    for operation in DEDICATED:
        yield _view(
            operation,
            "target-not-shown",
            "T-ECHO",
            "An automated job does not show its target.",
            "shape",
            when(restored, hiding("targetClusterName", "targetGroupId")),
        )
        yield _view(
            operation,
            "target-project-of-path",
            "T-ECHO",
            "The target's project is always that of the path.",
            "subtle",
            when(restored, lambda backend, call, job, document: document | {"targetGroupId": job.project}),
        )
        yield _view(
            operation,
            "snapshot-not-shown",
            "T-ECHO",
            "An automated job does not show its snapshot.",
            "shape",
            when(restored, hiding("snapshotId")),
        )
        yield _view(
            operation,
            "name-lower-case",
            "T-ECHO",
            "The target's name is shown in lower case.",
            "subtle",
            changing("targetClusterName", str.lower),
        )
        yield _view(
            operation,
            "point-on-automated",
            "T-ONLY-POINT",
            "An automated job shows the point in time that was sent along.",
            "rule",
            when(restored, _with_point),
        )
        yield _view(
            operation,
            "point-on-download",
            "T-ONLY-POINT",
            "A download shows the point in time that was sent along.",
            "rule",
            when(_delivers("download"), _with_point),
        )
        yield _view(
            operation,
            "oplog-inc-one",
            "T-ECHO",
            "oplogInc is shown as 1, whatever was asked for.",
            "subtle",
            changing("oplogInc", lambda value: 1),
        )
        yield _view(
            operation,
            "seconds-rounded",
            "T-ECHO",
            "The point in time is shown rounded down to the minute.",
            "subtle",
            changing("pointInTimeUTCSeconds", lambda value: value - value % 60),
        )
        yield _view(operation, "born-failed", "T-NEW", "A fresh job has failed.", "shape", showing(failed=True))
        yield _view(operation, "born-expired", "T-NEW", "A fresh job is expired.", "shape", showing(expired=True))
        yield _view(
            operation,
            "born-finished",
            "T-NEW",
            "A fresh job shows finishedAt.",
            "shape",
            showing(finishedAt="2030-01-01T00:00:00Z"),
        )
        yield Fault(
            f"{operation}/download-keeps-target",
            "T-ONLY-TARGET",
            (operation,),
            "A download shows the target that was sent along.",
            "rule",
            view=lambda backend, call, job, document: (
                document
                | {name: call.fields[name] for name in ("targetClusterName", "targetGroupId") if name in call.fields}
            ),
        )
    for read in DEDICATED_READS:
        yield _view(
            read,
            "component-url-shown",
            "T-ONLY-URL",
            "A shard of a job that restores has a download's address.",
            "rule",
            when(_delivers("automated", "pointInTime"), _component_url),
        )
        yield _view(
            read,
            "url-http",
            "T-ONLY-URL",
            "A download's address is plain http.",
            "stateful",
            changing("deliveryUrl", _plain_http),
        )
        yield _view(
            read,
            "url-relative",
            "T-ONLY-URL",
            "A download's address has no host.",
            "stateful",
            changing("deliveryUrl", _relative),
        )


FAULTS: tuple[Fault, ...] = (*_requirements(), *_values(), *_views())
"""Faults of this family."""
