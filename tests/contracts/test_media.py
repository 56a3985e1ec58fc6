"""Media types: what an Accept header asks, and what a content type leaves open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.media import accepts, asked_media_type, content_type_statuses, media_type, version_date
from atlas_conformance.strategies.requests import with_header
from tests.strategies.scenery import operation, request

OPERATIONS = Contract.load().operations

FLEX_TYPE = "application/vnd.atlas.2024-11-13+json"
LATEST = "2026-11-01"
VERSIONS = Contract.load().versions


@pytest.mark.parametrize(
    ("name", "date"),
    [
        (FLEX_TYPE, "2024-11-13"),
        ("application/vnd.atlas.2024-02-30+json", None),
        ("application/vnd.atlas.2024-11-13+json\n", None),
        ("application/vnd.atlas.2024-11-13+csv", None),
        ("application/vnd.atlas.20241113+json", None),
        ("application/vnd.atlas.٢٠٢٤-11-13+json", None),
        ("application/json", None),
        ("", None),
    ],
)
def test_the_date_of_a_versioned_media_type(name: str, date: str | None) -> None:
    assert version_date(name) == date


def test_a_media_type_is_split_and_lower_case() -> None:
    assert media_type(" Application/JSON ; Charset=UTF-8;; ") == ("application/json", ("charset=utf-8",))
    assert media_type("") == ("", ())


@pytest.mark.parametrize("found", [o for o in OPERATIONS.values() if o.api == "v2"], ids=lambda o: o.id)
def test_the_own_version_is_settled_and_later_ones_floor_to_it(found: object) -> None:
    own = operation(found.id)  # type: ignore[attr-defined]
    sent = request(own.id)
    assert not accepts(own, sent, VERSIONS, LATEST).free
    assert not accepts(own, sent, VERSIONS, LATEST).later
    upper = with_header(sent, "Accept", asked_media_type(own).upper())
    assert not accepts(own, upper, VERSIONS, LATEST).free
    if own.media_type is not None:
        later = accepts(own, with_header(sent, "Accept", "application/vnd.atlas.2025-03-12+json"), VERSIONS, LATEST)
        assert (later.free, later.later) == (False, True)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "*/*",
        "application/json",
        "application/*",
        "application/vnd.atlas.2020-01-01+json",
        "application/vnd.atlas.2024-13-45+json",
        f"{FLEX_TYPE};q=0",
        f"{FLEX_TYPE}, text/html",
        "",
        ";;;",
    ],
)
def test_other_accept_headers_are_unsettled_on_v2(value: str | None) -> None:
    sent = with_header(request("flex-get"), "Accept", value)
    asked = accepts(operation("flex-get"), sent, VERSIONS, LATEST)
    assert (asked.free, asked.later) == (True, False)


@pytest.mark.parametrize("date", ["2999-01-01", "2026-10-01", "2025-03-13"])
def test_a_later_version_that_was_never_published_may_be_refused(date: str) -> None:
    sent = with_header(request("flex-get"), "Accept", f"application/vnd.atlas.{date}+json")
    asked = accepts(operation("flex-get"), sent, VERSIONS, LATEST)
    assert (asked.free, asked.later, asked.unpublished, asked.refusals) == (False, False, True, {406})


def test_a_charset_is_fine_in_an_accept_header() -> None:
    sent = with_header(request("flex-get"), "Accept", f'{FLEX_TYPE}; charset="UTF-8"')
    assert accepts(operation("flex-get"), sent, VERSIONS, LATEST) == accepts(
        operation("flex-get"), request("flex-get"), VERSIONS, LATEST
    )


@pytest.mark.parametrize(
    ("value", "free"), [(None, False), ("*/*", False), ("application/json", False), (FLEX_TYPE, True)]
)
def test_v1_knows_one_media_type(value: str | None, free: bool) -> None:
    sent = with_header(request("tenant-create"), "Accept", value)
    assert accepts(operation("tenant-create"), sent, VERSIONS, LATEST).free is free


def test_v1_json_that_is_refused_by_its_weight_is_unsettled() -> None:
    """`q=0` means "not this one" (RFC 9110), so 406 is a right answer."""
    sent = with_header(request("tenant-create"), "Accept", "application/json;q=0")
    assert accepts(operation("tenant-create"), sent, VERSIONS, LATEST).free


def test_headers_that_were_not_recorded_ask_for_nothing_known() -> None:
    sent = replace(request("flex-get"), headers=None)
    assert accepts(operation("flex-get"), sent, VERSIONS, LATEST).known is False
    assert content_type_statuses(operation("flex-create"), sent) == {400, 415}


def test_a_cancel_asks_for_the_version_of_its_family() -> None:
    assert asked_media_type(operation("cluster-cancel")) == operation("cluster-get").media_type


@pytest.mark.parametrize(
    ("value", "statuses"),
    [
        ("application/json", set()),
        ("application/json;charset=UTF-8", set()),
        ("application/json; charset=latin-1", {400, 406, 415}),
        ('application/json; charset="utf-8"', set()),
        (FLEX_TYPE, set()),
        (f"{FLEX_TYPE};charset=utf-8", set()),
        ("application/vnd.atlas.2023-01-01+json", {400, 406, 415}),
        (None, {400, 406, 415}),
        ("", {400, 406, 415}),
    ],
)
def test_content_types_other_than_json_may_be_refused(value: str | None, statuses: set[int]) -> None:
    sent = with_header(request("flex-create"), "Content-Type", value)
    assert content_type_statuses(operation("flex-create"), sent) == statuses
