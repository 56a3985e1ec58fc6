"""What the suite finds out about an endpoint of which only the URL is known, and what it then holds against it."""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.http.failures import TargetError
from atlas_conformance.reports.model import Report
from atlas_conformance.runner.options import Options
from tests.mocks.careful import FLEX_MEDIA, VARIANTS, careful_mock
from tests.mocks.serving import described, exercised, run_at, served
from tests.suites.running import complaint

OPERATIONS = Contract.load().operations

TOKEN = "s3cret-of-the-mock"
FLEX = "/api/atlas/v2/groups/{group}/flexClusters/{cluster}/backup/restoreJobs"
DEDICATED = "/api/atlas/v2/groups/{group}/clusters/{cluster}/backup/restoreJobs"
Next = Callable[[Request], Awaitable[Response]]


def report_of(app: FastAPI, **options: Any) -> Report:
    with served(app) as url:
        _, report, failure = run_at(url, **options)
    assert failure is None, failure
    assert report is not None
    return report


def offered(report: Report) -> set[str]:
    return {name for name, there in report.header.offered.items() if there is True}


# Careful mocks


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_careful_mock_passes_with_its_url_alone(variant: str) -> None:
    with served(VARIANTS[variant]()) as url:
        environ = {"MONGODB_ATLAS_ACCESS_TOKEN": TOKEN} if variant == "bearer" else {}
        code, report, failure = run_at(url + ("/mock/atlas" if variant == "prefixed" else ""), environ)
    assert report is not None, failure
    assert complaint(report) == []
    assert code == 0
    assert exercised(report) >= 45
    lists = "no lists" if variant == "core-only" else "lists jobs"
    assert report.header.conclusion == f"takes any id; keeps jobs; {lists}"
    for requirement in ("L-SCOPE", "N-JOB") if variant != "core-only" else ("N-JOB",):
        assert report.rows[requirement].exercised


def test_without_credentials_nothing_of_the_authentication_section_is_exercised() -> None:
    report = report_of(careful_mock(), requirements=("A-NONE", "A-BEFORE", "A-WRONG", "C-STATUS"))
    for requirement, row in report.rows.items():
        if requirement.startswith("A-") and requirement != "A-RATE":
            assert not row.exercised
    reasons = {cell.reason for name, cell in report.rows["A-NONE"].cells.items() if name in offered(report)}
    assert reasons == {"the target names no credentials"}
    assert {o.id for o in OPERATIONS.values() if o.level != "workflow"} == offered(report)


def test_an_endpoint_that_asks_nobody_is_no_failure_even_where_it_asks_for_some_routes() -> None:
    app = careful_mock()

    @app.middleware("http")
    async def guarded(request: Request, proceed: Next) -> Response:
        if request.method == "PUT":
            return error(401)
        return await proceed(request)

    report = report_of(app)
    assert not [line for line in complaint(report) if line.startswith("A-")]


# Credentials


@pytest.mark.parametrize("variant", [{}, {"v1": False}, {"extended": False}, {"v1": False, "extended": False}])
@pytest.mark.parametrize("token", [None, "a-wrong-one"])
def test_missing_and_wrong_credentials_end_the_run(variant: dict[str, bool], token: str | None) -> None:
    with served(careful_mock(token=TOKEN, **variant)) as url:
        code, report, failure = run_at(url, {} if token is None else {"MONGODB_ATLAS_ACCESS_TOKEN": token})
    assert (code, report) == (3, None)
    assert failure is not None and "credentials" in failure and "\n" not in failure


@pytest.mark.parametrize("operations", ["flex-create", "cluster-create-v1", "flex-get", "tenant-create"])
def test_routes_that_the_target_leaves_out_do_not_count(operations: str, tmp_path: Path) -> None:
    app = careful_mock(token=TOKEN)

    @app.middleware("http")
    async def public(request: Request, proceed: Next) -> Response:
        """Let anybody read clusters, which the target leaves out."""
        return error(200) if "/clusters/" in request.url.path and request.method == "GET" else await proceed(request)

    with served(app) as url:
        target = described(tmp_path, f'base_url = "{url}"\noperations = ["{operations}"]\n')
        code, report, failure = run_at(url, base_url=None, target=target)
    assert (code, report) == (3, None), failure


# What is not there


def bare_404(app: FastAPI) -> FastAPI:
    """Let missing routes answer as the framework does, not in the API's form."""

    @app.middleware("http")
    async def plain(request: Request, proceed: Next) -> Response:
        routes = [route for route in app.routes if route.matches(request.scope)[0].value > 0]
        return await proceed(request) if routes else JSONResponse({"detail": "Not Found"}, 404)

    return app


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("status", [404, 405, 501])
def test_what_every_create_misses_is_not_offered(plain: bool, status: int) -> None:
    app = careful_mock(v1=False)
    if status != 404:

        @app.middleware("http")
        async def unrouted(request: Request, proceed: Next) -> Response:
            gone = "/v1.0/" in request.url.path
            return JSONResponse({"detail": "no"}, status) if gone else await proceed(request)

    report = report_of(bare_404(app) if plain else app)
    assert complaint(report) == []
    assert not offered(report) & {"cluster-create-v1", "tenant-create", "tenant-get", "cluster-get-v1"}
    assert exercised(report) >= 45


