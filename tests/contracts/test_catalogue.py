"""The catalogue of requirements and the register of known departures."""

from __future__ import annotations

from typing import Any

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.departure import KnownDeparture
from atlas_conformance.contracts.operation import LEVELS
from atlas_conformance.contracts.requirement import BASES, Requirement, cited_for
from atlas_conformance.contracts.validation import holds

REQUIREMENTS = Contract.load().requirements
DEPARTURES = Contract.load().departures
OPERATIONS = Contract.load().operations

CHAPTERS = {
    "C": "STATUS 5XX ALLOW MEDIA SCHEMA",
    "V": "FLOOR ENVELOPE PRETTY QUERY SUNSET",
    "E": "SCHEMA STATUS REASON CODE FIELDS",
    "P": "GROUP NAME JOB SNAPSHOT",
    "N": "GROUP CLUSTER JOB SNAPSHOT TARGET",
    "B": "JSON REQUIRED TYPE PATTERN RANGE UNKNOWN ACCEPT",
    "T": "ENUM TARGET SNAPSHOT POINT ECHO ONLY-TARGET ONLY-URL ONLY-POINT URL TIME PARTS NEW FLAGS CANCEL",
    "S": "ECHO DELIVERY URL STATUS NEW FLOW FINISHED TIME FIXED SAME",
    "SNAP": "STATUS FLOW NEW DONE TIME FIXED FOUND RESTORE",
    "L": "FOUND SCOPE STABLE PAGE TOTAL",
    "A": "NONE WRONG DIGEST BEARER ROLE LIST BEFORE RATE RETRY",
}
IDS = [f"{chapter}-{name}" for chapter, names in CHAPTERS.items() for name in names.split()]
NULLS = {"increment": None, "time": None, "date": None}
JOB = {"deliveryType": "automated", "desiredTimestamp": NULLS, "deliveryUrl": []}
DATE = "/desiredTimestamp/date"
NO_PARAMETERS = {"error": 400, "errorCode": "A", "parameters": None}
INCREMENT = "/desiredTimestamp/increment"

each_requirement = pytest.mark.parametrize("requirement", REQUIREMENTS.values(), ids=REQUIREMENTS)
each_departure = pytest.mark.parametrize("departure", DEPARTURES.values(), ids=DEPARTURES)


def test_the_catalogue_has_every_id_of_the_contract_in_its_order() -> None:
    assert list(REQUIREMENTS) == IDS
    assert list(DEPARTURES) == ["K-TIMESTAMP", "K-PARAMETERS", "K-EMPTY-URL", "K-FREQUENCY"]


@each_requirement
def test_a_requirement_is_complete(requirement: Requirement) -> None:
    assert requirement.statement.endswith(".")
    assert requirement.technique
    assert requirement.basis in BASES
    assert all(citation.place and citation.page.title for citation in requirement.sources)
    assert any(citation.page.address for citation in requirement.sources)


def test_a_basis_is_one_that_its_pages_can_bear() -> None:
    for requirement in REQUIREMENTS.values():
        kinds = {citation.page.id for citation in requirement.sources}
        if requirement.basis == "documented":
            assert kinds & {"D1", "D2", "D3", "D4", "D5", "G1", "G2", "G3", "G4", "O"}, requirement.id
        if requirement.basis == "recorded":
            assert "R" in kinds, requirement.id


def test_a_source_is_said_with_its_title_its_place_and_its_address() -> None:
    assert REQUIREMENTS["T-ONLY-URL"].source == (
        "Restore One Snapshot of One Cluster, Responses › 200 › deliveryUrl, "
        "https://www.mongodb.com/docs/api/doc/atlas-admin-api-v2/operation/"
        "operation-creategroupclusterbackuprestorejob "
        "(documented)"
    )
    titles = {id: cited_for(REQUIREMENTS["B-PATTERN"].sources, id).page.title for id in OPERATIONS}
    assert titles["flex-create"] == "Restore One Snapshot of One Flex Cluster"
    assert titles["cluster-create"] == titles["cluster-create-v1"] == "Restore One Snapshot of One Cluster"
    assert titles["tenant-create"] == "Create One Restore Job for One M2 or M5 Cluster"
    recorded = REQUIREMENTS["S-FINISHED"].sources[0]
    assert recorded.page.address is None
    assert str(recorded).startswith("Recorded traffic of the real service, 8,103 of 8,103 answers, about ")


