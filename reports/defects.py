"""Defects: the groups of findings that come of one cause, joined across exchanges, operations and requirements.

Two groups belong together only where they have a cause in common, never because both failed: the same requirement
broken in the same way, the same exchanges, a field that another answer is compared with, a job that a wrongly accepted
request made, a refusal that is wrong in the same way. Which requirement then leads is said by the contract
(`requirements.toml`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeAlias

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.requirement import Requirement
from atlas_conformance.contracts.resources import Resource
from atlas_conformance.reports.evidence import BODY, ERROR, HEADER, OUTCOME, Evidence, Facts, Grouped, Place, place_of
from atlas_conformance.reports.model import EVERY_CREATE, FindingGroup

_CROWD = 24
"""How many groups of one exchange are paired: one with more says little about what belongs together."""
_MOST_TAINTED = 0.5
"""Where more than this share of all jobs come of faulty creates, what is found on one says nothing of its create."""

Link: TypeAlias = tuple[int, int, bool]
"""Two groups with a common cause; whether the first one is known to cause the second."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The groups of one cause by their places in the order of the groups.

    `head` leads; `same` break the same requirement in the same way elsewhere; `explains` are all others.
    """

    head: int
    same: tuple[int, ...]
    explains: tuple[int, ...]


@dataclass(slots=True)
class _Node:
    """A group as far as joining needs it."""

    group: FindingGroup
    facts: Facts
    known: Requirement | None
    place: Place
    resource: Resource | None

    @property
    def requirement(self) -> str:
        return self.group.requirement

    @property
    def compares(self) -> bool:
        """Whether the requirement holds one answer against another one."""
        return self.known is not None and self.known.compares

    @property
    def accepted(self) -> bool:
        """Whether a request was taken that should have been refused, as far as the answers' status tells."""
        return self.place.part == OUTCOME and self.status is not None and self.status < 300

    @property
    def status(self) -> int | None:
        """The status that answered most of its exchanges; None where none is known."""
        statuses = self.facts.statuses
        return min(statuses, key=lambda status: (-statuses[status], status)) if statuses else None


def clusters(
    groups: Sequence[FindingGroup],
    evidence: Evidence,
    requirements: Mapping[str, Requirement],
    partners: Mapping[int, int],
) -> list[Cluster]:
    """Return the groups by their cause, the cluster to look at first in front; each group is in one of them.

    `partners` are the exchanges that a group's finding was compared with, by the group's place.
    """
    nodes = []
    for group in groups:
        operation = Contract.load().operations.get(group.operation)
        nodes.append(
            _Node(
                group,
                evidence.facts.get((group.advice, group.key), Facts({group.sample.n})),
                requirements.get(group.requirement),
                place_of(*group.key),
                operation.resource if operation is not None else None,
            )
        )
    joined = _Joined(len(nodes))
    caused: dict[int, set[int]] = defaultdict(set)
    for first, second, directed in (*_links(nodes, evidence), *_held_against(nodes, partners)):
        joined.join(first, second)
        if directed:
            caused[second].add(first)
    found = [_cluster(nodes, members, caused) for members in joined.members()]
    return sorted(found, key=lambda cluster: _order(nodes, cluster))


class _Joined:
    """Which things belong together, by pairs."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def top(self, one: int) -> int:
        """Return the node that represents all that belong together with this one."""
        while self._parents[one] != one:
            self._parents[one] = self._parents[self._parents[one]]
            one = self._parents[one]
        return one

    def join(self, one: int, other: int) -> None:
        """Let two belong together."""
        first, second = sorted((self.top(one), self.top(other)))
        self._parents[second] = first

    def members(self) -> list[list[int]]:
        """Return those that belong together, in their order."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        for one in range(len(self._parents)):
            found[self.top(one)].append(one)
        return list(found.values())


def _links(nodes: Sequence[_Node], evidence: Evidence) -> Iterator[Link]:
    for find in (_together, _alike, _compared, _refused_alike, _taken_alike, _headed_alike):
        yield from find(nodes)
    yield from _tainted(nodes, evidence)


