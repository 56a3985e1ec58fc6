"""What a request is owed: refusals, successes, 401 and 403; methods that are not there; the known departures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange, Response
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.judge import Judge
from atlas_conformance.contracts.knowledge import Knowledge
from tests.strategies.scenery import (
    ABSENT,
    AUTOMATED,
    KNOWN,
    PLAIN,
    answer,
    dedicated_job,
    departures,
    failed,
    failure,
    finding_of,
    held,
    page,
    plain_job,
    refused,
    request,
)

OPERATIONS = Contract.load().operations

CREATES = [o.id for o in OPERATIONS.values() if o.kind == "create"]
GETS = [o.id for o in OPERATIONS.values() if o.kind == "get"]
LISTS = [o.id for o in OPERATIONS.values() if o.kind == "list"]
WITH_BODY = [o.id for o in OPERATIONS.values() if o.media_type is not None]
EVERY = list(OPERATIONS)


def good(name: str, query: dict[str, str] | None = None, **given: Any) -> Exchange:
    """A success of an operation, in form."""
    found = OPERATIONS[name]
    sent = request(name, query=query)
    if found.kind == "cancel":
        return answer(sent, b"", status=204, media="", **given)
    job = plain_job(found.resource.label)
    return answer(sent, page(job) if found.kind == "list" else job, **given)


def judged(exchange: Exchange, knowledge: Knowledge = KNOWN) -> Judgement:
    return Judge(knowledge=knowledge).judge(exchange)


def with_body(exchange: Exchange, body: bytes) -> Exchange:
    return replace(exchange, response=replace(exchange.response, body=body))


def with_media(exchange: Exchange, value: str) -> Exchange:
    return replace(exchange, response=replace(exchange.response, headers=(("content-type", value),)))


def with_status(exchange: Exchange, status: int) -> Exchange:
    return replace(exchange, response=replace(exchange.response, status=status))


# Refusals and successes that are owed


@pytest.mark.parametrize("name", CREATES)
@pytest.mark.parametrize(
    ("requirement", "change", "right", "wrong"),
    [
        ("P-GROUP", {"groupId": "x"}, [400, 404], [200, 403, 405, 409, 415]),
        ("P-NAME", {"name": "-", "clusterName": "-"}, [400, 404], [200, 403, 409]),
        ("N-GROUP", {"groupId": ABSENT.project}, [404, 401, 403], [200, 400, 409]),
        ("N-CLUSTER", {"name": ABSENT.cluster, "clusterName": ABSENT.cluster}, [404], [200, 400, 403, 409]),
    ],
)
def test_a_path_that_must_be_refused(
    name: str, requirement: str, change: dict[str, Any], right: list[int], wrong: list[int]
) -> None:
    sent = request(name, **change)
    for status in right:
        assert judged(refused(sent, status)).findings == ()
        assert requirement in held(judged(refused(sent, status)))
    for status in wrong:
        exchange = answer(sent, plain_job(OPERATIONS[name].resource.label)) if status == 200 else refused(sent, status)
        assert requirement in failed(judged(exchange))
        assert finding_of(judged(exchange), requirement).pointer.startswith("/request/path/")


@pytest.mark.parametrize("name", CREATES)
@pytest.mark.parametrize(
    ("requirement", "right", "wrong"),
    [("B-JSON", [400], [200, 403, 404, 409, 415]), ("B-REQUIRED", [400], [200, 403, 404, 409, 415])],
)
def test_a_body_that_must_be_refused(name: str, requirement: str, right: list[int], wrong: list[int]) -> None:
    if requirement == "B-REQUIRED" and OPERATIONS[name].takes_no_body:
        return
    if requirement == "B-REQUIRED" and OPERATIONS[name].resource.label == "cluster":
        requirement = "T-ENUM"
    sent = replace(request(name), body=b"[]" if requirement == "B-JSON" else b"{}")
    for status in right:
        assert judged(refused(sent, status)).findings == ()
    for status in wrong:
        exchange = answer(sent, plain_job(OPERATIONS[name].resource.label)) if status == 200 else refused(sent, status)
        assert requirement in failed(judged(exchange))


def test_two_violations_may_be_refused_by_either() -> None:
    sent = request("flex-create", PLAIN["flex"] | {"snapshotId": ABSENT.snapshot}, groupId=ABSENT.project)
    for status in (400, 401, 403, 404, 409):
        assert judged(refused(sent, status)).findings == ()
    assert failed(judged(refused(sent, 415, reason=None))) == {"N-GROUP", "N-SNAPSHOT"}


@pytest.mark.parametrize("name", CREATES)
@pytest.mark.parametrize("status", [400, 403, 404, 406, 415])
def test_a_conforming_create_is_owed_a_success(name: str, status: int) -> None:
    assert failed(judged(refused(request(name), status, reason=None))) == {"B-ACCEPT"}
    assert "B-ACCEPT" in held(judged(good(name)))
    # What exists has no part in it that both media types of a request are ones to be taken.
    unknown = failed(judged(refused(request(name), status, reason=None), Knowledge()))
    assert unknown == ({"B-ACCEPT"} if status in (406, 415) else set())


@pytest.mark.parametrize("name", CREATES)
def test_valid_credentials_of_either_scheme_are_not_turned_away(name: str) -> None:
    """The owner's conforming create is answered with 401: whatever scheme carried the key, that is no success."""
    assert failed(judged(refused(request(name), 401))) != set()


