"""Snapshots: taken, found, followed to their end, restored, deleted; and the jobs that restore them."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.history import JobHistory
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.runner.endpoint import Endpoint
from atlas_conformance.runner.expectations import (
    expect_accepted,
    expect_conforming,
    expect_in_form,
    expect_refused,
    expect_unchanged,
)
from atlas_conformance.runner.exploring import exploring_settings, run_exploring, send_drawn
from atlas_conformance.runner.jobs import created_id, created_jobs, follow_to_the_end, read_again, reads_of
from atlas_conformance.runner.marks import JOB_CREATES, LISTS, covers, on, takes_long
from atlas_conformance.runner.outcomes import Judged
from atlas_conformance.runner.snapshots import listed_snapshots, listing_for, listing_of, reading_of, take_snapshot
from atlas_conformance.strategies.bodies import base_bodies
from atlas_conformance.strategies.scenes import Scene, request_in

_TAKE = Contract.load().operations["snapshot-take"]
_DELETE = Contract.load().operations["snapshot-delete"]
_PLAIN_LIST, _SHARDED_LIST = (
    Contract.load().operations["snapshot-list"],
    Contract.load().operations["sharded-snapshot-list"],
)
_RESTORES = tuple(o for o in JOB_CREATES if o.resource.snapshots is not None)
_SHOWN = ("SNAP-FLOW", "SNAP-DONE", "SNAP-TIME", "SNAP-FIXED", "SNAP-STATUS")
_STORY = ("SNAP-FOUND", *_SHOWN, "SNAP-NEW", "SNAP-RESTORE")
_FOUND = ("SNAP-FOUND", "L-FOUND")
_STATES = 4
"""Looks at a list that may see a snapshot go on, besides the waits of its own."""


@covers(*_STORY, "N-SNAPSHOT", "L-FOUND", "L-STABLE")
@on((_PLAIN_LIST, _SHARDED_LIST))
@takes_long
def test_a_taken_snapshot_is_found_restored_and_deleted(endpoint: Endpoint, operation: Operation) -> None:
    """One snapshot from its request over its restores to its delete, after which nothing finds or restores it."""
    scene = endpoint.scenes_of(operation)[0]
    fitting = scene.real and scene.sharded is operation.sharded
    snapshot = take_snapshot(endpoint, scene) if fitting else None
    if snapshot is None:
        kind = "sharded cluster" if operation.sharded else "replica set"
        endpoint.not_exercised("SNAP-FOUND", operation.id, f"no snapshot of a {kind} could be taken")
        endpoint.not_exercised("SNAP-FOUND", reading_of(operation).id, f"no snapshot of a {kind} could be taken")
        return
    endpoint.adopt(snapshot)
    read, listing = reading_of(operation), listing_of(operation)
    with endpoint.in_passing():  # what a snapshot shows by now depends on time
        for get in _reads(operation):
            if endpoint.offers(get.id):
                expect_in_form(endpoint, endpoint.send(request_in(get, scene, snapshot)))
    _until(endpoint, lambda: snapshot in listed_snapshots(endpoint, operation, scene))
    history = _history(endpoint, snapshot, scene)
    follow_to_the_end(endpoint, [(read, history)] if endpoint.offers(read.id) else [], staggered=False)
    listed = request_in(listing, scene, query={"itemsPerPage": "500"} if listing.paged else {})
    expect_conforming(endpoint, endpoint.send(listed), to=_FOUND)
    if operation.sharded and endpoint.offers(_PLAIN_LIST.id):
        # Where neither list has it, it is found nowhere.
        plain = request_in(_PLAIN_LIST, scene, query={"itemsPerPage": "500"})
        expect_in_form(endpoint, endpoint.send(plain))
    if endpoint.offers(read.id):
        with endpoint.in_passing():  # whether it was read in its end state before depends on time
            first = endpoint.send(request_in(read, scene, snapshot))
        answers = endpoint.send_all([request_in(read, scene, snapshot)] * 2)
        expect_unchanged(endpoint, [first, *answers], by=("L-STABLE", "SNAP-FIXED"))
    restored = _restore(endpoint, scene, snapshot)
    expect_conforming(endpoint, restored, to="SNAP-RESTORE")
    if not endpoint.offers(_DELETE.id):
        return
    # A 204 is empty in every form.
    query = {"envelope": "true", "pretty": "true"} if operation.sharded else None
    deleted = endpoint.send(request_in(_DELETE, scene, snapshot, query=query))
    expect_conforming(endpoint, deleted, to="C-STATUS")
    if history.deleted_ended is None:
        return
    _until(endpoint, lambda: _is_gone(endpoint, operation, scene, snapshot))
    if endpoint.offers(read.id):
        gone = endpoint.send(request_in(read, scene, snapshot))
        expect_refused(endpoint, gone, by="SNAP-FOUND")
    expect_conforming(endpoint, endpoint.send(listed), to=_FOUND)
    expect_in_form(endpoint, endpoint.send(request_in(_DELETE, scene, snapshot)))
    expect_refused(endpoint, _restore(endpoint, scene, snapshot), by="SNAP-RESTORE")
    with endpoint.in_passing():  # whether a job has ended by then is a matter of time
        answers = read_again(endpoint, reads_of(created_jobs(endpoint, restored)))
    expect_unchanged(endpoint, answers, by="T-FLAGS")


def _reads(listing: Operation) -> list[Operation]:
    """Return what reads a snapshot of a list; of a sharded cluster's one of two reads has to find it, this one last."""
    read = reading_of(listing)
    return [reading_of(_PLAIN_LIST), read] if listing.sharded else [read]


