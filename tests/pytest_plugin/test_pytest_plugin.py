"""The pytest plugin as other people's tests use it: fixtures and markers, the suites by name, and nothing unasked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from atlas_conformance import testing

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = "atlas_conformance.pytest_plugin"


def run(folder: Path, *arguments: str, test: str = "") -> subprocess.CompletedProcess[str]:
    """Run pytest with the plugin in a folder that holds nothing but this test module."""
    if test:
        (folder / "test_own.py").write_text(dedent(test), encoding="utf-8")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "MONGODB_"))}
    environ |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", PLUGIN, "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120)


CLIENT = """
    import httpx
    import pytest
    from atlas_conformance.adapters import JudgingTransport

    def path(endpoint, kind="flex", where="flexClusters"):
        cluster = next(c for c in endpoint.inventory.clusters if c.kind == kind)
        return f"/api/atlas/v2/groups/{cluster.project}/{where}/{cluster.name}/backup/restoreJobs", cluster

    def client(endpoint, judge):
        owner = endpoint.credentials.owner
        auth = httpx.DigestAuth(owner.public, owner.private)
        headers = {"Accept": "application/vnd.atlas.2024-11-13+json"}
        return httpx.Client(base_url=endpoint.url, auth=auth, headers=headers, transport=JudgingTransport(judge))

    def restore(endpoint, http):
        place, cluster = path(endpoint)
        target = next(t for t in endpoint.inventory.targets if "flex" in t.accepts)
        body = {"snapshotId": cluster.snapshots[0], "targetDeploymentItemName": target.name,
                "targetProjectId": target.project}
        return http.post(place, json=body)
