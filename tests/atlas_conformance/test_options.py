"""The options of a run: declared once, and the same for the command line, pytest, the action and the GitLab job."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import click
import pytest
import yaml

from atlas_conformance.cli.run import run_command
from atlas_conformance.runner import join
from atlas_conformance.runner.option_table import OPTIONS, Option
from atlas_conformance.runner.options import Options

ROOT = Path(__file__).resolve().parents[2]
OF_THE_ACTION = {"artifact", "python-version"}
"""Inputs of the action that are no options of a run."""
OF_THE_JOB = {"ATLAS_CONFORMANCE_IMAGE"}
"""Variables of the job that are no options of a run."""
BY_GITLAB = {"shard"}
"""Options that the job takes from what GitLab itself sets."""


def ids(option: Option) -> str:
    return option.name


def test_every_field_of_the_options_has_one_option() -> None:
    assert sorted(option.field for option in OPTIONS) == sorted(field.name for field in fields(Options))
    assert len({option.name for option in OPTIONS}) == len(OPTIONS)


@pytest.mark.parametrize("option", OPTIONS, ids=ids)
def test_the_command_line_has_it(option: Option) -> None:
    found = next(p for p in run_command.params if isinstance(p, click.Option) and option.name in p.opts)
    assert (found.name, found.help, found.multiple) == (option.field, option.help, option.repeatable)
    assert isinstance(found.type, click.Choice) == bool(option.choices)


def test_the_command_line_has_nothing_else_but_the_form_of_what_it_prints() -> None:
    names = {name for parameter in run_command.params for name in parameter.opts}
    assert names - {option.name for option in OPTIONS} == {"--format"}


def test_pytest_has_all_that_it_can_have() -> None:
    parser = pytest.Parser(_ispytest=True)  # type: ignore[call-arg]
    join.add_options(parser)
    join.add_options(parser)  # a second time changes nothing
    added = {name for option in parser.getgroup(join.NAME).options for name in option.names()}
    offered = [option for option in OPTIONS if option.pytest]
    assert added == {option.name for option in offered} | {f"--{option.off}" for option in offered if option.off}


def test_the_action_offers_what_the_table_says() -> None:
    text = (ROOT / "action.yml").read_text("utf-8")
    inputs = yaml.safe_load(text)["inputs"]
    offered = {option.name for option in OPTIONS if "action" in option.ci}
    assert {f"--{name}" for name in inputs.keys() - OF_THE_ACTION} == offered
    assert offered <= set(re.findall(r"--[a-z][a-z-]*", text))
    for option in OPTIONS:
        if "action" in option.ci:
            given = inputs[option.name[2:]]
            assert all(choice in given["description"] for choice in option.choices), option.name
            if option.default is not None:
                assert given["default"] == option.default


def test_the_gitlab_job_offers_what_the_table_says() -> None:
    text = (ROOT / "ci" / "gitlab.yml").read_text("utf-8")
    variables = yaml.safe_load(text)[".atlas-conformance"]["variables"]
    offered = {option for option in OPTIONS if "gitlab" in option.ci}
    wanted = {f"ATLAS_{o.name[2:].upper().replace('-', '_')}" for o in offered if o.name[2:] not in BY_GITLAB}
    assert variables.keys() - OF_THE_JOB == wanted
    assert {option.name for option in offered} <= set(re.findall(r"--[a-z][a-z-]*", text))
