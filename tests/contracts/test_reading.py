"""Reading requests: each broken rule alone is that rule, each freedom is a freedom, and nothing else is either."""

from __future__ import annotations

from dataclasses import replace

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.reading import Reading, Readings, with_busy_target
from atlas_conformance.strategies.requests import with_header
from tests.strategies.scenery import (
    ABSENT,
    AUTOMATED,
    CLUSTER_OF,
    FLEX,
    JOB,
    KNOWN,
    OPEN,
    OTHER_PROJECT,
    OTHER_SNAPSHOT,
    PLAIN,
    UNKNOWN,
    plain_body,
    request,
)

OPERATIONS = Contract.load().operations

CREATES = [o.id for o in OPERATIONS.values() if o.kind == "create"]
ON_A_JOB = [o.id for o in OPERATIONS.values() if o.parameter("job") is not None]
ON_A_SNAPSHOT = [o.id for o in OPERATIONS.values() if o.parameter("snapshot") is not None]
V2 = [o.id for o in OPERATIONS.values() if o.api == "v2"]
MALFORMED_IDS = [
    "0",
    "5f0c1e2d3a4b5c6d7e8f9a0B",
    "5f0c1e2d3a4b5c6d7e8f9a0",
    "5f0c1e2d3a4b5c6d7e8f9a0b1",
    f"{JOB}\n",
    "g" * 24,
]
MALFORMED_NAMES = ["-a", "a_b", "Größe", "a" * 65, "Replica0\n", "a b", "_", "a.b", "ａ"]


def seen(sent: Request, knowledge: Knowledge = KNOWN) -> Reading:
    """Read a request that belongs to an operation."""
    reading = Readings(knowledge).of(sent)
    assert reading is not None
    return reading


def broken(sent: Request, knowledge: Knowledge = KNOWN) -> list[str]:
    return sorted({violation.requirement for violation in seen(sent, knowledge).violations})


def is_free(sent: Request, knowledge: Knowledge = KNOWN) -> bool:
    reading = seen(sent, knowledge)
    return not reading.must_be_refused and not reading.must_succeed


@pytest.mark.parametrize("name", CREATES)
@pytest.mark.parametrize("knowledge", [KNOWN, OPEN], ids=["known", "open"])
def test_a_plain_create_must_succeed(name: str, knowledge: Knowledge) -> None:
    assert seen(request(name), knowledge).must_succeed


@pytest.mark.parametrize("name", ["flex-list", "cluster-list"])
def test_a_plain_list_must_succeed(name: str) -> None:
    assert seen(request(name)).must_succeed
    assert seen(request(name, query={"itemsPerPage": "500", "pageNum": "1", "includeCount": "false"})).must_succeed


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("query", [{"envelope": "true"}, {"pretty": "false"}, {"envelope": "false", "pretty": "true"}])
def test_flags_change_no_duty(name: str, query: dict[str, str]) -> None:
    plain, flagged = seen(request(name)), seen(request(name, query=query))
    assert (plain.violations, plain.freedoms) == (flagged.violations, flagged.freedoms)
    assert flagged.envelope is (query.get("envelope") == "true")
    assert flagged.pretty is (query.get("pretty") == "true")


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("group", MALFORMED_IDS)
def test_a_malformed_group_is_p_group(name: str, group: str) -> None:
    (violation,) = seen(request(name, groupId=group)).violations
    assert (violation.requirement, violation.pointer) == ("P-GROUP", "/request/path/groupId")
    assert violation.statuses == {400, 404}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("cluster", MALFORMED_NAMES)
def test_a_malformed_cluster_name_is_p_name(name: str, cluster: str) -> None:
    parameter = "name" if "name" in OPERATIONS[name].path_parameters else "clusterName"
    reading = seen(request(name, name=cluster, clusterName=cluster))
    (violation,) = reading.violations
    assert (violation.requirement, violation.pointer) == ("P-NAME", f"/request/path/{parameter}")
    assert reading.refusals == {400, 404}


@pytest.mark.parametrize("cluster", ["7", "a", "a" * 64, "A-", "0--0"])
def test_the_inner_side_of_the_name_rule_is_no_violation(cluster: str) -> None:
    assert broken(request("flex-create", name=cluster), OPEN) == []
    assert seen(request("flex-create", name=cluster), OPEN).must_succeed


