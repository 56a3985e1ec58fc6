"""Small OpenAPI descriptions to compare."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import yaml

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.drift.comparing import differences
from atlas_conformance.contracts.drift.difference import Difference

FLEX = "/api/atlas/v2/groups/{groupId}/flexClusters/{name}/backup/restoreJobs"
FLEX_TYPE = "application/vnd.atlas.2024-11-13+json"
Document = dict[str, Any]


def bundled() -> Document:
    """Return our own description in one document, schemas and all, as a vendor's is."""
    document = copy.deepcopy(dict(Contract.load().openapi))
    document["components"]["schemas"] = {
        name.removesuffix(".json"): dict(s) for name, s in Contract.load().schemas.documents.items()
    }
    text = json.dumps(document)
    for name in Contract.load().schemas.documents:
        for spelt in (f"schemas/{name}", name):
            text = text.replace(f'"$ref": "{spelt}"', f'"$ref": "#/components/schemas/{name.removesuffix(".json")}"')
    loaded: Document = json.loads(text)
    return loaded


def write(folder: Path, document: Any, name: str = "vendor.json") -> Path:
    """Write a description and return its path."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document) if name.endswith("json") else yaml.safe_dump(document, sort_keys=False)
    file.write_text(text, encoding="utf-8")
    return file


def answering(schema: Any, version: str = "3.1.0", **components: Any) -> Document:
    """Return a description of one operation whose answer has the schema."""
    content = {FLEX_TYPE: {"schema": schema}}
    return _of({"get": {"responses": {"200": {"description": "ok", "content": content}}}}, version, components)


def asking(schema: Any, version: str = "3.1.0", **components: Any) -> Document:
    """Return a description of one operation whose request has the schema."""
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    operation = {"requestBody": body, "responses": {"200": {"description": "ok"}}}
    return _of({"post": operation}, version, components)


def _of(item: Document, version: str, schemas_: dict[str, Any]) -> Document:
    info = {"title": "Restore jobs", "version": "1"}
    return {"openapi": version, "info": info, "paths": {FLEX: item}, "components": {"schemas": schemas_}}


def between(folder: Path, old: Document, new: Document) -> list[Difference]:
    """Return the differences of a new description from an old one."""
    return differences(write(folder, new, "new.json"), write(folder, old, "old.json"))


def against(folder: Path, document: Any, name: str = "vendor.json") -> list[Difference]:
    """Return the differences of a description from the contract."""
    return differences(write(folder, document, name))
