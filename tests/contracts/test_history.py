"""One job over time: order is judged on real intervals, what is fixed stays, and memory does not grow."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.history import JobHistory, Observation
from atlas_conformance.contracts.judge import Judge
from atlas_conformance.contracts.observations import observe
from atlas_conformance.contracts.verdicts import Verdicts
from tests.strategies.scenery import (
    JOB,
    OTHER_PROJECT,
    PROJECT,
    SECOND_SNAPSHOT,
    dedicated_job,
    failed,
    flex_job,
    held,
    tenant_job,
)

OPERATIONS = Contract.load().operations

STATUSES = ["PENDING", "QUEUED", "RUNNING", "COMPLETED"]
READ_OF = {"flex": "flex-get", "tenant": "tenant-get", "cluster": "cluster-get"}
CREATE_OF = {"flex": "flex-create", "tenant": "tenant-create", "cluster": "cluster-create"}
CLUSTERS = {"flex": "Flex0", "tenant": "Tenant0", "cluster": "Replica0"}


class Watch:
    """A history that is fed job documents at given times; each read takes from `start` to `end`."""

    def __init__(self, family: str = "flex") -> None:
        self.family = family
        resource = OPERATIONS[READ_OF[family]].resource
        self.history = JobHistory(JOB, resource, PROJECT, CLUSTERS[family])

    def see(
        self,
        document: dict[str, Any],
        start: float,
        end: float | None = None,
        *,
        created: bool = False,
        operation: str | None = None,
    ) -> Judgement:
        name = operation or (CREATE_OF if created else READ_OF)[self.family]
        verdicts = Verdicts(name)
        stop = start + 0.5 if end is None else end
        seen = Observation(start, stop, OPERATIONS[name], document, "/response/body", created)
        observe(self.history, seen, verdicts, Judge())
        return verdicts.judgement()


def told(watch: Watch, *documents: dict[str, Any]) -> list[set[str]]:
    """Feed documents one after another and return what each was found to break."""
    return [failed(watch.see(document, float(i))) for i, document in enumerate(documents)]


# S-FLOW


@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("after", STATUSES)
def test_the_status_moves_forward_only(before: str, after: str) -> None:
    first, second = told(Watch(), flex_job(status=before), flex_job(status=after))
    assert first == set()
    assert ("S-FLOW" in second) == (STATUSES.index(after) < STATUSES.index(before))


@pytest.mark.parametrize(("before", "after"), [("FAILED", "COMPLETED"), ("COMPLETED", "FAILED"), ("FAILED", "RUNNING")])
def test_a_terminal_status_stays(before: str, after: str) -> None:
    assert "S-FLOW" in told(Watch(), flex_job(status=before), flex_job(status=after))[1]


def test_a_terminal_status_stays_even_where_reads_overlap() -> None:
    watch = Watch()
    watch.see(flex_job(status="COMPLETED"), 0, 10)
    assert failed(watch.see(flex_job(status="FAILED"), 1, 9)) == {"S-FLOW"}


def test_reads_that_overlap_may_come_in_either_order() -> None:
    watch = Watch()
    assert watch.see(flex_job(status="COMPLETED"), 0, 10).findings == ()
    assert watch.see(flex_job(status="PENDING"), 1, 9).findings == ()
    assert watch.see(flex_job(status="RUNNING"), 9.5, 11).findings == ()
    assert failed(watch.see(flex_job(status="RUNNING"), 10.5, 12)) == {"S-FLOW"}


def test_an_answer_that_comes_late_is_judged_by_when_it_was_asked_for() -> None:
    watch = Watch()
    watch.see(flex_job(status="RUNNING"), 5, 6)
    assert watch.see(flex_job(status="PENDING"), 1, 2).findings == ()
    assert failed(watch.see(flex_job(status="COMPLETED"), 3, 4)) == {"S-FLOW"}


def test_a_backward_step_across_forward_ones_is_found() -> None:
    watch = Watch()
    for i, status in enumerate(STATUSES):
        assert watch.see(flex_job(status=status), float(i)).findings == ()
    assert failed(watch.see(flex_job(status="QUEUED"), 9)) >= {"S-FLOW"}


interval = st.tuples(st.integers(0, 60), st.integers(1, 25))


def level_at(moment: float, steps: list[int]) -> int:
    """How many of the moments of change lie at or before this one."""
    return sum(step <= moment for step in steps)


@settings(max_examples=200, deadline=None)
@given(
    data=st.data(),
    steps=st.lists(st.integers(0, 80), min_size=3, max_size=3).map(sorted),
    reads=st.lists(interval, min_size=1, max_size=12),
)
def test_reads_of_a_job_that_moves_forward_yield_nothing(
    data: st.DataObject, steps: list[int], reads: list[tuple[int, int]]
) -> None:
    """Each read is served at some moment within its interval; whatever the order they are fed in, nothing is wrong."""
    watch = Watch()
    end = {"restoreFinishedDate": "2026-02-23T03:22:08Z"}
    for start, length in data.draw(st.permutations(reads)):
        served = start + length * data.draw(st.sampled_from([0.01, 0.25, 0.5, 0.75, 0.99]))
        status = STATUSES[level_at(served, steps)]
        progress = {"percentage": level_at(served, steps)} | (
            end if status == "COMPLETED" else {"expirationDate": None}
        )
        assert watch.see(flex_job(status=status, **progress), start, start + length).findings == ()


@settings(max_examples=150, deadline=None)
@given(
    reads=st.lists(st.tuples(interval, st.integers(0, 3)), min_size=2, max_size=10),
    order=st.randoms(use_true_random=False),
)
def test_any_backward_step_between_reads_apart_is_found_and_no_other(
    reads: list[tuple[tuple[int, int], int]], order: Any
) -> None:
    """A finding arises exactly where one read ended before another began and showed a later status."""
    order.shuffle(reads)
    watch = Watch()
    seen: list[tuple[int, int, int]] = []
    for (start, length), rank in reads:
        found = failed(watch.see(flex_job(status=STATUSES[rank]), start, start + length))
        backward = any(
            (end < start and other > rank) or (start + length < begin and other < rank) for begin, end, other in seen
        )
        touching = any(end == start or start + length == begin for begin, end, _ in seen)
        if not touching:
            assert ("S-FLOW" in found) == backward
        elif backward:
            assert "S-FLOW" in found
        seen.append((start, start + length, rank))


def test_reads_that_only_touch_may_come_in_either_order() -> None:
    """Clocks tick coarsely: where one read ends at the tick at which another starts, neither is first."""
    watch = Watch()
    watch.see(flex_job(status="RUNNING"), 1, 2)
    assert watch.see(flex_job(status="PENDING"), 2, 3).findings == ()


def test_recordings_of_one_second_may_come_in_either_order() -> None:
    """A recording that tells whole seconds and no length: two reads in the same second, told in their order."""
    watch = Watch()
    assert watch.see(flex_job(status="PENDING"), 5, 5).findings == ()
    assert watch.see(flex_job(status="RUNNING"), 5, 5).findings == ()
    assert failed(watch.see(flex_job(status="QUEUED"), 6, 6)) == {"S-FLOW"}


# S-FINISHED, S-FIXED, S-SAME


def test_the_end_of_a_job_never_changes() -> None:
    done, moved = flex_job(status="COMPLETED"), flex_job(status="COMPLETED", restoreFinishedDate="2026-02-23T03:23:08Z")
    assert told(Watch(), done, done, moved) == [set(), set(), {"S-FINISHED"}]


FIXED = {
    "projectId": OTHER_PROJECT,
    "snapshotId": SECOND_SNAPSHOT,
    "targetDeploymentItemName": "Other",
    "targetProjectId": OTHER_PROJECT,
    "deliveryType": "DOWNLOAD",
    "restoreScheduledDate": "2026-02-23T03:21:09Z",
    "snapshotFinishedDate": "2026-02-15T17:06:44Z",
}


@pytest.mark.parametrize("field", FIXED)
@pytest.mark.parametrize("gone", [False, True])
def test_what_is_fixed_never_changes_between_reads(field: str, gone: bool) -> None:
    changed = flex_job(status="RUNNING", **{field: None if gone else FIXED[field]})
    assert told(Watch(), flex_job(), changed, flex_job(status="RUNNING")) == [set(), {"S-FIXED"}, set()]


@pytest.mark.parametrize(("family", "field"), [("flex", "instanceName"), ("tenant", "clusterName")])
def test_the_cluster_of_a_job_never_changes(family: str, field: str) -> None:
    make = {"flex": flex_job, "tenant": tenant_job}[family]
    assert told(Watch(family), make(), make(**{field: "Other"}))[1] == {"S-FIXED"}


@pytest.mark.parametrize("field", FIXED)
def test_a_read_after_the_create_shows_the_same_job(field: str) -> None:
    watch = Watch()
    assert watch.see(flex_job(), 0, created=True).findings == ()
    assert failed(watch.see(flex_job(**{field: FIXED[field]}), 1)) == {"S-SAME"}
    same = Watch()
    same.see(flex_job(), 0, created=True)
    judgement = same.see(flex_job(status="QUEUED"), 1)
    assert judgement.findings == ()
    assert "S-SAME" in held(judgement)


def test_what_shows_only_later_is_fixed_from_then_on() -> None:
    """A date that the first read lacks may come; once shown it does not change (S-FIXED)."""
    bare = flex_job(snapshotFinishedDate=None)
    moved = flex_job(snapshotFinishedDate="2026-02-15T17:06:44Z")
    assert told(Watch(), bare, flex_job(), moved) == [set(), set(), {"S-FIXED"}]


# Dedicated clusters


@pytest.mark.parametrize("flag", ["cancelled", "failed", "expired"])
def test_a_flag_once_true_stays(flag: str) -> None:
    up, down = dedicated_job("download", **{flag: True}), dedicated_job("download")
    assert told(Watch("cluster"), down, up, up) == [set(), set(), set()]
    assert "T-FLAGS" in told(Watch("cluster"), up, down)[1]
    watch = Watch("cluster")
    watch.see(up, 0, 10)
    assert watch.see(down, 1, 9).findings == ()


def test_finished_at_stays_and_never_changes() -> None:
    done = dedicated_job(finishedAt="2026-02-23T03:22:08Z")
    moved = dedicated_job(finishedAt="2026-02-23T03:22:09Z")
    assert told(Watch("cluster"), dedicated_job(), done, done) == [set(), set(), set()]
    assert told(Watch("cluster"), done, moved)[1] == {"T-FLAGS"}
    assert "T-FLAGS" in told(Watch("cluster"), done, dedicated_job())[1]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("deliveryType", "download"),
        ("snapshotId", SECOND_SNAPSHOT),
        ("targetClusterName", "Other"),
        ("targetGroupId", OTHER_PROJECT),
        ("timestamp", "2026-02-15T17:06:44Z"),
        ("timestamp", None),
    ],
)
@pytest.mark.parametrize("created", [False, True])
def test_what_is_fixed_of_a_dedicated_job_never_changes(field: str, value: Any, created: bool) -> None:
    watch = Watch("cluster")
    watch.see(dedicated_job(), 0, created=created)
    assert failed(watch.see(dedicated_job(**{field: value}), 1)) == {"T-FLAGS"}


def test_a_timestamp_that_comes_later_is_fixed_from_then_on() -> None:
    bare, moved = dedicated_job(timestamp=None), dedicated_job(timestamp="2026-02-15T17:06:44Z")
    assert told(Watch("cluster"), bare, dedicated_job(), moved) == [set(), set(), {"T-FLAGS"}]


@settings(max_examples=150, deadline=None)
@given(data=st.data(), end=st.integers(0, 80), reads=st.lists(interval, min_size=1, max_size=12), fails=st.booleans())
def test_reads_of_a_dedicated_job_that_ends_yield_nothing(
    data: st.DataObject, end: int, reads: list[tuple[int, int]], fails: bool
) -> None:
    watch = Watch("cluster")
    for start, length in data.draw(st.permutations(reads)):
        served = start + length * data.draw(st.sampled_from([0.01, 0.25, 0.5, 0.75, 0.99]))
        over: dict[str, Any] = {}
        if served >= end:
            over = {"finishedAt": "2026-02-23T03:22:08Z", "failed": fails, "desiredTimestamp": {}}
        assert watch.see(dedicated_job(**over), start, start + length).findings == ()


# L-STABLE


def test_a_finished_job_reads_the_same() -> None:
    done = flex_job(status="COMPLETED")
    later = done | {"expirationDate": "2026-02-24T00:00:00Z"}
    assert told(Watch(), done, done) == [set(), set()]
    assert told(Watch(), done, later)[1] == set()  # it may move
    ended = dedicated_job("automated", finishedAt="2026-02-23T03:22:08Z", desiredTimestamp={"increment": 1})
    assert told(Watch("cluster"), ended, ended | {"desiredTimestamp": {"increment": 2}})[1] == {"L-STABLE"}


def test_what_comes_with_time_is_not_laid_to_a_read() -> None:
    done = dedicated_job("download", finishedAt="2026-02-23T03:22:08Z", deliveryUrl=["https://a.example/"])
    gone = dedicated_job("download", finishedAt="2026-02-23T03:22:08Z", expired=True)
    assert told(Watch("cluster"), done, gone) == [set(), set()]


def test_a_property_that_no_schema_names_may_change_by_itself() -> None:
    """Who knows what it means: a clock, a counter, an estimate."""
    done = flex_job(status="COMPLETED")
    assert told(Watch(), done | {"servedAt": 1}, done | {"servedAt": 2}) == [set(), set()]


def test_stability_is_judged_across_operations_in_turn() -> None:
    watch = Watch("cluster")
    done = dedicated_job(finishedAt="2026-02-23T03:22:08Z", desiredTimestamp={"increment": 1_700_000_000})
    other = done | {"desiredTimestamp": {"increment": 1_700_000_001}}
    watch.see(done, 0, operation="cluster-get")
    watch.see(done, 1, operation="cluster-list")
    assert failed(watch.see(other, 2, operation="cluster-get")) == {"L-STABLE"}


# Memory and determinism


def test_memory_does_not_grow_with_reads() -> None:
    def size(value: object, depth: int = 5) -> int:
        if depth == 0:
            return 1
        if isinstance(value, dict):
            return 1 + sum(size(v, depth - 1) for v in value.values())
        if isinstance(value, list | tuple | set | frozenset):
            return 1 + sum(size(v, depth - 1) for v in value)
        if hasattr(value, "__dict__"):
            return 1 + size(vars(value), depth - 1)
        return 1

    for family, open_job, done in (
        ("flex", flex_job(status="RUNNING"), flex_job(status="COMPLETED")),
        ("cluster", dedicated_job(), dedicated_job(finishedAt="2026-02-23T03:22:08Z")),
    ):
        watch = Watch(family)
        sizes = []
        for i in range(300):
            watch.see(open_job if i < 150 else done, float(i), operation="flex-list" if i % 2 else None)
            sizes.append(size(watch.history))
        assert sizes[10] == sizes[140]
        assert sizes[160] == sizes[299]


def test_the_same_observations_are_judged_the_same() -> None:
    def run() -> list[Judgement]:
        watch = Watch()
        sequence = [flex_job(), flex_job(status="COMPLETED"), flex_job(status="RUNNING", snapshotId=SECOND_SNAPSHOT)]
        return [watch.see(document, float(i)) for i, document in enumerate(sequence)]

    assert run() == run()


def test_a_property_that_no_read_shows_differs_from_the_create_once() -> None:
    watch, shown = Watch(), flex_job(status="PENDING")
    hidden = {name: value for name, value in shown.items() if name != "snapshotId"}
    watch.see(shown, 0, created=True)
    assert failed(watch.see(hidden, 1)) == {"S-SAME"}
    assert failed(watch.see(hidden, 2)) == set()
    assert failed(watch.see(shown, 3)) == set()
    assert failed(watch.see(hidden, 4)) == {"S-FIXED"}
