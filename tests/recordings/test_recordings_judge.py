"""What makes the judge fit for long recordings changes nothing of what it says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_conformance.contracts.chronicle import Chronicle
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.recordings.entries import Recorded
from atlas_conformance.recordings.har import recorded
from tests.recordings.samples import FLEX, entry, job, sample

WRONG = st.sampled_from([None, True, 1, 0.5, "", "x", [], [None], {}, {"a": 1}])


def read(made: dict[str, Any]) -> Exchange:
    found = recorded(made)
    assert isinstance(found, Recorded)
    return found.exchange


def real() -> list[Exchange]:
    return [read(each) for each in json.loads(sample().read_text("utf-8"))["log"]["entries"]]


def told(exchanges: list[Exchange], remember: int | None) -> list[Judgement]:
    chronicle = Chronicle(Knowledge(), remember=remember)
    return [chronicle.feed(replace(exchange)) for exchange in exchanges]


def test_answers_that_are_remembered_are_judged_as_those_that_are_not() -> None:
    exchanges = real() * 2
    assert told(exchanges, 1_000) == told(exchanges, None)


def test_an_answer_is_remembered_for_its_own_request_alone() -> None:
    here = read(entry(job()))
    there = replace(here, request=replace(here.request, target=here.request.target.replace("/one/", "/other/")))
    first, second = told([here, there], 10)
    assert first.findings == ()
    assert {finding.requirement for finding in second.findings} >= {"S-ECHO"}


def test_no_more_jobs_are_remembered_than_allowed() -> None:
    chronicle = Chronicle(Knowledge(), remember=5)
    for number in range(50):
        chronicle.feed(read(entry(job(id=f"{number:024x}"), path=f"{FLEX}/{number:024x}")))
        chronicle.feed(read(entry(job(id="f" * 24), path=f"{FLEX}/{'f' * 24}")))
    assert [history.job for history in chronicle.jobs()][-1] == "f" * 24
    assert len(list(chronicle.jobs())) == 5


def create(**members: Any) -> Exchange:
    return read(entry(job(**members), path=FLEX, method="POST"))


def test_the_same_create_recorded_twice_is_one_create() -> None:
    assert [judgement.findings for judgement in told([create(), create()], 10)] == [(), ()]
    later = replace(create(), started=create().started + 60, ended=create().ended + 60)
    assert [finding.requirement for finding in told([create(), later], 10)[1].findings] == ["S-NEW"]


def test_a_fresh_job_is_judged_without_the_request_that_made_it() -> None:
    done = create(status="COMPLETED", restoreFinishedDate="2026-02-23T03:22:08Z")
    assert [finding.requirement for finding in told([done], 10)[0].findings] == ["S-NEW"]


@pytest.mark.parametrize("name", ["cluster-restore-job.json", "cluster-restore-job-list.json", "error.json"])
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_errors_found_quickly_are_those_that_are_explained(name: str, data: st.DataObject) -> None:
    drawn_from = "error.json" if name == "error.json" else "cluster-restore-job.json"
    optional = dict.fromkeys(Contract.load().validator(drawn_from).schema["properties"], WRONG)
    document: Any = data.draw(st.fixed_dictionaries({}, optional=optional))
    if name == "cluster-restore-job-list.json":
        document = {"results": [{"deliveryType": "download"}, document], "totalCount": 2}
    document = {"deliveryType": "download", "error": 400, "errorCode": "A"} | document
    quick, explained = (
        Contract.load().validator(name).errors(document),
        Contract.load().validator(name).explain(document),
    )
    assert sorted(quick, key=str) == sorted(explained, key=str)
    assert Contract.load().validator(name).is_valid(document) == (not explained)
