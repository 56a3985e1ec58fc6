"""The join of pytest and a run: pytest's command line gets the options of a run, and its session the suites' plugin."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atlas_conformance.runner.option_table import OPTIONS, Option
from atlas_conformance.runner.plugin import SuitePlugin

NAME = "atlas-conformance"
"""The name under which the suites' plugin is registered; whoever registers it first runs the suites."""

MARKERS = (
    "requirement(*ids): the requirements that a suite test covers",
    "makes_jobs: a suite test after which there are jobs to read",
    "fuzzes: a suite test that draws from the OpenAPI description",
    "follows_jobs: a suite test that reads jobs until they have ended",
    "takes_long: a suite test that processes which share the tests begin with",
)


def add_options(parser: pytest.Parser) -> None:
    """Add the options of a run to pytest's own, once however often this is called.

    An option that another plugin has already gets the prefix `--atlas-`.
    """
    group = parser.getgroup(NAME)
    if group.options:
        return
    groups = (*parser._groups, parser._anonymous)
    taken = {name for other in groups for option in other.options for name in option.names()}
    for option in OPTIONS:
        if option.pytest:
            name = option.name if option.name not in taken else f"--atlas-{option.name[2:]}"
            said = option.help.replace("%", "%%")
            group.addoption(name, dest=_destination(option), help=said, **_form(option))
            if option.off:
                opposite = f"--{option.off}"
                group.addoption(opposite, dest=_destination(option), action="store_false", help=f"not {name}: {said}")


def start(config: pytest.Config) -> None:
    """Declare the suites' markers, and let the suites be run unless something else already runs them."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if not config.pluginmanager.has_plugin(NAME):
        given = {option.field: config.getoption(_destination(option)) for option in OPTIONS if option.pytest}
        config.pluginmanager.register(SuitePlugin.from_options(given), NAME)


def _destination(option: Option) -> str:
    return f"atlas_{option.field}"


def _form(option: Option) -> dict[str, Any]:
    if option.kind == "flag":
        return {"action": "store_true"}
    if option.kind == "switch":
        return {"action": "store_true", "default": None}
    form: dict[str, Any] = {"default": option.default, "metavar": option.metavar}
    if option.repeatable:
        form |= {"action": "append", "default": []}
    if option.choices:
        form |= {"choices": option.choices, "metavar": None}
    if option.kind in ("path", "file"):
        form["type"] = Path
    elif option.kind == "number":
        form["type"] = _number(option.least)
    return form


def _number(least: int | None) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if least is not None and value < least:
            raise argparse.ArgumentTypeError(f"{value} is less than {least}")
        return value

    return number
