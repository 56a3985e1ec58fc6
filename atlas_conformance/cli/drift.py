"""`atlas-conformance drift`: the contract against a vendor's OpenAPI description, or an old one against a new one."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import orjson

from atlas_conformance.contracts.drift.baseline import Judged, baseline_content, entries, judged, read_baseline
from atlas_conformance.contracts.drift.comparing import Comparison, compare_descriptions
from atlas_conformance.contracts.drift.difference import Difference
from atlas_conformance.contracts.drift.drift_error import DriftError
from atlas_conformance.contracts.drift.showing import Line, is_minor, lines, summary
from atlas_conformance.reports.output import complain, to_reader
from atlas_conformance.reports.wording import plural, visible
from atlas_conformance.reports.writing import ReportError, write_file

_USAGE = 2
_STYLES: dict[str, dict[str, bool | str]] = {
    "title": {"bold": True},
    "bad": {"fg": "red"},
    "good": {"fg": "green"},
    "dim": {"dim": True},
    "plain": {},
}


@click.command("drift")
@click.argument("openapi", type=click.Path(path_type=Path), metavar="[OLD] OPENAPI", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the differences as one JSON array.")
@click.option("--all", "show_all", is_flag=True, help="Also show differences that break nobody and need no attention.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Accept the differences that this file lists; only new ones fail.",
)
@click.option("--update-baseline", is_flag=True, help="Write the differences of today to the --baseline file.")
def drift_command(
    openapi: tuple[Path, ...], as_json: bool, show_all: bool, baseline: Path | None, update_baseline: bool
) -> None:
    """Compare the contract with a vendor's OpenAPI description (3.0 or 3.1, YAML or JSON, one file or several).

    Given two descriptions, it compares the old one with the new one, as far as the contract is concerned. It says whom
    each difference breaks: clients or endpoints that follow the contract (or the old description), or nobody. It
    downloads nothing: references lead to files in the folder of the description.

    \b
    Exit codes:
      0  no difference that matters, or with --baseline no new one
      1  differences
      2  wrong usage, or a file that is no OpenAPI description
    """
    if len(openapi) > 2:
        raise click.UsageError("One description, or an old and a new one, can be compared.")
    if update_baseline and baseline is None:
        raise click.UsageError("--update-baseline needs --baseline FILE, the file to write.")
    try:
        compared = compare_descriptions(openapi[-1], openapi[0] if len(openapi) == 2 else None)
        shown = [each for each in compared.differences if show_all or not is_minor(each)]
        if baseline is not None and update_baseline:
            write_file(baseline, baseline_content(shown))
            count = sum(len(entries(each)) for each in shown)
            click.echo(
                f"{visible(str(baseline))} accepts {plural(len(shown), 'difference')} at {plural(count, 'place')}."
            )
            return
        accepted = None if baseline is None else read_baseline(baseline)
    except (DriftError, ReportError) as problem:
        complain(str(problem))
        sys.exit(_USAGE)
    outcome = Judged(tuple(shown), (), ()) if accepted is None else judged(shown, accepted)
    with to_reader():
        if as_json:
            _print_json(outcome, with_state=accepted is not None)
        else:
            minor = 0 if show_all else sum(is_minor(each) for each in compared.differences)
            _print(compared, outcome, minor, len(openapi) == 2, accepted is not None)
    # What breaks nobody and need not be known is shown on request, and fails nothing.
    sys.exit(1 if any(not is_minor(each) for each in outcome.new) else 0)


def _print_json(outcome: Judged, with_state: bool) -> None:
    def told(each: Difference, state: str) -> dict[str, object]:
        return {**each.as_json(), **({"state": state} if with_state else {})}

    listed = [*(told(each, "new") for each in outcome.new), *(told(each, "accepted") for each in outcome.accepted)]
    for entry in outcome.gone:
        gone = {"kind": entry.kind, "sentence": entry.sentence, "operation": entry.operation, "ours": entry.pointer}
        listed.append({**gone, "state": "gone"})
    click.echo(orjson.dumps(listed, option=orjson.OPT_INDENT_2).decode())


def _print(compared: Comparison, outcome: Judged, minor: int, two: bool, with_baseline: bool) -> None:
    what, sides = ("the old description", ("old", "new")) if two else ("the contract", ("ours", "theirs"))
    for line in lines(outcome.new, what, sides):
        _echo(line)
    for line in summary(list(outcome.new), minor, len(outcome.accepted) if with_baseline else None, outcome.gone):
        _echo(line)
    for note in compared.notes:
        _echo((visible(note), "plain"))


def _echo(line: Line) -> None:
    text, style = line
    click.secho(text, **_STYLES[style])  # type: ignore[arg-type]
