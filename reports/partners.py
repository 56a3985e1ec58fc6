"""The other side of a comparison: the create whose answer a finding on a read was compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from atlas_conformance.contracts.requirement import Requirement
from atlas_conformance.reports.evidence import Evidence, document_of, job_of, place_of
from atlas_conformance.reports.model import FindingGroup
from atlas_conformance.reports.records import ExchangeRecord


def partners_of(
    groups: Sequence[FindingGroup],
    evidence: Evidence,
    requirements: Mapping[str, Requirement],
    exchanges: Callable[[Iterable[int]], Mapping[int, ExchangeRecord]],
) -> dict[int, int]:
    """Return, by the place of a group, the create that its shown finding was compared with, if there was one.

    Only creates that have findings themselves are looked at; `exchanges` fetches records by number.
    """
    faulty = {n for facts in evidence.facts.values() for n in facts.exchanges}
    creates: dict[int, int] = {}
    for place, group in enumerate(groups):
        known = requirements.get(group.requirement)
        if (known is not None and known.compares) or "as before" in group.finding.expected:
            job = job_of(group.sample, group.finding)
            number = evidence.creates.get(job) if job is not None else None
            if number is not None and number in faulty and number != group.sample.n:
                creates[place] = number
    if not creates:
        return {}
    records = exchanges(set(creates.values()))
    return {
        place: number
        for place, number in creates.items()
        if number in records and _told_by(records[number], groups[place])
    }


def _told_by(create: ExchangeRecord, group: FindingGroup) -> bool:
    """Whether the value that a finding asks for is what the create's answer showed."""
    value = document_of(create.exchange.response.body).get(place_of(*group.key).field)
    return value is not None and str(value) in group.finding.expected
