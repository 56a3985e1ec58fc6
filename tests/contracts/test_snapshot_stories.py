"""Snapshots as conforming endpoints show them over time, in every way that the contract leaves open: all silent."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_conformance.contracts.chronicle import Chronicle
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.forms import judge_same_list
from atlas_conformance.contracts.inventory import Cluster
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.verdicts import Verdicts
from tests.strategies.scenery import INVENTORY, PROJECT, answer, page, request

RESOURCE = Contract.load().operations["snapshot-list"].resource
BEGUN = datetime.datetime(2026, 2, 15, 17, 0, tzinfo=datetime.UTC)
SNAPSHOT = "5f1a5c3bd9f3b06d2c8e4a11"
SHARDED = Cluster(PROJECT, "Sharded0", "dedicated", sharded=True)
KNOWLEDGE = Knowledge(replace(INVENTORY, clusters=(*INVENTORY.clusters, SHARDED)), digest=True)
RESOURCE = Contract.load().operations["snapshot-list"].resource
HEX = st.text("0123456789abcdef", min_size=24, max_size=24)
FORMS = ("Z", "+00:00", ".000Z", ".5Z")


def date(draw: st.DrawFn, seconds: int) -> str:
    """Write a moment in one of the ways in which UTC may be written."""
    moment = BEGUN + datetime.timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}" + draw(st.sampled_from(FORMS[:3]))


def maybe(draw: st.DrawFn, **values: Any) -> dict[str, Any]:
    """Return some of these properties, each of them shown or left out."""
    return {name: value for name, value in values.items() if draw(st.booleans())}


@st.composite
def dedicated_stories(draw: st.DrawFn, kind: str = "replicaSet") -> list[dict[str, Any]]:
    """A dedicated snapshot as one read after another shows it: what may change does, what may be missing is."""
    description = draw(st.sampled_from([None, "", "before the upgrade", "Größe\n"]))
    end = draw(st.sampled_from(["completed", "completed", "failed"]))
    states = [s for s in ("queued", "inProgress") for _ in range(draw(st.integers(0, 2)))] + [end] * draw(
        st.integers(1, 3)
    )
    on_demand = draw(st.booleans())
    fixed = {
        "type": kind,
        "snapshotType": "onDemand" if on_demand else draw(st.sampled_from(["scheduled", "fallback"])),
    }
    fixed |= {"description": description} if description is not None else {}
    early = draw(st.booleans())
    seen = []
    for status in states:
        document = {"id": SNAPSHOT, "status": status, **fixed}
        document |= maybe(
            draw,
            expiresAt=date(draw, 90_000 + draw(st.integers(0, 90_000))),
            storageSizeBytes=draw(st.sampled_from([0, 1_548_394_496, 2**40])),
            policyItems=draw(st.lists(HEX, max_size=2)),
            copyRegions=draw(st.lists(st.sampled_from(["US_EAST_1", "EU_WEST_1"]), max_size=2)),
            mongodVersion=draw(st.sampled_from(["8.0.19", "7.0.5-rc1", "8.0.4 (enterprise)"])),
            masterKeyUUID="d9b9c1a2-7c1e-4b66-9f53-0d7f5e0c7c11",
            links=[{"rel": "self", "href": "https://cloud.mongodb.com/x"}],
            undocumented=draw(st.sampled_from([None, 1, "x"])),
        )
        document |= (
            {"frequencyType": draw(st.sampled_from(["hourly", "daily", "weekly", "monthly", "yearly"]))}
            if not on_demand
            else {}
        )
        if on_demand and draw(st.booleans()):
            document["frequencyType"] = "ondemand"
        if status == "completed" or (status != "queued" and early):
            document["createdAt"] = date(draw, 600)
        if kind == "shardedCluster":
            members = [{"id": draw(HEX), "replicaSetName": f"shard-{n}", "cloudProvider": "AZURE"} for n in range(2)]
            document |= maybe(draw, members=members, snapshotIds=[member["id"] for member in members])
        else:
            document |= {"replicaSetName": "atlas-abc-shard-0"}
        seen.append(document)
    return seen


@st.composite
def flex_stories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A flex snapshot as one read after another shows it."""
    order = ("PENDING", "QUEUED", "RUNNING")
    end = draw(st.sampled_from(["COMPLETED", "FAILED"]))
    states = [s for s in order for _ in range(draw(st.integers(0, 2)))] + [end] * draw(st.integers(1, 3))
    seen = []
    for status in states:
        document = {"id": SNAPSHOT, "status": status, "scheduledTime": date(draw, 0)}
        document |= maybe(draw, expiration=date(draw, 700_000 + draw(st.integers(0, 900))), mongoDBVersion="8.0.19")
        if status not in ("PENDING", "QUEUED"):
            document["startTime"] = date(draw, draw(st.just(0)))
        if status == end:
            document["finishTime"] = date(draw, 90)
        seen.append(document)
    return seen