@pytest.mark.parametrize("name", ON_A_JOB)
@pytest.mark.parametrize("job", MALFORMED_IDS)
def test_a_malformed_job_is_p_job(name: str, job: str) -> None:
    reading = seen(request(name, job=job))
    assert [v.requirement for v in reading.violations] == ["P-JOB"]
    assert reading.refusals == {400, 404}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_absent_project_is_n_group(name: str) -> None:
    (violation,) = seen(request(name, groupId=ABSENT.project)).violations
    assert (violation.requirement, set(violation.statuses)) == ("N-GROUP", {401, 403, 404})


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_absent_cluster_is_n_cluster(name: str) -> None:
    (violation,) = seen(request(name, name=ABSENT.cluster, clusterName=ABSENT.cluster)).violations
    assert (violation.requirement, set(violation.statuses)) == ("N-CLUSTER", {404})


@pytest.mark.parametrize("name", ON_A_JOB)
def test_an_absent_job_is_n_job_and_nothing_but_404(name: str) -> None:
    reading = seen(request(name, job=ABSENT.job))
    assert [v.requirement for v in reading.violations] == ["N-JOB"]
    assert reading.refusals == {404}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("family", ["flex", "tenant", "cluster"])
def test_a_cluster_of_another_kind_is_n_cluster_but_for_flex_through_tenant(name: str, family: str) -> None:
    own = OPERATIONS[name].resource.label
    if family == own:
        pytest.skip("its own kind")
    cluster = CLUSTER_OF[family]
    sent = request(
        name, PLAIN[family] if own != "cluster" and family != "cluster" else None, name=cluster, clusterName=cluster
    )
    if (own, family) == ("tenant", "flex"):
        assert is_free(sent)
    else:
        found = [v for v in seen(sent).violations if v.requirement == "N-CLUSTER"]
        assert len(found) == 1
        assert found[0].statuses == {400, 404}


@pytest.mark.parametrize("name", [name for name in CREATES if OPERATIONS[name].resource.what == "job"])
def test_absent_and_foreign_snapshots_are_n_snapshot(name: str) -> None:
    body = plain_body(name)
    for snapshot in (ABSENT.snapshot, OTHER_SNAPSHOT):
        (violation,) = seen(request(name, body | {"snapshotId": snapshot})).violations
        assert (violation.requirement, set(violation.statuses)) == ("N-SNAPSHOT", {400, 404, 409})


@pytest.mark.parametrize("name", ON_A_SNAPSHOT)
@pytest.mark.parametrize("snapshot", MALFORMED_IDS)
def test_a_malformed_snapshot_is_p_snapshot(name: str, snapshot: str) -> None:
    reading = seen(request(name, snapshotId=snapshot))
    assert [v.requirement for v in reading.violations] == ["P-SNAPSHOT"]
    assert {400, 404} <= reading.refusals


@pytest.mark.parametrize("name", ON_A_SNAPSHOT)
def test_an_absent_snapshot_is_n_snapshot(name: str) -> None:
    (violation,) = seen(request(name, snapshotId=ABSENT.snapshot)).violations
    assert (violation.requirement, set(violation.statuses)) == ("N-SNAPSHOT", {404})


@pytest.mark.parametrize("name", ON_A_JOB)
def test_a_job_of_which_nothing_is_known_leaves_it_open(name: str) -> None:
    assert is_free(request(name, job=UNKNOWN))


def test_nothing_known_means_nothing_demanded() -> None:
    for name in OPERATIONS:
        assert is_free(request(name), Knowledge())


@pytest.mark.parametrize(
    "change",
    [
        {"targetDeploymentItemName": "nobody-knows"},
        {"targetProjectId": OTHER_PROJECT},
        {"targetProjectId": UNKNOWN},
    ],
)
def test_an_unknown_target_leaves_it_open(change: dict[str, str]) -> None:
    assert is_free(request("flex-create", FLEX | change))


def test_a_target_of_the_wrong_kind_leaves_it_open() -> None:
    knowledge = replace(KNOWN, inventory=replace(KNOWN.inventory, targets=KNOWN.inventory.targets[2:]))
    assert is_free(request("cluster-create", AUTOMATED), knowledge)


@pytest.mark.parametrize(
    "value", [None, "*/*", "application/json", "application/vnd.atlas.2020-01-01+json", "text/html"]
)
@pytest.mark.parametrize("name", [n for n in V2 if OPERATIONS[n].kind in ("create", "list")])
def test_an_unsettled_accept_leaves_it_open(name: str, value: str | None) -> None:
    sent = with_header(request(name), "Accept", value)
    assert is_free(sent)
    assert 406 in seen(sent).refusals


@pytest.mark.parametrize("name", ["tenant-create", "cluster-create-v1"])
@pytest.mark.parametrize("value", [None, "*/*", "application/json"])
def test_v1_takes_ordinary_accept_headers(name: str, value: str | None) -> None:
    assert seen(with_header(request(name), "Accept", value)).must_succeed


