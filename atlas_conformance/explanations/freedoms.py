"""Which freedoms of an endpoint lie near a requirement: what it leaves open, or what decides where it binds."""

from __future__ import annotations

from collections.abc import Mapping

from atlas_conformance.reference.freedoms import FREEDOMS

_NEAR: Mapping[str, tuple[str, ...]] = {
    "null-optional": ("B-TYPE", "B-REQUIRED", "B-ACCEPT"),
    "float-integer": ("B-TYPE", "B-RANGE"),
    "unknown-properties": ("B-UNKNOWN",),
    "download-with-target": ("T-TARGET", "T-ONLY-TARGET"),
    "both-points": ("T-POINT", "T-ONLY-POINT", "T-ECHO"),
    "point-with-snapshot": ("T-POINT", "T-SNAPSHOT", "T-ECHO"),
    "point-outside-window": ("T-POINT", "B-RANGE"),
    "seconds-beside-half-pair": ("T-POINT",),
    "meaningless-fields": ("T-ONLY-POINT", "B-TYPE", "B-RANGE"),
    "absent-target": ("B-ACCEPT", "T-TARGET", "N-TARGET", "N-CLUSTER"),
    "wrong-kind-target": ("B-ACCEPT", "N-TARGET", "N-CLUSTER"),
    "busy-target": ("B-ACCEPT", "T-NEW", "S-NEW"),
    "absent-snapshot": ("N-SNAPSHOT",),
    "foreign-snapshot": ("N-SNAPSHOT",),
    "flex-through-tenant": ("N-CLUSTER",),
    "content-type": ("B-JSON", "B-ACCEPT"),
    "versioned-content-type": ("B-ACCEPT",),
    "unversioned-accept": ("V-FLOOR", "C-MEDIA", "C-STATUS"),
    "early-date": ("V-FLOOR", "C-STATUS"),
    "v1-slash": ("C-STATUS",),
    "junk-flag": ("V-QUERY", "V-ENVELOPE", "V-PRETTY"),
    "page-range": ("L-PAGE",),
    "count-unasked": ("L-PAGE", "L-TOTAL"),
    "wrong-method": ("C-STATUS", "C-ALLOW"),
    "malformed-group": ("P-GROUP",),
    "malformed-name": ("P-NAME",),
    "malformed-job": ("P-JOB",),
    "wrong-kind-cluster": ("N-CLUSTER",),
    "foreign-job": ("L-SCOPE",),
    "cancel-finished": ("T-CANCEL",),
    "extended-absent": ("C-STATUS",),
    "check-order": ("P-GROUP", "P-NAME", "P-JOB", "B-JSON", "A-BEFORE"),
    "reference-order": ("N-SNAPSHOT",),
    "reader-reads": ("A-ROLE",),
    "malformed-snapshot": ("P-SNAPSHOT",),
    "unfinished-snapshot": ("SNAP-RESTORE", "N-SNAPSHOT", "B-ACCEPT"),
    "second-take": ("B-ACCEPT", "SNAP-NEW"),
    "empty-take": ("B-JSON", "B-ACCEPT"),
    "long-retention": ("B-RANGE", "B-ACCEPT"),
    "no-description": ("SNAP-NEW",),
    "sharded-on-replica-set": ("L-FOUND", "L-PAGE"),
    "download-done": ("S-NEW", "S-URL"),
    "envelope-key": ("V-ENVELOPE",),
    "envelope-on-error": ("V-ENVELOPE", "E-SCHEMA"),
    "error-body": ("E-SCHEMA", "E-FIELDS"),
    "error-reason": ("E-REASON",),
    "error-parameters": ("E-SCHEMA",),
    "error-code-header": ("E-CODE",),
    "charset": ("C-MEDIA",),
    "rate-headers": ("A-RATE",),
    "digest-algorithms": ("A-DIGEST", "A-NONE", "A-WRONG"),
    "first-status": ("S-NEW", "S-FLOW", "S-STATUS"),
    "queued": ("S-FLOW",),
    "download-finished": ("T-FLAGS", "T-URL"),
    "links": ("C-SCHEMA", "L-PAGE"),
    "list-order": ("L-PAGE", "L-FOUND"),
    "point-targets": ("T-ECHO",),
    "desired-timestamp": ("C-SCHEMA", "T-TIME"),
    "item-name": ("C-SCHEMA",),
    "date-fraction": ("S-TIME", "T-TIME"),
}


def freedoms_near(requirement: str) -> Mapping[str, tuple[str, ...]]:
    """Return the freedoms near a requirement, each with the choices that all conform."""
    return {name: choices for name, choices in FREEDOMS.items() if requirement in _NEAR.get(name, ())}
