"""The same answer in another form: what `envelope` and `pretty` must not change (V-ENVELOPE, V-PRETTY)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atlas_conformance.contracts.listing import listed
from atlas_conformance.contracts.resources import Resource
from atlas_conformance.contracts.verdicts import Verdicts

TIDAL = frozenset(
    {"links", "expired", "expiresAt", "expirationDate", "deliveryUrl", "components", "snapshotUrl", "status"}
)
"""Properties that may differ between two answers by themselves: links repeat the query, downloads expire, and an
enveloped list has a status of its own. What a resource calls volatile may, too."""

_MISSING = object()


def judge_same_job(
    requirement: str,
    plain: Mapping[str, Any],
    formed: Mapping[str, Any],
    pointer: str,
    verdicts: Verdicts,
    volatile: frozenset[str] = frozenset(),
) -> None:
    """Hold the document of something finished, a job or a snapshot, in one form against its plain one.

    `pointer` is where the formed one stands, `volatile` are properties of it that may change between two reads.
    """
    for name in sorted((plain.keys() | formed.keys()) - TIDAL - volatile):
        owed, seen = plain.get(name, _MISSING), formed.get(name, _MISSING)
        shown = "nothing" if seen is _MISSING else seen
        expected = f"{name} as without the flag"
        verdicts.check(requirement, owed == seen, expected, shown, f"{pointer}/{name}")


def judge_same_list(
    requirement: str,
    plain: Mapping[str, Any],
    formed: Mapping[str, Any],
    pointer: str,
    resource: Resource,
    verdicts: Verdicts,
) -> None:
    """Hold a list page of a resource in one form against the plain one: its own properties, and what it shows ended, by
    its id.
    """
    lacking = sorted(plain.keys() - formed.keys() - {"status"})
    verdicts.check(requirement, not lacking, "every property of the plain list", lacking, pointer)
    shown = (job for _, job in listed(plain, "") if isinstance(job.get("id"), str))
    finished = {job["id"]: job for job in shown if resource.ended(job)}
    for where, job in listed(formed, pointer):
        named = job.get("id")
        if isinstance(named, str) and named in finished:
            judge_same_job(requirement, finished[named], job, where, verdicts, resource.volatile)


def judge_same_properties(
    requirement: str,
    plain: Mapping[str, Any],
    formed: Mapping[str, Any],
    read_back: Mapping[str, Any],
    pointer: str,
    verdicts: Verdicts,
) -> None:
    """Hold a create's answer in one form against a plain create's, of another job.

    A property counts as lost only if the plain answer has it and the formed one's own job shows it when read back.
    """
    lost = sorted((plain.keys() & read_back.keys()) - formed.keys() - TIDAL)
    verdicts.check(requirement, not lost, "every property of the plain answer", f"without {', '.join(lost)}", pointer)
