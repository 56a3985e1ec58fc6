"""The options of a run as the command line's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from atlas_conformance.runner.option_table import OPTIONS, Option

Command = TypeVar("Command", bound=Callable[..., Any])
Callback = Callable[[click.Context, click.Parameter, Any], Any]


def run_options(callbacks: Mapping[str, Callback]) -> Callable[[Command], Command]:
    """Return a decorator that adds every option of a run; `callbacks` check values, by the option's field."""

    def decorate(command: Command) -> Command:
        for option in reversed(OPTIONS):
            command = as_click(option, callbacks.get(option.field))(command)
        return command

    return decorate


def as_click(option: Option, callback: Callback | None = None) -> Callable[[Command], Command]:
    """Return the decorator that adds one option to a command, under the name of its field."""
    return click.option(
        option.name if not option.off else f"{option.name}/--{option.off}",
        option.field,
        type=_type(option),
        metavar=option.metavar,
        default=False if option.kind == "flag" else option.default,
        show_default=option.default is not None,
        multiple=option.repeatable,
        is_flag=option.kind in ("flag", "switch"),
        callback=callback,
        help=option.help,
    )


def _type(option: Option) -> click.ParamType[Any] | None:
    if option.choices:
        return click.Choice(option.choices)
    if option.kind == "number":
        return click.IntRange(option.least)
    if option.kind in ("path", "file"):
        return click.Path(path_type=Path, dir_okay=option.kind == "path")
    return click.Path() if option.kind == "name" else None
