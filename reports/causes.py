"""Causes in common: which groups of findings belong together, and why.

Two groups have a cause in common where the same requirement is broken in the same way, on the same exchanges, at a
field that another answer is compared with, on a job that a wrongly accepted request made, or where a refusal is wrong
in the same way. That both failed is no cause.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.requirement import Requirement
from atlas_conformance.contracts.resources import Resource
from atlas_conformance.reports.evidence import BODY, ERROR, HEADER, OUTCOME, Evidence, Facts, Place
from atlas_conformance.reports.model import FindingGroup

_CROWD = 24
"""How many groups of one exchange are paired: one with more says little about what belongs together."""
_OFTEN = 20
"""On how many exchanges a group must show at least to be everywhere."""
_MOST_TAINTED = 0.5
"""Where more than this share of all jobs come of faulty creates, what is found on one says nothing of its create."""

_ON_ONE = frozenset({"get", "cancel", "delete"})
"""Kinds of operations whose path names one thing within its cluster and project."""

_QUOTED = re.compile(r"'[^']*'")
_DIGIT = re.compile("[0-9]")

Link: TypeAlias = tuple[int, int, bool]
"""Two groups with a common cause; whether the first one is known to cause the second."""


@dataclass(slots=True)
class Node:
    """A group of findings as far as joining needs it: with the facts of its exchanges, and what it is about.

    `held` is on how many exchanges its requirement held on its operation.
    """

    group: FindingGroup
    facts: Facts
    known: Requirement | None
    place: Place
    resource: Resource | None
    held: int = 0

    @property
    def requirement(self) -> str:
        """The id of the requirement that does not hold."""
        return self.group.requirement

    @property
    def compares(self) -> bool:
        """Whether it was found by comparing one answer with another one."""
        by_rule = self.known is not None and self.known.compares
        said = self.group.finding.expected
        return self.place.part == BODY and (by_rule or "as before" in said or "the plain list" in said)

    @property
    def accepted(self) -> bool:
        """Whether a request was taken that should have been refused, as far as the answers' status tells."""
        return self.place.part == OUTCOME and self.status is not None and self.status < 300

    @property
    def begets(self) -> bool:
        """Whether something came into being by it that should not have, or under a wrong id."""
        wrongly = self.place.part == OUTCOME or (self.place.part, self.place.field) == (BODY, "id")
        return self.accepted or (wrongly and bool(self.facts.made))

    @property
    def depth(self) -> int | None:
        """How deep in the path what it is about stands, on an operation on one thing; None for anything else."""
        operation = Contract.load().operations.get(self.group.operation)
        names = operation.path_parameters if operation is not None and operation.kind in _ON_ONE else ()
        in_path = self.group.place.startswith("/request/path/") and self.place.field in names
        return names.index(self.place.field) if in_path else None

    @property
    def status(self) -> int | None:
        """The status that answered most of its exchanges; None where none is known."""
        statuses = self.facts.statuses
        return min(statuses, key=lambda status: (-statuses[status], status)) if statuses else None


def links(nodes: Sequence[Node], evidence: Evidence, partners: Mapping[int, int]) -> Iterator[Link]:
    """Yield the pairs of groups that have a cause in common, but for those `together`; `partners` as in `clusters`."""
    for find in (_unchallenged, _alike, _compared, _refused_alike, _taken_alike, _shown_alike):
        yield from find(nodes)
    yield from _tainted(nodes, evidence)
    yield from _held_against(nodes, partners)