def _history(endpoint: Endpoint, snapshot: str, scene: Scene) -> JobHistory:
    return next(
        seen
        for seen in endpoint.chronicle.snapshots()
        if (seen.job, seen.place) == (snapshot, (scene.project, scene.cluster))
    )


def _until(endpoint: Endpoint, holds: Callable[[], bool]) -> None:
    """Wait until something holds, as long as the contract lets an endpoint take; how often is asked does not count."""
    seconds = endpoint.chronicle.contract.settled_within + 1.0
    with endpoint.waiting((seconds, seconds)) as again, endpoint.in_passing():
        while not holds() and again():
            pass


def _is_gone(endpoint: Endpoint, listing: Operation, scene: Scene, snapshot: str) -> bool:
    """Look for a deleted snapshot in the list and by its id: both have the same time to lose it."""
    read = reading_of(listing)
    judged = endpoint.send(request_in(read, scene, snapshot)) if endpoint.offers(read.id) else None
    listed = snapshot in listed_snapshots(endpoint, listing, scene)
    return not listed and (judged is None or judged.status != 200)


def _restore(endpoint: Endpoint, scene: Scene, snapshot: str) -> list[Judged | None]:
    """Restore a snapshot by every create of dedicated clusters, and read each job once; return the creates' answers."""
    answers = []
    for create in _RESTORES:
        if create.cluster_kind != _TAKE.cluster_kind or not endpoint.offers(create.id):
            continue
        for body in base_bodies(create, scene):
            if "snapshotId" in body.document:
                document = body.document | {"snapshotId": snapshot}
                answers.append(endpoint.send(request_in(create, scene, document=document)))
    expect_conforming(endpoint, read_again(endpoint, reads_of(created_jobs(endpoint, answers))), to="T-FLAGS")
    return answers


@covers("SNAP-RESTORE", "B-ACCEPT")
@on(_RESTORES)
def test_what_a_list_shows_completed_can_be_restored(endpoint: Endpoint, operation: Operation) -> None:
    """Snapshots that were there before are listed, restored, and the job shows their date."""
    lists = [
        o
        for o in endpoint.contract.operations.values()
        if o.resource is operation.resource.snapshots and o.kind == "list"
    ]
    lists = [listing for listing in lists if endpoint.offers(listing.id)]
    for scene in endpoint.scenes_of(operation)[:2]:
        listing = next((o for o in lists if o.sharded is scene.sharded), None)
        if listing is None or not scene.real:
            continue
        with endpoint.in_passing():
            done = listing.resource.restorable
            shown = [s for s, status in listed_snapshots(endpoint, listing, scene).items() if status == done]
        wanted = [snapshot for snapshot in shown if snapshot in scene.snapshots] or shown
        bodies = [b.document for b in base_bodies(operation, scene) if "snapshotId" in b.document]
        documents = [body | {"snapshotId": wanted[0]} for body in bodies] if wanted else []
        for document in documents:
            answer = endpoint.send(request_in(operation, scene, document=document))
            expect_accepted(endpoint, answer, showing="SNAP-RESTORE")
            job = created_id(endpoint, answer)
            if job is None:
                continue
            endpoint.adopt(job)
            read = endpoint.contract.operations[operation.links["read"]]
            if endpoint.offers(read.id):
                answer = endpoint.send(request_in(read, scene, job))
                expect_conforming(endpoint, answer, to="SNAP-RESTORE")
            jobs = endpoint.contract.find(f"{operation.cluster_kind} job", "list")
            if jobs is not None and endpoint.offers(jobs.id):
                answer = endpoint.send(request_in(jobs, scene, query={"itemsPerPage": "500"}))
                expect_conforming(endpoint, answer, to="SNAP-RESTORE")
        return
    endpoint.not_exercised("SNAP-RESTORE", operation.id, "no list shows a snapshot that can be restored")