@pytest.mark.parametrize("name", CREATES)
@pytest.mark.parametrize(
    "value", [None, "text/plain", "application/vnd.atlas.2025-03-12+json", "application/json;charset=utf-16"]
)
def test_an_odd_content_type_leaves_it_open(name: str, value: str | None) -> None:
    sent = with_header(request(name), "Content-Type", value)
    assert is_free(sent)
    assert 415 in seen(sent).refusals


def test_a_charset_of_utf_8_is_plain_json() -> None:
    sent = with_header(request("flex-create"), "Content-Type", "Application/JSON; charset=UTF-8")
    assert seen(sent).must_succeed


def test_a_broken_body_under_a_wrong_content_type_may_be_415() -> None:
    sent = replace(with_header(request("flex-create"), "Content-Type", "text/plain"), body=b"not json")
    assert broken(sent) == ["B-JSON"]
    assert seen(sent).refusals >= {400, 415}
    assert seen(replace(request("flex-create"), body=b"not json")).refusals == {400}


def test_the_slash_of_v1_may_be_left_out() -> None:
    sent = request("cluster-create-v1")
    without = replace(sent, target=sent.target.rstrip("/"))
    assert seen(without).operation.id == "cluster-create-v1"
    assert seen(without).must_succeed


@pytest.mark.parametrize("value", ["maybe", "", "1", "TRUE", "null"])
@pytest.mark.parametrize("flag", ["envelope", "pretty"])
def test_a_flag_that_is_no_boolean_leaves_it_open(flag: str, value: str) -> None:
    sent = request("flex-create", query={flag: value})
    assert is_free(sent)
    assert seen(sent).flag_is_odd


def test_a_flag_given_twice_leaves_it_open() -> None:
    sent = request("flex-create")
    assert seen(replace(sent, target=sent.target + "?envelope=true&envelope=false")).envelope is None


@pytest.mark.parametrize(
    "query",
    [{"unheardOf": "1"}, {"itemsPerPage": "0"}, {"itemsPerPage": "501"}, {"pageNum": "x"}, {"includeCount": "perhaps"}],
)
def test_an_odd_page_leaves_it_open(query: dict[str, str]) -> None:
    assert is_free(request("flex-list", query=query))


def test_page_parameters_mean_nothing_to_a_create() -> None:
    assert is_free(request("flex-create", query={"pageNum": "1"}))


def test_headers_that_no_rule_names_leave_it_open() -> None:
    assert is_free(with_header(request("flex-create"), "X-Long", "a" * 4_000))


def test_a_busy_target_leaves_it_open() -> None:
    free = Readings(KNOWN).of(request("flex-create"))
    assert free is not None
    assert free.must_succeed
    reading = with_busy_target(free)
    assert not reading.must_succeed
    assert reading.refusals == {400, 403, 404, 409}


def test_readings_are_those_of_each_request_however_many_there_were() -> None:
    readings = Readings(KNOWN)
    sent = [request("flex-create", query={"pageNum": str(n)}) for n in range(100)]
    assert [readings.of(one) for one in sent] == [Readings(KNOWN).of(one) for one in sent]
    assert readings.of(sent[-1]) is readings.of(sent[-1])


def test_recordings_without_headers_and_body_demand_nothing() -> None:
    bare = replace(request("flex-create"), headers=None, body=None, body_recorded=False, credential="unknown")
    assert is_free(bare)


def test_a_large_body_may_be_413() -> None:
    sent = replace(request("flex-create"), body=b" " * 20_000 + (request("flex-create").body or b""))
    assert is_free(sent)
    assert 413 in seen(sent).refusals


def test_operations_that_are_not_offered_are_not_read() -> None:
    assert Readings(replace(KNOWN, offered=frozenset({"flex-create"}))).of(request("flex-list")) is None
    assert Readings(KNOWN).of(replace(request("flex-create"), method="PUT")) is None
    assert Readings(KNOWN).of(replace(request("flex-create"), target="/api/atlas/v2/groups")) is None


def test_several_violations_are_all_read() -> None:
    assert broken(request("flex-create", {}, groupId="x", name="-")) == ["B-REQUIRED", "P-GROUP", "P-NAME"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_freedom_never_adds_403_to_what_a_malformed_project_is_owed(name: str) -> None:
    """A project that is malformed is owed 400 or 404 (P-GROUP)."""
    reading = seen(request(name, job=ABSENT.job, groupId="x"))
    assert reading.refusals <= {400, 404}