@pytest.mark.parametrize("name", CREATES)
def test_a_conflict_may_be_somebody_elses_restore(name: str) -> None:
    assert judged(refused(request(name), 409)).findings == ()


@pytest.mark.parametrize("name", [name for name in LISTS if not OPERATIONS[name].sharded])
def test_a_list_of_a_known_cluster_is_owed_a_success(name: str) -> None:
    assert failed(judged(refused(request(name), 404))) == {"L-FOUND"}


def test_where_an_endpoint_is_free_either_answer_is_right() -> None:
    sent = request("cluster-create", AUTOMATED | {"oplogInc": 1})
    assert judged(refused(sent, 400)).findings == ()
    assert judged(answer(sent, dedicated_job())).findings == ()


# A-*


@pytest.mark.parametrize("name", EVERY)
def test_without_credentials_401_and_a_challenge(name: str) -> None:
    sent = request(name, credential="none")
    right = refused(sent, 401)
    assert judged(right).findings == ()
    requirement = "A-NONE"
    assert requirement in held(judged(right))
    bare = answer(sent, failure(401), status=401)
    assert failed(judged(bare)) == {requirement}
    assert judged(bare, replace(KNOWN, digest=False)).findings == ()
    for status in (403, 404, 400):
        assert requirement in failed(judged(refused(sent, status)))
    assert requirement in failed(judged(replace(good(name), request=sent)))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("scheme", ["digest", "bearer"])
def test_wrong_credentials_are_401(name: str, scheme: Any) -> None:
    sent = request(name, credential="wrong", scheme=scheme)
    assert judged(refused(sent, 401)).findings == ()
    assert "A-WRONG" in held(judged(refused(sent, 401)))
    assert "A-WRONG" in failed(judged(refused(sent, 403)))
    assert "A-WRONG" in failed(judged(replace(good(name), request=sent)))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("value", ["Bearer", "Basic YTpi", "Negotiate x"])
def test_what_is_no_credential_is_a_wrong_one(name: str, value: str) -> None:
    sent = request(name, credential="none")
    sent = replace(sent, headers=(*(sent.headers or ()), ("Authorization", value)))
    assert "A-WRONG" in held(judged(refused(sent, 401)))
    assert "A-WRONG" in failed(judged(replace(good(name), request=sent)))
    assert "A-NONE" not in failed(judged(replace(good(name), request=sent)))


@pytest.mark.parametrize("name", EVERY)
def test_a_malformed_request_without_credentials_is_401_too(name: str) -> None:
    sent = request(name, credential="none", groupId="x")
    assert judged(refused(sent, 401)).findings == ()
    assert "A-BEFORE" in held(judged(refused(sent, 401)))
    for status in (400, 404):
        assert judged(refused(sent, status)).findings == ()
    assert failed(judged(refused(sent, 403))) == {"A-BEFORE"}
    absent = request(name, credential="none", groupId=ABSENT.project)
    for status in (400, 403, 404):
        assert "A-BEFORE" in failed(judged(refused(absent, status)))
    if OPERATIONS[name].kind == "create":
        broken = replace(request(name, credential="none"), body=b"{")
        assert judged(refused(broken, 401)).findings == ()
        assert failed(judged(refused(broken, 400))) == {"A-BEFORE"}


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(("scheme", "requirement"), [("digest", "A-DIGEST"), ("bearer", "A-BEARER")])
def test_valid_credentials_let_a_request_in(name: str, scheme: Any, requirement: str) -> None:
    sent = request(name, scheme=scheme)
    assert requirement in held(judged(replace(good(name), request=sent)))
    if OPERATIONS[name].item(dict.fromkeys(OPERATIONS[name].path_parameters, "x")) is None:  # a job may not exist
        assert failed(judged(refused(sent, 401))) == {requirement}


