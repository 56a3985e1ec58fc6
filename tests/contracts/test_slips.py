"""Slips of a caller: what cannot be meant is one sentence where it is said, and no error from deep inside."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from http import HTTPMethod, HTTPStatus
from typing import Any

import pytest

from atlas_conformance import (
    Chronicle,
    Cluster,
    Contract,
    Exchange,
    Inventory,
    JobStore,
    Judge,
    Knowledge,
    Request,
    Response,
    RestoreTarget,
    TrafficJudge,
)

PROJECT, JOB = "32b6e34b3d91647abb20e7b8", "5f1d0c2e9b8f7a6053e1d2c4"
MEDIA = "application/vnd.atlas.2024-11-13+json"
TARGET = f"/api/atlas/v2/groups/{PROJECT}/flexClusters/Flex0/backup/restoreJobs/{JOB}"
REQUEST = Request("GET", TARGET, (("Accept", MEDIA),), credential="unknown")
RESPONSE = Response(404, (("Content-Type", "application/json"),), b'{"error":404,"errorCode":"NOT_FOUND"}')
EXCHANGE = Exchange(REQUEST, RESPONSE, 1.0, 1.1)
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Request(b"GET", TARGET), "the method of a request is a str, not a bytes"),
        (lambda: Request("GET", None), "the target of a request is a str, not None"),
        (lambda: Request("GET", TARGET, {"Accept": MEDIA}), "not a dict: write tuple(headers.items())"),
        (
            lambda: Request("GET", TARGET, "Accept"),
            "the headers of a request are a tuple of (name, value) pairs, not a s",
        ),
        (lambda: Request("POST", TARGET, (), "{}"), "bytes (None where there is none), not a str: write body.encode()"),
        (lambda: Request("POST", TARGET, (), {"a": 1}), "the body of a request is bytes"),
        (lambda: Response("200", (), b""), "the status of a response is an int, not a str"),
        (lambda: Response(200, None, b""), "the headers of a response are a tuple of (name, value) pairs, not None"),
        (lambda: Response(200, {}, b""), "not a dict: write tuple(headers.items())"),
        (lambda: Response(200, (), None), "the body of a response is bytes (b'' where there is none), not None"),
        (lambda: Response(200, (), "{}"), "not a str: write body.encode()"),
        (lambda: Exchange(REQUEST, RESPONSE, NOW, 2.0), "not a datetime: write started.timestamp()"),
        (lambda: Exchange(REQUEST, RESPONSE, 1.0, None), "ended is a number of seconds since the Unix epoch, not None"),
        (lambda: Exchange(RESPONSE, REQUEST, 1.0, 2.0), "the request of an exchange is a Request, not a Response"),
        (lambda: Exchange(REQUEST, None, 1.0, 2.0), "the response of an exchange is a Response, not None"),
    ],
)
def test_a_wrong_type_is_said_where_an_exchange_is_made(made: Any, said: str) -> None:
    with pytest.raises(TypeError, match=re.escape(said)):
        made()


def test_what_is_obviously_meant_is_taken() -> None:
    accept, kind = [("Accept", MEDIA)], [("Content-Type", "application/json")]
    request = Request(HTTPMethod.GET, TARGET, accept, bytearray(), "unknown")  # type: ignore[arg-type]
    response = Response(HTTPStatus.NOT_FOUND, kind, bytearray(RESPONSE.body))  # type: ignore[arg-type]
    meant = Exchange(request, response, 1, 2)
    assert (request.headers, response.headers) == (REQUEST.headers, RESPONSE.headers)
    assert meant.response.body == RESPONSE.body
    assert isinstance(meant.response.body, bytes)
    expected = Chronicle(Knowledge(), remember=5).feed(EXCHANGE)
    assert Chronicle(Knowledge(), remember=5).feed(meant) == expected
    assert expected.held


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ({"method": "get"}, ValueError, "the methods of HTTP are case-sensitive: write 'GET', not 'get'"),
        ({"method": "Get"}, ValueError, "write 'GET', not 'Get'"),
        ({"target": f"https://u:p@cloud.mongodb.com{TARGET}?x=y"}, ValueError, f"write {TARGET!r} and its query"),
        ({"target": TARGET[1:]}, ValueError, "is what follows the base URL, and starts with '/'"),
        ({"target": ""}, ValueError, "is what follows the base URL, and starts with '/'"),
        ({"credential": "ownr"}, ValueError, "there is no credential 'ownr'; did you mean 'owner'?"),
        ({"credential": ["owner"]}, ValueError, "there is no credential ['owner']; known: "),
        ({"scheme": "digets"}, ValueError, "there is no scheme 'digets'; did you mean 'digest'?"),
        ({"headers": (("Content-Length", 5),)}, TypeError, "its name and its value, not (str, int)"),
        ({"headers": (["Accept", MEDIA],)}, TypeError, "not a list"),
        ({"headers": ("Accept",)}, TypeError, "not a str"),
    ],
)
def test_a_request_that_cannot_be_meant_is_said_where_it_is_judged(
    change: dict[str, Any], kind: type[Exception], said: str
) -> None:
    exchange = replace(EXCHANGE, request=replace(REQUEST, **change))
    for judge in (Judge().judge, Chronicle(Knowledge()).feed):
        with pytest.raises(kind, match=re.escape(said)) as raised:
            judge(exchange)
        assert "u:p" not in str(raised.value)


def test_a_method_that_traffic_really_had_is_judged_as_it_is() -> None:
    really = replace(EXCHANGE, request=replace(REQUEST, method="get"))
    assert ("C-STATUS", "flex-get") in Judge().judge_sent(really).held
    assert Chronicle(Knowledge()).tell(really).judgement == Judge().judge_sent(really)
    purged = replace(EXCHANGE, request=replace(REQUEST, method="PURGE"))
    assert Judge().judge(purged) == Judge().judge_sent(purged)


def test_an_offered_operation_that_there_is_not_is_said() -> None:
    for made in (lambda known: Judge(None, known), Chronicle, TrafficJudge):
        with pytest.raises(ValueError, match=r"Knowledge.offered: there is no operation 'flex-gte'; did you mean"):
            made(Knowledge(offered=frozenset({"flex-get", "flex-gte"})))
        with pytest.raises(TypeError, match="is a frozenset of the ids of operations, not a str"):
            made(Knowledge(offered="flex-get"))  # type: ignore[arg-type]


def test_knowledge_and_contract_are_not_taken_for_each_other() -> None:
    with pytest.raises(TypeError, match="the contract of a judge is a Contract, not a Knowledge"):
        Judge(Knowledge())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="the knowledge of a judge is a Knowledge, not a Contract"):
        Chronicle(Contract.load())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="the knowledge of a judge is a Knowledge, not an Inventory"):
        TrafficJudge(Inventory())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Cluster(PROJECT, "A", "felx"), "there is no kind of cluster 'felx'; did you mean 'flex'?"),
        (lambda: Cluster(PROJECT, "A", "flex", snapshots=JOB), "the snapshots of a cluster are a tuple of ids"),
        (lambda: RestoreTarget(PROJECT, "A", frozenset({"felx"})), "there is no kind of cluster 'felx'"),
        (lambda: RestoreTarget(PROJECT, "A", "flex"), "a frozenset of kinds of clusters, not a str"),
        (lambda: RestoreTarget(PROJECT, "A", frozenset({"flex"}), "no reason"), "there is no reason why a target"),
        (lambda: TrafficJudge(credential="ownr"), "there is no credential 'ownr'; did you mean 'owner'?"),
        (lambda: TrafficJudge(remember=-1), "remember is a number of jobs, at least 1, not -1"),
        (lambda: TrafficJudge(remember="x"), "remember is a number of jobs, at least 1, not 'x'"),
        (lambda: TrafficJudge(strict="no"), "strict is True or False, not 'no'"),
        (lambda: TrafficJudge(base_url=5), "base_url is an http or https URL, not 5"),
        (lambda: TrafficJudge(on_failure="cry"), "on_failure is 'collect' or 'raise', not 'cry'"),
        (lambda: Chronicle(Knowledge(), remember=0), "a number of at least 1"),
        (lambda: JobStore("x"), "a number of at least 1"),
    ],
)
def test_a_misspelt_name_or_an_odd_number_is_said(made: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=re.escape(said)):
        made()
