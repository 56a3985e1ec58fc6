"""A contract of one's own: the package's, with widgets (a new resource) and the tags of a flex snapshot as data."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from atlas_conformance.contracts.contract import FOLDER

MEDIA = "application/vnd.atlas.2024-11-13+json"
SNAPSHOT = "/api/atlas/v2/groups/{groupId}/flexClusters/{name}/backup/snapshots/{snapshotId}"
TAGS = f"{SNAPSHOT}/tags"
WIDGETS = "/api/atlas/v2/groups/{groupId}/widgets"
WIDGET = f"{WIDGETS}/{{widgetId}}"
_HEX24 = "^([a-f0-9]{24})$"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
REQUIREMENTS = """
[P-WIDGET]
statement = "A malformed widget id is refused."
basis = "documented"
sources = [["G1", "Errors"]]
on = "operations with a widget in the path"
technique = "malformed ids"
specificity = 60

[N-WIDGET]
statement = "An absent widget is 404."
basis = "documented"
sources = [["G1", "Errors"]]
on = "operations with a widget in the path"
technique = "absent ids"
specificity = 60
"""


@dataclass
class Data:
    """The data of a contract, to be changed before it is written; `files` are whole files, None for one that is not
    there.
    """

    openapi: Any
    schemas: dict[str, Any]
    requirements: str
    files: dict[str, str | None]

    @property
    def parameters(self) -> Any:
        return self.openapi["components"]["parameters"]

    @property
    def listing(self) -> Any:
        return self.openapi["paths"][WIDGETS]["get"]

    @property
    def create(self) -> Any:
        return self.openapi["paths"][WIDGETS]["post"]


Change = Callable[[Data], object]


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/parameters/{name}"}


def _operation(name: str, resource: str, kind: str, schema: str, errors: dict[str, Any]) -> dict[str, Any]:
    content = {MEDIA: {"schema": {"$ref": f"schemas/{schema}"}}}
    return {
        "operationId": name,
        "summary": name,
        "x-level": "workflow",
        "x-resource": resource,
        "x-kind": kind,
        "responses": {"200": {"description": "It.", "content": content}, **copy.deepcopy(errors)},
    }


def data() -> Data:
    """Return the data of the contract."""
    openapi = yaml.load((FOLDER / "openapi.yaml").read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    described = openapi["paths"][SNAPSHOT]["get"]["responses"]
    errors = {status: answer for status, answer in described.items() if status != "200"}
    forms = [_ref("envelope"), _ref("pretty")]
    openapi["paths"][TAGS] = {
        "parameters": [_ref("groupId"), _ref("name"), _ref("snapshotId"), *forms],
        "get": _operation("flex-snapshot-tags", "flex snapshot tags", "get", "tags.json", errors),
    }
    openapi["components"]["parameters"]["widgetId"] = {
        "name": "widgetId",
        "in": "path",
        "x-role": "widget",
        "x-malformed": "P-WIDGET",
        "x-absent": "N-WIDGET",
        "required": True,
        "schema": {"type": "string", "pattern": _HEX24},
    }
    create = _operation("widget-create", "widget", "create", "widget.json", errors)
    create["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "schemas/widget-request.json"}}},
    }
    create["responses"]["200"]["links"] = {
        "read": {"operationId": "widget-get"},
        "list": {"operationId": "widget-list"},
    }
    listing = _operation("widget-list", "widget", "list", "widget-list.json", errors)
    listing["parameters"] = [_ref(name) for name in ("includeCount", "itemsPerPage", "pageNum")]
    openapi["paths"][WIDGETS] = {"parameters": [_ref("groupId"), *forms], "post": create, "get": listing}
    openapi["paths"][WIDGET] = {
        "parameters": [_ref("groupId"), _ref("widgetId"), *forms],
        "get": _operation("widget-get", "widget", "get", "widget.json", errors),
    }
    size = {"type": "integer", "minimum": 1}
    named = {"id": {"type": "string", "pattern": _HEX24}, "status": {"type": "string"}, "size": size}
    results = {"type": "array", "items": {"$ref": "widget.json"}}
    schemas: dict[str, Any] = {
        "tags": {"properties": {"tags": {"type": "array", "items": {"type": "string"}}}},
        "widget": {"required": ["id"], "properties": named},
        "widget-list": {"required": ["results"], "properties": {"results": results, "totalCount": {"type": "integer"}}},
        "widget-request": {"required": ["size"], "properties": {"size": size, "label": {"type": "string"}}},
    }
    for name, schema in schemas.items():
        schema |= {"$schema": _DIALECT, "$id": f"{name}.json", "type": "object"}
    requirements = (FOLDER / "requirements.toml").read_text("utf-8") + REQUIREMENTS
    return Data(openapi, schemas, requirements, {})


def write(folder: Path, change: Change | None = None) -> Path:
    """Write the contract, changed, into a folder that does not exist yet, and return the folder."""
    written = data()
    if change is not None:
        change(written)
    folder.mkdir()
    shutil.copytree(FOLDER / "schemas", folder / "schemas")
    for file in FOLDER.glob("*.toml"):
        shutil.copy(file, folder)
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    (folder / "openapi.yaml").write_text(yaml.dump(written.openapi, Dumper=dumper, sort_keys=False), "utf-8")
    (folder / "requirements.toml").write_text(written.requirements, "utf-8")
    for name, schema in written.schemas.items():
        (folder / "schemas" / f"{name}.json").write_text(json.dumps(schema), "utf-8")
    for name, text in written.files.items():
        if text is None:
            (folder / name).unlink()
        else:
            (folder / name).write_text(text, "utf-8", "surrogateescape")
    return folder
