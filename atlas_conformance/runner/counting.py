"""What of an exchange counts, so that a run counts the same however it is split and however long it waits.

A job's history depends on how often the run looked at it, and a list on everything that was made before. So what an
exchange shows by itself always counts; what it shows in the light of earlier ones counts in tests of that requirement;
and what a list shows of jobs counts for those that the test made or asked for.
"""

from __future__ import annotations

from collections.abc import Set

from atlas_conformance.contracts.chronicle import Told
from atlas_conformance.contracts.judge import Examined, Judge
from atlas_conformance.contracts.listing import listed
from atlas_conformance.contracts.verdicts import Verdicts

Pair = tuple[str, str]

_OF_ITEMS = ("S-", "T-", "SNAP-")
_BY_STATE = frozenset({"T-URL", "SNAP-DONE"})
"""What holds only in some states of a job or a snapshot, so that it depends on when the run looked."""
_AT_EACH_LOOK = frozenset({"S-FLOW", "SNAP-FLOW"})
"""What holds at each look at a job, whether it was the first or not."""


def counted(judge: Judge, told: Told, about: Set[str], own: Set[str] | None) -> frozenset[Pair]:
    """Return the pairs of `told` that count in a test of the requirements `about`.

    `own` are the ids of the jobs that the test made or asked for; None where the run makes no jobs, so that every list
    shows the same ones each time.
    """
    examined = told.examined
    later = frozenset(pair for pair in told.judgement.held - told.alone if pair[0] in about | _AT_EACH_LOOK)
    if examined is None or examined.document is None or examined.reading.operation.kind != "list" or own is None:
        return told.alone | later
    itself = frozenset(pair for pair in told.alone if not pair[0].startswith(_OF_ITEMS))
    shown = _shown_of(judge, examined, own)
    if shown is None:
        return itself
    # Which created jobs a list owes depends on what else was created, and on whether one page has room for all.
    later = frozenset(pair for pair in later if pair[0] != "L-FOUND")
    return itself | later | (shown & told.judgement.held)


def once_for_each_state(
    told: Told, held: frozenset[Pair], about: Set[str], seen: set[tuple[Pair, str]]
) -> frozenset[Pair]:
    """Return `held` without what depends on how often a test looked at a state: that counts once, in tests of it.

    `seen` are the pairs that have counted in the test under way, each with the id of the job or snapshot; it grows.
    """
    if not any(pair[0] in _BY_STATE for pair in held):
        return held
    document = told.examined.document if told.examined is not None else None
    item = str(document.get("id")) if document is not None else ""
    kept = set()
    for pair in held:
        if pair[0] not in _BY_STATE:
            kept.add(pair)
        elif pair[0] in about and (pair, item) not in seen:
            seen.add((pair, item))
            kept.add(pair)
    return frozenset(kept)


def created_job(told: Told) -> str | None:
    """Return the id of the job that an exchange created, or None."""
    examined = told.examined
    if examined is None or examined.document is None or examined.reading.operation.kind != "create":
        return None
    job = examined.document.get("id")
    return job if isinstance(job, str) else None


def _shown_of(judge: Judge, examined: Examined, own: Set[str]) -> frozenset[Pair] | None:
    """Return what a list shows of these jobs; None where it shows none of them."""
    operation, place = examined.reading.operation, examined.reading.place
    verdicts = Verdicts(operation.id)
    found = False
    for pointer, job in listed(examined.document or {}, examined.pointer):
        if isinstance(shown := job.get("id"), str) and shown in own:
            found = True
            judge.judge_item(operation, place, job, pointer, verdicts)
    return verdicts.judgement().held if found else None
