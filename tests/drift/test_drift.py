"""What a vendor's description says otherwise is found, and whom it breaks."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from atlas_conformance.cli.drift import drift_command
from atlas_conformance.contracts.contract import FOLDER, Contract
from atlas_conformance.contracts.drift.comparing import differences
from atlas_conformance.contracts.drift.difference import Difference
from tests.drift.describing import FLEX, Document, bundled
from tests.drift.describing import against as found


def changed(tmp_path: Path, change: Callable[[Document], object]) -> list[Difference]:
    document = bundled()
    change(document)
    return found(tmp_path, document)


@pytest.mark.parametrize("name", ["vendor.json", "vendor.yaml"])
def test_the_same_said_in_one_document_is_no_difference(tmp_path: Path, name: str) -> None:
    assert found(tmp_path, bundled(), name=name) == []


def test_our_own_file_is_no_difference() -> None:
    result = CliRunner().invoke(drift_command, [str(FOLDER / "openapi.yaml")])
    assert (result.exit_code, result.output) == (0, "No difference.\n")


def in_3_0(node: Any) -> Any:
    """Write a schema as OpenAPI 3.0 does: `nullable` for the type null, and no list of types."""
    if isinstance(node, list):
        return [in_3_0(each) for each in node]
    if not isinstance(node, dict):
        return node
    plain = {key: in_3_0(value) for key, value in node.items() if key != "$schema"}
    kinds = plain.get("type")
    if isinstance(kinds, list):
        several = [{"type": kind} for kind in kinds if kind != "null"]
        plain |= several[0] if len(several) == 1 else {"type": ..., "anyOf": several}
        plain = {key: value for key, value in plain.items() if value is not ...}
        if "null" in kinds:
            plain["nullable"] = True
    return plain


def test_the_same_in_openapi_3_0_is_no_difference(tmp_path: Path) -> None:
    assert found(tmp_path, {**in_3_0(bundled()), "openapi": "3.0.3"}) == []


def schema(document: Document, name: str) -> Document:
    return document["components"]["schemas"][name]


REQUEST, JOB = "flex-restore-request", "flex-restore-job"
CHANGES: list[tuple[str, Callable[[Document], object], str, tuple[str, ...], str]] = [
    ("operation gone", lambda d: d["paths"].pop(FLEX), "operation", ("clients",), "is not described"),
    (
        "operation added",
        lambda d: d["paths"][FLEX + "/{restoreJobId}"].update(delete={"operationId": "x", "responses": {}}),
        "operation",
        (),
        "DELETE",
    ),
    ("deprecated", lambda d: d["paths"][FLEX]["post"].update(deprecated=True), "deprecated", (), "is deprecated"),
    (
        "parameter added",
        lambda d: d["paths"][FLEX]["post"].update(
            parameters=[{"in": "query", "name": "why", "required": True, "schema": {"type": "string"}}]
        ),
        "parameter",
        ("clients",),
        "query parameter why",
    ),
    (
        "parameter gone",
        lambda d: d["paths"][FLEX]["get"].pop("parameters"),
        "parameter",
        ("clients",),
        "itemsPerPage is not described",
    ),
    (
        "path pattern",
        lambda d: d["components"]["parameters"]["groupId"]["schema"].update(pattern="^x$"),
        "pattern",
        ("clients", "endpoints"),
        "'^x$'",
    ),
    (
        "request requires more",
        lambda d: schema(d, REQUEST)["required"].append("targetProjectId"),
        "required",
        ("clients",),
        "must have targetProjectId",
    ),
    (
        "request requires less",
        lambda d: schema(d, REQUEST)["required"].remove("snapshotId"),
        "required",
        ("endpoints",),
        "need not have snapshotId",
    ),
    (
        "request type",
        lambda d: schema(d, REQUEST)["properties"]["snapshotId"].update(type="integer"),
        "type",
        ("clients", "endpoints"),
        "is integer, not string",
    ),
    (
        "answer enum gains",
        lambda d: schema(d, JOB)["properties"]["status"]["enum"].append("PAUSED"),
        "enum",
        ("clients",),
        "gains 'PAUSED'",
    ),
    (
        "answer enum loses",
        lambda d: schema(d, JOB)["properties"]["status"]["enum"].remove("QUEUED"),
        "enum",
        ("endpoints",),
        "loses 'QUEUED'",
    ),
    (
        "request bound",
        lambda d: schema(d, "cluster-restore-request")["properties"]["oplogInc"].update(minimum=2),
        "bound",
        ("clients",),
        "has minimum 2, not 1",
    ),
    (
        "answer format",
        lambda d: schema(d, JOB)["properties"]["expirationDate"].pop("format"),
        "format",
        ("clients",),
        "has no format",
    ),
    (
        "answer property gone",
        lambda d: schema(d, JOB)["properties"].pop("expirationDate"),
        "property",
        ("clients",),
        "no property expirationDate",
    ),
    (
        "answer property added",
        lambda d: schema(d, JOB)["properties"].update(owner={"type": "string"}),
        "property",
        (),
        "may have a property owner",
    ),
    ("status gone", lambda d: d["paths"][FLEX]["post"]["responses"].pop("409"), "status", ("endpoints",), "409"),
    (
        "status added",
        lambda d: d["paths"][FLEX]["post"]["responses"].update({"402": {"description": "Pay."}}),
        "status",
        ("clients",),
        "402 is described",
    ),
    (
        "media type",
        lambda d: d["paths"][FLEX]["post"]["responses"]["200"]["content"].update(
            {"application/vnd.atlas.2030-01-01+json": {}}
        ),
        "media type",
        (),
        "2030-01-01",
    ),
]


@pytest.mark.parametrize(
    ("change", "kind", "breaks", "words"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES]
)
def test_one_change_is_reported_with_whom_it_breaks_and_where(
    tmp_path: Path, change: Callable[[Document], object], kind: str, breaks: tuple[str, ...], words: str
) -> None:
    told = changed(tmp_path, change)
    telling = [each for each in told if each.kind == kind and words in each.sentence and each.breaks == breaks]
    assert telling, told
    assert {each.kind for each in told} == {kind}
    for each in telling:
        assert each.theirs.startswith("vendor.json#/")
        assert each.ours.partition("#")[0] in {
            "openapi.yaml",
            *(f"schemas/{name}" for name in Contract.load().schemas.documents),
        }


def test_a_schema_that_many_answers_share_is_reported_once(tmp_path: Path) -> None:
    told = changed(tmp_path, lambda d: schema(d, "error")["properties"]["errorCode"].update(maxLength=9))
    assert len(told) == 1
    assert told[0].sentence == "the body of 400.errorCode has maxLength 9, not none"


def test_alternatives_and_parts_count_as_one_schema(tmp_path: Path) -> None:
    def split(document: Document) -> None:
        whole = schema(document, REQUEST)
        first = {"type": "object", "properties": whole["properties"]}
        document["components"]["schemas"][REQUEST] = {"allOf": [first, {"required": whole["required"]}]}

    assert changed(tmp_path, split) == []


def test_a_versioned_request_type_breaks_nobody(tmp_path: Path) -> None:
    def version(document: Document) -> None:
        content = document["paths"][FLEX]["post"]["requestBody"]["content"]
        content["application/vnd.atlas.2024-11-13+json"] = content.pop("application/json")

    assert [(each.kind, each.breaks) for each in changed(tmp_path, version)] == [("media type", ())]


def test_other_operations_and_other_names_in_paths_are_no_difference(tmp_path: Path) -> None:
    document = bundled()
    document["paths"] = {path.replace("{groupId}", "{project}"): item for path, item in document["paths"].items()}
    document["components"]["parameters"]["groupId"]["name"] = "project"
    document["paths"]["/api/atlas/v2/groups"] = {"get": {"operationId": "listGroups", "responses": {}}}
    assert found(tmp_path, document) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "neither JSON nor YAML"),
        ("a: [b", "neither JSON nor YAML at line 2"),
        ("swagger: '2.0'", "is no OpenAPI 3.0 or 3.1 description"),
        ("openapi: 3.1.0", "has no paths"),
        (f"openapi: 3.1.0\npaths: {{'{FLEX}': {{$ref: '#/nowhere'}}}}", "refers to #/nowhere, which does not exist"),
        (f"openapi: 3.1.0\npaths: {{'{FLEX}': {{$ref: '/etc/passwd'}}}}", "is no file beside it"),
        (f"openapi: 3.1.0\npaths: {{'{FLEX}': {{$ref: '../../x'}}}}", "is no file beside it"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "vendor.yaml"
    file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(drift_command, [str(file)])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert words in result.stderr


def test_differences_exit_with_1_and_come_as_json_too(tmp_path: Path) -> None:
    document = bundled()
    del document["paths"][FLEX]
    file = tmp_path / "vendor.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    told = CliRunner().invoke(drift_command, [str(file)])
    assert told.exit_code == 1
    assert "2 differences, 2 of them breaking" in told.output
    listed = json.loads(CliRunner().invoke(drift_command, [str(file), "--json"]).output)
    assert [each["operation"] for each in listed] == ["flex-create", "flex-list"]


def test_operations_of_others_make_no_difference(tmp_path: Path) -> None:
    document = bundled()
    own = dict(document["paths"])
    for number in range(400_000 // len(json.dumps(own))):
        document["paths"].update({f"/other/{number}{path}": copy.deepcopy(item) for path, item in own.items()})
    others = {path: item for path, item in document["paths"].items() if path.startswith("/other/")}
    document["paths"] = own | {path.replace("/api/atlas/", "/x/"): item for path, item in others.items()}
    file = tmp_path / "vendor.yaml"
    with file.open("w", encoding="utf-8") as out:
        yaml.dump(document, out, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))
    assert file.stat().st_size > 400_000
    assert differences(file) == []