@pytest.mark.parametrize("name", [*CREATES, "cluster-cancel"])
@pytest.mark.parametrize("scheme", ["any", "digest", "bearer"])
@pytest.mark.parametrize("status", [200, 400, 404, 409])
def test_a_lesser_role_is_403_or_401(name: str, scheme: Any, status: int) -> None:
    sent = request(name, credential="reader", scheme=scheme)
    if name == "cluster-cancel" and status in (400, 404):
        pytest.skip("a job of which nothing is known may not exist")
    for right in (401, 403):
        assert judged(refused(sent, right)).findings == ()
        assert "A-ROLE" in held(judged(refused(sent, right)))
    exchange = replace(good(name), request=sent) if status == 200 else refused(sent, status)
    assert "A-ROLE" in failed(judged(exchange))


@pytest.mark.parametrize("name", GETS + LISTS)
def test_a_lesser_role_may_read_or_not(name: str) -> None:
    sent = request(name, credential="reader")
    assert judged(refused(sent, 403)).findings == ()
    assert judged(refused(sent, 401)).findings == ()
    assert judged(replace(good(name), request=sent)).findings == ()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("scheme", ["any", "digest", "bearer"])
@pytest.mark.parametrize("status", [200, 409])
def test_an_address_off_the_list_is_403_or_401(name: str, scheme: Any, status: int) -> None:
    sent = request(name, credential="off-list", scheme=scheme)
    for right in (401, 403):
        assert judged(refused(sent, right)).findings == ()
        assert "A-LIST" in held(judged(refused(sent, right)))
    exchange = replace(good(name), request=sent) if status == 200 else refused(sent, status)
    assert "A-LIST" in failed(judged(exchange))


def test_forbidden_and_refused_come_in_any_order() -> None:
    for credential in ("reader", "off-list"):
        sent = request("flex-create", {}, credential=credential)
        for status in (400, 403):
            assert judged(refused(sent, status)).findings == ()


@pytest.mark.parametrize("name", EVERY)
def test_a_429_asks_to_come_back(name: str) -> None:
    body = failure(429, reason="Too Many Requests")
    assert judged(answer(request(name), body, status=429, headers=[("Retry-After", "1")])).findings == ()
    assert failed(judged(answer(request(name), body, status=429))) == {"A-RETRY"}
    for value in ("", "soon", "-1", "1.5", "2026-02-23T03:21:08Z"):
        headers = [("Retry-After", value)]
        assert failed(judged(answer(request(name), body, status=429, headers=headers))) == {"A-RATE"}
    dated = [("Retry-After", "Mon, 23 Feb 2026 03:21:08 GMT")]
    assert judged(answer(request(name), body, status=429, headers=dated)).findings == ()
    assert "E-SCHEMA" in failed(judged(answer(request(name), {}, status=429, headers=[("Retry-After", "1")])))


@pytest.mark.parametrize("name", ["RateLimit-Limit", "ratelimit-remaining"])
@pytest.mark.parametrize(
    ("value", "right"), [("0", True), ("1200", True), ("-1", False), ("1.5", False), ("", False), ("٣", False)]
)
def test_rate_headers_are_whole_numbers(name: str, value: str, right: bool) -> None:
    judgement = judged(good("flex-get", headers=[(name, value)]))
    assert failed(judgement) == (set() if right else {"A-RATE"})


def test_a_recording_of_unknown_credentials_demands_nothing() -> None:
    for status in (400, 401, 403, 404):
        assert judged(refused(request("flex-create", credential="unknown"), status)).findings == ()


# Methods that are not there


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE"])
def test_a_method_that_is_not_there_is_404_or_405(method: str) -> None:
    sent = replace(request("flex-create"), method=method, body=None)
    for status in (404, 405):
        allow = [("Allow", "GET, POST")]
        assert judged(answer(sent, failure(status, reason=None), status=status, headers=allow)).findings == ()
    assert failed(judged(answer(sent, {}, media="application/json"))) == {"C-STATUS"}
    assert failed(judged(answer(sent, {}, status=500, media="application/json"))) == {"C-5XX"}
    assert "E-SCHEMA" in failed(judged(answer(sent, {}, status=405, media="application/json")))


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_head_and_options_are_free(method: str) -> None:
    sent = replace(request("flex-create"), method=method, body=None)
    for status in (200, 204, 404, 405):
        allow = [("Allow", "GET, POST")]
        assert judged(answer(sent, b"", status=status, media="", headers=allow)).findings == ()


