"""What commands that start from a journal share: its `curl` commands, the gate's options, one-sentence failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from atlas_conformance.cli.run_options import as_click
from atlas_conformance.contracts.exchange import Request
from atlas_conformance.contracts.requirement import Basis
from atlas_conformance.http.curl import curl
from atlas_conformance.http.secret import Credentials, Secret
from atlas_conformance.reports.comparison import outline
from atlas_conformance.reports.gates.gate import Policy, parse_bases
from atlas_conformance.reports.gates.merging import MergeError
from atlas_conformance.reports.gates.waivers import WaiverError
from atlas_conformance.reports.model import Report
from atlas_conformance.reports.records import Header
from atlas_conformance.reports.standing import Standing
from atlas_conformance.reports.wording import Curl
from atlas_conformance.reports.writing import ReportError
from atlas_conformance.runner.option_table import OPTIONS

Command = TypeVar("Command", bound=Callable[..., Any])


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """Turn what can be wrong with a journal, an earlier run or waivers into one sentence and exit code 2."""
    try:
        yield
    except (ReportError, WaiverError, MergeError) as error:
        raise click.UsageError(str(error).rstrip(".")) from None


def gate_options(command: Command) -> Command:
    """Add the options that decide which failures end a command with 1."""
    for option in reversed(OPTIONS):
        if option.field == "basis":
            command = basis_option(command)
        elif option.field in ("gate", "waivers", "strict"):
            command = as_click(option)(command)
    return command


def verbose_option(command: Command) -> Command:
    """Add the option that has all printed, not only what fits a screen."""
    return as_click(next(option for option in OPTIONS if option.field == "verbose"))(command)


def basis_option(command: Command) -> Command:
    """Add the option that says of which bases the requirements must be whose failures count; its value is parsed."""
    option = next(option for option in OPTIONS if option.field == "basis")
    return as_click(option, _bases)(command)


def _bases(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[Basis, ...]:
    try:
        return parse_bases(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


def curl_of(header: Header) -> Curl:
    """Return what makes the command for a request of a journalled run, credentials by the names that the run knew."""
    base_url = str(header.target.get("base_url") or "")
    credentials: dict[str, Credentials] = {}
    headers = header.target.get("headers")
    own = {str(name): str(variable) for name, variable in headers.items()} if isinstance(headers, dict) else {}
    named = header.target.get("credentials")
    for identity, names in named.items() if isinstance(named, dict) else ():
        members = {member: Secret("") for member in names if member in Credentials.__dataclass_fields__}
        credentials[identity] = Credentials(**members, names=names)

    def command(request: Request) -> str:
        return curl(request, base_url, credentials.get(request.credential), own)

    return command


def standing_of(report: Report, policy: Policy) -> Standing | None:
    """Return where the run stands, None where no gate was asked for."""
    return None if policy.silent else policy.decide(outline(report), errors=bool(report.errors))
