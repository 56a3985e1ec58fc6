"""What a request owes and what it leaves open: the rules that it breaks and the freedoms that it grants."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that a request breaks: it must be refused with one of `statuses`.

    `pointer` names the offending place of the request, a JSON pointer into the exchange.
    """

    requirement: str
    pointer: str
    statuses: frozenset[int]
    expected: str


@dataclass(frozen=True, slots=True)
class Freedom:
    """One reason for which an endpoint may answer with one of `statuses` as well as with a success.

    `of_item` says that it is about the one thing that the path names, which may not exist, `of_place` that it is about
    the path's project or cluster, `of_snapshot` that it is about the snapshot that the body names, of which nobody
    vouches. `exact` says that no other refusal conforms: the contract names what an endpoint may do.
    """

    reason: str
    statuses: frozenset[int]
    of_item: bool = False
    of_snapshot: bool = False
    exact: bool = False
    of_place: bool = False