"""


def test_a_client_is_judged_against_the_endpoint_and_each_test_starts_again(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        test=CLIENT
        + """
    @pytest.mark.parametrize("turn", range(2))
    @pytest.mark.atlas_judge(credential="owner")
    def test_restores(atlas_endpoint, atlas_judge, turn):
        with client(atlas_endpoint, atlas_judge) as http:
            assert len(http.get(path(atlas_endpoint)[0]).json()["results"]) == 3
            job = restore(atlas_endpoint, http)
            assert job.status_code == 200
            assert http.get(f"{path(atlas_endpoint)[0]}/{job.json()['id']}").status_code == 200
            assert http.get(f"{path(atlas_endpoint)[0]}/zzz").status_code in (400, 404)
        assert atlas_judge.judged >= 4
        assert ("B-ACCEPT", "flex-create") in atlas_judge.held

    def test_the_environment(atlas_endpoint, monkeypatch):
        assert atlas_endpoint.environ["MONGODB_ATLAS_BASE_URL"] == atlas_endpoint.url
        assert atlas_endpoint.credentials.owner.private not in repr(atlas_endpoint)
    """,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "3 passed" in ended.stdout


def test_a_fault_fails_the_test_unless_it_is_collected(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        test=CLIENT
        + """
    from atlas_conformance.adapters import RequirementFailed

    @pytest.mark.atlas_endpoint(fault="flex-create/closed")
    def test_fails_at_its_end(atlas_endpoint, atlas_judge):
        with client(atlas_endpoint, atlas_judge) as http:
            assert restore(atlas_endpoint, http).status_code == 200

    @pytest.mark.atlas_endpoint(fault="flex-create/closed")
    @pytest.mark.atlas_judge(on_failure="collect")
    def test_looks_at_it(atlas_endpoint, atlas_judge):
        with client(atlas_endpoint, atlas_judge) as http:
            restore(atlas_endpoint, http)
        assert "S-STATUS" in {failure.requirement for failure in atlas_judge.failures}

    @pytest.mark.atlas_endpoint(fault="flex-create/closed")
    @pytest.mark.atlas_judge(on_failure="raise")
    def test_is_reported_at_once(atlas_endpoint, atlas_judge):
        with client(atlas_endpoint, atlas_judge) as http, pytest.raises(RequirementFailed):
            restore(atlas_endpoint, http)
    """,
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "1 failed, 2 passed" in ended.stdout
    assert "FAILED test_own.py::test_fails_at_its_end" in ended.stdout
    assert "S-STATUS does not hold on flex-create" in ended.stdout


def test_markers_change_the_endpoint_and_what_they_cannot_mean_is_said(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        test=CLIENT
        + """
    @pytest.mark.atlas_endpoint(freedoms={"malformed-group": "404"}, authentication=[], level="core")
    def test_is_free_and_open(atlas_endpoint, atlas_judge):
        with httpx.Client(base_url=atlas_endpoint.url, transport=JudgingTransport(atlas_judge)) as http:
            place = path(atlas_endpoint)[0].replace(atlas_endpoint.inventory.clusters[0].project, "x")
            assert http.get(place + "/" + "a" * 24).status_code == 404

    @pytest.mark.atlas_endpoint(colour="red")
    def test_odd_keyword(atlas_endpoint): pass

    @pytest.mark.atlas_endpoint(freedoms={"colour": "red"})
    def test_odd_freedom(atlas_endpoint): pass

    @pytest.mark.atlas_judge(on_failure="cry")
    def test_odd_judge(atlas_judge): pass
    """,
    )
    assert "1 passed, 3 errors" in ended.stdout, ended.stdout + ended.stderr
    assert "the marker atlas_endpoint takes fault, freedoms" in ended.stdout
    assert "colour" in ended.stdout
    assert "not 'cry'" in ended.stdout


def test_nothing_is_imported_and_no_option_is_there_until_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        dedent("""
        def pytest_addoption(parser):
            for name in ("--target", "--base-url", "--seed", "--profile", "--report"):
                parser.addoption(name, default="own")
    """)
    )
    ended = run(
        tmp_path,
        "--target",
        "mine",
        test="""
    import sys

    def test_own(pytestconfig):
        assert pytestconfig.getoption("--target") == "mine"
        heavy = ("httpx", "hypothesis", "schemathesis", "yaml", "requests")
        assert not [name for name in sys.modules if name.split(".")[0] in heavy]
        ours = sorted(n for n in sys.modules if n.startswith("atlas_conformance"))
        assert ours == ["atlas_conformance", "atlas_conformance.pytest_plugin"]
    """,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_suites_run_by_name(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    ended = run(
        tmp_path,
        "--pyargs",
        "atlas_conformance.suites",
        "--requirement",
        "B-PATTERN",
        "--profile",
        "quick",
        "--report",
        str(reports),
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "PASSED: " in ended.stdout
    assert (reports / "report.html").exists()


def test_what_cannot_be_meant_ends_the_suites_in_one_sentence(tmp_path: Path) -> None:
    ended = run(tmp_path, "--pyargs", "atlas_conformance.suites", "--target", "x.toml", "--base-url", "http://x")
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert "give either a target file or a base URL" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_option_that_another_plugin_has_gets_a_prefix(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("def pytest_addoption(parser): parser.addoption('--base-url', default='own')")
    arguments = ("-p", "other", "--pyargs", "atlas_conformance.suites", "--atlas-base-url", "http://127.0.0.1:9")
    ended = run(tmp_path, *arguments, "--target", "x.toml", "--base-url", "own")
    assert "give either a target file or a base URL" in ended.stderr, ended.stdout + ended.stderr


def test_a_mock_is_steered_by_the_test(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        test="""
        import pytest
        import requests
        from requests.auth import HTTPDigestAuth

        def restored(atlas):
            cluster, keys = atlas.cluster("flex"), atlas.credentials.owner
            client = requests.Session()
            client.auth = HTTPDigestAuth(keys.public, keys.private)
            client.headers["Accept"] = "application/vnd.atlas.2024-11-13+json"
            where = f"{atlas.url}/api/atlas/v2/groups/{cluster.project}/flexClusters/{cluster.name}/backup/restoreJobs"
            wanted = {"snapshotId": cluster.snapshots[0], "targetDeploymentItemName": cluster.name}
            job = client.post(where, json=wanted).json()
            atlas.advance(minutes=600)
            return client.get(f"{where}/{job['id']}").json()["status"]

        @pytest.mark.atlas(step=600.0)
        def test_time_passes_when_the_test_says_so(atlas):
            assert restored(atlas) == "COMPLETED"

        @pytest.mark.atlas(step=600.0)
        def test_a_restore_fails_when_the_test_says_so(atlas):
            atlas.fail_next_restore()
            assert restored(atlas) == "FAILED"
        """,
    )
    assert ended.returncode == 0, ended.stdout
    assert "2 passed" in ended.stdout


WRONG = """
    import httpx
    import pytest
    from atlas_conformance.adapters import JudgingTransport

    PATH = "/api/atlas/v2/groups/32b6e34b3d91647abb20e7b8/flexClusters/Flex0/backup/restoreJobs"

    def wrong_exchange(judge, path=PATH):
        wrong = httpx.MockTransport(lambda request: httpx.Response(200, json={"results": 1}))
        with httpx.Client(base_url="http://mock", transport=JudgingTransport(judge, wrong)) as http:
            http.get(path, headers={"Accept": "application/vnd.atlas.2024-11-13+json"})
