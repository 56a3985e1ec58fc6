"""The checks of what a request names: whether it exists, where, and of which kind it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atlas_conformance.contracts.inventory import Kind
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.messages import Call, Refusal
from atlas_conformance.reference.negotiation import gone

_WRONG_KIND: Mapping[Kind | None, str] = {"flex": "CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API"}
"""Error codes for a cluster of another kind, by the kind that an operation serves."""


def check_group_exists(backend: Backend, call: Call) -> None:
    """Refuse a project that does not exist (`N-GROUP`)."""
    if call.project not in backend.fixtures.projects:
        status = int(backend.free["absent-group"])
        raise Refusal(status, "GROUP_NOT_FOUND", "There is no such project.", parameters=(call.project[:64],))


def check_cluster_exists(backend: Backend, call: Call) -> None:
    """Refuse a cluster that does not exist (`N-CLUSTER`); note one that exists."""
    call.cluster = backend.fixtures.clusters.get((call.project, call.cluster_name))
    if call.cluster is None:
        raise Refusal(404, "CLUSTER_NOT_FOUND", "There is no such cluster.", parameters=(call.cluster_name[:64],))


def check_cluster_kind(backend: Backend, call: Call) -> None:
    """Refuse a cluster of another kind than the operation's (`N-CLUSTER`)."""
    if call.cluster is None or call.operation is None:
        return
    kind, wanted = call.cluster.kind, call.operation.cluster_kind
    if kind == wanted:
        return
    if kind in call.operation.resource.kindred_kinds:
        if backend.free["flex-through-tenant"] == "taken":
            return
        if backend.free["flex-through-tenant"] == "gone":
            raise gone()
    code = _WRONG_KIND.get(wanted, "CLUSTER_OF_WRONG_KIND")
    status = int(backend.free["wrong-kind-cluster"])
    raise Refusal(status, code, "This operation serves another kind of cluster.", parameters=(call.cluster_name,))


def find_job(backend: Backend, call: Call) -> None:
    """Refuse a job that does not exist (`N-JOB`); note one that exists."""
    call.job = backend.jobs.find(call.job_id)
    if call.job is None:
        raise _no_job(404)


def check_job_project(backend: Backend, call: Call) -> None:
    """Refuse to show a job through another project (`L-SCOPE`)."""
    if call.job is not None and call.job.project != call.project:
        raise _no_job(int(backend.free["foreign-job"]))


def check_job_cluster(backend: Backend, call: Call) -> None:
    """Refuse to show a job through another cluster (`L-SCOPE`)."""
    if call.job is not None and call.job.cluster != call.cluster_name:
        raise _no_job(int(backend.free["foreign-job"]))


def check_cancellable(backend: Backend, call: Call) -> None:
    """Refuse to cancel a job that has ended (`T-CANCEL`)."""
    if call.job is not None and call.job.is_over(call.now) and backend.free["cancel-finished"] != "204":
        status = int(backend.free["cancel-finished"])
        headers = (("Allow", "GET"),) if status == 405 else ()
        raise Refusal(status, "CANNOT_CANCEL_FINISHED_RESTORE_JOB", "The restore job has ended.", headers=headers)


def _no_job(status: int) -> Refusal:
    return Refusal(status, "RESTORE_JOB_NOT_FOUND", "There is no such restore job on this cluster.")


def find_snapshot(backend: Backend, call: Call) -> None:
    """Refuse a snapshot in the path that does not exist (`N-SNAPSHOT`); note one that exists."""
    call.snapshot = backend.snapshots.find(call.job_id)
    if call.snapshot is None:
        raise _no_snapshot(404)


def check_snapshot_project(backend: Backend, call: Call) -> None:
    """Refuse to show a snapshot through another project (`L-SCOPE`)."""
    if call.snapshot is not None and call.snapshot.project != call.project:
        raise _no_snapshot(int(backend.free["foreign-job"]))


def check_snapshot_cluster(backend: Backend, call: Call) -> None:
    """Refuse to show a snapshot through another cluster (`L-SCOPE`)."""
    if call.snapshot is not None and call.snapshot.cluster != call.cluster_name:
        raise _no_snapshot(int(backend.free["foreign-job"]))


def check_parts(backend: Backend, call: Call) -> None:
    """Refuse to show a sharded cluster's snapshot as a replica set's, and the other way round."""
    operation, cluster = call.operation, call.cluster
    if operation is None or cluster is None or operation.kind != "get":
        return
    if operation.sharded != cluster.sharded:
        raise _no_snapshot(404)


