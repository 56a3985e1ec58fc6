"""Cases of paths, malformed bodies and representations: each is read as what it says."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator

import pytest

from atlas_conformance.contracts.contract import Contract
from atlas_conformance.contracts.exchange import decoded_segments
from atlas_conformance.contracts.inventory import Inventory
from atlas_conformance.contracts.knowledge import Knowledge
from atlas_conformance.contracts.media import accepts, asked_media_type
from atlas_conformance.contracts.operation import Operation
from atlas_conformance.contracts.reading import Reading, Readings
from atlas_conformance.contracts.validation import NotJson, parse_json
from atlas_conformance.reference.fixtures import make_fixtures
from atlas_conformance.strategies.malformed import (
    hurtful_bodies,
    large_pages,
    not_objects,
    odd_headers,
    odd_pages,
    odd_queries,
    other_methods,
)
from atlas_conformance.strategies.paths import absent_paths, malformed_paths, malformed_texts, snapshots_of_others
from atlas_conformance.strategies.representations import in_every_form, later_versions, unsettled_accepts
from atlas_conformance.strategies.requests import Case, build, encode, headers, with_header
from atlas_conformance.strategies.scenes import Scene, scenes
from tests.strategies.scenery import INVENTORY, JOB, KNOWN, request

OPERATIONS = Contract.load().operations

EVERY = list(OPERATIONS.values())
VERSIONS = Contract.load().versions
CREATES = [o for o in EVERY if o.kind == "create"]
INVENTORIES = {"by hand": INVENTORY, "reference": make_fixtures(5, 1_780_000_000).inventory}
each_operation = pytest.mark.parametrize("operation", EVERY, ids=lambda o: o.id)
each_create = pytest.mark.parametrize("operation", CREATES, ids=lambda o: o.id)
each_inventory = pytest.mark.parametrize("inventory", INVENTORIES.values(), ids=INVENTORIES)


def reading_of(case: Case, inventory: Inventory = INVENTORY) -> Reading:
    reading = Readings(Knowledge(inventory=inventory)).of(case.request)
    assert reading is not None, case.what
    return reading


def departing(cases: Iterator[Case], inventory: Inventory) -> list[tuple[str, str | None, set[str]]]:
    """The cases that are not read as breaking exactly what they say; None stands for nothing."""
    wrong = []
    for case in cases:
        broken = {v.requirement for v in reading_of(case, inventory).violations}
        if broken != ({case.breaks} if case.breaks is not None else set()):
            wrong.append((case.what, case.breaks, broken))
    return wrong


def first_scene(operation: Operation, inventory: Inventory = INVENTORY) -> Scene:
    return scenes(inventory, operation.cluster_kind)[0]


@each_operation
@each_inventory
def test_malformed_paths_break_exactly_what_they_say(operation: Operation, inventory: Inventory) -> None:
    for scene in scenes(inventory, operation.cluster_kind):
        assert departing(malformed_paths(operation, scene, JOB), inventory) == []


@each_operation
def test_malformed_paths_decode_to_what_they_claim(operation: Operation) -> None:
    """Whatever is malformed arrives as one segment of the same operation, all else untouched."""
    scene = first_scene(operation)
    good = {
        "groupId": scene.project,
        "name": scene.cluster,
        "clusterName": scene.cluster,
        "restoreJobId": JOB,
        "restoreId": JOB,
        "snapshotId": JOB,
    }
    for parameter in operation.parameters:
        name = parameter.name
        texts = [text for text, _ in malformed_texts(parameter, good[name])]
        assert good[name] + "\n" in texts
        assert any("\u0301" in text for text in texts)
        assert any(len(text) == (65 if name in ("name", "clusterName") else 25) for text in texts)
    texts = [text for parameter in operation.parameters for text, _ in malformed_texts(parameter, good[parameter.name])]
    cases = list(malformed_paths(operation, scene, JOB))
    assert len(cases) == len(texts)
    for case, text in zip(cases, texts, strict=True):
        assert case.request.target.isascii()
        assert not set(case.request.target) & set(" \n\r\t\x00")
        found = Contract.load().match(operation.method, case.request.path)
        assert found is not None
        assert found[0] == operation
        changed = {name: value for name, value in found[1].items() if value != good[name]}
        assert list(changed.values()) == [text]
        assert text in decoded_segments(case.request.path)


@each_operation
@each_inventory
def test_absent_paths_break_exactly_what_they_say(operation: Operation, inventory: Inventory) -> None:
    for scene in scenes(inventory, operation.cluster_kind):
        assert departing(absent_paths(operation, scene, JOB, inventory), inventory) == []


@each_operation
def test_every_kind_of_absence_is_generated(operation: Operation) -> None:
    cases = list(absent_paths(operation, first_scene(operation), JOB, INVENTORY))
    on_one = operation.parameter(operation.resource.what) is not None
    owed = {"N-GROUP", "N-CLUSTER"} | ({f"N-{operation.resource.what.upper()}"} if on_one else set())
    assert owed <= {case.breaks for case in cases}
    assert list(absent_paths(operation, first_scene(operation), JOB, Inventory())) == []


@each_create
@each_inventory
def test_snapshots_of_others_break_exactly_n_snapshot(operation: Operation, inventory: Inventory) -> None:
    for scene in scenes(inventory, operation.cluster_kind) if operation.resource.what == "job" else ():
        cases = list(snapshots_of_others(operation, scene, inventory))
        assert {case.breaks for case in cases} == {"N-SNAPSHOT"}
        assert any("absent" in case.what for case in cases)
        assert any("of a" in case.what for case in cases)
        assert departing(iter(cases), inventory) == []


@each_create
def test_bodies_that_are_no_objects_break_exactly_b_json(operation: Operation) -> None:
    cases = list(not_objects(request(operation.id), optional=operation.takes_no_body))
    assert departing(iter(cases), INVENTORY) == []
    for case in cases:
        with contextlib.suppress(NotJson):
            assert not isinstance(parse_json(case.request.body or b""), dict), case.what
    sent = [case.request.body for case in cases]
    assert len(set(sent)) == len(sent)
    assert (b"" in sent) is not operation.takes_no_body


@each_create
def test_hurtful_input_is_never_owed_a_success(operation: Operation) -> None:
    """The contract demands no 5xx of it, and nothing else, but for what is plainly no JSON object."""
    good = request(operation.id)
    cases = list(hurtful_bodies(good))
    assert max(len(case.request.body or b"") for case in cases) > 1_000_000
    assert any((case.request.body or b"").startswith(b"[[[[") for case in cases)
    for case in cases:
        reading = reading_of(case)
        assert not reading.must_succeed
        assert {v.requirement for v in reading.violations} <= {"B-JSON"}, case.what


@each_operation
def test_odd_headers_and_queries_break_nothing(operation: Operation) -> None:
    good = request(operation.id)
    for case in (*odd_headers(good), *odd_queries(good)):
        assert case.breaks is None
        assert not reading_of(case).must_be_refused, case.what
    odd = list(odd_queries(good))
    assert {name for case in odd for name in ("envelope", "pretty") if f"{name}=" in case.request.target} == {
        "envelope",
        "pretty",
    }
    assert sum(reading_of(case).flag_is_odd for case in odd) >= 14


def test_large_pages_reach_beyond_64_bits() -> None:
    numbers = [int(case.request.parameter("pageNum") or "0") for case in large_pages(request("flex-list"))]
    assert min(numbers) > 10**8
    assert {2**31, 2**63} <= set(numbers) and max(numbers) > 2**64


@pytest.mark.parametrize("operation", [o for o in EVERY if o.kind == "list"], ids=lambda o: o.id)
def test_odd_pages_are_odd(operation: Operation) -> None:
    for case in odd_pages(request(operation.id)):
        reading = reading_of(case)
        assert not reading.must_be_refused
        if case.what != "pageNum=501":  # far beyond the end, but a page number all the same
            assert not reading.must_succeed, case.what


@each_operation
def test_other_methods_are_no_operation(operation: Operation) -> None:
    good = request(operation.id)
    methods = {found.method for found, _ in Contract.load().operations_at(good.path)}
    cases = list(other_methods(good, frozenset(methods)))
    assert {case.request.method for case in cases} >= {"PUT", "PATCH"} - methods
    for case in cases:
        assert Readings(KNOWN).of(case.request) is None


@each_operation
def test_every_form_is_the_same_request(operation: Operation) -> None:
    good = request(operation.id)
    plain = Readings(KNOWN).of(good)
    assert plain is not None
    forms = set()
    for case in in_every_form(good):
        reading = reading_of(case)
        assert (reading.violations, reading.freedoms) == (plain.violations, plain.freedoms)
        forms.add((reading.envelope, reading.pretty))
    assert forms == {(False, False), (True, False), (False, True), (True, True)}


@pytest.mark.parametrize("operation", [o for o in EVERY if o.api == "v2" and o.media_type], ids=lambda o: o.id)
def test_later_versions_are_later_and_no_more_than_the_latest(operation: Operation) -> None:
    latest = "2026-03-01"
    cases = list(later_versions(operation, request(operation.id), latest))
    dates = [str(case.request.header("accept"))[len("application/vnd.atlas.") : -len("+json")] for case in cases]
    own = (operation.media_type or "")[len("application/vnd.atlas.") : -len("+json")]
    assert all(own < date <= latest for date in dates)
    assert dates == sorted(d for d in VERSIONS if own < d <= latest)
    for case in cases:
        assert accepts(operation, case.request, VERSIONS, latest).later


def test_v1_has_no_later_versions() -> None:
    assert list(later_versions(OPERATIONS["tenant-create"], request("tenant-create"), "2026-03-01")) == []


@pytest.mark.parametrize("operation", [o for o in EVERY if o.api == "v2"], ids=lambda o: o.id)
def test_unsettled_accepts_are_unsettled(operation: Operation) -> None:
    for case in unsettled_accepts(request(operation.id)):
        settled = case.request.header("accept") == asked_media_type(operation)
        asked = accepts(operation, case.request, VERSIONS, "2026-11-01")
        assert asked.free or asked.unpublished or settled
    bare = [case for case in unsettled_accepts(request(operation.id)) if case.request.header("accept") is None]
    assert len(bare) == 1


@each_operation
def test_requests_come_the_same_every_time(operation: Operation) -> None:
    scene = first_scene(operation)
    good = request(operation.id)
    sources: tuple[Callable[[], Iterator[Case]], ...] = (
        lambda: malformed_paths(operation, scene, JOB),
        lambda: absent_paths(operation, scene, JOB, INVENTORY),
        lambda: odd_queries(good),
        lambda: odd_headers(good),
        lambda: in_every_form(good),
        lambda: unsettled_accepts(good),
    )
    for source in sources:
        assert list(source()) == list(source())


@each_operation
def test_the_number_of_malformed_paths_of_a_parameter_is_limited(operation: Operation) -> None:
    cases = list(malformed_paths(operation, first_scene(operation), JOB, 2))
    assert len(cases) == 2 * len(operation.path_parameters)
    assert all(case.breaks in ("P-GROUP", "P-NAME", "P-JOB", "P-SNAPSHOT") for case in cases)


def test_bodies_are_compact_utf_8_and_lone_surrogates_survive() -> None:
    assert encode({"a": "Größe", "b": [1]}) == '{"a":"Größe","b":[1]}'.encode()
    assert json.loads(encode({"a": "ß\ud800"})) == {"a": "ß\ud800"}
    with pytest.raises(ValueError, match="compliant"):
        encode(float("nan"))


def test_ordinary_headers_and_their_replacement() -> None:
    create = OPERATIONS["flex-create"]
    assert dict(headers(create)) == {"Content-Type": "application/json", "Accept": create.media_type}
    assert dict(headers(create, None)) == {"Content-Type": "application/json"}
    assert dict(headers(OPERATIONS["flex-get"], "x/y")) == {"Accept": "x/y"}
    changed = with_header(request("flex-create"), "ACCEPT", "x/y")
    assert [value for name, value in changed.headers or () if name.lower() == "accept"] == ["x/y"]
    assert with_header(changed, "accept", None).header("accept") is None


def test_a_query_is_percent_encoded() -> None:
    sent = build(OPERATIONS["flex-list"], {"groupId": "a/b", "name": "ß?"}, query={"a b": "c&d=e"})
    assert sent.query == (("a b", "c&d=e"),)
    assert decoded_segments(sent.path)[5] == "a/b"
    assert sent.body is None
