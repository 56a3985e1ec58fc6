"""The contract as a value: another one, with an operation that this project has never seen, is judged by its data."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

import atlas_conformance
from atlas_conformance import Chronicle, Contract, Exchange, Judge, Judgement, Knowledge, Request, Response
from atlas_conformance.contracts.contract import FOLDER
from tests.strategies.scenery import KNOWN, answer, flex_job, request

PROJECT, SNAPSHOT = "a" * 24, "b" * 24
PATH = "/api/atlas/v2/groups/{groupId}/flexClusters/{name}/backup/exports/{exportId}"
MEDIA = "application/vnd.atlas.2024-11-13+json"
SHOWN = {"id": SNAPSHOT, "status": "COMPLETED", "scheduledTime": "2026-11-20T06:17:56Z", "mongoDBVersion": "8.0.1"}
LOOKS_LIKE_A_JOB = {"deliveryType": "download", "failed": True, "cancelled": True, "snapshotUrl": "x", "oplogTs": 1}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "flex-export.json",
    "type": "object",
    "x-requirement": "C-SCHEMA",
    "properties": {"id": {"type": "string", "pattern": "^([a-f0-9]{24})$"}, "status": {"type": "string"}},
}
REQUIREMENT = """
[P-EXPORT]
statement = "A malformed snapshot id in the path is refused with 400 or 404."
basis = "documented"
sources = [["O", "paths › the snapshot's › parameters"]]
on = "operations with a export in the path"
technique = "one-step departures from the pattern in the path"
specificity = 60
"""
Change = Callable[[dict[str, Any]], None]


def described(kind: str = "get", resource: str = "flex export") -> dict[str, Any]:
    content = {MEDIA: {"schema": {"$ref": "schemas/flex-export.json"}}}
    statuses = {str(status): {"description": "An error."} for status in (400, 401, 403, 404, 500)}
    return {
        "operationId": "flex-export-get",
        "x-level": "workflow",
        "x-resource": resource,
        "x-kind": kind,
        "responses": {"200": {"description": "It.", "content": content}, **statuses},
    }


def parameter() -> dict[str, Any]:
    schema = {"type": "string", "minLength": 24, "maxLength": 24, "pattern": "^([a-f0-9]{24})$"}
    roles = {"x-role": "export", "x-malformed": "P-EXPORT", "x-absent": "N-JOB"}
    return {"name": "exportId", "in": "path", "required": True, "schema": schema, **roles}


def folder_with(where: Path, change: Change | None = None, operation: dict[str, Any] | None = None) -> Path:
    """Return a copy of the contract's folder that has one more operation."""
    folder = where / "contract"
    folder.mkdir()
    shutil.copytree(FOLDER / "schemas", folder / "schemas")
    for file in FOLDER.glob("*.toml"):
        shutil.copy(file, folder)
    (folder / "schemas" / "flex-export.json").write_text(json.dumps(SCHEMA), "utf-8")
    with (folder / "requirements.toml").open("a", encoding="utf-8") as file:
        file.write(REQUIREMENT)
    document = yaml.safe_load((FOLDER / "openapi.yaml").read_text("utf-8"))
    references = [{"$ref": f"#/components/parameters/{name}"} for name in ("groupId", "name", "envelope", "pretty")]
    document["paths"][PATH] = {"parameters": [*references, parameter()], "get": operation or described()}
    if change is not None:
        change(document)
    (folder / "openapi.yaml").write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    return folder


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    return Contract.load(folder_with(tmp_path_factory.mktemp("extended")))


def exchange(
    contract: Contract, body: Any, status: int = 200, snapshot: str = SNAPSHOT, method: str = "GET"
) -> Exchange:
    path = contract.operations["flex-export-get"].path(project=PROJECT, cluster="Flex0", export=snapshot)
    media = MEDIA if status < 300 else "application/json"
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = Request(method, path, (("Accept", MEDIA),))
    return Exchange(sent, Response(status, (("content-type", media),), raw), 0.0, 0.1)


def both(contract: Contract, *exchanges: Exchange) -> list[Judgement]:
    """Judge exchanges alone, and in the light of each other."""
    chronicle = Chronicle(Knowledge(), contract=contract)
    return [Judge(contract).judge(e) for e in exchanges] + [chronicle.feed(e) for e in exchanges]


def test_the_contract_that_the_package_brings_is_read_once() -> None:
    assert Contract.load() is Contract.load()


def test_a_contract_with_one_more_operation_stands_beside_the_default_one(contract: Contract) -> None:
    assert contract.operations.keys() - Contract.load().operations.keys() == {"flex-export-get"}
    added = contract.operations["flex-export-get"]
    assert (added.resource.cluster_kind, added.resource.what, added.level) == ("flex", "export", "workflow")
    assert contract.requirements["P-EXPORT"].operations == ("flex-export-get",)
    assert contract.match("GET", added.path(project=PROJECT, cluster="c", export=SNAPSHOT)) is not None
    assert not [r.id for r in contract.requirements.values() if r.id[:2] in ("S-", "T-", "B-") and r.binds(added.id)]


