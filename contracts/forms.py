"""The same answer in another form: what `envelope` and `pretty` must not change (V-ENVELOPE, V-PRETTY)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atlas_conformance.contracts.listing import listed
from atlas_conformance.contracts.resources import Resource
from atlas_conformance.contracts.verdicts import Verdicts

TIDAL = frozenset({"expired", "expiresAt", "expirationDate", "deliveryUrl", "components", "snapshotUrl"})
"""Properties whose values may differ between two answers by themselves: downloads expire. What a resource calls
volatile may, too. Whether they are shown is compared all the same."""
_OF_THE_FORM = frozenset({"links", "status"})
"""Properties that go with a form: links repeat the query, and an enveloped list has a status of its own."""

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

    `pointer` is where the formed one stands, `volatile` are properties of it that may change between two reads: of
    these it says which are missing, and that means something only where another plain answer still shows them.
    """
    moving = TIDAL | volatile
    for name in sorted((plain.keys() | formed.keys()) - _OF_THE_FORM):
        owed, seen = plain.get(name, _MISSING), formed.get(name, _MISSING)
        if name in moving and (owed is _MISSING or seen is not _MISSING):
            continue
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
    its id. What it lacks means something only where another plain page still has it.
    """
    lacking = sorted(plain.keys() - formed.keys() - {"status"})
    verdicts.check(requirement, not lacking, "every property of the plain list", lacking, pointer)
    shown = (job for _, job in listed(plain, "") if isinstance(job.get("id"), str))
    finished = {job["id"]: job for job in shown if resource.ended(job)}
    beside = [(where, job) for where, job in listed(formed, pointer) if isinstance(job.get("id"), str)]
    lost = sorted(finished.keys() - {job["id"] for _, job in beside})
    if "results" in formed:
        seen = f"without {', '.join(lost[:3])}"
        verdicts.check(requirement, not lost, "all that the plain list shows ended", seen, f"{pointer}/results")
    for where, job in beside:
        if job["id"] in finished:
            judge_same_job(requirement, finished[job["id"]], job, where, verdicts, resource.volatile)


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
    lost = sorted((plain.keys() & read_back.keys()) - formed.keys() - _OF_THE_FORM - TIDAL)
    verdicts.check(requirement, not lost, "every property of the plain answer", f"without {', '.join(lost)}", pointer)
