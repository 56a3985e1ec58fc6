"""The Allow header of a 405: there, well-formed, and true."""

from __future__ import annotations

from dataclasses import replace

import pytest

from atlas_conformance.contracts.allow import POINTER, advice_on_allow, wrong_allow
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import Response
from atlas_conformance.contracts.judge import Judge
from tests.strategies.scenery import KNOWN, answer, failed, failure, request

REQUIREMENTS = Contract.load().requirements


def response(*allow: str, name: str = "Allow") -> Response:
    return Response(405, tuple((name, value) for value in allow), b"")


@pytest.mark.parametrize(
    ("allow", "wrong"),
    [
        ((), "no Allow header"),
        (("GET, POST",), None),
        (("GET,POST,HEAD , OPTIONS",), None),
        (("GET", "POST"), None),
        (("POST",), "Allow without GET"),
        (("",), "Allow without GET, POST"),
        (("GET, POST, PUT",), "PUT refused and allowed"),
        (("GET; POST",), "'GET; POST' in Allow, which is no method"),
        (("get, post",), "Allow without GET, POST"),
        ((", GET, , POST,",), None),
    ],
)
def test_what_is_wrong_with_it(allow: tuple[str, ...], wrong: str | None) -> None:
    assert wrong_allow(response(*allow), "PUT", {"GET", "POST"}) == wrong


def test_header_names_ignore_case_and_nothing_is_asked_of_a_path_without_methods() -> None:
    assert wrong_allow(response("GET", name="aLLOW"), "PUT", {"GET"}) is None
    assert wrong_allow(response(""), "PUT", frozenset()) is None


def test_the_advice_is_about_the_operations_that_the_endpoint_offers() -> None:
    sent = replace(request("flex-list"), method="PUT")
    exchange = answer(sent, failure(405, "METHOD_NOT_ALLOWED"), status=405, headers=[("Allow", "POST")])
    advice = advice_on_allow(exchange, KNOWN)
    assert advice is not None
    assert (advice.seen, advice.pointer) == ("Allow without GET", POINTER)
    assert advice_on_allow(exchange, replace(KNOWN, offered=frozenset({"flex-create"}))) is None
    assert advice_on_allow(exchange, replace(KNOWN, offered=frozenset())) is None
    other = answer(sent, failure(404), status=404)
    assert advice_on_allow(other, KNOWN) is None


def test_a_wrong_header_is_advice() -> None:
    pass
    pass

    exchange = answer(replace(request("flex-list"), method="PUT"), failure(405, "METHOD_NOT_ALLOWED"), status=405)
    assert failed(Judge(knowledge=KNOWN).judge(exchange)) == {"C-ALLOW"}
    assert REQUIREMENTS["C-ALLOW"].force == "should"
