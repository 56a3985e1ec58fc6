"""Rules as units: each is found by the id of its requirement, and says what it holds."""

from __future__ import annotations

import pytest

from atlas_conformance.contracts import rules
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.judge import Judge
from atlas_conformance.contracts.outcomes import HELD, Failure, summed
from atlas_conformance.contracts.resources import DEDICATED_JOB, FLEX_JOB, TENANT_JOB
from atlas_conformance.contracts.rulebook import rules_of
from atlas_conformance.contracts.rules import shared_jobs
from atlas_conformance.contracts.views import JobView

CONTRACT = Contract.load()


@pytest.mark.parametrize("requirement", CONTRACT.requirements)
def test_each_requirement_is_judged_by_a_rule_that_is_found_by_its_id(requirement: str) -> None:
    found = rules_of(requirement)
    assert found
    assert all(callable(rule) and rule.__module__.startswith("atlas_conformance.contracts.") for rule in found)


def test_every_rule_says_in_a_sentence_what_it_holds() -> None:
    for requirement in CONTRACT.requirements:
        for rule in rules_of(requirement):
            if rule.__module__.startswith(rules.__name__):
                assert rule.__doc__ is not None
                assert rule.__doc__.split("\n\n")[0].strip().endswith((".", ")")), rule


def test_nothing_is_found_under_an_id_that_no_requirement_has() -> None:
    assert rules_of("S-NOTHING") == []


def test_common_rules_are_found_under_the_id_that_each_resource_gives_them() -> None:
    assert FLEX_JOB.common["new"] == TENANT_JOB.common["new"] == "S-NEW"
    assert DEDICATED_JOB.common["new"] == "T-NEW"
    assert set(rules_of("S-NEW")) == set(rules_of("T-NEW"))


def test_a_rule_is_called_with_a_view_and_returns_its_outcome() -> None:
    operation = CONTRACT.operations["flex-get"]
    view = JobView(operation, ("p", "c"), {"deliveryType": "RESTORE", "snapshotUrl": "u"}, "/body", CONTRACT.deliveries)
    expected = Failure("no snapshotUrl but for DOWNLOAD", "'u'", "/body/snapshotUrl")
    assert shared_jobs.only_a_download_shows_an_address(view) == expected
    view.document = {"deliveryType": "RESTORE"}
    assert shared_jobs.only_a_download_shows_an_address(view) is HELD
    view.document = {"deliveryType": "DOWNLOAD", "snapshotUrl": "https://a.example/u"}
    assert shared_jobs.only_a_download_shows_an_address(view) is HELD
    view.document = {"deliveryType": "DOWNLOAD"}
    assert shared_jobs.only_a_download_shows_an_address(view) is HELD
    view.document = {"deliveryType": "neither"}
    assert shared_jobs.only_a_download_shows_an_address(view) is None


def test_what_held_among_failures_is_reported_too() -> None:
    failure = Failure("a", "b", "/c")
    assert summed([], 0) is None
    assert summed([], 2) is HELD
    assert summed([failure], 2) == [failure, HELD]
    assert summed([failure], 1) == [failure]


def test_a_finding_names_the_pages_that_its_requirement_comes_from() -> None:
    from tests.strategies.scenery import KNOWN, answer, flex_job, request

    judged = Judge(CONTRACT, KNOWN).judge(answer(request("flex-get"), flex_job(status="CLOSED")))
    (finding,) = [f for f in judged.findings if f.requirement == "S-STATUS"]
    assert finding.source == (
        "Return One Restore Job for One Flex Cluster, Responses › 200 › status, "
        "https://www.mongodb.com/docs/api/doc/atlas-admin-api-v2/operation/"
        "operation-getgroupflexclusterbackuprestorejob "
        "(documented)"
    )
    assert finding.place == "/response/body/status"
    assert CONTRACT.sources["D3"].address is not None