@each_requirement
def test_a_requirement_binds_known_operations_once_and_in_order(requirement: Requirement) -> None:
    assert requirement.operations
    assert list(requirement.operations) == [o for o in OPERATIONS if o in requirement.operations]
    assert all(requirement.binds(operation) for operation in requirement.operations)


@each_requirement
def test_a_requirement_is_of_the_least_level_that_shows_it(requirement: Requirement) -> None:
    levels = {OPERATIONS[operation].level for operation in requirement.needs or requirement.operations}
    assert requirement.level == next(level for level in LEVELS if level in levels)


@pytest.mark.parametrize(
    ("prefix", "families", "kinds"),
    [
        ("B-", {"flex", "tenant", "cluster"}, {"create"}),
        ("T-", {"cluster"}, {"create", "get", "list", "cancel"}),
        ("S-", {"flex", "tenant"}, {"create", "get", "list"}),
        ("L-", {"flex", "tenant", "cluster"}, {"get", "list"}),
    ],
)
def test_a_chapter_binds_only_the_operations_it_is_about(prefix: str, families: set[str], kinds: set[str]) -> None:
    for requirement in REQUIREMENTS.values():
        if requirement.id.startswith(prefix):
            bound = [OPERATIONS[operation] for operation in requirement.operations]
            assert {operation.resource.label for operation in bound} <= families
            assert {operation.kind for operation in bound} <= kinds


def test_the_version_floor_binds_the_second_api_alone() -> None:
    assert {OPERATIONS[operation].api for operation in REQUIREMENTS["V-FLOOR"].operations} == {"v2"}


def test_requirements_on_a_parameter_bind_the_operations_that_have_it() -> None:
    for what in ("job", "snapshot"):
        having = {o.id for o in OPERATIONS.values() if o.parameter(what) is not None}
        assert set(REQUIREMENTS[f"P-{what.upper()}"].operations) == having
        assert having <= set(REQUIREMENTS[f"N-{what.upper()}"].operations)


@pytest.mark.parametrize(
    ("leading", "following"),
    [
        ("T-TARGET", "B-REQUIRED"),
        ("T-ENUM", "B-PATTERN"),
        ("S-FINISHED", "C-SCHEMA"),
        ("S-STATUS", "C-SCHEMA"),
        ("E-STATUS", "E-SCHEMA"),
        ("E-FIELDS", "E-SCHEMA"),
        ("E-SCHEMA", "C-SCHEMA"),
        ("C-STATUS", "E-SCHEMA"),
        ("C-5XX", "A-BEFORE"),
        ("C-5XX", "B-JSON"),
        ("V-QUERY", "C-5XX"),
        ("S-FIXED", "S-SAME"),
        ("A-BEFORE", "A-NONE"),
        ("B-RANGE", "B-TYPE"),
    ],
)
def test_the_more_specific_requirement_leads(leading: str, following: str) -> None:
    assert REQUIREMENTS[leading].specificity > REQUIREMENTS[following].specificity


@each_departure
def test_a_departure_relaxes_a_requirement_where_it_binds(departure: KnownDeparture) -> None:
    assert set(departure.operations) <= set(REQUIREMENTS[departure.requirement].operations)
    assert departure.statement.endswith(".")
    assert departure.evidence.endswith(".")


@each_departure
def test_a_departure_names_a_place_of_a_schema(departure: KnownDeparture) -> None:
    for place in departure.places:
        file, _, pointer = place.schema.partition("#")
        node: Any = Contract.load().schemas.documents[file]
        for step in pointer.split("/")[1:]:
            node = node[step]
        if departure.requirement in ("C-SCHEMA", "E-SCHEMA"):
            let_through = place.value.get("const", None if place.value.get("type") == "null" else "text")
            assert holds(place.value, let_through)
            assert not holds(node, let_through), "what the schema takes needs no departure"


