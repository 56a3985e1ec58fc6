"""The checks of a create's body, each a named step: what must be refused (`B-*`, `T-*`) and what is free."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeGuard

import orjson

from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.messages import Call, Refusal

Check: TypeAlias = Callable[[Backend, Call], None]
"""A check looks at a call and raises a Refusal, or returns nothing; it may note on the call what it found out."""

BODY_LIMIT = 1_048_576
"""The largest body that is read as JSON, in bytes."""

INT32_MAX = 2**31 - 1
FIRST_SECOND = 1_199_145_600
DELIVERIES = ("automated", "download", "pointInTime")
POINT_FIELDS = ("pointInTimeUTCSeconds", "oplogTs", "oplogInc")

_HEX = frozenset("0123456789abcdef")
_ALNUM = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_NAME = _ALNUM | {"-"}
_ITEM_MARKS = frozenset("-_.(),:&@+'")


def is_identifier(text: str) -> bool:
    """Tell whether a text is 24 lower-case hexadecimal digits."""
    return len(text) == 24 and _HEX.issuperset(text)


def is_cluster_name(text: str) -> bool:
    """Tell whether a text is 1 to 64 ASCII letters, digits and hyphens, a hyphen not first."""
    return 1 <= len(text) <= 64 and text[0] in _ALNUM and _NAME.issuperset(text)


def is_item_name(text: str) -> bool:
    """Tell whether a text is 1 to 64 code points, each a letter or number of any script or one of the marks
    `-_.(),:&@+'`.
    """
    return 1 <= len(text) <= 64 and all(char in _ITEM_MARKS or unicodedata.category(char)[0] in "LN" for char in text)


@dataclass(frozen=True, slots=True)
class Field:
    """A property of a request body: its JSON type ("string" or "integer") and what its values must hold to."""

    name: str
    type: str
    required: bool = False
    conforms: Callable[[str], bool] | None = None
    minimum: int = 0


SHARED_FIELDS = (
    Field("snapshotId", "string", True, is_identifier),
    Field("targetDeploymentItemName", "string", True, is_item_name),
    Field("targetProjectId", "string", False, is_identifier),
)
SNAPSHOT_FIELDS = (Field("description", "string"), Field("retentionInDays", "integer", minimum=1))
LONGEST_RETENTION = 365
CLUSTER_FIELDS = (
    Field("deliveryType", "string", True),
    Field("snapshotId", "string", False, is_identifier),
    Field("targetClusterName", "string", False, is_cluster_name),
    Field("targetGroupId", "string", False, is_identifier),
    Field("oplogInc", "integer", minimum=1),
    Field("oplogTs", "integer", minimum=FIRST_SECOND),
    Field("pointInTimeUTCSeconds", "integer", minimum=FIRST_SECOND),
)


def invalid(field: str, wrong: str, code: str = "INVALID_ATTRIBUTE") -> Refusal:
    """Return the 400 for one field of a body."""
    return Refusal(400, code, f"The attribute {field} {wrong}.", parameters=(field,), fields=((field, wrong),))


# The body as a whole


def check_size(backend: Backend, call: Call) -> None:
    """Refuse a body that is larger than `BODY_LIMIT`."""
    if call.body is None:
        raise Refusal(413, "REQUEST_TOO_LARGE", f"A body may have at most {BODY_LIMIT} bytes.")


def check_content_type(backend: Backend, call: Call) -> None:
    """Refuse a body that is not declared as JSON in UTF-8, or that is compressed."""
    if _is_left_out(call):
        return
    essence, _, parameters = (call.header(b"content-type") or "").partition(";")
    essence = essence.strip().lower()
    taken = essence == "application/json" or (call.operation is not None and essence == call.operation.media_type)
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in {"utf-8", "utf8"}:
            taken = False
    if call.headers.get(b"content-encoding", b"identity").lower() != b"identity":
        taken = False
    if not taken:
        status = int(backend.free["content-type"])
        raise Refusal(
            status, "UNSUPPORTED_MEDIA_TYPE" if status == 415 else "INVALID_CONTENT_TYPE", "Send application/json."
        )


def _is_left_out(call: Call) -> bool:
    """Tell whether there is no body, where there need be none."""
    free = call.operation is not None and call.operation.takes_no_body
    return free and call.body is not None and not call.body.strip()


def check_something_said(backend: Backend, call: Call) -> None:
    """Refuse a body without any property, if the endpoint is set to."""
    if not call.fields and backend.free["empty-take"] == "refused":
        raise Refusal(400, "MISSING_ATTRIBUTE", "The body must not be empty.")


def check_retention(backend: Backend, call: Call) -> None:
    """Refuse to keep a snapshot for more than a year, if the endpoint is set to."""
    days = call.fields.get("retentionInDays")
    if _number(days) and days > LONGEST_RETENTION and backend.free["long-retention"] == "refused":
        raise invalid("retentionInDays", f"must be at most {LONGEST_RETENTION}")


def parse(backend: Backend, call: Call) -> None:
    """Read the body as JSON: strict UTF-8, no NaN, a bounded depth (`B-JSON`)."""
    if _is_left_out(call) and backend.free["empty-take"] == "taken":
        call.document = {}
        return
    try:
        call.document = orjson.loads(call.body or b"")
    except orjson.JSONDecodeError:
        raise Refusal(400, "MALFORMED_JSON", "The body is not a JSON document.") from None


def check_object(backend: Backend, call: Call) -> None:
    """Refuse a body that is no object (`B-JSON`); note its properties on the call."""
    if not isinstance(call.document, dict):
        raise Refusal(400, "INVALID_JSON_ATTRIBUTE", "The body must be a JSON object.")
    call.fields = dict(call.document)


# Single fields


def _required(field: Field) -> Check:
    def check(backend: Backend, call: Call) -> None:
        if call.fields.get(field.name) is None:
            raise invalid(field.name, "is required", "MISSING_ATTRIBUTE")

    return check


def _null(field: Field) -> Check:
    def check(backend: Backend, call: Call) -> None:
        if call.fields.get(field.name, "") is None:
            if backend.free["null-optional"] == "refused":
                raise invalid(field.name, "must not be null")
            del call.fields[field.name]

    return check


def _string(field: Field) -> Check:
    def check(backend: Backend, call: Call) -> None:
        if field.name in call.fields and not isinstance(call.fields[field.name], str):
            raise invalid(field.name, "must be a string")

    return check


def _integer(field: Field) -> Check:
    def check(backend: Backend, call: Call) -> None:
        value = call.fields.get(field.name, 0)
        if type(value) is int:
            return
        if type(value) is float and value.is_integer() and backend.free["float-integer"] == "taken":
            call.fields[field.name] = int(value)
            return
        raise invalid(field.name, "must be an integer")

    return check


def _pattern(field: Field, conforms: Callable[[str], bool]) -> Check:
    def check(backend: Backend, call: Call) -> None:
        value = call.fields.get(field.name)
        if isinstance(value, str) and not conforms(value):
            refusal = invalid(field.name, "has a form that is not allowed")
            refusal.status = int(backend.free["malformed-value"])
            raise refusal

    return check


def _number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _minimum(field: Field) -> Check:
    def check(backend: Backend, call: Call) -> None:
        value = call.fields.get(field.name)
        if _number(value) and value < field.minimum:
            raise invalid(field.name, f"must be at least {field.minimum}")

    return check


def _int32(field: Field) -> Check:
    def check(backend: Backend, call: Call) -> None:
        value = call.fields.get(field.name)
        if _number(value) and value > INT32_MAX:
            raise invalid(field.name, f"must be at most {INT32_MAX}")

    return check


def _field_checks(fields: tuple[Field, ...]) -> dict[str, Check]:
    steps: dict[str, Check] = {}
    for field in fields:
        name = field.name
        if field.required:
            steps[f"B-REQUIRED/{name}"] = _required(field)
        else:
            steps[f"free/null-optional/{name}"] = _null(field)
        if field.type == "string":
            steps[f"B-TYPE/{name}"] = _string(field)
            if field.conforms is not None:
                steps[f"B-PATTERN/{name}"] = _pattern(field, field.conforms)
        else:
            steps[f"B-TYPE/{name}"] = _integer(field)
            steps[f"B-RANGE/{name}/minimum"] = _minimum(field)
            steps[f"B-RANGE/{name}/maximum"] = _int32(field)
    return steps


def _unknown(known: frozenset[str]) -> Check:
    def check(backend: Backend, call: Call) -> None:
        if backend.free["unknown-properties"] == "refused" and not known.issuperset(call.document):
            raise Refusal(400, "INVALID_JSON_ATTRIBUTE", "The body has a property that is not known.")

    return check


# deliveryType


def _delivery(backend: Backend, call: Call) -> None:
    if call.fields.get("deliveryType") not in DELIVERIES:
        raise invalid("deliveryType", f"must be one of {', '.join(DELIVERIES)}", "INVALID_ENUM_VALUE")


def _needed(delivery: str, name: str) -> Check:
    def check(backend: Backend, call: Call) -> None:
        if call.fields.get("deliveryType") == delivery and name not in call.fields:
            raise invalid(name, f"is required for {delivery}", "MISSING_ATTRIBUTE")

    return check


def _some_point(backend: Backend, call: Call) -> None:
    if call.fields.get("deliveryType") == "pointInTime" and not any(name in call.fields for name in POINT_FIELDS):
        raise invalid(
            "pointInTimeUTCSeconds", "or oplogTs with oplogInc is required for pointInTime", "MISSING_ATTRIBUTE"
        )


def _half(present: str, missing: str) -> Check:
    def check(backend: Backend, call: Call) -> None:
        fields = call.fields
        if fields.get("deliveryType") != "pointInTime" or present not in fields or missing in fields:
            return
        if "pointInTimeUTCSeconds" not in fields or backend.free["seconds-beside-half-pair"] == "refused":
            raise invalid(missing, f"is required beside {present}", "MISSING_ATTRIBUTE")

    return check


def _free_combinations(backend: Backend, call: Call) -> None:
    """Refuse the combinations that an endpoint may refuse, if it is set to."""
    fields, free = call.fields, backend.free
    delivery = fields.get("deliveryType")
    points = [name for name in POINT_FIELDS if name in fields]
    if delivery == "pointInTime":
        if len(points) == 3 and free["both-points"] == "refused":
            raise invalid("pointInTimeUTCSeconds", "must not stand beside oplogTs and oplogInc")
        if "snapshotId" in fields and free["point-with-snapshot"] == "refused":
            raise invalid("snapshotId", "must not stand beside a point in time")
    elif points and free["meaningless-fields"] == "refused":
        raise invalid(points[0], "has a meaning for pointInTime only")
    named = "targetClusterName" in fields or "targetGroupId" in fields
    if delivery == "download" and named and free["download-with-target"] == "refused":
        raise invalid("targetClusterName", "has no meaning for a download")


TAKE_CHECKS: Mapping[str, Check] = {"free/empty-take": check_something_said, "free/long-retention": check_retention}
"""What a request for a snapshot must hold to beside its single fields."""

DELIVERY_CHECKS: Mapping[str, Check] = {
    "T-ENUM": _delivery,
    **{
        f"T-TARGET/{delivery}/{name}": _needed(delivery, name)
        for delivery in ("automated", "pointInTime")
        for name in ("targetClusterName", "targetGroupId")
    },
    **{f"T-SNAPSHOT/{delivery}": _needed(delivery, "snapshotId") for delivery in ("automated", "download")},
    "T-POINT/none": _some_point,
    "T-POINT/oplogTs-alone": _half("oplogTs", "oplogInc"),
    "T-POINT/oplogInc-alone": _half("oplogInc", "oplogTs"),
    "free/combinations": _free_combinations,
}
"""What a dedicated cluster's create must hold to beside its single fields."""


def body_steps(fields: tuple[Field, ...], checks: Mapping[str, Check]) -> Mapping[str, Check]:
    """Return the named checks of a create's body, in order: those of its fields, and then `checks`."""
    return {
        "B-JSON/size": check_size,
        "B-JSON/content-type": check_content_type,
        "B-JSON/parse": parse,
        "B-JSON/object": check_object,
        **_field_checks(fields),
        "B-UNKNOWN": _unknown(frozenset({"links", *(field.name for field in fields)})),
        **checks,
    }
