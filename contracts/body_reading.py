"""Reading the body of a create: rules B-*, the deliveryType rules T-*, and the freedoms around them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atlas_conformance.contracts.knowledge import KIND_OF_FAMILY, Knowledge
from atlas_conformance.contracts.obligations import Freedom, Violation
from atlas_conformance.contracts.operations import Operation
from atlas_conformance.contracts.validation import SchemaError, validator

REFUSED: frozenset[int] = frozenset({400, 403, 404, 409})
"""The documented statuses that count as a refusal of a create."""
_BAD_REQUEST: frozenset[int] = frozenset({400})
_TARGET: frozenset[int] = frozenset({400, 403, 404, 409})

_REQUIREMENT_OF_KEYWORD = {
    "type": "B-TYPE",
    "pattern": "B-PATTERN",
    "minLength": "B-PATTERN",
    "maxLength": "B-PATTERN",
    "minimum": "B-RANGE",
    "maximum": "B-RANGE",
}
_POINT_FIELDS = ("oplogTs", "oplogInc", "pointInTimeUTCSeconds")
_TARGET_FIELDS = ("targetClusterName", "targetGroupId")
_INTEGERS = frozenset(_POINT_FIELDS)


@dataclass(frozen=True)
class BodyReading:
    """What the body of a create says: the parsed document, the rules that it breaks, and where the endpoint is free."""

    document: Any
    violations: tuple[Violation, ...] = ()
    freedoms: tuple[Freedom, ...] = ()


def read_body(operation: Operation, parameters: Mapping[str, str], body: bytes, knowledge: Knowledge) -> BodyReading:
    """Read the body of a create of `operation` whose path carries `parameters`."""
    not_json = Violation("B-JSON", "/request/body", _BAD_REQUEST, "a body that is no JSON object refused")
    try:
        document, duplicates = _parse(body)
    except _Undetermined as undetermined:
        return BodyReading(None, freedoms=(Freedom(str(undetermined), REFUSED | {413}),))
    except ValueError:
        return BodyReading(None, (not_json,))
    if not isinstance(document, dict):
        return BodyReading(document, (not_json,))
    freedoms: list[Freedom] = []
    if duplicates:
        return BodyReading(document, freedoms=(Freedom("a property given twice", REFUSED),))
    known = _known_properties(operation)
    if any(name not in known for name in document):
        freedoms.append(Freedom("a property that no rule names", REFUSED))
    meant = {name: value for name, value in document.items() if value is not None and name in known}
    if len(meant) < sum(name in known for name in document):
        freedoms.append(Freedom("null for an optional property", REFUSED))
    if any(name in _INTEGERS and isinstance(value, float) and value.is_integer() for name, value in meant.items()):
        freedoms.append(Freedom("an integer written with a fraction", REFUSED))
    if operation.family == "cluster":
        meant, reasons = _meaningful(meant)
        freedoms.extend(Freedom(reason, REFUSED) for reason in reasons)
    assert operation.request_schema is not None
    errors = validator(operation.request_schema).errors(meant)
    mistyped = {error.pointer for error in errors if error.keyword == "type"}
    # A value of the wrong type is no member of an enumeration either; that says nothing more.
    violations = [_violation(e) for e in errors if e.keyword != "enum" or e.pointer not in mistyped]
    if not violations:
        _read_references(operation, parameters, meant, knowledge, violations, freedoms)
    return BodyReading(document, tuple(violations), tuple(freedoms))


class _Undetermined(Exception):
    """The contract does not say whether the body counts as JSON."""


def _parse(body: bytes) -> tuple[Any, bool]:
    """Parse a request body strictly (RFC 8259); return the document and whether some object repeats a name.

    Raises ValueError for what is no JSON, `_Undetermined` where parsers may rightly differ.
    """
    duplicates = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal duplicates
        found = dict(items)
        duplicates = duplicates or len(found) < len(items)
        return found

    def refuse(literal: str) -> Any:
        raise ValueError(f"{literal} is no JSON")

    if body[:3] == b"\xef\xbb\xbf" or body[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in body[:4]:
        raise _Undetermined("a body in another encoding, or with a byte order mark")
    text = body.decode("utf-8")
    try:
        document = json.loads(
            text, object_pairs_hook=pairs, parse_constant=refuse, parse_int=_integer, parse_float=_number
        )
        return document, duplicates
    except RecursionError:
        if text.lstrip(" \t\r\n")[:1] != "{":
            raise ValueError("no object") from None
        raise _Undetermined("a body nested very deeply") from None


def _integer(digits: str) -> int:
    # Beyond some hundred digits only "far out of every range" matters, and Python refuses to convert thousands.
    return int(digits[:400])


def _number(digits: str) -> float | int:
    value = float(digits)
    if math.isinf(value):
        return int(math.copysign(10**300, value))
    return value


def _known_properties(operation: Operation) -> frozenset[str]:
    assert operation.request_schema is not None
    return frozenset(validator(operation.request_schema).schema["properties"])


def _meaningful(meant: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Leave out what has no meaning for the deliveryType; return the rest and the reasons for which an endpoint is
    free.
    """
    delivery = meant.get("deliveryType")
    kept, reasons = dict(meant), []

    def drop(names: tuple[str, ...], reason: str) -> None:
        if any(name in kept for name in names):
            reasons.append(reason)
            for name in names:
                kept.pop(name, None)

    if delivery in ("automated", "download"):
        drop(_POINT_FIELDS, "a point in time beside a snapshot restore")
    if delivery == "download":
        drop(_TARGET_FIELDS, "a download that names a target")
    if delivery == "pointInTime":
        drop(("snapshotId",), "a snapshot beside a point in time")
        pair = [name for name in ("oplogTs", "oplogInc") if name in kept]
        if pair and "pointInTimeUTCSeconds" in kept:
            reasons.append("a point in time in both notations")
            schema = validator("cluster-restore-request.json")
            for names in (("oplogTs", "oplogInc"), ("pointInTimeUTCSeconds",)):
                rest = {name: value for name, value in kept.items() if name not in names}
                if schema.is_valid(rest):
                    return rest, reasons
    return kept, reasons


