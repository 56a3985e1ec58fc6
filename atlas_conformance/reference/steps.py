"""The checks of a request outside its body, and the order in which each operation's checks run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from email.utils import formatdate
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.bodies import Check, body_steps, is_cluster_name, is_identifier
from atlas_conformance.reference.messages import Call, Refusal

TARGET_LIMIT = 8_192
"""The longest request target that is read, in bytes."""

ADVERTISED_RATE = 1_200
"""Requests a minute that the rate headers show where no limit is set."""

VERSIONS = Contract.load().versions
"""The dates of every version that the vendor has published."""


@dataclass(frozen=True, slots=True)
class Step:
    """A named check of an operation's pipeline."""

    name: str
    check: Check


# Who calls


def check_credentials(backend: Backend, call: Call) -> None:
    """Refuse a call without valid credentials with 401, before anything else is looked at (`A-NONE`, `A-WRONG`,
    `A-BEFORE`).
    """
    call.role = backend.authentication.role_of(call)


def check_access_list(backend: Backend, call: Call) -> None:
    """Refuse an address outside the API access list (`A-LIST`)."""
    if call.role == "off-list":
        status = int(backend.free["off-list"])
        raise Refusal(status, "IP_ADDRESS_NOT_ON_ACCESS_LIST", "The address is not on the API access list.")


