"""The operations around a restore are compared as all others are: each of the nine, its answer and its request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.operation import Operation
from tests.drift.describing import Document, against, bundled

OPERATIONS = Contract.load().operations
WORKFLOW = [operation for operation in OPERATIONS.values() if operation.level == "workflow"]
SHOWING = [operation for operation in WORKFLOW if operation.media_type is not None]


def described(document: Document, operation: Operation) -> Document:
    """Return what a description says of an operation."""
    found: Document = next(
        one
        for item in document["paths"].values()
        for one in item.values()
        if isinstance(one, dict) and one.get("operationId") == operation.id
    )
    return found


def objects(node: Any, document: Document) -> Iterator[Document]:
    """Yield the object schemas below a schema, references followed, the outermost first."""
    if isinstance(node, dict):
        if "$ref" in node:
            node = document["components"]["schemas"][node["$ref"].rpartition("/")[2]]
        if "properties" in node:
            yield node
        for key in ("items", "properties", "allOf", "oneOf", "anyOf"):
            below = node.get(key, ())
            for part in below.values() if isinstance(below, dict) and key == "properties" else [below]:
                for one in part if isinstance(part, list) else [part]:
                    yield from objects(one, document)


def test_these_are_nine() -> None:
    assert len(WORKFLOW) == 9


@pytest.mark.parametrize("operation", WORKFLOW, ids=lambda operation: operation.id)
def test_one_that_is_gone_breaks_clients(tmp_path: Path, operation: Operation) -> None:
    document = bundled()
    for item in document["paths"].values():
        for method, one in list(item.items()):
            if isinstance(one, dict) and one.get("operationId") == operation.id:
                del item[method]
    (found,) = [difference for difference in against(tmp_path, document) if difference.kind == "operation"]
    assert (found.severity, found.operations) == ("clients", (operation.id,))


@pytest.mark.parametrize("operation", SHOWING, ids=lambda operation: operation.id)
def test_another_property_in_its_answer_is_reported(tmp_path: Path, operation: Operation) -> None:
    document = bundled()
    (media,) = described(document, operation)["responses"]["200"]["content"].values()
    item = next(one for one in objects(media["schema"], document) if "status" in one["properties"])
    item["properties"]["status"] = {"type": "integer"}
    told = [difference for difference in against(tmp_path, document) if difference.kind == "type"]
    assert any(operation.id in difference.operations for difference in told)


def test_a_request_that_must_hold_more_is_reported(tmp_path: Path) -> None:
    document = bundled()
    for name in ("snapshot-take", "flex-download"):
        (body,) = {id(m): m for m in described(document, OPERATIONS[name])["requestBody"]["content"].values()}.values()
        item = next(objects(body["schema"], document))
        item.setdefault("required", []).append("reason")
        item["properties"]["reason"] = {"type": "string"}
    told = " ".join(str(difference) for difference in against(tmp_path, document))
    assert "snapshot-take" in told and "flex-download" in told and "reason" in told


def test_a_parameter_of_a_list_that_is_gone_is_reported(tmp_path: Path) -> None:
    document = bundled()
    listing = described(document, OPERATIONS["flex-snapshot-list"])
    before = len(listing["parameters"])
    listing["parameters"] = [one for one in listing["parameters"] if "itemsPerPage" not in str(one)]
    assert len(listing["parameters"]) < before
    told = " ".join(str(difference) for difference in against(tmp_path, document))
    assert "flex-snapshot-list" in told and "itemsPerPage" in told
