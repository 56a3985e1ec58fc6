"""Rules on the form of every answer: C-*, E-*, V-*, each with a good and a bad exchange."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Exchange
from atlas_conformance.contracts.finding import Judgement
from atlas_conformance.contracts.judge import Judge
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.strategies.requests import with_header
from tests.strategies.scenery import (
    KNOWN,
    answer,
    encoded,
    failed,
    failure,
    finding_of,
    flex_job,
    held,
    page,
    plain_item,
    plain_job,
    refused,
    request,
)

OPERATIONS = Contract.load().operations
REQUIREMENTS = Contract.load().requirements

CREATES = [o.id for o in OPERATIONS.values() if o.kind == "create"]
GETS = [o.id for o in OPERATIONS.values() if o.kind == "get"]
LISTS = [o.id for o in OPERATIONS.values() if o.kind == "list"]
WITH_BODY = [o.id for o in OPERATIONS.values() if o.media_type is not None]
EVERY = list(OPERATIONS)


def good(name: str, query: dict[str, str] | None = None, **given: Any) -> Exchange:
    """A success of an operation, in form."""
    found = OPERATIONS[name]
    sent = request(name, query=query)
    if found.media_type is None:
        return answer(sent, b"", status=204, media="", **given)
    job = plain_item(name)
    return answer(sent, page(job) if found.kind == "list" else job, **given)


def judged(exchange: Exchange, knowledge: Knowledge = KNOWN) -> Judgement:
    return Judge(knowledge=knowledge).judge(exchange)


def with_body(exchange: Exchange, body: bytes) -> Exchange:
    return replace(exchange, response=replace(exchange.response, body=body))


def with_media(exchange: Exchange, value: str) -> Exchange:
    return replace(exchange, response=replace(exchange.response, headers=(("content-type", value),)))


def with_status(exchange: Exchange, status: int) -> Exchange:
    return replace(exchange, response=replace(exchange.response, status=status))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("knowledge", [KNOWN, Knowledge()], ids=["known", "unknown"])
def test_a_success_in_form_yields_nothing(name: str, knowledge: Knowledge) -> None:
    assert judged(good(name), knowledge).findings == ()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_every_pair_that_is_judged_is_one_that_the_catalogue_binds(name: str, status: int) -> None:
    for exchange in (good(name), with_body(good(name), b"[1]"), refused(request(name), status)):
        judgement = judged(exchange)
        pairs = judgement.held | {(f.requirement, f.operation) for f in judgement.findings}
        assert {pair for pair in pairs if not REQUIREMENTS[pair[0]].binds(pair[1])} == set()


# C-STATUS, C-5XX


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("status", [201, 202, 299, 302, 304, 402, 410, 413, 414, 418, 422, 431])
def test_an_undocumented_status_is_c_status(name: str, status: int) -> None:
    if status == 410 and OPERATIONS[name].sunset:
        pytest.skip("the vendor has removed it")
    exchange = good(name) if status < 300 else refused(request(name), status)
    assert "C-STATUS" in failed(judged(with_status(exchange, status)))


@pytest.mark.parametrize("name", GETS + LISTS)
@pytest.mark.parametrize("knowledge", [KNOWN, Knowledge()], ids=["known", "unknown"])
def test_a_conflict_is_documented_for_no_read(name: str, knowledge: Knowledge) -> None:
    assert "C-STATUS" in failed(judged(refused(request(name), 409), knowledge))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("status", [405, 406, 415])
def test_what_http_itself_answers_is_no_c_status(name: str, status: int) -> None:
    assert "C-STATUS" not in failed(judged(refused(request(name), status)))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("status", [500, 501, 502, 503, 504])
def test_a_5xx_is_c_5xx(name: str, status: int) -> None:
    assert failed(judged(refused(request(name), status))) == {"C-5XX"}


def test_503_with_retry_after_is_no_failure() -> None:
    body = failure(503, reason="Service Unavailable")
    sent = request("flex-get")
    assert judged(answer(sent, body, status=503, headers=[("Retry-After", "1")])).findings == ()
    assert failed(judged(answer(sent, body, status=503))) == {"C-5XX"}


@pytest.mark.parametrize("flag", ["envelope", "pretty"])
def test_a_5xx_for_an_odd_flag_is_v_query(flag: str) -> None:
    sent = request("flex-get", query={flag: "maybe"})
    assert failed(judged(refused(sent, 500))) == {"V-QUERY"}
    assert judged(refused(sent, 400)).findings == ()
    assert "V-QUERY" in held(judged(refused(sent, 400)))


# C-MEDIA


@pytest.mark.parametrize("name", WITH_BODY)
@pytest.mark.parametrize("value", ["application/vnd.atlas.2022-01-01+json", "text/html", "", "application/jsonx"])
def test_another_media_type_is_c_media(name: str, value: str) -> None:
    assert failed(judged(with_media(good(name), value))) == {"C-MEDIA"}


@pytest.mark.parametrize("name", [n for n in WITH_BODY if OPERATIONS[n].api == "v2"])
def test_plain_json_on_v2_and_versions_on_v1_are_c_media(name: str) -> None:
    assert "C-MEDIA" in failed(judged(with_media(good(name), "application/json")))
    assert failed(judged(with_media(good("tenant-get"), OPERATIONS[name].media_type or ""))) == {"C-MEDIA"}


@pytest.mark.parametrize("name", WITH_BODY)
def test_a_charset_is_fine(name: str) -> None:
    value = f"{OPERATIONS[name].media_type};charset=utf-8"
    assert judged(with_media(good(name), value)).findings == ()
    error = with_media(refused(request(name), 403), "application/json; charset=UTF-8")
    assert judged(error, Knowledge()).findings == ()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    "value", ["", "text/plain", "application/vnd.atlas.2024-11-13+json", "application/problem+json"]
)
def test_an_error_of_another_media_type_is_c_media(name: str, value: str) -> None:
    assert failed(judged(with_media(refused(request(name), 403), value), Knowledge())) == {"C-MEDIA"}


# C-SCHEMA


@pytest.mark.parametrize("name", WITH_BODY)
@pytest.mark.parametrize("body", [b"", b"not json", b'{"id":NaN}', b"\xff", b"[]", b'"x"', b"null", b"1"])
def test_a_success_that_is_no_json_object_is_c_schema(name: str, body: bytes) -> None:
    assert "C-SCHEMA" in failed(judged(with_body(good(name), body)))


@pytest.mark.parametrize("name", [n for n in WITH_BODY if OPERATIONS[n].kind != "list"])
@pytest.mark.parametrize("value", [7, "X", "5f0c1e2d3a4b5c6d7e8f9a0B", None, f"{'a' * 24}\n"])
def test_a_property_beside_the_schema_is_c_schema(name: str, value: Any) -> None:
    job = plain_job(OPERATIONS[name].resource.label) | {"id": value}
    exchange = answer(request(name), job)
    assert "C-SCHEMA" in failed(judged(exchange))
    assert "/response/body/id" in {f.pointer for f in judged(exchange).findings}


def test_a_property_of_a_listed_job_is_pointed_at() -> None:
    exchange = answer(request("flex-list"), page(flex_job(), flex_job(id="7" * 24, expirationDate="tomorrow")))
    assert finding_of(judged(exchange), "C-SCHEMA").pointer == "/response/body/results/1/expirationDate"
    assert finding_of(judged(exchange), "C-SCHEMA").place == "/response/body/results/*/expirationDate"


@pytest.mark.parametrize("name", WITH_BODY)
def test_properties_that_no_schema_names_are_allowed(name: str) -> None:
    exchange = good(name)
    document = json.loads(exchange.response.body) | {"unheardOf": {"a": [None, 1.5]}, "zz": None}
    assert judged(with_body(exchange, encoded(document))).findings == ()


def test_a_cancel_has_no_body() -> None:
    assert judged(good("cluster-cancel")).findings == ()
    assert judged(with_body(good("cluster-cancel"), b"{}")).findings != ()


# V-FLOOR


@pytest.mark.parametrize("name", [n for n in WITH_BODY if OPERATIONS[n].api == "v2"])
def test_a_later_version_floors_to_the_newest(name: str) -> None:
    exchange = good(name)
    asked = with_header(exchange.request, "Accept", "application/vnd.atlas.2025-03-12+json")
    later = replace(exchange, request=asked)
    assert judged(later).findings == ()
    assert "V-FLOOR" in held(judged(later))
    assert failed(judged(with_media(later, "application/vnd.atlas.2025-03-12+json"))) == {"V-FLOOR"}
    assert "V-FLOOR" in failed(judged(with_media(later, "application/json")))


def test_a_later_version_may_not_be_refused_on_a_create() -> None:
    asked = with_header(request("flex-create"), "Accept", "application/vnd.atlas.2025-03-12+json")
    assert failed(judged(refused(asked, 406))) != set()


@pytest.mark.parametrize("value", [None, "*/*", "application/json", "application/vnd.atlas.2020-01-01+json"])
def test_without_a_settled_accept_any_version_or_406_is_right(value: str | None) -> None:
    sent = with_header(request("flex-create"), "Accept", value)
    for media in ("application/vnd.atlas.2024-11-13+json", "application/vnd.atlas.2023-01-01+json"):
        assert judged(answer(sent, flex_job(), media=media)).findings == ()
    assert judged(refused(sent, 406, reason="Not Acceptable")).findings == ()
    assert failed(judged(answer(sent, flex_job(), media="text/html"))) == {"C-MEDIA"}


# V-ENVELOPE


@pytest.mark.parametrize("key", ["content", "envelope"])
@pytest.mark.parametrize("name", [n for n in WITH_BODY if OPERATIONS[n].kind != "list"])
def test_either_key_makes_an_envelope(name: str, key: str) -> None:
    plain = good(name, query={"envelope": "true"})
    wrapped = {"status": 200, key: json.loads(plain.response.body)}
    judgement = judged(with_body(plain, encoded(wrapped)))
    assert judgement.findings == ()
    assert "V-ENVELOPE" in held(judgement)
    for status in (201, "200", None, True):
        assert "V-ENVELOPE" in failed(judged(with_body(plain, encoded(wrapped | {"status": status}))))
    assert "V-ENVELOPE" in failed(judged(plain))
    assert "V-ENVELOPE" in failed(judged(with_body(plain, encoded({key: wrapped[key]}))))


@pytest.mark.parametrize("key", ["content", "envelope"])
def test_what_is_in_an_envelope_is_judged_too(key: str) -> None:
    sent = request("flex-get", query={"envelope": "true"})
    exchange = answer(sent, {"status": 200, key: flex_job(status="DONE")})
    assert finding_of(judged(exchange), "S-STATUS").pointer == f"/response/body/{key}/status"


@pytest.mark.parametrize("name", [n for n in WITH_BODY if OPERATIONS[n].kind != "list"])
def test_nothing_is_wrapped_unasked(name: str) -> None:
    for query in (None, {"envelope": "false"}):
        plain = good(name, query=query)
        assert "V-ENVELOPE" in held(judged(plain))
        wrapped = {"status": 200, "content": json.loads(plain.response.body)}
        assert "V-ENVELOPE" in failed(judged(with_body(plain, encoded(wrapped))))


@pytest.mark.parametrize("name", LISTS)
def test_a_list_gains_a_status_beside_its_results(name: str) -> None:
    job = plain_job(OPERATIONS[name].resource.label)
    sent = request(name, query={"envelope": "true"})
    assert judged(answer(sent, page(job, status=200))).findings == ()
    for document in (page(job), page(job, status=404), page(job, status="200"), {"status": 200, "content": page(job)}):
        assert "V-ENVELOPE" in failed(judged(answer(sent, document)))


@pytest.mark.parametrize("name", EVERY)
def test_an_error_may_be_wrapped_under_an_envelope_or_not(name: str) -> None:
    sent = request(name, query={"envelope": "true"})
    assert judged(refused(sent, 403)).findings == judged(refused(request(name), 403)).findings
    for key in ("content", "envelope"):
        wrapped = {"status": 403, key: failure(403)}
        assert {"E-SCHEMA", "V-ENVELOPE"}.isdisjoint(failed(judged(answer(sent, wrapped, status=403))))
        assert "V-ENVELOPE" in failed(judged(answer(sent, wrapped | {"status": 200}, status=403)))
        bad = answer(sent, {"status": 403, key: failure(404)}, status=403)
        assert finding_of(judged(bad), "E-STATUS").pointer == f"/response/body/{key}/error"
        assert "E-SCHEMA" in failed(judged(answer(request(name), wrapped, status=403)))


# V-PRETTY


@pytest.mark.parametrize("name", WITH_BODY)
def test_pretty_is_indented_and_plain_is_one_line(name: str) -> None:
    pretty, plain = good(name, query={"pretty": "true"}), good(name)
    for indent in (2, 4, "\t"):
        spread = json.dumps(json.loads(plain.response.body), indent=indent).encode()
        assert judged(with_body(pretty, spread)).findings == ()
        assert failed(judged(with_body(plain, spread))) == {"V-PRETTY"}
        assert failed(judged(with_body(good(name, query={"pretty": "false"}), spread))) == {"V-PRETTY"}
    flat = json.dumps(json.loads(plain.response.body), indent=0).encode()
    assert failed(judged(with_body(pretty, flat))) == {"V-PRETTY"}
    assert failed(judged(pretty)) == {"V-PRETTY"}
    assert judged(with_body(plain, plain.response.body + b"\n")).findings == ()


def test_pretty_under_an_odd_flag_is_free() -> None:
    sent = request("flex-create", query={"pretty": "maybe"})
    for indent in (None, 2):
        assert judged(answer(sent, json.dumps(flex_job(), indent=indent).encode())).findings == ()


# E-*


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"detail": None, "reason": None, "badRequestDetail": None},
        {"parameters": []},
        {"parameters": ["a", 1, 1.5, True, {}]},
        {"parameters": [{}]},
        {"badRequestDetail": {}},
        {"badRequestDetail": {"fields": []}},
        {"more": 1},
        {"errorCode": "USER_UNAUTHORIZED"},
    ],
)
def test_errors_in_form_yield_nothing(name: str, changes: dict[str, Any]) -> None:
    exchange = refused(request(name, groupId="x"), 400, **changes)
    assert judged(exchange).findings == ()
    assert {"E-SCHEMA", "E-STATUS", "E-CODE"} <= held(judged(exchange))


def test_the_least_error_is_in_form() -> None:
    sent = request("flex-get", groupId="x")
    assert judged(answer(sent, {"error": 400, "errorCode": "X"}, status=400)).findings == ()


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"oops",
        b"<html>",
        [],
        "x",
        None,
        {},
        {"error": 400},
        {"errorCode": "X"},
        {"error": "400", "errorCode": "X"},
        {"error": 400, "errorCode": 7},
        {"error": 400.5, "errorCode": "X"},
        {"error": True, "errorCode": "X"},
        failure(400, detail=7),
        failure(400, reason=7),
        failure(400, parameters="x"),
        failure(400, parameters=[None]),
        failure(400, parameters=[[]]),
        failure(400, badRequestDetail=[]),
        failure(400, badRequestDetail={"fields": {}}),
        {"error": 2**31, "errorCode": "X"},
        {"error": None, "errorCode": "X"},
    ],
    ids=repr,
)
def test_an_error_out_of_form_is_e_schema(document: Any) -> None:
    body = document if isinstance(document, bytes) else encoded(document)
    assert "E-SCHEMA" in failed(judged(answer(request("flex-get", groupId="x"), body, status=400)))


@pytest.mark.parametrize("status", [400, 403, 404])
def test_the_number_is_the_status(status: int) -> None:
    wrong = {400: 404, 403: 401, 404: 400}[status]
    exchange = answer(request("flex-get"), failure(status) | {"error": wrong}, status=status)
    assert failed(judged(exchange)) == {"E-STATUS"}
    assert finding_of(judged(exchange), "E-STATUS").pointer == "/response/body/error"


@pytest.mark.parametrize("reason", ["bad request", "Bad  Request", "", "Not Found", "400", "Bad Request."])
def test_the_reason_is_the_standard_phrase(reason: str) -> None:
    assert failed(judged(refused(request("flex-get"), 400, reason=reason))) == {"E-REASON"}


def test_phrases_that_changed_are_left_alone() -> None:
    large = replace(request("flex-create"), body=b" " * 20_000 + (request("flex-create").body or b""))
    for reason in ("Content Too Large", "Payload Too Large", "Request Entity Too Large"):
        assert judged(answer(large, failure(413, reason=reason), status=413)).findings == ()
    long = request("flex-get", query={"x": "y" * 3_000})
    for reason in ("URI Too Long", "Request-URI Too Long"):
        assert judged(answer(long, failure(414, reason=reason), status=414)).findings == ()


@pytest.mark.parametrize(
    "code", ["", "validation_error", "VALIDATION ERROR", "VALIDATION-ERROR", "_A", "A_", "A__B", "A\n", "ÄRGER"]
)
def test_a_code_that_is_no_upper_case_words_is_e_code(code: str) -> None:
    assert failed(judged(refused(request("flex-get"), 400, errorCode=code))) == {"E-CODE"}


def test_the_header_repeats_the_code() -> None:
    sent = request("flex-get")
    same = answer(sent, failure(400), status=400, headers=[("X-Error-Code", "VALIDATION_ERROR")])
    other = answer(sent, failure(400), status=400, headers=[("x-error-code", "OTHER")])
    assert judged(same).findings == ()
    assert failed(judged(other)) == {"E-CODE"}
    assert finding_of(judged(other), "E-CODE").pointer == "/response/headers/x-error-code"


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"field": "x"},
        {"description": "x"},
        {"field": 1, "description": "x"},
        {"field": "x", "description": None},
        "x",
        None,
    ],
)
def test_a_field_without_its_strings_is_e_fields(entry: Any) -> None:
    good_entry = {"field": "a", "description": "b"}
    exchange = refused(request("flex-get"), 400, badRequestDetail={"fields": [good_entry, entry]})
    assert failed(judged(exchange)) == {"E-FIELDS"}
    fine = refused(request("flex-get"), 400, badRequestDetail={"fields": [good_entry]})
    assert "E-FIELDS" in held(judged(fine))
