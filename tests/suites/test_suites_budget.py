"""Under a small budget of jobs, the creates that teach most come first, and nothing of the core goes untested."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from atlas_conformance.cli.run import run_suites
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Request, Response
from atlas_conformance.contracts.inventory import Absent
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.http.guard.guard import Guard
from atlas_conformance.http.target import Safety, Target
from atlas_conformance.reference.credentials import environment
from atlas_conformance.reference.fixtures import make_fixtures, target_toml
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.reports.model import Report
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.plugin import SuitePlugin
from atlas_conformance.runner.rationing import CANCELLED, Ration
from atlas_conformance.runner.session import Session
from atlas_conformance.strategies.bodies import base_bodies, conforming_bodies
from atlas_conformance.strategies.representations import FORMS, in_every_form, later_versions
from atlas_conformance.strategies.requests import build
from atlas_conformance.strategies.scenes import path_parameters, scenes
from atlas_conformance.targets.target_file import target_from_text
from tests.suites.running import complaint, unexercised

OPERATIONS = Contract.load().operations

INVENTORY = replace(
    make_fixtures(3, 1_780_000_000).inventory,
    absent=Absent("d0" * 12, "absent-cluster", "d1" * 12, "d2" * 12, "absent-target"),
)
KNOWLEDGE = Knowledge(INVENTORY)
CREATES = [o for o in OPERATIONS.values() if o.kind == "create" and o.resource.what == "job"]
ROWS = 11
LESSONS = ROWS + len(CREATES) + 3 + 1
"""Each row of the table on each create of a job, one create of each in another form, a later version of the three
of v2, a cancel.
"""
BEYOND_TWENTY = {"A-RETRY", "B-UNKNOWN", "T-PARTS", "SNAP-RESTORE"}
"""No 429 comes, and what an undocumented property, a sharded cluster's parts and the restore of a taken snapshot show
costs jobs of its own: with few of them, these may not be exercised.
"""


class Rationed:
    """A ration and the guard under it; what is granted is accepted at once."""

    def __init__(self, max_jobs: int, knowledge: Knowledge = KNOWLEDGE) -> None:
        safety = Safety("restore", max_jobs=max_jobs)
        self.guard = Guard(Target("http://127.0.0.1:9", inventory=knowledge.inventory, safety=safety))
        self.ration = Ration(self.guard, knowledge)

    def grants(self, request: Request, lesson: tuple[str, str] | None = None) -> bool:
        (objection,) = self.ration.objections([request], lesson)
        if objection is None:
            self.guard.check(request)
            self.guard.settle(request, Response(200, (), b"{}"))
        return objection is None


def creates(operation: Operation, *, plain: bool = False) -> list[Request]:
    """Conforming creates of an operation: each row of the table; and unless `plain` everything else that conforms."""
    requests = []
    for scene in scenes(INVENTORY, operation.cluster_kind)[: 1 if plain else None]:
        bodies = base_bodies(operation, scene) if plain else conforming_bodies(operation, scene)
        requests += [build(operation, path_parameters(operation, scene, ""), body.document) for body in bodies]
    return requests


def test_each_row_is_granted_and_what_repeats_it_only_where_places_are_left_over() -> None:
    rationed = Rationed(LESSONS + 3)
    rows = [request for operation in CREATES for request in creates(operation, plain=True)]
    assert len(rows) == ROWS
    assert all(rationed.grants(request) for request in rows)
    every = [request for operation in CREATES for request in creates(operation)]
    assert not any(rationed.grants(request) for request in every)
    forms = [next(in_every_form(creates(operation, plain=True)[0])).request for operation in CREATES]
    later = [
        next(later_versions(operation, creates(operation, plain=True)[0], KNOWLEDGE.latest_date)).request
        for operation in CREATES
        if operation.api == "v2"
    ]
    assert all(rationed.grants(request) for request in (*forms, *later))
    assert rationed.grants(rows[1], CANCELLED)
    assert not rationed.grants(rows[1], CANCELLED)
    assert rationed.guard.jobs_left == 3


def test_all_forms_are_shown_by_the_first_of_them() -> None:
    assert set(FORMS[0].split("&")) == {"envelope=true", "pretty=true"}


@pytest.mark.parametrize("max_jobs", [0, 1, 2, 5, 12, 20, 40])
def test_some_places_stay_for_creates_that_must_be_refused(max_jobs: int) -> None:
    rationed = Rationed(max_jobs)
    every = [request for operation in CREATES for request in creates(operation)]
    granted = sum(rationed.grants(request) for request in every)
    assert granted <= max_jobs
    assert rationed.guard.jobs_left == max_jobs - granted
    if max_jobs >= 4:
        assert rationed.guard.jobs_left > 0
        bad = build(OPERATIONS["flex-create"], path_parameters(CREATES[0], scenes(INVENTORY, "flex")[0], ""), {})
        assert rationed.ration.objections([bad]) == [None]


def test_many_jobs_leave_places_for_everything() -> None:
    rationed = Rationed(10_000)
    assert all(rationed.grants(request) for operation in CREATES for request in creates(operation))


def test_what_is_sent_together_is_granted_together() -> None:
    rationed = Rationed(8, replace(KNOWLEDGE, offered=frozenset(OPERATIONS) - {"cluster-cancel"}))
    plain = creates(OPERATIONS["cluster-create"], plain=True)
    objections = rationed.ration.objections([*plain, *plain, *plain])
    assert objections[: len(plain)] == [None] * len(plain)
    assert objections.count(None) <= 8


def test_without_a_budget_everything_is_granted() -> None:
    guard = Guard(Target("http://127.0.0.1:9", inventory=INVENTORY))
    ration = Ration(guard, KNOWLEDGE)
    assert not ration.in_force
    assert ration.objections(creates(CREATES[0]) * 3) == [None] * len(creates(CREATES[0])) * 3


def test_with_twenty_jobs_every_requirement_is_exercised(tmp_path: Path) -> None:
    with ReferenceServer(seed=11, step=0.02) as server:
        file = tmp_path / "atlas.toml"
        text = target_toml(server.url, server.inventory)
        file.write_text(f"{text}\n[safety]\nmax_jobs = 20\n", encoding="utf-8")
        session = Session(Options(target=str(file), profile="quick", seed=1), environ=environment(server.credentials))
        assert run_suites(SuitePlugin(session, show=lambda finished: None)) == 0
    report: Report | None = session.report
    assert report is not None
    assert complaint(report) == []
    assert unexercised(report, "extended") <= BEYOND_TWENTY
    assert 0 < len(session.endpoint.client.guard.created) <= 20


def test_a_budget_in_the_target_file_counts_on_loopback_too() -> None:
    text = target_toml("http://127.0.0.1:9", make_fixtures(3, 1_780_000_000).inventory)
    environ = {f"ATLAS_REFERENCE_{who}_{what}": "x" for who in ("OWNER", "READER", "OFF_LIST")
               for what in ("PUBLIC_KEY", "PRIVATE_KEY", "CLIENT_ID", "CLIENT_SECRET")}  # fmt: skip
    assert Guard(target_from_text(text, environ)).budget is None
    assert Guard(target_from_text(f"{text}\n[safety]\nmax_jobs = 3\n", environ)).budget == 3
    assert Guard(target_from_text(text.replace("127.0.0.1", "atlas.example.org"), environ)).budget == 20