def test_one_kind_of_cluster_alone() -> None:
    app = careful_mock(v1=False)

    @app.middleware("http")
    async def dedicated_alone(request: Request, proceed: Next) -> Response:
        gone = "/flexClusters/" in request.url.path
        return JSONResponse({"detail": "Not Found"}, 404) if gone else await proceed(request)

    report = report_of(bare_404(app))
    assert complaint(report) == []
    assert offered(report) == {"cluster-create", "cluster-get", "cluster-list", "cluster-cancel"}


def test_what_a_person_claims_counts_for_the_endpoint(tmp_path: Path) -> None:
    with served(careful_mock(v1=False)) as url:
        target = described(tmp_path, f'base_url = "{url}"\noperations = ["flex-create", "tenant-create"]\n')
        _, report, _ = run_at(url, base_url=None, target=target)
    assert report is not None
    assert offered(report) == {"flex-create", "tenant-create"}


# Creates that refuse everything


def error(status: int, code: str = "NO") -> Response:
    return JSONResponse({"error": status, "errorCode": code}, status)


@pytest.mark.parametrize(
    ("status", "requirement"), [(415, "B-ACCEPT"), (422, "C-STATUS"), (500, "C-5XX"), (418, "C-STATUS")]
)
def test_a_create_that_refuses_everything_alike_has_one_finding_and_it_comes_first(
    status: int, requirement: str
) -> None:
    app = careful_mock()

    @app.middleware("http")
    async def refusing(request: Request, proceed: Next) -> Response:
        create = request.method == "POST" and request.url.path.rstrip("/").endswith(("/restoreJobs", "/restore"))
        return error(status) if create else await proceed(request)

    report = report_of(app)
    creates = {"flex-create", "cluster-create", "cluster-create-v1", "tenant-create"}
    found = [(group.requirement, group.operation) for group in report.groups]
    assert set(found) == {(requirement, create) for create in creates}, complaint(report)
    assert all(str(status) in group.finding.seen for group in report.groups)
    assert report.exit_code == 1
    cell = report.rows["B-TYPE"].cells["flex-create"]
    assert cell.reason == f"every create is answered {status}"


def test_the_finding_on_every_create_comes_before_all_others() -> None:
    app = careful_mock()

    @app.middleware("http")
    async def refusing(request: Request, proceed: Next) -> Response:
        if request.method == "POST" and "/v1.0/" not in request.url.path:
            return error(415)
        answer = await proceed(request)
        if request.method == "GET":
            answer.headers["content-type"] = "text/plain"
        return answer

    report = report_of(app, requirements=("P-JOB", "L-PAGE"))
    assert [(g.requirement, g.operation) for g in report.groups[:2]] == [
        ("B-ACCEPT", "flex-create"),
        ("B-ACCEPT", "cluster-create"),
    ]
    assert {g.requirement for g in report.groups[2:]} >= {"C-MEDIA"}


def test_conforming_creates_that_all_fail_come_first_and_refusals_are_still_tested() -> None:
    app = careful_mock(v1=False)

    @app.middleware("http")
    async def failing(request: Request, proceed: Next) -> Response:
        answer = await proceed(request)
        return error(500) if request.method == "POST" and answer.status_code == 200 else answer

    report = report_of(app, requirements=("B-REQUIRED", "B-JSON", "B-ACCEPT"))
    assert [(g.requirement, g.operation) for g in report.groups] == [
        ("C-5XX", "flex-create"),
        ("C-5XX", "cluster-create"),
    ], complaint(report)
    assert "conforming creates" in report.groups[0].finding.seen
    assert report.rows["B-JSON"].cells["flex-create"].passed


def test_a_create_that_takes_one_content_type_alone_fails_on_the_other() -> None:
    app = careful_mock(v1=False)

    @app.middleware("http")
    async def versioned_alone(request: Request, proceed: Next) -> Response:
        plain = request.headers.get("content-type", "").startswith("application/json")
        return error(415) if request.method == "POST" and plain else await proceed(request)

    report = report_of(app)
    assert ("B-ACCEPT", "flex-create") in {(g.requirement, g.operation) for g in report.groups}


# What it keeps


def closed_mock(lists: bool) -> FastAPI:
    """A mock with one project and cluster of its own, whose creates for other ones are refused."""
    app = careful_mock(extended=lists)

    @app.middleware("http")
    async def closed(request: Request, proceed: Next) -> Response:
        known = "/groups/32b6e34b3d91647abb20e7b8/" in request.url.path
        return await proceed(request) if known else error(404, "GROUP_NOT_FOUND")

    return app


@pytest.mark.parametrize("lists", [True, False])
def test_a_closed_inventory_is_not_taken_for_one_that_takes_any_id(lists: bool) -> None:
    report = report_of(closed_mock(lists))
    assert complaint(report) == []
    assert report.header.conclusion is not None and report.header.conclusion.startswith("takes no invented id")
    assert report.rows["N-GROUP"].exercised
    assert not report.rows["B-ACCEPT"].exercised


