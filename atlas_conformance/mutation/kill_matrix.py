"""The kill matrix: what caught each fault, after how many exchanges and how long, for a terminal, JSON and Markdown."""

from __future__ import annotations

import json
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console

from atlas_conformance.mutation.trials import Outcome


class Progress:
    """Shows trials as they end: a line for each that did not end as it should, and a count now and then."""

    def __init__(self, console: Console, total: int, *, interval: float = 10.0) -> None:
        self._console = console
        self._total = total
        self._interval = interval
        self._done = 0
        self._started = self._printed = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def add(self, outcome: Outcome) -> None:
        """Count one more outcome."""
        self._done += 1
        if not outcome.good:
            self._console.print(one_line(outcome), markup=False, highlight=False, soft_wrap=True)
        if time.monotonic() - self._printed >= self._interval:
            self._printed = time.monotonic()
            self._console.print(f"{self._done} of {self._total} trials in {self.seconds:.0f} s", highlight=False)


_CUT = (
    "The tests that cover the broken requirement come first, and a run ends as soon as it is named on an",
    "operation that the fault shows on; headlines are those of the report at that moment.",
)
_WHOLE = ("Each run goes to its end; headlines are those of its report.",)


def result(outcome: Outcome) -> str:
    """Say in a word or two what came of a trial."""
    if outcome.trial.fault is None:
        return "passed" if outcome.good else outcome.verdict
    if outcome.right_first:
        return "caught"
    if outcome.caught:
        return f"caught, led by {outcome.first}"
    return "survived" if outcome.first is None else f"caught only by {outcome.first}"


def one_line(outcome: Outcome) -> str:
    """One outcome as a line of text."""
    trial = outcome.trial
    broken = f" [{trial.requirement}]" if trial.requirement else ""
    why = f": {outcome.error.strip().splitlines()[-1]}" if outcome.error else ""
    first = f" by {outcome.first}" if trial.fault is None and outcome.first else ""
    return (
        f"{result(outcome)}{first}: {trial.name}{broken} {trial.sentence} "
        f"({outcome.exchanges} exchanges, {outcome.seconds:.1f} s){why}"
    )


def figures(outcomes: Sequence[Outcome]) -> list[str]:
    """The figures of a proof, a sentence each."""
    faults = [o for o in outcomes if o.trial.fault is not None]
    sound = [o for o in outcomes if o.trial.fault is None]
    lines = []
    if faults:
        caught = [o for o in faults if o.caught]
        first = sum(o.right_first for o in faults)
        lines.append(f"{len(caught)} of {len(faults)} faults caught ({100 * len(caught) / len(faults):.1f} of 100)")
        lines.append(f"the right requirement first for {first} ({100 * first / len(faults):.1f} of 100)")
        single = sum(o.headlines == 1 for o in faults)
        most = max(o.headlines for o in faults)
        lines.append(f"one headline for {single} ({100 * single / len(faults):.1f} of 100), at most {most} for any")
    if faults and caught:
        seconds = statistics.median(o.seconds for o in caught)
        exchanges = statistics.median(o.exchanges for o in caught)
        lines.append(f"the median fault caught after {exchanges:.0f} exchanges and {seconds:.2f} s")
    if sound:
        silent = sum(o.good for o in sound)
        lines.append(f"the sound endpoint passes in {silent} of {len(sound)} modes")
    return lines


def print_matrix(outcomes: Sequence[Outcome], console: Console) -> None:
    """Print the outcomes by requirement, those that did not end as they should last, then the figures."""
    for outcome in outcomes:
        if outcome.good:
            console.print(one_line(outcome), markup=False, highlight=False, soft_wrap=True)
    bad = [outcome for outcome in outcomes if not outcome.good]
    if bad:
        console.print("\nNot as it should be", style="bold")
        for outcome in bad:
            console.print(one_line(outcome), markup=False, highlight=False, soft_wrap=True)
    console.print()
    for line in figures(outcomes):
        console.print(line, highlight=False)


def write_matrix(folder: Path, outcomes: Sequence[Outcome], text: str) -> None:
    """Write `kill-matrix.json` and `kill-matrix.md` into a folder. Raises OSError where it cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "name": o.trial.name,
            "kind": o.trial.kind,
            "requirement": o.trial.requirement,
            "operations": list(o.trial.operations),
            "result": result(o),
            "first": o.first,
            "others": list(o.others),
            "headlines": o.headlines,
            "exchanges": o.exchanges,
            "seconds": round(o.seconds, 2),
            "error": o.error,
        }
        for o in outcomes
    ]
    (folder / "kill-matrix.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "kill-matrix.md").write_text(text, encoding="utf-8")


def markdown(outcomes: Sequence[Outcome], profile: str, seed: int, seconds: float, *, whole: bool = False) -> str:
    """Render the matrix as a page: the figures, how to repeat them, then a table for each requirement."""
    lines = ["# Kill matrix", ""]
    lines.append("Every fault that the reference endpoint can be started with, and what the suites make of it.")
    lines += ["", *(f"- {line}" for line in figures(outcomes)), f"- {len(outcomes)} runs in {seconds:.0f} s", ""]
    command = f"atlas-conformance prove --profile {profile} --seed {seed}{' --whole' if whole else ''} --report DIR"
    lines += [
        f"Made by `{command}`; the same command makes it again.",
        *(_WHOLE if whole else _CUT),
        "",
    ]
    sound = [o for o in outcomes if o.trial.fault is None]
    if sound:
        lines += ["## The sound endpoint", "", "| mode | result | exchanges | seconds |", "| --- | --- | ---: | ---: |"]
        lines += [f"| {o.trial.name} | {result(o)} | {o.exchanges:,} | {o.seconds:.1f} |" for o in sound]
        lines.append("")
    by_requirement: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.trial.requirement is not None:
            by_requirement[outcome.trial.requirement].append(outcome)
    lines += ["## Faults", ""]
    for requirement, group in sorted(by_requirement.items()):
        lines += [
            f"### {requirement}",
            "",
            "| fault | class | what is wrong | result | headlines | exchanges | seconds |",
        ]
        lines += ["| --- | --- | --- | --- | ---: | ---: | ---: |"]
        for o in group:
            sentence = o.trial.sentence.replace("|", "\\|")
            lines.append(
                f"| `{o.trial.name}` | {o.trial.kind} | {sentence} | {result(o)} | {o.headlines} |"
                f" {o.exchanges:,} | {o.seconds:.1f} |"
            )
        lines.append("")
    return "\n".join(lines)
