"""Hypothesis strategies for jobs and snapshots as a conforming endpoint shows them: from schemas, held to the rules.

What the schema leaves open is drawn; what a rule settles is set. A job of a resource that has no rules of its own is
drawn from its schema alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.strategies.values import FIRST, LAST, documents, moment

Draw = Callable[[st.SearchStrategy[Any]], Any]

HEX24 = st.text(st.sampled_from("0123456789abcdef"), min_size=24, max_size=24)
URLS = st.text(st.sampled_from("abc0-._~%20é"), max_size=12).map(lambda rest: f"https://download.example/{rest}")
_STEP = 30 * 86_400


@dataclass(frozen=True)
class Asked:
    """What an answer answers: the operation, its path's values, and a create's body, null properties left out."""

    operation: Operation
    parameters: Mapping[str, str]
    sent: Mapping[str, Any] = field(default_factory=dict)

    @property
    def creates(self) -> bool:
        """Whether the job is a fresh one."""
        return self.operation.kind == "create"


def shown(contract: Contract, asked: Asked, schema: str) -> st.SearchStrategy[dict[str, Any]]:
    """Draw what a conforming answer shows of one resource; `schema` is the file that describes it."""
    drawn = documents(contract, schema)
    resource = asked.operation.resource
    if not resource.followed:
        drawn = drawn.filter(contract.validator(schema).is_valid)  # nothing else sets what the schema asks for

    @st.composite
    def held_to_rules(draw: Draw) -> dict[str, Any]:
        document = dict(draw(drawn))
        if resource.what == "snapshot" and resource.followed:
            _hold_snapshot(draw, asked, document)
            return document
        if resource.what != "job" or not resource.followed:
            return document
        item = asked.operation.item(asked.parameters)
        document["id"] = item if item is not None and asked.operation.kind == "get" else draw(HEX24)
        if resource.states:
            _hold_shared(draw, asked, document)
        else:
            _hold_dedicated(draw, contract, asked, document)
        if draw(st.booleans()):
            document[draw(st.sampled_from(("x-vendor", "note", "retries")))] = draw(st.sampled_from((None, 1, "x", [])))
        return document

    return held_to_rules()


def _hold_snapshot(draw: Draw, asked: Asked, document: dict[str, Any]) -> None:
    """SNAP-STATUS, SNAP-NEW, SNAP-DONE, SNAP-TIME."""
    resource = asked.operation.resource
    item = asked.operation.item(asked.parameters)
    document["id"] = item if item is not None and asked.operation.kind == "get" else draw(HEX24)
    states = resource.fresh if asked.creates else tuple(resource.ranks)
    document["status"] = status = draw(st.sampled_from(states))
    if asked.creates:
        document["snapshotType"] = "onDemand"
        if "description" in asked.sent:
            document["description"] = asked.sent["description"]
    owed: dict[str, bool] = {}
    for name, shown_in, kept_out in resource.shows:
        if status in shown_in or status in kept_out:
            owed[name] = status in shown_in
    _order(draw, resource.dates, document, owed)


def _hold_shared(draw: Draw, asked: Asked, document: dict[str, Any]) -> None:
    """S-ECHO, S-DELIVERY, S-URL, S-STATUS, S-NEW, S-FINISHED, S-TIME."""
    resource = asked.operation.resource
    place = asked.operation.place(asked.parameters)
    target: tuple[str, ...] = resource.target or ()
    document |= dict(zip(resource.place_fields, place, strict=False))
    if asked.creates:
        document |= {"snapshotId": asked.sent.get("snapshotId", document.get("snapshotId"))}
        document |= {name: asked.sent[name] for name in target if name in asked.sent}
        if resource.takes_own_project and target[0] not in asked.sent and target[0] in document:
            document[target[0]] = place[0]
    restores = asked.operation.delivery is None if asked.creates else draw(st.booleans())
    document["deliveryType"] = "RESTORE" if restores else "DOWNLOAD"
    states = [s for rank in resource.states for s in rank if not (asked.creates and s in resource.terminal)]
    document["status"] = draw(st.sampled_from(states))
    ended = document["status"] in resource.terminal
    if restores:
        document.pop("snapshotUrl", None)
    else:
        for name in target:
            document.pop(name, None)
        document.pop("snapshotUrl", None)
        if document["status"] == "COMPLETED" or (not ended and draw(st.booleans())):
            document["snapshotUrl"] = draw(URLS)
    _order(draw, resource.dates, document, owed={resource.end_field or "": ended})


def _order(draw: Draw, dates: tuple[str, ...], document: dict[str, Any], owed: Mapping[str, bool]) -> None:
    """Set the dates that are shown so that each comes after the one before; `owed` are shown or not by a rule."""
    at = draw(st.integers(FIRST, LAST - len(dates) * _STEP))
    for name in dates:
        at += draw(st.integers(1, _STEP))
        if owed.get(name, name in document):
            document[name] = moment(at, draw(st.sampled_from(("", ".5", ".123456"))))
        else:
            document.pop(name, None)


def _hold_dedicated(draw: Draw, contract: Contract, asked: Asked, document: dict[str, Any]) -> None:
    """T-ECHO, T-ONLY-*, T-URL, T-NEW, T-FLAGS, T-TIME, T-PARTS."""
    delivery = asked.sent.get("deliveryType") if asked.creates else None
    document["deliveryType"] = delivery = delivery or draw(st.sampled_from(sorted(contract.deliveries)))
    row = contract.deliveries[delivery]
    fields = {*row.required, *row.meaningless, *row.allowed, *(name for group in row.alternatives for name in group)}
    for name in fields - {"deliveryType"}:
        if name in row.meaningless:
            document.pop(name, None)
        elif asked.creates:
            document.pop(name, None)
            if name in asked.sent:
                document[name] = asked.sent[name]
    if not asked.creates and row.alternatives:
        chosen = draw(st.sampled_from(row.alternatives))
        for name in {name for group in row.alternatives for name in group} - chosen:
            document.pop(name, None)
    downloads = delivery == "download"
    states: tuple[str, ...] = ("running",) if asked.creates else ("running", "finished", "failed", "cancelled")
    if downloads and not asked.creates:
        states += ("expired", "finished", "finished")  # one that is finished has the most to show
    state = draw(st.sampled_from(states))
    ended_well = state in ("finished", "expired")
    resource = asked.operation.resource
    flags = {flag: state == flag for flag in resource.flags}
    for name, value in flags.items():
        document.pop(name, None)
        if value or draw(st.booleans()):
            document[name] = value
    _order(draw, resource.dates, document, owed={
        resource.end_field or "": ended_well or (state != "running" and draw(st.booleans())),
        "expiresAt": downloads and ended_well and (state == "expired" or draw(st.booleans())),
    })  # fmt: skip
    _show_addresses(draw, document, downloads and state == "finished")
    _show_desired_moment(document)


def _show_addresses(draw: Draw, document: dict[str, Any], owed: bool) -> None:
    """Show addresses where they are owed, in one of the two places, and none elsewhere."""
    components = [
        {"replicaSetName": f"shard-{number}"} | ({"downloadUrl": draw(URLS)} if owed else {})
        for number in range(draw(st.integers(1, 3)))
    ]
    by_parts = draw(st.booleans())
    document.pop("deliveryUrl", None)
    document.pop("components", None)
    if owed and not by_parts:
        document["deliveryUrl"] = draw(st.lists(URLS, min_size=1, max_size=2))
    elif by_parts:
        document["components"] = components


def _show_desired_moment(document: dict[str, Any]) -> None:
    """An oplog entry that is aimed at is one that somebody asked for."""
    if document["deliveryType"] != "pointInTime":
        document.pop("desiredTimestamp", None)