def check_rate(backend: Backend, call: Call) -> None:
    """Count the call, and refuse it where its caller's minute is used up (`A-RATE`)."""
    if backend.rate is None:
        return
    minute = int(call.wall // 60)
    seen, used = backend.used.get(call.role or "", (minute, 0))
    used = used if seen == minute else 0
    backend.used[call.role or ""] = (minute, used + 1)
    if used >= backend.rate:
        left = 60 - int(call.wall % 60)
        waits = {"seconds": str(left), "date": formatdate(call.wall + left, usegmt=True)}
        wait = waits.get(backend.free["retry-after"])
        headers = () if wait is None else (("Retry-After", wait),)
        raise Refusal(429, "RATE_LIMITED", "Too many requests in this minute.", headers=headers)


def check_role(backend: Backend, call: Call) -> None:
    """Refuse what a lesser role than Project Owner may not do (`A-ROLE`)."""
    assert call.operation is not None
    choice = backend.free["reader-reads" if call.operation.kind in {"get", "list"} else "reader-writes"]
    if call.role == "reader" and choice != "200":
        raise Refusal(int(choice), "USER_UNAUTHORIZED", "The Project Owner role is needed.")


# The request target


def check_length(backend: Backend, call: Call) -> None:
    """Refuse a request target that is too long."""
    if len(call.target) > TARGET_LIMIT:
        status = int(backend.free["long-target"])
        raise Refusal(status, "URI_TOO_LONG", f"A request target may have at most {TARGET_LIMIT} bytes.")


def _malformed(backend: Backend, call: Call, part: str, code: str, detail: str) -> Refusal:
    """Return the refusal of a part of the path, which a 400 names (`E-FIELDS`)."""
    assert call.operation is not None
    status = int(backend.free[f"malformed-{part}"])
    named = call.operation.roles.get({"group": "project", "name": "cluster"}.get(part, part), part)
    return Refusal(status, code, detail, fields=((named, detail),) if status == 400 else ())


def check_group(backend: Backend, call: Call) -> None:
    """Refuse a malformed project (`P-GROUP`)."""
    if not is_identifier(call.project):
        raise _malformed(backend, call, "group", "INVALID_GROUP_ID", "The project is not 24 hexadecimal digits.")


def check_name(backend: Backend, call: Call) -> None:
    """Refuse a malformed cluster name (`P-NAME`)."""
    if not is_cluster_name(call.cluster_name):
        raise _malformed(
            backend, call, "name", "INVALID_CLUSTER_NAME", "The cluster name has a form that is not allowed."
        )


def check_job(backend: Backend, call: Call) -> None:
    """Refuse a malformed job (`P-JOB`)."""
    if not is_identifier(call.job_id):
        raise _malformed(backend, call, "job", "INVALID_RESTORE_JOB_ID", "The job is not 24 hexadecimal digits.")


def check_snapshot_id(backend: Backend, call: Call) -> None:
    """Refuse a malformed snapshot (`P-SNAPSHOT`)."""
    if not is_identifier(call.job_id):
        detail = "The snapshot is not 24 hexadecimal digits."
        raise _malformed(backend, call, "snapshot", "INVALID_SNAPSHOT_ID", detail)


def check_flags(backend: Backend, call: Call) -> None:
    """Refuse a flag that is no boolean, if the endpoint is set to (`V-QUERY`)."""
    if call.query_string and backend.free["junk-flag"] == "refused":
        for name, value in call.query:
            if name in {"envelope", "pretty", "includeCount"} and value not in {"true", "false"}:
                raise Refusal(400, "INVALID_QUERY_PARAMETER", f"{name} must be true or false.", parameters=(name,))


# What exists


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
    if wanted == "tenant" and kind == "flex":
        if backend.free["flex-through-tenant"] == "taken":
            return
        if backend.free["flex-through-tenant"] == "gone":
            raise _gone()
    code = "CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API" if wanted == "flex" else "CLUSTER_OF_WRONG_KIND"
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
    if operation is None or cluster is None or operation.cluster_kind != "dedicated" or operation.kind != "get":
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


# What may be answered


def negotiate(backend: Backend, call: Call) -> None:
    """Settle the media type of a success (`C-MEDIA`, `V-FLOOR`), or refuse with 406."""
    assert call.operation is not None
    offered = call.operation.media_type or "application/vnd.atlas.2023-01-01+json"
    call.media_type = offered
    ranges = [one for one in map(media_range, (call.accept or "*/*").split(",")) if one]
    if offered in ranges:
        return
    versioned = call.operation.api == "v2"
    choices = set()
    for one in ranges:
        if one in {"*/*", "application/*", "application/json"}:
            choices.add(backend.free["unversioned-accept"] if versioned else "200")
        elif (asked := version_of(one)) is not None:
            choices.add(_choice(backend, asked, version_of(offered)) if versioned else "200")
    if "200" not in choices:
        if choices == {"410"}:
            raise _gone()
        raise Refusal(406, "NOT_ACCEPTABLE", f"This resource answers with {offered}.")


def _choice(backend: Backend, asked: date, own: date | None) -> str:
    """Return what becomes of a request for the version of a date."""
    if own is not None and asked < own:
        return backend.free["early-date"]
    return "200" if asked.isoformat() in VERSIONS else backend.free["unpublished-date"]


def _gone() -> Refusal:
    return Refusal(410, "RESOURCE_REMOVED", "The vendor has removed this operation, or this version of it.")


def check_sunset(backend: Backend, call: Call) -> None:
    """Answer 410 to an operation that the vendor has removed, if the endpoint is set to."""
    if call.operation is not None and call.operation.sunset and backend.free["sunset"] == "gone":
        raise _gone()


def media_range(part: str) -> str:
    """Return one media range of an Accept header in lower case, or nothing where its weight is zero."""
    essence, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q" and value.strip().rstrip("0") in {"", "."}:
            return ""
    return essence


def version_of(media_type: str) -> date | None:
    """Return the date of a versioned media type, None where it has none."""
    prefix, suffix = "application/vnd.atlas.", "+json"
    if not (media_type.startswith(prefix) and media_type.endswith(suffix)):
        return None
    text = media_type[len(prefix) : -len(suffix)]
    if len(text) != 10 or not text.isascii():
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


# The order

_WHO: Mapping[str, Check] = {
    "A-NONE": check_credentials,
    "A-LIST": check_access_list,
    "A-RATE": check_rate,
    "target-length": check_length,
}
_PATH: Mapping[str, Check] = {"P-GROUP": check_group, "P-NAME": check_name}
_SUNSET: Mapping[str, Check] = {"free/sunset": check_sunset}
_EXISTS: Mapping[str, Check] = {
    "A-ROLE": check_role,
    "N-GROUP": check_group_exists,
    "N-CLUSTER": check_cluster_exists,
    "N-CLUSTER/kind": check_cluster_kind,
}
_SAID: Mapping[str, Check] = {"V-QUERY": check_flags, "V-FLOOR": negotiate}
_JOB: Mapping[str, Check] = {
    "N-JOB": find_job,
    "L-SCOPE/project": check_job_project,
    "L-SCOPE/cluster": check_job_cluster,
}
_SNAPSHOT: Mapping[str, Check] = {
    "N-SNAPSHOT": find_snapshot,
    "L-SCOPE/project": check_snapshot_project,
    "L-SCOPE/cluster": check_snapshot_cluster,
    "free/parts": check_parts,
}
_REFERENCES: Mapping[str, Check] = {
    "N-SNAPSHOT": check_snapshot,
    "free/foreign-snapshot": check_snapshot_owner,
    "free/unfinished-snapshot": check_unfinished,
    "free/target": check_target,
    "N-TARGET": check_target_possible,
    "free/window": check_window,
}


def pipeline(operation: Operation | None, free: Mapping[str, str]) -> tuple[Step, ...]:
    """Return the steps of an operation, or of a path or method that no operation has (None).

    Of the freedoms count "check-order", mistakes in the body are reported before or after what does not exist, and
    "reference-order", which of the things that a body names is looked for first.
    """
    if operation is None:
        return _steps(_WHO)
    path = {**_PATH, "P-JOB": check_job} if operation.parameter("job") is not None else _PATH
    if operation.parameter("snapshot") is not None:
        path = {**_PATH, "P-SNAPSHOT": check_snapshot_id}
    first = [_WHO, path, _SUNSET]
    if free["malformed-path"] == "before-credentials":
        first = [path, _WHO, _SUNSET]
    if operation.kind == "create":
        parts = [_EXISTS, _SAID, body_steps(operation)]
        if free["check-order"] == "body-first":
            parts.reverse()
        if operation.resource.what == "snapshot":
            return _steps(*first, *parts, {"free/second-take": check_second_take})
        references = dict(_REFERENCES)
        if free["reference-order"] == "target-first":
            references = {"free/target": references["free/target"], **references}
        return _steps(*first, *parts, references)
    if operation.kind == "list":
        return _steps(*first, _EXISTS, _SAID, {"free/sharded": check_sharded} if operation.sharded else {})
    if operation.resource.what == "snapshot":
        return _steps(*first, _EXISTS, _SAID, _SNAPSHOT)
    last = {"T-CANCEL/ended": check_cancellable} if operation.kind == "cancel" else {}
    return _steps(*first, _EXISTS, _SAID, _JOB, last)


def _steps(*parts: Mapping[str, Check]) -> tuple[Step, ...]:
    return tuple(Step(name, check) for part in parts for name, check in part.items())