"""


def test_a_test_fails_however_it_had_its_judge_and_whenever_it_found_something(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        "-rfEp",
        test=WRONG
        + """
    @pytest.fixture
    def hidden(request):
        return request.getfixturevalue("atlas_judge")

    @pytest.fixture
    def before(atlas_judge):
        wrong_exchange(atlas_judge)

    @pytest.fixture
    def after(atlas_judge):
        yield
        wrong_exchange(atlas_judge)

    @pytest.fixture
    def hidden_after(request):
        judge = request.getfixturevalue("atlas_judge")
        yield
        wrong_exchange(judge)

    def test_call_asked_for_in_the_test(request):
        wrong_exchange(request.getfixturevalue("atlas_judge"))

    def test_call_asked_for_in_a_fixture(hidden):
        wrong_exchange(hidden)

    def test_call_in_setup(before):
        pass

    def test_teardown_plain(after):
        pass

    def test_teardown_hidden(hidden_after):
        pass

    def test_teardown_after_a_skip(atlas_judge):
        wrong_exchange(atlas_judge)
        pytest.skip("no more")

    def test_call_and_teardown(atlas_judge, after):
        wrong_exchange(atlas_judge, PATH + "/5f1d0c2e9b8f7a6053e1d2c4")

    def test_twice_the_same(atlas_judge, after):
        wrong_exchange(atlas_judge)

    @pytest.mark.atlas_judge(on_failure="collect")
    def test_collects(atlas_judge, after):
        wrong_exchange(atlas_judge)

    class TestOfAClass:
        def test_call_in_a_class(self, hidden):
            wrong_exchange(hidden)
    """,
    )
    lines = {line.split(" - ")[0].replace("test_own.py::", "") for line in ended.stdout.splitlines()}
    told = {line for line in lines if line.split(" ")[0] in ("FAILED", "ERROR", "PASSED")}
    assert told == {
        "FAILED test_call_asked_for_in_the_test",
        "FAILED test_call_asked_for_in_a_fixture",
        "FAILED test_call_in_setup",
        "PASSED test_teardown_plain",
        "ERROR test_teardown_plain",
        "PASSED test_teardown_hidden",
        "ERROR test_teardown_hidden",
        "ERROR test_teardown_after_a_skip",
        "FAILED test_call_and_teardown",
        "ERROR test_call_and_teardown",
        "FAILED test_twice_the_same",
        "PASSED test_collects",
        "FAILED TestOfAClass::test_call_in_a_class",
    }, ended.stdout
    assert "RequirementFailed: C-MEDIA does not hold on flex-list" in ended.stdout


def test_what_was_found_is_shown_beside_the_error_of_the_test_itself(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        test=WRONG
        + """
    @pytest.fixture
    def breaking(atlas_judge):
        wrong_exchange(atlas_judge)
        raise LookupError("in setup")

    def test_setup(breaking):
        pass

    def test_call(atlas_judge):
        wrong_exchange(atlas_judge)
        assert 1 == 2
    """,
    )
    assert "1 failed, 1 error" in ended.stdout, ended.stdout
    assert "Captured atlas_judge setup" in ended.stdout
    assert "Captured atlas_judge call" in ended.stdout
    assert ended.stdout.count("C-SCHEMA does not hold on flex-list") == 2
    assert "pytest_plugin.py" not in ended.stdout


def test_a_marker_that_cannot_be_meant_is_one_sentence_and_spoils_no_other_test(tmp_path: Path) -> None:
    wrong = {
        "atlas_endpoint('flex-list/always-next')": "takes keywords alone, such as fault='flex-list/always-next', not ",
        "atlas_endpoint(fault=['flex-list/always-next'])": "fault is the id of one fault, such as ",
        "atlas_endpoint(fault='flex-list/always-nxt')": "no fault 'flex-list/always-nxt'; did you mean ",
        "atlas_endpoint(operations=['flex-gte'])": "there is no operation 'flex-gte'; did you mean 'flex-get'?",
        "atlas_endpoint(operations='flex-get')": "operations is a list of ids of operations, such as ['flex-get'], ",
        "atlas_endpoint(authentication='digest')": "authentication is a list of schemes, such as ['digest'], or [] for",
        "atlas_endpoint(authentication=['digets'])": "authentication is digest, bearer, both or none",
        "atlas_endpoint(level='cor')": "there is no level 'cor'",
        "atlas_endpoint(latency='1')": "latency is a number of seconds, not '1'",
        "atlas_endpoint(latency=-1)": "a latency of -1 s makes no sense",
        "atlas_endpoint(step='x')": "step is a number of seconds, not 'x'",
        "atlas_endpoint(rate='5')": "rate is a whole number of requests a minute, not '5'",
        "atlas_endpoint(freedoms=['charset'])": "freedoms is a mapping of freedoms to choices",
        "atlas_endpoint(freedoms={'charset': ['all']})": "freedoms is a mapping of freedoms to choices",
        "atlas_endpoint(imitate='K-EMPTY-URL')": "imitate is a list of known departures",
        "atlas_judge('raise')": "takes keywords alone, such as on_failure='raise', not 'raise'",
        "atlas_judge(credential='ownr')": "there is no credential 'ownr'; did you mean 'owner'?",
        "atlas_judge(remember='x')": "remember is a number of jobs, at least 1, not 'x'",
        "atlas_judge(strict='no')": "strict is True or False, not 'no'",
        "atlas_judge(base_url=5)": "base_url is an http or https URL, not 5",
        "atlas(nope=1)": "MockAtlas takes scenario, seed, step, tls, database, ",
        "atlas('a.toml', 5)": "takes a scenario first, and everything else by its keyword",
        "atlas(5)": "scenario is a Scenario or the path of a scenario file, not 5",
        "atlas(step='x')": "step is a number of seconds, not 'x'",
        "atlas('nowhere.toml')": "nowhere.toml",
        "atlas(operations=['flex-gte'])": "there is no operation 'flex-gte'",
    }
    tests = ["import pytest", "def test_first(atlas_endpoint, atlas_judge): pass"]
    for number, marker in enumerate(wrong):
        fixture = marker.partition("(")[0]
        tests.append(f"@pytest.mark.{marker}\ndef test_{number:02}({fixture}): pass")
    tests.append("def test_last(atlas_endpoint, atlas_judge, atlas): pass")
    ended = run(tmp_path, test="\n\n".join(tests))
    assert f"2 passed, {len(wrong)} errors" in ended.stdout, ended.stdout
    errors = [line for line in ended.stdout.splitlines() if line.startswith("E ") and "UsageError: test_own.py" in line]
    assert len(errors) == len(wrong)
    for line, (marker, sentence) in zip(errors, wrong.items(), strict=True):
        assert f"the marker {marker.partition('(')[0]}" in line
        assert sentence in line, line
    assert "ended unexpectedly" not in ended.stdout


def test_an_endpoint_whose_process_died_is_replaced_for_the_next_test(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        test="""
    import json
    import os
    import signal

    import pytest

    @pytest.fixture
    def child(_atlas_endpoints, atlas_endpoint):
        (server,) = _atlas_endpoints._servers.values()
        return server._child

    def test_kills_it(child):
        os.kill(child._process.pid, signal.SIGKILL)
        child._process.wait(5)

    def test_has_another(child):
        assert child._process.poll() is None

    def test_gives_an_order_that_makes_no_sense(child):
        with pytest.raises(Exception, match="the endpoint could not carry out its orders .KeyError: 'fault'"):
            child.ask(nonsense=1)
        assert child.is_there

    def test_stops_it(child):
        os.kill(child._process.pid, signal.SIGSTOP)
        child._socket.settimeout(0.1)
        with pytest.raises(Exception, match="ended unexpectedly"):
            child.ask(fault=None, freedoms={}, imitate=[], step=None)
        os.kill(child._process.pid, signal.SIGCONT)

    def test_has_one_that_answers(child):
        assert child.is_there
    """,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "5 passed" in ended.stdout


def test_the_markers_are_described_with_all_that_they_take(tmp_path: Path) -> None:
    described = {line.partition("(")[0]: line for line in run(tmp_path, "--markers").stdout.splitlines()}

    taken = {
        "atlas_endpoint": (*testing._AT_START, *testing._AT_RESET),
        "atlas_judge": ("on_failure", *testing._JUDGING),
    }
    for marker, keywords in taken.items():
        assert all(f"{keyword}=" in described[f"@pytest.mark.{marker}"] for keyword in keywords)
