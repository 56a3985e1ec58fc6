"""`MockAtlas`: time under control, jobs brought into states, restores that fail, rules, and what was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from atlas_conformance.reference.directions import Rule
from atlas_conformance.reference.mock import MockAtlas, ServerError
from tests.reference.calling import Caller, error

HOUR = 3600


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[MockAtlas, Caller]]:
    with MockAtlas(step=60) as mock:
        calling = Caller(mock.server)
        yield mock, calling
        calling.http.close()


@pytest.fixture
def mock(running: tuple[MockAtlas, Caller]) -> MockAtlas:
    running[0].reset()
    return running[0]


@pytest.fixture
def caller(running: tuple[MockAtlas, Caller], mock: MockAtlas) -> Caller:
    return running[1]


def test_a_job_moves_as_the_clock_is_moved(mock: MockAtlas, caller: Caller) -> None:
    mock.freeze()
    job = caller.create("flex-create")["id"]

    def status() -> Any:
        return caller.call("flex-get", at={"job": job}).json()["status"]

    seen = [status()]
    for _ in range(3):
        mock.advance_to_next()
        seen.append(status())
    assert seen == ["PENDING", "QUEUED", "RUNNING", "COMPLETED"]
    with pytest.raises(ValueError, match="no restore job is under way"):
        mock.advance_to_next()


def test_advancing_takes_minutes_whether_the_clock_runs_or_stands(mock: MockAtlas, caller: Caller) -> None:
    before = mock.now
    job = caller.create("cluster-create")
    mock.advance(minutes=2, seconds=59)
    assert mock.job(job["id"]).state == "RUNNING"
    mock.freeze()
    stands = mock.now
    assert timedelta(minutes=2, seconds=59) <= stands - before < timedelta(minutes=4)
    mock.advance(minutes=1)
    assert mock.now - stands == timedelta(minutes=1)
    assert caller.call("cluster-get", at={"job": job["id"]}).json()["finishedAt"]
    mock.resume()
    assert mock.now > stands
    with pytest.raises(ValueError, match="forward"):
        mock.advance(seconds=-1)


def test_answers_are_dated_by_the_clock_and_credentials_are_not(mock: MockAtlas, caller: Caller) -> None:
    token = caller.token_of(caller.server.credentials.owner_account)
    mock.advance(hours=24 * 365)
    answer = caller.call("flex-list", token=token)
    assert answer.status_code == 200
    dated = datetime.strptime(answer.headers["date"], "%a, %d %b %Y %H:%M:%S GMT")
    assert abs(dated - mock.now.replace(tzinfo=None)) < timedelta(minutes=1)
    mock.expire_tokens()
    error(caller.call("flex-list", token=token), 401)
    caller.token = caller.token_of(caller.server.credentials.owner_account)


def test_a_download_expires_when_its_hour_is_over(mock: MockAtlas, caller: Caller) -> None:
    job = caller.create("cluster-create", body=caller.body("cluster-create", "download"))["id"]
    mock.advance_to_end(job)
    assert caller.call("cluster-get", at={"job": job}).json()["deliveryUrl"]
    mock.advance(hours=1)
    assert caller.call("cluster-get", at={"job": job}).json()["expired"] is True


@pytest.mark.parametrize("state", ["QUEUED", "RUNNING", "COMPLETED", "FAILED"])
def test_a_job_is_brought_into_a_state(mock: MockAtlas, caller: Caller, state: str) -> None:
    mock.freeze()
    job = caller.create("flex-create")["id"]
    mock.advance(seconds=10)
    assert mock.set_state(job, state).state == state
    shown = caller.call("flex-get", at={"job": job}).json()
    assert shown["status"] == state
    ended = state in ("COMPLETED", "FAILED")
    assert ("restoreFinishedDate" in shown) == ended
    if state == "RUNNING":
        mock.advance(seconds=59)
        assert mock.job(job).state == "RUNNING"
        mock.advance(seconds=1)
        assert mock.job(job).state == "COMPLETED"
    if state == "QUEUED":
        mock.advance(seconds=60)
        assert mock.job(job).state == "RUNNING"


def test_a_job_only_moves_forward(mock: MockAtlas, caller: Caller) -> None:
    flex, dedicated = caller.create("flex-create")["id"], caller.create("cluster-create")["id"]
    mock.set_state(flex, "RUNNING")
    with pytest.raises(ValueError, match="does not go back to PENDING"):
        mock.set_state(flex, "PENDING")
    with pytest.raises(ValueError, match="has no state 'CANCELLED'"):
        mock.set_state(flex, "CANCELLED")
    assert mock.set_state(dedicated, "CANCELLED").changes_at is None
    assert caller.call("cluster-get", at={"job": dedicated}).json()["cancelled"] is True
    with pytest.raises(ValueError, match="is CANCELLED, and a job that has ended does not change"):
        mock.set_state(dedicated, "COMPLETED")
    with pytest.raises(KeyError, match="no restore job"):
        mock.set_state("0" * 24, "COMPLETED")


def test_the_next_restore_fails_and_the_one_after_it_does_not(mock: MockAtlas, caller: Caller) -> None:
    mock.fail_next_restore(cluster=caller.cluster("flex").name)
    ids = [caller.create(name)["id"] for name in ("cluster-create", "flex-create", "flex-create")]
    mock.advance_to_end()
    assert [mock.job(one).state for one in ids] == ["COMPLETED", "FAILED", "COMPLETED"]


def test_requests_are_answered_with_errors_as_rules_say(mock: MockAtlas, caller: Caller) -> None:
    mock.add_rule(Rule(operations=("flex-list",), after=1, times=2, status=503, retry_after=7))
    answers = [caller.call("flex-list") for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 503, 503, 200]
    assert error(answers[1], 503)["errorCode"] == "SERVICE_UNAVAILABLE"
    assert answers[1].headers["retry-after"] == "7"
    mock.answer_next(429)
    assert [caller.call("cluster-list").status_code for _ in range(2)] == [429, 200]
    mock.answer_next(500, operations=["token"])
    account = caller.server.credentials.owner_account
    token = {"data": {"grant_type": "client_credentials"}, "auth": (account.id, account.secret)}
    assert [caller.http.post("/api/oauth/token", **token).status_code for _ in range(2)] == [500, 200]  # type: ignore[arg-type]
    mock.answer_next(500, operations=["lookups"])
    assert [caller.send("GET", "/api/atlas/v2/orgs").status_code for _ in range(2)] == [500, 200]
    with pytest.raises(ValueError, match="no operation 'flex-lst'"):
        mock.answer_next(500, operations=["flex-lst"])


def test_requests_are_served_with_faults_and_freedoms_as_rules_say(mock: MockAtlas, caller: Caller) -> None:
    fault = "flex-get/id-number"
    job = caller.create("flex-create")["id"]
    sound = caller.call("flex-get", at={"job": job}).json()
    mock.add_rule(Rule(operations=("flex-get",), times=1, fault=fault))
    assert caller.call("flex-get", at={"job": job}).json() != sound
    assert caller.call("flex-get", at={"job": job}).json() == sound
    mock.add_rule(Rule(operations=("flex-create",), times=1, freedoms={"busy-target": "409"}))
    error(caller.call("flex-create"), 409)
    assert caller.call("flex-create").status_code == 200
    mock.clear_rules()
    with pytest.raises(ValueError, match="no freedom 'busy'"):
        mock.add_rule(Rule(freedoms={"busy": "409"}))
    with pytest.raises(ValueError, match="no fault 'x'"):
        mock.add_rule(Rule(fault="x"))


def test_connections_are_cut_and_answers_are_late_as_rules_say(mock: MockAtlas, caller: Caller) -> None:
    mock.add_rule(Rule(operations=("flex-list",), times=1, drop=True))
    with pytest.raises(httpx.TransportError):
        caller.call("flex-list")
    mock.add_rule(Rule(operations=("flex-list",), times=1, delay=0.3))
    assert caller.call("flex-list").elapsed > timedelta(seconds=0.3)
    assert caller.call("flex-list").elapsed < timedelta(seconds=0.3)


def test_what_was_asked_is_reported_without_credentials(mock: MockAtlas, caller: Caller) -> None:
    body = caller.body("flex-create")
    caller.create("flex-create")
    caller.send("GET", "/api/atlas/v2/orgs")
    caller.token_of(caller.server.credentials.owner_account)
    create, lookup, token = mock.requests
    assert (create.method, create.operation, create.status, create.body) == ("POST", "flex-create", 200, body)
    assert (lookup.target, lookup.operation) == ("/api/atlas/v2/orgs", None)
    assert (token.target, token.body) == ("/api/oauth/token", None)
    assert caller.server.credentials.owner_account.secret not in repr(mock.requests)
    mock.forget_requests()
    assert mock.requests == []


def test_reset_starts_over(mock: MockAtlas, caller: Caller) -> None:
    job = caller.create("flex-create")["id"]
    mock.advance(hours=9)
    mock.answer_next(500)
    mock.fail_next_restore()
    mock.reset()
    error(caller.call("flex-get", at={"job": job}), 404)
    assert abs(mock.now.timestamp() - datetime.now().timestamp()) < 5
    assert len(mock.requests) == 1
    job = caller.create("flex-create")["id"]
    assert mock.job(job).changes_at is not None
    mock.advance_to_end()
    assert mock.job(job).state == "COMPLETED"


def test_a_mock_says_what_clients_need_and_what_exists() -> None:
    with MockAtlas(seed=3, authentication=("bearer",)) as one:
        assert one.environment["MONGODB_ATLAS_BASE_URL"] == one.url
        assert one.environment["MONGODB_ATLAS_CLIENT_ID"] == one.credentials.owner_account.id
        assert one.cluster("flex").kind == "flex"
        assert one.cluster(sharded=True).sharded
        assert one.cluster(name="Replica0").name == "Replica0"
        (failing,) = one.snapshots(one.cluster(name="f"), failing=True)
        assert failing.failing
        assert len(one.snapshots(one.cluster(name="f"))) == 3
        with pytest.raises(LookupError, match="no cluster nothing"):
            one.cluster(name="nothing")
        assert one.ca_file is None
    for use in (lambda: one.url, lambda: one.now, lambda: one.ca_file):
        with pytest.raises(ServerError, match="not running"):
            use()


# Over HTTP


@pytest.fixture
def steer(mock: MockAtlas) -> Callable[..., tuple[int, Any]]:
    def send(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        content = None if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
        answer = httpx.request(method, f"{mock.url}/_control{path}", content=content, trust_env=False)
        return answer.status_code, answer.json()

    return send


def test_everything_can_be_steered_over_http(steer: Callable[..., tuple[int, Any]], caller: Caller) -> None:
    assert steer("POST", "/freeze")[1]["frozen"] is True
    job = caller.create("flex-create")["id"]
    status, found = steer("POST", "/advance", {"minutes": 1})
    assert status == 200
    assert steer("GET", f"/jobs/{job}")[1]["state"] == "QUEUED"
    steer("POST", "/advance", {"to": "next", "job": job})
    assert steer("GET", f"/jobs/{job}")[1]["state"] == "RUNNING"
    assert steer("POST", f"/jobs/{job}", {"state": "FAILED"})[1]["state"] == "FAILED"
    assert caller.call("flex-get", at={"job": job}).json()["status"] == "FAILED"
    assert steer("POST", "/fail-next", {"cluster": "Flex0"})[1]["times"] == 1
    assert steer("POST", "/rules", {"operations": ["flex-list"], "status": 503, "times": 1})[0] == 200
    assert [caller.call("flex-list").status_code for _ in range(2)] == [503, 200]
    assert steer("DELETE", "/rules") == (200, [])
    assert steer("GET", "/requests")[1][-1]["operation"] == "flex-list"
    assert steer("DELETE", "/requests") == (200, [])
    assert steer("POST", "/resume")[1]["frozen"] is False
    status, found = steer("GET", "")
    assert found["jobs"][-1]["id"] == job
    assert steer("POST", "/reset")[0] == 200
    assert steer("GET", f"/jobs/{job}")[0] == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/advance", {}, 400, "give seconds, minutes or hours"),
        ("/advance", {"seconds": "9"}, 400, "seconds must be a number"),
        ("/advance", {"seconds": True}, 400, "seconds must be a number"),
        ("/advance", {"seconds": -1}, 400, "forward"),
        ("/advance", {"days": 1}, 400, "'days' is not known here; known are seconds"),
        ("/advance", {"to": "tomorrow"}, 400, '"next" or "end"'),
        ("/advance", {"to": "next"}, 409, "no restore job is under way"),
        ("/advance", {"to": "next", "job": "0" * 24}, 404, "no restore job"),
        ("/advance", b"{", 400, "no JSON"),
        ("/advance", [], 400, "JSON object"),
        ("/rules", {"status": 200}, 400, "status must be greater than or equal to 400, not 200"),
        ("/rules", {"statu": 500}, 400, "statu is not a known key"),
        ("/rules", {}, 400, "the rule does nothing"),
        ("/rules", {"fault": "x"}, 400, "there is no fault 'x'"),
        ("/rules", {"operations": ["x"], "status": 500}, 400, "there is no operation 'x'"),
        ("/fail-next", {"times": 0}, 400, "times must be greater"),
        ("/jobs/" + "0" * 24, {"state": "FAILED"}, 404, "no restore job"),
        ("/jobs/" + "0" * 24, {}, 400, "state is needed"),
        ("/nothing", {}, 404, "there is no POST /_control/nothing here"),
    ],
)
def test_control_requests_that_make_no_sense_are_reported_why(
    steer: Callable[..., tuple[int, Any]], path: str, body: Any, status: int, said: str
) -> None:
    answered, document = steer("POST", path, body)
    assert (answered, said in document["error"]) == (status, True), document


def test_there_is_no_control_api_unless_asked_for(caller: Caller) -> None:
    from atlas_conformance.reference.server import ReferenceServer

    with ReferenceServer(in_process=True) as server:
        error(httpx.get(server.url + "/_control", trust_env=False), 401)