def _pairs(nodes: Sequence[_Node], key: Callable[[_Node], object]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of groups that have the same key, which is not None."""
    found: defaultdict[object, list[int]] = defaultdict(list)
    for place, node in enumerate(nodes):
        if (value := key(node)) is not None:
            found[value].append(place)
    for places in found.values():
        yield from combinations(places, 2)


def _together(nodes: Sequence[_Node]) -> Iterator[Link]:
    """Link groups that show on the same exchanges."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for place, node in enumerate(nodes):
        for n in node.facts.exchanges | node.facts.related:
            found[n].append(place)
    shared: defaultdict[tuple[int, int], int] = defaultdict(int)
    for places in found.values():
        for pair in combinations(places[:_CROWD], 2):
            shared[pair] += 1
    for (one, other), count in shared.items():
        small, large = sorted((nodes[one], nodes[other]), key=lambda node: len(node.facts.exchanges))
        if not _stands_alone(small, large) and 2 * count >= len(small.facts.exchanges):
            yield one, other, False


def _stands_alone(small: _Node, large: _Node) -> bool:
    """Whether a group that shares its exchanges with a larger one is a matter of its own.

    What the form of an answer gets wrong everywhere does not decide whether a request is taken.
    """
    if small.place.part != OUTCOME or large.place.part not in (HEADER, ERROR):
        return False
    return len(large.facts.exchanges) >= 2 * len(small.facts.exchanges) + 2


def _alike(nodes: Sequence[_Node]) -> Iterator[Link]:
    """Link groups of one requirement that is broken in the same way: on one operation, or at one field of several."""
    for one, other in _pairs(nodes, lambda node: node.requirement):
        first, second = nodes[one], nodes[other]
        outcomes = first.place.part == second.place.part == OUTCOME
        if first.group.operation == second.group.operation:
            alike = not outcomes or first.accepted == second.accepted
        else:
            same = (first.place.part, first.place.role) == (second.place.part, second.place.role)
            alike = same and (not outcomes or _decided_alike(first, second))
        if alike:
            yield one, other, False


def _decided_alike(first: _Node, second: _Node) -> bool:
    """Whether two operations take or refuse wrongly in the same way: to the same test, where no field tells it."""
    if first.accepted != second.accepted:
        return False
    return bool(first.place.field) or bool(first.facts.tests & second.facts.tests)


def _compared(nodes: Sequence[_Node]) -> Iterator[Link]:
    """Link what differs between two answers with whatever else is found on the same field of the same thing."""
    for one, other in _pairs(nodes, _thing):
        first, second = nodes[one], nodes[other]
        if first.compares or second.compares:
            yield one, other, False


def _thing(node: _Node) -> object:
    """Return the field of a job or a snapshot that a finding is about; the date that both show is one field."""
    if node.resource is None or node.place.part != BODY or not node.place.field:
        return None
    if node.place.field == node.resource.dated_by:
        return (node.resource.cluster_kind, "the snapshot's date")
    return (node.resource.name, node.place.field)


def _refused_alike(nodes: Sequence[_Node]) -> Iterator[Link]:
    """Link requests of one operation that are refused with the same wrong status, or let in alike."""

    def refusal(node: _Node) -> object:
        if node.place.part != OUTCOME or node.status is None:
            return None
        if node.status >= 300:
            return (node.group.operation, node.status)
        access = node.requirement.startswith("A-")
        return (node.group.operation, "let in") if access else None

    for one, other in _pairs(nodes, refusal):
        yield one, other, False


def _taken_alike(nodes: Sequence[_Node]) -> Iterator[Link]:
    """Link requests that one operation wrongly takes: by the same field, or where one requirement comes before another.

    Who does not look whether a project exists finds every cluster in it.
    """

    def taken(node: _Node) -> object:
        return node.group.operation if node.accepted and not node.group.advice else None

    for one, other in _pairs(nodes, taken):
        first, second = nodes[one], nodes[other]
        if (
            (first.place.field and first.place.field == second.place.field)
            or _ordered(first, second)
            or _ordered(second, first)
        ):
            yield one, other, False


def _ordered(first: _Node, second: _Node) -> bool:
    return first.known is not None and second.requirement in first.known.before


def _headed_alike(nodes: Sequence[_Node]) -> Iterator[Link]:
    """Link what is wrong with one header of one operation's answers."""

    def header(node: _Node) -> object:
        return (node.group.operation, node.place.field) if node.place.part == HEADER else None

    for one, other in _pairs(nodes, header):
        yield one, other, False


def _tainted(nodes: Sequence[_Node], evidence: Evidence) -> Iterator[Link]:
    """Link what was wrongly accepted with what is found on the jobs that came of it, and on none besides."""
    causes = [(place, node) for place, node in enumerate(nodes) if node.facts.made]
    created = sum(evidence.created.values())
    for place, cause in causes:
        if len(cause.facts.made) > max(1, _MOST_TAINTED * created):
            continue
        for other, node in enumerate(nodes):
            jobs = node.facts.jobs
            if other == place or not jobs or node.facts.made:
                continue
            tainted = sum(count for job, count in jobs.items() if job in cause.facts.made)
            if tainted * 10 >= 9 * sum(jobs.values()):
                yield place, other, True


def _held_against(nodes: Sequence[_Node], partners: Mapping[int, int]) -> Iterator[Link]:
    """Link what is found on an answer with what differs from that answer."""
    for place, partner in partners.items():
        for other, node in enumerate(nodes):
            if other != place and node.place.part == BODY and partner in node.facts.exchanges:
                yield other, place, True


def _cluster(nodes: Sequence[_Node], members: Sequence[int], caused: Mapping[int, set[int]]) -> Cluster:
    inside = set(members)
    causes = [place for place in members if not caused.get(place, set()) & inside] or list(members)
    failing = [place for place in causes if not nodes[place].group.advice] or causes
    leading = _leading([nodes[place] for place in failing], [nodes[place] for place in members])
    of_it = [place for place in failing if nodes[place].requirement == leading]
    head = min(of_it, key=lambda place: _shown_first(nodes[place].group))
    same = tuple(
        place for place in members if place != head and nodes[place].requirement == leading and place in failing
    )
    return Cluster(head, same, tuple(place for place in members if place != head and place not in same))


def _shown_first(group: FindingGroup) -> tuple[bool, bool, int, int]:
    request = group.sample.exchange.request
    size = len(request.target) + len(request.body or b"")
    return (group.sample.test != EVERY_CREATE, group.unstable, size, group.sample.n)


@dataclass(slots=True)
class _Claim:
    """A requirement that may lead a cluster: its exchanges there, and what it would say."""

    known: Requirement | None
    exchanges: set[int] = field(default_factory=set)
    first: bool = False
    accepted: bool = False


def _leading(causes: Sequence[_Node], members: Sequence[_Node]) -> str:
    """Return the requirement that leads: the requirement that stands alone somewhere, else the most specific one."""
    claims: dict[str, _Claim] = {}
    for node in causes:
        claim = claims.setdefault(node.requirement, _Claim(node.known))
        claim.exchanges |= node.facts.exchanges
        claim.first |= node.group.sample.test == EVERY_CREATE
        claim.accepted |= node.accepted
    if len(claims) == 1:
        return next(iter(claims))

    def blamed(claim: _Claim) -> int:
        """Return -1 where all exchanges of the cluster have what the requirement blames, 1 where some have not."""
        mark = claim.known.mark if claim.known is not None else None
        if mark is None:
            return 0
        return -1 if all(node.facts.marks[mark] >= node.facts.seen > 0 for node in members) else 1

    def beaten(name: str) -> bool:
        return any(_before(claims[other], claims[name], other, name) for other in claims if other != name)

    def order(name: str) -> tuple[bool, int, bool, bool, int, int, str]:
        claim = claims[name]
        specificity = claim.known.specificity if claim.known is not None else 0
        place = (blamed(claim), not claim.accepted, beaten(name))
        return (not claim.first, *place, -specificity, -len(claim.exchanges), name)

    return min(claims, key=order)


def _before(one: _Claim, other: _Claim, name: str, beaten: str) -> bool:
    """Whether one requirement leads before another: it says so, or it fails where the other one does not, too.

    What differs between two answers leads only where what is wrong with one of them does not account for it.
    """
    covered = _covers(other, one)
    if one.known is not None and beaten in one.known.before:
        return not (one.known.compares and covered)
    if other.known is not None and name in other.known.before:
        return other.known.compares and _covers(one, other)
    compares = (one.known is not None and one.known.compares, other.known is not None and other.known.compares)
    if compares[0] != compares[1]:
        return compares[1]
    return _covers(one, other) and 5 * (len(one.exchanges) - len(other.exchanges)) > len(other.exchanges)


def _covers(one: _Claim, other: _Claim) -> bool:
    """Whether one requirement fails on as good as all exchanges on which another one does."""
    return 10 * len(other.exchanges - one.exchanges) <= len(other.exchanges)


def _order(nodes: Sequence[_Node], cluster: Cluster) -> tuple[bool, bool, bool, bool, int, int]:
    """Return where a cluster comes among all: what is sure, then what stands for itself, then what is most frequent."""
    node = nodes[cluster.head]
    members = (cluster.head, *cluster.same, *cluster.explains)
    count = len({n for place in members for n in nodes[place].facts.exchanges})
    return (
        node.group.advice,
        node.group.sample.test != EVERY_CREATE,
        node.group.unstable,
        node.compares,
        -count,
        cluster.head,
    )


__all__ = ["Cluster", "Evidence", "Grouped", "clusters"]