def _violation(error: SchemaError) -> Violation:
    pointer = f"/request/body{error.pointer}"
    if error.keyword == "required" and error.property is not None:
        requirement = error.requirement or ("T-ENUM" if error.property == "deliveryType" else "B-REQUIRED")
        missing = f"{pointer}/{error.property}"
        return Violation(requirement, missing, REFUSED, f"a request without {error.property} refused")
    requirement = error.requirement or _REQUIREMENT_OF_KEYWORD.get(error.keyword, "B-TYPE")
    if error.keyword == "type":
        requirement = "B-TYPE"
    return Violation(requirement, pointer, REFUSED, f"refused: {error.message}")


def _read_references(
    operation: Operation,
    parameters: Mapping[str, str],
    meant: Mapping[str, Any],
    knowledge: Knowledge,
    violations: list[Violation],
    freedoms: list[Freedom],
) -> None:
    """N-SNAPSHOT, and the freedoms around targets and moments that a well-formed body names."""
    inventory = knowledge.inventory
    project = parameters["groupId"]
    name = parameters.get("name") or parameters["clusterName"]
    cluster = knowledge.cluster(project, name)
    snapshot = meant.get("snapshotId")
    if snapshot is not None:
        owner = knowledge.owner_of_snapshot(snapshot)
        absent = inventory.absent is not None and snapshot == inventory.absent.snapshot
        elsewhere = owner is not None and cluster is not None and owner != cluster
        if absent or (elsewhere and not inventory.invented):
            what = "an absent snapshot" if absent else "a snapshot of another cluster"
            statuses = frozenset({400, 404})
            violations.append(Violation("N-SNAPSHOT", "/request/body/snapshotId", statuses, f"{what} refused"))
        elif (owner is None or elsewhere) and not inventory.takes_any:
            freedoms.append(Freedom("a snapshot that may not exist", _TARGET))
    if operation.family == "cluster":
        if meant.get("deliveryType") == "download":
            return
        target = (meant["targetGroupId"], meant["targetClusterName"])
    else:
        target = (meant.get("targetProjectId", project), meant["targetDeploymentItemName"])
    found = knowledge.target(*target)
    if (found is None or KIND_OF_FAMILY[operation.family] not in found.accepts) and not inventory.takes_any:
        freedoms.append(Freedom("a target that may not exist, or of another kind", _TARGET))
    if meant.get("deliveryType") == "pointInTime" and not inventory.takes_any:
        moment = cluster.point_in_time if cluster is not None else None
        if moment is None or not (
            (moment.utc_seconds is not None and meant.get("pointInTimeUTCSeconds") == moment.utc_seconds)
            or (
                moment.oplog_ts is not None
                and (meant.get("oplogTs"), meant.get("oplogInc")) == (moment.oplog_ts, moment.oplog_inc)
            )
        ):
            freedoms.append(Freedom("a moment that may lie outside the restore window", _TARGET))