def _pairs(nodes: Sequence[Node], key: Callable[[Node], object]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of groups that have the same key, which is not None."""
    found: defaultdict[object, list[int]] = defaultdict(list)
    for place, node in enumerate(nodes):
        if (value := key(node)) is not None:
            found[value].append(place)
    for places in found.values():
        yield from combinations(places, 2)


def together(nodes: Sequence[Node]) -> Iterator[tuple[int, int, bool]]:
    """Yield pairs of groups that show on the same exchanges, the smaller first, and whether that may be chance.

    It may where the larger one shows on most exchanges. Then it counts only for a group that has no cause in common
    with any other one.
    """
    found: defaultdict[int, list[int]] = defaultdict(list)
    for place, node in enumerate(nodes):
        for n in node.facts.exchanges | node.facts.related:
            found[n].append(place)
    shared: defaultdict[tuple[int, int], int] = defaultdict(int)
    for places in found.values():
        for pair in combinations(places[:_CROWD], 2):
            shared[pair] += 1
    for (one, other), count in shared.items():
        first, second = sorted((one, other), key=lambda place: len(nodes[place].facts.exchanges))
        small, large = nodes[first], nodes[second]
        if not _stands_alone(small, large) and 2 * count >= len(small.facts.exchanges):
            yield first, second, _is_everywhere(small, large)


def _is_everywhere(small: Node, large: Node) -> bool:
    """Whether a group shows on so many exchanges that another one on a few of them tells nothing."""
    count = len(large.facts.exchanges)
    return count >= max(_OFTEN, large.held, 2 * len(small.facts.exchanges)) and small.place.role != large.place.role


def _stands_alone(small: Node, large: Node) -> bool:
    """Whether a group that shares its exchanges with a larger one is a matter of its own.

    What the form of an answer gets wrong everywhere does not decide whether a request is taken.
    """
    if small.place.part != OUTCOME or large.place.part not in (HEADER, ERROR):
        return False
    return len(large.facts.exchanges) >= 2 * len(small.facts.exchanges) + 2


def _unchallenged(nodes: Sequence[Node]) -> Iterator[Link]:
    """Link a challenge that is missing or wrong with the digest credentials that cannot answer it."""
    for place, node in enumerate(nodes):
        if node.place.part == HEADER and node.place.field == "www-authenticate":
            for other, digest in enumerate(nodes):
                here = digest.group.operation == node.group.operation
                if here and digest.requirement == "A-DIGEST" and digest.status == 401:
                    yield place, other, True


def _alike(nodes: Sequence[Node]) -> Iterator[Link]:
    """Link groups of one requirement that is broken in the same way: on one operation, at one field of several, or
    about the same jobs that are lost.
    """
    for one, other in _pairs(nodes, lambda node: node.requirement):
        first, second = nodes[one], nodes[other]
        outcomes = first.place.part == second.place.part == OUTCOME
        here = first.group.operation == second.group.operation
        same = (first.place.part, first.place.role) == (second.place.part, second.place.role)
        if outcomes:
            alike = first.accepted == second.accepted if here else same and _decided_alike(first, second)
            alike = alike or _takes_one_type_for_another(first, second)
        else:
            of_its_own = first.known is None or first.known.by_field
            same = same and (here or _is_wrong_alike(first, second))
            alike = (here and not of_its_own) or (same and (here or _is_missing(first) == _is_missing(second)))
        if alike or _loses_the_same(first, second):
            yield one, other, False


def _takes_one_type_for_another(first: Node, second: Node) -> bool:
    """Whether two operations take a value of the same wrong type for the same right one, wherever it stands."""
    typed = first.requirement == "B-TYPE" and first.accepted and second.accepted
    return typed and first.group.finding.expected == second.group.finding.expected


def _is_wrong_alike(first: Node, second: Node) -> bool:
    """Whether a header of two operations is wrong in the same way: with the same value, or where the same is owed.

    What stands in quotes in what is owed is a value of this answer, and versions differ from operation to operation.
    """
    if first.place.part != HEADER:
        return True
    one, other = first.group.finding, second.group.finding
    if one.seen == other.seen or _QUOTED.sub("", one.expected) == _QUOTED.sub("", other.expected):
        return True
    return all(
        _DIGIT.sub("0", a) == _DIGIT.sub("0", b) for a, b in ((one.seen, other.seen), (one.expected, other.expected))
    )


def _is_missing(node: Node) -> bool:
    """Whether a property is not there at all, which is another mistake than a wrong value."""
    return node.group.finding.expected.endswith(" present")


def _loses_the_same(first: Node, second: Node) -> bool:
    """Whether two reads of one kind of thing are at odds over the same ones: what a get loses, a list lacks."""
    of_reads = first.requirement.startswith("L-") and first.resource is second.resource
    return of_reads and bool(first.facts.jobs.keys() & second.facts.jobs.keys())


def _decided_alike(first: Node, second: Node) -> bool:
    """Whether two operations take or refuse wrongly in the same way: to the same test, where no field tells it.

    Who checks credentials checks them before anything that is particular to an operation.
    """
    if _let_in(first) and _let_in(second):
        return True
    if first.accepted != second.accepted:
        return False
    return bool(first.place.field) or bool(first.facts.tests & second.facts.tests)


def _let_in(node: Node) -> bool:
    """Whether credentials are wrongly taken: the request is carried out, or refused for another reason than them."""
    return node.requirement.startswith("A-") and node.place.part == OUTCOME and node.status not in (401, 403, None)


def _compared(nodes: Sequence[Node]) -> Iterator[Link]:
    """Link what differs between two answers with whatever else is found on the same field of the same thing."""
    for one, other in _pairs(nodes, _thing):
        first, second = nodes[one], nodes[other]
        if first.compares or second.compares:
            yield one, other, False


def _thing(node: Node) -> object:
    """Return the field of a job or a snapshot that a finding is about; the date that both show is one field."""
    if node.resource is None or node.place.part != BODY or not node.place.field:
        return None
    if node.place.field == node.resource.dated_by:
        return (node.resource.cluster_kind, "the snapshot's date")
    return (node.resource.name, node.place.field)


def _refused_alike(nodes: Sequence[Node]) -> Iterator[Link]:
    """Link requests of one operation that are refused with the same wrong status, or let in alike."""

    def refusal(node: Node) -> object:
        if node.place.part != OUTCOME or node.status is None:
            return None
        if node.status >= 300:
            return (node.group.operation, node.status)
        access = node.requirement.startswith("A-")
        return (node.group.operation, "let in") if access else None

    for one, other in _pairs(nodes, refusal):
        yield one, other, False


def _taken_alike(nodes: Sequence[Node]) -> Iterator[Link]:
    """Link requests that one operation wrongly takes: by the same field, or where one requirement comes before another.

    Who does not look whether a project exists finds every cluster in it.
    """

    def outcome(node: Node) -> object:
        return node.group.operation if node.place.part == OUTCOME and not node.group.advice else None

    for one, other in _pairs(nodes, outcome):
        first, second = nodes[one], nodes[other]
        field = first.accepted and second.accepted and first.place.field and first.place.field == second.place.field
        if field or _ordered(first, second) or _ordered(second, first):
            yield one, other, False


def _ordered(first: Node, second: Node) -> bool:
    """Whether one takes what it should not, and the other one's requirement comes after its own, or in the path."""
    if not first.accepted:
        return False
    known = first.known is not None and second.requirement in (*first.known.before, *first.known.outright)
    return known or (second.accepted and None not in (first.depth, second.depth))


def _shown_alike(nodes: Sequence[Node]) -> Iterator[Link]:
    """Link what is wrong with one header of one operation's answers, or with one list, its pages, and what it shows of
    earlier moments: a list that is out of date lacks jobs and shows old states.
    """

    def header(node: Node) -> object:
        if node.place.part == HEADER:
            return (node.group.operation, node.place.field)
        operation = Contract.load().operations.get(node.group.operation)
        of_list = operation is not None and operation.kind == "list"
        return node.group.operation if of_list and (node.requirement.startswith("L-") or node.compares) else None

    for one, other in _pairs(nodes, header):
        yield one, other, False


def _tainted(nodes: Sequence[Node], evidence: Evidence) -> Iterator[Link]:
    """Link what was wrongly accepted with what is found on the jobs that came of it, and on none besides.

    Where the jobs came of several such groups together, the group that made most of them is the cause.
    """
    most = max(1, _MOST_TAINTED * sum(evidence.created.values()))
    causes = {place: node.facts.made for place, node in enumerate(nodes) if 0 < len(node.facts.made) <= most}
    for place, node in enumerate(nodes):
        jobs = node.facts.jobs
        if not jobs or node.facts.made:
            continue
        found = {cause: sum(jobs[job] for job in made & jobs.keys()) for cause, made in causes.items()}
        enough = [cause for cause, count in found.items() if 10 * count >= 9 * sum(jobs.values())]
        if not enough and found:
            made_faulty = set[str]().union(*causes.values())
            if 10 * sum(count for job, count in jobs.items() if job in made_faulty) >= 9 * sum(jobs.values()):
                enough = [max(found, key=lambda cause: found[cause])]
        for cause in enough:
            if nodes[cause].begets or not _on_the_same(nodes[cause], node):
                yield cause, place, True


def _on_the_same(one: Node, other: Node) -> bool:
    """Whether most of what is wrong in one way stands in answers that are wrong in the other way, and comes of none."""
    exchanges = other.facts.exchanges
    return 2 * len(exchanges & one.facts.exchanges) > len(exchanges)


def _held_against(nodes: Sequence[Node], partners: Mapping[int, int]) -> Iterator[Link]:
    """Link what is found on an answer with what differs from that answer."""
    for place, partner in partners.items():
        for other, node in enumerate(nodes):
            if other != place and node.place.part == BODY and partner in node.facts.exchanges:
                yield other, place, True