def check_sharded(backend: Backend, call: Call) -> None:
    """Refuse to list the snapshots of a replica set as a sharded cluster's, if the endpoint is set to."""
    choice = backend.free["sharded-on-replica-set"]
    if call.cluster is not None and not call.cluster.sharded and choice != "empty":
        raise Refusal(int(choice), "CLUSTER_NOT_SHARDED", "The cluster is not sharded.")


def check_second_take(backend: Backend, call: Call) -> None:
    """Refuse to take a snapshot while another one is under way, if the endpoint is set to."""
    choice = backend.free["second-take"]
    if choice != "taken" and backend.snapshots.under_way(call.project, call.cluster_name, call.now):
        raise Refusal(int(choice), "SNAPSHOT_IN_PROGRESS", "A snapshot of the cluster is under way.")


def _no_snapshot(status: int) -> Refusal:
    return Refusal(status, "SNAPSHOT_NOT_FOUND", "There is no such snapshot of this cluster.")


def check_unfinished(backend: Backend, call: Call) -> None:
    """Refuse to restore a snapshot that is not done, if the endpoint is set to."""
    snapshot, choice = backend.snapshots.find(call.fields.get("snapshotId")), backend.free["unfinished-snapshot"]
    if snapshot is not None and choice != "taken" and call.now < snapshot.done:
        raise Refusal(int(choice), "SNAPSHOT_NOT_COMPLETED", "The snapshot is not done yet.")


def check_snapshot(backend: Backend, call: Call) -> None:
    """Refuse a snapshot that does not exist (`N-SNAPSHOT`)."""
    wanted = call.fields.get("snapshotId")
    if isinstance(wanted, str) and backend.snapshots.find(wanted) is None:
        raise Refusal(int(backend.free["absent-snapshot"]), "SNAPSHOT_NOT_FOUND", "There is no such snapshot.")


def check_snapshot_owner(backend: Backend, call: Call) -> None:
    """Refuse a snapshot of another cluster (400 or 404)."""
    wanted = call.fields.get("snapshotId")
    snapshot = backend.snapshots.find(wanted)
    if snapshot is not None and (snapshot.project, snapshot.cluster) != (call.project, call.cluster_name):
        raise Refusal(int(backend.free["foreign-snapshot"]), "SNAPSHOT_NOT_FOUND", "The cluster has no such snapshot.")


def check_target(backend: Backend, call: Call) -> None:
    """Refuse a target that does not exist, is of the wrong kind or is busy, if the endpoint is set to."""
    project, name = backend.target_of(call)
    if not isinstance(project, str) or not isinstance(name, str):
        return
    target = backend.fixtures.targets.get((project, name))
    if target is None:
        _refuse_target(backend.free["absent-target"], "TARGET_NOT_FOUND", "There is no such restore target.")
    elif call.cluster is not None and call.cluster.kind not in target.accepts:
        _refuse_target(backend.free["wrong-kind-target"], "TARGET_OF_WRONG_KIND", "The target takes no such restore.")
    elif backend.free["busy-target"] != "200" and backend.jobs.is_busy(project, name, call.now):
        _refuse_target(backend.free["busy-target"], "TARGET_BUSY", "The target is being restored to.")


def check_target_possible(backend: Backend, call: Call) -> None:
    """Refuse a target that takes no restore: one that is encrypted at rest, or of another version (`N-TARGET`)."""
    project, name = backend.target_of(call)
    target = backend.fixtures.targets.get((project, name)) if isinstance(name, str) else None
    if target is not None and target.impossible is not None:
        _refuse_target(backend.free["impossible-target"], "TARGET_IMPOSSIBLE", f"No restore: {target.impossible}.")


def _refuse_target(choice: str, code: str, detail: str) -> None:
    if choice != "200":
        raise Refusal(int(choice), code, detail)


def check_window(backend: Backend, call: Call) -> None:
    """Refuse a point in time outside the restore window, if the endpoint is set to."""
    if call.fields.get("deliveryType") != "pointInTime" or backend.free["point-outside-window"] == "taken":
        return
    if call.cluster is None:
        return
    first = backend.fixtures.window(call.cluster)
    for name in ("pointInTimeUTCSeconds", "oplogTs"):
        moment: Any = call.fields.get(name)
        if isinstance(moment, int) and not first <= moment <= call.now:
            raise Refusal(400, "POINT_IN_TIME_OUTSIDE_WINDOW", "The restore window does not hold that moment.")