def test_a_mock_that_never_makes_two_ids_alike_but_shows_one_example_is_stateless() -> None:
    app = FastAPI()
    example = {
        "projectId": "32b6e34b3d91647abb20e7b8", "instanceName": "Flex0", "snapshotId": "32b6e34b3d91647abb20e7b8",
        "targetDeploymentItemName": "T", "targetProjectId": "32b6e34b3d91647abb20e7b8", "deliveryType": "RESTORE",
        "status": "PENDING",
    }  # fmt: skip

    @app.post(FLEX)
    async def make() -> Response:
        return JSONResponse({"id": secrets.token_hex(12), **example}, media_type=FLEX_MEDIA)

    @app.get(FLEX + "/{job}")
    async def show() -> Response:
        return JSONResponse({"id": "32b6e34b3d91647abb20e7b8", **example}, media_type=FLEX_MEDIA)

    report = report_of(app, requirements=("L-SCOPE", "N-JOB", "B-ACCEPT"))
    assert report.header.conclusion == "takes any id; keeps no jobs; no lists"
    assert not report.rows["L-SCOPE"].exercised
    assert not report.rows["N-JOB"].exercised


@pytest.mark.parametrize(("stateful", "says"), [(True, "keeps jobs, as you say"), (False, "keeps no jobs, as you say")])
def test_a_person_overrules_what_was_found_out(stateful: bool, says: str) -> None:
    report = report_of(careful_mock(), stateful=stateful, requirements=("L-SCOPE", "N-JOB"))
    assert report.header.conclusion is not None and says in report.header.conclusion
    assert bool(report.rows["N-JOB"].exercised) is stateful


def test_the_options_are_about_a_base_url() -> None:
    with pytest.raises(TargetError, match="go with --base-url"):
        Options(stateful=True).checked()


@pytest.mark.parametrize("mode", ["read", "refusals"])
def test_no_create_that_may_be_accepted_is_sent_where_the_mode_does_not_allow_it(mode: str) -> None:
    app = careful_mock()
    made: list[int] = []

    @app.middleware("http")
    async def watched(request: Request, proceed: Next) -> Response:
        answer = await proceed(request)
        if request.method == "POST":
            made.append(answer.status_code)
        return answer

    report = report_of(app, mode=mode)
    assert complaint(report) == []
    assert mode == "refusals" or not made


# Lists that change by themselves


def test_a_list_that_changes_by_itself_is_found_and_convicts_no_refusal() -> None:
    app = careful_mock(v1=False)

    @app.middleware("http")
    async def generated(request: Request, proceed: Next) -> Response:
        answer = await proceed(request)
        if request.method == "GET" and request.url.path.endswith("/restoreJobs") and answer.status_code == 200:
            number = secrets.randbelow(20) + 1
            page = {"results": [{"id": secrets.token_hex(12)} for _ in range(number)], "totalCount": number}
            return JSONResponse(page, media_type=answer.headers["content-type"])
        return answer

    report = report_of(app)
    found = {(group.requirement, group.operation) for group in report.groups}
    assert {("L-STABLE", "flex-list"), ("L-STABLE", "cluster-list")} <= found
    assert not [group for group in report.groups if "new job in the list" in group.finding.seen]
    assert not {requirement for requirement, _ in found} & {"B-TYPE", "B-JSON", "B-PATTERN", "N-SNAPSHOT"}
    # The lists are wrong in more than one way; no other operation is.
    assert {operation for _, operation in found} == {"flex-list", "cluster-list"}, complaint(report)


# One id in two families


def test_a_page_number_beyond_64_bits_earns_no_5xx() -> None:
    app = careful_mock(v1=False)

    @app.middleware("http")
    async def narrow(request: Request, proceed: Next) -> Response:
        number = request.query_params.get("pageNum", "1")
        return error(500) if number.isascii() and number.isdigit() and int(number) >= 2**63 else await proceed(request)

    report = report_of(app, requirements=("L-PAGE",))
    assert {(g.requirement, g.operation) for g in report.groups} == {("C-5XX", "flex-list"), ("C-5XX", "cluster-list")}


def test_sequential_ids_of_each_family_are_no_failure() -> None:
    counters: dict[str, Iterator[int]] = {}

    def numbered(family: str) -> str:
        return f"{next(counters.setdefault(family, itertools.count(1))):024x}"

    app = careful_mock(new_id=numbered)
    report = report_of(app)
    assert complaint(report) == []
    assert len(counters) == 3


def test_summary_and_journal_say_what_was_concluded(tmp_path: Path) -> None:
    report_of(careful_mock(), report=tmp_path, requirements=("P-JOB",))
    summary = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    header = json.loads((tmp_path / "journal.jsonl").read_text("utf-8").splitlines()[0])
    assert summary["conclusion"] == header["conclusion"] == "takes any id; keeps jobs; lists jobs"
