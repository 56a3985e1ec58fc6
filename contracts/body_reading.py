"""Reading the body of a create: rules B-*, the deliveryType rules T-*, and the freedoms around them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.decision import Delivery
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.obligations import Freedom, Violation
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.rulebook import reads
from atlas_conformance.contracts.validation import SchemaError, SchemaValidator

REFUSED: frozenset[int] = frozenset({400, 403, 404, 409})
"""The documented statuses that count as a refusal of a create."""
_BAD_REQUEST: frozenset[int] = frozenset({400})
_NOTHING_CALLED_SO: frozenset[int] = frozenset({400, 404})
_NO_SNAPSHOT: frozenset[int] = frozenset({400, 404, 409})
_IMPOSSIBLE: frozenset[int] = frozenset({400, 403, 409})
_TARGET: frozenset[int] = frozenset({400, 403, 404, 409})
ALWAYS_NAMED = frozenset({"links"})
"""Properties that every body may hold, whatever its schema names."""

_REQUIREMENT_OF_KEYWORD = {
    "type": "B-TYPE",
    "pattern": "B-PATTERN",
    "minLength": "B-PATTERN",
    "maxLength": "B-PATTERN",
    "minimum": "B-RANGE",
    "maximum": "B-RANGE",
}


@dataclass(frozen=True)
class BodyReading:
    """What the body of a create says: the parsed document, the rules that it breaks, and where the endpoint is free.

    `undocumented` are the names of its properties that are undocumented.
    """

    document: Any
    violations: tuple[Violation, ...] = ()
    freedoms: tuple[Freedom, ...] = ()
    undocumented: tuple[str, ...] = ()


@reads("B-JSON")
def read_body(
    operation: Operation, parameters: Mapping[str, str], body: bytes, knowledge: Knowledge, contract: Contract
) -> BodyReading:
    """Read the body of a request of `operation` whose path carries `parameters`."""
    if operation.takes_no_body and not body.strip():
        return BodyReading({}, freedoms=(Freedom("an optional body left out", _BAD_REQUEST | {415}),))
    not_json = Violation("B-JSON", "/request/body", _BAD_REQUEST, "a body that is no JSON object refused")
    try:
        document, duplicates = _parse(body)
    except _Undetermined as undetermined:
        return BodyReading(None, freedoms=(Freedom(str(undetermined), REFUSED),))
    except ValueError:
        return BodyReading(None, (not_json,))
    if not isinstance(document, dict):
        return BodyReading(document, (not_json,))
    freedoms: list[Freedom] = []
    if duplicates:
        return BodyReading(document, freedoms=(Freedom("a property given twice", REFUSED),))
    assert operation.request_schema is not None
    schema = contract.validator(operation.request_schema)
    known = schema.schema.get("properties", {})
    undocumented = tuple(name for name in document if name not in known and name not in ALWAYS_NAMED)
    if undocumented:
        freedoms.append(Freedom("an undocumented property", _BAD_REQUEST, exact=True))
    meant = {name: value for name, value in document.items() if value is not None and name in known}
    if len(meant) < sum(name in known for name in document):
        freedoms.append(Freedom("null for an optional property", _BAD_REQUEST, exact=True))
    if any(isinstance(v, float) and v.is_integer() and known[n].get("type") == "integer" for n, v in meant.items()):
        freedoms.append(Freedom("an integer written with a fraction", _BAD_REQUEST, exact=True))
    if operation.takes_no_body and not document:
        freedoms.append(Freedom("a body without any property", _BAD_REQUEST, exact=True))
    if any(isinstance(v, int | float) and v > known[n].get("x-free-above", v) for n, v in meant.items()):
        freedoms.append(Freedom("a number above those that must be taken", _BAD_REQUEST))
    row = contract.delivery_of(operation, meant)
    if row is not None:
        meant, reasons = _meaningful(meant, row, schema)
        freedoms.extend(Freedom(reason, REFUSED) for reason in reasons)
    errors = schema.errors(meant)
    mistyped = {error.pointer for error in errors if error.keyword == "type"}
    # A value of the wrong type is no member of an enumeration either; that says nothing more.
    violations = [_violation(e) for e in errors if e.keyword != "enum" or e.pointer not in mistyped]
    if not violations:
        _read_references(operation, parameters, meant, row, knowledge, violations, freedoms)
    return BodyReading(document, tuple(violations), tuple(freedoms), undocumented)


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


def _meaningful(meant: dict[str, Any], row: Delivery, schema: SchemaValidator) -> tuple[dict[str, Any], list[str]]:
    """Leave out what has no meaning for the deliveryType; return the rest and the reasons for which an endpoint is
    free.
    """
    aside = [name for name in meant if name in row.meaningless or name in row.allowed]
    reasons = [f"{name} beside a deliveryType that does not need it" for name in aside]
    kept = {name: value for name, value in meant.items() if name not in aside}
    if sum(any(name in kept for name in group) for group in row.alternatives) > 1:
        reasons.append("what is needed, given in several ways")
        for group in row.alternatives:
            others = frozenset().union(*row.alternatives) - group
            rest = {name: value for name, value in kept.items() if name not in others}
            if schema.is_valid(rest):
                return rest, reasons
    return kept, reasons


@reads("B-REQUIRED", "B-TYPE", "B-PATTERN", "B-RANGE", "T-ENUM", "T-TARGET", "T-SNAPSHOT", "T-POINT")
def _violation(error: SchemaError) -> Violation:
    """Name the requirement that a schema's error breaks."""
    pointer = f"/request/body{error.pointer}"
    if error.keyword == "required" and error.property is not None:
        requirement = error.requirement or ("T-ENUM" if error.property == "deliveryType" else "B-REQUIRED")
        missing = f"{pointer}/{error.property}"
        return Violation(requirement, missing, _BAD_REQUEST, f"a request without {error.property} refused")
    requirement = error.requirement or _REQUIREMENT_OF_KEYWORD.get(error.keyword, "B-TYPE")
    if error.keyword == "type":
        requirement = "B-TYPE"
    statuses = _NOTHING_CALLED_SO if requirement == "B-PATTERN" else _BAD_REQUEST
    return Violation(requirement, pointer, statuses, f"refused: {error.message}")