@pytest.mark.parametrize("body", [SHOWN, SHOWN | LOOKS_LIKE_A_JOB], ids=["plain", "like a job"])
def test_its_conforming_answers_are_silent(contract: Contract, body: dict[str, Any]) -> None:
    again = body | {"status": "PENDING", "id": "c" * 24, "scheduledTime": "soon"}
    for judged in both(contract, exchange(contract, body), exchange(contract, again)):
        assert not judged.findings
        held = {requirement for requirement, _ in judged.held}
        assert {"C-STATUS", "C-SCHEMA", "C-MEDIA", "V-ENVELOPE", "V-PRETTY"} <= held
        assert not {requirement for requirement in held if requirement[0] in "STBL"}


def test_its_schema_is_held(contract: Contract) -> None:
    for judged in both(contract, exchange(contract, {"id": 1})):
        assert [(f.requirement, f.pointer) for f in judged.findings] == [("C-SCHEMA", "/response/body/id")]


@pytest.mark.parametrize("snapshot", ["b" * 23, "B" * 24, "b" * 24 + "\n", "x"])
def test_a_malformed_id_in_its_path_must_be_refused(contract: Contract, snapshot: str) -> None:
    for judged in both(contract, exchange(contract, SHOWN, snapshot=snapshot)):
        assert [(f.requirement, f.pointer) for f in judged.findings] == [("P-EXPORT", "/request/path/exportId")]
    body = {"error": 404, "errorCode": "NOT_FOUND"}
    for judged in both(contract, exchange(contract, body, 404, snapshot)):
        assert not judged.findings
        assert ("P-EXPORT", "flex-export-get") in judged.held


@pytest.mark.parametrize("kind", ["get", "list", "create", "cancel", "delete"])
@pytest.mark.parametrize("resource", ["dedicated export", "search index", "thing"])
def test_an_operation_never_seen_before_is_never_judged_as_a_restore_job(
    tmp_path: Path, kind: str, resource: str
) -> None:
    contract = Contract.load(folder_with(tmp_path, operation=described(kind, resource)))
    bodies = [SHOWN, SHOWN | LOOKS_LIKE_A_JOB, {"results": [SHOWN, 1, None]}, [], None, 3, b"", b"\xff", b"{"]
    for status in (200, 204, 400, 418, 429, 503):
        for body in bodies:
            for method in ("GET", "DELETE"):
                for judged in both(contract, exchange(contract, body, status, method=method)):
                    named = {f.requirement for f in judged.findings} | {requirement for requirement, _ in judged.held}
                    assert not {requirement for requirement in named if requirement[:2] in ("S-", "T-")}


def test_the_operations_of_the_default_contract_are_judged_the_same(contract: Contract) -> None:
    for job in (flex_job(), flex_job(status="CLOSED"), flex_job(snapshotUrl="x", restoreScheduledDate="soon")):
        sent = answer(request("flex-get"), job)
        assert Judge(contract, KNOWN).judge(sent) == Judge(None, KNOWN).judge(sent)


def _without_role(document: dict[str, Any]) -> None:
    del document["paths"][PATH]["parameters"][-1]["x-role"]


def _of_no_requirement(document: dict[str, Any]) -> None:
    document["paths"][PATH]["parameters"][-1]["x-malformed"] = "P-THING"


def _of_no_schema(document: dict[str, Any]) -> None:
    content = document["paths"][PATH]["get"]["responses"]["200"]["content"]
    content[MEDIA]["schema"]["$ref"] = "schemas/thing.json"


def _linked_to_nothing(document: dict[str, Any]) -> None:
    document["paths"][PATH]["get"]["responses"]["200"]["links"] = {"list": {"operationId": "thing-list"}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_without_role, "the path parameter exportId of flex-export-get needs x-role"),
        (_of_no_requirement, "the parameter exportId of flex-export-get names P-THING"),
        (_of_no_schema, "flex-export-get names thing.json, which schemas/ does not have"),
        (_linked_to_nothing, "the link list of flex-export-get leads to thing-list"),
    ],
)
def test_what_does_not_fit_together_is_said(tmp_path: Path, change: Change, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Contract.load(folder_with(tmp_path, change))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('on = "creates"', 'on = "makes"', "has the word 'makes'"),
        ('sources = [["D1",', 'sources = [["D9",', "sources.toml has no D9"),
        ("sources = [[", "source = [[", "sources is a list of .page, place., and not empty"),
        ('["D1", "Responses"]', '["D1"]', "'D1'. is not .page, place within the page"),
        ('basis = "documented"', 'basis = "guessed"', "the basis is one of documented, recorded, .* not 'guessed'"),
        ('basis = "documented"', 'basis = "documented"\nforce = "may"', "the force is must or should, not 'may'"),
        ("[C-STATUS]", "[C-STATUS", "requirements.toml: "),
    ],
)
def test_a_wrong_catalogue_is_said(tmp_path: Path, before: str, after: str, said: str) -> None:
    folder = folder_with(tmp_path)
    file = folder / "requirements.toml"
    file.write_text(file.read_text("utf-8").replace(before, after, 1), "utf-8")
    with pytest.raises(ValueError, match=said):
        Contract.load(folder)


def test_the_public_names_are_there_and_loaded_only_when_asked_for() -> None:
    assert all(getattr(atlas_conformance, name) for name in atlas_conformance.__all__)
    assert (Path(atlas_conformance.__file__).with_name("py.typed")).is_file()
    program = "import sys, atlas_conformance; print([m for m in sys.modules if m.startswith('atlas_conformance.')])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "[]"
    assert atlas_conformance.__version__ == metadata.version("atlas-conformance")
    assert "__version__" in dir(atlas_conformance)
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = atlas_conformance.Nothing  # type: ignore[attr-defined]