@pytest.mark.parametrize(
    ("requirement", "operation", "pointer", "document", "expected"),
    [
        ("C-SCHEMA", "cluster-get", DATE, JOB, "K-TIMESTAMP"),
        ("C-SCHEMA", "cluster-create-v1", INCREMENT, JOB, "K-TIMESTAMP"),
        ("C-SCHEMA", "cluster-get", DATE, {**JOB, "deliveryType": "download"}, "K-TIMESTAMP"),
        ("C-SCHEMA", "cluster-list", "/results/12" + DATE, {"results": [{}] * 12 + [JOB]}, "K-TIMESTAMP"),
        ("C-SCHEMA", "cluster-list", "/results/x" + DATE, {"results": {"x": JOB}}, None),
        ("C-SCHEMA", "cluster-get", DATE, {**JOB, "deliveryType": "pointInTime"}, None),
        ("C-SCHEMA", "cluster-get", DATE, {**JOB, "desiredTimestamp": {**NULLS, "increment": 1199145600}}, None),
        ("C-SCHEMA", "cluster-get", DATE, {**JOB, "desiredTimestamp": {**NULLS, "date": "soon"}}, None),
        ("C-SCHEMA", "cluster-get", INCREMENT, {**JOB, "desiredTimestamp": {**NULLS, "increment": 0}}, None),
        ("C-SCHEMA", "cluster-get", "/desiredTimestamp", {**JOB, "desiredTimestamp": None}, None),
        ("C-SCHEMA", "cluster-get", "/finishedAt", {**JOB, "finishedAt": None}, None),
        ("C-SCHEMA", "flex-get", DATE, JOB, None),
        ("T-FLAGS", "cluster-get", DATE, JOB, None),
        ("E-SCHEMA", "flex-get", "/parameters", NO_PARAMETERS, "K-PARAMETERS"),
        ("E-SCHEMA", "cluster-cancel", "/parameters", NO_PARAMETERS, "K-PARAMETERS"),
        ("E-SCHEMA", "flex-get", "/parameters/0", {"parameters": [5]}, None),
        ("E-SCHEMA", "flex-get", "/parameters/0", {"parameters": ["a", 5]}, None),
        ("E-SCHEMA", "flex-get", "/parameters", {"parameters": "a"}, None),
        ("E-SCHEMA", "flex-get", "/errorCode", {"errorCode": None}, None),
        ("T-ONLY-URL", "cluster-get", "/deliveryUrl", JOB, "K-EMPTY-URL"),
        ("T-ONLY-URL", "cluster-get", "/deliveryUrl", {**JOB, "deliveryUrl": ["https://a"]}, None),
        ("T-ONLY-URL", "cluster-get", "/deliveryUrl", {**JOB, "deliveryUrl": None}, None),
        ("T-ONLY-URL", "cluster-get", "/deliveryUrl", {**JOB, "deliveryType": "download"}, None),
    ],
)
def test_a_departure_forgives_exactly_what_it_describes(
    requirement: str, operation: str, pointer: str, document: Any, expected: str | None
) -> None:
    value = document
    for step in pointer.split("/")[1:]:
        value = value[int(step) if isinstance(value, list) else step]
    found = Contract.load().departure_for(requirement, operation, pointer, value, document)
    assert (found.id if found else None) == expected


def test_without_its_document_a_value_is_judged_by_itself() -> None:
    found = Contract.load().departure_for("C-SCHEMA", "cluster-get", DATE, None)
    assert found is not None
    assert found.id == "K-TIMESTAMP"
    assert Contract.load().departure_for("C-SCHEMA", "cluster-get", DATE, "soon") is None


def test_a_pointer_that_leads_nowhere_is_not_covered() -> None:
    departure = DEPARTURES["K-TIMESTAMP"]
    assert not departure.covers("/results/3" + DATE, None, {"results": [JOB]})
    assert not departure.covers("/results/0" + DATE, None, [])