@reads("N-SNAPSHOT", "N-TARGET")
def _read_references(
    operation: Operation,
    parameters: Mapping[str, str],
    meant: Mapping[str, Any],
    row: Delivery | None,
    knowledge: Knowledge,
    violations: list[Violation],
    freedoms: list[Freedom],
) -> None:
    """N-SNAPSHOT, and the freedoms around targets and moments that a well-formed body names."""
    inventory, resource = knowledge.inventory, operation.resource
    project, name = operation.place(parameters)
    cluster = knowledge.cluster(project, name)
    snapshot = meant.get("snapshotId")
    if snapshot is not None:
        owner = knowledge.owner_of_snapshot(snapshot)
        absent = inventory.absent is not None and snapshot == inventory.absent.snapshot
        elsewhere = owner is not None and cluster is not None and owner != cluster
        if absent or (elsewhere and not inventory.invented):
            what = "an absent snapshot" if absent else "a snapshot of another cluster"
            violations.append(Violation("N-SNAPSHOT", "/request/body/snapshotId", _NO_SNAPSHOT, f"{what} refused"))
        elif (owner is None or elsewhere) and not inventory.takes_any:
            freedoms.append(Freedom("a snapshot that may not exist", _TARGET, of_snapshot=True))
    target = resource.target_of(meant, project)
    if target is None or (row is not None and row.needs_no(resource.target)):
        return
    found = knowledge.target(*target)
    if found is not None and found.impossible is not None and resource.cluster_kind in found.accepts:
        pointer = f"/request/body/{(resource.target or ('', ''))[1]}"
        expected = f"a restore to a target that is impossible ({found.impossible}) refused"
        violations.append(Violation("N-TARGET", pointer, _IMPOSSIBLE, expected))
        return
    if (found is None or resource.cluster_kind not in found.accepts) and not inventory.takes_any:
        freedoms.append(Freedom("a target that may not exist, or of another kind", _TARGET))
    if row is not None and row.alternatives and not inventory.takes_any:
        moment = cluster.point_in_time if cluster is not None else None
        if moment is None or not (
            (moment.utc_seconds is not None and meant.get("pointInTimeUTCSeconds") == moment.utc_seconds)
            or (
                moment.oplog_ts is not None
                and (meant.get("oplogTs"), meant.get("oplogInc")) == (moment.oplog_ts, moment.oplog_inc)
            )
        ):
            freedoms.append(Freedom("a moment that may lie outside the restore window", _TARGET))
