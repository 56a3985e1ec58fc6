"""Faults at the ends of things: the last page, the longest name, the older snapshots, what is looked at first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.bodies import check_content_type
from atlas_conformance.reference.fault import Fault, Page
from atlas_conformance.reference.fault_parts import CREATES, both, sound
from atlas_conformance.reference.messages import Call, Refusal

_LONGEST_NAME = 64
_LISTS = ("flex-list", "cluster-list")
_ON_DEDICATED = tuple(
    one.id
    for one in Contract.load().operations.values()
    if one.cluster_kind == "dedicated" and one.kind != "cancel" and not (one.sharded and one.kind == "get")
)
"""Operations on clusters one of which, among the fixtures, has a name of the greatest length."""


def _cut_name(backend: Backend, call: Call) -> None:
    call.cluster_name = call.cluster_name[:_LONGEST_NAME]


def _older_in_conflict(backend: Backend, call: Call) -> None:
    if call.cluster is not None and call.fields.get("snapshotId") in call.cluster.snapshots[1:]:
        raise Refusal(409, "SNAPSHOT_CONFLICT", "There is a newer snapshot.")


def _rest_missing(backend: Backend, call: Call, page: Page) -> Page:
    return replace(page, jobs=()) if page.number > 1 and len(page.jobs) < page.items else page


def _faults() -> Iterator[Fault]:
    for operation in _ON_DEDICATED:
        sentence = "A cluster name of more than 64 letters is cut to 64."
        yield Fault(f"{operation}/name-cut-at-64", "P-NAME", (operation,), sentence, "subtle", request=_cut_name)
    for operation in CREATES:
        first = {"A-NONE": both(check_content_type, sound(operation, "A-NONE"))}
        sentence = "A wrong content type is refused before credentials are asked for."
        yield Fault(f"{operation}/content-type-first", "A-NONE", (operation,), sentence, "subtle", replace=first)
        last = {"free/target": both(sound(operation, "free/target"), _older_in_conflict)}
        sentence = "Of a cluster's snapshots all but one are refused with 409."
        yield Fault(f"{operation}/older-snapshot-409", "B-ACCEPT", (operation,), sentence, "rule", replace=last)
    for operation in _LISTS:
        sentence = "A last page that is not full is empty."
        yield Fault(f"{operation}/rest-missing", "L-PAGE", (operation,), sentence, "stateful", listing=_rest_missing)


FAULTS: tuple[Fault, ...] = tuple(_faults())
"""Faults of this family."""
