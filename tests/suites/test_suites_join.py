"""The join of the catalogue and the suites, both ways: every requirement is covered, every mark names one."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

import atlas_conformance.suites
from atlas_conformance.contracts.contract import Contract
from atlas_conformance.runner import marks

REQUIREMENTS = Contract.load().requirements
OPERATIONS = Contract.load().operations

MODULES = sorted(path.stem for path in Path(atlas_conformance.suites.__path__[0]).glob("test_*.py"))


def every_test() -> Iterator[tuple[str, object]]:
    """Every test of the suites, by its full name."""
    for module in MODULES:
        found = importlib.import_module(f"atlas_conformance.suites.{module}")
        own = [
            (name, value)
            for name, value in vars(found).items()
            if name.startswith("test_") and value.__module__ == found.__name__
        ]
        yield from ((f"{module}::{name}", value) for name, value in own)
        for name, value in vars(found).items():
            if inspect.isclass(value) and name.startswith("Test") and value.__module__ == found.__name__:
                yield f"{module}::{name}", value


def marked(test: object) -> list[str]:
    found = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "requirement"]
    return [requirement for mark in found for requirement in mark.args]


TESTS = dict(every_test())


def test_there_are_suites() -> None:
    assert len(MODULES) >= 8
    assert len(TESTS) >= 25


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_every_requirement_is_covered_by_some_suite(requirement: str) -> None:
    assert any(requirement in marked(test) for test in TESTS.values())


@pytest.mark.parametrize("name", TESTS)
def test_every_test_names_requirements_that_exist(name: str) -> None:
    names = marked(TESTS[name])
    assert names
    assert [requirement for requirement in names if requirement not in REQUIREMENTS] == []
    assert len(set(names)) == len(names)


def operations_of(test: object) -> list[str]:
    """The ids of the operations that a test runs on; empty where it runs on none in particular."""
    found = [
        mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize" and mark.args[0] == "operation"
    ]
    return [operation.id for mark in found for operation in mark.args[1]]


@pytest.mark.parametrize("name", TESTS)
def test_every_marked_requirement_binds_an_operation_that_the_test_runs_on(name: str) -> None:
    """A create's suite may show what only reads are bound by, so families count, not single operations."""
    families = {OPERATIONS[operation].resource.label for operation in operations_of(TESTS[name])}
    for requirement in marked(TESTS[name]):
        bound = {OPERATIONS[operation].resource.label for operation in REQUIREMENTS[requirement].operations}
        assert not families or families & bound, requirement


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_every_family_that_a_requirement_binds_is_reached_by_a_test_that_names_it(requirement: str) -> None:
    bound = {OPERATIONS[operation].resource.label for operation in REQUIREMENTS[requirement].operations}
    reached: set[str] = set()
    for test in TESTS.values():
        if requirement in marked(test):
            names = operations_of(test) or list(OPERATIONS)
            reached |= {OPERATIONS[operation].resource.label for operation in names}
    assert bound <= reached


def test_the_groups_of_operations_are_what_they_say() -> None:
    assert {o.kind for o in marks.CREATES} == {"create"}
    assert {o.id for o in marks.EVERY} == set(OPERATIONS)
    assert {o.kind for o in marks.GETS} == {"get"}
    assert {o.kind for o in marks.LISTS} == {"list"}
    assert {o.resource.label for o in marks.DEDICATED_CREATES} == {"cluster"}
    assert {o.id for o in marks.V2} == {o.id for o in OPERATIONS.values() if o.api == "v2"}
    assert {o.id for o in marks.JOB_CREATES} == {o.id for o in marks.CREATES} - {"snapshot-take"}
    assert {o.id for o in marks.JOB_GETS} == {o.id for o in marks.GETS if "snapshot" not in o.id}
    assert {o.id for o in marks.LISTS} - {o.id for o in marks.PAGED_LISTS} == {"sharded-snapshot-list"}
    assert {o.kind for o in marks.WRITES} == {"create", "delete"}
