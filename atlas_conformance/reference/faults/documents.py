"""Faults in how a body is read as a whole (`B-JSON`, `C-5XX`), and in looking its snapshot up (`N-SNAPSHOT`)."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.bodies import Check, is_identifier
from atlas_conformance.reference.fault import Fault
from atlas_conformance.reference.fault_parts import CREATES, both, excusing, failing, field_where, sound
from atlas_conformance.reference.messages import Call


def _is_deep(call: Call) -> bool:
    body = call.body or b""
    return body.count(b"[") > 400 or body.count(b"{") > 400


def _is_no_json(call: Call) -> bool:
    try:
        orjson.loads(call.body or b"")
    except orjson.JSONDecodeError:
        return True
    return False


def _documents() -> Iterator[Fault]:
    def unwrapped(backend: Backend, call: Call) -> None:
        if isinstance(call.document, list) and len(call.document) == 1 and isinstance(call.document[0], dict):
            call.document = call.document[0]

    for operation in CREATES:
        parse, whole = sound(operation, "B-JSON/parse"), sound(operation, "B-JSON/object")

        def unwrapping(backend: Backend, call: Call, whole: Check = whole) -> None:
            unwrapped(backend, call)
            whole(backend, call)

        yield Fault(
            id=f"{operation}/one-element-array",
            requirement="B-JSON",
            operations=(operation,),
            sentence="An array that holds the object is taken for the object.",
            kind="subtle",
            replace={"B-JSON/object": unwrapping},
        )

        def forgiving(backend: Backend, call: Call, parse: Check = parse) -> None:
            # What follows the document is ignored, as a streaming parser does.
            body = call.body or b""
            end = body.rfind(b"}")
            call.body = body[: end + 1] if end >= 0 else body
            parse(backend, call)

        yield Fault(
            id=f"{operation}/trailing-junk",
            requirement="B-JSON",
            operations=(operation,),
            sentence="What follows the JSON document is ignored.",
            kind="subtle",
            replace={"B-JSON/parse": forgiving},
        )
        yield Fault(
            id=f"{operation}/malformed-500",
            requirement="C-5XX",
            operations=(operation,),
            sentence="A body that is no JSON ends in a 500.",
            kind="negative",
            replace={"B-JSON/parse": both(failing(_is_no_json), parse)},
        )
        yield Fault(
            id=f"{operation}/nesting-500",
            requirement="C-5XX",
            operations=(operation,),
            sentence="Deep nesting ends in a 500.",
            kind="subtle",
            replace={"B-JSON/parse": both(failing(_is_deep), parse)},
        )
        yield Fault(
            id=f"{operation}/absent-snapshot-taken",
            requirement="N-SNAPSHOT",
            operations=(operation,),
            sentence="A snapshot that does not exist is taken.",
            kind="negative",
            replace={
                "N-SNAPSHOT": excusing(
                    sound(operation, "N-SNAPSHOT"),
                    field_where("snapshotId", lambda value: isinstance(value, str) and is_identifier(value)),
                )
            },
        )


FAULTS: tuple[Fault, ...] = tuple(_documents())
"""Faults of this family."""
