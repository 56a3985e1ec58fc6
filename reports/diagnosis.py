"""From groups of findings to defects: what is wrong, how far it reaches, and what else it explains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.requirement import Requirement
from atlas_conformance.reports.defects import Cluster, clusters
from atlas_conformance.reports.evidence import Evidence, place_of
from atlas_conformance.reports.grouping import Key
from atlas_conformance.reports.model import Defect, FindingGroup, Row
from atlas_conformance.reports.partners import partners_of
from atlas_conformance.reports.records import ExchangeRecord
from atlas_conformance.reports.sentences import sentence


def defects_of(
    groups: Sequence[FindingGroup],
    evidence: Evidence,
    rows: Mapping[str, Row],
    requirements: Mapping[str, Requirement],
    count: Callable[[Set[int]], int],
    started: float | None,
    exchanges: Callable[[Iterable[int]], Mapping[int, ExchangeRecord]],
) -> tuple[Defect, ...]:
    """Return the defects, the one to look at first in front.

    `count` says how many of some exchanges count, `started` is when the run did (epoch seconds), `exchanges` fetches
    records by number.
    """

    def defect(cluster: Cluster) -> Defect:
        head = groups[cluster.head]
        same = tuple(groups[place] for place in cluster.same)
        facts = [evidence.facts.get((group.advice, group.key)) for group in (head, *same)]
        exchanges = {n for known in facts if known is not None for n in known.exchanges} or {head.sample.n}
        since = min((known.since for known in facts if known is not None and known.since is not None), default=None)
        where = {group.operation for group in (head, *same)}
        operations = tuple(
            o
            for o in (*Contract.load().operations, *sorted(where.difference(Contract.load().operations)))
            if o in where
        )
        cells = rows[head.requirement].cells if head.requirement in rows else {}
        return Defect(
            headline=head,
            sentence=sentence(requirements.get(head.requirement), head, place_of(*head.key)),
            operations=operations,
            count=count(exchanges),
            exercised=sum(cells[operation].exercised for operation in operations if operation in cells),
            first=min(group.first for group in (head, *same)),
            since=None if since is None or started is None else max(0.0, since - started),
            same=same,
            explains=tuple(groups[place] for place in cluster.explains),
        )

    partners = partners_of(groups, evidence, requirements, exchanges)
    return tuple(defect(cluster) for cluster in clusters(groups, evidence, requirements, partners, rows))


def recounted(defects: Sequence[Defect], counts: Mapping[tuple[bool, Key], FindingGroup]) -> tuple[Defect, ...]:
    """Return defects with their groups exchanged for those of other counts, by whether they are advice, and key."""

    def anew(group: FindingGroup) -> FindingGroup:
        return counts.get((group.advice, group.key), group)

    found = []
    for defect in defects:
        head, same = anew(defect.headline), tuple(map(anew, defect.same))
        count = max(defect.count, *(group.count for group in (head, *same)))
        found.append(replace(defect, headline=head, same=same, count=count, explains=tuple(map(anew, defect.explains))))
    return tuple(found)
