"""The checks of a request's target: its length, what its path names, its flags."""

from __future__ import annotations

from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.bodies import is_cluster_name, is_identifier
from atlas_conformance.reference.messages import Call, Refusal

TARGET_LIMIT = 8_192
"""The longest request target that is read, in bytes."""


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