def told(family: str, documents: list[dict[str, Any]], draw: st.DataObject) -> list[str]:
    """Read the snapshot by its id and in the list, and return what is found."""
    get, listing = {
        "flex": ("flex-snapshot-get", "flex-snapshot-list"),
        "cluster": ("snapshot-get", "snapshot-list"),
        "sharded": ("sharded-snapshot-get", "sharded-snapshot-list"),
    }[family]
    named = {"clusterName": "Sharded0"} if family == "sharded" else {}
    chronicle = Chronicle(KNOWLEDGE)
    found: list[str] = []
    at = (BEGUN + datetime.timedelta(days=1)).timestamp()
    for document in documents:
        for operation in draw.draw(st.sampled_from([(get,), (listing,), (listing, get), (get, get)])):
            at += 1
            exchange: Exchange
            if operation == get:
                exchange = answer(request(get, snapshotId=SNAPSHOT, **named), document, started=at)
            else:
                exchange = answer(request(listing, **named), page(document), started=at)
            judgement = chronicle.feed(exchange)
            found += [
                f"{f.requirement} {f.expected} {f.seen}" for f in judgement.findings if f.fails and f.departure is None
            ]
    return found


@given(dedicated_stories(), st.data())
@settings(deadline=None)
def test_a_dedicated_snapshot_may_change_what_is_not_fixed(
    documents: list[dict[str, Any]], data: st.DataObject
) -> None:
    assert told("cluster", documents, data) == []


@given(dedicated_stories("shardedCluster"), st.data())
@settings(max_examples=50, deadline=None)
def test_so_may_one_of_a_sharded_cluster(documents: list[dict[str, Any]], data: st.DataObject) -> None:
    assert told("sharded", documents, data) == []


@given(flex_stories(), st.data())
@settings(max_examples=50, deadline=None)
def test_a_flex_snapshot_may_change_what_is_not_fixed(documents: list[dict[str, Any]], data: st.DataObject) -> None:
    assert told("flex", documents, data) == []


@pytest.mark.parametrize("name", ["storageSizeBytes", "mongodVersion", "expiresAt"])
def test_another_form_of_a_list_may_show_what_has_changed_meanwhile(name: str) -> None:
    plain = {"results": [{"id": SNAPSHOT, "status": "completed", name: 1, "type": "replicaSet"}]}
    formed = {"results": [{"id": SNAPSHOT, "status": "completed", name: 2, "type": "replicaSet"}]}
    verdicts = Verdicts("snapshot-list")
    judge_same_list("V-ENVELOPE", plain, formed, "/response/body", RESOURCE, verdicts)
    assert verdicts.judgement().findings == ()
    formed["results"][0]["type"] = "shardedCluster"
    judge_same_list("V-ENVELOPE", plain, formed, "/response/body", RESOURCE, verdicts)
    assert [finding.pointer for finding in verdicts.judgement().findings] == ["/response/body/results/0/type"]


def test_a_story_that_does_not_hold_is_reported() -> None:
    """What the tests above read as silence is not."""
    shown = {"id": SNAPSHOT, "status": "completed", "type": "shardedCluster", "createdAt": "2026-02-15T17:00:00Z"}
    for name, changed, requirement in (
        ("snapshot-get", {"createdAt": "2026-02-15T17:00:01Z"}, "SNAP-FIXED"),
        ("sharded-snapshot-get", {"status": "inProgress"}, "SNAP-FLOW"),
    ):
        cluster = "Sharded0" if name.startswith("sharded") else "Replica0"
        sent = request(name, snapshotId=SNAPSHOT, clusterName=cluster)
        chronicle = Chronicle(KNOWLEDGE)
        chronicle.feed(answer(sent, shown, started=1.0))
        found = chronicle.feed(answer(sent, shown | changed, started=2.0)).findings
        assert requirement in {finding.requirement for finding in found}


def test_what_has_no_id_is_compared_with_nothing() -> None:
    plain = {"results": [{"_id": "1", "status": "completed"}, {"_id": "2", "status": "completed"}]}
    formed = {"results": [{"_id": "2", "status": "completed"}, {"_id": "1", "status": "completed"}]}
    verdicts = Verdicts("snapshot-list")
    judge_same_list("V-PRETTY", plain, formed, "/response/body", RESOURCE, verdicts)
    assert verdicts.judgement().findings == ()


def compared(plain: dict[str, Any], formed: dict[str, Any]) -> list[str]:
    """Where a formed page is said to differ from the plain one."""
    verdicts = Verdicts("snapshot-list")
    judge_same_list("V-PRETTY", {"results": [plain]}, {"results": [formed] if formed else []}, "", RESOURCE, verdicts)
    return [finding.pointer for finding in verdicts.judgement().findings]


@pytest.mark.parametrize("name", ["storageSizeBytes", "mongodVersion", "expiresAt"])
def test_what_may_change_is_shown_in_every_form(name: str) -> None:
    bare = {"id": SNAPSHOT, "status": "completed", "type": "replicaSet"}
    assert compared(bare | {name: 1}, bare) == [f"/results/0/{name}"]
    assert compared(bare, bare | {name: 1}) == []
    assert compared(bare | {"links": []}, bare) == []


def test_a_form_of_a_list_shows_the_same_items() -> None:
    assert compared({"id": SNAPSHOT, "status": "completed"}, {}) == ["/results"]
    assert compared({"id": SNAPSHOT, "status": "queued"}, {}) == []


def test_a_form_of_a_list_keeps_its_links_and_each_of_its_items() -> None:
    item = {"id": SNAPSHOT, "status": "completed", "type": "replicaSet"}
    plain, formed = {"results": [item], "links": []}, {"results": [item | {"type": "x"}, item]}
    verdicts = Verdicts("snapshot-list")
    judge_same_list("V-PRETTY", plain, formed, "", RESOURCE, verdicts)
    assert [(finding.pointer, finding.seen) for finding in verdicts.judgement().findings] == [
        ("", '["links"]'),
        ("/results/0/type", "'x'"),
    ]