@covers("SNAP-FLOW", "SNAP-DONE", "SNAP-TIME", "SNAP-FIXED", "SNAP-STATUS", "L-STABLE", "L-FOUND", "L-SCOPE")
@on(tuple(o for o in LISTS if o.resource.what == "snapshot"))
def test_snapshots_that_are_there_move_forward(endpoint: Endpoint, operation: Operation) -> None:
    """A list is read several times, and each snapshot that it shows by its id."""
    scene = endpoint.scenes_of(operation)[0]
    if not scene.real or scene.sharded is not operation.sharded:
        return
    read = reading_of(operation)
    _list_elsewhere(endpoint, operation)
    with endpoint.waiting((1.5, 5.0)) as again, endpoint.in_passing():
        for _ in range(_STATES):
            shown = listed_snapshots(endpoint, operation, scene)
            if endpoint.offers(read.id):
                answers = endpoint.send_all(request_in(read, scene, s) for s in list(shown)[:_STATES])
                expect_conforming(endpoint, answers, to=_SHOWN)
            if not again():
                break
    for snapshot in [s for s in scene.snapshots if s in shown][:1] or list(shown)[:1]:
        endpoint.adopt(snapshot)
        query = {"itemsPerPage": "500"} if operation.paged else None
        listed = endpoint.send(request_in(operation, scene, query=query))
        expect_conforming(endpoint, listed, to=("L-FOUND", "L-SCOPE"))
        if endpoint.offers(read.id):
            sent = request_in(read, scene, snapshot)
            with endpoint.in_passing():  # whether another test has read it before must not count
                first = endpoint.send(sent)
            answers = endpoint.send_all([sent] * 2)
            expect_unchanged(endpoint, [first, *answers], by=("L-STABLE", "SNAP-FIXED"))


def _list_elsewhere(endpoint: Endpoint, operation: Operation) -> None:
    """List the snapshots of other clusters of the kind, so that none of them may stand in this one's list."""
    with endpoint.in_passing():
        for scene in endpoint.scenes(operation.cluster_kind)[:3]:
            listed_snapshots(endpoint, listing_for(operation, scene), scene)


@covers(*_STORY, "L-FOUND", "L-SCOPE")
@takes_long
def test_snapshots_and_restores_interleave(endpoint: Endpoint) -> None:
    """Whatever order snapshots are taken, read, listed, restored and deleted in, each one's story holds."""
    scenes = [scene for scene in endpoint.scenes(_TAKE.cluster_kind)[:3] if scene.real]
    if not scenes or not endpoint.offers(_TAKE.id) or endpoint.client.guard.snapshots_left is not None:
        return
    restores = [o for o in _RESTORES if o.cluster_kind == _TAKE.cluster_kind and endpoint.offers(o.id)]

    class Stories(RuleBasedStateMachine):
        """Takes, reads, restores and deletes snapshots; what the answers must be is the chronicle's business."""

        @initialize()
        def begin(self) -> None:
            self.taken: list[tuple[str, Scene]] = []

        @rule(which=st.integers(0, len(scenes) - 1))
        def take(self, which: int) -> None:
            with endpoint.in_passing():
                snapshot = take_snapshot(endpoint, scenes[which])
            if snapshot is not None:
                self.taken.append((snapshot, scenes[which]))

        @rule(which=st.integers(0, 7), times=st.integers(1, 3), sharded=st.booleans())
        def read(self, which: int, times: int, sharded: bool) -> None:
            if self.taken:
                snapshot, scene = self.taken[which % len(self.taken)]
                read = reading_of(_SHARDED_LIST if scene.sharded is not (sharded and which == 0) else _PLAIN_LIST)
                if endpoint.offers(read.id):
                    self._expect(_STORY, *[request_in(read, scene, snapshot)] * times)

        @rule(which=st.integers(0, 7), other=st.integers(0, 7))
        def read_through_another(self, which: int, other: int) -> None:
            if self.taken:
                snapshot, elsewhere = self.taken[which % len(self.taken)][0], self.taken[other % len(self.taken)][1]
                read = reading_of(_SHARDED_LIST if elsewhere.sharded else _PLAIN_LIST)
                if endpoint.offers(read.id):
                    self._expect((*_STORY, "L-SCOPE"), request_in(read, elsewhere, snapshot))

        @rule(which=st.integers(0, len(scenes) - 1))
        def read_a_list(self, which: int) -> None:
            with endpoint.in_passing():
                listed_snapshots(endpoint, _SHARDED_LIST if scenes[which].sharded else _PLAIN_LIST, scenes[which])

        @rule(which=st.integers(0, 7), by=st.integers(0, 3))
        def restore(self, which: int, by: int) -> None:
            if self.taken and restores:
                snapshot, scene = self.taken[which % len(self.taken)]
                create = restores[by % len(restores)]
                body = base_bodies(create, scene)[by % 2].document | {"snapshotId": snapshot}
                self._expect(("SNAP-RESTORE", "B-ACCEPT"), request_in(create, scene, document=body))

        @rule(which=st.integers(0, 7))
        def delete(self, which: int) -> None:
            if self.taken and endpoint.offers(_DELETE.id):
                snapshot, scene = self.taken[which % len(self.taken)]
                self._expect(("SNAP-FOUND", "C-STATUS"), request_in(_DELETE, scene, snapshot))

        def _expect(self, to: tuple[str, ...], *requests: Request) -> None:
            with endpoint.in_passing():  # what a snapshot shows by now depends on time
                expect_conforming(endpoint, send_drawn(endpoint, requests), to=to)

    seed(endpoint.random(endpoint.context.name).getrandbits(64))(Stories)
    profile = endpoint.profile
    settings = exploring_settings(endpoint, profile.machine_runs, profile.machine_steps)
    run_exploring(endpoint, lambda: run_state_machine_as_test(Stories, settings=settings))
