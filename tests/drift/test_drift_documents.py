"""Descriptions are read within bounds, from one file or several, and operations are found by their addresses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from atlas_conformance.cli.drift import drift_command
from atlas_conformance.contracts.contract import FOLDER, Contract
from atlas_conformance.contracts.drift.comparing import compare_descriptions, differences
from atlas_conformance.contracts.drift.loading import DriftError, load
from tests.drift.describing import FLEX, FLEX_TYPE, against, answering, between, bundled, write

OPERATIONS = Contract.load().operations

JOB = {"type": "object", "properties": {"id": {"type": "string"}}}
V2 = "/api/atlas/v2"


def test_what_yaml_says_beyond_json_stays_text(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("a: [2024-01-01, on, NO, 010, 0x1f, 1.5, ~, true, '1', 1:20, !!str 5, .inf]\n200: x\n")
    read = ["2024-01-01", "on", "NO", 10, 31, 1.5, None, True, "1", "1:20", "5", float("inf")]
    assert load(file) == {"a": read, "200": "x"}


def test_json_is_read_with_integers_of_any_size(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text('{"a": 123456789012345678901234567890, "b": "\\ud83d\\ude00"}')
    assert (round(load(file)["a"] / 1e29, 3), load(file)["b"]) == (1.235, "\U0001f600")


def test_merges_and_aliases_are_followed(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{y: 4}, *a], z: *a}\nd: &k x\n*k : 5\n")
    assert load(file)["b"] == {"x": 1, "y": 3}
    assert load(file)["c"] == {"y": 4, "x": 1, "z": {"x": 1, "y": 2}}
    assert load(file)["x"] == 5


MERGES = "a0: &a0 {x: 1, y: 2}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40))
LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: " + "[" * 30_000 + "]" * 30_000, "is nested more than 256 levels deep"),
        ("[" * 900 + "]" * 900, "is nested more than 256 levels deep"),
        ('{"a":' * 30_000 + "1" + "}" * 30_000, "is nested more than 256 levels deep"),
        ("- " * 30_000 + "x", "is nested more than 256 levels deep"),
        (MERGES, "holds more than 2,000,000 values"),
        (LAUGHS, "holds more than 2,000,000 values"),
        ("a: &a [*a]", "has a value that contains itself, at line 1"),
        ("a: 1\nb: *c", "has an unknown alias, at line 2"),
        ("? [a]\n: 1", "has a key that is no text, at line 1"),
        ("a: !!timestamp 2024-01-01", "which JSON does not have"),
        ("a: {<<: 5}", "merges what is no object"),
        ("a: 1\n---\nb: 2", "holds 2 documents"),
        ("\x00", "is neither JSON nor YAML"),
    ],
)
def test_a_file_out_of_bounds_is_refused_at_once(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text)
    with pytest.raises(DriftError, match=words):
        load(file)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    with file.open("wb") as out:
        out.truncate(17 * 1024 * 1024)
    with pytest.raises(DriftError, match="is larger than 16 MB"):
        load(file)


def test_a_description_in_several_files_is_the_same(tmp_path: Path) -> None:
    """Path items, parameters, answers and schemas in files of their own, each relative to the file that names it."""
    document = bundled()
    components = document.pop("components")
    write(tmp_path, {"components": {"schemas": components["schemas"]}}, "shared/schemas.json")
    parts = write(tmp_path, {**components, "schemas": {}}, "shared/parts.json")
    parts.write_text(parts.read_text().replace("#/components/schemas", "schemas.json#/components/schemas"))
    for number, (path, item) in enumerate(document["paths"].items()):
        file = write(tmp_path, item, f"paths/item {number}.json")
        moved = file.read_text().replace("#/components/schemas", "../shared/./schemas.json#/components/schemas")
        file.write_text(moved.replace('"#/components/', '"../shared/parts.json#/'))
        document["paths"][path] = {"$ref": f"paths/item%20{number}.json"}
    found = compare_descriptions(write(tmp_path, document, "openapi.yaml"))
    assert (found.differences, found.notes) == ((), ())


def test_a_path_item_may_stand_under_components(tmp_path: Path) -> None:
    document = bundled()
    document["components"]["pathItems"] = {f"Item{n}": item for n, item in enumerate(document["paths"].values())}
    document["paths"] = {path: {"$ref": f"#/components/pathItems/Item{n}"} for n, path in enumerate(document["paths"])}
    assert against(tmp_path, document) == []


def test_what_stands_beside_the_reference_of_a_path_item_belongs_to_it(tmp_path: Path) -> None:
    document = bundled()
    post = document["paths"][FLEX].pop("post")
    document["components"]["pathItems"] = {"Flex": document["paths"][FLEX]}
    document["paths"][FLEX] = {"$ref": "#/components/pathItems/Flex", "post": post}
    assert against(tmp_path, document) == []


@pytest.mark.parametrize(
    "reference",
    [
        "../outside.json",
        "link.json",
        "/etc/passwd",
        "file:///etc/passwd",
        "https://example.com/x.json#/a",
        "//example.com/x.json",
        "urn:x",
        "..%2Foutside.json",
        "missing.json",
        "folder",
        "pipe",
        "#/nowhere",
        "#nowhere",
        "%00",
        "new.json#/paths/0",
    ],
)
def test_a_reference_out_of_the_folder_or_to_nothing_is_refused(tmp_path: Path, reference: str) -> None:
    write(tmp_path, JOB, "outside.json")
    folder = tmp_path / "description"
    (folder / "folder").mkdir(parents=True)
    (folder / "link.json").symlink_to(tmp_path / "outside.json")
    os.mkfifo(folder / "pipe")
    file = write(folder, answering({"$ref": reference}), "new.json")
    result = CliRunner().invoke(drift_command, [str(file)])
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "Traceback" not in result.stderr


def test_an_address_that_a_schema_of_the_description_has_is_no_foreign_one(tmp_path: Path) -> None:
    told = answering({"$ref": "https://example.com/job"}, Job={"$id": "https://example.com/job", **JOB})
    assert between(tmp_path, answering(JOB), told) == []


def test_a_description_by_way_of_a_link_or_a_pipe_is_read(tmp_path: Path) -> None:
    real = write(tmp_path / "real", bundled())
    (tmp_path / "link.json").symlink_to(real)
    assert differences(tmp_path / "link.json") == []
    reading, writing = os.pipe()
    try:
        os.write(writing, b"openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {}\n")
        os.close(writing)
        assert len(differences(Path(f"/dev/fd/{reading}"))) == 1
    finally:
        os.close(reading)


def moved(document: Any, servers: Any, where: str) -> Any:
    """Take the prefix of v2 out of the paths and put servers at one of the three places."""
    document["paths"] = {path.removeprefix(V2): item for path, item in document["paths"].items() if V2 in path}
    document.pop("servers")
    holders: list[Any] = {
        "description": [document],
        "path item": list(document["paths"].values()),
        "operation": [item[method] for item in document["paths"].values() for method in item if method != "parameters"],
    }[where]
    for holder in holders:
        holder["servers"] = servers
    return document


@pytest.mark.parametrize("where", ["description", "path item", "operation"])
@pytest.mark.parametrize(
    "servers",
    [
        [{"url": "https://cloud.mongodb.com/api/atlas/v2"}],
        [{"url": "https://cloud.mongodb.com/api/atlas/v2/"}],
        [{"url": "/api/atlas/v2"}],
        [{"url": "https://example.com/mock"}, {"url": "https://example.com:8443/behind/api/atlas/v2"}],
        [
            {
                "url": "https://{host}/api/{name}/v2",
                "variables": {"host": {"default": "x"}, "name": {"default": "atlas"}},
            }
        ],
        [
            {
                "url": "{base}",
                "variables": {"base": {"default": "http://x", "enum": ["http://x", "//x/api/atlas/v2"]}},
            }
        ],
    ],
)
def test_the_prefix_of_a_path_may_stand_under_servers(tmp_path: Path, servers: Any, where: str) -> None:
    found = compare_descriptions(write(tmp_path, moved(bundled(), servers, where)))
    assert found.differences == ()
    (note,) = found.notes
    assert note.startswith("Not compared: ") and "tenant-create" in note and note.endswith("under /api/atlas/v1.0/.")


@pytest.mark.parametrize(
    "document",
    [
        {"openapi": "3.1.0", "info": {}, "paths": {}},
        {"openapi": "3.1.0", "info": {}, "webhooks": {}},
        {"openapi": "3.1.1", "info": {}, "components": {}},
        {"openapi": "3.0.3", "info": {}, "paths": {"/pets": {"get": {"responses": {}}}, "x-note": 5}},
        {"openapi": "3.0.3", "info": {}, "paths": {"/groups/{id}": None}},
    ],
)
def test_where_nothing_of_the_contract_is_described_one_difference_says_so(tmp_path: Path, document: Any) -> None:
    (told,) = against(tmp_path, document)
    assert (told.kind, told.breaks) == ("operation", ("clients",))
    assert f"none of the {len(OPERATIONS)} operations is described" in told.sentence and "servers" in told.sentence


def test_an_operation_without_responses_is_reported_once(tmp_path: Path) -> None:
    document = bundled()
    del document["paths"][FLEX]["get"]["responses"]
    (told,) = against(tmp_path, document)
    assert (told.kind, told.sentence, told.operations) == (
        "status",
        "the operation describes no answers",
        ("flex-list",),
    )


def answered(**answers: Any) -> Any:
    document = bundled()
    responses = document["paths"][FLEX]["post"]["responses"]
    for status in ("400", "404"):
        responses.pop(status)
    responses.update({status.removeprefix("s"): answer for status, answer in answers.items()})
    return document


ERROR = {
    "description": "An error.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}},
}
ODD = {"description": "An error.", "content": {"application/json": {"schema": {"type": "string"}}}}


@pytest.mark.parametrize("name", ["s4XX", "s4xx", "default"])
def test_a_range_or_the_default_describes_each_status_in_it(tmp_path: Path, name: str) -> None:
    assert against(tmp_path, answered(**{name: ERROR})) == []
    (told,) = against(tmp_path, answered(**{name: ODD}))
    assert told.sentence == "the body of 400 is string, not object"
    assert between(tmp_path, answered(**{name: ERROR}), answered(s400=ERROR, s404=ERROR)) == []


def test_a_status_of_its_own_wins_over_its_range(tmp_path: Path) -> None:
    assert against(tmp_path, answered(s4XX=ODD, s400=ERROR, s404=ERROR)) == []


@pytest.mark.parametrize("status", ["410", "431"])
def test_a_status_that_http_may_always_answer_is_no_difference(tmp_path: Path, status: str) -> None:
    assert against(tmp_path, answered(s400=ERROR, s404=ERROR, **{f"s{status}": ERROR})) == []


def typed(**types: Any) -> Any:
    document = answering({})
    content = document["paths"][FLEX]["get"]["responses"]["200"]["content"]
    content.clear()
    content.update({name: {"schema": schema} for name, schema in types.items()})
    return document


@pytest.mark.parametrize("name", [FLEX_TYPE.upper(), f"{FLEX_TYPE} ; charset=utf-8", "application/*", "*/*"])
def test_a_media_type_is_matched_by_what_it_means(tmp_path: Path, name: str) -> None:
    assert between(tmp_path, typed(**{FLEX_TYPE: JOB}), typed(**{name: JOB})) == []


@pytest.mark.parametrize(
    ("date", "severity"), [("2030-01-01", "notice"), ("2023-01-01", "minor")], ids=["newer", "older"]
)
def test_a_further_version_of_a_media_type_breaks_nobody(tmp_path: Path, date: str, severity: str) -> None:
    further = {f"application/vnd.atlas.{date}+json": {"type": "string"}}
    (told,) = between(tmp_path, typed(**{FLEX_TYPE: JOB}), typed(**{FLEX_TYPE: JOB}, **further))
    assert (told.kind, told.breaks, told.severity) == ("media type", (), severity)


def test_a_version_that_is_replaced_breaks_clients_and_is_compared(tmp_path: Path) -> None:
    new = {"application/vnd.atlas.2030-01-01+json": {"type": "string"}}
    told = between(tmp_path, typed(**{FLEX_TYPE: JOB}), typed(**new))
    assert [each.kind for each in told] == ["media type", "type"]
    assert {each.breaks for each in told} >= {("clients",)}


def test_a_version_with_an_end_is_reported(tmp_path: Path) -> None:
    document = bundled()
    document["paths"][FLEX]["get"]["responses"]["200"]["content"][FLEX_TYPE]["x-sunset"] = "2030-01-01"
    (told,) = against(tmp_path, document)
    assert (told.kind, told.severity) == ("deprecated", "notice")
    assert "2030-01-01" in told.sentence


def test_a_default_of_a_query_parameter_that_differs_breaks_clients(tmp_path: Path) -> None:
    document = bundled()
    document["components"]["parameters"]["itemsPerPage"]["schema"]["default"] = 50
    (told,) = against(tmp_path, document)
    assert (told.kind, told.sentence) == (
        "default",
        "the query parameter itemsPerPage is 50 where it is left out, not 100",
    )


def test_our_own_file_is_the_same_as_itself() -> None:
    assert differences((FOLDER / "openapi.yaml"), (FOLDER / "openapi.yaml")) == []
