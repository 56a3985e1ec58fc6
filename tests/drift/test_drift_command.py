"""What a person sees of `drift`, and what its baseline accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from atlas_conformance.cli.drift import drift_command
from tests.drift.describing import FLEX, FLEX_TYPE, answering, bundled, write

PAIR = FLEX + "/{restoreJobId}"


def drift(*arguments: object) -> Result:
    return CliRunner().invoke(drift_command, [str(each) for each in arguments])


def changed(folder: Path, name: str = "vendor.json") -> Path:
    """Write a description with two differences that matter, in an answer and a request, and one that does not."""
    document = bundled()
    schemas = document["components"]["schemas"]
    schemas["flex-restore-job"]["properties"]["status"]["enum"].append("PAUSED")
    schemas["flex-restore-job"]["properties"]["owner"] = {"type": "string"}
    schemas["flex-restore-request"]["required"].remove("snapshotId")
    return write(folder, document, name)


def test_the_worst_comes_first_with_its_places_and_what_matters_not_is_counted(tmp_path: Path) -> None:
    old, new = (
        answering({"type": "object", "properties": {"status": {"enum": values}, "id": id_, **more}})
        for values, id_, more in (
            (["A"], {"type": "string"}, {}),
            (["A", "B"], {"type": "string", "maxLength": 5}, {"owner": {"type": "string"}}),
        )
    )
    old_file, new_file = write(tmp_path, old, "old.json"), write(tmp_path, new, "new.json")
    told = drift(old_file, new_file)
    assert told.exit_code == 1
    answer = "/paths/" + FLEX.replace("/", "~1") + "/get/responses/200/content/" + FLEX_TYPE.replace("/", "~1")
    assert told.stdout.splitlines() == [
        "",
        "Breaks clients that keep to the old description (1)",
        "",
        "  enum: status gains 'B'",
        "    the body of 200.status of flex-list",
        f"    old  old.json#{answer}/schema/properties/status",
        f"    new  new.json#{answer}/schema/properties/status",
        "",
        "Breaks endpoints that keep to the old description, and no client (1)",
        "",
        "  bound: id has maxLength 5, not none",
        "    the body of 200.id of flex-list",
        f"    old  old.json#{answer}/schema/properties/id",
        f"    new  new.json#{answer}/schema/properties/id",
        "",
        "2 differences, 2 of them breaking; 1 that breaks nobody: see --all.",
    ]
    assert "owner" in drift(old_file, new_file, "--all").stdout


def test_against_the_contract_places_are_in_its_files(tmp_path: Path) -> None:
    told = drift(changed(tmp_path)).stdout
    assert told.index("Breaks clients that keep to the contract (1)") < told.index("Breaks endpoints")
    assert "    ours    schemas/flex-restore-job.json#/properties/status\n" in told
    assert "    theirs  vendor.json#/components/schemas/flex-restore-job/properties/status\n" in told


def test_what_breaks_nobody_alone_fails_nothing(tmp_path: Path) -> None:
    document = bundled()
    document["components"]["schemas"]["flex-restore-job"]["properties"]["owner"] = {"type": "string"}
    file = write(tmp_path, document)
    told = drift(file)
    assert (told.exit_code, told.stdout[:15]) == (0, "No difference; ")
    assert told.stdout.endswith(" nobody: see --all.\n")
    assert json.loads(drift(file, "--json").stdout) == []
    assert drift(file, "--all").exit_code == 0
    assert {each["severity"] for each in json.loads(drift(file, "--all", "--json").stdout)} == {"minor"}


def test_json_lists_every_place(tmp_path: Path) -> None:
    enum, required = json.loads(drift(changed(tmp_path), "--json").stdout)
    assert (enum["kind"], enum["severity"], enum["breaks"], enum["breaking"]) == ("enum", "clients", ["clients"], True)
    assert {"flex-create", "flex-get", "flex-list"} <= set(enum["operations"])
    assert [each["operation"] for each in enum["places"]] == enum["operations"]
    assert required["places"][0]["ours"] == "schemas/flex-restore-request.json#"
    assert "state" not in enum


def test_a_baseline_accepts_the_differences_of_today_and_no_other(tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    vendor = changed(tmp_path)
    written = drift(vendor, "--baseline", baseline, "--update-baseline")
    assert (written.exit_code, written.stdout[: len(str(baseline))]) == (0, str(baseline))
    assert " accepts 2 differences at " in written.stdout
    written_content = baseline.read_text()
    same = drift(vendor, "--baseline", baseline)
    assert same.exit_code == 0
    assert same.stdout.startswith("No new difference; 2 accepted by the baseline; ")
    # Another edition under another name, in which one difference is gone, one changed, and one new.
    document = json.loads(vendor.read_text())
    schemas = document["components"]["schemas"]
    schemas["flex-restore-job"]["properties"]["status"]["enum"].append("STUCK")
    schemas["flex-restore-request"]["required"].append("snapshotId")
    document["paths"][FLEX]["post"]["responses"]["402"] = {"description": "Pay."}
    later = write(tmp_path, document, "later.json")
    told = drift(later, "--baseline", baseline)
    assert told.exit_code == 1
    assert "status gains 'PAUSED' or 'STUCK'" in told.stdout
    assert "the status 402 is described" in told.stdout
    assert "Gone since the baseline (" in told.stdout
    assert "required: flex-create: the request body need not have snapshotId" in told.stdout
    assert "\n2 new differences, 2 of them breaking; " in told.stdout
    states = [each["state"] for each in json.loads(drift(later, "--baseline", baseline, "--json").stdout)]
    assert states == ["new"] * 2 + ["gone"] * len(json.loads(written_content)["accepted"])
    assert drift(later, "--baseline", baseline, "--update-baseline").exit_code == 0
    assert drift(later, "--baseline", baseline).exit_code == 0


def test_the_same_at_a_new_place_is_new(tmp_path: Path) -> None:
    document = bundled()
    schemas = document["components"]["schemas"]
    schemas["flex-restore-job"]["properties"]["snapshotId"].pop("pattern")
    baseline = tmp_path / "baseline.json"
    drift(write(tmp_path, document), "--baseline", baseline, "--update-baseline")
    schemas["tenant-restore-job"]["properties"]["snapshotId"].pop("pattern")
    told = drift(write(tmp_path, document), "--baseline", baseline, "--json")
    (new, accepted) = json.loads(told.stdout)
    assert told.exit_code == 1
    assert (new["state"], accepted["state"]) == ("new", "accepted")
    assert {place["operation"] for place in new["places"]} == {"tenant-create", "tenant-get"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "does not exist; --update-baseline writes it"),
        ("{\n]", "is no JSON at line 2"),
        ("[]", "is no baseline of drift"),
        ("[" * 100_000, "is no JSON"),
        ('{"drift-baseline": 2, "accepted": []}', "is no baseline of drift"),
        ('{"drift-baseline": 1, "accepted": [{"kind": 1}]}', "entry 1 of accepted needs kind, operation"),
        ('{"drift-baseline": 1, "accepted": [5]}', "entry 1 of accepted needs kind, operation"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused_in_one_sentence(tmp_path: Path, text: str | None, words: str) -> None:
    baseline = tmp_path / "baseline.json"
    if text is not None:
        baseline.write_text(text)
    told = drift(changed(tmp_path), "--baseline", baseline)
    assert (told.exit_code, told.stdout, told.stderr.count("\n")) == (2, "", 1)
    assert words in told.stderr


def test_wrong_usage_is_said(tmp_path: Path) -> None:
    file = changed(tmp_path)
    assert "--update-baseline needs --baseline FILE" in drift(file, "--update-baseline").stderr
    assert drift(file, file, file).exit_code == 2
    nowhere = drift(file, "--baseline", tmp_path / "vendor.json" / "x.json", "--update-baseline")
    assert (nowhere.exit_code, nowhere.stderr.count("\n")) == (2, 1)


def test_two_descriptions_are_compared_as_far_as_the_contract_is_concerned(tmp_path: Path) -> None:
    old = changed(tmp_path, "old.json")
    document: Any = json.loads(old.read_text())
    assert drift(old, old).stdout == "No difference.\n"
    del document["paths"][PAIR]
    v1 = next(path for path in document["paths"] if path.endswith("tenant/restore"))
    document["paths"] = {path: item for path, item in document["paths"].items() if "v1.0" not in path}
    document["paths"]["/api/atlas/v2/groups"] = {"get": {"responses": {"200": {"description": "ok"}}}}
    told = drift(old, write(tmp_path, document, "new.json"))
    assert told.exit_code == 1
    assert "Breaks clients that keep to the old description" in told.stdout
    assert f"GET {PAIR} is not described" in told.stdout
    assert f"POST {v1} is not described" in told.stdout
    assert "PAUSED" not in told.stdout


def test_two_descriptions_of_something_else_have_no_difference(tmp_path: Path) -> None:
    pets = {"openapi": "3.1.0", "info": {}, "paths": {"/pets": {"get": {}}}}
    told = drift(write(tmp_path, pets, "old.json"), write(tmp_path, pets, "new.json"))
    assert told.exit_code == 0
    assert told.stdout == "No difference.\nNeither description describes an operation of the contract.\n"
