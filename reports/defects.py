"""Defects: the groups of findings that come of one cause, joined across exchanges, operations and requirements.

Two groups belong together only where they have a cause in common (`causes`), never because both failed. Which
requirement then leads is said by the contract (`requirements.toml`) and by what fails where the others do not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.requirement import Requirement
from atlas_conformance.reports.causes import Node, links, together
from atlas_conformance.reports.evidence import Evidence, Facts, place_of
from atlas_conformance.reports.model import EVERY_CREATE, FindingGroup, Row

_DWARFED = 8
"""How many times the exchanges of another requirement one must fail on, so that the other is a case of it."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The groups of one cause by their places in the order of the groups.

    `head` leads; `same` break the same requirement in the same way elsewhere; `explains` are all others.
    """

    head: int
    same: tuple[int, ...]
    explains: tuple[int, ...]


def clusters(
    groups: Sequence[FindingGroup],
    evidence: Evidence,
    requirements: Mapping[str, Requirement],
    partners: Mapping[int, int],
    rows: Mapping[str, Row],
) -> list[Cluster]:
    """Return the groups by their cause, the cluster to look at first in front; each group is in one of them.

    `rows` say on how many exchanges each requirement held. `partners` are the exchanges that a group's finding was
    compared with, by the group's place.
    """
    nodes = []
    for group in groups:
        operation = Contract.load().operations.get(group.operation)
        nodes.append(
            Node(
                group,
                evidence.facts.get((group.advice, group.key), Facts({group.sample.n})),
                requirements.get(group.requirement),
                place_of(*group.key),
                operation.resource if operation is not None else None,
                _held(rows, group),
            )
        )
    joined = _Joined(len(nodes))
    caused: dict[int, set[int]] = defaultdict(set)
    beside = list(together(nodes))
    for small, large, chance in beside:
        if not chance:
            joined.join(small, large)
    for first, second, directed in links(nodes, evidence, partners):
        joined.join(first, second)
        if directed:
            caused[second].add(first)
    alone = {members[0] for members in joined.members() if len(members) == 1}
    for small, large, chance in beside:
        if chance and small in alone:
            joined.join(small, large)
    found = [_cluster(nodes, members, caused) for members in joined.members()]
    return sorted(found, key=lambda cluster: _order(nodes, cluster))


def _held(rows: Mapping[str, Row], group: FindingGroup) -> int:
    cell = rows[group.requirement].cells.get(group.operation) if group.requirement in rows else None
    return 0 if cell is None else cell.passed


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


def _cluster(nodes: Sequence[Node], members: Sequence[int], caused: Mapping[int, set[int]]) -> Cluster:
    inside = set(members)
    causes = [place for place in members if not caused.get(place, set()) & inside] or list(members)
    failing = [place for place in causes if not nodes[place].group.advice] or causes
    leading = _leading([nodes[place] for place in failing], [nodes[place] for place in members])
    of_it = [place for place in failing if nodes[place].requirement == leading]
    head = min(of_it, key=lambda place: _shown_first(nodes[place].group))
    same = tuple(place for place in members if place != head and nodes[place].requirement == leading)
    return Cluster(head, same, tuple(place for place in members if place != head and place not in same))


def _shown_first(group: FindingGroup) -> tuple[bool, bool, int, int]:
    request = group.sample.exchange.request
    size = len(request.target) + len(request.body or b"")
    return (group.sample.test != EVERY_CREATE, group.unstable, size, group.sample.n)


@dataclass(slots=True)
class _Claim:
    """A requirement that may lead a cluster: its exchanges there, and what is known of them.

    `accepted` says that something came into being by it that should not have, or under a wrong id.
    """

    known: Requirement | None
    exchanges: set[int] = field(default_factory=set)
    first: bool = False
    accepted: bool = False
    depth: int | None = None
    held: int = 0
    compares: bool = True
    fields: set[str] = field(default_factory=set)
    by_operation: dict[str, set[int]] = field(default_factory=dict)


def _leading(causes: Sequence[Node], members: Sequence[Node]) -> str:
    """Return the requirement that leads: the requirement that stands alone somewhere, else the most specific one."""
    claims: dict[str, _Claim] = {}
    for node in causes:
        claim = claims.setdefault(node.requirement, _Claim(node.known))
        claim.exchanges |= node.facts.exchanges
        claim.first |= node.group.sample.test == EVERY_CREATE
        claim.accepted |= node.begets
        claim.held += node.held
        claim.compares &= node.compares
        claim.fields.add(node.place.role)
        claim.by_operation.setdefault(node.group.operation, set()).update(node.facts.exchanges)
        claim.depth = node.depth if claim.depth is None else claim.depth
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
    if one.depth is not None and other.depth is not None and one.depth != other.depth:
        return one.depth > other.depth  # who finds what is not there finds it anywhere
    if one.known is not None and beaten in one.known.before:
        return not (_is_case_of(one, other) or (one.compares and not other.compares and _accounts_for(other, one)))
    if one.known is not None and beaten in one.known.outright and not one.held:
        return True
    if other.known is not None and name in other.known.before:
        return _is_case_of(other, one) or (other.compares and not one.compares and _accounts_for(one, other))
    if len(one.exchanges) >= _DWARFED * len(other.exchanges):
        return True
    compares = (one.compares, other.compares)
    if compares[0] != compares[1]:
        return compares[1] and len(other.exchanges) < _DWARFED * len(one.exchanges)
    there = one.exchanges & other.exchanges
    beside = (one.by_operation[operation] for operation in one.by_operation.keys() & other.by_operation.keys())
    return _covers(one, other) and 5 * (len(set[int]().union(*beside)) - len(there)) > len(other.exchanges)


def _is_case_of(one: _Claim, other: _Claim) -> bool:
    """Whether one requirement fails only where the other one does, and on the same operations seldom."""
    beside = (other.by_operation.get(operation, set()) for operation in one.by_operation)
    return _covers(other, one) and len(set[int]().union(*beside)) >= 2 * len(one.exchanges)


def _accounts_for(one: _Claim, other: _Claim) -> bool:
    """Whether what is wrong with answers by themselves accounts for what differs between answers.

    It does where it is about the same field, and covers that on the operations that show both: what others differ from
    is the faulty one.
    """
    if not one.fields & other.fields:
        return False
    shared = one.by_operation.keys() & other.by_operation.keys()
    differing = set().union(*(other.by_operation[operation] for operation in shared)) or other.exchanges
    return 10 * len(differing - one.exchanges) <= len(differing)


def _covers(one: _Claim, other: _Claim) -> bool:
    """Whether one requirement fails on as good as all exchanges on which another one does."""
    return 10 * len(other.exchanges - one.exchanges) <= len(other.exchanges)


def _order(nodes: Sequence[Node], cluster: Cluster) -> tuple[bool, bool, bool, bool, int, int]:
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
