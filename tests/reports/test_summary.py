"""summary.json: the promised form, valid against its schema, the same bytes for the same journal."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest
from jsonschema_rs import Draft202012Validator

from atlas_conformance.reports.journal import Journal
from atlas_conformance.reports.matrix import build
from atlas_conformance.reports.summary import summary, summary_bytes
from tests.reports import sample_journal as sample

SCHEMA = json.loads((Path(__file__).parents[2] / "reports" / "summary.schema.json").read_text("utf-8"))


@pytest.mark.parametrize("build_sample", [sample.passing, sample.failing, sample.hostile])
def test_it_holds_to_its_schema(tmp_path: Path, build_sample: sample.Builder) -> None:
    document = orjson.loads(summary_bytes(build_sample(tmp_path / "j"), lambda request: "curl"))
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(document)] == []


def test_it_says_what_failed_and_how_to_repeat_it(tmp_path: Path) -> None:
    document = summary(sample.failing(tmp_path / "j"), lambda request: f"curl {request.target}")
    assert (document["verdict"], document["seed"], document["partial"]) == ("failed", 7, False)
    failed = document["requirements"]["T-TARGET"]
    assert failed["verdict"] == "failed" and failed["exercised"] == 14
    assert failed["operations"]["cluster-create"] == {
        "status": "failed",
        "passed": 0,
        "failed": 2,
        "advice": 0,
        "known_departures": 0,
        "reason": None,
    }
    (finding,) = failed["findings"]
    assert finding["operation"] == "cluster-create" and finding["count"] == 2
    assert finding["request"]["body"] == '{"deliveryType":"automated","snapshotId":"5e0b4ac4d1f3a8b29c7d6e01"}'
    assert finding["response"]["status"] == 200
    assert finding["curl"].startswith("curl /api/atlas/v2/")
    assert finding["rerun"] == (
        "atlas-conformance run --target targets/staging.toml --requirement T-TARGET --profile quick --seed 7"
    )
    explained = document["requirements"]["C-SCHEMA"]["findings"][0]
    assert explained["led_by"]["requirement"] == "T-TARGET"
    assert document["not_exercised"][0]["reason"] == "the target file names no credential from outside the access list"
    assert document["known_departures"]["K-TIMESTAMP"]["operations"] == {"cluster-create": 1}


def test_the_same_journal_gives_the_same_bytes(tmp_path: Path) -> None:
    first = sample.failing(tmp_path / "j")
    assert summary_bytes(first) == summary_bytes(build(Journal(tmp_path / "j")))


def test_a_long_body_is_cut(tmp_path: Path) -> None:
    made = sample.Sample(tmp_path / "j")
    made.add(sample.finding(), sent=sample.exchange(answer=b"x" * 100_000))
    response = summary(made.end())["requirements"]["S-ECHO"]["findings"][0]["response"]
    assert len(response["body_begins"]) == 8192 and response["body_bytes"] == 100_000
