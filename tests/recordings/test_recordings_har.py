"""HAR entries as exchanges."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from atlas_conformance.recordings.entries import Recorded, Unjudged
from atlas_conformance.recordings.har import recorded
from atlas_conformance.recordings.places import target_of
from tests.recordings.samples import BASE, FLEX, JOB, entry, job


def exchange_of(made: dict[str, Any]) -> Recorded:
    found = recorded(made)
    assert isinstance(found, Recorded), found
    return found


@pytest.mark.parametrize(
    "url",
    [
        "https://cloud.mongodb.com" + FLEX,
        "http://localhost:8080/base/path" + FLEX,
        "http://[::1]:8080/api/atlas/x" + FLEX,
        FLEX,
    ],
)
def test_the_host_and_the_base_path_do_not_matter(url: str) -> None:
    assert target_of(url + "?pretty=true#top") == FLEX + "?pretty=true"


@pytest.mark.parametrize(
    "url",
    ["https://a.example/api/atlas/v2/groups", "https://a.example/x?to=" + FLEX, "https://a.example/", FLEX + "/a/b"],
)
def test_other_places_are_not_of_the_contract(url: str) -> None:
    assert target_of(url) is None


def test_letters_that_a_recorder_shows_decoded_are_encoded_again() -> None:
    assert target_of("https://a.example" + FLEX.replace("one", "Grö ße")) == FLEX.replace("one", "Gr%C3%B6%20%C3%9Fe")


def test_an_entry_without_headers_and_body_leaves_them_unknown() -> None:
    request = exchange_of(entry(job(), method="POST", path=FLEX)).exchange.request
    assert (request.headers, request.body, request.body_recorded) == (None, None, False)
    assert (request.credential, request.target) == ("unknown", FLEX)


def test_what_was_recorded_of_a_request_is_taken_over_but_for_credentials() -> None:
    headers = [(":method", "POST"), ("Accept", "*/*"), ("Authorization", "Bearer x"), ("Cookie", "a=b")]
    pairs = [{"name": name, "value": value} for name, value in headers]
    posted = {"mimeType": "application/json", "text": '{"a":"é"}'}
    made = entry(job(), method="POST", path=FLEX, headers=pairs, postData=posted, bodySize=10)
    request = exchange_of(made).exchange.request
    assert request.headers == (("Accept", "*/*"),)
    assert request.body == '{"a":"é"}'.encode()
    assert request.body_recorded


def test_a_body_that_was_recorded_in_part_is_unknown() -> None:
    made = entry(job(), method="POST", path=FLEX, postData={"mimeType": "application/json", "text": "{"}, bodySize=10)
    assert not exchange_of(made).exchange.request.body_recorded


def test_an_answer_in_base64_is_decoded() -> None:
    made = entry("")
    made["response"]["content"] = {"size": 2, "text": base64.b64encode(b"{}").decode(), "encoding": "base64"}
    assert exchange_of(made).exchange.response.body == b"{}"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": 0}, "had no answer"),
        ({"content": {"size": 400}}, "not recorded"),
        ({"content": {"size": 400, "text": '{"id":'}}, "not recorded"),
        ({"content": {"size": 4, "text": "{}", "encoding": "rot13"}}, "encoding that cannot be undone"),
        ({"headers": 7, "content": {"text": "{}"}}, "headers were not recorded"),
    ],
)
def test_an_answer_that_is_not_there_is_not_judged(change: dict[str, Any], reason: str) -> None:
    made = entry(job())
    made["response"] |= change
    found = recorded(made)
    assert isinstance(found, Unjudged)
    assert reason in found.reason


@pytest.mark.parametrize("made", [None, 7, [], {}, {"request": {"url": 7}}, {"request": {"url": BASE + FLEX}}])
def test_what_is_no_entry_is_counted(made: Any) -> None:
    assert isinstance(recorded(made), Unjudged)


@pytest.mark.parametrize(
    ("at", "length", "seconds"),
    [
        ("2026-02-23T03:21:09.500Z", 20, 0.02),
        ("2026-02-23T03:21:09.500+00:00", -1, 0.0),
        ("2026-02-23T03:21:09Z", -1, 0.999_999),
        ("2026-02-23T03:21:09Z", 2_000, 2.999_999),
    ],
)
def test_a_time_in_whole_seconds_stands_for_all_of_that_second(at: str, length: int, seconds: float) -> None:
    exchange = exchange_of({**entry(job(), at=at), "time": length}).exchange
    assert exchange.ended - exchange.started == pytest.approx(seconds, abs=1e-5)


def test_a_read_names_its_job() -> None:
    assert exchange_of(entry(job())).exchange.request.path.endswith(JOB)
