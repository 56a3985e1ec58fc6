"""Which tests of the suites cover a requirement: those that carry its mark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from inspect import getdoc, isfunction
from pkgutil import iter_modules

from atlas_conformance import suites


@dataclass(frozen=True, slots=True)
class SuiteTest:
    """A test of the suites: its module's file, its name, and the first sentence of what it says of itself."""

    file: str
    name: str
    words: str


def suite_tests_of(requirement: str) -> tuple[SuiteTest, ...]:
    """Return the tests that carry the mark of a requirement, in the order of their files."""
    return tuple(test for ids, test in _marked() if requirement in ids)


@cache
def _marked() -> tuple[tuple[frozenset[str], SuiteTest], ...]:
    return tuple(_found())


def _found() -> Iterator[tuple[frozenset[str], SuiteTest]]:
    for module in sorted(iter_modules(suites.__path__), key=lambda module: module.name):
        if not module.name.startswith("test_"):
            continue
        loaded = import_module(f"{suites.__name__}.{module.name}")
        for name, value in vars(loaded).items():
            if isfunction(value) and name.startswith("test_"):
                marks = [mark for mark in getattr(value, "pytestmark", ()) if mark.name == "requirement"]
                words = " ".join((getdoc(value) or "").split("\n\n")[0].split())
                ids = frozenset(id for mark in marks for id in mark.args)
                yield ids, SuiteTest(f"suites/{module.name}.py", name, words)
