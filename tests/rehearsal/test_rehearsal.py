"""A plan tells what a run does: the same requests, tests, jobs and harm, and nothing is sent to the target."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from atlas_conformance.cli.doctor import doctor_command
from atlas_conformance.cli.run import run_suites
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.inventory import Inventory
from atlas_conformance.http.secret import Credentials, Secret
from atlas_conformance.http.target import Level, Mode, Safety, Target
from atlas_conformance.reference.credentials import environment, make_credentials
from atlas_conformance.reference.fixtures import make_fixtures, target_toml
from atlas_conformance.reference.server import ReferenceServer
from atlas_conformance.runner.options import Options
from atlas_conformance.runner.plugin import SuitePlugin
from atlas_conformance.runner.rehearsal.plan import Plan
from atlas_conformance.runner.rehearsal.rehearsing import rehearse
from atlas_conformance.runner.rehearsal.survey import Survey, survey, unasked
from atlas_conformance.runner.session import Session
from atlas_conformance.targets.target_file import target_from_text
from tests.atlas_conformance.program import atlas
from tests.targets.scripted_wire import Arrival, WireServer, answer

OPERATIONS = Contract.load().operations

INVENTORY = make_fixtures(3, 1_780_000_000).inventory
SOME = ("T-ECHO", "B-REQUIRED", "L-FOUND", "N-SNAPSHOT", "A-ROLE", "V-FLOOR")
EXERCISED = {"passed", "failed", "known departure"}


@dataclass
class Lists(WireServer):
    """A server that knows no job but lists some, or none."""

    jobs: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.script = self.say

    def say(self, arrival: Arrival) -> bytes:
        """Answer a list with the jobs, and everything else with 404."""
        if arrival.target.endswith("restoreJobs"):
            return answer(200, json.dumps({"results": self.jobs, "totalCount": len(self.jobs)}).encode())
        return answer(404, b'{"error": 404, "errorCode": "RESOURCE_NOT_FOUND", "reason": "Not Found"}')


@pytest.fixture
def endpoint() -> Iterator[Lists]:
    server = Lists()
    server.start()
    yield server
    server.stop()


def described(
    mode: Mode | None, *, inventory: Inventory = INVENTORY, level: Level = "extended", max_jobs: int | None = None
) -> Target:
    """A target on a host that nobody reaches, with all credentials; every restore target may be destroyed."""
    text = target_toml("https://atlas.invalid", inventory, level=level)
    target = target_from_text(text, dict(environment(make_credentials(3))))
    destroyable = frozenset((item.project, item.name) for item in inventory.targets)
    return replace(target, safety=Safety(mode, destroyable, max_jobs, confirmed=True))


def planned(target: Target, *requirements: str, found: Survey | None = None, profile: str = "quick") -> Plan:
    options = Options(target="atlas.toml", profile=profile, seed=5, requirements=requirements)
    return rehearse(target, found or unasked(target), options, run_suites)


def cells(plan: Plan) -> set[tuple[str, str]]:
    return {(each.requirement, operation) for each in plan.requirements for operation in each.exchanges}


def test_a_plan_is_what_the_run_does(tmp_path: Path) -> None:
    with ReferenceServer(seed=3, step=0.01) as server:
        file = tmp_path / "atlas.toml"
        file.write_text(target_toml(server.url, server.inventory), encoding="utf-8")
        environ = dict(environment(server.credentials))
        target = target_from_text(file.read_text("utf-8"), environ, source=file)
        plan = planned(target, *SOME, found=survey(target, 5))
        server.reset()
        session = Session(Options(target=str(file), profile="quick", seed=5, requirements=SOME), environ=environ)
        assert run_suites(SuitePlugin(session, show=lambda finished: None)) == 0
    report = session.report
    assert report is not None
    done = {(r, o) for r in SOME for o, cell in report.rows[r].cells.items() if cell.status in EXERCISED}
    assert cells(plan) == done
    assert plan.sending.requests == pytest.approx(report.exchanges, rel=0.2)
    made = list(session.endpoint.chronicle.created())
    assert plan.harm.created == pytest.approx(len(made), rel=0.1)
    assert {(r.project, r.cluster) for r in plan.harm.restores} == {job.target for job in made if job.target}
    assert plan.harm.budget is None


def test_reading_touches_nothing_and_says_why_the_rest_is_left_out() -> None:
    plan = planned(described("read"), "B-REQUIRED", "N-JOB", "N-CLUSTER", "A-ROLE")
    assert set(plan.sending.by_method) <= {"GET", "HEAD", "OPTIONS"}
    assert (plan.harm.allowed, plan.harm.restores, plan.harm.created, plan.harm.guarded) == ((), (), 0, True)
    assert {requirement for requirement, _ in cells(plan)} == {"N-CLUSTER", "N-JOB"}
    assert [reason for reason in plan.reasons() if "mode is read" in reason]


def test_refusals_create_no_job_and_still_test_bodies() -> None:
    plan = planned(described("refusals"), "B-REQUIRED", "B-ACCEPT")
    assert plan.sending.by_method["POST"] > 10
    assert (plan.harm.allowed, plan.harm.created, plan.harm.budget) == ((), 0, 0)
    assert {requirement for requirement, _ in cells(plan)} == {"B-REQUIRED"}
    assert any("accepted" in reason for reason in plan.reasons())


def test_restores_go_to_listed_clusters_within_the_budget() -> None:
    target = described("restore", max_jobs=6)
    spared = sorted(target.safety.destroyable)[0]
    target = replace(target, safety=replace(target.safety, destroyable=target.safety.destroyable - {spared}))
    plan = planned(target, "B-ACCEPT", "T-ECHO")
    assert spared not in plan.harm.allowed
    assert {(r.project, r.cluster) for r in plan.harm.restores} <= set(plan.harm.allowed)
    assert 0 < plan.harm.created <= 6
    assert plan.harm.budget == 6
    assert any("budget of 6 jobs" in reason for reason in plan.reasons())


def test_twenty_jobs_are_enough_for_every_requirement_of_the_core_on_a_remote_endpoint() -> None:
    plan = planned(described("restore", level="core"))
    assert (plan.harm.budget, bool(plan.remote_because)) == (20, True)
    assert 0 < plan.harm.created <= 20
    core = {each.requirement for each in plan.requirements if each.level == "core"}
    # No 429 comes; an undocumented property, and a sharded cluster's parts, cost jobs of their own.
    assert core - {requirement for requirement, _ in cells(plan)} <= {"A-RETRY", "B-UNKNOWN", "T-PARTS"}
    assert len(core) > 50
    creates = [o.id for o in OPERATIONS.values() if o.kind == "create" and o.level == "core"]
    wanted = {
        (requirement, create) for requirement in ("B-ACCEPT", "V-ENVELOPE", "V-PRETTY", "V-QUERY") for create in creates
    }
    wanted |= {("V-FLOOR", create) for create in creates if OPERATIONS[create].api == "v2"}
    assert wanted - cells(plan) == set()


def test_of_several_restore_targets_the_destroyable_one_is_used() -> None:
    target = described("restore", level="core")
    able = [item for item in INVENTORY.targets if item.impossible is None]
    last = [item for item in able if {"flex", "tenant", "dedicated"} <= item.accepts][-1]
    place = (last.project, last.name)
    plan = planned(replace(target, safety=replace(target.safety, destroyable=frozenset({place}))), "B-ACCEPT")
    assert [(restore.project, restore.cluster) for restore in plan.harm.restores] == [place]
    accepted = {operation for requirement, operation in cells(plan) if requirement == "B-ACCEPT"}
    assert accepted == {o.id for o in OPERATIONS.values() if o.kind == "create" and o.level == "core"}


def test_a_restore_that_nobody_confirmed_is_not_planned() -> None:
    target = described("restore")
    plan = planned(replace(target, safety=replace(target.safety, confirmed=False)), "B-ACCEPT")
    assert (plan.mode, plan.mode_wanted, plan.harm.created) == ("refusals", "restore", 0)


def test_what_lacks_credentials_is_named() -> None:
    target = described("read")
    owner = Credentials(token=Secret("canary-token"), names={"token": "SOME_TOKEN"})
    plan = planned(replace(target, credentials={"owner": owner}), "A-DIGEST", "A-BEARER", "A-LIST")
    assert {requirement for requirement, _ in cells(plan)} == {"A-BEARER"}
    said = " ".join(plan.reasons())
    assert "no API key" in said
    assert "off the access list" in said
    assert plan.credentials == {"owner": ("SOME_TOKEN",)}
    assert "canary" not in json.dumps(plan.as_json())


def test_an_open_endpoint_that_takes_any_id_is_rehearsed_too() -> None:
    target = Target("http://127.0.0.1:9")
    plan = planned(target, "B-ACCEPT", "A-NONE", found=unasked(target))
    accepted = {operation for requirement, operation in cells(plan) if requirement == "B-ACCEPT"}
    creates = {o.id for o in OPERATIONS.values() if o.kind == "create"}
    assert accepted == creates
    assert plan.credentials == {}
    # Nobody knows what lies behind it, so what it is asked to restore to is shown, and that nothing is kept back.
    assert plan.harm.restores
    assert not plan.harm.guarded
    assert any("no credentials" in reason for reason in plan.reasons())


def test_a_target_of_one_kind_names_the_kinds_that_it_lacks() -> None:
    flex = tuple(cluster for cluster in INVENTORY.clusters if cluster.kind == "flex")
    target = described("restore", inventory=Inventory(flex, INVENTORY.targets), level="core")
    plan = planned(target, "N-SNAPSHOT", "L-PAGE")
    assert cells(plan) == {("N-SNAPSHOT", "flex-create")}
    assert "the target names no tenant cluster" in plan.reasons()
    assert any(reason.startswith("not offered") for reason in plan.reasons())


def test_time_follows_the_rate() -> None:
    target = described("read")
    slow = replace(target, limits=replace(target.limits, rate=1.0))
    plan = planned(slow, "N-JOB")
    assert plan.sending.seconds >= plan.sending.requests
    assert planned(target, "N-JOB").sending.seconds < plan.sending.seconds


def test_a_loopback_address_that_fronts_another_host_is_planned_as_remote(endpoint: Lists) -> None:
    endpoint.script = lambda arrival: answer(404, b'{"error": 404, "errorCode": "NOT_FOUND"}', ("Via", "1.1 proxy"))
    target = replace(described(None), base_url=endpoint.url)
    found = survey(target, 5)
    assert "via" in found.remote_because
    plan = planned(target, "N-JOB", "B-ACCEPT", found=found)
    assert (plan.mode, plan.harm.created) == ("read", 0)
    assert found.requests == len(endpoint.arrivals)


def test_jobs_that_the_endpoint_lists_are_there_in_the_rehearsal(endpoint: Lists) -> None:
    target = replace(described("read"), base_url=endpoint.url)
    without = survey(target, 5)
    endpoint.jobs = [{"id": f"{number:024x}"} for number in range(5)]
    some = survey(target, 5)
    assert set(without.earlier.values()) == {0}
    assert set(some.earlier.values()) == {3}
    for found, shown in ((without, False), (some, True)):
        assert (("V-PRETTY", "flex-get") in cells(planned(target, "V-PRETTY", found=found))) is shown


# The command


def target_of(url: str, folder: Path) -> Path:
    file = folder / "atlas.toml"
    cluster = INVENTORY.clusters[0]
    file.write_text(
        f'base_url = "{url}"\n[[clusters]]\nproject = "{cluster.project}"\nname = "{cluster.name}"\nkind = "flex"\n'
        f'snapshots = ["{cluster.snapshots[0]}"]\n[[restore_targets]]\nproject = "{cluster.project}"\n'
        'name = "Scratch0"\naccepts = ["flex"]\n',
        encoding="utf-8",
    )
    return file


KEYS = {"MONGODB_ATLAS_PUBLIC_API_KEY": "canary-public", "MONGODB_ATLAS_PRIVATE_API_KEY": "canary-private"}


def test_nothing_but_the_reads_of_the_preflight_reaches_the_target(endpoint: Lists, tmp_path: Path) -> None:
    file = target_of(endpoint.url, tmp_path)
    arguments = ("doctor", "--target", file, "--profile", "quick", "--requirement", "B-ACCEPT", "--json", "plan.json")
    ended = atlas(*arguments, cwd=tmp_path, environ=KEYS)
    assert ended.returncode == 0, ended.stderr
    plan = json.loads((tmp_path / "plan.json").read_text("utf-8"))
    assert {arrival.method for arrival in endpoint.arrivals} == {"GET"}
    assert not any(arrival.body for arrival in endpoint.arrivals)
    assert plan["asked"] == len(endpoint.arrivals) < 16
    assert plan["harm"]["jobs"]
    written = ended.stdout + ended.stderr + json.dumps(plan)
    assert "canary" not in written
    assert "Scratch0" in ended.stdout
    assert "MONGODB_ATLAS_PRIVATE_API_KEY" in ended.stdout


def test_offline_nothing_reaches_the_target(endpoint: Lists, tmp_path: Path) -> None:
    file = target_of(endpoint.url, tmp_path)
    arguments = ["--target", str(file), "--offline", "--requirement", "N-JOB"]
    ended = CliRunner().invoke(doctor_command, arguments, env=KEYS)
    assert ended.exit_code == 0, ended.stderr
    assert endpoint.arrivals == []
    assert "Nothing was sent" in ended.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read"),
        ('base_url = "ftp://x"\n', "is not an http or https URL"),
        ('base_url = "http://127.0.0.1:9"\nunheard = 1\n', "is not a known key"),
    ],
)
def test_a_wrong_target_file_is_reported_in_one_sentence(text: str | None, said: str, tmp_path: Path) -> None:
    file = tmp_path / "atlas.toml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    ended = CliRunner().invoke(doctor_command, ["--target", str(file)])
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_an_endpoint_that_is_not_there_is_reported_in_one_sentence(tmp_path: Path) -> None:
    file = target_of("http://127.0.0.1:9", tmp_path)
    ended = CliRunner().invoke(doctor_command, ["--target", str(file)], env=KEYS)
    assert (ended.exit_code, ended.stdout) == (3, "")
    assert "nothing listens at 127.0.0.1:9" in ended.stderr
    assert ended.stderr.count("\n") == 1