def test_what_is_not_offered_is_not_judged() -> None:
    core = replace(KNOWN, offered=frozenset({"flex-create"}))
    assert judged(answer(request("flex-list"), b"oops", status=500), core) == Judgement()
    assert (
        Judge().judge(Exchange(replace(request("flex-get"), target="/api/other"), Response(500, (), b""), 0, 1))
        == Judgement()
    )


# K-*


K_TIMESTAMP = {"increment": None, "time": None, "date": None}


@pytest.mark.parametrize("name", ["cluster-create", "cluster-get", "cluster-get-v1", "cluster-create-v1"])
@pytest.mark.parametrize("delivery", ["automated", "download"])
def test_an_empty_timestamp_of_a_snapshot_job_is_a_known_departure(name: str, delivery: str) -> None:
    body = None
    if OPERATIONS[name].kind == "create":
        body = (
            AUTOMATED
            if delivery == "automated"
            else {k: AUTOMATED[k] for k in ("snapshotId",)} | {"deliveryType": "download"}
        )
    judgement = judged(answer(request(name, body), dedicated_job(delivery, desiredTimestamp=K_TIMESTAMP)))
    assert failed(judgement) == set()
    assert departures(judgement) == {"K-TIMESTAMP"}


@pytest.mark.parametrize(
    ("delivery", "value"),
    [
        ("pointInTime", K_TIMESTAMP),
        ("automated", {"increment": None, "date": "2026-02-23T03:21:08Z"}),
        ("automated", {"increment": 2**31}),
        ("automated", {"increment": 1_700_000_000, "date": None}),
        ("automated", {"increment": "x", "date": None}),
        ("automated", {"increment": None, "date": ""}),
        ("automated", []),
        ("download", "x"),
        ("download", {"increment": False}),
    ],
)
def test_every_other_wrong_timestamp_is_a_failure(delivery: str, value: Any) -> None:
    judgement = judged(answer(request("cluster-get"), dedicated_job(delivery, desiredTimestamp=value)))
    assert "C-SCHEMA" in failed(judgement)


def test_a_null_for_the_timestamp_itself_is_a_failure() -> None:
    document = dedicated_job() | {"desiredTimestamp": None}
    assert failed(judged(answer(request("cluster-get"), document))) == {"C-SCHEMA"}


@pytest.mark.parametrize("name", EVERY)
def test_no_parameters_are_a_known_departure(name: str) -> None:
    judgement = judged(refused(request(name, groupId="x"), 400, parameters=None))
    assert failed(judgement) == set()
    assert departures(judgement) == {"K-PARAMETERS"}


@pytest.mark.parametrize("parameters", [[None], ["a", None], [["a"]], "a", {}, 1, False])
def test_every_other_wrong_parameters_are_a_failure(parameters: Any) -> None:
    assert "E-SCHEMA" in failed(judged(refused(request("flex-get"), 400, parameters=parameters)))


@pytest.mark.parametrize("delivery", ["automated", "pointInTime"])
def test_an_empty_url_is_a_known_departure_where_nothing_is_downloaded(delivery: str) -> None:
    judgement = judged(answer(request("cluster-get"), dedicated_job(delivery, deliveryUrl=[])))
    assert failed(judgement) == set()
    assert departures(judgement) == {"K-EMPTY-URL"}
    listed = judged(answer(request("cluster-list"), page(dedicated_job(delivery, deliveryUrl=[]))))
    assert (failed(listed), departures(listed)) == (set(), {"K-EMPTY-URL"})


def test_an_empty_url_of_a_download_is_nothing_at_all() -> None:
    assert judged(answer(request("cluster-get"), dedicated_job("download", deliveryUrl=[]))).findings == ()


@pytest.mark.parametrize("value", [["https://a.example/"], [""], [None], "", {}])
def test_every_other_url_of_a_restore_is_a_failure(value: Any) -> None:
    judgement = judged(answer(request("cluster-get"), dedicated_job(deliveryUrl=value)))
    assert failed(judgement) & {"T-ONLY-URL", "C-SCHEMA"}


def test_departures_are_known_inside_an_envelope_too() -> None:
    sent = request("cluster-get", query={"envelope": "true"})
    document = {"status": 200, "content": dedicated_job(desiredTimestamp=K_TIMESTAMP, deliveryUrl=[])}
    judgement = judged(answer(sent, document))
    assert (failed(judgement), departures(judgement)) == (set(), {"K-TIMESTAMP", "K-EMPTY-URL"})


def test_the_same_exchange_is_judged_the_same_every_time() -> None:
    exchange = answer(
        request("cluster-list"), page(dedicated_job(id="7"), dedicated_job(deliveryUrl=["x"]), totalCount=9)
    )
    assert judged(exchange) == judged(exchange)
    assert len(judged(exchange).findings) > 2
